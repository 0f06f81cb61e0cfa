/**
 * A run's messages by rounds, folded from its events. A plan, a revision and "continue" belong to the round that they
 * begin; everything else to the round that is under way.
 */
import type { Envelope, MessageReceived, RunEvent } from "../protocol/generated";

export interface Item {
  readonly seq: number;
  readonly at: string;
  readonly kind: "message" | "refused" | "limit" | "recovered" | "paused" | "ended";
  /** For a message: its kind on the wire; for the end: the outcome. */
  readonly what: string;
  readonly from?: string;
  readonly to?: string;
  readonly text: string;
  readonly messageId?: string;
  /** The text that a person put in its place. */
  readonly edited?: string;
}

export interface Round {
  readonly number: number;
  readonly items: readonly Item[];
}

const BEGINS = new Set(["plan", "continue", "revision"]);

export class Outline {
  private readonly found: Item[][] = [];
  /** A round that did not change is the same object. */
  private readonly told: (Round | undefined)[] = [];
  private current = 0;
  private seen = 0;

  /** Events in order; those that are known already do nothing. */
  add(events: readonly Envelope[]): void {
    for (const envelope of events) {
      if (envelope.seq > this.seen) {
        this.seen = envelope.seq;
        this.take(envelope);
      }
    }
  }

  get rounds(): readonly Round[] {
    return this.found.flatMap((items, index) => {
      if (items.length === 0) {
        return [];
      }
      const round = this.told[index] ?? { number: index + 1, items: [...items] };
      this.told[index] = round;
      return [round];
    });
  }

  message(messageId: string): Item | undefined {
    return this.found.flat().find((item) => item.messageId === messageId);
  }

  at(seq: number): Item | undefined {
    return this.found.flat().find((item) => item.seq === seq);
  }

  private take({ seq, at, event }: Envelope): void {
    if (event.type === "roundStarted") {
      this.current = event.round;
      return;
    }
    if (event.type === "planEdited") {
      this.edit(event.messageId, event.body);
      return;
    }
    const item = itemOf(event);
    if (item !== undefined) {
      const begins = event.type === "messageReceived" && event.from === "PLANNER" && BEGINS.has(event.kind);
      this.round(begins ? this.current + 1 : Math.max(1, this.current)).push({ seq, at, ...item });
    }
  }

  private edit(messageId: string, body: string): void {
    for (const [round, items] of this.found.entries()) {
      const index = items.findIndex((item) => item.messageId === messageId);
      const item = items[index];
      if (item !== undefined) {
        items[index] = { ...item, edited: body };
        this.told[round] = undefined;
      }
    }
  }

  private round(number: number): Item[] {
    while (this.found.length < number) {
      this.found.push([]);
    }
    this.told[number - 1] = undefined;
    return this.found[number - 1] as Item[];
  }
}

function itemOf(event: RunEvent): Omit<Item, "seq" | "at"> | undefined {
  switch (event.type) {
    case "messageReceived":
      return messageItem(event);
    case "messageRefused":
      return { kind: "refused", what: "refused", from: event.from, text: event.reason };
    case "limitReached":
      return { kind: "limit", what: event.limit, text: event.detail };
    case "recovered":
      return { kind: "recovered", what: event.what, from: event.role, text: event.detail };
    case "runPaused":
      return { kind: "paused", what: event.by, text: event.reason };
    case "runEnded":
      return { kind: "ended", what: event.outcome, text: event.summary ?? event.reason ?? "" };
    default:
      return undefined;
  }
}

function messageItem(event: MessageReceived): Omit<Item, "seq" | "at"> {
  const { kind, from, to, body, messageId } = event;
  return { kind: "message", what: kind, from, to, text: body, messageId };
}
