"""PaneOutputs: the one door that pane bytes go through. Secrets are taken out here, then the recording and every viewer
get the same bytes. Nothing here waits for a reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from politerm.core.redact import StreamRedactor
from politerm.core.wire import Role, RunId
from politerm.engine.api import PaneViewer
from politerm.engine.ports import Recordings
from politerm.engine.streams import PaneStream

FLUSH_AFTER = 0.05
"""Seconds after which the start of what might have become a secret is let through."""

Key = tuple[RunId, Role]


@dataclass
class _Door:
    redactor: StreamRedactor
    stream: PaneStream
    flush: asyncio.TimerHandle | None = None


class PaneOutputs:
    def __init__(
        self,
        recordings: Recordings,
        redactor: Callable[[], StreamRedactor],
        snapshot: Callable[[RunId, Role], Awaitable[str]],
        *,
        columns: int,
        rows: int,
    ) -> None:
        self._recordings = recordings
        self._redactor = redactor
        self._snapshot = snapshot
        self._size = (columns, rows)
        self._doors: dict[Key, _Door] = {}

    def feed(self, run_id: RunId, role: Role, data: bytes) -> None:
        door = self._door(run_id, role)
        if door.flush is not None:
            door.flush.cancel()
            door.flush = None
        self._pass(run_id, role, door, door.redactor.feed(data))
        if door.redactor.holding:
            loop = asyncio.get_running_loop()
            door.flush = loop.call_later(FLUSH_AFTER, self._let_through, run_id, role, door)

    def gap(self, run_id: RunId, role: Role, reason: str) -> None:
        self._door(run_id, role).stream.gap(reason)

    def stream(self, run_id: RunId, role: Role) -> PaneStream:
        return self._door(run_id, role).stream

    def close(self, run_id: RunId) -> None:
        """The run has ended: its last bytes are let through and its recording is closed."""
        for key in [key for key in self._doors if key[0] == run_id]:
            door = self._doors.pop(key)
            if door.flush is not None:
                door.flush.cancel()
            self._pass(*key, door, door.redactor.flush())
            door.stream.end()
        self._recordings.close(run_id)

    def stop(self, run_id: RunId, role: Role, viewer: PaneViewer) -> None:
        """The viewer no longer looks at this pane."""
        if (run_id, role) in self._doors:
            self._doors[run_id, role].stream.close(viewer)

    def credit(self, run_id: RunId, role: Role, viewer: PaneViewer, amount: int) -> None:
        if (run_id, role) in self._doors:
            self._doors[run_id, role].stream.credit(viewer, amount)

    def drop(self, viewer: PaneViewer) -> None:
        for door in self._doors.values():
            door.stream.close(viewer)

    def _door(self, run_id: RunId, role: Role) -> _Door:
        door = self._doors.get((run_id, role))
        if door is None:
            stream = PaneStream(run_id, role, lambda: self._snapshot(run_id, role))
            door = self._doors[run_id, role] = _Door(self._redactor(), stream)
            self._recordings.open(run_id, role, columns=self._size[0], rows=self._size[1])
        return door

    def _let_through(self, run_id: RunId, role: Role, door: _Door) -> None:
        door.flush = None
        self._pass(run_id, role, door, door.redactor.flush())

    def _pass(self, run_id: RunId, role: Role, door: _Door, data: bytes) -> None:
        if data:
            self._recordings.write(run_id, role, data)
            door.stream.feed(data)
