"""The lines of a new transcript in the order of their conversation.

On a machine under load Claude Code 2.1.197 writes the first answer of a conversation before the prompt that it answers.
Every entry names the one it follows, so a line whose predecessor has not been written yet waits for it. Only the
beginning of a file is put in order: further down all was seen to stand as it happened, and a reader that begins there
does not know what came before. It looks for two names in a line and knows nothing else of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

BEGINNING: Final = 100
"""Lines of a file that are put in order."""
LATE: Final = 3.0
"""Seconds that a line waits for the one it follows, which may never come; it was behind by less than one."""

_OWN: Final = re.compile(rb'"uuid":"([^"]{1,64})"')
_FOLLOWS: Final = re.compile(rb'"parentUuid":"([^"]{1,64})"')


class InOrder:
    """`whole`: the file is read from its first line on."""

    def __init__(self, *, whole: bool) -> None:
        self._left = BEGINNING if whole else 0
        self._seen: set[bytes] = set()
        self._waiting: list[bytes] = []
        self._since = 0.0

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    def add(self, line: bytes, now: float) -> Iterator[bytes]:
        """What can be told now that this line has come."""
        if self._left <= 0 and not self._waiting:
            yield line
            return
        self._left -= 1
        follows = _FOLLOWS.search(line)
        if follows is None or follows[1] in self._seen:
            yield from self._pass(line)
            return
        if not self._waiting:
            self._since = now
        self._waiting.append(line)

    def overdue(self, now: float) -> Iterator[bytes]:
        """What has waited too long, as it stood in the file."""
        if self._waiting and now - self._since > LATE:
            late, self._waiting = self._waiting, []
            for line in late:
                yield from self._pass(line)

    def _pass(self, line: bytes) -> Iterator[bytes]:
        yield line
        own = _OWN.search(line)
        if own is None:
            return
        self._seen.add(own[1])
        for after in [each for each in self._waiting if (it := _FOLLOWS.search(each)) and it[1] == own[1]]:
            self._waiting.remove(after)
            yield from self._pass(after)
