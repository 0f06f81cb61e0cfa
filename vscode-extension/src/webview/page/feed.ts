/**
 * The list itself: of any number of items only those in view are drawn, it stays at the end while the reader is there,
 * and the keyboard moves through it. What an item looks like it is told; it knows items only by their names.
 */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import { html, nothing, render, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { guessHeight } from "../model/heights";
import type { Item } from "../model/items";

/** Closer to the end than this counts as there. */
const NEAR_END = 40;
const OVERSCAN = 6;
/** A scroll this soon after a wheel, key or press is the reader's. Milliseconds. */
const INTENT = 700;
/** Drawing finds real heights, and these may bring more items into view: how often that is followed at once. */
const PASSES = 4;

export interface FeedView {
  /** What stands in the item's row: anything that lit draws. */
  row(item: Item): unknown;
  /** Classes of the row's element. */
  classes(item: Item): string;
  label(item: Item): string;
  /** The reader moved: what is in view, or whether the end is. */
  moved(): void;
  /** Rows were drawn. */
  drawn(rows: HTMLElement): void;
}

export class Feed {
  private items: readonly Item[] = [];
  private readonly sizer: HTMLElement;
  private readonly virtual: Virtualizer<HTMLElement, HTMLElement>;
  private readonly measured = new WeakSet<Element>();
  private drawing = false;
  private stale = false;
  private active: number | undefined;
  private follows = true;
  private lastTop = 0;
  private touched = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly viewport: HTMLElement,
    private readonly view: FeedView,
  ) {
    this.sizer = document.createElement("div");
    this.sizer.className = "rows";
    viewport.append(this.sizer);
    this.virtual = new Virtualizer<HTMLElement, HTMLElement>(this.options());
    this.virtual._didMount();
    this.virtual._willUpdate();
    viewport.addEventListener("scroll", () => this.scrolled(), { passive: true });
    for (const sign of ["wheel", "pointerdown", "pointermove", "touchmove", "keydown"]) {
      const touch = (): void => {
        this.touched = performance.now();
      };
      viewport.addEventListener(sign, touch, { passive: true });
    }
    viewport.addEventListener("focusin", (event) => this.focused(event));
  }

  /** The reader is at the end and stays there when more comes. */
  get following(): boolean {
    return this.follows;
  }

  /** The item at the top of what is seen. */
  get first(): Item | undefined {
    return this.items[this.virtual.range?.startIndex ?? 0];
  }

  get activeItem(): Item | undefined {
    return this.items.find((item) => item.seq === this.active);
  }

  show(items: readonly Item[]): void {
    this.items = items;
    this.virtual.setOptions(this.options());
    this.virtual._willUpdate();
    if (this.follows) {
      this.toEnd();
    }
    this.draw();
  }

  /** Draws again what may look different although its item is the same. */
  refresh(): void {
    this.draw();
  }

  toEnd(): void {
    this.follows = true;
    if (this.items.length > 0) {
      this.virtual.scrollToEnd();
    }
    this.draw();
  }

  reveal(seq: number, align: "center" | "auto" | "start" = "center"): boolean {
    const index = this.items.findIndex((item) => item.seq === seq);
    if (index === -1) {
      return false;
    }
    this.follows = false;
    this.virtual.scrollToIndex(index, { align });
    this.activate(seq);
    return true;
  }

  /** Moves the focus by so many items, or to an end. */
  move(by: number | "first" | "last"): void {
    const at = this.items.findIndex((item) => item.seq === this.active);
    const from =
      at === -1 ? (this.virtual.range?.startIndex ?? 0) - Math.sign(by === "first" || by === "last" ? 0 : by) : at;
    const last = this.items.length - 1;
    const to = by === "first" ? 0 : by === "last" ? last : Math.min(last, Math.max(0, from + by));
    const item = this.items[to];
    if (item === undefined) {
      return;
    }
    this.follows = to === last;
    this.activate(item.seq);
    if (to === last) {
      this.toEnd();
    } else {
      this.virtual.scrollToIndex(to, { align: to === 0 ? "start" : "auto" });
      this.draw();
    }
    this.focusActive();
  }

  /** To the heading of the next round, or of the one before. */
  toRound(by: 1 | -1): void {
    const active = this.items.findIndex((item) => item.seq === this.active);
    const from = active === -1 ? (this.virtual.range?.startIndex ?? 0) : active;
    for (let at = from + by; at >= 0 && at < this.items.length; at += by) {
      if (this.items[at]?.type === "round") {
        this.move(at - from);
        return;
      }
    }
    this.move(by === 1 ? "last" : "first");
  }

  focusActive(): void {
    if (this.active === undefined) {
      this.move(this.follows ? "last" : 1);
      return;
    }
    this.sizer.querySelector<HTMLElement>(`[data-seq="${this.active}"]`)?.focus({ preventScroll: true });
  }

  /** For people who page: how many items fill the view. */
  get pageSize(): number {
    const range = this.virtual.range;
    return range === null ? 1 : Math.max(1, range.endIndex - range.startIndex - 1);
  }

  private options(): ConstructorParameters<typeof Virtualizer<HTMLElement, HTMLElement>>[0] {
    return {
      count: this.items.length,
      getScrollElement: () => this.viewport,
      getItemKey: (index) => this.items[index]?.seq ?? index,
      estimateSize: (index) => {
        const item = this.items[index];
        return item === undefined ? 40 : guessHeight(item, this.viewport.clientWidth);
      },
      overscan: OVERSCAN,
      paddingStart: 8,
      paddingEnd: 16,
      anchorTo: "end",
      scrollEndThreshold: NEAR_END,
      rangeExtractor: (range) => this.drawn(range.startIndex, range.endIndex),
      scrollToFn: elementScroll,
      observeElementRect,
      observeElementOffset,
      onChange: () => this.draw(),
    };
  }

  /** What is in view and a little around it, and the focused item, which must not vanish under the keyboard. */
  private drawn(start: number, end: number): number[] {
    const from = Math.max(0, start - OVERSCAN);
    const to = Math.min(this.items.length - 1, end + OVERSCAN);
    const indexes = Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
    const active = this.active === undefined ? -1 : this.items.findIndex((item) => item.seq === this.active);
    if (active !== -1 && active < from) {
      indexes.unshift(active);
    } else if (active > to) {
      indexes.push(active);
    }
    return indexes;
  }

  private draw(): void {
    if (this.drawing) {
      this.stale = true;
      return;
    }
    this.drawing = true;
    try {
      for (let pass = 0; pass < PASSES; pass += 1) {
        this.stale = false;
        this.drawOnce();
        if (!this.stale) {
          break;
        }
      }
      this.view.drawn(this.sizer);
    } finally {
      this.drawing = false;
    }
  }

  private drawOnce(): void {
    const shown = this.virtual.getVirtualItems();
    this.sizer.style.height = `${this.virtual.getTotalSize()}px`;
    const rows = repeat(
      shown,
      (each) => each.key,
      (each) => {
        const item = this.items[each.index];
        return item === undefined ? nothing : this.rowTemplate(item, each.index);
      },
    );
    render(rows, this.sizer);
    const places = new Map(shown.map((each) => [String(each.index), each.start]));
    const fresh: HTMLElement[] = [];
    for (const row of this.sizer.children) {
      if (row instanceof HTMLElement) {
        row.style.transform = `translateY(${places.get(row.dataset.index ?? "") ?? 0}px)`;
        if (!this.measured.has(row)) {
          this.measured.add(row);
          fresh.push(row);
        }
      }
    }
    // Measured together, so that the page is laid out once and not once a row.
    for (const row of fresh) {
      this.virtual.measureElement(row);
    }
    if (fresh.length > 0) {
      this.virtual.measureElement(null);
    }
  }

  private rowTemplate(item: Item, index: number): TemplateResult {
    const focusable = item.seq === this.active || (this.active === undefined && index === this.items.length - 1);
    return html`<article
      class="row ${this.view.classes(item)}"
      data-index=${index}
      data-seq=${item.seq}
      tabindex=${focusable ? 0 : -1}
      aria-posinset=${index + 1}
      aria-setsize=${this.items.length}
      aria-label=${this.view.label(item)}
    >${this.view.row(item)}</article>`;
  }

  private activate(seq: number): void {
    if (this.active !== seq) {
      this.active = seq;
      // New options, or the range that is drawn is not asked for again.
      this.virtual.setOptions(this.options());
      this.draw();
    }
  }

  private focused(event: FocusEvent): void {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-seq]") : null;
    if (row !== null) {
      this.activate(Number(row.dataset.seq));
    }
  }

  /** Only the reader's own way up ends the following: content that grows or shrinks moves the end, not the reader. */
  private scrolled(): void {
    const { scrollTop } = this.viewport;
    if (scrollTop < this.lastTop - 1 && performance.now() - this.touched < INTENT) {
      this.follows = false;
    }
    this.lastTop = scrollTop;
    this.follows ||= this.isNearEnd();
    this.view.moved();
  }

  private isNearEnd(): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.viewport;
    return scrollHeight - clientHeight - scrollTop <= NEAR_END;
  }
}
