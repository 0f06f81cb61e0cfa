/** Puts the parts together. Every part is a function from the services to what has to be disposed of. */
import * as vscode from "vscode";
import { registerCommands } from "./commands";
import { Store } from "./model/store";
import { registerPanes } from "./panes";
import { registerServer } from "./server";
import { Client } from "./server/client";
import { Locator } from "./server/locate";
import type { Services } from "./services";
import { registerTimeline } from "./timeline";
import { registerViews } from "./views";

let client: Client | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("PoliTerm", { log: true });
  const server = new Client(new Locator(context, log), log);
  client = server;
  const store = new Store(server);
  const services: Services = { context, server, store, log, inSight: new Set() };
  context.subscriptions.push(
    log,
    store,
    ...registerServer(services, server),
    ...registerCommands(services),
    ...registerViews(services),
    ...registerPanes(services),
    ...registerTimeline(services),
  );
}

/** The editor waits for this: the server ends in order, agents and runs stay. */
export function deactivate(): Promise<void> | undefined {
  return client?.close();
}
