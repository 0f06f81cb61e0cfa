"""PaneDesk: people at the panes. Who looks at which, who has taken one over, and what they type.

A pane that somebody has taken over is not typed into by a run. This module does not know how frames are made
(engine/streams.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from politerm.core.redact import Redactor
from politerm.core.wire import Role, RunId
from politerm.engine import requests as rq
from politerm.engine.api import PaneOpened, PaneSize, PaneViewer
from politerm.engine.output import PaneOutputs
from politerm.engine.ports import PaneHandle, Panes
from politerm.engine.runner import Runner
from politerm.engine.session import RoleSession
from politerm.errors import WrongState


class PaneDesk:
    def __init__(self, runners: Mapping[RunId, Runner], panes: Panes, output: PaneOutputs, redactor: Redactor) -> None:
        self._runners = runners
        self._panes = panes
        self._output = output
        self._redactor = redactor
        self._taken: dict[tuple[RunId, Role], PaneViewer] = {}

    def _live(self, run_id: RunId, role: Role) -> tuple[RoleSession, PaneHandle]:
        runner = self._runners.get(run_id)
        session = runner.sessions.get(role) if runner is not None and runner.state.live else None
        if session is None or session.handle is None:
            raise WrongState(f"The {role.value} of run {run_id} has no living pane.")
        return session, session.handle

    def pane(self, request: rq.PaneRef) -> str:
        return self._live(request.run_id, request.role)[1].pane

    async def snapshot(self, run_id: RunId, role: Role) -> str:
        """The whole screen as terminal text, secrets out."""
        return self._redactor.known(await self._panes.snapshot(self._live(run_id, role)[1].pane))

    async def open(self, request: rq.OpenPane, viewer: PaneViewer) -> PaneOpened:
        _, handle = self._live(request.run_id, request.role)
        stream = self._output.stream(request.run_id, request.role)
        snapshot, seq = await stream.open(viewer, request.credit)
        return PaneOpened(pane=handle.pane, columns=handle.columns, rows=handle.rows, snapshot=snapshot, seq=seq)

    def close(self, request: rq.PaneRef, viewer: PaneViewer) -> None:
        self._let_go(request.run_id, request.role, viewer)
        self._output.stop(request.run_id, request.role, viewer)

    def drop(self, viewer: PaneViewer) -> None:
        for run_id, role in [key for key, owner in self._taken.items() if owner is viewer]:
            self._let_go(run_id, role, viewer)
        self._output.drop(viewer)

    def take_over(self, request: rq.TakeOver, viewer: PaneViewer) -> PaneSize:
        session, handle = self._live(request.run_id, request.role)
        owner = self._taken.get((request.run_id, request.role))
        if owner is not None and owner is not viewer:
            raise WrongState(f"Somebody else types into the {request.role.value}'s pane.")
        if request.on:
            self._taken[request.run_id, request.role] = viewer
            session.taken_over = True
        else:
            self._let_go(request.run_id, request.role, viewer)
        return PaneSize(columns=handle.columns, rows=handle.rows)

    def _let_go(self, run_id: RunId, role: Role, viewer: PaneViewer) -> None:
        if self._taken.get((run_id, role)) is viewer:
            del self._taken[run_id, role]
            runner = self._runners.get(run_id)
            if runner is not None and role in runner.sessions:
                runner.sessions[role].taken_over = False

    async def type(self, request: rq.PaneInput, viewer: PaneViewer) -> None:
        if self._taken.get((request.run_id, request.role)) is not viewer:
            raise WrongState(f"The {request.role.value}'s pane is not taken over.", hint="Take it over first.")
        await self._panes.type(self.pane(request), request.data)

    async def resize(self, request: rq.ResizePane) -> PaneSize:
        columns, rows = await self._panes.resize(self.pane(request), request.columns, request.rows)
        return PaneSize(columns=columns, rows=rows)
