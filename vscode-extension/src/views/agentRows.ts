/** The rows of *Agents*: what is installed here and in which version, and what a check has found. */
import type { AgentView } from "../protocol/generated";
import type { Hover, Row } from "./tree";
import * as words from "./words";

/** What `politerm.agent.check` answers, as far as it is shown. */
export interface Report {
  readonly ok: boolean;
  readonly state?: string;
  readonly why?: unknown;
  readonly screen?: readonly string[];
}

/** undefined: not checked in this session. checking: under way. */
export type Checks = ReadonlyMap<string, Report | "checking">;

export function reportOf(answer: Record<string, unknown>): Report {
  return {
    ok: answer.ok === true,
    ...(typeof answer.state === "string" ? { state: answer.state } : {}),
    ...(answer.why === undefined ? {} : { why: answer.why }),
    ...(Array.isArray(answer.screen) ? { screen: answer.screen.map(String) } : {}),
  };
}

/** Installed ones first, the demonstration pair after agents that can think. */
export function agentRows(agents: readonly AgentView[], checks: Checks): Row[] {
  const rank = (agent: AgentView) => (agent.available ? 0 : 2) + (agent.name.startsWith("scripted-") ? 1 : 0);
  return [...agents]
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
    .map((agent) => agentRow(agent, checks.get(agent.name)));
}

function agentRow(agent: AgentView, check: Report | "checking" | undefined): Row {
  const where = agent.available ? (agent.version ?? "installed") : "not installed";
  const found = foundText(check);
  const children = check === undefined || check === "checking" ? [] : reportRows(agent, check);
  return {
    id: agent.name,
    label: agent.name,
    description: found === "" ? where : `${where} · ${found}`,
    icon: agentIcon(agent, check),
    hover: () => agentHover(agent),
    spoken: `Agent ${agent.name}, ${where}${found === "" ? "" : `, ${found}`}`,
    context: agent.available ? "agent.available" : "agent.missing",
    ...(children.length > 0 ? { open: "expanded" as const, children } : {}),
    agent: agent.name,
  };
}

function foundText(check: Report | "checking" | undefined): string {
  if (check === undefined) {
    return "";
  }
  if (check === "checking") {
    return "checking…";
  }
  return check.ok ? "works" : "does not work";
}

function agentIcon(agent: AgentView, check: Report | "checking" | undefined) {
  if (check === "checking") {
    return { name: "loading~spin" };
  }
  if (check !== undefined) {
    return check.ok
      ? { name: "pass-filled", colour: "testing.iconPassed" }
      : { name: "error", colour: "testing.iconFailed" };
  }
  return agent.available ? { name: "robot" } : { name: "circle-slash", colour: "disabledForeground" };
}

function agentHover(agent: AgentView): Hover[] {
  const hover: Hover[] = [
    { kind: "title", text: agent.name },
    { kind: "fact", label: "Command", text: agent.command.join(" ") },
    { kind: "fact", label: "Program", text: agent.path ?? "not found on this machine" },
  ];
  if (agent.version !== undefined) {
    hover.push({ kind: "fact", label: "Version", text: agent.version });
  }
  if (agent.permissionMode !== undefined) {
    hover.push({ kind: "fact", label: "Permissions", text: agent.permissionMode });
  }
  hover.push(
    { kind: "fact", label: "Own record", text: agent.witness ?? "none: its screen is read" },
    { kind: "fact", label: "Profile", text: agent.source },
  );
  return hover;
}

function reportRows(agent: AgentView, report: Report): Row[] {
  const rows: Row[] = [];
  const why = whyText(report.why);
  if (report.state !== undefined) {
    rows.push({
      id: `${agent.name}/state`,
      label: report.ok ? `It starts, and is ${report.state}` : `State: ${report.state}`,
      description: words.oneLine(why, 100),
      icon: { name: report.ok ? "pass" : "info" },
      context: "agent.report",
      hover: () => [{ kind: "code", text: why }],
      agent: agent.name,
    });
  }
  const screen = report.screen ?? [];
  if (screen.length > 0) {
    rows.push({
      id: `${agent.name}/screen`,
      label: "Its screen",
      description: words.oneLine(screen.at(-1) ?? "", 100),
      icon: { name: "terminal" },
      context: "agent.report",
      hover: () => [{ kind: "code", text: screen.join("\n") }],
      agent: agent.name,
    });
  }
  return rows;
}

/** `why` is a sentence where nothing was started, else source, rule and evidence. */
function whyText(why: unknown): string {
  if (typeof why === "string") {
    return why;
  }
  if (typeof why !== "object" || why === null) {
    return "";
  }
  return Object.entries(why)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join("\n");
}
