/**
 * A pane of its own size shown in a terminal of another size.
 *
 * A pane keeps at least 160 x 50 cells, a panel rarely has them, and VS Code's `overrideDimensions` can only make a
 * terminal smaller. So the pane's output goes to a terminal without a window, and what that shows is written to the
 * view: rows that are too long are wrapped, what has scrolled away goes into the view's own scrollback, where it can be
 * searched and selected, and only rows that changed are written again.
 *
 *     view's scrollback   rows [0, top) of the document; written once, never again
 *     view's screen       rows [top, top + height)
 *
 * When a row that has left the screen changes after all (a program redraws its whole screen), the document is written
 * afresh, but only when the pane has been quiet for a moment. This module does not know VS Code.
 */

import { Unicode11Addon } from "@xterm/addon-unicode11";
import { type IBufferCell, type IMarker, Terminal } from "@xterm/headless";
import { type Piece, piecesOf } from "./rows";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Runs `work` after so many milliseconds; the answer takes it back. */
export type Later = (milliseconds: number, work: () => void) => () => void;

const PAINT_EVERY = 16;
const QUIET = 300;
const LONGEST_QUIET = 10_000;
const SCROLLBACK = 1000;
/** Lines kept; twice as many are reached before the oldest are forgotten. VS Code's terminal keeps 1,000 by default. */
const KEPT = 1500;

interface Document {
  readonly lines: readonly string[];
  /** How many of them say something; blank ones fill the view. */
  readonly content: number;
  readonly cursor: { readonly line: number; readonly column: number };
}

export class PaneMirror {
  private readonly terminal: Terminal;
  private view: Size;
  private cursorShown = true;
  private last: string | undefined;
  private mark: IMarker | undefined;
  private cursorKeys = false;
  private told = "";

  private history: string[] = [];
  /** How many lines of the history, its last ones, are still rows of the terminal's buffer. */
  private inBuffer = 0;
  private top: string[] = [];
  private shown: string[] | undefined;
  private stale = false;
  private quiet = QUIET;

  private painting: (() => void) | undefined;
  private settling: (() => void) | undefined;

  constructor(
    private readonly write: (text: string) => void,
    private readonly later: Later,
    pane: Size,
  ) {
    this.terminal = this.fresh(pane);
    this.view = pane;
  }

  /** What the pane printed. `read` is called when it has been drawn. */
  feed(data: string, read?: () => void): void {
    this.terminal.write(data, () => {
      read?.();
      this.wantPaint();
    });
  }

  /** The whole screen instead of what there was; what has scrolled away before stays. */
  reset(data: string, pane: Size, read?: () => void): void {
    this.terminal.write("", () => {
      this.remember();
      this.inBuffer = 0;
      this.cursorShown = true;
      this.cursorKeys = false;
      this.terminal.resize(pane.columns, pane.rows);
    });
    this.feed(`\x1bc${data}`, read);
  }

  /** The last line, below everything: the pane is over and has no cursor any more. */
  finish(line: string): void {
    this.terminal.write("", () => {
      this.last = line;
      this.cursorShown = false;
      this.wantPaint();
    });
  }

  resize(view: Size): void {
    if (view.columns === this.view.columns && view.rows === this.view.rows) return;
    if (view.columns !== this.view.columns) {
      this.history.length -= Math.min(this.inBuffer, this.history.length);
      this.inBuffer = 0;
      this.mark?.dispose();
    }
    this.view = { columns: Math.max(2, view.columns), rows: Math.max(1, view.rows) };
    this.shown = undefined;
    this.wantPaint();
  }

  /** Write everything afresh, for a view that has just come or was cleared. */
  refresh(): void {
    this.shown = undefined;
    this.wantPaint();
  }

  dispose(): void {
    this.painting?.();
    this.settling?.();
    this.terminal.dispose();
  }

  private fresh(pane: Size): Terminal {
    const terminal = new Terminal({
      cols: pane.columns,
      rows: pane.rows,
      scrollback: SCROLLBACK,
      allowProposedApi: true,
    });
    // tmux gives an emoji two columns, as this table does and the built-in one does not.
    terminal.loadAddon(new Unicode11Addon());
    terminal.unicode.activeVersion = "11";
    const mode = (on: boolean) => (params: (number | number[])[]) => {
      for (const param of params) {
        if (param === 25) this.cursorShown = on;
        if (param === 1) this.cursorKeys = on;
      }
      return false;
    };
    terminal.parser.registerCsiHandler({ prefix: "?", final: "h" }, mode(true));
    terminal.parser.registerCsiHandler({ prefix: "?", final: "l" }, mode(false));
    return terminal;
  }

  private wantPaint(): void {
    this.painting ??= this.later(PAINT_EVERY, () => {
      this.painting = undefined;
      this.paint();
    });
  }

  // ---- the document

  /** Rows that scrolled off the pane's screen since the last look join the history. */
  private remember(): void {
    const buffer = this.terminal.buffer.normal;
    if (this.terminal.buffer.active.type === "alternate") return;
    const seen = this.mark === undefined || this.mark.isDisposed ? -1 : this.mark.line;
    const cell = buffer.getNullCell();
    const remembered: string[] = [];
    for (let row = seen + 1; row < buffer.baseY; row++) {
      for (const piece of this.pieces(row, cell)) remembered.push(piece.text);
    }
    this.history.push(...remembered);
    this.inBuffer += remembered.length;
    this.mark?.dispose();
    this.mark = buffer.baseY > 0 ? this.terminal.registerMarker(-buffer.cursorY - 1) : undefined;
    if (this.history.length > 2 * KEPT) {
      const gone = this.history.length - KEPT;
      if (this.top.length < gone) this.shown = undefined;
      this.history.splice(0, gone);
      this.top.splice(0, gone);
    }
  }

  private pieces(row: number, cell: IBufferCell): readonly Piece[] {
    const line = this.terminal.buffer.active.getLine(row);
    return line === undefined ? [] : piecesOf(line, this.view.columns, cell);
  }

  /** History and screen, and where the cursor stands in them. Blank rows at the screen's end do not count. */
  private document(): Document {
    this.remember();
    const buffer = this.terminal.buffer.active;
    const cell = buffer.getNullCell();
    const lines = [...this.history];
    const cursor = { line: 0, column: 0 };
    let end = lines.length;
    for (let row = 0; row < this.terminal.rows; row++) {
      const pieces = this.pieces(buffer.baseY + row, cell);
      if (row === buffer.cursorY) {
        const at = pieces.findIndex((piece, index) => buffer.cursorX < piece.to || index === pieces.length - 1);
        cursor.line = lines.length + Math.max(0, at);
        cursor.column = Math.min(buffer.cursorX - (pieces[at]?.from ?? 0), this.view.columns - 1);
        if (this.cursorShown) end = cursor.line + 1;
      }
      for (const piece of pieces) {
        lines.push(piece.text);
        if (piece.text !== "") end = lines.length;
      }
    }
    lines.length = end;
    if (this.last !== undefined) {
      lines.push("", this.last);
    }
    const content = lines.length;
    // As in any terminal, what has scrolled away never stands above a screen that has become short.
    while (lines.length < this.history.length + this.view.rows) {
      lines.push("");
    }
    return { lines, content, cursor };
  }

  // ---- the view

  private paint(): void {
    const { lines, content, cursor } = this.document();
    const out: string[] = [];
    if (this.shown === undefined) {
      this.rewrite(lines, out);
    } else {
      this.stale ||= !this.topFits(lines, content);
      if (this.stale) this.approximate(lines, out);
      else this.advance(lines, out);
    }
    const at = cursor.line - (this.stale ? Math.max(0, lines.length - this.view.rows) : this.top.length);
    const seen = this.cursorShown && at >= 0 && at < this.view.rows;
    // Cursor keys in the program's own mode, so that a reader who takes over types what it expects.
    const keys = this.cursorKeys ? "\x1b[?1h" : "\x1b[?1l";
    const end = keys + (seen ? `\x1b[${at + 1};${cursor.column + 1}H\x1b[?25h` : "\x1b[?25l");
    if (out.length === 0 && end === this.told) return;
    this.told = end;
    this.write(out.join("") + end);
  }

  /** Is what stands in the view's scrollback still the document's beginning, with enough of it left to see? */
  private topFits(lines: readonly string[], content: number): boolean {
    const top = this.top;
    const needed = Math.max(0, lines.length - this.view.rows);
    if (top.length > needed && content - top.length < Math.min(content, this.view.rows) / 2) return false;
    for (let index = top.length - 1; index >= 0; index--) {
      if (top[index] !== lines[index]) return false;
    }
    return true;
  }

  private advance(lines: readonly string[], out: string[]): void {
    const height = this.view.rows;
    const from = this.top.length;
    const steps = Math.max(0, lines.length - height - from);
    this.draw(lines.slice(from, from + height), out);
    if (steps === 0) return;
    this.quiet = QUIET;
    out.push(`\x1b[${height};1H`);
    for (let step = 0; step < steps; step++) out.push(`\r\n${lines[from + height + step] ?? ""}`);
    for (const line of lines.slice(from, from + steps)) this.top.push(line);
    this.shown = lines.slice(from + steps, from + steps + height);
  }

  /** The document's end, while what has scrolled away no longer fits it; made right when the pane is quiet. */
  private approximate(lines: readonly string[], out: string[]): void {
    this.draw(lines.slice(Math.max(0, lines.length - this.view.rows)), out);
    this.settling?.();
    this.settling = this.later(this.quiet, () => {
      this.settling = undefined;
      this.quiet = Math.min(this.quiet * 2, LONGEST_QUIET);
      this.shown = undefined;
      this.paint();
    });
  }

  private draw(wanted: readonly string[], out: string[]): void {
    const shown = this.shown ?? [];
    for (let row = 0; row < this.view.rows; row++) {
      const line = wanted[row] ?? "";
      if (line !== (shown[row] ?? "")) out.push(`\x1b[${row + 1};1H\x1b[K${line}`);
    }
    this.shown = wanted.slice(0, this.view.rows);
  }

  private rewrite(lines: readonly string[], out: string[]): void {
    this.stale = false;
    this.settling?.();
    this.settling = undefined;
    const from = Math.max(0, lines.length - this.view.rows);
    // A character that is wider here than there must not push what follows onto the next row: no wrapping.
    out.push("\x1b[0m\x1b[?7l\x1b[H\x1b[2J\x1b[3J", lines.join("\r\n"));
    this.top = lines.slice(0, from);
    this.shown = lines.slice(from);
  }
}
