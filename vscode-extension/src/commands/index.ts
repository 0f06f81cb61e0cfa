/** The commands of the palette; one file for each group of them. */
import type * as vscode from "vscode";
import type { Client } from "../server/client";
import type { Services } from "../services";
import { serverCommands } from "./server";

export function registerCommands(services: Services, client: Client): vscode.Disposable[] {
  return [...serverCommands(services, client)];
}
