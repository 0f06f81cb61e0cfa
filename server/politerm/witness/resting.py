"""Resting: for a record that does not tell the end of a turn by itself. The program's screen must show it idle, too.

It knows neither the record nor what idle looks like; both are told to it.
"""

from __future__ import annotations

from collections.abc import Callable


class Resting:
    """`seconds`: how long the screen must have shown the program idle since it last spoke."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since: float | None = None

    def spoke(self) -> None:
        """Its record has moved on: what its screen showed before counts no more."""
        self._since = None

    def seen(self, idle: bool) -> None:
        """What a look at the screen has found."""
        if not idle:
            self._since = None
        elif self._since is None:
            self._since = self._clock()

    @property
    def over(self) -> bool:
        return self._since is not None and self._clock() - self._since >= self._seconds
