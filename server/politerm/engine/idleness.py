"""Has a turn ended, as far as the screen tells?

A ready mark alone does not say so: many full-screen programs show their empty input box also while they work. It must
have been gone since the prompt was entered, or the answer must stand there, or nothing may have moved for long.
This module does not know what a turn's end leads to, and nothing of records.
"""

from __future__ import annotations

from politerm.agents.rules import Verdict
from politerm.core.screen import after_boundary, text_of
from politerm.core.wire import PromptId
from politerm.engine.ports import Screen

REST = 120.0
"""Seconds without any motion after which a ready mark that was never gone is believed. Programs at work with a still
screen were seen to stay so for 20 s, and a model may well think for a minute."""
REST_SPOKE = 2.0
"""The same where the agent has shown a block since its prompt, but none that answers it."""
REST_STOPPED = 1.0
"""The same after the agent's own interrupt key was pressed: programs stop within a fraction of it."""
PAINTED = 0.025
"""Seconds without motion after which a full-screen program is not in the middle of drawing, when its box may be gone
for an instant."""


class Idleness:
    def __init__(self) -> None:
        self._seen_busy = False
        self.stopped = False
        """The agent's interrupt key was pressed since its prompt."""
        self.unsure = False
        """The mark was gone at the last look, but perhaps only because the program was drawing: look once more."""

    def begin(self) -> None:
        """A prompt is about to be typed."""
        self._seen_busy = self.stopped = self.unsure = False

    def interrupted(self) -> None:
        self.stopped = True

    def looked(self, verdict: Verdict, screen: Screen, *, drafted: bool, quiet: float) -> None:
        """`drafted`: the input box holds what we typed, which hides an idle program's ready mark, as a dialog does.
        `quiet`: seconds without motion."""
        gone = verdict.ready is None and verdict.dialog is None and not drafted and not self._seen_busy
        whole = screen.status.canonical or quiet >= PAINTED
        self._seen_busy = self._seen_busy or (gone and whole)
        self.unsure = gone and not whole

    def missing(
        self, screen: Screen, turn: PromptId, *, answered: bool, spoke: bool, quiet: float, lag: float = 0.0
    ) -> float:
        """How many more seconds without motion are missing until the ready mark on this screen ends the turn; 0: it
        does. `quiet`: those that have passed. `lag`: how much later than the screen the agent's record may tell."""
        rest = REST_STOPPED if self.stopped else REST_SPOKE if spoke else REST
        if self._seen_busy or answered or _stands_below(screen, turn):
            rest = lag
        return max(0.0, rest - quiet)


def _stands_below(screen: Screen, turn: PromptId) -> bool:
    """In line mode the screen is one text, so a ready mark below a prompt is newer than the prompt."""
    if not screen.status.canonical:
        return False
    return bool((after_boundary(text_of(screen.lines), turn) or "").strip())
