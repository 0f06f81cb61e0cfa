/** The timeline while a batch of events is worked into it: the only thing here that changes in place. */
import type { AgentState, Role } from "../../protocol/generated";
import type { AttentionItem, Item, Level, RoleStatus, Run } from "./items";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface Draft {
  readonly run: Writable<Run>;
  readonly items: Item[];
  open: readonly AttentionItem[];
  /** Where the last round begins; -1 before the first. */
  roundAt: number;
}

/** Where in the run an event stands. */
export interface Moment {
  readonly seq: number;
  readonly at: number;
  readonly round: number;
  /** Seconds of run time. */
  readonly clock: number;
}

/** What every item says of its place. */
export function placed({ seq, at, round }: Moment): { seq: number; at: number; round: number } {
  return { seq, at, round };
}

export interface Words {
  readonly level: Level;
  readonly icon: string;
  readonly text: string;
  readonly role?: Role;
  readonly detail?: string;
}

export function notice(draft: Draft, moment: Moment, words: Words): void {
  const { seq, at, round } = moment;
  const { level, icon, role, text, detail } = words;
  // All of one shape, whatever is absent: there are more of these than of all else together.
  draft.items.push({ type: "notice", seq, at, round, level, icon, role, text, detail });
}

/** The last item that is of this type and fits is replaced; what is looked for is nearly always close to the end. */
export function replaceLast<T extends Item["type"]>(
  draft: Draft,
  type: T,
  fits: (item: Extract<Item, { type: T }>) => boolean,
  by: (item: Extract<Item, { type: T }>) => Extract<Item, { type: T }>,
): boolean {
  for (let index = draft.items.length - 1; index >= 0; index -= 1) {
    const item = draft.items[index];
    if (item?.type === type && fits(item as Extract<Item, { type: T }>)) {
      draft.items[index] = by(item as Extract<Item, { type: T }>);
      return true;
    }
  }
  return false;
}

export function setRun(draft: Draft, fields: Partial<Run>): void {
  Object.assign(draft.run, fields);
}

export function setRole(draft: Draft, role: Role, fields: Partial<RoleStatus>): void {
  const known: RoleStatus = draft.run.roles[role] ?? { agent: "", state: "starting", since: 0 };
  setRun(draft, { roles: { ...draft.run.roles, [role]: { ...known, ...fields } } });
}

export function setAgentState(draft: Draft, moment: Moment, role: Role, state: AgentState, why?: string): void {
  const known = draft.run.roles[role];
  // Why it is so may become clearer while it is so; since when does not change by that.
  const since = known?.state === state ? known.since : moment.at;
  setRole(draft, role, why === undefined ? { state, since } : { state, since, why });
}
