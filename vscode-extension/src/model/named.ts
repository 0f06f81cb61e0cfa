/** Which run a command is about: what trees, pages and links give it, in one shape. */
import type { Role, RunView } from "../protocol/generated";

export interface Named {
  readonly runId: string;
  readonly role?: Role;
}

/** A run's id, or anything that has one: a tree's row, a link's argument. Undefined for all else. */
export function namedIn(given: unknown): Named | undefined {
  if (typeof given === "string" && given !== "") {
    return { runId: given };
  }
  if (typeof given !== "object" || given === null) {
    return undefined;
  }
  const { runId, role, view } = given as { runId?: unknown; role?: unknown; view?: unknown };
  if (typeof runId === "string") {
    return typeof role === "string" ? { runId, role: role as Role } : { runId };
  }
  return namedIn(view);
}

/** Where a run stands, in a few words. */
export function standingOf(view: RunView): string {
  if (view.state === "ended") {
    return view.outcome ?? "ended";
  }
  const round = view.round > 0 ? `, round ${view.round}` : "";
  return `${view.state}${round}${view.attention > 0 ? ", needs you" : ""}`;
}
