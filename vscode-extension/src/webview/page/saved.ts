/** What a page remembers over a reload of the window, read with care: an older version may have written it. */
import type { Role } from "../../protocol/generated";
import { EVERYTHING_BUT_DETAILS, type Filter, KINDS, type Kind } from "../model/filter";

export interface Saved {
  /** The host reads this one to know which run the page shows. */
  readonly runId: string;
  readonly filter: Filter;
  readonly filtering: boolean;
  readonly unfolded: readonly number[];
  /** The event at the top of what is seen; absent at the end. */
  readonly at?: number;
  /** What was written and not yet sent. */
  readonly draft: string;
  readonly words: readonly (readonly [number, string])[];
}

export function readSaved(value: unknown): Saved | undefined {
  const saved = fields(value);
  if (typeof saved.runId !== "string") {
    return undefined;
  }
  const { kinds, roles, text } = fields(saved.filter);
  return {
    runId: saved.runId,
    filter: {
      kinds: Array.isArray(kinds) ? KINDS.filter((kind: Kind) => kinds.includes(kind)) : EVERYTHING_BUT_DETAILS.kinds,
      roles: strings(roles) as Role[],
      text: typeof text === "string" ? text : "",
    },
    filtering: saved.filtering === true,
    unfolded: Array.isArray(saved.unfolded) ? saved.unfolded.filter((seq) => typeof seq === "number") : [],
    at: typeof saved.at === "number" ? saved.at : undefined,
    draft: typeof saved.draft === "string" ? saved.draft : "",
    words: Array.isArray(saved.words) ? saved.words.filter(isWords) : [],
  };
}

function isWords(value: unknown): value is readonly [number, string] {
  return Array.isArray(value) && typeof value[0] === "number" && typeof value[1] === "string";
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
