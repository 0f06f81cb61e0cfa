/**
 * Leaves out of an event what no timeline shows, before it travels to a page: prompts repeat whole messages, and a run's
 * first event holds its primers. The page's reducer makes the same of both, and what was left out is shown on request
 * from the log itself. Pure.
 */
import type { Envelope, RunEvent } from "../../protocol/generated";
import { besideMessages } from "./text";

export function slim(envelope: Envelope): Envelope {
  const event = slimmed(envelope.event);
  return event === envelope.event ? envelope : { ...envelope, event };
}

function slimmed(event: RunEvent): RunEvent {
  switch (event.type) {
    case "runQueued":
    case "runStarted":
      return { ...event, primers: {}, project: "", context: "", seed: "" };
    case "promptRequested":
      return { ...event, text: "", key: "", cursor: undefined };
    case "agentReplied":
      return { ...event, text: besideMessages(event.text) };
    case "messageReceived":
      return Object.keys(event.header).length === 0 ? event : { ...event, header: {} };
    default:
      return event;
  }
}
