/** Commands with an end that is always told: what fails becomes one message with the next step as its button. */
import * as vscode from "vscode";
import { RequestFailed } from "../protocol/api";
import type { Services } from "../services";

/** What a command does. `given` is what a tree, a lens or a link has passed, if anything. */
export type Work = (services: Services, given: unknown) => Promise<void>;

const LOGS = "Show Logs";
const AGENTS = "Show Agents";
const TRUST = "Manage Trust";

export function command(services: Services, name: string, work: Work): vscode.Disposable {
  return vscode.commands.registerCommand(name, async (given: unknown) => {
    try {
      await work(services, given);
    } catch (error) {
      await tellFailure(services, error);
    }
  });
}

/** One message, with the next step as its button. Never rejects. */
export async function tellFailure({ log }: Services, error: unknown): Promise<void> {
  const code = error instanceof RequestFailed ? error.code : "internal";
  // A server that does not start has its own message (server/trouble.ts), and who cancels knows it.
  if (code === "unavailable" || code === "cancelled") {
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  log.error(error instanceof RequestFailed ? message : ((error as Error).stack ?? message));
  const next = code === "agentNotFound" ? AGENTS : code === "untrusted" ? TRUST : LOGS;
  const chosen = await vscode.window.showErrorMessage(`PoliTerm: ${message}`, next);
  if (chosen === LOGS) {
    log.show();
  } else if (chosen === AGENTS) {
    await vscode.commands.executeCommand("politerm.agents.focus");
  } else if (chosen === TRUST) {
    await vscode.commands.executeCommand("workbench.trust.manage");
  }
}
