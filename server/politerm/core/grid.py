"""A screen that keeps text only: no colours, no attributes, and therefore twenty times as fast as a full emulator.

It is fed what core/terminal.py lets through, so it never meets an unfinished or unknown sequence. It tells its owner
two things as they happen: that a drawing program goes back up to draw again (what is on the screen then is a whole
picture), and that rows leave it at the top of a scrolled region.

Where terminals differ it does as tmux does, which the panes are in: the cursor waits behind a full row, sequences that
tmux ignores are ignored. It does not know what was on the screen before (core/stitch.py) or what the text means.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

_TOKEN = re.compile(
    r"\x1b\[[0-9;:]*m|([^\x00-\x1f\x7f-\x9f]+)|(\r\n|[\x08-\x0f])"
    r"|\x1b\[([0-9;:?!]*) ?([@-~])|\x1b([78DEHMc]|\#8|[()][0AB])"
)
_MAYBE_WIDE = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u08ff\u0900-\u0dff\u0e31-\u0eff\u1100-\u11ff\u1ab0-\u1aff\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u20d0-\u20ff\u231a\u231b\u2329\u232a\u23e9-\u23f3\u25fd\u25fe\u2614-\u27ff\u2b1b-\u2b55"
    "\u2e80-\uabff\uac00-\ud7ff\uf900-\ufaff\ufe00-\ufe6f\uff00-\uffef\U00010000-\U0010ffff]"
)
"""Every character outside of this set takes one cell. Those inside are looked up one by one."""

_LINES = str.maketrans("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")
"""DEC special graphics, which curses programs draw their lines with."""

_ALTERNATE = frozenset({"?47", "?1047", "?1049"})


@lru_cache(maxsize=4096)
def cell_width(ch: str) -> int:
    """Cells a character takes: 0 (it joins the one before), 1, or 2, as East Asian width and category say."""
    if unicodedata.category(ch) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(ch) in "WF" else 1


class Grid:
    """`columns` x `rows` cells, a cursor, margins, and two screens. Rows are read as text without trailing blanks.

    `on_picture()` is called before something drawn is left behind: when the cursor jumps up, the screen is cleared, or
    much has changed and it scrolls. `on_scrolled_off(top, bottom, rows)` is called after rows have left the region of
    rows `top` to `bottom` by scrolling up.
    """

    def __init__(
        self,
        columns: int,
        rows: int,
        *,
        on_picture: Callable[[], None] = lambda: None,
        on_scrolled_off: Callable[[int, int, list[str]], None] = lambda _top, _bottom, _rows: None,
    ) -> None:
        self.columns, self.rows = columns, rows
        self._spaces = [" "] * columns
        self.alternate = False
        self.dirty: set[int] = set()
        """Rows that were drawn on since the owner last cleared this."""
        self._on_picture = on_picture
        self._on_scrolled_off = on_scrolled_off
        self._reset()

    def _reset(self) -> None:
        self.alternate = False
        self._cells = self._blank(self.rows)
        self._texts: list[str | None] = [""] * self.rows
        self.dirty = set(range(self.rows))
        self._other = self._blank(self.rows)
        self._x = self._y = 0
        self._tabs = set(range(8, self.columns, 8))
        self._last = ""
        self._soft_reset()
        self._save()

    def _soft_reset(self) -> None:
        self._top, self._bottom = 0, self.rows - 1
        self._wraps, self._inserts, self._from_margin = True, False, False
        self._graphics = [False, False]
        self._shifted = 0

    def _blank(self, count: int) -> list[list[str]]:
        return [self._spaces[:] for _ in range(count)]

    def lines(self) -> list[str]:
        """The screen, top to bottom."""
        for y, text in enumerate(self._texts):
            if text is None:
                self._texts[y] = "".join(self._cells[y]).rstrip()
        return [text or "" for text in self._texts]

    def load(self, lines: Sequence[str], *, alternate: bool) -> None:
        """Put these rows on the screen, as if they had been drawn; the cursor goes behind them."""
        self.alternate = alternate
        self._cells = self._blank(self.rows)
        self._touch(0, self.rows)
        for y, line in enumerate(lines[: self.rows]):
            self._x, self._y = 0, y
            if line:
                self._draw(line, wraps=False)

    # ---- input -------------------------------------------------------------------------------------------------------

    def feed(self, text: str) -> None:
        """Draw. `text` holds whole sequences only, as TerminalFilter makes them."""
        for match in _TOKEN.finditer(text):
            match match.lastindex:
                case 1:
                    self._draw(match[1], wraps=self._wraps)
                case 2:
                    self._control(match[2])
                case 4 if match[4] == "K" and not match[3]:
                    self._erase(self._y, self._x, self.columns)
                case 4:
                    self._csi(match[3], match[4])
                case 5:
                    self._escape(match[5])

    def _draw(self, text: str, *, wraps: bool) -> None:
        if self._graphics[self._shifted]:
            text = text.translate(_LINES)
        if _MAYBE_WIDE.search(text):
            for ch in text:
                self._draw_one(ch, cell_width(ch), wraps)
        else:
            self._draw_narrow(text, wraps)
        self._last = text[-1]

    def _draw_narrow(self, text: str, wraps: bool) -> None:
        """Characters of one cell each, a row at a time."""
        while text:
            if self._x >= self.columns:
                if wraps:
                    self._x = 0
                    self._line_feed()
                else:
                    self._x = self.columns - 1
                    text = text[-1:]
            room = self.columns - self._x
            part, text = text[:room], text[room:]
            if text and not wraps:
                part, text = part[:-1] + text[-1], ""
            self._put(part, len(part))

    def _draw_one(self, ch: str, width: int, wraps: bool) -> None:
        if width == 0:
            row, x = self._cells[self._y], min(self._x, self.columns) - 1
            if x > 0 and row[x] == "":
                x -= 1
            if x >= 0 and len(row[x]) < 16:
                row[x] += ch
                self._texts[self._y] = None
                self.dirty.add(self._y)
            return
        if self._x + width > self.columns:
            if wraps:
                self._x = 0
                self._line_feed()
            elif width == 1:
                self._x = self.columns - 1
            else:
                return
        self._put([ch, ""][:width], width)

    def _put(self, cells: Sequence[str], width: int) -> None:
        """Cells at the cursor, which are known to fit."""
        row, x = self._cells[self._y], self._x
        end = x + width
        if row[x] == "":
            row[x - 1] = " "
        if self._inserts:
            row[x:x] = cells
            del row[self.columns :]
        else:
            row[x:end] = cells
            if end < self.columns and row[end] == "":
                row[end] = " "
        self._x = end
        self._texts[self._y] = None
        self.dirty.add(self._y)

    def _control(self, ch: str) -> None:
        match ch:
            case "\r\n":
                self._x = 0
                self._line_feed()
            case "\r":
                self._x = 0
            case "\b":
                self._x = max(self._x - 1, 0)
            case "\t":
                last = max(self._x, self.columns - 1)
                self._x = min((stop for stop in self._tabs if stop > self._x), default=last)
            case "\x0e" | "\x0f":
                self._shifted = int(ch == "\x0e")
            case _:
                self._line_feed()

    def _escape(self, what: str) -> None:
        match what:
            case "7":
                self._save()
            case "8":
                self._restore()
            case "D":
                self._line_feed()
            case "E":
                self._x = 0
                self._line_feed()
            case "H":
                self._tabs.add(min(self._x, self.columns - 1))
            case "M":
                if self._y == self._top:
                    self._scroll_down(self._top, self._bottom, 1)
                elif self._y:
                    self._leave()
                    self._y -= 1
            case "c":
                self._on_picture()
                self._reset()
            case "#8":
                self._cells = [["E"] * self.columns for _ in range(self.rows)]
                self._touch(0, self.rows)
            case _:
                self._graphics[what[0] == ")"] = what[1] == "0"

    def _csi(self, params: str, final: str) -> None:
        if final in "hl":
            for mode in params.lstrip("?").split(";"):
                self._mode(f"{params[:1] if params[:1] == '?' else ''}{mode}", final == "h")
            return
        if final == "p":
            self._soft_reset()
            return
        numbers = [int(part) if part.isdigit() else 0 for part in params.lstrip("?!").replace(":", ";").split(";")]
        first = numbers[0]
        count = first or 1
        x, y = min(self._x, self.columns - 1), self._y
        match final:
            case "H" | "f":
                column = (numbers[1] if len(numbers) > 1 else 1) or 1
                self._move(column - 1, self._row(count))
            case "K":
                self._erase(y, *((self._x, self.columns), (0, x + 1), (0, self.columns))[min(first, 2)])
            case "A" | "F":
                self._move(0 if final == "F" else x, max(y - count, self._top if y >= self._top else 0))
            case "B" | "E":
                limit = self._bottom if y <= self._bottom else self.rows - 1
                self._move(0 if final == "E" else x, min(y + count, limit))
            case "C":
                self._x = min(x + count, self.columns - 1)
            case "D":
                self._x = max(self._x - count, 0)
            case "G" | "`":
                self._x = min(count, self.columns) - 1
            case "d":
                at = self._x
                self._move(x, self._row(count))
                self._x = at
            case "J":
                self._erase_screen(x, y, first)
            case "X" | "P" | "@" if self._x >= self.columns:
                return
            case "X":
                self._erase(y, x, min(x + count, self.columns))
            case "P" | "@":
                row, count = self._cells[y], min(count, self.columns - x)
                if final == "P":
                    del row[x : x + count]
                    row += [" "] * count
                else:
                    row[x:x] = [" "] * count
                    del row[self.columns :]
                self._touch(y, y + 1)
            case "L" | "M":
                bottom = self._bottom if self._top <= y <= self._bottom else self.rows - 1
                (self._scroll_down if final == "L" else self._scroll_up)(y, bottom, count)
            case "S":
                self._scroll_up(self._top, self._bottom, count)
            case "T":
                self._scroll_down(self._top, self._bottom, count)
            case "Z":
                for _ in range(min(count, self.columns)):
                    self._x = max((stop for stop in self._tabs if stop < self._x), default=0)
            case "b":
                if self._last:
                    self._draw(self._last * count, wraps=self._wraps)
            case "r":
                top, bottom = count - 1, (numbers[1] if len(numbers) > 1 else 0) or self.rows
                if top < min(bottom, self.rows) - 1:
                    self._top, self._bottom = top, min(bottom, self.rows) - 1
                    self._leave()
                    self._x = self._y = 0
            case "g":
                self._tabs = set() if first == 3 else self._tabs - {x}
            case "s":
                self._save()
            case "u":
                self._restore()

    def _mode(self, mode: str, on: bool) -> None:
        if mode == "4":
            self._inserts = on
        elif mode == "?7":
            self._wraps = on
        elif mode == "?6":
            self._from_margin = on
            self._move(0, self._top if on else 0)
        elif mode in _ALTERNATE and on != self.alternate:
            self._on_picture()
            self.alternate = on
            self._cells, self._other = self._other, self._cells
            if on:
                self._cells = self._blank(self.rows)
            self._touch(0, self.rows)

    # ---- what the sequences do ---------------------------------------------------------------------------------------

    def _touch(self, start: int, end: int) -> None:
        self._texts[start:end] = [None] * (end - start)
        self.dirty.update(range(start, end))

    def _move(self, x: int, y: int) -> None:
        """To a place; a program that goes up is done with a picture."""
        y = min(y, self.rows - 1)
        if y < self._y:
            self._leave()
        self._x, self._y = min(x, self.columns - 1), y

    def _row(self, number: int) -> int:
        """A row that a program names, counted from 1."""
        return min(self._top + number - 1, self._bottom) if self._from_margin else number - 1

    def _leave(self) -> None:
        """What was drawn is whole now."""
        if self.dirty:
            self._on_picture()

    def _save(self) -> None:
        self._saved = self._x, self._y, self._from_margin, self._graphics[:], self._shifted

    def _restore(self) -> None:
        x, y, self._from_margin, graphics, self._shifted = self._saved
        self._graphics = graphics[:]
        self._move(x, y)

    def _line_feed(self) -> None:
        if self._y == self._bottom:
            self._scroll_up(self._top, self._bottom, 1)
        elif self._y < self.rows - 1:
            self._y += 1

    def _erase(self, y: int, start: int, end: int) -> None:
        """Blank some cells of a row, and the other half of a wide character that is cut."""
        row = self._cells[y]
        if self._texts[y] == "" or start >= self.columns:
            # Behind a full row the cursor waits for the next character; tmux erases nothing there.
            return
        if row[start] == "":
            row[start - 1] = " "
        if end < self.columns and row[end] == "":
            row[end] = " "
        row[start:end] = self._spaces[: end - start]
        self._texts[y] = None
        self.dirty.add(y)

    def _erase_screen(self, x: int, y: int, how: int) -> None:
        if how >= 2 or (how == 0 and x == y == 0):
            self._leave()
            start, end = 0, self.rows
        elif how == 1:
            self._erase(y, 0, x + 1)
            start, end = 0, y
        else:
            self._erase(y, self._x, self.columns)
            start, end = y + 1, self.rows
        if how != 3:
            self._cells[start:end] = self._blank(end - start)
            self._touch(start, end)

    def _scroll_up(self, top: int, bottom: int, count: int) -> None:
        if len(self.dirty) > 2:
            self._on_picture()
        stop = bottom + 1
        count = min(count, stop - top)
        gone = ["".join(row).rstrip() for row in self._cells[top : top + count]]
        self._cells[top:stop] = self._cells[top + count : stop] + self._blank(count)
        self._texts[top:stop] = self._texts[top + count : stop] + [""] * count
        self._on_scrolled_off(top, bottom, gone)

    def _scroll_down(self, top: int, bottom: int, count: int) -> None:
        stop = bottom + 1
        count = min(count, stop - top)
        self._cells[top:stop] = self._blank(count) + self._cells[top : stop - count]
        self._touch(top, stop)
