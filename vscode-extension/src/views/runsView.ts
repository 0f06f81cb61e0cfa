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
  /** Runs that are open in the tree, and runs that have opened by themselves once: the newest, while it lives. */
  private readonly open = new Set<string>();
  private readonly shown = new Set<string>();
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
      this.view.onDidExpandElement(({ element }) => this.open.add(element.id)),
      this.view.onDidCollapseElement(({ element }) => this.closed(element.id)),
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
    if (newest !== undefined && !this.shown.has(newest.runId)) {
      // The editor keeps a row as it first was, so it must be open from the beginning.
      this.shown.add(newest.runId);
      this.open.add(newest.runId);
    }
    for (const runId of this.followed.keys()) {
      if (store.run(runId) === undefined) {
        this.unfollow(runId);
      }
    }
    const outlines = new Map([...this.followed].map(([runId, { outline }]) => [runId, outline]));
    this.tree.show(runRows({ runs: store.runs, outlines, open: this.open, now: Date.now(), older: store.hasOlder }));
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

  private closed(id: string): void {
    this.open.delete(id);
    this.unfollow(id);
    this.drawing.ask();
  }

  private unfollow(runId: string): void {
    this.followed.get(runId)?.following.dispose();
    this.followed.delete(runId);
  }
}
