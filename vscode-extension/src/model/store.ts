/**
 * What is known of all runs: their views, what waits for a person, the server's health, and the logs that are followed.
 *
 * Fed by notifications, and by questions each time the server has come up: then the same runs are there with nothing
 * missing. It knows the server's interface only, no editor.
 */
import type { Disposable, Server, ServerState } from "../protocol/api";
import type { Attention, Envelope, RunView, Status } from "../protocol/generated";
import { Log, type Reader } from "./log";
import { Signal } from "./signal";

/** runs: one view (`runId`) or the whole list changed. server: its phase or its health. */
export type Change = { what: "runs"; runId?: string } | { what: "attention" } | { what: "server" };

const FIRST_PAGE = 50;

export class Store implements Disposable {
  private readonly views = new Map<string, RunView>();
  private readonly logs = new Map<string, Log>();
  private items: readonly Attention[] = [];
  private health: Status | undefined;
  private older = false;
  private readonly change = new Signal<Change>();
  private readonly subscriptions: Disposable[];

  constructor(private readonly server: Server) {
    this.subscriptions = [
      server.on("politerm/event", (envelope) => this.logs.get(envelope.runId)?.told(envelope)),
      server.on("politerm/runChanged", (view) => this.seen(view)),
      server.on("politerm/attentionChanged", ({ items }) => this.asked(items)),
      server.on("politerm/serverStatus", (status) => {
        this.health = status;
        this.change.tell({ what: "server" });
      }),
      server.onState((state) => this.serverChanged(state)),
    ];
  }

  dispose(): void {
    for (const subscription of this.subscriptions) {
      subscription.dispose();
    }
  }

  onChange(listener: (change: Change) => void): Disposable {
    return this.change.on(listener);
  }

  /** Newest first. */
  get runs(): readonly RunView[] {
    return [...this.views.values()].sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  }

  run(runId: string): RunView | undefined {
    return this.views.get(runId);
  }

  /** Those that have not ended, newest first. */
  get live(): readonly RunView[] {
    return this.runs.filter((view) => view.state !== "ended");
  }

  /** What waits for a person, the longest waiting first. */
  get attention(): readonly Attention[] {
    return this.items;
  }

  /** The server's own word on itself; undefined before its first one. */
  get status(): Status | undefined {
    return this.health;
  }

  get serverState(): ServerState {
    return this.server.state;
  }

  /** There are older runs that have not been asked for; `loadOlder` does. */
  get hasOlder(): boolean {
    return this.older;
  }

  /**
   * Everything that happened in a run after `after` (0: from its beginning), and everything that will. The log is kept
   * as long as somebody follows it.
   */
  follow(runId: string, reader: Reader, after = 0): Disposable {
    let log = this.logs.get(runId);
    if (log === undefined) {
      log = new Log((from, limit) => this.server.request("politerm.run.events", { runId, after: from, limit }));
      this.logs.set(runId, log);
    }
    const place = log.add(reader, after);
    return {
      dispose: () => {
        place.dispose();
        if (log.idle && this.logs.get(runId) === log) {
          this.logs.delete(runId);
        }
      },
    };
  }

  /** The events of a followed run as far as they are known; none of one that nobody follows. */
  events(runId: string): readonly Envelope[] {
    return this.logs.get(runId)?.events ?? [];
  }

  /** Asks for everything again. Rejects when the server cannot be asked. */
  async refresh(): Promise<void> {
    const [list, attention] = await Promise.all([
      this.server.request("politerm.run.list", { limit: Math.max(FIRST_PAGE, this.views.size) }),
      this.server.request("politerm.attention.list", {}),
    ]);
    const kept = new Map(this.views);
    this.views.clear();
    for (const view of list.runs) {
      this.views.set(view.runId, newer(kept.get(view.runId), view));
    }
    this.older = list.runs.length >= FIRST_PAGE;
    this.change.tell({ what: "runs" });
    this.asked(attention.items);
    await Promise.all([...this.logs.values()].map((log) => log.load()));
  }

  async loadOlder(): Promise<void> {
    const last = this.runs.at(-1);
    if (last === undefined) {
      return;
    }
    const { runs } = await this.server.request("politerm.run.list", { limit: FIRST_PAGE, before: last.runId });
    for (const view of runs) {
      this.views.set(view.runId, newer(this.views.get(view.runId), view));
    }
    this.older = runs.length >= FIRST_PAGE;
    this.change.tell({ what: "runs" });
  }

  /** A view that was answered to a command: it may be newer than what was told. */
  seen(view: RunView): void {
    this.views.set(view.runId, newer(this.views.get(view.runId), view));
    this.change.tell({ what: "runs", runId: view.runId });
  }

  /** The run was deleted. */
  forget(runId: string): void {
    if (this.views.delete(runId)) {
      this.change.tell({ what: "runs", runId });
    }
  }

  private asked(items: readonly Attention[]): void {
    this.items = items
      .filter((item) => item.answered === undefined)
      .sort((a, b) => a.raisedAt.localeCompare(b.raisedAt));
    this.change.tell({ what: "attention" });
  }

  private serverChanged(state: ServerState): void {
    this.change.tell({ what: "server" });
    if (state.phase === "ready") {
      // A server that goes down again meanwhile comes up again, and then all is asked again.
      this.refresh().catch(() => undefined);
    }
  }
}

/** Of two views of one run, the one that has seen more. */
function newer(known: RunView | undefined, view: RunView): RunView {
  return known !== undefined && known.lastSeq > view.lastSeq ? known : view;
}
