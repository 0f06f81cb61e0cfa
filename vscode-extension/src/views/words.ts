/** Words that several views say in the same way: names, times, money. Pure text. */
import type { AgentState, Role, RunView, Usage } from "../protocol/generated";

const NAMES: Record<Role, string> = {
  PLANNER: "Planner",
  EXECUTER: "Executer",
  AGENT: "Agent",
  USER: "You",
  ORCHESTRATOR: "PoliTerm",
};

/** The wire's role as people read it; one that a newer server may send is shown as it is. */
export function roleName(role: string): string {
  return NAMES[role as Role] ?? role;
}

/** A sentence of the server's with roles as people read them: "The PLANNER asks" is "Planner asks". */
export function withNames(sentence: string): string {
  return sentence.replace(/\b(?:[Tt]he )?(PLANNER|EXECUTER|AGENT|ORCHESTRATOR)\b/g, (_, role: string) =>
    roleName(role),
  );
}

/** 12s, 3:05, 2:03:05. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) {
    return `${whole}s`;
  }
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, pad(whole % 60)];
  return hours > 0 ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/**
 * The same for rows of a tree: just now, 20s, 3 min, 2 h 3 min. A row that changes every second could not be hovered: the
 * editor closes the hover of a row that it draws again.
 */
export function rough(seconds: number): string {
  if (seconds < 10) {
    return "just now";
  }
  if (seconds < 60) {
    return `${Math.floor(seconds / 10) * 10}s`;
  }
  const whole = Math.floor(seconds / 60);
  return whole < 60 ? `${whole} min` : `${Math.floor(whole / 60)} h ${whole % 60} min`;
}

/** The same for ears, in minutes: a screen reader must not be told a new time every second. */
export function spokenDuration(seconds: number): string {
  const minutes = Math.floor(Math.max(0, seconds) / 60);
  if (minutes === 0) {
    return "less than a minute";
  }
  const parts = [plural(Math.floor(minutes / 60), "hour"), plural(minutes % 60, "minute")];
  return parts.filter((part) => !part.startsWith("0 ")).join(" ");
}

/** Seconds between two of the wire's stamps. */
export function secondsBetween(start: string, end: string | number): number {
  return ((typeof end === "number" ? end : Date.parse(end)) - Date.parse(start)) / 1000;
}

/** just now, 5 min ago, 3 h ago, yesterday, 12 days ago. */
export function ago(stamp: string, now: number): string {
  const minutes = Math.floor(secondsBetween(stamp, now) / 60);
  if (minutes < 1) {
    return "just now";
  }
  if (minutes < 60) {
    return `${minutes} min ago`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    return `${hours} h ago`;
  }
  const days = Math.floor(hours / 24);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

export function plural(count: number, word: string): string {
  return count === 1 ? `1 ${word}` : `${count} ${word}s`;
}

/** As a label begins. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The first line that says something, without the marks of Markdown, shortened. */
export function oneLine(text: string, width = 80): string {
  return shortened(saying(text)[0] ?? "", width);
}

/** The same of a message: a heading ("Plan") says nothing where words follow it. */
export function gist(text: string, width: number): string {
  const lines = saying(text);
  return shortened(lines.find((line) => !/^#+ /.test(line)) ?? lines[0] ?? "", width);
}

function saying(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/\s+/g, " ").trim())
    .filter((line) => line !== "");
}

function shortened(line: string, width: number): string {
  const plain = line
    .replace(/^#+ /, "")
    .replace(/`([^`]+)`/g, "$1")
    .replace(/\*\*([^*]+)\*\*/g, "$1");
  return plain.length <= width ? plain : `${plain.slice(0, width - 1).trimEnd()}…`;
}

/** `<PLAN>` and its like stand alone on a line; only programs need them. */
export function withoutTags(body: string): string {
  return body
    .replace(/^[ \t]*<\/?(?:PLAN|CONTINUE|REVISION|COMPLETE|STATUS|RESULT)>[ \t]*(?:\r?\n|$)/gm, "")
    .replace(/^\n+|\n+$/g, "");
}

/** $0.42 · 12.3k tokens; empty where nothing was reported. */
export function spent(usage: Pick<Usage, "tokensIn" | "tokensOut" | "usd">): string {
  const tokens = usage.tokensIn + usage.tokensOut;
  const said: string[] = [];
  if (usage.usd !== undefined) {
    said.push(`$${usage.usd.toFixed(2)}`);
  }
  if (tokens > 0) {
    said.push(tokens >= 1000 ? `${(tokens / 1000).toFixed(1)}k tokens` : plural(tokens, "token"));
  }
  return said.join(" · ");
}

const STATES: Record<AgentState, string> = {
  starting: "starting",
  ready: "ready",
  working: "working",
  blocked: "waits for an answer",
  limited: "usage limit",
  dead: "ended",
  uncertain: "not certain",
};

export function agentState(state: AgentState): string {
  return STATES[state] ?? state;
}

/** Seconds since a run began, or that it took. */
export function runSeconds(view: RunView, now: number): number {
  return secondsBetween(view.startedAt, view.endedAt ?? now);
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
