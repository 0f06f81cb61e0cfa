import { expect, it } from "vitest";
import type { ServerState } from "../../protocol/api";
import type { RunView, Status } from "../../protocol/generated";
import { statusBar } from "../../views/statusText";
import { run, START } from "./samples";

const READY: ServerState = { phase: "ready" };
const bar = (live: readonly RunView[], waiting = 0, server = READY, status?: Status) =>
  statusBar({ server, status, live, waiting, now: START + 185_000 });

it.each([
  ["no run", bar([]), "$(comment-discussion) PoliTerm", "runs", "plain"],
  ["a run", bar([run()]), "$(loading~spin) PoliTerm: round 2 · 3:05", "timeline", "plain"],
  [
    "a starting run",
    bar([run({ state: "starting", round: 0 })]),
    "$(loading~spin) PoliTerm: starting · 3:05",
    "timeline",
    "plain",
  ],
  [
    "a paused run",
    bar([run({ state: "paused" })]),
    "$(debug-pause) PoliTerm: round 2 · paused · 3:05",
    "timeline",
    "plain",
  ],
  [
    "several",
    bar([run({ runId: "b", state: "queued" }), run()]),
    "$(loading~spin) PoliTerm: round 2 · 3:05 +1",
    "timeline",
    "plain",
  ],
  [
    "a question",
    bar([run({ attention: 2 })], 2),
    "$(loading~spin) PoliTerm: round 2 · 3:05 $(bell-dot) 2",
    "needsYou",
    "warning",
  ],
  ["a question without a run", bar([], 1), "$(comment-discussion) PoliTerm $(bell-dot) 1", "needsYou", "warning"],
  ["Restricted Mode", bar([], 0, { phase: "restricted" }), "$(workspace-untrusted) PoliTerm", "trust", "plain"],
  ["the first start", bar([], 0, { phase: "installing" }), "$(loading~spin) PoliTerm", "logs", "plain"],
  ["a lost server", bar([run()], 1, { phase: "waiting" }), "$(sync~spin) PoliTerm: reconnecting", "logs", "warning"],
  ["no server", bar([run()], 0, { phase: "failed", message: "No Python." }), "$(error) PoliTerm", "logs", "error"],
])("the status bar item of %s", (_, shown, text, opens, tone) => {
  expect([shown.text, shown.opens, shown.tone]).toEqual([text, opens, tone]);
});

it("a server that is not well says why", () => {
  const error: Status = { health: "error", message: "tmux is missing.", holder: true, readOnly: false };
  expect(bar([], 0, READY, error).hover).toContainEqual({ kind: "words", text: "tmux is missing." });
  expect(bar([], 0, READY, { ...error, health: "warning" }).tone).toBe("warning");
});

it("the hover stays the same from second to second", () => {
  const at = (seconds: number) =>
    statusBar({ server: READY, status: undefined, live: [run()], waiting: 0, now: START + seconds * 1000 });
  expect(at(5).hover).toEqual(at(6).hover);
  expect(at(5).spoken).toBe(at(6).spoken);
  expect(at(5).text).not.toBe(at(6).text);
});
