"""Kind `jsonl`: a record with one JSON object per line, which an agent appends to while it works.

    {"type": "prompt", "text": "..."}            it got this text
    {"type": "reply", "text": "..."}             it said this
    {"type": "turnEnd", "how": "done"}           the turn is over: done, interrupted, failed, or blocked
    {"type": "usage", "tokensIn": 1, "tokensOut": 2, "usd": 0.01}
    {"type": "state" | "permission" | "session", "text": "..."}

Only whole lines count; a line that is no such object is skipped and counted. This module does not know which prompt or
turn a record belongs to: only the order of the lines is given on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal, get_args

import orjson

from politerm.core.events import TurnHow
from politerm.engine.ports import WitnessRecord
from politerm.witness.lines import LineFile

SLICES: Final = 8
"""Reads of one poll at most, while they yield no record."""

Kind = Literal["prompt", "reply", "turn_end", "usage", "state", "permission", "session"]
_KINDS: Final[dict[str, Kind]] = {kind: kind for kind in get_args(Kind)} | {"turnEnd": "turn_end"}
_HOWS: Final = frozenset(get_args(TurnHow))


class JsonlWitness:
    """Implements `engine.ports.Witness`. A poll with nothing new costs one stat."""

    def __init__(self, path: Path | str, *, lag: float = 0.5, source: str = "transcript") -> None:
        self._lines = LineFile(Path(path))
        self._lag = lag
        self._source = source
        self._bad = 0

    @property
    def source(self) -> str:
        return self._source

    @property
    def lag(self) -> float:
        return self._lag

    @property
    def trouble(self) -> str | None:
        """Why records may be missing; None while all is well."""
        return f"the record: {self._lines.trouble}" if self._lines.trouble else None

    @property
    def bad_lines(self) -> int:
        """Lines that are no record, or too long for one."""
        return self._bad + self._lines.dropped

    def cursor(self) -> str:
        return self._lines.cursor()

    def seek(self, cursor: str | None) -> str | None:
        self._lines.seek(cursor)
        return self.trouble

    def poll(self) -> list[WitnessRecord]:
        """Complete records since the last poll. An empty list means that there is nothing more right now (up to 8 MB
        without any record); a long record may be continued at the next poll."""
        records: list[WitnessRecord] = []
        for _ in range(SLICES):
            for line in self._lines.poll():
                self._read(line, records)
            if records or not self._lines.behind:
                break
        return records

    def close(self) -> None:
        """Nothing is kept open between two polls."""

    def _read(self, line: bytes, records: list[WitnessRecord]) -> None:
        try:
            record = _record(orjson.loads(line.removeprefix(b"\xef\xbb\xbf")))
        except (ValueError, TypeError):
            self._bad += 1
            return
        if record is not None:
            records.append(record)


def _record(value: Any) -> WitnessRecord | None:
    """Raises TypeError or ValueError for an object that is not as the record's form says; None for a type that we do
    not know, which a later version of the form may have."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise TypeError
    kind = _KINDS.get(value["type"])
    if kind is None:
        return None
    text = value.get("text", "")
    if not isinstance(text, str) or (kind in ("prompt", "reply") and "text" not in value):
        raise TypeError
    how = value.get("how", "done")
    return WitnessRecord(
        kind,
        text,
        how=how if how in _HOWS else "failed",
        tokens_in=_count(value.get("tokensIn", 0)),
        tokens_out=_count(value.get("tokensOut", 0)),
        usd=_money(value.get("usd")),
    )


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def _money(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise TypeError
    return float(value)
