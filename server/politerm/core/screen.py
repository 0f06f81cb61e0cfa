"""Text on a screen: after its boundary, and whole although it scrolled through a small window.

It does not know where the screen comes from, or what the text means (core/blocks.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from politerm.core.glyphs import EDGE
from politerm.core.grid import Grid
from politerm.core.stitch import Stitcher
from politerm.core.terminal import TerminalFilter

__all__ = ["AltScreen", "Stitcher", "after_boundary", "text_of"]


def text_of(lines: Sequence[str]) -> str:
    """Rows as a text: without the blanks that fill them, and without blank rows at the end."""
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def after_boundary(text: str, prompt_id: str) -> str | None:
    """What stands after the last line with `POLI end: <prompt id>`, or None if there is no such line.

    The line may be wrapped hard, and inside a frame.
    """
    ends = [match.end() for match in _boundary(prompt_id).finditer(text)]
    return text[ends[-1] :].partition("\n")[2] if ends else None


@lru_cache(maxsize=64)
def _boundary(prompt_id: str) -> re.Pattern[str]:
    """The end line, with a break of the row allowed between any two of its characters. The blanks in it may be gone
    where a row was broken."""
    broken = rf"(?:[{EDGE}]*+\n[{EDGE}>]*+)?"
    words = [broken.join(map(re.escape, word)) for word in ("POLI", "end:", prompt_id)]
    return re.compile(rf"(?:[{EDGE}]++|{broken})".join(words) + r"(?![\w\-])")


class AltScreen:
    """Everything that a full-screen program ever drew, as one text: a full-screen program keeps no scrollback.

    Draws what is on the alternate screen, takes a picture whenever it is whole, and joins the pictures. The text is
    best read when the output has paused: a picture that is half drawn may show a line twice, or not at all.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._filter = TerminalFilter()
        self._grid = Grid(columns, rows, on_picture=self._picture, on_scrolled_off=self._scrolled_off)
        self._stitcher = Stitcher()

    @property
    def alternate(self) -> bool:
        """Is the program on the alternate screen now?"""
        return self._grid.alternate

    @property
    def gap(self) -> bool:
        """Is a part of the text missing? Where, the text says by a line of glyphs.GAP."""
        return self._stitcher.gap

    def feed(self, data: bytes) -> None:
        """The next bytes of the pane, drawn: a megabyte takes about a quarter of a second."""
        self._grid.feed(self._filter.feed(data))

    def skip(self, data: bytes, rows: Sequence[str]) -> None:
        """The next bytes of the pane, not drawn: these rows are on the screen after them. The text has a gap where they
        do not join what was there."""
        self._filter.feed(data)
        self.reset(rows)

    def reset(self, rows: Sequence[str]) -> None:
        """Go on from these rows, which are on the screen now."""
        self._grid.load(rows, alternate=self._filter.alternate)
        self._picture()

    def lines(self) -> list[str]:
        """The screen as it is."""
        return self._grid.lines()

    def text(self) -> str:
        """All that was drawn on the alternate screen, joined; lines as the program wrapped them."""
        return self._stitcher.text(self._grid.lines() if self._grid.alternate else None)

    def _picture(self) -> None:
        if self._grid.alternate:
            self._stitcher.add(self._grid.lines())
        self._grid.dirty.clear()

    def _scrolled_off(self, top: int, bottom: int, rows: list[str]) -> None:
        if self._grid.alternate:
            self._stitcher.scrolled_off(top, bottom, rows)
