/** Who plans and who executes: asked once in a workspace, remembered there, changed from the task's question. */
import * as vscode from "vscode";
import { type Offer, offersFor, type Pair } from "../model/wish";
import { DEMO } from "../protocol/generated";
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
  const plans = { own: DEMO.planner, other: DEMO.executer };
  const likely = before?.planner ?? settings.get("planner.agent", "");
  const planner = await ask(offersFor(agents, plans, likely), "Who plans? (1/2)");
  if (planner === undefined) {
    return undefined;
  }
  // Who takes the demonstration's planner wants the demonstration; else what is set or was taken before is likely.
  const demo = planner === DEMO.planner ? DEMO.executer : undefined;
  const next = demo ?? before?.executer ?? settings.get("executer.agent", "");
  const executes = { own: DEMO.executer, other: DEMO.planner };
  const executer = await ask(offersFor(agents, executes, next), "Who executes? (2/2)");
  if (executer === undefined) {
    return undefined;
  }
  const pair = { planner, executer };
  await services.context.workspaceState.update(KEY, pair);
  return pair;
}

/** What is not installed can be chosen as little as before, and says why. */
async function ask(offers: readonly Offer[], title: string): Promise<string | undefined> {
  const items = offers.map(({ agent, detail }) => ({
    label: agent.name,
    description: detail,
    iconPath: new vscode.ThemeIcon(agent.available ? "check" : "circle-slash"),
    agent,
  }));
  for (;;) {
    const chosen = await vscode.window.showQuickPick(items, { title, matchOnDescription: true, ignoreFocusOut: true });
    if (chosen === undefined || chosen.agent.available) {
      return chosen?.agent.name;
    }
    const { name, command } = chosen.agent;
    void vscode.window.showWarningMessage(`PoliTerm: ${name} is not installed: there is no program “${command[0]}”.`);
  }
}
