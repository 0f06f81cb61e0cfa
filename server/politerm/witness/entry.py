"""Reading parsed JSON that somebody else wrote: whatever stands there instead of what is expected, the answer is empty
and never an exception. It does not know what any record means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def parsed(line: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def clean(value: Any) -> str:
    """JSON may hold halves of surrogate pairs, which nothing after us can store."""
    text = value if isinstance(value, str) else ""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def inner(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def number(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0
