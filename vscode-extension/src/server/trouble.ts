/** What people are told when the server does not come up, with buttons for what they can do. Each thing is said once. */
import * as vscode from "vscode";
import type { Remedy, ServerState } from "../protocol/api";
import type { Client } from "./client";

/** Short: a message has room for three buttons. */
const WORDS: Record<Remedy, string> = {
  retry: "Try Again",
  settings: "Settings",
  own: "Use Built-In",
};
const LOGS = "Show Logs";

export function tellTrouble(client: Client, log: vscode.LogOutputChannel): vscode.Disposable {
  let said: string | undefined;
  return client.onState((state) => {
    if (state.phase === "ready" && state.message === undefined) {
      said = undefined;
    }
    const worth = state.phase === "failed" || (state.phase === "ready" && state.message !== undefined);
    if (worth && state.message !== said) {
      said = state.message;
      void tell(state).then((chosen) => {
        said = state.phase === "failed" ? undefined : said;
        return act(chosen, client, log);
      });
    }
  });
}

async function tell({ phase, message, remedies = [] }: ServerState): Promise<string | undefined> {
  const show = phase === "failed" ? vscode.window.showErrorMessage : vscode.window.showWarningMessage;
  return show(`PoliTerm: ${message}`, ...remedies.map((remedy) => WORDS[remedy]), LOGS);
}

async function act(chosen: string | undefined, client: Client, log: vscode.LogOutputChannel): Promise<void> {
  switch (chosen) {
    case LOGS:
      log.show();
      break;
    case WORDS.settings:
      await vscode.commands.executeCommand("workbench.action.openSettings", "politerm.server");
      break;
    case WORDS.own:
      await vscode.workspace.getConfiguration("politerm").update("server.command", undefined, true);
      await client.restart().catch(() => undefined);
      break;
    case WORDS.retry:
      await client.restart().catch(() => undefined);
      break;
    default:
  }
}
