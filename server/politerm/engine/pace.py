"""Pace: when a screen is looked at. Soon after it began to move, seldom while it goes on, once more when it rests.
And how often a record is looked into.

A look costs tmux and us up to milliseconds, and a program at work may redraw for minutes: fifty spinners, or one flood
with much above it, must not keep both busy. Times are seconds of one monotonic clock; this module has none of its own.
"""

from __future__ import annotations

LOOK_EVERY = 0.05
"""Between two looks at a screen that has just begun to move."""
SLOWER = 1.5
SELDOM = 0.5
"""Each look at a screen that goes on moving comes later by the first, up to the second."""
LULL = 0.15
"""Without motion for so long, it is looked at once more: what it shows now it may show for long."""
STILL = 0.3
"""Motion after so long a rest is a new beginning."""
SHARE = 0.05
"""Of the time that passes, so much may go into looks at one screen, and so much of a rest may pass between two."""
LAST = 1.5
"""And yet never longer: dialogs and deaths are told within two seconds."""

POLL_FIRST, POLL_LAST, POLL_SLOW, POLL_IDLE = 0.001, 0.05, 1.0, 5.0
"""Between two looks into a record: after something moved, doubling up to while a turn is open (on to the third in a
long silence), and else."""


def longest_pause(quiet: float, *, busy: bool) -> float:
    """Between two looks into a record. `quiet`: seconds since anything moved; what comes after a long silence may come
    later by a small part of it. `busy`: a turn is open, or a prompt on its way."""
    return min(max(POLL_LAST, quiet * SHARE), POLL_SLOW) if busy else POLL_IDLE


class Pace:
    def __init__(self) -> None:
        self._every = LOOK_EVERY
        self._cost = 0.0
        self._looked = self._moved = float("-inf")

    def moved(self, now: float) -> None:
        """The screen has changed."""
        if now - self._moved > STILL:
            self._every = LOOK_EVERY
        self._moved = now

    def looked(self, began: float, ended: float) -> None:
        self._cost = ended - began
        self._looked = ended
        self._every = min(self._every * SLOWER, SELDOM)

    def left(self, now: float, *, urgent: bool) -> float:
        """Seconds until the next look, if there is something to look for; 0: now. `urgent`: what came last is worth
        one whatever the pace."""
        spared = self._cost / SHARE
        if urgent:
            return max(0.0, self._looked + min(spared / 4, LAST) - now)
        resting = min(max(LOOK_EVERY, (now - self._moved) * SHARE), LAST)
        moving_on = self._looked + min(max(self._every, spared), LAST)
        at_rest = max(self._moved + LULL, self._looked + min(max(resting, spared), LAST))
        return max(0.0, min(moving_on, at_rest) - now)
