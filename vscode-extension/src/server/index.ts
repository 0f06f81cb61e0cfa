/** The server's part: when it starts, what is told about it, and the commands that are about itself. */
import * as vscode from "vscode";
import { SERVER_SETTINGS } from "../protocol/generated";
import type { Services } from "../services";
import type { Client } from "./client";
import { tellTrouble } from "./trouble";

/** Kept for each workspace: a run was started here, so a new window looks for runs by itself. */
const USED = "politerm.used";
const LAUNCH_SETTINGS = ["server.command", "server.environment", "server.pythonPath"];
const RESTART = "Restart Server";

export function registerServer({ context, store, log }: Services, client: Client): vscode.Disposable[] {
  const wake = (): void => {
    if (context.workspaceState.get(USED, false)) {
      client.wake();
    }
  };
  wake();
  return [
    tellTrouble(client, log),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      client.trusted();
      wake();
    }),
    vscode.workspace.onDidChangeConfiguration((change) => settingsChanged(change, client)),
    store.onChange(({ what }) => {
      if (what === "runs" && store.runs.length > 0 && !context.workspaceState.get(USED, false)) {
        void context.workspaceState.update(USED, true);
      }
    }),
    vscode.commands.registerCommand("politerm.showLogs", () => log.show()),
    vscode.commands.registerCommand("politerm.restartServer", async () => {
      // What goes wrong is told where every failed start is.
      await client.restart().catch(() => undefined);
    }),
  ];
}

/** The server reads its settings when it starts; runs outlive a restart. */
async function settingsChanged(change: vscode.ConfigurationChangeEvent, client: Client): Promise<void> {
  const concerned = [...LAUNCH_SETTINGS, ...SERVER_SETTINGS].some((name) =>
    change.affectsConfiguration(`politerm.${name}`),
  );
  if (!concerned || client.state.phase === "off" || client.state.phase === "restricted") {
    return;
  }
  if (client.state.phase === "failed") {
    await client.restart().catch(() => undefined);
    return;
  }
  const question = "PoliTerm's server takes the changed settings when it starts again. Runs go on meanwhile.";
  if ((await vscode.window.showInformationMessage(question, RESTART)) === RESTART) {
    await client.restart().catch(() => undefined);
  }
}
