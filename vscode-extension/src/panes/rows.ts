/**
 * One row of a terminal's buffer as lines of coloured text that fit a narrower view: frames are cut, words are wrapped.
 *
 * Every line stands alone: it starts and ends without attributes, so that any of them can be written anywhere. This
 * module knows the cells of a buffer and nothing of what they mean.
 */

import type { IBufferCell, IBufferLine } from "@xterm/headless";

/** A line of the view; it shows the columns `from` (inclusive) to `to` (exclusive) of the pane's row. */
export interface Piece {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

interface Cell {
  readonly chars: string;
  readonly style: string;
}

const EMPTY: readonly Piece[] = [{ text: "", from: 0, to: 0 }];

/** Lines, blocks and bars that programs draw frames with: they say nothing when they are cut off. */
const FRAME = /^[\u2500-\u259f|]$/u;

export function piecesOf(line: IBufferLine, width: number, scratch: IBufferCell): readonly Piece[] {
  const cells = read(line, scratch);
  const drawn = (cell: Cell) => cell.chars !== " " || cell.style !== "";
  let end = lastThat(cells, cells.length, drawn);
  if (end === 0) return EMPTY;
  if (end > width && isRule(cells, end)) {
    end = width;
  } else if (end > width) {
    // What stands beyond the view is only blanks and the frame's right side: the words before them are all there is.
    const words = lastThat(cells, end, (cell) => cell.chars !== " " && cell.chars !== "" && !FRAME.test(cell.chars));
    end = words <= width ? lastThat(cells, width, drawn) : words;
  }
  const pieces: Piece[] = [];
  for (let from = 0; from < end; ) {
    const to = end - from <= width ? end : breakAfter(cells, from, width);
    pieces.push({ text: painted(cells, from, to), from, to });
    from = to;
  }
  return pieces;
}

/** A line drawn with one character, as `-----`. */
function isRule(cells: readonly Cell[], end: number): boolean {
  const drawn = cells.slice(0, end).filter(({ chars }) => chars !== " ");
  const first = drawn[0]?.chars ?? "";
  return /^[^\p{L}\p{N}]$/u.test(first) && drawn.every(({ chars }) => chars === first);
}

/** Cells by column; the second column of a wide character is a cell without characters. */
function read(line: IBufferLine, scratch: IBufferCell): Cell[] {
  const cells: Cell[] = [];
  for (let column = 0; column < line.length; column++) {
    const cell = line.getCell(column, scratch);
    if (cell === undefined) break;
    const chars = cell.getWidth() === 0 ? "" : cell.getChars() || " ";
    cells.push({ chars, style: cell.isAttributeDefault() ? "" : styleOf(cell) });
  }
  return cells;
}

/** One more than the index of the last cell before `end` that fits; 0 where there is none. */
function lastThat(cells: readonly Cell[], end: number, fits: (cell: Cell) => boolean): number {
  let index = end;
  while (index > 0 && !fits(cells[index - 1] as Cell)) index--;
  return index;
}

/** Where to break: behind the last blank of the line's last third, else at its end, never inside a wide character. */
function breakAfter(cells: readonly Cell[], from: number, width: number): number {
  const end = from + width;
  if (cells[end]?.chars === " ") return end;
  for (let index = end; index > end - width / 3; index--) {
    if (cells[index - 1]?.chars === " ") return index;
  }
  return cells[end]?.chars === "" && width > 1 ? end - 1 : end;
}

function painted(cells: readonly Cell[], from: number, to: number): string {
  let text = "";
  let style = "";
  for (let index = from; index < to; index++) {
    const cell = cells[index] as Cell;
    if (cell.chars === "") continue;
    if (cell.style !== style) {
      text += style === "" ? cell.style : `\x1b[0m${cell.style}`;
      style = cell.style;
    }
    text += cell.chars;
  }
  return style === "" ? text : `${text}\x1b[0m`;
}

function styleOf(cell: IBufferCell): string {
  const codes: string[] = [];
  if (cell.isBold()) codes.push("1");
  if (cell.isDim()) codes.push("2");
  if (cell.isItalic()) codes.push("3");
  if (cell.isUnderline()) codes.push("4");
  if (cell.isInverse()) codes.push("7");
  if (cell.isInvisible()) codes.push("8");
  if (cell.isStrikethrough()) codes.push("9");
  if (!cell.isFgDefault()) codes.push(colour(cell.getFgColor(), cell.isFgRGB(), 30));
  if (!cell.isBgDefault()) codes.push(colour(cell.getBgColor(), cell.isBgRGB(), 40));
  return codes.length === 0 ? "" : `\x1b[${codes.join(";")}m`;
}

/** The first 16 colours by their short codes, because themes change those. */
function colour(value: number, rgb: boolean, base: 30 | 40): string {
  if (rgb) return `${base + 8};2;${(value >> 16) & 255};${(value >> 8) & 255};${value & 255}`;
  if (value < 8) return `${base + value}`;
  return value < 16 ? `${base + 52 + value}` : `${base + 8};5;${value}`;
}
