"""Learns from a pane's bytes whether its program asked for bracketed paste. Pure, in any split of the stream."""

from __future__ import annotations

import re

_SWITCH = re.compile(rb"\x1b\[\?(?:[0-9]+;)*2004(?:;[0-9]+)*([hl])|\x1b(c)")
_TAIL = 64
"""Bytes kept of the last piece: longer than any request that programs send in one sequence."""


class PasteMode:
    """`on`: True or False as last asked for, None before anything was seen."""

    def __init__(self, on: bool | None = None) -> None:
        self.on = on
        self._tail = b""

    def feed(self, data: bytes) -> bool:
        """True if the answer changed."""
        text = self._tail + data
        # The tail is read twice; that does no harm, since everything after a switch is in the tail with it.
        self._tail = text[-_TAIL:]
        if b"2004" not in text and b"\x1bc" not in text:
            return False
        before = self.on
        for found in _SWITCH.finditer(text):
            self.on = found[1] == b"h"
        return self.on != before
