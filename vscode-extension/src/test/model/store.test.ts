import { expect, test } from "vitest";
import { Signal } from "../../model/signal";
import { type Change, Store } from "../../model/store";
import { RequestFailed, type Server, type ServerState } from "../../protocol/api";
import type { Attention, Envelope, RunView } from "../../protocol/generated";

/** A server with a few runs, whose answers and notifications the test gives. */
class FakeServer {
  private readonly told = new Signal<{ method: string; params: unknown }>();
  private readonly states = new Signal<ServerState>();
  state: ServerState = { phase: "off" };
  runs: RunView[] = [];
  items: Attention[] = [];
  events: Envelope[] = [];
  asked: string[] = [];

  readonly face = {
    request: async (command: string, argument: { after?: number }) => {
      this.asked.push(command);
      if (this.state.phase !== "ready") {
        throw new RequestFailed("gone", "lost");
      }
      switch (command) {
        case "politerm.run.list":
          return { runs: this.runs };
        case "politerm.attention.list":
          return { items: this.items };
        default:
          return { events: this.events.slice(argument.after), last: this.events.length };
      }
    },
    on: (method: string, handler: (params: unknown) => void) =>
      this.told.on((each) => each.method === method && handler(each.params)),
    onState: (handler: (state: ServerState) => void) => this.states.on(handler),
  } as unknown as Server;

  become(phase: ServerState["phase"]): void {
    this.state = { phase };
    this.states.tell(this.state);
  }

  tell(method: string, params: unknown): void {
    this.told.tell({ method, params });
  }
}

function view(runId: string, lastSeq = 1, startedAt = "2026-01-01T00:00:00Z"): RunView {
  return { runId, lastSeq, startedAt, state: "running", task: runId, roles: {} } as unknown as RunView;
}

function item(attentionId: string, raisedAt: string): Attention {
  return { attentionId, raisedAt, kind: "question", title: "?" } as unknown as Attention;
}

function event(seq: number): Envelope {
  return { runId: "a", seq, at: "", clock: 0, event: { type: "roundStarted", round: seq } };
}

/** What was asked has been answered and told. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

function storeOf(server: FakeServer): { store: Store; changes: Change[] } {
  const store = new Store(server.face);
  const changes: Change[] = [];
  store.onChange((change) => changes.push(change));
  return { store, changes };
}

test("a server that comes up is asked for everything, newest run first, longest waiting item first", async () => {
  const server = new FakeServer();
  const { store, changes } = storeOf(server);
  server.runs = [view("old", 1, "2026-01-01T00:00:00Z"), view("new", 1, "2026-02-01T00:00:00Z")];
  server.items = [item("late", "2026-01-02"), item("early", "2026-01-01")];
  server.become("ready");
  await settled();
  expect(store.runs.map((each) => each.runId)).toEqual(["new", "old"]);
  expect(store.attention.map((each) => each.attentionId)).toEqual(["early", "late"]);
  expect(changes.map((change) => change.what)).toEqual(["server", "runs", "attention"]);
});

test("a view that was told is not undone by an older answer", async () => {
  const server = new FakeServer();
  const { store } = storeOf(server);
  server.runs = [view("a", 3)];
  server.become("ready");
  server.tell("politerm/runChanged", view("a", 9));
  await settled();
  expect(store.run("a")?.lastSeq).toBe(9);
  store.seen(view("a", 4));
  expect(store.run("a")?.lastSeq).toBe(9);
});

test("runs that were deleted elsewhere are gone after the next start", async () => {
  const server = new FakeServer();
  const { store } = storeOf(server);
  server.runs = [view("a"), view("b")];
  server.become("ready");
  await settled();
  server.become("waiting");
  server.runs = [view("b")];
  server.become("ready");
  await settled();
  expect(store.runs.map((each) => each.runId)).toEqual(["b"]);
  store.forget("b");
  expect(store.runs).toEqual([]);
});

test("a followed run goes on where it was when the server is back", async () => {
  const server = new FakeServer();
  const { store } = storeOf(server);
  const seen: number[] = [];
  server.events = [event(1), event(2)];
  server.become("ready");
  const place = store.follow("a", { events: (batch) => seen.push(...batch.map((each) => each.seq)) });
  await settled();
  server.become("waiting");
  server.events.push(event(3), event(4));
  server.become("ready");
  await settled();
  server.tell("politerm/event", event(5));
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(store.events("a")).toHaveLength(5);
  place.dispose();
  expect(store.events("a")).toEqual([]);
});

test("answered items wait for nobody", () => {
  const server = new FakeServer();
  const { store } = storeOf(server);
  const answered = { ...item("done", "2026-01-01"), answered: { by: "user" } };
  server.tell("politerm/attentionChanged", { items: [answered, item("open", "2026-01-02")] });
  expect(store.attention.map((each) => each.attentionId)).toEqual(["open"]);
});
