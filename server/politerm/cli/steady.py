"""A client of the workspace that outlives the process it is connected to.

When the holder dies, the workspace is opened again (perhaps this process holds it then) and what was asked is asked
again where asking twice does no harm. It does not know what is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Self

from politerm.cli.clients import Client, Json
from politerm.errors import HolderGone
from politerm.lsp.catalog import REPEATABLE

TRIES = 5
"""Times that the workspace is opened again in a row before the error is shown."""


class SteadyClient:
    """`open` gives a new client each time it is called. Used as an async context manager."""

    def __init__(self, open: Callable[[], AbstractAsyncContextManager[Client]]) -> None:
        self._open = open
        self._stack = AsyncExitStack()
        self._client: Client | None = None
        self._callbacks: list[tuple[str, Callable[[Any], None]]] = []
        self._reopened: list[Callable[[], None]] = []
        self._reopening = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._connect()
        self._watch = asyncio.create_task(self._keep(), name="steady client")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self._stack.aclose()

    def on(self, method: str, callback: Callable[[Any], None], /) -> None:
        self._callbacks.append((method, callback))
        if self._client is not None:
            self._client.on(method, callback)

    def on_reopened(self, callback: Callable[[], None]) -> None:
        """Called whenever a lost connection has been replaced: notifications may have been missed."""
        self._reopened.append(callback)

    async def command(self, name: str, argument: Json, /) -> Any:
        """A command's JSON result. Raises PoliTermError; HolderGone where nobody can tell whether it happened."""
        for attempt in range(TRIES + 1):
            client = self._client
            assert client is not None, "used outside of its context"
            try:
                return await client.command(name, argument)
            except HolderGone:
                again = name in REPEATABLE and (name != "politerm.run.start" or "runId" in argument)
                if not again or attempt == TRIES:
                    raise
                await self._reopen(client)
        raise AssertionError("unreachable")

    async def _connect(self) -> None:
        client = await self._stack.enter_async_context(self._open())
        for method, callback in self._callbacks:
            client.on(method, callback)
        self._client = client

    async def _reopen(self, lost: Client) -> None:
        async with self._reopening:
            if self._client is not lost:
                return  # somebody else has done it
            await self._stack.aclose()
            await self._connect()
        for callback in self._reopened:
            callback()

    async def _keep(self) -> None:
        """Replace a lost connection also when nothing is asked, so that followers go on."""
        while True:
            client = self._client
            assert client is not None
            await asyncio.wait([client.closed])
            await self._reopen(client)
