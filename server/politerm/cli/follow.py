"""A run as a stream of envelopes: what is stored first, then what is new, each once, in order, until its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from politerm.cli.clients import Json, Steady

PAGE = 1000
"""Envelopes that are asked for at once."""


class Follower:
    """Listens from the moment it is made, so that nothing between a start and the first look is missed.

    Notifications only wake it: what it yields is read from the log by number, so a dropped one costs nothing.
    """

    def __init__(self, client: Steady) -> None:
        self._client = client
        self._news = asyncio.Event()
        self._views: dict[str, Json] = {}
        self._on_changed: Callable[[Json], None] = lambda view: None
        client.on("politerm/event", self._on_event)
        client.on("politerm/runChanged", self._on_view)
        client.on_reopened(self._news.set)

    def _on_event(self, _params: Any) -> None:
        self._news.set()

    def _on_view(self, params: Any) -> None:
        self._views[params["runId"]] = params
        self._news.set()
        self._on_changed(params)

    def on_changed(self, callback: Callable[[Json], None]) -> None:
        """Called with every RunView that is announced; those that were, at once."""
        self._on_changed = callback
        for view in self._views.values():
            callback(view)

    async def envelopes(self, run_id: str, *, after: int = 0) -> AsyncIterator[Json]:
        """Every envelope of the run after `after`; ends with the one that ends the run."""
        while True:
            self._news.clear()
            while page := await self._page(run_id, after):
                for envelope in page:
                    after = envelope["seq"]
                    yield envelope
                    if envelope["event"]["type"] == "runEnded":
                        return
            await self._news.wait()

    async def _page(self, run_id: str, after: int) -> list[Json]:
        answer = await self._client.command("politerm.run.events", {"runId": run_id, "after": after, "limit": PAGE})
        return list(answer["events"])


async def stored(client: Steady, run_id: str) -> list[Json]:
    """All envelopes of a run that are stored now."""
    found: list[Json] = []
    while True:
        after = found[-1]["seq"] if found else 0
        answer = await client.command("politerm.run.events", {"runId": run_id, "after": after, "limit": PAGE})
        if not answer["events"]:
            return found
        found += answer["events"]
