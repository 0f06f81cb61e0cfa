"""A record that is written anew as a whole whenever something is added to it: one JSON document, or one on each line.

Knows nothing of what stands in it. One look costs one stat when nothing is new.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from politerm.witness.entry import parsed

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a document that is still read as a whole at every change."""


class Snapshot:
    """`data`: the object as it was last whole; a half-written one is looked at again. A file of lines becomes one with
    these as its `lines`."""

    def __init__(self, path: Path, *, lines: bool = False) -> None:
        self.path = path
        self._lines = lines
        self.data: Mapping[str, Any] = {}
        self.changed = 0
        """When the file was last written, in nanoseconds; 0: it is not there."""
        self._seen = (-1, -1)

    def look(self) -> bool:
        """Is there a new whole document?"""
        try:
            stat = os.stat(self.path)  # noqa: PTH116 (once a poll)
            if (stat.st_mtime_ns, stat.st_size) == self._seen or stat.st_size > LARGEST:
                return False
            data = self._read(self.path.read_bytes())
        except OSError:
            return False
        if data is None:
            return False
        self._seen = (stat.st_mtime_ns, stat.st_size)
        self.data, self.changed = data, stat.st_mtime_ns
        return True

    def _read(self, content: bytes) -> Mapping[str, Any] | None:
        if not self._lines:
            return parsed(content)
        return {"lines": [parsed(line) for line in content.splitlines()]} if content.endswith(b"\n") else None


def objects(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in a list of that name; anything else is no list."""
    value = data.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
