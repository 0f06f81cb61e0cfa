/** The commands of the palette; one file for each group of them. */
import type * as vscode from "vscode";
import type { Services } from "../services";
import { demoCommands } from "./demo";
import { historyCommands } from "./history";
import { lookCommands } from "./look";
import { startCommands } from "./start";
import { steerCommands } from "./steer";
import { talkCommands } from "./talk";
import { TaskDocument } from "./taskDocument";

export function registerCommands(services: Services): vscode.Disposable[] {
  const taskDocument = new TaskDocument(services);
  return [
    ...taskDocument.register(),
    ...startCommands(services, taskDocument),
    ...demoCommands(services),
    ...steerCommands(services),
    ...talkCommands(services),
    ...historyCommands(services),
    ...lookCommands(services),
  ];
}
