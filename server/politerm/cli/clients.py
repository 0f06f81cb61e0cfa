"""What verbs talk to: a client of the workspace, of one connection or of whoever holds it next.

Only shapes; lsp/client.py and cli/steady.py fill them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

Json = dict[str, Any]


class Client(Protocol):
    """The part of lsp/client.py's Client that is used here."""

    @property
    def closed(self) -> asyncio.Future[None]:
        """Done when the connection is gone."""
        ...

    async def command(self, name: str, argument: Json, /) -> Any: ...

    def on(self, method: str, callback: Callable[[Any], None], /) -> None: ...


class Steady(Protocol):
    """What verbs are handed: cli/steady.py's SteadyClient."""

    async def command(self, name: str, argument: Json, /) -> Any: ...

    def on(self, method: str, callback: Callable[[Any], None], /) -> None: ...

    def on_reopened(self, callback: Callable[[], None]) -> None: ...
