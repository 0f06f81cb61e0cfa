/** What every part of the extension is given. Parts know each other through this alone. */
import type * as vscode from "vscode";
import type { Store } from "./model/store";
import type { Server } from "./protocol/api";

export interface Services {
  readonly context: vscode.ExtensionContext;
  readonly server: Server;
  readonly store: Store;
  readonly log: vscode.LogOutputChannel;
  /** Runs whose timeline is before the reader's eyes; kept by the timeline, so that nothing is said to them twice. */
  readonly inSight: Set<string>;
}
