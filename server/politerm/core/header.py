"""The JSON between `[[POLI:MSG` and `]]`: parsed as far as it goes, forgiving what terminal programs do to it.

It does not know where in a text a header stands (core/blocks.py) or what its fields mean (core/run.py).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Literal

KINDS = frozenset({"plan", "continue", "revision", "complete", "status", "result", "error", "question"})

MAX_HEADER = 4096
"""Longest header in characters; a header is a handful of short fields."""

MAX_NESTING = 8
"""Deepest list or object in a header: what stores and sends events has limits of its own."""

Fault = Literal["bad-header", "no-type", "unknown-type"]

_ENDING = {1: re.compile(r"\}\s*\]"), 2: re.compile(r"\}\s*\]\s*\]")}
_BRACKETS = {1: re.compile(r"\s*\]{1,2}"), 2: re.compile(r"\s*\]\s*\]")}
_FIELD = re.compile(r'(?:^|,)\s*"(\w{1,64})"\s*:\s*')
_PLAIN = re.compile(r"-?\d{1,15}|true|false|null")


def _integer(digits: str) -> int | str:
    """Numbers that no reader of the event could hold exactly stay text."""
    return int(digits) if len(digits) <= 15 else digits


def _number(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(parse_int=_integer, parse_float=_number, parse_constant=_constant)


def parse_header(text: str, brackets: int, *, lenient: bool) -> tuple[dict[str, Any], Fault | None, int] | None:
    """The fields, what is wrong with them, and where the header ends (behind its brackets); None: more is needed."""
    if text.startswith("]"):
        return {}, "bad-header", len(text) - len(text.lstrip("]"))
    try:
        value, end = _JSON.raw_decode(text)
    except (ValueError, RecursionError):
        pass
    else:
        closing = _BRACKETS[brackets].match(text, end)
        if closing:
            return *_judge(value), closing.end()
        if text[end:].strip() in ("", "]"):
            return None
        return {}, "bad-header", end
    ending = _ENDING[brackets].search(text)
    if ending is None:
        return None
    if lenient:
        fields = _rendered_fields(text[1 : ending.start()])
        if fields is not None:
            return *_judge(fields), ending.end()
        if brackets == 1:
            # A single bracket may as well be the end of a list inside the header.
            return None
    return {}, "bad-header", ending.end()


def _judge(value: dict[str, Any]) -> tuple[dict[str, Any], Fault | None]:
    """The header with its type in lower case, or what is wrong with it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return {}, "bad-header"
    if not _is_shallow(value, MAX_NESTING):
        return {}, "bad-header"
    if "type" not in value:
        return value, "no-type"
    kind = str(value["type"]).strip().lower()
    if kind not in KINDS:
        return value, "unknown-type"
    return value | {"type": kind}, None


def _is_shallow(value: object, depth: int) -> bool:
    """Is it nested no deeper than this?"""
    if isinstance(value, dict):
        return depth > 0 and all(_is_shallow(one, depth - 1) for one in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_shallow(one, depth - 1) for one in value)
    return True


def _rendered_fields(text: str) -> dict[str, Any] | None:
    r"""The fields of a header whose backslashes a Markdown renderer ate: `"note":"say "hi""`. None: not like that."""
    keys = list(_FIELD.finditer(text))
    if not keys or keys[0].start() != 0:
        return None
    fields: dict[str, Any] = {}
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        value = text[key.end() : following.start() if following else len(text)].strip()
        if len(value) >= 2 and value[0] == value[-1] == '"':
            fields.setdefault(key[1], value[1:-1])
        elif _PLAIN.fullmatch(value):
            fields.setdefault(key[1], json.loads(value))
        else:
            return None
    return fields
