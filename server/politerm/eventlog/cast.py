"""The text form of a recording: asciicast version 2, one JSON value a line. Pure: bytes in, bytes out.

First line the header `{"version": 2, "width", "height", "timestamp"}` (seconds since the epoch), then
`[seconds since then, kind, text]` with kind `o` (output), `r` (size, "160x50") or `m` (a marker for the player).
Source: asciinema's description of the format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import orjson

from politerm.core.wire import Role


def header(columns: int, rows: int, timestamp: float, title: str) -> bytes:
    fields = {"version": 2, "width": columns, "height": rows, "timestamp": int(timestamp), "title": title}
    return orjson.dumps(fields) + b"\n"


def line(seconds: float, kind: Literal["o", "r", "m"], text: str) -> bytes:
    return orjson.dumps([round(seconds, 6), kind, text]) + b"\n"


def read_header(first: bytes) -> Mapping[str, Any] | None:
    """The header's fields; None when this is not the first line of a recording."""
    try:
        fields = orjson.loads(first)
    except ValueError:
        return None
    if not isinstance(fields, dict) or fields.get("version") != 2 or not isinstance(fields.get("timestamp"), int):
        return None
    return fields


def read_line(text: bytes) -> tuple[float, str, str] | None:
    """An event's three values; None for a line that a kill cut off."""
    try:
        seconds, kind, data = orjson.loads(text)
        return float(seconds), str(kind), str(data)
    except (ValueError, TypeError):
        return None


def joined(parts: Iterable[tuple[Role, bytes]]) -> Iterator[bytes]:
    """Several roles' recordings as one that a player takes, one role after the other, each on a cleared screen.

    Two screens cannot be shown as one; a marker with the role's name tells where each begins.
    """
    start = 0.0
    for place, (role, text) in enumerate(parts):
        first, *rest = text.splitlines()
        fields = read_header(first) or {}
        size = f"{fields.get('width', 80)}x{fields.get('height', 24)}"
        if place == 0:
            yield first + b"\n"
        yield line(start, "m", role.value)
        yield line(start, "r", size)
        if place:
            yield line(start, "o", "\x1bc")
        offset, last = start, start
        for each in rest:
            event = read_line(each)
            if event is not None:
                last = offset + event[0]
                yield orjson.dumps([round(last, 6), event[1], event[2]]) + b"\n"
        start = last
