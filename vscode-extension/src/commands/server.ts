/** What is done about the server itself. */
import * as vscode from "vscode";
import type { Client } from "../server/client";
import type { Services } from "../services";

export function serverCommands({ log }: Services, client: Client): vscode.Disposable[] {
  return [
    vscode.commands.registerCommand("politerm.restartServer", () => client.restart()),
    vscode.commands.registerCommand("politerm.showLogs", () => log.show()),
  ];
}
