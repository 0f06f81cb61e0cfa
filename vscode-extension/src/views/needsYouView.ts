/** *Needs you*: the list, and the number at the icon in the activity bar. */
import * as vscode from "vscode";
import type { Disposable } from "../protocol/api";
import type { Services } from "../services";
import { type Element, LiveTree } from "./liveTree";
import { needsYouRows } from "./needsYouRows";
import { Soon } from "./soon";
import * as words from "./words";

export class NeedsYouView implements Disposable {
  private readonly tree = new LiveTree();
  private readonly drawing = new Soon(() => this.draw(), 30);
  private readonly view: vscode.TreeView<Element>;
  private readonly parts: Disposable[];

  constructor(private readonly services: Services) {
    this.view = vscode.window.createTreeView("politerm.needsYou", { treeDataProvider: this.tree });
    this.parts = [
      this.view,
      this.tree,
      this.drawing,
      services.store.onChange(() => this.drawing.ask()),
      this.view.onDidChangeVisibility(() => this.drawing.ask()),
      vscode.commands.registerCommand("politerm.showNeedsYou", () =>
        vscode.commands.executeCommand("politerm.needsYou.focus"),
      ),
    ];
    this.drawing.ask();
  }

  get visible(): boolean {
    return this.view.visible;
  }

  dispose(): void {
    for (const part of this.parts) {
      part.dispose();
    }
  }

  private draw(): void {
    const { store } = this.services;
    const count = store.attention.length;
    this.tree.show(needsYouRows(store.attention, store.runs, Date.now()));
    this.view.badge =
      count === 0
        ? undefined
        : { value: count, tooltip: `${words.plural(count, "thing")} ${count === 1 ? "needs" : "need"} you` };
    this.drawing.tick(this.view.visible && count > 0);
  }
}
