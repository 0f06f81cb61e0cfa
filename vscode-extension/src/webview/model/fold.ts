/**
 * The reducer of the timeline: events in, items out.
 *
 * `reduce` is pure. Events may come twice, late, or out of order: what is known is ignored, what is ahead of a gap is
 * left out and the gap is said, so that the page can ask again. What each event means for the list is in `changes.ts`.
 */
import type { Envelope, RunEvent } from "../../protocol/generated";
import { CHANGES, type Change } from "./changes";
import { type Draft, setRun } from "./draft";
import type { Timeline } from "./items";
import { inWords } from "./text";

export function emptyTimeline(runId: string): Timeline {
  return {
    run: {
      runId,
      state: "unknown",
      task: "",
      mode: "",
      cwd: "",
      limits: { perRole: {} },
      round: 0,
      roles: {},
      usage: { tokensIn: 0, tokensOut: 0, byRole: {} },
      clock: 0,
      at: 0,
      comparable: false,
    },
    seq: 0,
    items: [],
    open: [],
    gap: false,
  };
}

/** The timeline after these events, of which those that fit are taken. The same object when none does. */
export function reduce(timeline: Timeline, batch: readonly Envelope[]): Timeline {
  const fresh = batch
    .filter((envelope) => envelope.runId === timeline.run.runId && envelope.seq > timeline.seq)
    .sort((a, b) => a.seq - b.seq);
  if (fresh.length === 0) {
    return timeline;
  }
  const draft: Draft = {
    run: { ...timeline.run },
    items: [...timeline.items],
    open: [...timeline.open],
    roundAt: lastRound(timeline),
  };
  let seq = timeline.seq;
  let gap = false;
  for (const envelope of fresh) {
    if (envelope.seq === seq + 1) {
      seq = envelope.seq;
      apply(draft, envelope);
    } else if (envelope.seq > seq) {
      gap = true;
      break;
    }
  }
  if (seq === timeline.seq) {
    return gap === timeline.gap ? timeline : { ...timeline, gap };
  }
  return { run: draft.run, seq, items: draft.items, open: draft.open, gap };
}

function apply(draft: Draft, envelope: Envelope): void {
  const parsed = Date.parse(envelope.at);
  const place = { seq: envelope.seq, at: Number.isNaN(parsed) ? 0 : parsed, round: draft.run.round };
  const clock = Math.max(draft.run.clock, envelope.clock ?? 0);
  setRun(draft, { clock, at: place.at });
  const change = CHANGES[envelope.event.type] as Change<RunEvent> | undefined;
  if (change === undefined) {
    // A server that is newer than this page: better a word than a hole.
    draft.items.push({
      ...place,
      type: "notice",
      level: "detail",
      icon: "circle-small",
      text: inWords(envelope.event.type),
    });
  } else {
    change(draft, envelope.event, { ...place, clock });
  }
}

function lastRound(timeline: Timeline): number {
  return timeline.items.findLastIndex((item) => item.type === "round");
}
