/** The editor's side of the timeline: its tabs, and what travels to the page (src/webview) and back. */
import type * as vscode from "vscode";
import type { Services } from "../services";

export function registerTimeline(_services: Services): vscode.Disposable[] {
  return [];
}
