/** Who plays in a run, and what each does at this moment. Pure. */
import type { AgentState, Role } from "../../protocol/generated";
import type { RoleStatus, Run } from "./items";

/** The roles that agents play. */
export function actors(run: Run): readonly (readonly [Role, RoleStatus])[] {
  const all = Object.entries(run.roles) as [Role, RoleStatus][];
  return all.filter(([role]) => role !== "USER" && role !== "ORCHESTRATOR");
}

/** An agent that has a prompt and looks ready has only not begun to look busy. */
export function doing(status: RoleStatus): { readonly state: AgentState; readonly since: number } {
  const { state, since, turn } = status;
  return turn !== undefined && (state === "ready" || state === "working")
    ? { state: "working", since: turn.at }
    : { state, since };
}

/** The one that works now, if any does. */
export function worker(run: Run): readonly [Role, number] | undefined {
  for (const [role, status] of actors(run)) {
    const { state, since } = doing(status);
    if (state === "working") {
      return [role, since];
    }
  }
  return undefined;
}
