"""Each run's events to one client: in order, once, none missing, whatever happens to the source or to the reader.

The cursor of law 3, kept per run. An event that follows the cursor goes through at once. Anything else (the client does
not read, the backend was replaced, a number is missing) marks the run as behind, and a task reads on from the cursor
until it has caught up. Nothing is kept meanwhile: the log has it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from politerm.errors import PoliTermError, RunNotFound

log = logging.getLogger(__name__)

PAGE: Final = 50
"""Events read at once while catching up: small, because one may carry a long message."""
AGAIN_SECONDS: Final = 0.2
"""After a read that failed or brought nothing yet."""

Envelopes = list[dict[str, Any]]


class EventFlow:
    """read(run, after, limit) gives stored events; forward sends one; ready says whether the client can take more."""

    def __init__(
        self,
        read: Callable[[str, int, int], Awaitable[Envelopes]],
        forward: Callable[[dict[str, Any]], None],
        ready: Callable[[], bool],
    ) -> None:
        self._read, self._forward, self._ready = read, forward, ready
        self._sent: dict[str, int] = {}
        self._floor: dict[str, int] | None = None
        self._behind: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def offer(self, envelope: dict[str, Any]) -> None:
        """An event as the backend announces it."""
        run, seq = envelope["runId"], envelope["seq"]
        sent = self._sent.get(run)
        if sent is None:
            sent = self._sent[run] = self._start_of(run, seq)
        if seq <= sent:
            return
        if seq == sent + 1 and self._ready():
            self._sent[run] = seq
            self._forward(envelope)
        else:
            self._behind[run] = max(seq, self._behind.get(run, 0))
            self.resume()

    def _start_of(self, run: str, seq: int) -> int:
        """What this client is held to have seen of a run whose first event comes by.

        Before the first list of runs is here, nobody can tell: it begins with this event. A run that the list did not
        have began after it, so all of it is owed.
        """
        if self._floor is None:
            return seq - 1
        return min(self._floor.get(run, 0), seq - 1)

    def rebase(self, last: dict[str, int]) -> None:
        """A backend is there; `last` has the newest number of each run it knows. The first time this is where the
        client begins, later it is what the client must be brought to."""
        first, self._floor = self._floor is None, self._floor or {}
        # Of a run that has been told of before the first list came, the client is owed the rest all the same: the
        # backend that told of it may have died before it could say where its runs stood.
        for run in self._sent if first else {**self._floor, **self._sent, **last}:
            sent = self._sent.setdefault(run, self._floor.get(run, 0))
            if last.get(run, sent + 1) > sent:
                # A run that the list does not have may have gone on and ended in between: look.
                self._behind[run] = max(last.get(run, 0), self._behind.get(run, 0))
        self._floor.update(last)
        self.resume()

    def knows(self, run: str) -> bool:
        """Has the client been sent anything of this run?"""
        return run in self._sent

    def resume(self) -> None:
        """Something changed (the client reads again, a backend is there): catch up if anything is behind."""
        if self._behind and not self._closed and self._task is None and self._ready():
            self._task = asyncio.get_running_loop().create_task(self._catch_up(), name="lsp events behind")
            self._task.add_done_callback(self._caught_up)

    def _caught_up(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("reading events for a client failed", exc_info=error)
        if self._behind and not self._closed:
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self.resume)

    async def _catch_up(self) -> None:
        for run in list(self._behind):
            while run in self._behind and self._ready():
                if not await self._page(run):
                    break

    async def _page(self, run: str) -> bool:
        """Read and forward one page; answers whether to go on with this run now."""
        try:
            page = await self._read(run, self._sent[run], PAGE)
        except RunNotFound:
            del self._behind[run]
            return False
        except PoliTermError as error:
            log.info("events of %s cannot be read now: %s", run, error)
            return False
        for envelope in page:
            if envelope["seq"] == self._sent[run] + 1:
                self._sent[run] += 1
                self._forward(envelope)
        if self._sent[run] >= self._behind.get(run, 0) and len(page) < PAGE:
            self._behind.pop(run, None)
            return False
        return bool(page)

    def close(self) -> None:
        self._closed = True
        if self._task is not None:
            self._task.cancel()
