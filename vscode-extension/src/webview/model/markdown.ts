/** An item, or all that is shown, as Markdown for the clipboard. Pure. */
import type { AttentionItem, EndItem, GateItem, Item, MessageItem } from "./items";
import { duration, plural, roleName, used } from "./text";

export function asMarkdown(item: Item): string {
  switch (item.type) {
    case "task":
      return `## Task\n\n${item.text}`;
    case "round":
      return `## Round ${item.round}`;
    case "message":
      return message(item);
    case "reply":
      return `> ${roleName(item.role)}: ${item.text.split("\n").join("\n> ")}`;
    case "attention":
      return attention(item);
    case "notice":
      return item.detail ? `- ${item.text}\n\n${fenced(item.detail)}` : `- ${item.text}`;
    case "gate":
      return gate(item);
    case "changes":
      return `- ${changed(item)}`;
    case "end":
      return end(item);
  }
}

export function allAsMarkdown(items: readonly Item[]): string {
  return `${items.map(asMarkdown).join("\n\n")}\n`;
}

/** "3 files changed, +12 −4" */
export function changed(item: { files?: number; insertions?: number; deletions?: number }): string {
  const lines = [
    item.insertions === undefined ? "" : `+${item.insertions}`,
    item.deletions === undefined ? "" : `−${item.deletions}`,
  ];
  const files = item.files === undefined ? "Files changed" : `${plural(item.files, "file")} changed`;
  return [files, lines.filter((part) => part !== "").join(" ")].filter((part) => part !== "").join(", ");
}

/** A fence that is longer than any in the text. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map((match) => match[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function message(item: MessageItem): string {
  const head = `### ${roleName(item.from)} → ${roleName(item.to)}: ${item.kind}`;
  return item.edited === undefined ? `${head}\n\n${item.body}` : `${head} (edited)\n\n${item.edited}`;
}

function attention(item: AttentionItem): string {
  const chosen = item.choices.find((choice) => choice.id === item.answered?.choice)?.label ?? item.answered?.choice;
  const answer = [chosen, item.answered?.text].filter((part) => part !== undefined && part !== "").join(": ");
  return [`### ${item.title}`, item.text, answer === "" ? "" : `Answered: ${answer}`]
    .filter((part) => part !== "")
    .join("\n\n");
}

function gate(item: GateItem): string {
  const state = item.passed === undefined ? "running" : item.passed ? "passed" : "failed";
  const checks = item.checks.map((check) => {
    const how = check.exitCode === undefined ? "" : ` → ${check.exitCode}`;
    return `${fenced(`$ ${check.command}${how}\n${check.tail}`.trimEnd(), "console")}`;
  });
  return [`### Gate ${state}`, ...checks].join("\n\n");
}

function end(item: EndItem): string {
  const facts = [plural(item.rounds, "round"), duration(item.seconds), used(item.usage)];
  const head = `## ${item.outcome}: ${facts.filter((part) => part !== "").join(" · ")}`;
  return [head, item.reason ?? "", item.summary ?? ""].filter((part) => part !== "").join("\n\n");
}
