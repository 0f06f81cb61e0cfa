/** The rows of *Needs you*: each item with its words, every choice as a row of its own, and a place for own words. */
import type { Attention, Choice, RunView } from "../protocol/generated";
import type { Icon, Row } from "./tree";
import * as words from "./words";

/** Lines of an item's text that the list shows; the hover has all of it. */
const LINES = 6;

const KINDS: Record<Attention["kind"], Icon> = {
  permission: { name: "shield", colour: "list.warningForeground" },
  trust: { name: "workspace-trusted", colour: "list.warningForeground" },
  plan: { name: "list-ordered", colour: "charts.blue" },
  question: { name: "question", colour: "charts.blue" },
  uncertain: { name: "warning", colour: "list.warningForeground" },
  budget: { name: "credit-card", colour: "list.warningForeground" },
  login: { name: "key", colour: "list.warningForeground" },
  update: { name: "cloud-download", colour: "charts.blue" },
};

export function needsYouRows(items: readonly Attention[], runs: readonly RunView[], now: number): Row[] {
  const tasks = new Map(runs.map((view) => [view.runId, view.task]));
  return items.map((item) => itemRow(item, item.runId === undefined ? undefined : tasks.get(item.runId), now));
}

function itemRow(item: Attention, task: string | undefined, now: number): Row {
  const title = words.withNames(item.title);
  const waited = words.secondsBetween(item.raisedAt, now);
  const about = [task === undefined ? "" : words.oneLine(task, 40), waited < 60 ? "" : words.rough(waited)];
  const spokenTask = task === undefined ? "" : `, run ${words.oneLine(task, 40)}`;
  return {
    id: item.attentionId,
    label: words.oneLine(title, 100),
    description: about.filter((part) => part !== "").join(" · "),
    icon: KINDS[item.kind] ?? { name: "bell" },
    hover: () => [
      { kind: "title", text: title },
      ...(item.text === "" ? [] : [{ kind: "code" as const, text: words.withoutTags(item.text).slice(0, 3000) }]),
    ],
    spoken: `${title}${spokenTask}, ${words.plural(item.choices.length, "choice")}`,
    context: `attention.${item.kind}${item.role === undefined || item.runId === undefined ? "" : ".pane"}`,
    open: "expanded",
    // A plan opens as a document by itself; its lines here would only push the choices out of sight.
    children: [...(item.kind === "plan" ? [] : textRows(item)), ...actionRows(item)],
    attentionId: item.attentionId,
    ...(item.runId === undefined ? {} : { runId: item.runId }),
    ...(item.role === undefined ? {} : { role: item.role }),
  };
}

function textRows(item: Attention): Row[] {
  const lines = words
    .withoutTags(item.text)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== "");
  const shown = lines.slice(0, lines.length > LINES ? LINES - 1 : LINES);
  const rows = shown.map((line, index) => textRow(item, index, "", line));
  if (shown.length < lines.length) {
    rows.push(textRow(item, shown.length, `${words.plural(lines.length - shown.length, "more line")}…`, ""));
  }
  return rows;
}

function textRow(item: Attention, index: number, label: string, description: string): Row {
  return {
    id: `${item.attentionId}/text/${index}`,
    label,
    description,
    spoken: label === "" ? description : label,
    hover: () => [{ kind: "code", text: words.withoutTags(item.text).slice(0, 3000) }],
    context: "attention.text",
    attentionId: item.attentionId,
  };
}

function actionRows(item: Attention): Row[] {
  const rows: Row[] = [];
  if (item.kind === "plan") {
    rows.push({
      id: `${item.attentionId}/open`,
      label: "Open and edit the plan",
      icon: { name: "go-to-file", colour: "charts.blue" },
      context: "attention.open",
      command: { command: "politerm.openPlan", title: "Open Plan", arguments: [{ attentionId: item.attentionId }] },
      attentionId: item.attentionId,
    });
  }
  rows.push(...item.choices.map((choice) => choiceRow(item, choice)));
  // A plan's own words are the note of "send back", which asks for them.
  if (item.freeText && item.kind !== "plan") {
    rows.push({
      id: `${item.attentionId}/words`,
      label: item.choices.length > 0 ? "Answer in your own words…" : "Answer…",
      icon: { name: "comment" },
      context: "attention.words",
      command: {
        command: "politerm.answerInWords",
        title: "Answer in Your Own Words",
        arguments: [{ attentionId: item.attentionId }],
      },
      attentionId: item.attentionId,
    });
  }
  return rows;
}

function choiceRow(item: Attention, choice: Choice): Row {
  const danger = choice.danger === true;
  const label = words.capital(choice.label);
  return {
    id: `${item.attentionId}/choice/${choice.id}`,
    label,
    icon: choiceIcon(choice),
    spoken: danger ? `${label}, careful` : label,
    ...(danger ? { description: "careful" } : {}),
    context: danger ? "attention.choice.danger" : "attention.choice",
    command: {
      command: "politerm.answerAttention",
      title: label,
      arguments: [{ attentionId: item.attentionId, choice: choice.id }],
    },
    attentionId: item.attentionId,
  };
}

const NO = /^(?:no|deny|reject|refuse|cancel|decline|sendback)\b/i;

export function choiceIcon(choice: Choice): Icon {
  if (choice.danger === true) {
    return { name: "warning", colour: "list.errorForeground" };
  }
  return NO.test(choice.id) || NO.test(choice.label)
    ? { name: "close", colour: "testing.iconFailed" }
    : { name: "check", colour: "testing.iconPassed" };
}
