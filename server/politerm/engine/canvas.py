"""Canvas: the text of a full-screen program as far as it was ever drawn.

Bytes are kept as they come and drawn when somebody looks, a slice at a time, so that a long answer that was painted at
once is whole and nothing else waits for it. A flood is not drawn: it costs a look at the screen, and leaves a gap.
Programs on the normal screen cost nothing here: tmux keeps their text itself.
"""

from __future__ import annotations

import asyncio
from typing import Final

from politerm.core.screen import AltScreen
from politerm.engine.ports import Screen

ALTERNATE = (b"\x1b[?1049h", b"\x1b[?1047h", b"\x1b[?47h")
"""How a program goes to the alternate screen."""
LONGEST = max(map(len, ALTERNATE))
SLICE: Final = 32 * 1024
"""Bytes drawn without letting anything else go on: about 8 ms."""
LIMIT: Final = 4 * 1024 * 1024
"""Bytes that are kept for drawing: a second of it. A program that repaints its whole screen for each of 300 lines
writes less than one; more at once is a flood."""
KEPT: Final = 64 * 1024
"""What is left of a flood, so that the place within an escape sequence is known again."""


class Canvas:
    def __init__(self, columns: int, rows: int) -> None:
        self._size = (columns, rows)
        self._drawn: AltScreen | None = None
        self._undrawn = bytearray()
        self._flooded = False

    def keep(self, data: bytes) -> None:
        """The next bytes of the pane."""
        self._undrawn += data
        if self._drawn is None:
            if not any(sign in self._undrawn for sign in ALTERNATE):
                del self._undrawn[:-LONGEST]
                return
            self._drawn = AltScreen(*self._size)
        if len(self._undrawn) > LIMIT:
            del self._undrawn[:-KEPT]
            self._flooded = True

    async def catch_up(self) -> None:
        """Draw what has come up to now, in slices."""
        left = len(self._undrawn)
        while self._drawn is not None and left > SLICE and not self._flooded:
            self._drawn.feed(bytes(self._undrawn[:SLICE]))
            del self._undrawn[:SLICE]
            left -= SLICE
            await asyncio.sleep(0)

    def text(self, screen: Screen) -> str | None:
        """All that was drawn up to this look; None when the program is not on the alternate screen."""
        if self._drawn is not None:
            data = bytes(self._undrawn)
            self._undrawn.clear()
            if self._flooded and screen.status.alternate:
                self._drawn.skip(data, screen.visible)
            else:
                self._drawn.feed(data)
            self._flooded = False
        elif screen.status.alternate:
            # It was there before we came: what it shows now is all that can be had.
            self._drawn = AltScreen(*self._size)
            self._drawn.feed(ALTERNATE[0])
            self._drawn.reset(screen.visible)
        return self._drawn.text() if self._drawn is not None and screen.status.alternate else None
