/** What the server is given from the editor: settings and environment. */
import type { WorkspaceConfiguration } from "vscode";
import { SERVER_SETTINGS } from "../protocol/generated";

/**
 * Those that somebody has set. An editor's defaults would win over the user's own config.toml and environment, which the
 * server reads itself.
 */
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

/** Seconds a step of the demonstration's agents takes, so that a person can watch. */
const DEMO_PACE = "0.4";

/** The editor's own environment without what belongs to the editor: agents inherit it. `chosen` wins. */
export function serverEnvironment(own: NodeJS.ProcessEnv, chosen: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(own).filter(([name]) => !/^(?:VSCODE|ELECTRON)_/.test(name));
  return { POLITERM_SCRIPTED_PACE: DEMO_PACE, ...Object.fromEntries(kept), ...chosen };
}
