/** Views and events as the server sends them, with only what a test is about spelled out. */
import type { Attention, Envelope, RoleView, RunEvent, RunView } from "../../protocol/generated";

export const START = Date.parse("2026-01-01T10:00:00Z");

/** A stamp so many seconds after the start. */
export function at(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

export function role(about: Partial<RoleView> = {}): RoleView {
  return {
    agent: "claude",
    state: "working",
    since: at(0),
    pane: "%1",
    why: { source: "transcript", rule: "turn open", evidence: "assistant is writing" },
    ...about,
  };
}

export function run(about: Partial<RunView> = {}): RunView {
  return {
    runId: "run-one",
    mode: "dual",
    order: "dual",
    task: "# Fix the tests\n\nAll of them.",
    state: "running",
    round: 2,
    maxRounds: 20,
    startedAt: at(0),
    cwd: "/home/me/project",
    roles: { PLANNER: role(), EXECUTER: role({ state: "ready", pane: "%2" }) },
    attention: 0,
    usage: { tokensIn: 0, tokensOut: 0, byRole: {} },
    lastSeq: 10,
    ...about,
  };
}

export function item(about: Partial<Attention> = {}): Attention {
  return {
    attentionId: "run-one.a1",
    runId: "run-one",
    role: "EXECUTER",
    kind: "permission",
    title: "The EXECUTER asks: run the tests?",
    text: "Bash(npm test)",
    choices: [
      { id: "allow", label: "Yes" },
      { id: "always", label: "Yes, and don't ask again", danger: true },
      { id: "deny", label: "No" },
    ],
    freeText: false,
    raisedAt: at(0),
    ...about,
  };
}

/** Events in order, numbered from `first`. */
export function told(events: readonly RunEvent[], first = 1): Envelope[] {
  return events.map((event, index) => ({ runId: "run-one", seq: first + index, at: at(index), clock: index, event }));
}

export function message(from: "PLANNER" | "EXECUTER" | "USER", kind: string, body: string, id = body): RunEvent {
  return {
    type: "messageReceived",
    messageId: id,
    from,
    to: from === "PLANNER" ? "EXECUTER" : "PLANNER",
    kind: kind as "plan",
    body,
    source: "screen",
    round: 0,
    index: 0,
    header: {},
  };
}
