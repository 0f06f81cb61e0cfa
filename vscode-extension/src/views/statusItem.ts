/** The one status bar item. */
import * as vscode from "vscode";
import type { Disposable } from "../protocol/api";
import type { Services } from "../services";
import { hoverText } from "./hover";
import { Soon } from "./soon";
import { type StatusBar, statusBar } from "./statusText";

export class StatusItem implements Disposable {
  private readonly item = vscode.window.createStatusBarItem("politerm.status", vscode.StatusBarAlignment.Left, 10);
  private readonly drawing = new Soon(() => this.draw());
  private hover = "";
  private readonly parts: Disposable[];

  constructor(private readonly services: Services) {
    this.item.name = "PoliTerm";
    this.parts = [this.item, this.drawing, services.store.onChange(() => this.drawing.ask())];
    this.draw();
    this.item.show();
  }

  dispose(): void {
    for (const part of this.parts) {
      part.dispose();
    }
  }

  private draw(): void {
    const { store } = this.services;
    const { status, live, serverState } = store;
    const shown = statusBar({ server: serverState, status, live, waiting: store.attention.length, now: Date.now() });
    this.item.text = shown.text;
    this.item.accessibilityInformation = { label: shown.spoken, role: "button" };
    this.item.command = commandOf(shown);
    this.item.backgroundColor =
      shown.tone === "plain" ? undefined : new vscode.ThemeColor(`statusBarItem.${shown.tone}Background`);
    const hover = JSON.stringify(shown.hover);
    if (hover !== this.hover) {
      this.hover = hover;
      this.item.tooltip = hoverText(shown.hover);
    }
    this.drawing.tick(live.length > 0);
  }
}

function commandOf(shown: StatusBar): vscode.Command {
  switch (shown.opens) {
    case "needsYou":
      return { command: "politerm.showNeedsYou", title: "Show Needs-You List" };
    case "timeline":
      return { command: "politerm.openTimeline", title: "Open Timeline", arguments: [{ runId: shown.runId }] };
    case "logs":
      return { command: "politerm.showLogs", title: "Show Logs" };
    case "trust":
      return { command: "workbench.trust.manage", title: "Manage Workspace Trust" };
    default:
      return { command: "politerm.runs.focus", title: "Show Runs" };
  }
}
