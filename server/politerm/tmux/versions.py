"""What differs between tmux versions, as data. Pure: `tmux -V`'s answer goes in.

Every entry was provoked on 3.3a or is named in tmux's own list of changes. Code asks `Version.has`, doctor prints the
sentences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from politerm.errors import TmuxError

OLDEST = (3, 2, "a")
_NUMBER = re.compile(r"(?:next-)?([0-9]+)\.([0-9]+)([a-z]?)(?:-rc[0-9]*)?\Z")
_NEWEST = (99, 0, "")


@dataclass(frozen=True)
class Quirk:
    """Holds from version `since` (inclusive) until `until` (exclusive); None leaves that side open."""

    name: str
    sentence: str
    since: tuple[int, int, str] | None = None
    until: tuple[int, int, str] | None = None


QUIRKS = (
    Quirk("paste-into-dead-crashes", "A paste into a dead pane can end the server.", until=(3, 4, "")),
    Quirk("global-manual-size-crashes", "A global window-size of manual ends the server with the next window."),
    Quirk("destroy-unattached-crashes", "destroy-unattached can end the server when a person detaches."),
    Quirk("respawn-crashes", "respawn-pane can end the server while a control client lags."),
    Quirk("no-dead-signal", "The signal that ended a program is not told.", until=(3, 3, "")),
    Quirk("tabs-become-spaces", "Captured text has spaces where the program wrote tabs.", until=(3, 6, "")),
    Quirk("paste-is-escaped", "Pasted control characters arrive as visible text.", since=(3, 7, "")),
)


@dataclass(frozen=True)
class Version:
    text: str
    number: tuple[int, int, str]

    def quirks(self) -> tuple[Quirk, ...]:
        return tuple(quirk for quirk in QUIRKS if self._within(quirk))

    def has(self, name: str) -> bool:
        """Is this quirk there? Raises KeyError for a name that is not in the table."""
        for quirk in QUIRKS:
            if quirk.name == name:
                return self._within(quirk)
        raise KeyError(name)

    def _within(self, quirk: Quirk) -> bool:
        after = quirk.since is None or self.number >= quirk.since
        return after and (quirk.until is None or self.number < quirk.until)


def parse(answer: str) -> Version:
    """`tmux 3.3a`, `tmux next-3.6`. Builds without a number (`tmux master`, `tmux openbsd-7.5`) count as the newest.
    Raises TmuxError for what is older than 3.2a, or is no tmux at all."""
    words = answer.split()
    if len(words) < 2 or words[0] != "tmux":
        raise TmuxError(f"The tmux program answered {answer.strip()[:80]!r} when asked for its version.")
    text = words[1]
    match = _NUMBER.match(text)
    number = (int(match[1]), int(match[2]), match[3]) if match else _NEWEST
    if number < OLDEST:
        raise TmuxError(f"tmux {text} is too old.", hint="Install tmux 3.2a or newer.", version=text)
    return Version(text, number)
