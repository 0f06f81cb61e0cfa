/** Who plans and who executes: asked once in a workspace, remembered there, changed from the task's question. */
import * as vscode from "vscode";
import { agentDetail, type Pair } from "../model/wish";
import type { AgentView } from "../protocol/generated";
import type { Services } from "../services";

const KEY = "politerm.pair";

export function rememberedPair({ context }: Services): Pair | undefined {
  return context.workspaceState.get<Pair>(KEY);
}

export async function forgetPair({ context }: Services): Promise<void> {
  await context.workspaceState.update(KEY, undefined);
}

export function pairInWords(pair: Pair): string {
  return `${pair.planner} plans, ${pair.executer} executes`;
}

/** Asks for both; undefined when it was left. */
export async function askPair(services: Services): Promise<Pair | undefined> {
  const { agents } = await services.server.request("politerm.agent.list", {});
  const settings = vscode.workspace.getConfiguration("politerm");
  const before = rememberedPair(services);
  const planner = await ask(agents, "Who plans?", before?.planner ?? settings.get("planner.agent", ""), 1);
  if (planner === undefined) {
    return undefined;
  }
  const executer = await ask(agents, "Who executes?", before?.executer ?? settings.get("executer.agent", ""), 2);
  if (executer === undefined) {
    return undefined;
  }
  const pair = { planner, executer };
  await services.context.workspaceState.update(KEY, pair);
  return pair;
}

/** The likely one first, then what is here, then what is not: those say why they cannot be taken. */
async function ask(
  agents: readonly AgentView[],
  title: string,
  likely: string,
  step: number,
): Promise<string | undefined> {
  const rank = (agent: AgentView): number => (agent.available ? (agent.name === likely ? 0 : 1) : 2);
  const items = [...agents]
    .filter((agent) => rank(agent) < 2 || agent.source === "built-in" || agent.source === "user")
    .sort((a, b) => rank(a) - rank(b))
    .map((agent) => ({
      label: agent.name,
      description: agentDetail(agent),
      iconPath: new vscode.ThemeIcon(agent.available ? "check" : "circle-slash"),
      agent,
    }));
  const options = { title: `${title} (${step}/2)`, matchOnDescription: true, ignoreFocusOut: true };
  for (;;) {
    const chosen = await vscode.window.showQuickPick(items, options);
    if (chosen === undefined || chosen.agent.available) {
      return chosen?.agent.name;
    }
    const { name, command } = chosen.agent;
    void vscode.window.showWarningMessage(`PoliTerm: ${name} is not installed: there is no program “${command[0]}”.`);
  }
}
