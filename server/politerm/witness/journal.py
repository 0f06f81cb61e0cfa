"""A record that the agent appends to as it goes, one JSON object a line, in words of its own.

The following of the file is the same for all of them and stands here; what a line means is a `Reader`'s, one for each
kind. This module does not know any agent's words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from politerm.engine.ports import WitnessRecord
from politerm.witness.entry import parsed
from politerm.witness.lines import LineFile

SLICES: Final = 8
"""Reads of one poll at most, while they yield no record."""


class Reader(Protocol):
    """Turns entries into records, in order. What it remembers of a turn is JSON, so that it survives our own death."""

    memory: dict[str, Any]

    def read(self, entry: Mapping[str, Any]) -> Iterable[WitnessRecord]: ...


class JournalWitness:
    """Implements `engine.ports.Witness`. A poll with nothing new costs one stat."""

    def __init__(self, path: Path, reader: Reader, *, lag: float = 0.5) -> None:
        self._lines = LineFile(path)
        self._reader = reader
        self._fresh = dict(reader.memory)
        self._lag = lag

    @property
    def source(self) -> str:
        return "transcript"

    @property
    def lag(self) -> float:
        return self._lag

    def cursor(self) -> str:
        return json.dumps({"at": self._lines.cursor(), "memory": self._reader.memory}, ensure_ascii=True)

    def seek(self, cursor: str | None) -> str | None:
        self._reader.memory = dict(self._fresh)
        if cursor is None:
            return self._lines.seek(None)
        try:
            saved = json.loads(cursor)
            at, memory = str(saved["at"]), dict(saved["memory"])
        except (ValueError, KeyError, TypeError):
            return "the cursor cannot be read"
        self._reader.memory = {**self._fresh, **memory}
        trouble = self._lines.seek(at)
        return f"the record: {trouble}" if trouble else None

    def poll(self) -> list[WitnessRecord]:
        records: list[WitnessRecord] = []
        for _ in range(SLICES):
            for line in self._lines.poll():
                if (entry := parsed(line)) is not None:
                    records += self._reader.read(entry)
            if records or not self._lines.behind:
                break
        return records

    def close(self) -> None:
        """Nothing is held open between two polls."""
