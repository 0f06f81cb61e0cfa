import { expect, it } from "vitest";
import { lastLine, paneTitle } from "../../panes/title";
import { role, run } from "../views/samples";

it.each([
  ["at work", paneTitle("PLANNER", run(), "live", false), "Planner · working"],
  ["before its run is known", paneTitle("PLANNER", undefined, "waiting", false), "Planner · waiting"],
  ["of a role that is not there yet", paneTitle("AGENT", run(), "opening", false), "Agent"],
  [
    "that asks",
    paneTitle("PLANNER", run({ roles: { PLANNER: role({ state: "blocked" }) } }), "live", false),
    "Planner · waits for an answer",
  ],
  ["taken over", paneTitle("EXECUTER", run(), "live", true), "Executer · you type here"],
  ["whose server is gone", paneTitle("EXECUTER", run(), "waiting", false), "Executer · reconnecting"],
  ["of a run that has ended", paneTitle("EXECUTER", run({ state: "ended" }), "closed", false), "Executer · run ended"],
])("the title of a pane %s", (_, title, said) => {
  expect(title).toBe(said);
});

it("the last line says how the run ended", () => {
  expect(lastLine(run({ state: "ended", outcome: "limit" }))).toContain("a limit was reached");
  expect(lastLine(run({ state: "ended", outcome: "completed" }))).toContain("completed");
});
