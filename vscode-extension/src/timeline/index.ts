/**
 * The editor's side of the timeline: a tab for each run, opened again after a reload of the window, and what travels to
 * the page (src/webview) and back.
 */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { chooseRun } from "../commands/choose";
import { command } from "../commands/guard";
import type { Disposable } from "../protocol/api";
import type { Services } from "../services";
import { oneLine } from "../views/words";
import { readSaved } from "../webview/page/saved";
import { Acts } from "./acts";
import { pageDocument } from "./document";
import { RawTexts } from "./raw";
import { Session } from "./session";

const TYPE = "politerm.timeline";
const TITLE = 40;

interface Tab {
  readonly panel: vscode.WebviewPanel;
  readonly session: Session;
}

export function registerTimeline(services: Services): vscode.Disposable[] {
  return [new Timelines(services)];
}

class Timelines implements Disposable {
  private readonly tabs = new Map<string, Tab>();
  private readonly texts: RawTexts;
  private readonly parts: Disposable[];

  constructor(private readonly services: Services) {
    this.texts = new RawTexts(services.server);
    this.parts = [
      this.texts.register(),
      command(services, "politerm.openTimeline", async (_, given) => this.open(given)),
      vscode.window.registerWebviewPanelSerializer(TYPE, {
        deserializeWebviewPanel: async (panel, state) => this.revive(panel, state),
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        for (const { session } of this.tabs.values()) {
          session.trustChanged();
        }
      }),
      services.store.onChange((change) => {
        if (change.what === "runs") {
          this.retitle();
        }
      }),
    ];
  }

  dispose(): void {
    for (const part of this.parts) {
      part.dispose();
    }
    // The tabs stay: the window that comes next opens them again.
    for (const { session } of this.tabs.values()) {
      session.dispose();
    }
  }

  private async open(given: unknown): Promise<void> {
    const view = await chooseRun(this.services, given, () => true, "is known yet");
    if (view === undefined) {
      return;
    }
    this.services.store.seen(view);
    const { seq, preserveFocus } = wishes(given);
    const tab = this.tabs.get(view.runId) ?? this.create(view.runId, preserveFocus);
    tab.panel.reveal(undefined, preserveFocus);
    if (seq !== undefined) {
      tab.session.show(seq);
    }
  }

  private create(runId: string, preserveFocus: boolean): Tab {
    const place = { viewColumn: vscode.ViewColumn.Active, preserveFocus };
    return this.fill(runId, vscode.window.createWebviewPanel(TYPE, "PoliTerm", place));
  }

  /** A tab of before a reload. One that does not know its run any more has nothing to show. */
  private revive(panel: vscode.WebviewPanel, state: unknown): void {
    const runId = readSaved(state)?.runId;
    if (runId === undefined || runId === "" || this.tabs.has(runId)) {
      panel.dispose();
    } else {
      this.fill(runId, panel);
    }
  }

  private fill(runId: string, panel: vscode.WebviewPanel): Tab {
    const { context, store } = this.services;
    const built = vscode.Uri.joinPath(context.extensionUri, "dist", "webview");
    const media = vscode.Uri.joinPath(context.extensionUri, "media");
    const acts = new Acts(this.services, runId, this.texts);
    const session = new Session(runId, store, {
      post: (message) => void panel.webview.postMessage(message),
      perform: (act) => acts.perform(act),
      get readOnly() {
        return !vscode.workspace.isTrusted || store.status?.readOnly === true;
      },
    });
    const tab = { panel, session };
    this.tabs.set(runId, tab);
    const { inSight } = this.services;
    const look = () => (panel.visible ? inSight.add(runId) : inSight.delete(runId));
    panel.onDidChangeViewState(look);
    look();
    panel.onDidDispose(() => {
      inSight.delete(runId);
      session.dispose();
      this.tabs.delete(runId);
    });
    panel.webview.onDidReceiveMessage((message: unknown) => session.heard(message));
    panel.iconPath = {
      light: vscode.Uri.joinPath(media, "timeline-light.svg"),
      dark: vscode.Uri.joinPath(media, "timeline-dark.svg"),
    };
    panel.webview.options = { enableScripts: true, enableCommandUris: false, localResourceRoots: [built] };
    panel.webview.html = pageDocument({
      source: panel.webview.cspSource,
      script: panel.webview.asWebviewUri(vscode.Uri.joinPath(built, "timeline.js")).toString(),
      style: panel.webview.asWebviewUri(vscode.Uri.joinPath(built, "timeline.css")).toString(),
      nonce: randomBytes(18).toString("base64url"),
    });
    this.retitle();
    return tab;
  }

  private retitle(): void {
    for (const [runId, { panel }] of this.tabs) {
      const view = this.services.store.run(runId);
      if (view !== undefined) {
        panel.title = oneLine(view.task, TITLE);
      }
    }
  }
}

function wishes(given: unknown): { seq?: number; preserveFocus: boolean } {
  const { seq, preserveFocus } = (typeof given === "object" && given !== null ? given : {}) as Record<string, unknown>;
  return { preserveFocus: preserveFocus === true, ...(typeof seq === "number" ? { seq } : {}) };
}
