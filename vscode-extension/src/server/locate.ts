/** Where the server comes from: the setting, the selected interpreter, a private environment. */
import * as vscode from "vscode";
import type { ServerCommand } from "./process";

export async function locate(): Promise<ServerCommand> {
  const command = vscode.workspace.getConfiguration("politerm").get<readonly string[]>("server.command", []);
  return { argv: command.length > 0 ? command : ["politerm", "serve"], source: "setting" };
}
