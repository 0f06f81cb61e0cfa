/** Errors for people: one sentence, and the way to the log. */
import * as vscode from "vscode";
import { RequestFailed } from "../protocol/api";

const LOGS = "Show Logs";

/** Never throws, never waits for the reader. */
export function complain(error: unknown): void {
  if (error instanceof RequestFailed && error.code === "cancelled") {
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  void vscode.window.showErrorMessage(message, LOGS).then((chosen) => {
    if (chosen === LOGS) {
      void vscode.commands.executeCommand("politerm.showLogs");
    }
  });
}
