/**
 * What the editor says by itself: that something needs the reader, who is not looking; that a run is under way, while
 * nothing of it is in sight; that it has ended.
 */
import * as vscode from "vscode";
import { tellFailure } from "../commands/guard";
import type { Disposable } from "../protocol/api";
import type { Attention, RunView } from "../protocol/generated";
import type { Services } from "../services";
import type { Answering } from "./answering";
import { type Button, buttonsOf, Notices } from "./notice";
import { progressText } from "./runRows";
import * as words from "./words";

/** What the reader has before their eyes. */
export interface Sight {
  /** This item: in the list, in its run's timeline, or as a document. */
  item(item: Attention): boolean;
  /** Something that shows that this run is under way. */
  run(runId: string): boolean;
}

interface Shown {
  report(text: string): void;
  end(): void;
}

export class Notifications implements Disposable {
  private readonly notices = new Notices();
  private readonly progress = new Map<string, Shown>();
  /** Runs whose progress the reader has had: it does not come back by itself. */
  private readonly hadProgress = new Set<string>();
  /** Runs that were seen under way: their end is news. */
  private readonly live = new Set<string>();
  private readonly parts: Disposable[];

  constructor(
    private readonly services: Services,
    private readonly sight: Sight,
    private readonly answering: Answering,
    private readonly openPlan: (item: Attention) => Promise<void>,
  ) {
    const { store } = services;
    this.parts = [
      store.onChange(({ what }) => {
        if (what === "attention") {
          void this.attention();
        }
        if (what === "runs") {
          this.runs();
        }
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => this.runs()),
      vscode.window.tabGroups.onDidChangeTabs(() => this.runs()),
    ];
  }

  dispose(): void {
    for (const shown of this.progress.values()) {
      shown.end();
    }
    for (const part of this.parts) {
      part.dispose();
    }
  }

  // ---- what needs the reader

  private async attention(): Promise<void> {
    const { focused } = vscode.window.state;
    const fresh = this.notices.fresh(this.services.store.attention);
    // A plan opens by itself, and is seen where the reader is.
    const plans = fresh.filter((item) => item.kind === "plan");
    await Promise.all(plans.map((item) => this.openPlan(item).catch((error) => tellFailure(this.services, error))));
    const told = fresh.filter((item) => !(focused && this.sight.item(item)));
    const [only, ...others] = told;
    if (only !== undefined && others.length === 0) {
      await this.tellOne(only);
    } else if (only !== undefined) {
      const chosen = await vscode.window.showWarningMessage(`${told.length} things need you.`, "Show");
      if (chosen !== undefined) {
        await vscode.commands.executeCommand("politerm.showNeedsYou");
      }
    }
  }

  private async tellOne(item: Attention): Promise<void> {
    const text = words.oneLine(item.text, 160);
    const title = words.withNames(item.title);
    const message = text === "" || item.kind === "plan" ? title : `${title}: ${text}`;
    const buttons = buttonsOf(item);
    const show = item.kind === "plan" || item.kind === "question" ? "showInformationMessage" : "showWarningMessage";
    const chosen = await vscode.window[show](message, ...buttons.map(({ label }) => label));
    const button = buttons.find(({ label }) => label === chosen);
    if (button !== undefined) {
      await this.press(item, button);
    }
  }

  private async press(item: Attention, button: Button): Promise<void> {
    switch (button.does) {
      case "choice":
        await this.answering.send(item, { choice: button.choice });
        break;
      case "words":
        await this.answering.inWords(item);
        break;
      case "open":
        await this.openPlan(item);
        break;
      default:
        await vscode.commands.executeCommand("politerm.showNeedsYou");
    }
  }

  // ---- runs

  private runs(): void {
    for (const view of this.services.store.runs) {
      if (view.state === "ended") {
        this.runEnded(view);
      } else {
        this.live.add(view.runId);
        this.runGoesOn(view);
      }
    }
  }

  private runGoesOn(view: RunView): void {
    const shown = this.progress.get(view.runId);
    if (view.state === "paused" || view.state === "queued" || this.sight.run(view.runId)) {
      shown?.end();
    } else if (view.attention > 0) {
      // What needs the reader has a notification of its own; one for each is enough.
      shown?.end();
      this.hadProgress.delete(view.runId);
    } else if (shown !== undefined) {
      shown.report(progressText(view));
    } else if (view.state === "running" && !this.hadProgress.has(view.runId)) {
      // Its start has a progress of its own.
      this.begin(view);
    }
  }

  /** A cancellable progress: cancelling presses the agents' own interrupt key, and the run pauses. */
  private begin(view: RunView): void {
    const { runId } = view;
    this.hadProgress.add(runId);
    const title = `PoliTerm: ${words.oneLine(view.task, 60)}`;
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    void vscode.window.withProgress(options, (progress, token) => {
      progress.report({ message: progressText(view) });
      return new Promise<void>((resolve) => {
        let last = progressText(view);
        this.progress.set(runId, {
          report: (message) => {
            if (message !== last) {
              last = message;
              progress.report({ message });
            }
          },
          end: () => {
            this.progress.delete(runId);
            resolve();
          },
        });
        token.onCancellationRequested(() => {
          this.hadProgress.add(runId);
          this.progress.get(runId)?.end();
          this.services.server
            .request("politerm.run.interrupt", { runId })
            .then((seen) => this.services.store.seen(seen))
            .catch((error) => tellFailure(this.services, error));
        });
      });
    });
  }

  private runEnded(view: RunView): void {
    this.progress.get(view.runId)?.end();
    if (!this.live.delete(view.runId)) {
      return;
    }
    if (view.outcome === "stopped" || (vscode.window.state.focused && this.sight.run(view.runId))) {
      return;
    }
    void this.tellEnd(view);
  }

  private async tellEnd(view: RunView): Promise<void> {
    const last = words.gist(words.withoutTags(view.summary ?? view.reason ?? ""), 160);
    const task = words.oneLine(view.task, 60);
    const open = "Open Timeline";
    const chosen = await (view.outcome === "completed"
      ? vscode.window.showInformationMessage(`Done: ${task}. ${last}`.trim(), open)
      : vscode.window.showWarningMessage(`Ended without completing: ${task}. ${last}`.trim(), open));
    if (chosen === open) {
      await vscode.commands.executeCommand("politerm.openTimeline", { runId: view.runId });
    }
  }
}
