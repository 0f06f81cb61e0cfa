"""What one client is told: the notifications of contract section 3, merged where only the newest state counts.

Events and pane frames come here already in order and already held back where the client does not read (lsp/flow.py,
lsp/panes.py). Views, attention and status are states: while the client does not read, only their newest form is kept.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from politerm.lsp.backend import Sink
from politerm.lsp.catalog import ATTENTION_CHANGED, EVENT, PANE_OUTPUT, RUN_CHANGED, SERVER_STATUS
from politerm.lsp.transport import Connection

MERGE_SECONDS: Final = 0.05
"""After a view was sent, newer ones of the same run wait this long: faster than eyes, slower than a busy run."""


class Feed:
    """Sends to one connection. `plain`, when given, gets everything as well, for clients that know nothing of us."""

    def __init__(self, connection: Connection, plain: Sink | None = None) -> None:
        self._connection, self._plain = connection, plain
        self._views: dict[str, dict[str, Any]] = {}
        self._resting: dict[str, asyncio.TimerHandle] = {}
        self._attention: dict[str, Any] | None = None
        self._status: dict[str, Any] | None = None
        self._told_status: dict[str, Any] | None = None
        self._closed = False
        connection.on_calm(self._calm)

    def event(self, envelope: dict[str, Any]) -> None:
        self._send(EVENT, envelope)
        if self._plain is not None:
            self._plain.event(envelope)

    def pane_output(self, frame: dict[str, Any]) -> None:
        self._send(PANE_OUTPUT, frame)

    def run_changed(self, view: dict[str, Any]) -> None:
        run = view["runId"]
        if run in self._resting or self._connection.congested:
            self._views[run] = view
            return
        self._send_view(run, view)

    def _send_view(self, run: str, view: dict[str, Any]) -> None:
        self._send(RUN_CHANGED, view)
        if self._plain is not None:
            self._plain.run_changed(view)
        loop = asyncio.get_running_loop()
        self._resting[run] = loop.call_later(MERGE_SECONDS, self._rested, run)

    def _rested(self, run: str) -> None:
        self._resting.pop(run, None)
        if self._connection.congested or self._closed:
            return
        view = self._views.pop(run, None)
        if view is not None:
            self._send_view(run, view)

    def attention_changed(self, items: dict[str, Any]) -> None:
        self._attention = items
        self._send_states()

    def status(self, status: dict[str, Any]) -> None:
        self._status = status
        self._send_states()

    def _send_states(self) -> None:
        if self._connection.congested:
            return
        if (items := self._attention) is not None:
            self._attention = None
            self._send(ATTENTION_CHANGED, items)
            if self._plain is not None:
                self._plain.attention_changed(items)
        if (status := self._status) is not None:
            self._status = None
            if status != self._told_status:
                self._told_status = status
                self._send(SERVER_STATUS, status)
                if self._plain is not None:
                    self._plain.status(status)

    def _calm(self) -> None:
        self._send_states()
        for run in [run for run in self._views if run not in self._resting]:
            self._rested(run)

    def _send(self, method: str, params: dict[str, Any]) -> None:
        if not self._closed:
            self._connection.send({"jsonrpc": "2.0", "method": method, "params": params})

    def close(self) -> None:
        self._closed = True
        for timer in self._resting.values():
            timer.cancel()
