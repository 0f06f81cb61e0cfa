"""LSP's framing and JSON-RPC's shapes, pure: bytes in, messages and complaints out.

The same bytes give the same result however they are split. Nothing here knows sockets, asyncio, or what a method means.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes of one body. Far above anything an editor sends (a task of 5 MB included), far below what hurts."""
MAX_HEADER: Final = 8 * 1024

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
NOT_INITIALIZED: Final = -32002
REQUEST_CANCELLED: Final = -32800
REQUEST_FAILED: Final = -32803

Id = int | str

_LENGTH = re.compile(rb"content-length[ \t]{0,8}:[ \t]{0,8}(\d{1,18})[ \t]{0,8}\r\n", re.IGNORECASE)
_LENGTH_SPAN: Final = 64
"""No match of _LENGTH is longer, so this much is kept of what is thrown away."""


@dataclass(frozen=True)
class Complaint:
    """What was wrong with the bytes or the message: a JSON-RPC error for `id` (None: it cannot be known)."""

    code: int
    message: str
    id: Id | None = None


class FrameReader:
    """Cuts a byte stream into bodies.

    After a broken or refused header it throws bytes away until the next `Content-Length: n` line. That cannot be fooled
    by a body: valid JSON has no raw line break inside a string and no such word outside one.
    """

    def __init__(self, limit: int = MAX_MESSAGE) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._need: int | None = None
        self._skipping = False
        self._skip_left: int | None = None
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes | Complaint]:
        """Bodies and complaints that are complete now, in order. At most `limit` + one chunk is ever kept."""
        self._buffer += data
        found: list[bytes | Complaint] = []
        while self._step(found):
            pass
        return found

    def _step(self, found: list[bytes | Complaint]) -> bool:
        """One move; answers whether another may be possible with what is here."""
        if self._skipping:
            return self._skip()
        if self._need is None:
            return self._head(found)
        if len(self._buffer) < self._need:
            return False
        found.append(bytes(memoryview(self._buffer)[: self._need]))
        del self._buffer[: self._need]
        self._need = None
        return bool(self._buffer)

    def _head(self, found: list[bytes | Complaint]) -> bool:
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if end < 0 and len(self._buffer) <= MAX_HEADER + 4:
            self._searched = len(self._buffer)
            return False
        self._searched = 0
        if end < 0 or end > MAX_HEADER:
            found.append(Complaint(PARSE_ERROR, f"A message header may have at most {MAX_HEADER} bytes."))
            self._start_skip(1, None)
            return True
        lengths = set()
        for line in bytes(self._buffer[:end]).split(b"\r\n"):
            if match := _LENGTH.fullmatch(line + b"\r\n"):
                lengths.add(int(match[1]))
        if len(lengths) != 1:
            found.append(Complaint(PARSE_ERROR, "A message header needs one line `Content-Length: <bytes>`."))
            # Something else may stand right before a good header (a stray print, a body longer than it said).
            self._start_skip(1 if not lengths else end + 4, None)
            return True
        length = lengths.pop()
        del self._buffer[: end + 4]
        if length > self._limit:
            found.append(
                Complaint(
                    INVALID_REQUEST,
                    f"A message of {length} bytes was refused: at most {self._limit} are accepted "
                    f"({self._limit // (1024 * 1024)} MB). Send less text, or name a file instead.",
                )
            )
            self._start_skip(0, length)
            return True
        self._need = length
        return True

    def _start_skip(self, drop: int, left: int | None) -> None:
        del self._buffer[:drop]
        self._skipping, self._skip_left = True, left

    def _skip(self) -> bool:
        left = self._skip_left
        match = _LENGTH.search(self._buffer)
        if match and (left is None or match.start() < left):
            del self._buffer[: match.start()]
        elif left is not None and len(self._buffer) >= left:
            del self._buffer[:left]
        else:
            dropped = max(0, len(self._buffer) - _LENGTH_SPAN)
            del self._buffer[:dropped]
            if left is not None:
                self._skip_left = left - dropped
            return False
        self._skipping, self._skip_left = False, None
        return True


def decode(body: bytes) -> Any:
    """One JSON value, or a Complaint. Half a surrogate pair, which JavaScript really sends, becomes U+FFFD."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        try:
            value = json.loads(body, parse_constant=_no_constant)
            text = json.dumps(value, ensure_ascii=False)
            return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        except (ValueError, RecursionError):
            return Complaint(PARSE_ERROR, f"The message is not JSON: {error}.")


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def encode(message: dict[str, Any]) -> bytes:
    """A message as JSON. Models give their own wire form; what UTF-8 cannot say becomes `?`."""
    try:
        return orjson.dumps(message, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Half a surrogate pair or an integer above 64 bits; the slow encoder takes both.
        return json.dumps(message, default=_plain, ensure_ascii=False).encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, int):
        return int(value)
    raise TypeError(f"{type(value).__name__} has no wire form")


@dataclass(frozen=True)
class Request:
    id: Id
    method: str
    params: Any


@dataclass(frozen=True)
class Notice:
    method: str
    params: Any


@dataclass(frozen=True)
class Reply:
    """An answer to a request of ours: a result, or JSON-RPC's error object."""

    id: Id | None
    result: Any = None
    error: Any = None


def read_message(value: Any) -> Request | Notice | Reply | Complaint:
    """What one JSON value is. A complaint carries the id wherever there is a usable one."""
    if isinstance(value, list):
        return Complaint(INVALID_REQUEST, "Batches are not part of LSP: send each message by itself.")
    if not isinstance(value, dict):
        return Complaint(INVALID_REQUEST, "A message must be a JSON object.")
    raw_id = value.get("id")
    known = raw_id if isinstance(raw_id, (int, str)) and not isinstance(raw_id, bool) else None
    if value.get("jsonrpc") != "2.0":
        return Complaint(INVALID_REQUEST, '`jsonrpc` must be "2.0".', known)
    if "method" not in value:
        if "id" in value and ("result" in value or "error" in value):
            return Reply(known, value.get("result"), value.get("error"))
        return Complaint(INVALID_REQUEST, "`method` is missing: it names what is asked for.", known)
    method, params = value["method"], value.get("params")
    if not isinstance(method, str):
        return Complaint(INVALID_REQUEST, "`method` must be a string.", known)
    if not (params is None or isinstance(params, (dict, list))):
        return Complaint(INVALID_REQUEST, "`params` must be an object or an array.", known)
    if "id" not in value:
        return Notice(method, params)
    if known is None:
        return Complaint(INVALID_REQUEST, "`id` must be an integer or a string.")
    return Request(known, method, params)
