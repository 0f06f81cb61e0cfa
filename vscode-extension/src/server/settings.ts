/**
 * The settings that the server is told: those that somebody has set. An editor's defaults would win over the user's own
 * config.toml and environment, which the server reads itself.
 */
import type { WorkspaceConfiguration } from "vscode";
import { SERVER_SETTINGS } from "../protocol/generated";

export function chosenSettings(configuration: Pick<WorkspaceConfiguration, "inspect">): Record<string, unknown> {
  const chosen: Record<string, unknown> = {};
  for (const name of SERVER_SETTINGS) {
    const found = configuration.inspect(name);
    const value = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
    if (value !== undefined && value !== null) {
      chosen[name] = value;
    }
  }
  return chosen;
}
