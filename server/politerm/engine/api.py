"""What a front door (LSP connection, command line, dashboard) may ask of the engine.

Arguments are the models of engine/requests.py, answers are views and events. Errors are those of errors.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from politerm.core.events import Envelope
from politerm.core.views import Attention, RunView
from politerm.core.wire import PromptId, RunId, Wire
from politerm.engine import requests as rq
from politerm.engine.ports import Hit


class PaneOpened(Wire):
    """`snapshot` is safe terminal text of the whole screen; the first paneOutput after it has number `seq` + 1."""

    pane: str
    columns: int
    rows: int
    snapshot: str
    seq: int


class PaneSize(Wire):
    columns: int
    rows: int


class AgentView(Wire):
    """A profile with what is known of its program here."""

    name: str
    command: tuple[str, ...]
    available: bool
    path: str | None = None
    version: str | None = None
    witness: str | None = None
    permission_mode: str | None = None
    source: str
    """Where the profile comes from: built-in, user, or command."""


class Status(Wire):
    """`politerm/serverStatus`."""

    health: Literal["ok", "warning", "error"] = "ok"
    message: str | None = None
    holder: bool = True
    read_only: bool = False


class PaneViewer(Protocol):
    """One reader of opened panes. `on_pane` never blocks; it is called on the loop, frames already coalesced."""

    def on_pane(self, run_id: RunId, role: str, seq: int, data: str, reset: bool) -> None: ...


class Listener(Protocol):
    """One reader of everything that is not a pane. All calls on the loop, none may block."""

    def on_event(self, envelope: Envelope) -> None: ...

    def on_run_changed(self, view: RunView) -> None: ...

    def on_attention_changed(self, items: list[Attention]) -> None: ...

    def on_status(self, status: Status) -> None: ...


class EngineApi(Protocol):
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Everything from now on; call the answer to stop."""
        ...

    def status(self) -> Status: ...

    async def trust(self, trusted: bool | None, *, wanted: bool = False) -> bool:
        """What a client says of this folder (None: nothing). Answers whether it is trusted; the first yes adopts old
        runs. With neither a word nor a stored answer an attention item of kind `trust` is raised; where another client
        has said yes already, only when it is `wanted`: something is to be started."""
        ...

    async def start_run(self, request: rq.StartRun, *, trusted: bool) -> RunId: ...

    async def list_runs(self, request: rq.ListRuns) -> list[RunView]: ...

    async def get_run(self, run_id: RunId) -> RunView: ...

    async def read_events(self, request: rq.ReadEvents) -> tuple[list[Envelope], int]: ...

    async def pause(self, request: rq.RunAct) -> RunView: ...

    async def resume(self, request: rq.RunAct) -> RunView: ...

    async def retry(self, request: rq.RunAct) -> RunView: ...

    async def stop(self, request: rq.RunAct) -> RunView: ...

    async def delete(self, request: rq.RunAct) -> RunView: ...

    async def configure(self, request: rq.ConfigureRun) -> RunView: ...

    async def interrupt(self, request: rq.InterruptRun) -> RunView: ...

    async def export(self, request: rq.ExportRun) -> str: ...

    async def search(self, request: rq.SearchText) -> list[Hit]: ...

    async def send(self, request: rq.SendMessage) -> PromptId: ...

    async def list_attention(self, request: rq.ListAttention) -> list[Attention]: ...

    async def answer(self, request: rq.AnswerAttention) -> Attention: ...

    async def open_pane(self, request: rq.OpenPane, viewer: PaneViewer) -> PaneOpened: ...

    async def close_pane(self, request: rq.PaneRef, viewer: PaneViewer) -> None: ...

    def pane_credit(self, request: rq.PaneRef, viewer: PaneViewer, bytes_read: int) -> None: ...

    def drop_viewer(self, viewer: PaneViewer) -> None:
        """The viewer's connection is gone: close all its panes, end its take-overs."""
        ...

    async def take_over(self, request: rq.TakeOver, viewer: PaneViewer) -> PaneSize: ...

    async def pane_input(self, request: rq.PaneInput, viewer: PaneViewer) -> None: ...

    async def resize_pane(self, request: rq.ResizePane, viewer: PaneViewer) -> PaneSize: ...

    async def resend_primer(self, request: rq.PaneRef) -> PromptId: ...

    async def attach_command(self, request: rq.PaneRef, *, read_only: bool) -> tuple[str, ...]: ...

    async def list_agents(self) -> list[AgentView]: ...

    async def check_agent(self, request: rq.CheckAgent, *, trusted: bool) -> dict[str, Any]: ...

    async def doctor(self) -> dict[str, Any]: ...
