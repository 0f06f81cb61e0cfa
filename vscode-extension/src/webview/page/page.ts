/**
 * The timeline as a page: holds what is known, draws it, and tells the host what the reader wants.
 *
 * It speaks to a `Transport` only; whether an editor, a dashboard or a test is behind it, it cannot know.
 */
import { html, render } from "lit";
import { guard } from "lit/directives/guard.js";
import { EVERYTHING_BUT_DETAILS, type Filter, filtered, NOTHING_SHOWN, type Shown, wordsOf } from "../model/filter";
import { emptyTimeline, reduce } from "../model/fold";
import type { Item, Timeline } from "../model/items";
import { allAsMarkdown } from "../model/markdown";
import type { Act, Connection, ToPage, Transport } from "../transport/messages";
import type { Kept } from "../transport/vscode";
import { Actions } from "./actions";
import { Announcer } from "./announce";
import { bottom } from "./bottom";
import { Feed } from "./feed";
import { markFound } from "./found";
import { handleKeys } from "./keys";
import { inOneLine } from "./look";
import { type RowState, row, rowClasses } from "./rows";
import { readSaved, type Saved } from "./saved";
import { top } from "./top";

const TICK = 1000;
const REST = 300;

export class Page {
  timeline: Timeline = emptyTimeline("");
  filter: Filter = EVERYTHING_BUT_DETAILS;
  filtering = false;
  readonly unfolded = new Set<number>();
  /** Questions whose answer is on its way, and why the last one did not arrive. */
  readonly answering = new Map<string, string | undefined>();
  /** Answers that were begun, by the question's event. */
  readonly words = new Map<number, string>();
  readonly feed: Feed;
  readonly announcer: Announcer;
  readonly actions: Actions;
  readonly root: HTMLElement;
  private readOnly = false;
  private connection: Connection = "loading";
  private message: string | undefined;
  private shown: Shown = NOTHING_SHOWN;
  /** Where to go as soon as it is known. */
  private wanted: { readonly seq: number; readonly align: "start" | "center" } | undefined;
  private framed = false;
  private resting: ReturnType<typeof setTimeout> | undefined;
  private askedAfter = -1;
  private readonly parts: Record<"top" | "viewport" | "over" | "bottom", HTMLElement>;

  constructor(
    root: HTMLElement,
    private readonly transport: Transport,
    private readonly kept: Kept,
  ) {
    this.root = root;
    root.classList.add("timeline");
    const head = part(root, "header", "top");
    const middle = part(root, "main", "middle");
    this.parts = {
      top: head,
      viewport: part(middle, "div", "viewport"),
      over: part(middle, "div", "over"),
      bottom: part(root, "footer", "bottom"),
    };
    this.parts.viewport.setAttribute("role", "feed");
    this.parts.viewport.setAttribute("aria-label", "Timeline of the run");
    this.announcer = new Announcer(root);
    this.actions = new Actions(this);
    this.feed = new Feed(this.parts.viewport, {
      row: (item) => this.row(item),
      classes: (item) => rowClasses(item),
      label: inOneLine,
      moved: () => this.moved(),
      drawn: (rows) => markFound(rows, wordsOf(this.filter.text)),
    });
    this.restore(readSaved(kept.read()));
    handleKeys(this);
    transport.receive((message) => this.told(message));
    setInterval(() => this.tick(), TICK);
    transport.post({ type: "ready", after: this.timeline.seq });
    this.draw();
  }

  /** Something that is drawn has changed. Many changes within one frame are drawn once. */
  changed(): void {
    if (!this.framed) {
      this.framed = true;
      requestAnimationFrame(() => {
        this.framed = false;
        this.draw();
      });
    }
  }

  act(act: Act, id: number): void {
    this.transport.post({ type: "act", id, act });
  }

  item(seq: number): Item | undefined {
    return this.shown.passed.find((item) => item.seq === seq);
  }

  setFilter(filter: Filter): void {
    this.filter = filter;
    this.save();
    this.changed();
  }

  copyable(): string {
    return allAsMarkdown(this.shown.passed);
  }

  reveal(seq: number): void {
    if (this.feed.reveal(seq)) {
      this.feed.focusActive();
      return;
    }
    // It is filtered out: whoever asks for it wants to see it.
    if (this.timeline.items.some((item) => item.seq === seq)) {
      this.wanted = { seq, align: "center" };
      this.setFilter(EVERYTHING_BUT_DETAILS);
    }
  }

  get rows(): HTMLElement {
    return this.parts.viewport;
  }

  /** Where the reader is and what he chose, for after a reload of the window. */
  save(): void {
    const saved: Saved = {
      runId: this.timeline.run.runId,
      filter: this.filter,
      filtering: this.filtering,
      unfolded: [...this.unfolded].slice(-200),
      at: this.feed.following ? undefined : this.feed.first?.seq,
      draft: this.actions.draft,
      words: [...this.words],
    };
    this.kept.write(saved);
  }

  private restore(saved: Saved | undefined): void {
    if (saved !== undefined) {
      this.filter = saved.filter;
      this.filtering = saved.filtering;
      this.wanted = saved.at === undefined ? undefined : { seq: saved.at, align: "start" };
      for (const seq of saved.unfolded) {
        this.unfolded.add(seq);
      }
      for (const [seq, text] of saved.words) {
        this.words.set(seq, text);
      }
      this.actions.draft = saved.draft;
    }
  }

  private told(message: ToPage): void {
    switch (message.type) {
      case "run":
        this.readOnly = message.readOnly;
        if (message.runId !== this.timeline.run.runId) {
          this.timeline = emptyTimeline(message.runId);
          this.save();
        }
        break;
      case "events":
        this.heard(message.events);
        break;
      case "connection":
        this.connection = message.state;
        this.message = message.message;
        break;
      case "done":
        this.actions.done(message.id, message.failed);
        break;
      case "reveal":
        this.wanted = { seq: message.seq, align: "center" };
        break;
    }
    this.changed();
  }

  private heard(events: Extract<ToPage, { type: "events" }>["events"]): void {
    const before = this.timeline;
    this.timeline = reduce(before, events);
    if (this.timeline.gap && this.askedAfter !== this.timeline.seq) {
      this.askedAfter = this.timeline.seq;
      this.transport.post({ type: "missing", after: this.timeline.seq });
    }
    if (this.connection === "live" && this.timeline !== before) {
      this.announcer.items(this.timeline.items.filter((item) => item.seq > before.seq));
    }
    for (const id of this.answering.keys()) {
      if (!this.timeline.open.some((item) => item.attentionId === id)) {
        this.answering.delete(id);
      }
    }
  }

  private moved(): void {
    this.drawOver();
    // Scrolling tells of itself many times a second, and what is kept is written out each time.
    this.resting ??= setTimeout(() => {
      this.resting = undefined;
      this.save();
    }, REST);
  }

  private tick(): void {
    const { state } = this.timeline.run;
    if (state !== "ended" && !document.hidden) {
      this.drawTop();
      this.drawBottom();
    }
  }

  private draw(): void {
    const { items } = this.timeline;
    if (this.shown.items === items && this.shown.filter === this.filter) {
      this.feed.refresh();
    } else {
      this.shown = filtered(items, this.filter, this.shown);
      this.feed.show(this.shown.passed);
    }
    this.drawTop();
    this.drawBottom();
    this.drawOver();
    this.goWhereWanted();
  }

  private goWhereWanted(): void {
    const { wanted } = this;
    if (wanted !== undefined && this.timeline.seq >= wanted.seq) {
      this.wanted = undefined;
      // Its item, or where it would be. Headings stand before what began their round: looking for the next is no substitute.
      const item =
        this.shown.passed.find(({ seq }) => seq === wanted.seq) ??
        this.shown.passed.find(({ seq }) => seq > wanted.seq);
      if (item !== undefined) {
        this.feed.reveal(item.seq, wanted.align);
      }
    }
  }

  private drawTop(): void {
    const state = {
      run: this.timeline.run,
      now: Date.now(),
      filter: this.filter,
      filtering: this.filtering,
      shown: this.shown.passed.length,
      total: this.timeline.items.length,
      readOnly: this.readOnly,
    };
    render(top(state), this.parts.top);
  }

  private drawBottom(): void {
    const { run, open } = this.timeline;
    const { connection, message, readOnly } = this;
    const { to, queue, sending, failed } = this.actions;
    render(
      bottom({ run, open, now: Date.now(), connection, message, readOnly, to, queue, sending, failed }),
      this.parts.bottom,
    );
    this.actions.fitDraft();
  }

  private drawOver(): void {
    const { following, first } = this.feed;
    const round =
      first !== undefined && first.type !== "round" && first.round > 0 && this.rows.scrollTop > 60
        ? first.round
        : undefined;
    const jump = following || this.shown.passed.length === 0;
    render(
      html`<div class="sticky" ?hidden=${round === undefined} aria-hidden="true">Round ${round}</div>
        <button type="button" class="jump" ?hidden=${jump} data-do="latest" title="Jump to the latest (End)">
          <span class="codicon codicon-arrow-down" aria-hidden="true"></span>Latest</button>
        <div class="empty" ?hidden=${this.shown.passed.length > 0}>${this.emptyWords()}</div>`,
      this.parts.over,
    );
  }

  private emptyWords(): string {
    if (this.timeline.items.length > 0) {
      return "Nothing fits the filter.";
    }
    return this.connection === "loading" ? "Loading the run…" : "Nothing has happened yet.";
  }

  private row(item: Item): unknown {
    const ended = this.timeline.run.state === "ended";
    const question = item.type === "attention" ? item.attentionId : undefined;
    const busy = question !== undefined && this.answering.has(question) && this.answering.get(question) === undefined;
    const failed = question === undefined ? undefined : this.answering.get(question);
    const open = this.unfolded.has(item.seq);
    const words = this.words.get(item.seq) ?? "";
    const state: RowState = { open, busy, failed, ended, words, readOnly: this.readOnly };
    return guard([item, open, busy, failed, ended && question !== undefined, this.readOnly], () => row(item, state));
  }
}

function part(root: HTMLElement, tag: string, name: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = name;
  root.append(element);
  return element;
}
