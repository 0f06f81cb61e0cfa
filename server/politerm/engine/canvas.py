"""Canvas: the text of a full-screen program as far as it was ever drawn.

Bytes are kept as they come and drawn when somebody looks, so that a flood costs a look and not a drawing. Programs on
the normal screen cost nothing here: tmux keeps their text itself.
"""

from __future__ import annotations

from politerm.core.screen import BACKLOG, AltScreen
from politerm.engine.ports import Screen

ALTERNATE = (b"\x1b[?1049h", b"\x1b[?1047h", b"\x1b[?47h")
"""How a program goes to the alternate screen."""
LONGEST = max(map(len, ALTERNATE))


class Canvas:
    def __init__(self, columns: int, rows: int) -> None:
        self._size = (columns, rows)
        self._drawn: AltScreen | None = None
        self._undrawn = bytearray()

    def keep(self, data: bytes) -> None:
        """The next bytes of the pane."""
        self._undrawn += data
        if self._drawn is None:
            if not any(sign in self._undrawn for sign in ALTERNATE):
                del self._undrawn[:-LONGEST]
                return
            self._drawn = AltScreen(*self._size)
        if len(self._undrawn) > 2 * BACKLOG:
            del self._undrawn[:-BACKLOG]

    def text(self, screen: Screen) -> str | None:
        """All that was drawn up to this look; None when the program is not on the alternate screen."""
        if self._drawn is not None:
            data = bytes(self._undrawn)
            self._undrawn.clear()
            self._drawn.feed(data, (lambda: screen.visible) if screen.status.alternate else None)
        elif screen.status.alternate:
            # It was there before we came: what it shows now is all that can be had.
            self._drawn = AltScreen(*self._size)
            self._drawn.feed(ALTERNATE[0])
            self._drawn.reset(screen.visible)
        return self._drawn.text() if self._drawn is not None and screen.status.alternate else None
