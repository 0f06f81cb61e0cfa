"""Watched: one living agent as those see it who wait for it, type into it, or press its keys.

engine/session.py fills it. It does not know who uses it, and they know nothing of how an agent is watched.
"""

from __future__ import annotations

from typing import Protocol

from politerm.agents.profile import AgentProfile
from politerm.agents.rules import Dialog, Verdict
from politerm.core.wire import PromptId, Role
from politerm.engine.dialogs import DialogWatch
from politerm.engine.idleness import Idleness
from politerm.engine.ports import PaneHandle, Screen
from politerm.engine.reading import RecordReader
from politerm.engine.surroundings import Surroundings


class Watched(Protocol):
    role: Role
    profile: AgentProfile
    around: Surroundings
    incarnation: int
    first_here: int | None
    """The first start of this role that this process made: what was typed since then is known."""
    handle: PaneHandle | None
    dead: bool
    record: RecordReader | None
    verdict: Verdict
    dialogs: DialogWatch
    idleness: Idleness
    taken: PromptId | None
    """The last prompt that the agent is known to have."""
    typed: tuple[PromptId | None, str]
    """The last prompt that we began to type in this process, and how far that went."""
    pasted: str
    """The text that was typed last: rows that show it again are no dialog."""
    moved_at: float
    taken_over: bool
    """A person types into the pane."""

    @property
    def dialog(self) -> Dialog | None: ...

    def quiet(self) -> float:
        """Seconds since the pane or the record last moved."""
        ...

    def judge(self, screen: Screen) -> None:
        """Apply the profile's rules to a screen and tell what changed."""
        ...

    def judge_start(self, screen: Screen) -> None:
        """The same of a program that is still starting."""
        ...

    def poll_record(self) -> bool: ...

    def wake(self) -> None:
        """Look into the record again at once."""
        ...

    async def moved_or(self, seconds: float | None) -> bool:
        """Wait for output at most so long (None: as long as it takes); true when there was some."""
        ...

    async def taken_or(self, seconds: float) -> None:
        """Until the agent proves to have a prompt, or so long."""
        ...
