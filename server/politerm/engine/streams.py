"""One pane's output to everybody who watches it: merged, numbered, within each viewer's credit, waiting for nobody.

How a screen and the frames after it fit together
-------------------------------------------------
A viewer is given the whole screen once and then only what came after it. tmux answers a capture in the same stream that
carries the pane's output, so what is fed before the answer is on that screen and what is fed after it is not; but when
output and answer arrive in one read, nobody can tell any more which bytes stood on which side. So a screen is taken
as exact only when nothing at all was fed between asking and having it. If something was, the screen is taken again at
once, a few times; under a steady flood the last one is used, what came meanwhile counts as being on it, and as soon as
the pane is quiet the viewer is sent the screen once more with `reset`. A viewer that applies what it gets in order
therefore shows the right screen whenever the pane rests, and during a flood one that is right after a screenful.

Credit is counted in bytes of `data` in UTF-8. Deltas never exceed it. A reset is one frame that may: a viewer with
little credit would otherwise never see a screen again. Answers to `open` cost nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from politerm.core.wire import Role, RunId
from politerm.engine.api import PaneViewer
from politerm.errors import PoliTermError

log = logging.getLogger(__name__)

MERGE_SECONDS: Final = 0.016
"""One frame of a 60 Hz screen: what comes within it is drawn together anyway."""
MERGE_BYTES: Final = 64 * 1024
"""A frame is sent at the latest when it has grown to this, and a viewer is owed no more than this as deltas."""
DEFAULT_CREDIT: Final = 256 * 1024
"""For a viewer that names none: four of the largest frames, until it gives more."""
CREDIT_LIMIT: Final = 64 * 1024 * 1024
QUIET_SECONDS: Final = 0.1
"""After so long without output, a screen that was not exact is sent again."""
TRIES: Final = 3
TAIL_BYTES: Final = 16 * 1024
"""Kept of a pane nobody watches, so that a decoder can find its place in the middle of a character or a sequence."""


class Decoder(Protocol):
    """Raw pane bytes to safe terminal text, for any split of the bytes (core/terminal.py)."""

    def feed(self, data: bytes) -> str: ...


def _terminal_filter() -> Decoder:
    from politerm.core.terminal import TerminalFilter

    return TerminalFilter()


class _Watching:
    """One viewer of one pane."""

    def __init__(self, viewer: PaneViewer, credit: int) -> None:
        self.viewer = viewer
        self.credit = credit
        self.seq = 0
        self.pending: list[str] = []
        self.pending_bytes = 0
        self.opening = True
        """Its first screen is being taken: everything that is fed belongs to that."""
        self.owed = False
        """It is owed a screen instead of what was dropped."""
        self.inexact = False
        """Its screen may be off by what came while it was taken; sent again when the pane is quiet."""
        self.timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None


class PaneStream:
    """Feed it everything a pane prints, in order. `snapshot` gives the whole screen as terminal text, asked in the same
    stream of tmux that the fed bytes come from; it may raise PoliTermError when the pane is gone."""

    def __init__(
        self,
        run_id: RunId,
        role: Role,
        snapshot: Callable[[], Awaitable[str]],
        *,
        decoder: Callable[[], Decoder] = _terminal_filter,
    ) -> None:
        self._run_id, self._role = run_id, role
        self._snapshot = snapshot
        self._make_decoder = decoder
        self._decoder: Decoder | None = None
        self._tail = b""
        self._watching: dict[int, _Watching] = {}
        self._fed = 0
        self._quiet: asyncio.TimerHandle | None = None

    # ---- from the pane

    def feed(self, data: bytes) -> None:
        """What the pane printed. Never blocks, never raises; costs next to nothing while nobody watches."""
        self._fed += len(data)
        if not self._watching:
            self._tail = (self._tail + data)[-TAIL_BYTES:] if len(data) < TAIL_BYTES else data[-TAIL_BYTES:]
            self._decoder = None
            return
        text = self._decode(data)
        if not text:
            return
        size = cost_of(text)
        for watching in list(self._watching.values()):
            self._add(watching, text, size)

    def _decode(self, data: bytes) -> str:
        if self._decoder is None:
            self._decoder = self._make_decoder()
            self._decoder.feed(self._tail)
            self._tail = b""
        return self._decoder.feed(data)

    def gap(self, reason: str) -> None:
        """Output was lost before it came here: every viewer is owed a screen."""
        log.info("output of %s %s has a gap: %s", self._run_id, self._role, reason)
        self._fed += 1
        self._decoder = None
        self._tail = b""
        for watching in list(self._watching.values()):
            if not watching.opening:
                self._owe(watching)

    # ---- from viewers

    async def open(self, viewer: PaneViewer, credit: int | None = None) -> tuple[str, int]:
        """Start to watch: the whole screen, and the number after which frames go on. Opening again starts from a fresh
        screen, the numbers go on. Raises what `snapshot` raises."""
        given = DEFAULT_CREDIT if credit is None else min(credit, CREDIT_LIMIT)
        watching = self._watching.get(id(viewer))
        if watching is None:
            watching = self._watching[id(viewer)] = _Watching(viewer, given)
            if self._decoder is None:
                self._decode(b"")
        else:
            self._rest(watching)
            watching.credit, watching.opening = given, True
        try:
            screen, exact = await self._screen()
        except BaseException:
            if self._watching.get(id(viewer)) is watching:
                self.close(viewer)
            raise
        watching.opening = False
        self._exactness(watching, exact)
        return screen, watching.seq

    def close(self, viewer: PaneViewer) -> None:
        """Stop watching. Repeating it does no harm."""
        watching = self._watching.pop(id(viewer), None)
        if watching is not None:
            self._rest(watching)

    def end(self) -> None:
        """The pane is gone for good: what is pending is sent as far as credit goes, timers are stopped."""
        for watching in list(self._watching.values()):
            if watching.pending and not watching.owed and not watching.opening:
                self._flush(watching)
            self._rest(watching)
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None

    def credit(self, viewer: PaneViewer, amount: int) -> None:
        """The viewer has read so many bytes more."""
        watching = self._watching.get(id(viewer))
        if watching is None:
            return
        watching.credit = min(watching.credit + max(0, amount), CREDIT_LIMIT)
        if watching.opening or watching.credit <= 0:
            return
        if watching.owed:
            self._repay(watching)
        elif watching.pending and watching.timer is None:
            self._flush(watching)

    # ---- deltas

    def _add(self, watching: _Watching, text: str, size: int) -> None:
        if watching.opening or watching.owed:
            return
        watching.pending.append(text)
        watching.pending_bytes += size
        if watching.timer is None or watching.pending_bytes >= MERGE_BYTES:
            self._flush(watching)
            if watching.pending_bytes >= MERGE_BYTES:
                self._owe(watching)

    def _flush(self, watching: _Watching) -> None:
        """Send what is pending, as far as credit goes, and rest for one merge interval."""
        if watching.credit <= 0:
            return
        text = watching.pending[0] if len(watching.pending) == 1 else "".join(watching.pending)
        rest = ""
        if watching.pending_bytes > watching.credit:
            text, rest = split_at(text, watching.credit)
        watching.pending, watching.pending_bytes = ([rest], cost_of(rest)) if rest else ([], 0)
        if not text:
            return  # less credit than one character
        self._send(watching, text, reset=False)
        if watching.timer is None:
            loop = asyncio.get_running_loop()
            watching.timer = loop.call_later(MERGE_SECONDS, self._rested, watching)

    def _rested(self, watching: _Watching) -> None:
        watching.timer = None
        if watching.pending and not watching.owed and not watching.opening:
            self._flush(watching)

    def _send(self, watching: _Watching, text: str, *, reset: bool) -> None:
        watching.seq += 1
        watching.credit -= cost_of(text)
        watching.viewer.on_pane(self._run_id, self._role.value, watching.seq, text, reset)

    def _rest(self, watching: _Watching) -> None:
        watching.pending, watching.pending_bytes = [], 0
        watching.owed = watching.inexact = False
        if watching.timer is not None:
            watching.timer.cancel()
            watching.timer = None
        if watching.task is not None:
            watching.task.cancel()
            watching.task = None

    # ---- screens

    def _owe(self, watching: _Watching) -> None:
        watching.pending, watching.pending_bytes = [], 0
        watching.owed = True
        if watching.credit > 0:
            self._repay(watching)

    def _repay(self, watching: _Watching) -> None:
        if watching.task is None:
            name = f"screen of {self._run_id} {self._role}"
            watching.task = asyncio.get_running_loop().create_task(self._send_screen(watching), name=name)

    async def _send_screen(self, watching: _Watching) -> None:
        watching.owed, watching.opening = False, True
        try:
            screen, exact = await self._screen()
        except PoliTermError as error:
            # Without a pane there is no screen; the next word from pane or viewer tries again.
            log.info("no screen of %s %s: %s", self._run_id, self._role, error)
            watching.owed, watching.opening, watching.task = True, False, None
        else:
            # Not on cancellation: whoever cancelled has already set what comes next.
            watching.opening, watching.task = False, None
            self._send(watching, screen, reset=True)
            self._exactness(watching, exact)

    async def _screen(self) -> tuple[str, bool]:
        """The screen, and whether it is exact (see the top)."""
        for left in range(TRIES - 1, -1, -1):
            before = self._fed
            screen = await self._snapshot()
            if self._fed == before or not left:
                break
        return self._make_decoder().feed(screen.encode("utf-8", "replace")), self._fed == before

    def _exactness(self, watching: _Watching, exact: bool) -> None:
        watching.inexact = not exact
        if not exact and self._quiet is None:
            self._arm(self._fed)

    def _arm(self, fed: int) -> None:
        self._quiet = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._look, fed)

    def _look(self, fed: int) -> None:
        """The pane has had its time to be quiet: if it was, the inexact screens are sent again."""
        self._quiet = None
        inexact = [watching for watching in self._watching.values() if watching.inexact]
        if not inexact:
            return
        if self._fed != fed:
            self._arm(self._fed)
            return
        for watching in inexact:
            watching.inexact = False
            self._owe(watching)


def cost_of(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def split_at(text: str, size: int) -> tuple[str, str]:
    """The longest beginning of at most `size` bytes in UTF-8, and the rest. A viewer's own decoder joins them again."""
    if text.isascii():
        return text[:size], text[size:]
    head = text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
    return head, text[len(head) :]
