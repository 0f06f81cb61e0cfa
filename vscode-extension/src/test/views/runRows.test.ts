import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../protocol/generated";
import { Outline } from "../../views/outline";
import { progressText, runRows, runStanding } from "../../views/runRows";
import { changesBetween, type Row } from "../../views/tree";
import { message, role, run, START, told } from "./samples";

const later = (seconds: number) => START + seconds * 1000;

function find(rows: readonly Row[], id: string): Row | undefined {
  return rows.map((row) => (row.id === id ? row : find(row.children ?? [], id))).find((row) => row !== undefined);
}

function outlined(events: readonly RunEvent[]): Map<string, Outline> {
  const outline = new Outline();
  outline.add(told(events));
  return new Map([["run-one", outline]]);
}

const DIALOGUE: RunEvent[] = [
  message("PLANNER", "plan", "<PLAN>\nFirst this.\n</PLAN>", "m1"),
  { type: "roundStarted", round: 1 },
  message("EXECUTER", "result", "Done.", "m2"),
  message("PLANNER", "revision", "Not quite.", "m3"),
  { type: "roundStarted", round: 2 },
  message("EXECUTER", "result", "Now it is.", "m4"),
  message("PLANNER", "complete", "All is well.", "m5"),
];

describe("where a run stands", () => {
  it.each([
    ["under way", run(), 190, "round 2 of 20 · 3 min"],
    ["without a limit", run({ maxRounds: 0 }), 10, "round 2 · under a minute"],
    ["before its first round", run({ state: "starting", round: 0 }), 5, "starting · under a minute"],
    ["with a question", run({ attention: 1 }), 60, "needs you · round 2 of 20 · 1 min"],
    ["paused", run({ state: "paused" }), 7500, "paused · round 2 of 20 · 2 h 5 min"],
    [
      "ended",
      run({ state: "ended", outcome: "completed", endedAt: new Date(START).toISOString() }),
      7200,
      "completed · 2 rounds · 2 h ago",
    ],
    [
      "stopped by a limit",
      run({ state: "ended", outcome: "limit", round: 1, endedAt: new Date(START).toISOString() }),
      90_000,
      "limit reached · 1 round · yesterday",
    ],
  ])("%s", (_, view, seconds, said) => {
    expect(runStanding(view, later(seconds))).toBe(said);
  });
});

describe("the rows of a run", () => {
  it("are its roles, then its rounds with their messages", () => {
    const [row] = runRows({ runs: [run()], outlines: outlined(DIALOGUE), now: later(0) });
    expect(row?.label).toBe("Fix the tests");
    expect(row?.children?.map(({ label }) => label)).toEqual(["Planner", "Executer", "Round 1", "Round 2"]);
    const said = row?.children?.slice(2).map(({ children }) => children?.map((each) => each.label));
    expect(said).toEqual([
      ["Planner: plan", "Executer: result"],
      ["Planner: revision", "Executer: result", "Planner: complete"],
    ]);
  });

  it("say of a role since when it is what it is, and why", () => {
    const [row] = runRows({ runs: [run()], now: later(75) });
    const planner = row?.children?.[0];
    expect(planner?.description).toBe("working · 1 min · claude");
    expect(planner?.spoken).toBe("Planner, claude, working, since 1 minute");
    expect(planner?.hover?.()).toEqual([
      { kind: "title", text: "Planner (claude): working since 1:15" },
      { kind: "fact", label: "Seen in", text: "transcript" },
      { kind: "fact", label: "Rule", text: "turn open" },
      { kind: "code", text: "assistant is writing" },
      { kind: "fact", label: "Pane", text: "%1" },
    ]);
  });

  it("show a plan that was edited as it went to the executer", () => {
    const events: RunEvent[] = [...DIALOGUE, { type: "planEdited", messageId: "m1", body: "First that." }];
    const rows = runRows({ runs: [run()], outlines: outlined(events), now: later(0) });
    expect(find(rows, "run-one/1")).toMatchObject({
      label: "Planner: plan (edited)",
      description: "First that.",
      context: "message.edited",
      seq: 1,
    });
  });

  it("offer no pane when the run has ended", () => {
    const ended = run({ state: "ended", outcome: "failed", endedAt: new Date(START).toISOString() });
    const [row] = runRows({ runs: [ended], now: later(100) });
    expect(row?.context).toBe("run.ended");
    expect(row?.children?.map(({ context, command }) => [context, command])).toEqual([
      ["role.ended", undefined],
      ["role.ended", undefined],
    ]);
  });

  it("stand open where the reader wants them", () => {
    const runs = [run(), run({ runId: "run-two" })];
    expect(runRows({ runs, open: new Set(["run-two"]), now: later(0) }).map(({ open }) => open)).toEqual([
      "collapsed",
      "expanded",
    ]);
  });

  it("end with a way to older runs where there are some", () => {
    expect(runRows({ runs: [run()], now: later(0), older: true }).map(({ id }) => id)).toEqual(["run-one", "older"]);
  });
});

describe("a tick of the clock", () => {
  it("draws the roles again and nothing else", () => {
    const outlines = outlined(DIALOGUE);
    const rows = (seconds: number) => runRows({ runs: [run()], outlines, now: later(seconds) });
    expect(changesBetween(rows(19), rows(20))).toEqual(["run-one/PLANNER", "run-one/EXECUTER"]);
    expect(changesBetween(rows(20), rows(21))).toEqual([]);
    expect(rows(20)[0]?.children?.[2]).toBe(rows(21)[0]?.children?.[2]);
  });

  it("draws nothing when nothing looks different", () => {
    const outlines = outlined(DIALOGUE);
    const ended = run({ state: "ended", outcome: "completed", endedAt: new Date(START).toISOString() });
    expect(
      changesBetween(
        runRows({ runs: [ended], outlines, now: later(1) }),
        runRows({ runs: [ended], outlines, now: later(2) }),
      ),
    ).toEqual([]);
  });

  it("draws the run again for a new round, and a round for a new message", () => {
    const before = runRows({ runs: [run()], outlines: outlined(DIALOGUE.slice(0, 3)), now: later(0) });
    const after = runRows({ runs: [run()], outlines: outlined(DIALOGUE.slice(0, 4)), now: later(0) });
    expect(changesBetween(before, after)).toEqual(["run-one"]);
    const third = runRows({
      runs: [run()],
      outlines: outlined([...DIALOGUE, message("USER", "note", "Thanks.")]),
      now: later(0),
    });
    const second = runRows({ runs: [run()], outlines: outlined(DIALOGUE), now: later(0) });
    expect(changesBetween(second, third)).toEqual(["run-one/round/2"]);
  });

  it("draws all again when a run is new", () => {
    const one = runRows({ runs: [run()], now: later(0) });
    const two = runRows({ runs: [run({ runId: "run-two" }), run()], now: later(0) });
    expect(changesBetween(one, two)).toBe("all");
  });
});

it("a run's progress names who is busy", () => {
  expect(progressText(run())).toBe("round 2 of 20, Planner working");
  expect(progressText(run({ round: 0, state: "starting", roles: { PLANNER: role({ state: "starting" }) } }))).toBe(
    "Planner starting",
  );
});
