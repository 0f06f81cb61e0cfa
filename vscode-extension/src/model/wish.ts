/** What is to be started, before it is asked for: pure parts of the start commands. */
import type { AgentView, ContextItem } from "../protocol/generated";

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
  // The first line is the run's title wherever there is room for one line.
  const [only, ...more] = told;
  const head =
    more.length === 0 ? `Fix ${only}` : `Fix these ${told.length} problems in ${path}:\n\n${told.join("\n")}`;
  return `${head}\n\nCheck afterwards that nothing of it is left.`;
}

/** An agent as it is offered for a role. */
export interface Offer {
  readonly agent: AgentView;
  readonly detail: string;
}

/**
 * The likely one first, then what is installed, then the demonstration's, then what is not installed and says so. The
 * demonstration's agents can play one role only.
 */
export function offersFor(agents: readonly AgentView[], demo: { own: string; other: string }, likely: string): Offer[] {
  const rank = (agent: AgentView): number => {
    if (!agent.available) {
      return 3;
    }
    return agent.name === likely ? 0 : agent.name === demo.own ? 2 : 1;
  };
  return agents
    .filter((agent) => agent.name !== demo.other)
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
    .map((agent) => ({ agent, detail: detailOf(agent, agent.name === demo.own) }));
}

function detailOf(agent: AgentView, demo: boolean): string {
  if (!agent.available) {
    return `not installed: there is no program ${agent.command[0]}`;
  }
  return demo ? "the demonstration's own, no agent at all" : (agent.version ?? agent.command.join(" "));
}

/** What was found, as a person reads it: without the marks of the messages that it stands in. */
export function plainExcerpt(excerpt: string): string {
  return excerpt
    .replaceAll(/\[\[\/?POLI:MSG[^\]]*\]\]/g, " ")
    .replace(/^[^[\]]*"\s*\}\]\]/, "… ")
    .replaceAll(/<\/?[A-Z]{3,}>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** The words of a task document: what is written there, without the comments that explain it. */
export function taskIn(document: string): string {
  return document.replaceAll(/<!--[\s\S]*?-->/g, "").trim();
}
