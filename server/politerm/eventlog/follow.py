"""One reader's place in the log: what is stored first, then what comes, without a gap and without a double.

New events reach a reader through a queue of bounded size. A reader too slow for it loses nothing: its queue is thrown
away, and it goes on reading from the database until it has caught up. The writer never waits for it. This module does
not know how a page is read, nor who announces new events.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from politerm.core.events import Envelope
from politerm.core.wire import RunId

QUEUE_EVENTS = 1024
QUEUE_BYTES = 4 * 1024 * 1024
"""What may wait for one reader in memory, counted in stored JSON."""

POLL_SECONDS = 0.1
"""How often a reader looks at a log that another process writes."""


class Stored(NamedTuple):
    """An event as it stands in the log: `n` counts over all runs, `size` is the length of its JSON."""

    n: int
    size: int
    envelope: Envelope


class Page(NamedTuple):
    events: list[Stored]
    more: bool
    """The page was full; there may be more."""


class Follower(AsyncIterator[Envelope]):
    """An async iterator; ends with the log, or when its run is deleted. One task at a time may wait in it.

    `cursor` is a seq for one run's follower, an `n` for one of all runs (None: where the log ends at the first look).
    """

    def __init__(
        self,
        run_id: RunId | None,
        cursor: int | None,
        read_page: Callable[[RunId | None, int | None], Awaitable[tuple[int, Page]]],
        *,
        polling: bool = False,
    ) -> None:
        self.run_id = run_id
        self._cursor = cursor
        self._read_page = read_page
        self._polling = polling
        self._page: deque[Stored] = deque()
        self._queue: deque[Stored] = deque()
        self._queued_bytes = 0
        # A reader of all runs begins with the next event, so there is nothing to be read first.
        self._behind = run_id is not None or cursor is None
        self._ended = False
        self._wake = asyncio.Event()

    def announce(self, stored: Stored) -> None:
        """On the loop: an event was stored. Never waits."""
        if self._behind:
            return  # it is in the database, where this reader is going to read
        self._queue.append(stored)
        self._queued_bytes += stored.size
        if len(self._queue) > QUEUE_EVENTS or self._queued_bytes > QUEUE_BYTES:
            self._drop_queue()
            self._behind = True
        self._wake.set()

    def end(self) -> None:
        """On the loop: nothing more will come. What waits is still given out."""
        self._ended = True
        self._wake.set()

    def close(self) -> None:
        """On the loop: give out nothing more."""
        self._drop_queue()
        self._page.clear()
        self._behind = False
        self.end()

    async def aclose(self) -> None:
        self.close()

    def __aiter__(self) -> Follower:
        return self

    async def __anext__(self) -> Envelope:
        while True:
            if self._page:
                return self._given(self._page.popleft())
            if self._behind:
                await self._catch_up()
            elif self._queue:
                stored = self._queue.popleft()
                self._queued_bytes -= stored.size
                if self._cursor is None or self._place(stored) > self._cursor:
                    return self._given(stored)
            elif self._ended:
                raise StopAsyncIteration
            else:
                await self._sleep()

    async def _catch_up(self) -> None:
        """Read a page. Events stored from now on are announced, so none falls between the two."""
        self._drop_queue()
        self._behind = False
        try:
            self._cursor, page = await self._read_page(self.run_id, self._cursor)
        except BaseException:
            self._behind = True
            raise
        self._page.extend(page.events)
        self._behind = self._behind or page.more

    async def _sleep(self) -> None:
        self._wake.clear()
        if not self._polling:
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            self._behind = True

    def _given(self, stored: Stored) -> Envelope:
        self._cursor = self._place(stored)
        return stored.envelope

    def _place(self, stored: Stored) -> int:
        return stored.n if self.run_id is None else stored.envelope.seq

    def _drop_queue(self) -> None:
        self._queue.clear()
        self._queued_bytes = 0
