/** What is to be started, before it is asked for: pure parts of the start commands. */
import type { ContextItem, Role, RunView } from "../protocol/generated";

/** Who plays which role, by the names of their profiles. */
export interface Pair {
  readonly planner: string;
  readonly executer: string;
}

export interface Wish {
  readonly task?: string;
  readonly cwd?: string;
  readonly context?: readonly ContextItem[];
  readonly agents?: Pair;
}

/** `261121-061204-4f3a`, as the server makes them. Given by us, a start that is repeated starts nothing twice. */
export function newRunId(now: Date, random: string): string {
  const digits = now.toISOString().replaceAll(/\D/g, "");
  return `${digits.slice(2, 8)}-${digits.slice(8, 14)}-${random}`;
}

/** Where a starting run is, in one line; undefined once there is nothing more to wait for. */
export function startingOf(view: RunView | undefined): string | undefined {
  if (view === undefined) {
    return "asking the server";
  }
  if (view.state !== "starting" || view.attention > 0) {
    return undefined;
  }
  const waits = (["PLANNER", "EXECUTER", "AGENT"] as const).filter((role) => isComingUp(view, role));
  const names = waits.map((role) => `${role.toLowerCase()} (${view.roles[role]?.agent})`);
  return names.length === 0 ? "almost there" : `waiting for ${names.join(" and ")}`;
}

function isComingUp(view: RunView, role: Role): boolean {
  const state = view.roles[role]?.state;
  return state === "starting" || state === "uncertain";
}

/** A problem as the editor reports it, without the editor's classes. */
export interface Problem {
  readonly message: string;
  readonly line: number;
  readonly source?: string;
  readonly code?: string;
}

/** The task that fixes them, for agents that see the workspace's files. `path` as a person would write it. */
export function fixTask(path: string, problems: readonly Problem[]): string {
  const told = problems.map(({ message, line, source, code }) => {
    const by = [source, code].filter((each) => each !== undefined && each !== "").join(" ");
    return `${path}:${line + 1}: ${message.trim()}${by === "" ? "" : ` (${by})`}`;
  });
  const what = told.length === 1 ? "this problem" : `these ${told.length} problems`;
  return `Fix ${what}, and check that it is gone:\n\n${told.join("\n")}`;
}

/** How an agent of the list is offered. */
export function agentDetail(agent: { available: boolean; version?: string; command: readonly string[] }): string {
  if (!agent.available) {
    return `not installed: there is no program ${agent.command[0]}`;
  }
  return agent.version ?? agent.command.join(" ");
}

/** The words of a task document: what is written there, without the comments that explain it. */
export function taskIn(document: string): string {
  return document.replaceAll(/<!--[\s\S]*?-->/g, "").trim();
}
