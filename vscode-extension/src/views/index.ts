/** The trees, the status bar item, and what asks for attention. */
import type * as vscode from "vscode";
import type { Services } from "../services";

export function registerViews(_services: Services): vscode.Disposable[] {
  return [];
}
