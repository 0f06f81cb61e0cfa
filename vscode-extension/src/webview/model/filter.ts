/** Which items a reader wants to see. Pure; fast enough to be asked again at every change of a long run. */
import type { Role } from "../../protocol/generated";
import type { Item } from "./items";

/** What can be shown or hidden: messages, words beside them, questions, what happened, and its details. */
export type Kind = "messages" | "replies" | "questions" | "events" | "details";
export const KINDS: readonly Kind[] = ["messages", "replies", "questions", "events", "details"];

export interface Filter {
  readonly kinds: readonly Kind[];
  /** All roles where empty. */
  readonly roles: readonly Role[];
  readonly text: string;
}

export const EVERYTHING_BUT_DETAILS: Filter = {
  kinds: ["messages", "replies", "questions", "events"],
  roles: [],
  text: "",
};

export function isDefault(filter: Filter): boolean {
  return filter.text.trim() === "" && filter.roles.length === 0 && sameKinds(filter, EVERYTHING_BUT_DETAILS);
}

function sameKinds(one: Filter, two: Filter): boolean {
  return one.kinds.length === two.kinds.length && one.kinds.every((kind) => two.kinds.includes(kind));
}

export function kindOf(item: Item): Kind | undefined {
  switch (item.type) {
    case "task":
    case "end":
    case "message":
      return "messages";
    case "reply":
      return "replies";
    case "attention":
      return "questions";
    case "notice":
      return item.level === "detail" ? "details" : "events";
    case "gate":
    case "changes":
      return "events";
    case "round":
      return undefined;
  }
}

/** Whose it is: who said it, or whom it is about. */
export function roleOf(item: Item): Role | undefined {
  switch (item.type) {
    case "message":
      return item.from;
    case "reply":
    case "attention":
    case "notice":
      return item.role;
    case "task":
      return "USER";
    case "round":
    case "gate":
    case "changes":
    case "end":
      return undefined;
  }
}

/** The items that pass, with the headings of the rounds that have any. */
export function filtered(items: readonly Item[], filter: Filter): readonly Item[] {
  const kinds = new Set(filter.kinds);
  const roles = new Set(filter.roles);
  const words = wordsOf(filter.text);
  const narrowed = roles.size > 0 || words.length > 0;
  const shown: Item[] = [];
  let heading: Item | undefined;
  for (const item of items) {
    if (item.type === "round") {
      heading = item;
      if (!narrowed) {
        shown.push(item);
      }
      continue;
    }
    if (!passes(item, kinds, roles, words)) {
      continue;
    }
    if (narrowed && heading !== undefined) {
      shown.push(heading);
    }
    heading = undefined;
    shown.push(item);
  }
  return shown;
}

function passes(item: Item, kinds: ReadonlySet<Kind>, roles: ReadonlySet<Role>, words: readonly string[]): boolean {
  const kind = kindOf(item);
  if (kind === undefined || !kinds.has(kind)) {
    return false;
  }
  const role = roleOf(item);
  if (roles.size > 0 && (role === undefined || !roles.has(role))) {
    return false;
  }
  if (words.length === 0) {
    return true;
  }
  const text = searchable(item);
  return words.every((word) => text.includes(word));
}

/** Each of these words must be there; "in quotes" is one. */
export function wordsOf(text: string): readonly string[] {
  return [...text.toLowerCase().matchAll(/"([^"]+)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

const texts = new WeakMap<Item, string>();

function searchable(item: Item): string {
  let text = texts.get(item);
  if (text === undefined) {
    text = words(item).toLowerCase();
    texts.set(item, text);
  }
  return text;
}

function words(item: Item): string {
  switch (item.type) {
    case "task":
    case "reply":
      return item.text;
    case "message":
      return [item.kind, item.agent ?? "", item.edited ?? "", item.body].join("\n");
    case "attention":
      return [item.title, item.text, item.answered?.text ?? "", ...item.choices.map((choice) => choice.label)].join(
        "\n",
      );
    case "notice":
      return [item.text, item.detail ?? ""].join("\n");
    case "gate":
      return item.checks.map((check) => `${check.command}\n${check.tail}`).join("\n");
    case "end":
      return [item.outcome, item.reason ?? "", item.summary ?? ""].join("\n");
    case "round":
    case "changes":
      return "";
  }
}
