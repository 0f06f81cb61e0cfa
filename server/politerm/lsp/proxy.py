"""From one connection to whoever holds the workspace, now or later.

The front of a connection never changes; behind it stands the engine of this process, or a client of the process that
has the lock. When that one dies, commands wait for the next backend, those that may be repeated are repeated, events go
on from the client's cursor, and open panes are opened again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from politerm.errors import HolderGone, OutsideError, PoliTermError
from politerm.lsp.backend import Backend, LocalBackend, Sink
from politerm.lsp.catalog import (
    ATTENTION_CHANGED,
    EVENT,
    PANE_CREDIT,
    PANE_OUTPUT,
    REPEATABLE,
    RUN_CHANGED,
    SERVER_STATUS,
    TRUST_CHANGED,
)
from politerm.lsp.client import Client
from politerm.lsp.flow import EventFlow
from politerm.lsp.panes import PaneBook

if TYPE_CHECKING:
    from politerm.engine.api import EngineApi

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 20.0
"""How long a command waits for a backend: a take-over takes one second, the first start of an engine a few."""
RETRY_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
SEEN_RUNS: Final = 200
"""Newest runs that are looked at when a backend comes; older ones have ended long ago."""


@dataclass(frozen=True)
class Opening:
    """What a client says of itself: its folders as paths, the first is the workspace; and initializationOptions."""

    folders: tuple[str, ...] = ()
    trusted: bool | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    client: str = ""


Connect = Callable[[Opening], Awaitable["EngineApi | Client"]]
"""Gives the engine of this process, or a client of the process that holds the workspace's lock. It is asked again
whenever such a client is lost. It may raise HolderGone (try again soon; commands wait) or another PoliTermError (which
commands are answered with until it succeeds); either way it is asked again a little later."""


class RemoteBackend:
    """The process that holds the lock, through its control socket."""

    def __init__(self, client: Client, sink: Sink) -> None:
        self._client = client
        self.lost = client.closed
        client.on(EVENT, sink.event)
        client.on(RUN_CHANGED, sink.run_changed)
        client.on(ATTENTION_CHANGED, sink.attention_changed)
        client.on(PANE_OUTPUT, sink.pane_output)
        client.on(SERVER_STATUS, lambda status: sink.status({**status, "holder": False}))
        sink.status({**(client.status or {"health": "ok", "readOnly": False}), "holder": False})

    async def command(self, name: str, arguments: dict[str, Any]) -> Any:
        return await self._client.command(name, arguments)

    def credit(self, params: dict[str, Any]) -> None:
        self._client.notify(PANE_CREDIT, params)

    async def trust(self, trusted: bool | None) -> None:
        if trusted is not None:
            self._client.notify(TRUST_CHANGED, {"trusted": trusted})

    async def close(self) -> None:
        await self._client.close()


class Link:
    """Commands go in, notifications come out to `front`; `congested` says whether the client cannot take more now."""

    def __init__(self, connect: Connect, opening: Opening, front: Sink, congested: Callable[[], bool]) -> None:
        self._connect, self._opening, self._front = connect, opening, front
        self._trusted = opening.trusted
        self._backend: Backend | None = None
        self._failure: PoliTermError | None = None
        self._changed = asyncio.Event()
        self._panes = PaneBook(front.pane_output, congested)
        self._flow = EventFlow(self._read, front.event, lambda: self._backend is not None and not congested())
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name="lsp link")

    # ---- what the front calls

    async def command(self, name: str, arguments: dict[str, Any]) -> Any:
        """A command's JSON result. Raises PoliTermError; HolderGone when nobody can tell whether it happened."""
        arguments = self._panes.before(name, arguments)
        while True:
            backend = await self._there()
            if backend.lost is not None and name == "politerm.run.start" and arguments.get("runId") is None:
                arguments = {**arguments, "runId": f"run-{secrets.token_hex(6)}"}
            try:
                return self._panes.after(name, arguments, await backend.command(name, arguments))
            except HolderGone as error:
                if name not in REPEATABLE:
                    raise HolderGone(
                        f"The process that held this workspace ended while it worked on `{name}`: "
                        "it may or may not have happened.",
                        hint="Look at the run (politerm.run.get, politerm.run.events) before you ask again.",
                        command=name,
                    ) from error
                await self._gone(backend)

    def answered(self, name: str, arguments: dict[str, Any]) -> None:
        """The answer to a command is on its way to the client, or it failed."""
        self._panes.answered(name, arguments)

    def credit(self, params: Any) -> None:
        self._panes.credit(params)

    async def trust(self, trusted: bool) -> None:
        self._trusted = trusted
        if self._backend is not None:
            await self._backend.trust(trusted)

    def calm(self) -> None:
        """The client reads again."""
        self._flow.resume()
        self._panes.calm()

    async def close(self) -> None:
        self._flow.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._backend is not None:
            backend, self._backend = self._backend, None
            await backend.close()

    # ---- the backend of the moment

    async def _there(self) -> Backend:
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while (backend := self._backend) is None or (backend.lost is not None and backend.lost.done()):
            if self._failure is not None:
                raise self._failure
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise OutsideError("No process holds this workspace yet.", hint="Try again in a moment.")
            await self._wait_changed(left)
        return backend

    async def _gone(self, backend: Backend) -> None:
        while self._backend is backend:
            await self._wait_changed(WAIT_SECONDS)

    async def _wait_changed(self, seconds: float) -> None:
        changed = self._changed
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            return

    def _set(self, backend: Backend | None) -> None:
        self._backend = backend
        self._panes.use(backend)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _keep(self) -> None:
        """Have a backend, always the next one when one is lost."""
        again = False
        while True:
            backend = await self._open()
            try:
                await backend.trust(self._trusted)
            except PoliTermError as error:
                log.warning("trust could not be told: %s", error)
            self._set(backend)
            await self._refresh(backend, again=again)
            again = True
            if backend.lost is None:
                return
            await asyncio.wait([backend.lost])
            log.info("the process that holds the workspace is gone")
            self._set(None)
            await backend.close()
            self._front.status(
                {
                    "health": "warning",
                    "message": "The process that held this workspace ended; taking over.",
                    "holder": False,
                    "readOnly": False,
                }
            )

    async def _open(self) -> Backend:
        attempt = 0
        while True:
            try:
                found = await self._connect(self._opening)
                self._failure = None
                return RemoteBackend(found, self) if isinstance(found, Client) else LocalBackend(found, self)
            except HolderGone as error:
                log.info("not yet: %s", error)
            except PoliTermError as error:
                self._failed(error)
            except Exception as error:
                log.exception("the workspace could not be opened")
                self._failed(OutsideError(f"The workspace could not be opened ({type(error).__name__})."))
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    def _failed(self, error: PoliTermError) -> None:
        if self._failure is None or str(self._failure) != str(error):
            self._front.status({"health": "error", "message": str(error), "holder": False, "readOnly": False})
        self._failure = error
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _refresh(self, backend: Backend, *, again: bool) -> None:
        """Bring the client to where the backend is: runs, what waits for a person, events in between, panes."""
        try:
            listed = (await backend.command("politerm.run.list", {"limit": SEEN_RUNS}))["runs"]
            for view in reversed(listed):
                if view["state"] != "ended" or (again and self._flow.knows(view["runId"])):
                    self._front.run_changed(view)
            self._flow.rebase({view["runId"]: view["lastSeq"] for view in listed})
            items = (await backend.command("politerm.attention.list", {}))["items"]
            if items or again:
                self._front.attention_changed({"items": items})
            await self._panes.reopen(backend)
        except PoliTermError as error:
            log.warning("the state of the workspace could not be read: %s", error)

    async def _read(self, run: str, after: int, limit: int) -> list[dict[str, Any]]:
        backend = self._backend
        if backend is None:
            raise HolderGone("No process holds this workspace now.")
        answer = await backend.command("politerm.run.events", {"runId": run, "after": after, "limit": limit})
        events: list[dict[str, Any]] = answer["events"]
        return events

    # ---- what a backend says

    def event(self, envelope: dict[str, Any]) -> None:
        self._flow.offer(envelope)

    def run_changed(self, view: dict[str, Any]) -> None:
        self._front.run_changed(view)

    def attention_changed(self, items: dict[str, Any]) -> None:
        self._front.attention_changed(items)

    def status(self, status: dict[str, Any]) -> None:
        self._front.status(status)

    def pane_output(self, frame: dict[str, Any]) -> None:
        self._panes.frame(frame)
