import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Envelope } from "../../protocol/generated";
import { emptyTimeline, reduce } from "../../webview/model/fold";
import type { Item, Timeline } from "../../webview/model/items";
import { worker } from "../../webview/model/now";
import { slim } from "../../webview/model/slim";
import { Story } from "./story";

const told = (story: Story): Timeline => reduce(emptyTimeline(story.runId), story.envelopes);

/** One line an item, without the details that only seekers of causes want. */
function outline(items: readonly Item[]): string[] {
  return items
    .filter((item) => item.type !== "notice" || item.level !== "detail")
    .map((item) => {
      switch (item.type) {
        case "round":
          return `round ${item.round}`;
        case "message":
          return `${item.from} ${item.kind}: ${item.body}`;
        case "reply":
          return `${item.role} says: ${item.text}`;
        case "notice":
          return `${item.level}: ${item.text}`;
        case "attention":
          return `${item.title}: ${item.answered?.choice ?? "?"}`;
        case "end":
          return `end: ${item.outcome}`;
        default:
          return item.type;
      }
    });
}

const twoRounds = (): Story =>
  new Story()
    .start("Fix it.")
    .prompt("PLANNER", "task")
    .after(10)
    .say("PLANNER", "plan", "Do this.", "Looking at it.")
    .turnEnded("PLANNER")
    .round(1)
    .prompt("EXECUTER")
    .after(20)
    .say("EXECUTER", "result", "Did it.")
    .used("EXECUTER", 1000, 100, 0.5)
    .turnEnded("EXECUTER")
    .prompt("PLANNER")
    .after(5)
    .say("PLANNER", "revision", "Not quite.")
    .turnEnded("PLANNER")
    .round(2)
    .prompt("EXECUTER")
    .after(7)
    .say("EXECUTER", "result", "Now it is.");

describe("a run as a conversation", () => {
  test("rounds begin with the planner's words that began them", () => {
    expect(outline(told(twoRounds()).items)).toEqual([
      "task",
      "round 1",
      "PLANNER says: Looking at it.",
      "PLANNER plan: Do this.",
      "EXECUTER result: Did it.",
      "round 2",
      "PLANNER revision: Not quite.",
      "EXECUTER result: Now it is.",
    ]);
  });

  test("a plan that waited for approval is in the round that it began", () => {
    const story = new Story()
      .start("Fix it.")
      .prompt("PLANNER", "task")
      .say("PLANNER", "plan", "Do this.")
      .turnEnded("PLANNER")
      .question({ kind: "plan", title: "Approve?", about: "m1" })
      .event({ type: "attentionAnswered", attentionId: "a1", choice: "approve", by: "user" })
      .event({ type: "planEdited", messageId: "m1", body: "<PLAN>\nDo that.\n</PLAN>" })
      .round(1);
    const { items } = told(story);
    expect(outline(items)).toEqual(["task", "round 1", "PLANNER plan: Do this.", "Approve?: approve"]);
    expect(items.find((item) => item.type === "message")).toMatchObject({ edited: "Do that.", round: 1 });
  });

  test("time, tokens and cost are a round's and a message's own", () => {
    const { items, run } = told(twoRounds().end("completed"));
    const rounds = items.filter((item) => item.type === "round");
    expect(rounds).toMatchObject([{ tokens: 1100, usd: 0.5 }, { tokens: 0 }]);
    expect(rounds[0]?.seconds).toBeCloseTo(25.8);
    const results = items.filter((item) => item.type === "message" && item.kind === "result");
    expect(results.map((item) => item.type === "message" && Math.round(item.seconds ?? -1))).toEqual([20, 7]);
    expect(run.usage).toEqual({
      tokensIn: 1000,
      tokensOut: 100,
      usd: 0.5,
      byRole: { EXECUTER: { tokensIn: 1000, tokensOut: 100, usd: 0.5 } },
    });
  });

  test("a message is on its way, then delivered, or nobody knows", () => {
    const story = new Story()
      .start("Fix it.")
      .prompt("PLANNER", "task")
      .say("PLANNER", "plan", "Do this.")
      .ask("EXECUTER");
    const delivery = () => told(story).items.find((item) => item.type === "message")?.delivery;
    expect(delivery()).toBe("sending");
    story.event({ type: "promptUncertain", promptId: "run-1.p2", to: "EXECUTER", reason: "redrawn" });
    expect(delivery()).toBe("uncertain");
    story.event({ type: "promptDelivered", promptId: "run-1.p2", to: "EXECUTER", source: "screen" });
    expect(delivery()).toBe("delivered");
    const fine = new Story()
      .start("Fix it.")
      .prompt("PLANNER", "task")
      .say("PLANNER", "plan", "Do this.")
      .prompt("EXECUTER");
    expect(told(fine).items.find((item) => item.type === "message")?.delivery).toBe("delivered");
  });

  test("who has a prompt works, until its turn ends", () => {
    const story = new Story().start("Fix it.").prompt("PLANNER", "task");
    expect(worker(told(story).run)?.[0]).toBe("PLANNER");
    story.say("PLANNER", "plan", "Do this.").turnEnded("PLANNER");
    expect(worker(told(story).run)).toBeUndefined();
  });

  test("questions are open until they are answered, or the run is over", () => {
    const story = new Story().start("Fix it.").question({ title: "May I?" }).question({ title: "And this?" });
    expect(told(story).open.map((item) => item.title)).toEqual(["May I?", "And this?"]);
    story.event({ type: "attentionAnswered", attentionId: "a1", choice: "yes", by: "pane" });
    expect(told(story).open.map((item) => item.title)).toEqual(["And this?"]);
    expect(told(story.end("stopped")).open).toEqual([]);
  });

  test("what went wrong is told in words", () => {
    const story = new Story()
      .start("Fix it.")
      .event({ type: "messageRefused", from: "EXECUTER", reason: "no key", excerpt: "[[POLI" })
      .event({ type: "nudged", role: "EXECUTER", count: 2, reason: "no answer" })
      .event({ type: "limitReached", limit: "usd", detail: "$20" })
      .event({ type: "recovered", what: "agent", role: "EXECUTER", contextLost: true, detail: "" })
      .event({ type: "runPaused", reason: "limit", by: "run" })
      .event({ type: "runResumed", reason: "" });
    expect(outline(told(story).items).slice(1)).toEqual([
      "warning: A message of Executer was refused: no key",
      "info: Executer was reminded to answer, time 2",
      "warning: Limit reached: cost",
      "warning: Recovered: Executer's agent was gone, and the run goes on; its conversation was lost",
      "warning: The run paused itself",
      "info: Resumed",
    ]);
    expect(told(story).run.state).toBe("running");
  });

  test("checks begin, and end in the same place", () => {
    const story = new Story()
      .start("Fix it.")
      .event({ type: "gateStarted", commands: ["make test", ["ruff", "check"]] });
    const gate = () => told(story).items.findLast((item) => item.type === "gate");
    expect(gate()?.passed).toBeUndefined();
    expect(gate()?.checks.map((check) => check.command)).toEqual(["make test", "ruff check"]);
    story.event({
      type: "gateFinished",
      passed: false,
      results: [{ command: "make test", exitCode: 2, seconds: 1.5, tail: "no" }, "nonsense", null],
    });
    expect(told(story).items.filter((item) => item.type === "gate")).toHaveLength(1);
    expect(gate()).toMatchObject({
      passed: false,
      checks: [{ exitCode: 2, tail: "no" }, { command: "" }, { command: "" }],
    });
  });

  test("an event of a newer server is shown by its name", () => {
    const { items } = told(new Story().start("Fix it.").event({ type: "moonLanded", crew: 3 }));
    expect(items.at(-1)).toMatchObject({ type: "notice", level: "detail", text: "moon landed" });
  });

  test("the end says how it ended, and does not repeat the planner's last words", () => {
    const story = new Story().start("Fix it.").prompt("PLANNER", "task").say("PLANNER", "complete", "All is well.");
    const end = told(story.end("completed", { summary: "<COMPLETE>\nAll is well.\n</COMPLETE>" })).items.at(-1);
    expect(end).toMatchObject({ type: "end", outcome: "completed" });
    expect(end?.type === "end" && end.summary).toBeUndefined();
  });
});

describe("events as they come", () => {
  const { envelopes } = twoRounds().end("completed");
  const whole = reduce(emptyTimeline("run-1"), envelopes);

  test("in any parts they make the same timeline", () => {
    for (const size of [1, 2, 3, 7, 1000]) {
      let timeline = emptyTimeline("run-1");
      for (let at = 0; at < envelopes.length; at += size) {
        timeline = reduce(timeline, envelopes.slice(at, at + size));
      }
      expect(timeline).toEqual(whole);
    }
  });

  test("twice is once, and nothing new is the same object", () => {
    expect(reduce(whole, envelopes)).toBe(whole);
    const half = reduce(emptyTimeline("run-1"), envelopes.slice(0, 12));
    expect(reduce(half, envelopes)).toEqual(whole);
  });

  test("a gap is said, what is behind it waits, and filling it is enough", () => {
    const until5 = reduce(emptyTimeline("run-1"), envelopes.slice(0, 5));
    const gapped = reduce(until5, envelopes.slice(8));
    expect(gapped).toMatchObject({ seq: 5, gap: true });
    expect(gapped.items).toBe(until5.items);
    expect(reduce(gapped, envelopes.slice(5))).toEqual(whole);
  });

  test("out of order within a part is put in order", () => {
    expect(reduce(emptyTimeline("run-1"), [...envelopes].reverse())).toEqual(whole);
  });

  test("another run's events are not for it", () => {
    expect(reduce(whole, new Story("run-2").start("Else.").envelopes)).toBe(whole);
  });

  test("a part that comes later leaves what was there as it was", () => {
    const early = reduce(emptyTimeline("run-1"), envelopes.slice(0, 10));
    const before = structuredClone(early);
    reduce(early, envelopes.slice(10));
    expect(early).toEqual(before);
  });

  test("what is left out on the way to a page changes nothing in it", () => {
    expect(reduce(emptyTimeline("run-1"), envelopes.map(slim))).toEqual(whole);
  });
});

test("the demonstration run, as a real server stored it", () => {
  const lines = readFileSync(new URL("../fixtures/demo.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n");
  const envelopes = lines.map((line) => JSON.parse(line) as Envelope);
  const timeline = reduce(emptyTimeline(envelopes[0]?.runId ?? ""), envelopes);
  expect(timeline).toMatchObject({ gap: false, seq: envelopes.length, run: { state: "ended", outcome: "completed" } });
  expect(outline(timeline.items).map((line) => line.split(":")[0])).toEqual([
    "task",
    "round 1",
    "PLANNER says",
    "PLANNER plan",
    "EXECUTER says",
    "EXECUTER result",
    "round 2",
    "PLANNER says",
    "PLANNER revision",
    "EXECUTER says",
    "EXECUTER result",
    "PLANNER says",
    "PLANNER complete",
    "end",
  ]);
  const known = timeline.items.filter((item) => item.type === "notice" && item.icon === "circle-small");
  expect(known, "every event of this server has words of its own").toEqual([]);
  expect(timeline.items.some((item) => item.type === "message" && /<\/?[A-Z]+>/.test(item.body))).toBe(false);
});
