/** What the test agents say to each other: short for most tests, and one conversation worth a picture. */
import type { AgentHabits } from "./house";

type Said = { type: string; body: string; to?: string } | string;
type Turns = readonly (readonly Said[])[];

/** Two agents that count two steps. `hold` names a file that stops them while it is there. */
export function counting(options: Record<string, unknown> = {}): Record<string, AgentHabits> {
  return {
    p: { kind: "raw", role: "planner", ...options },
    e: { kind: "raw", role: "executer", ...options },
  };
}

/** Two agents with a part to play. */
export function playing(planner: Turns, executer: Turns, options: Record<string, unknown> = {}) {
  return {
    p: { kind: "raw", role: "planner", scenario: planner, ...options },
    e: { kind: "raw", role: "executer", scenario: executer, ...options },
  };
}

export const TASK = "Add a --json flag to the list command, with a test";

const PLAN = `## Plan

1. In \`notes/cli.py\`, give \`list\` a \`--json\` option next to \`--all\`.
2. Print one object per note: \`id\`, \`title\`, \`tags\` and \`created\` (ISO 8601).
3. Add \`tests/test_list_json.py\`: an empty list prints \`[]\`, tags stay a list, dates survive a round trip.

Leave the table output exactly as it is. Run the whole test suite before you report.`;

const RESULT = `\`list --json\` is in place, and **one test fails**.

\`\`\`python
@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per note.")
def list_notes(as_json: bool) -> None:
    notes = store.all()
    if as_json:
        click.echo(json.dumps([note.as_dict() for note in notes]))
\`\`\`

| test | result |
| --- | --- |
| \`test_empty\` | passed |
| \`test_tags_stay_a_list\` | passed |
| \`test_dates\` | **failed**: \`datetime\` is not JSON serializable |`;

const REVISION = `Do not serialise \`created\` in the command: let \`Note.as_dict()\` return \`created.isoformat()\`, so that the export command gains it too.

Then run \`pytest -q\` again and show me its last line.`;

const FIXED = `\`Note.as_dict()\` now writes \`created\` with \`isoformat()\`.

\`\`\`diff
-            "created": self.created,
+            "created": self.created.isoformat(),
\`\`\`

\`\`\`
$ pytest -q
41 passed in 0.62s
\`\`\``;

const DONE = `\`notes list --json\` prints one object per note. Dates are ISO 8601, the table output is unchanged, and all 41 tests pass.`;

/** A task, a plan, a failing test, a revision, an end. */
export const PLANNER_PART: Turns = [
  ["I have read the command and its tests. This is a small change with one trap: dates.", { type: "plan", body: PLAN }],
  ["The trap, as expected: one test fails on a date.", { type: "revision", body: REVISION }],
  ["Every test passes, and the output is what was asked for.", { type: "complete", to: "USER", body: DONE }],
];
export const EXECUTER_PART: Turns = [
  ["Two files changed, one test is red.", { type: "result", body: RESULT }],
  ["The whole suite is green now.", { type: "result", body: FIXED }],
];

/** The conversation, with agents that have names as people give them. */
export function conversation(options: { planner?: object; executer?: object } = {}): Record<string, AgentHabits> {
  const { p, e } = playing(PLANNER_PART, EXECUTER_PART);
  return { architect: { ...p, ...options.planner }, coder: { ...e, ...options.executer } };
}
export const CAST = { planner: "architect", executer: "coder" };
