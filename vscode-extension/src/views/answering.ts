/** Answers to what waits for a person: with a choice, in own words, or picked from everything that is offered. */
import * as vscode from "vscode";
import { tellFailure } from "../commands/guard";
import { type Disposable, RequestFailed } from "../protocol/api";
import type { Attention } from "../protocol/generated";
import type { Services } from "../services";
import { choiceIcon } from "./needsYouRows";
import * as words from "./words";

/** What rows, notifications and other views name an item with. */
interface Named {
  readonly attentionId: string;
  readonly choice?: string;
}

export class Answering implements Disposable {
  private readonly parts: Disposable[];
  /** Answers that are under way: a second click on the same item does nothing. */
  private readonly underWay = new Set<string>();

  constructor(
    private readonly services: Services,
    private readonly openPlan: (item: Attention) => Promise<void>,
  ) {
    const command = (name: string, work: (item: Attention, named: Named) => Promise<unknown>) =>
      vscode.commands.registerCommand(name, async (given?: Named) => {
        const item = await this.find(given);
        if (item !== undefined) {
          await work(item, given ?? item);
        }
      });
    this.parts = [
      command("politerm.answerAttention", (item, { choice }) =>
        choice === undefined ? this.pick(item) : this.choose(item, choice),
      ),
      command("politerm.answerInWords", (item) => this.inWords(item)),
    ];
  }

  dispose(): void {
    for (const part of this.parts) {
      part.dispose();
    }
  }

  /** Sends the answer. True when the server took it. */
  async send(item: Attention, answer: { choice?: string; text?: string }): Promise<boolean> {
    if (this.underWay.has(item.attentionId)) {
      return false;
    }
    this.underWay.add(item.attentionId);
    try {
      await this.services.server.request("politerm.attention.answer", { attentionId: item.attentionId, ...answer });
      return true;
    } catch (error) {
      if (error instanceof RequestFailed && error.code === "attentionNotFound") {
        void vscode.window.setStatusBarMessage("PoliTerm: this was answered already", 5000);
      } else {
        void tellFailure(this.services, error);
      }
      return false;
    } finally {
      this.underWay.delete(item.attentionId);
    }
  }

  /** A choice; a dangerous one is asked about once more. True when the server took it. */
  async choose(item: Attention, choice: string): Promise<boolean> {
    const chosen = item.choices.find((each) => each.id === choice);
    if (chosen?.danger === true) {
      const sure = await vscode.window.showWarningMessage(
        `${chosen.label}?`,
        {
          modal: true,
          detail: [words.withNames(item.title), words.oneLine(item.text, 200)].filter((line) => line !== "").join("\n"),
        },
        chosen.label,
      );
      if (sure === undefined) {
        return false;
      }
    }
    if (item.kind === "plan" && choice === "sendback") {
      return this.sendBack(item);
    }
    return this.send(item, { choice });
  }

  async sendBack(item: Attention): Promise<boolean> {
    const text = await vscode.window.showInputBox({
      title: "Send the plan back",
      prompt: "What should the planner do differently?",
      ignoreFocusOut: true,
    });
    return text !== undefined && (await this.send(item, { choice: "sendback", ...(text === "" ? {} : { text }) }));
  }

  async inWords(item: Attention): Promise<void> {
    const text = await vscode.window.showInputBox({
      title: words.withNames(item.title),
      prompt: words.oneLine(item.text, 200),
      placeHolder: "Your answer",
      ignoreFocusOut: true,
    });
    if (text !== undefined && text.trim() !== "") {
      await this.send(item, { text });
    }
  }

  /** Everything that may be answered, in one list. */
  async pick(item: Attention): Promise<void> {
    type Entry = vscode.QuickPickItem & { does: () => Promise<unknown> };
    const entries: Entry[] = item.choices.map((choice) => ({
      label: words.capital(choice.label),
      ...(choice.danger === true ? { description: "careful" } : {}),
      iconPath: new vscode.ThemeIcon(choiceIcon(choice).name),
      does: () => this.choose(item, choice.id),
    }));
    if (item.kind === "plan") {
      const iconPath = new vscode.ThemeIcon("go-to-file");
      entries.unshift({ label: "Open and edit the plan", iconPath, does: () => this.openPlan(item) });
    } else if (item.freeText) {
      const iconPath = new vscode.ThemeIcon("comment");
      entries.push({ label: "Answer in your own words…", iconPath, does: () => this.inWords(item) });
    }
    const picked = await vscode.window.showQuickPick(entries, {
      title: words.withNames(item.title),
      placeHolder: words.oneLine(item.text, 120) || "Your answer",
      ignoreFocusOut: true,
    });
    await picked?.does();
  }

  /** The item that was named; without a name, the one that waits, or the one that is picked. */
  private async find(given: Named | undefined): Promise<Attention | undefined> {
    const items = this.services.store.attention;
    if (given?.attentionId !== undefined) {
      const found = items.find((item) => item.attentionId === given.attentionId);
      if (found === undefined) {
        void vscode.window.setStatusBarMessage("PoliTerm: this was answered already", 5000);
      }
      return found;
    }
    if (items.length <= 1) {
      if (items.length === 0) {
        void vscode.window.showInformationMessage("Nothing needs you now.");
      }
      return items[0];
    }
    const picked = await vscode.window.showQuickPick(
      items.map((item) => ({ label: words.withNames(item.title), description: words.oneLine(item.text, 80), item })),
      { title: "What needs you" },
    );
    return picked?.item;
  }
}
