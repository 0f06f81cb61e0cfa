/** The words that an event carries, untouched; an event without words as what it is. Pure. */
import type { Envelope } from "../protocol/generated";

export function rawText({ event }: Envelope): string {
  switch (event.type) {
    case "messageReceived":
    case "planEdited":
      return event.body;
    case "agentReplied":
    case "promptRequested":
    case "attentionRaised":
      return event.text;
    case "runStarted":
    case "runQueued":
      return event.task;
    case "messageRefused":
      return event.excerpt;
    default:
      return `${JSON.stringify(event, null, 2)}\n`;
  }
}
