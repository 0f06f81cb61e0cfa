/** The panes as terminals of the editor. */
import type * as vscode from "vscode";
import type { Services } from "../services";

export function registerPanes(_services: Services): vscode.Disposable[] {
  return [];
}
