/** Icons and words for roles, kinds and states: what the page shows of them, in one place. */
import type { AgentState, Role } from "../../protocol/generated";
import type { Item, MessageItem, Outcome, RunState } from "../model/items";
import { changed } from "../model/markdown";
import { firstLine, roleName } from "../model/text";

export const ROLE_ICON: Record<Role, string> = {
  PLANNER: "compass",
  EXECUTER: "tools",
  AGENT: "hubot",
  USER: "account",
  ORCHESTRATOR: "server-process",
};

export const STATE_WORDS: Record<AgentState, string> = {
  starting: "starting",
  ready: "ready",
  working: "working",
  blocked: "waits for an answer",
  limited: "at its provider's limit",
  dead: "gone",
  uncertain: "uncertain",
};

export const RUN_ICON: Record<RunState, string> = {
  unknown: "loading",
  queued: "clock",
  starting: "loading",
  running: "loading",
  paused: "debug-pause",
  ended: "pass",
};

export const OUTCOME_ICON: Record<Outcome, string> = {
  completed: "pass-filled",
  failed: "error",
  stopped: "debug-stop",
  limit: "watch",
};

export const OUTCOME_WORDS: Record<Outcome, string> = {
  completed: "Completed",
  failed: "Failed",
  stopped: "Stopped",
  limit: "Ended at a limit",
};

export const DELIVERY = {
  sending: { icon: "sync", words: "on its way" },
  delivered: { icon: "check-all", words: "delivered" },
  uncertain: { icon: "question", words: "delivery uncertain" },
} as const;

export const ATTENTION_ICON: Readonly<Record<string, string>> = {
  permission: "shield",
  trust: "workspace-trusted",
  plan: "checklist",
  question: "comment-discussion",
  uncertain: "question",
  budget: "credit-card",
  login: "key",
  update: "cloud-download",
};

export function clockTime(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function fullTime(at: number): string {
  return new Date(at).toLocaleString();
}

/** How a message's kind is coloured. */
export function tone(kind: MessageItem["kind"]): "plain" | "good" | "bad" | "ask" {
  switch (kind) {
    case "complete":
      return "good";
    case "error":
      return "bad";
    case "question":
      return "ask";
    default:
      return "plain";
  }
}

/** One line for who does not see the item: what a screen reader says of it. */
export function inOneLine(item: Item): string {
  switch (item.type) {
    case "task":
      return `Task: ${firstLine(item.text)}`;
    case "round":
      return `Round ${item.round}`;
    case "message":
      return `${roleName(item.from)}, ${item.kind}, ${clockTime(item.at)}: ${firstLine(item.edited ?? item.body)}`;
    case "reply":
      return `${roleName(item.role)} says: ${firstLine(item.text)}`;
    case "attention":
      return `${item.answered === undefined ? "Waits for you" : "Answered"}: ${item.title}`;
    case "notice":
      return item.text;
    case "gate":
      return item.passed === undefined ? "Checks run" : item.passed ? "Checks passed" : "Checks failed";
    case "changes":
      return changed(item);
    case "end":
      return [OUTCOME_WORDS[item.outcome], firstLine(item.summary ?? item.reason ?? "")].filter(Boolean).join(": ");
  }
}
