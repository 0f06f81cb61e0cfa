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

/** What passed, and of which item each was made: how far it is still true when more has come. */
export interface Shown {
  readonly items: readonly Item[];
  readonly filter: Filter;
  readonly passed: readonly Item[];
  /** The place in `items` of each that passed. */
  readonly places: readonly number[];
}

export const NOTHING_SHOWN: Shown = { items: [], filter: EVERYTHING_BUT_DETAILS, passed: [], places: [] };

/**
 * The items that pass, with the headings of the rounds that have any. What was shown before is taken over as far as the
 * items are the same: at the end of a long run, the last round is looked at again and no more.
 */
export function filtered(items: readonly Item[], filter: Filter, before: Shown = NOTHING_SHOWN): Shown {
  const from = before.filter === filter ? startOfRound(items, commonLength(items, before.items)) : 0;
  const kept = from === 0 ? 0 : countBefore(before.places, from);
  const passed = before.passed.slice(0, kept);
  const places = before.places.slice(0, kept);
  const take = (item: Item, at: number): void => {
    passed.push(item);
    places.push(at);
  };
  const fits = fitting(filter);
  let heading: (() => void) | undefined;
  for (const [offset, item] of items.slice(from).entries()) {
    const at = from + offset;
    if (item.type === "round") {
      heading = () => take(item, at);
      if (!isNarrow(filter)) {
        heading();
      }
    } else if (fits(item)) {
      if (isNarrow(filter)) {
        heading?.();
      }
      heading = undefined;
      take(item, at);
    }
  }
  return { items, filter, passed, places };
}

/** Not all of a round may be there, so its heading is shown only where something of it is. */
function isNarrow(filter: Filter): boolean {
  return filter.roles.length > 0 || filter.text.trim() !== "";
}

function fitting(filter: Filter): (item: Item) => boolean {
  const kinds = new Set(filter.kinds);
  const roles = new Set(filter.roles);
  const words = wordsOf(filter.text);
  return (item) => passes(item, kinds, roles, words);
}

function commonLength(one: readonly Item[], two: readonly Item[]): number {
  const most = Math.min(one.length, two.length);
  for (let at = 0; at < most; at += 1) {
    if (one[at] !== two[at]) {
      return at;
    }
  }
  return most;
}

/** The heading at or before a place; 0 where there is none. */
function startOfRound(items: readonly Item[], place: number): number {
  for (let at = Math.min(place, items.length - 1); at > 0; at -= 1) {
    if (items[at]?.type === "round") {
      return at;
    }
  }
  return 0;
}

function countBefore(places: readonly number[], place: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) < place) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
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
