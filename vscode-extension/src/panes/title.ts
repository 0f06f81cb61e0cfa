/** What stands on a pane's tab, and what its last line says. */
import type { RunView } from "../protocol/generated";
import * as words from "../views/words";
import type { LinkState } from "./link";

/** "Planner · working", "Executer · typing: you". A state of the link goes before the agent's. */
export function paneTitle(role: string, view: RunView | undefined, link: LinkState, taken: boolean): string {
  const name = words.roleName(role);
  const seen = view?.roles[role as keyof RunView["roles"]];
  if (view === undefined || seen === undefined) {
    return link === "waiting" ? `${name} · waiting` : name;
  }
  if (view.state === "ended") {
    return `${name} · run ended`;
  }
  if (link === "waiting" && seen.pane !== undefined) {
    return `${name} · reconnecting`;
  }
  return `${name} · ${taken ? "you type here" : words.agentState(seen.state)}`;
}

/** Written under the screen when nothing more can come. */
export function lastLine(view: RunView): string {
  const how = view.outcome === "limit" ? "a limit was reached" : (view.outcome ?? "ended");
  return `\x1b[2m── The run has ended: ${how} ──\x1b[0m`;
}

/** Written where a screen will be. */
export const NO_PANE_YET = "\x1b[2mThe agent is being started…\x1b[0m";
