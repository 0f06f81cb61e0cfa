"""Who answers a connection's commands: the engine in this process, or (lsp/proxy.py) the process that holds the lock.

Above this line everything is plain JSON, so that the front is the same for both.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

from politerm.errors import PoliTermError

if TYPE_CHECKING:
    from politerm.core.events import Envelope
    from politerm.core.views import Attention, RunView
    from politerm.core.wire import RunId
    from politerm.engine.api import EngineApi, Status

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where a backend's notifications go, as the JSON of contract section 3. On the loop; none may block."""

    def event(self, envelope: dict[str, Any]) -> None: ...

    def run_changed(self, view: dict[str, Any]) -> None: ...

    def attention_changed(self, items: dict[str, Any]) -> None: ...

    def status(self, status: dict[str, Any]) -> None: ...

    def pane_output(self, frame: dict[str, Any]) -> None: ...


class Backend(Protocol):
    @property
    def lost(self) -> asyncio.Future[None] | None:
        """Done when this backend can answer no more; None: it lives as long as this process."""
        ...

    async def command(self, name: str, arguments: dict[str, Any]) -> Any:
        """A command's JSON result. Raises PoliTermError."""
        ...

    def credit(self, params: dict[str, Any]) -> None: ...

    async def trust(self, trusted: bool | None) -> None: ...

    async def close(self) -> None: ...


class LocalBackend:
    """The engine of this process, seen by one connection. It is the engine's Listener and PaneViewer at once."""

    lost = None

    def __init__(self, engine: EngineApi, sink: Sink) -> None:
        self._engine, self._sink = engine, sink
        self._said: bool | None = None
        self._unsubscribe = engine.subscribe(self)
        sink.status(engine.status().to_json())

    async def command(self, name: str, arguments: dict[str, Any]) -> Any:
        # Loaded here: the models of all commands take longer than answering `initialize`.
        from politerm.lsp.commands import Call, run_command

        return await run_command(Call(self._engine, self, self._trusted), name, arguments)

    async def _trusted(self) -> bool:
        """A client's own word rules for that client; without one the user's stored answer for the folder does."""
        return self._said if self._said is not None else await self._engine.trust(None, wanted=True)

    def credit(self, params: dict[str, Any]) -> None:
        from politerm.engine.requests import PaneCredit, PaneRef
        from politerm.lsp.explain import read_arguments

        try:
            read = read_arguments("politerm/paneCredit", PaneCredit, params)
            self._engine.pane_credit(PaneRef(run_id=read.run_id, role=read.role), self, read.bytes)
        except PoliTermError as error:
            log.warning("pane credit ignored: %s", error)

    async def trust(self, trusted: bool | None) -> None:
        self._said = trusted
        await self._engine.trust(trusted)

    async def close(self) -> None:
        self._unsubscribe()
        self._engine.drop_viewer(self)

    def on_event(self, envelope: Envelope) -> None:
        self._sink.event(envelope.to_json())

    def on_run_changed(self, view: RunView) -> None:
        self._sink.run_changed(view.to_json())

    def on_attention_changed(self, items: list[Attention]) -> None:
        self._sink.attention_changed({"items": [item.to_json() for item in items]})

    def on_status(self, status: Status) -> None:
        self._sink.status(status.to_json())

    def on_pane(self, run_id: RunId, role: str, seq: int, data: str, reset: bool) -> None:
        frame = {"runId": run_id, "role": str(role), "seq": seq, "data": data}
        if reset:
            frame["reset"] = True
        self._sink.pane_output(frame)
