/** The timeline's page without an editor: its host is the test, through `window.stage`. */
import "../../webview/elements";
import "../../webview/style/timeline.css";
import { slim } from "../../webview/model/slim";
import { Page } from "../../webview/page/page";
import { connectInMemory, type HostEnd } from "../../webview/transport/memory";
import type { ToHost } from "../../webview/transport/messages";
import * as runs from "./runs";

export interface Stage {
  readonly host: HostEnd;
  readonly heard: ToHost[];
  readonly runs: typeof runs;
  readonly slim: typeof slim;
  saved: unknown;
  /** Why the host does nothing of what is asked; undefined while it does everything. */
  refuse: string | undefined;
  /** The run that is played goes on by one message. */
  goOn(): void;
  /** Tells a run as a host does: in parts, as it would come from a server. */
  play(events: ReturnType<typeof runs.everyday>["envelopes"], part?: number): void;
}

declare global {
  interface Window {
    stage: Stage;
  }
}

const root = document.getElementById("timeline");
if (root !== null) {
  const { page, host } = connectInMemory();
  const heard: ToHost[] = [];
  let playing = { runId: "", seq: 0 };
  const stage: Stage = {
    host,
    heard,
    runs,
    slim,
    saved: JSON.parse(sessionStorage.getItem("saved") ?? "null") ?? undefined,
    refuse: undefined,
    goOn: () => {
      const { runId, seq } = playing;
      const events = runs.goingOn(runId, seq + 1);
      playing = { runId, seq: seq + events.length };
      host.tell({ type: "events", events });
    },
    play: (events, part = 2000) => {
      playing = { runId: events[0]?.runId ?? "", seq: events.length };
      host.tell({ type: "run", runId: events[0]?.runId ?? "", readOnly: false });
      for (let at = 0; at < events.length; at += part) {
        host.tell({ type: "events", events: events.slice(at, at + part).map(slim) });
      }
      host.tell({ type: "connection", state: "live" });
    },
  };
  window.stage = stage;
  host.hear((message) => {
    heard.push(message);
    if (message.type === "act") {
      const { refuse } = stage;
      host.tell({ type: "done", id: message.id, ...(refuse === undefined ? {} : { failed: refuse }) });
    }
  });
  new Page(root, page, {
    read: () => stage.saved,
    write: (state) => {
      stage.saved = state;
    },
  });
}
