/** Questions that several commands ask: which run, which role. Nothing is asked where there is only one answer. */
import * as vscode from "vscode";
import { namedIn, standingOf } from "../model/named";
import type { Role, RunView } from "../protocol/generated";
import type { Services } from "../services";
import { agentState, oneLine, roleName } from "../views/words";

/**
 * The run that was given, else the only one that suits, else the one that is picked. `what` goes on with “No run ”.
 * The list is asked for where the server has not been heard yet.
 */
export async function chooseRun(
  { server, store }: Services,
  given: unknown,
  suits: (view: RunView) => boolean,
  what: string,
): Promise<RunView | undefined> {
  const named = namedIn(given);
  if (named !== undefined) {
    return store.run(named.runId) ?? server.request("politerm.run.get", { runId: named.runId });
  }
  if (server.state.phase !== "ready") {
    await store.refresh();
  }
  const runs = store.runs.filter(suits);
  if (runs.length === 0) {
    void vscode.window.showInformationMessage(`PoliTerm: No run ${what}.`);
    return undefined;
  }
  if (runs.length === 1) {
    return runs[0];
  }
  const items = runs.map((view) => ({
    label: oneLine(view.task),
    description: standingOf(view),
    detail: `${view.runId} in ${view.cwd}`,
    view,
  }));
  return (await vscode.window.showQuickPick(items, { title: "Which run?", matchOnDetail: true }))?.view;
}

const ORDER: readonly Role[] = ["PLANNER", "EXECUTER", "AGENT"];

/** The role that was given, else the one that is picked. */
export async function chooseRole(view: RunView, given: unknown, title: string): Promise<Role | undefined> {
  const role = namedIn(given)?.role;
  const roles = ORDER.filter((each) => view.roles[each] !== undefined);
  if (role !== undefined || roles.length === 1) {
    return role ?? roles[0];
  }
  const items = roles.map((each) => {
    const seen = view.roles[each];
    const description = seen === undefined ? "" : `${seen.agent}, ${agentState(seen.state)}`;
    return { label: roleName(each), description, role: each };
  });
  return (await vscode.window.showQuickPick(items, { title }))?.role;
}
