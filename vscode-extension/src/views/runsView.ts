/** *Runs*: follows the events of the runs that are open in the tree, and draws what changed. */
import * as vscode from "vscode";
import type { Disposable } from "../protocol/api";
import type { Services } from "../services";
import { type Element, LiveTree } from "./liveTree";
import { Outline } from "./outline";
import { runRows } from "./runRows";
import { Soon } from "./soon";
import type { Row } from "./tree";

interface Followed {
  readonly outline: Outline;
  readonly following: Disposable;
  readonly settled: Promise<void>;
}

export class RunsView implements Disposable {
  private readonly followed = new Map<string, Followed>();
  /** Runs that the reader closed in the tree stay closed, also when they live. */
  private readonly closed = new Set<string>();
  private readonly tree = new LiveTree((row) => this.opened(row));
  private readonly drawing = new Soon(() => this.draw());
  private readonly view: vscode.TreeView<Element>;
  private readonly parts: Disposable[];

  constructor(private readonly services: Services) {
    const { store } = services;
    this.view = vscode.window.createTreeView("politerm.runs", { treeDataProvider: this.tree, showCollapseAll: true });
    this.parts = [
      this.view,
      this.tree,
      this.drawing,
      store.onChange(() => this.drawing.ask()),
      this.view.onDidChangeVisibility(() => this.looked()),
      this.view.onDidExpandElement(({ element }) => this.closed.delete(element.id)),
      this.view.onDidCollapseElement(({ element }) => this.unfollow(element.id)),
      vscode.commands.registerCommand("politerm.loadOlderRuns", () => store.loadOlder()),
    ];
    this.drawing.ask();
  }

  get visible(): boolean {
    return this.view.visible;
  }

  dispose(): void {
    for (const { following } of this.followed.values()) {
      following.dispose();
    }
    for (const part of this.parts) {
      part.dispose();
    }
  }

  /** Who looks at runs wants to see them: a server that was never started here is not installed for that. */
  private looked(): void {
    this.drawing.ask();
    if (this.view.visible) {
      this.services.server.wake();
    }
  }

  private draw(): void {
    const { store } = this.services;
    const [newest] = store.live;
    if (newest !== undefined && this.view.visible && !this.closed.has(newest.runId)) {
      this.follow(newest.runId);
    }
    for (const runId of this.followed.keys()) {
      if (store.run(runId) === undefined) {
        this.unfollow(runId);
      }
    }
    const outlines = new Map([...this.followed].map(([runId, { outline }]) => [runId, outline]));
    this.tree.show(runRows(store.runs, outlines, Date.now(), store.hasOlder));
    this.view.message = this.message();
    this.drawing.tick(this.view.visible && store.live.length > 0);
  }

  /** Only where rows are shown: an empty view has its own words for this. */
  private message(): string | undefined {
    const { phase, message } = this.services.store.serverState;
    const down = phase === "failed" || phase === "waiting";
    return down && this.tree.size > 0 ? `The server is not running. ${message ?? ""}`.trim() : undefined;
  }

  private opened(row: Row): Promise<void> | undefined {
    return row.context?.startsWith("run.") === true && row.runId !== undefined
      ? this.follow(row.runId).settled
      : undefined;
  }

  private follow(runId: string): Followed {
    const known = this.followed.get(runId);
    if (known !== undefined) {
      return known;
    }
    const outline = new Outline();
    let settle = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = () => {
        this.draw();
        resolve();
      };
    });
    const entry = { outline, settled, following: { dispose: () => {} } as Disposable };
    this.followed.set(runId, entry);
    entry.following = this.services.store.follow(runId, {
      events: (batch) => {
        outline.add(batch);
        this.drawing.ask();
      },
      settled: () => settle(),
      failed: () => settle(),
    });
    return entry;
  }

  private unfollow(runId: string): void {
    const entry = this.followed.get(runId);
    if (entry !== undefined) {
      entry.following.dispose();
      this.followed.delete(runId);
      this.closed.add(runId);
      this.drawing.ask();
    }
  }
}
