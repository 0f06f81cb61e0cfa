"""What every session of one run shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from politerm.core import inputs as inp
from politerm.core.wire import Role, RunId
from politerm.engine.ports import Agents, Clock, Panes


class Bytes(Protocol):
    """Where a pane's bytes go besides this session: the recording and the viewers."""

    def feed(self, run_id: RunId, role: Role, data: bytes) -> None: ...

    def gap(self, run_id: RunId, role: Role, reason: str) -> None: ...


@dataclass(frozen=True)
class Surroundings:
    run_id: RunId
    cwds: dict[Role, str]
    agents: Agents
    panes: Panes
    clock: Clock
    output: Bytes
    tell: Callable[[inp.Input], None]
    columns: int = 160
    rows: int = 50
