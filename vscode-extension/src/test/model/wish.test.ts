import { expect, test } from "vitest";
import { namedIn, standingOf } from "../../model/named";
import { fixTask, newRunId, offersFor, plainExcerpt, taskIn } from "../../model/wish";
import type { AgentView, RunView } from "../../protocol/generated";

test("a run is named by its id, by a link's argument, by a tree's row, and by nothing else", () => {
  expect(namedIn("run-1")).toEqual({ runId: "run-1" });
  expect(namedIn({ runId: "run-1", role: "PLANNER" })).toEqual({ runId: "run-1", role: "PLANNER" });
  expect(namedIn({ view: { runId: "run-1" } })).toEqual({ runId: "run-1" });
  for (const other of [undefined, null, "", 7, {}, { path: "/a/file" }, []]) {
    expect(namedIn(other)).toBeUndefined();
  }
});

test("where a run stands", () => {
  const view = { state: "running", round: 2, attention: 1 } as RunView;
  expect(standingOf(view)).toBe("running, round 2, needs you");
  expect(standingOf({ ...view, state: "ended", outcome: "completed" })).toBe("completed");
});

test("an id sorts by time and is what the server accepts", () => {
  const id = newRunId(new Date("2026-11-21T06:12:04.555Z"), "4f3a");
  expect(id).toBe("261121-061204-4f3a");
  expect(id).toMatch(/^[a-z0-9-]{8,40}$/);
});

test("a problem becomes a task with its place, its words and its code", () => {
  const one = { message: "x is not defined\n", line: 4, source: "eslint", code: "no-undef" };
  expect(fixTask("src/a b.ts", [one])).toBe(
    "Fix src/a b.ts:5: x is not defined (eslint no-undef)\n\nCheck afterwards that nothing of it is left.",
  );
  const two = fixTask("a.py", [one, { message: "unused", line: 0 }]);
  expect(two).toMatch(/^Fix these 2 problems in a\.py:\n/);
  expect(two).toContain("\na.py:1: unused\n");
});

test("the likely agent comes first, the demonstration's after real ones, what is not installed last with the reason", () => {
  const agent = (name: string, available = true): AgentView => ({
    name,
    command: [name],
    available,
    source: "built-in",
    version: "1.0",
  });
  const agents = ["demo-executer", "demo-planner", "zeta", "alpha"].map((name) => agent(name));
  const demo = { own: "demo-planner", other: "demo-executer" };
  const offers = offersFor([agent("claude", false), ...agents], demo, "zeta");
  expect(offers.map((each) => each.agent.name)).toEqual(["zeta", "alpha", "demo-planner", "claude"]);
  expect(offers.map((each) => each.detail)).toEqual([
    "1.0",
    "1.0",
    "the demonstration's own, no agent at all",
    "not installed: there is no program claude",
  ]);
  expect(offersFor(agents, demo, "demo-planner")[0]?.agent.name).toBe("demo-planner");
});

test("what is found in a message is shown without the message's marks", () => {
  expect(plainExcerpt('…, "id": "plan-1", "key": "pkvz"}]]\n<PLAN>\n1. Write `slugify.py`')).toBe(
    "… 1. Write `slugify.py`",
  );
  expect(plainExcerpt('[[POLI:MSG {"to":"EXECUTER"}]] <RESULT> done </RESULT> [[/POLI:MSG]]')).toBe("done");
  expect(plainExcerpt("a list [1, 2] and <b>bold</b>")).toBe("a list [1, 2] and <b>bold</b>");
});

test("a task document's explanation is no part of the task", () => {
  expect(taskIn("<!-- Write\nbelow -->\n\nDo this.\n\n- and that\n")).toBe("Do this.\n\n- and that");
  expect(taskIn("<!-- only this -->\n")).toBe("");
});
