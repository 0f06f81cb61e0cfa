/** What the status bar item says: the server where it is not well, else the run that matters most, and what waits. */
import type { ServerState } from "../protocol/api";
import type { RunView, Status } from "../protocol/generated";
import { roundOf, runState } from "./runRows";
import type { Hover } from "./tree";
import * as words from "./words";

export interface StatusBar {
  readonly text: string;
  readonly spoken: string;
  readonly hover: readonly Hover[];
  readonly tone: "plain" | "warning" | "error";
  /** What a click does. */
  readonly opens: "needsYou" | "timeline" | "runs" | "logs" | "trust";
  readonly runId?: string;
}

export interface Known {
  readonly server: ServerState;
  readonly status: Status | undefined;
  readonly live: readonly RunView[];
  readonly waiting: number;
  readonly now: number;
}

export function statusBar(known: Known): StatusBar {
  return troubleOf(known) ?? standing(known);
}

function troubleOf({ server, status }: Known): StatusBar | undefined {
  const explained = (text: string | undefined): Hover[] => (text === undefined ? [] : [{ kind: "words", text }]);
  switch (server.phase) {
    case "restricted":
      return {
        text: "$(workspace-untrusted) PoliTerm",
        spoken: "PoliTerm, off in Restricted Mode",
        hover: [{ kind: "title", text: "PoliTerm is off in Restricted Mode" }],
        tone: "plain",
        opens: "trust",
      };
    case "installing":
    case "starting":
      return {
        text: "$(loading~spin) PoliTerm",
        spoken: `PoliTerm, ${server.phase}`,
        hover: [{ kind: "title", text: `PoliTerm is ${server.phase}` }, ...explained(server.message)],
        tone: "plain",
        opens: "logs",
      };
    case "waiting":
      return {
        text: "$(sync~spin) PoliTerm: reconnecting",
        spoken: "PoliTerm, the server is being started again",
        hover: [{ kind: "title", text: "The server is being started again" }, ...explained(server.message)],
        tone: "warning",
        opens: "logs",
      };
    case "failed":
      return {
        text: "$(error) PoliTerm",
        spoken: "PoliTerm, the server is not running",
        hover: [{ kind: "title", text: "The server is not running" }, ...explained(server.message)],
        tone: "error",
        opens: "logs",
      };
    default:
      if (status?.health === "error") {
        return {
          text: "$(error) PoliTerm",
          spoken: `PoliTerm, ${status.message ?? "the server reports an error"}`,
          hover: [{ kind: "title", text: "The server reports an error" }, ...explained(status.message)],
          tone: "error",
          opens: "logs",
        };
      }
      return undefined;
  }
}

function standing(known: Known): StatusBar {
  const { live, waiting, status } = known;
  const bell: Bell = {
    icon: waiting > 0 ? ` $(bell-dot) ${waiting}` : "",
    spoken: waiting > 0 ? `, ${words.plural(waiting, "thing")} ${waiting === 1 ? "needs" : "need"} you` : "",
  };
  const tone = waiting > 0 || status?.health === "warning" ? "warning" : "plain";
  // One that needs somebody before one that works, one that works before one that waits for its turn.
  const rank = (view: RunView) => (view.attention > 0 ? 0 : view.state === "running" ? 1 : 2);
  const [run, ...others] = [...live].sort((a, b) => rank(a) - rank(b));
  if (run !== undefined) {
    return { ...running(run, others, known, bell), tone };
  }
  return {
    text: `$(comment-discussion) PoliTerm${bell.icon}`,
    spoken: `PoliTerm, no run under way${bell.spoken}`,
    hover: [{ kind: "title", text: "No run is under way" }, ...warningOf(status)],
    tone,
    opens: waiting > 0 ? "needsYou" : "runs",
  };
}

interface Bell {
  readonly icon: string;
  readonly spoken: string;
}

const RUN_ICONS: Partial<Record<RunView["state"], string>> = { paused: "$(debug-pause)", queued: "$(clock)" };

function running(run: RunView, others: readonly RunView[], known: Known, bell: Bell): Omit<StatusBar, "tone"> {
  const seconds = words.runSeconds(run, known.now);
  const state = run.state === "running" ? [] : [runState(run)];
  const parts = run.round > 0 ? [`round ${run.round}`, ...state] : [runState(run)];
  const more = others.length === 0 ? "" : ` +${others.length}`;
  const icon = RUN_ICONS[run.state] ?? "$(loading~spin)";
  return {
    text: `${icon} PoliTerm: ${parts.join(" · ")} · ${words.duration(seconds)}${more}${bell.icon}`,
    spoken: `PoliTerm, ${parts.join(", ")}, ${words.spokenDuration(seconds)}${bell.spoken}`,
    hover: [...[run, ...others].flatMap(runLines), ...warningOf(known.status)],
    opens: known.waiting > 0 ? "needsYou" : "timeline",
    runId: run.runId,
  };
}

/** No time in it: a hover that changes every second closes under the reader's eyes. */
function runLines(view: RunView): Hover[] {
  const roles = Object.entries(view.roles).map(
    ([role, seen]): Hover => ({
      kind: "fact",
      label: words.roleName(role),
      text: `${seen.agent}, ${words.agentState(seen.state)}`,
    }),
  );
  return [
    { kind: "title", text: words.oneLine(view.task, 80) },
    { kind: "words", text: `${runState(view)}, ${roundOf(view)}` },
    ...roles,
  ];
}

function warningOf(status: Status | undefined): Hover[] {
  return status?.health === "warning" && status.message !== undefined ? [{ kind: "words", text: status.message }] : [];
}
