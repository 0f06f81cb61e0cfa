import { expect, test } from "vitest";
import { Log } from "../../model/log";
import type { Envelope, EventPage } from "../../protocol/generated";

/** A run of the server: its events so far, pages that are answered when the test says so. */
class FakeRun {
  private readonly stored: Envelope[] = [];
  private readonly waiting: (() => void)[] = [];
  held = false;
  asked = 0;

  grow(count: number): Envelope[] {
    const fresh = Array.from({ length: count }, (_, index) => envelope(this.stored.length + index + 1));
    this.stored.push(...fresh);
    return fresh;
  }

  page = async (after: number, limit: number): Promise<EventPage> => {
    this.asked += 1;
    const answer = { events: this.stored.slice(after, after + limit), last: this.stored.length };
    if (this.held) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    return answer;
  };

  letGo(): void {
    this.held = false;
    for (const resolve of this.waiting.splice(0)) {
      resolve();
    }
  }
}

function envelope(seq: number): Envelope {
  return { runId: "run-1", seq, at: "2026-01-01T00:00:00Z", clock: 0, event: { type: "roundStarted", round: seq } };
}

function reader(log: Log, after = 0) {
  const seen: number[] = [];
  let settled = 0;
  const failures: unknown[] = [];
  const place = log.add(
    {
      events: (batch) => seen.push(...batch.map((each) => each.seq)),
      settled: () => {
        settled += 1;
      },
      failed: (error) => failures.push(error),
    },
    after,
  );
  return { seen, failures, place, settled: () => settled };
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test("history first, then what is told, each event once", async () => {
  const run = new FakeRun();
  run.grow(5);
  const log = new Log(run.page);
  const one = reader(log);
  await log.load();
  const [sixth] = run.grow(1);
  log.told(sixth as Envelope);
  log.told(sixth as Envelope);
  expect(one.seen).toEqual(upTo(6));
  expect(one.settled()).toBe(1);
});

test("a history of several pages comes whole and in order", async () => {
  const run = new FakeRun();
  run.grow(4500);
  const log = new Log(run.page);
  const one = reader(log);
  await log.load();
  expect(one.seen).toEqual(upTo(4500));
});

test("what is told while history is on its way is not lost", async () => {
  const run = new FakeRun();
  run.grow(3);
  run.held = true;
  const log = new Log(run.page);
  const one = reader(log);
  for (const fresh of run.grow(2)) {
    log.told(fresh);
  }
  run.letGo();
  await log.load();
  expect(one.seen).toEqual(upTo(5));
});

test("a gap is filled by asking", async () => {
  const run = new FakeRun();
  run.grow(2);
  const log = new Log(run.page);
  const one = reader(log);
  await log.load();
  const fresh = run.grow(4);
  log.told(fresh.at(-1) as Envelope);
  await log.load();
  expect(one.seen).toEqual(upTo(6));
});

test("a reader that comes later gets all, one that knows a part gets the rest", async () => {
  const run = new FakeRun();
  run.grow(4);
  const log = new Log(run.page);
  reader(log);
  await log.load();
  const asked = run.asked;
  const late = reader(log);
  const knows = reader(log, 3);
  expect(late.seen).toEqual(upTo(4));
  expect(knows.seen).toEqual([4]);
  expect(late.settled()).toBe(1);
  expect(run.asked).toBe(asked);
});

test("a reader that has left is told nothing more", async () => {
  const run = new FakeRun();
  run.grow(1);
  const log = new Log(run.page);
  const one = reader(log);
  await log.load();
  one.place.dispose();
  log.told(run.grow(1)[0] as Envelope);
  expect(one.seen).toEqual([1]);
  expect(log.idle).toBe(true);
});

test("a question that fails is told, and asking again mends it", async () => {
  const run = new FakeRun();
  run.grow(3);
  let broken = true;
  const log = new Log((after, limit) => (broken ? Promise.reject(new Error("gone")) : run.page(after, limit)));
  const one = reader(log);
  await log.load();
  expect(one.failures).toHaveLength(1);
  broken = false;
  await log.load();
  expect(one.seen).toEqual(upTo(3));
});
