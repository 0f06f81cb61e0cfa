/**
 * Events that the contract names and that not every server sends: gates, checkpoints, memory, the supervisor.
 *
 * Their fields are read one by one and none is relied upon, so that a server that says more, or less, is still shown.
 */
import { type Draft, type Moment, notice, placed, replaceLast, setRun } from "./draft";
import type { Check } from "./items";
import { firstLine, plural } from "./text";

type Fields = Readonly<Record<string, unknown>>;
type Change = (draft: Draft, event: Fields, moment: Moment) => void;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const fields = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});

/** A shell line as it is, an argument list as one would type it. */
const line = (command: unknown): string => (Array.isArray(command) ? command.map(String).join(" ") : text(command));

export const LATER: Readonly<Record<string, Change>> = {
  gateStarted: (draft, event, moment) => {
    const checks = list(event.commands).map((command): Check => ({ command: line(command), tail: "" }));
    draft.items.push({ ...placed(moment), type: "gate", checks });
  },
  gateFinished: (draft, event, moment) => {
    const checks = list(event.results).map((result): Check => {
      const each = fields(result);
      return {
        command: line(each.command),
        exitCode: number(each.exitCode),
        seconds: number(each.seconds),
        tail: text(each.tail),
      };
    });
    const passed = event.passed === true;
    const running = replaceLast(
      draft,
      "gate",
      (item) => item.passed === undefined,
      (item) => ({ ...item, passed, checks }),
    );
    if (!running) {
      draft.items.push({ ...placed(moment), type: "gate", passed, checks });
    }
  },
  checkpointRequested: (draft, _event, moment) =>
    notice(draft, moment, { level: "detail", icon: "save", text: "Taking a checkpoint" }),
  checkpointTaken: (draft, event, moment) => {
    setRun(draft, { comparable: true });
    const stats = { ...fields(event.stats), ...event };
    const [files, insertions, deletions] = [number(stats.files), number(stats.insertions), number(stats.deletions)];
    if (files === undefined && insertions === undefined && deletions === undefined) {
      notice(draft, moment, { level: "detail", icon: "save", text: "Checkpoint taken" });
    } else {
      const round = number(event.round) ?? moment.round;
      draft.items.push({ ...placed(moment), round, type: "changes", files, insertions, deletions });
    }
  },
  restoreRequested: (draft, event, moment) =>
    notice(draft, moment, { level: "info", icon: "discard", text: `Restoring ${whichRound(event)}` }),
  checkpointRestored: (draft, event, moment) => {
    const rescue = text(event.rescue);
    const detail = rescue === "" ? undefined : `What was there before is kept as ${rescue}`;
    notice(draft, moment, { level: "warning", icon: "discard", text: `Restored ${whichRound(event)}`, detail });
  },
  llmRequested: (draft, _event, moment) =>
    notice(draft, moment, { level: "detail", icon: "comment-discussion", text: "The supervisor is asked" }),
  llmReplied: (draft, event, moment) =>
    notice(draft, moment, {
      level: "detail",
      icon: "comment-discussion",
      text: "The supervisor answered",
      detail: text(event.text),
    }),
  memorySaved: (draft, event, moment) => {
    const facts = list(event.facts).map(text);
    const fact = text(event.text) || text(event.fact) || facts.join("\n");
    const what = facts.length > 1 ? plural(facts.length, "fact") : firstLine(fact);
    notice(draft, moment, { level: "info", icon: "bookmark", text: `Remembered: ${what}`, detail: fact });
  },
};

function whichRound(event: Fields): string {
  const round = number(event.round);
  return round === undefined ? "an earlier state" : `the state before round ${round}`;
}
