"""The control-mode decoder: bytes of `tmux -C` in, notifications and replies out. Pure: no clock, no IO.

Rules of the stream:
- Every tmux command answers with one block: `%begin T N F`, its output raw, `%end T N F` or `%error T N F`. Only the
  same time, number and flags end it; any other line, whatever it looks like, is its body (a pane may show `%end 1 2 1`,
  and tmux itself can write `%continue %3` in there).
- Outside a block a line is a notification, or text that tmux wrote to its standard error.
- `%output` carries the pane's bytes with control characters and backslash as three octal digits.

T and N can be guessed, so a program could draw the true end of the very block that captures its screen. A block with
pane text is therefore *sealed*: the tmux commands before and after it print a nonce that no pane has ever seen, and
between the two nonces only the second one, in its own block, ends the first.

This module does not know who asks (client.py) or what the answers mean (looks.py).
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

LIMIT = 64 * 1024 * 1024
"""Bytes held for one unfinished line or block. tmux's largest honest reply, 50,000 lines of history, is far below."""

_GUARD = re.compile(rb"%begin ([0-9]{1,19}) ([0-9]{1,19}) ([0-9]{1,19})")
_NOTICE = re.compile(rb"%([a-z][a-z-]*)(?: (.*))?", re.DOTALL)
_EXTENDED = re.compile(rb"%extended-output (%[0-9]+) [^:]*: (.*)", re.DOTALL)
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")


class Output(NamedTuple):
    """Bytes that a pane's program wrote."""

    pane: str
    data: bytes


class Notice(NamedTuple):
    """A notification without its `%`: `exit`, `window-close`, ... and the rest of the line."""

    name: str
    text: str


class Reply(NamedTuple):
    """What one tmux command answered. `flags` is 1 for commands that came over this very stream, else 0."""

    ok: bool
    flags: int
    body: bytes


class Stray(NamedTuple):
    """A line that is no part of the protocol: what tmux says on its standard error before it ends."""

    text: str


Item = Output | Notice | Reply | Stray


class Overflow(Exception):
    """One line or block grew past LIMIT: the stream is not to be trusted any more."""


def undo_octal(data: bytes) -> bytes:
    r"""`\015\012` back to bytes. tmux escapes with three octal digits only; anything else a stream may hold is kept."""
    if b"\\" not in data:
        return data
    try:
        return codecs.escape_decode(data)[0]
    except (ValueError, Warning):
        return _OCTAL.sub(lambda match: bytes((int(match[1], 8),)), data)


class Decoder:
    """Feed it any split of the stream; the items are the same, but that output may be joined differently."""

    def __init__(self, *, limit: int = LIMIT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._held = 0
        self._body: list[bytes] | None = None
        self._end = b""
        self._error = b""
        self._flags = 0
        self._seals: dict[bytes, int] = {}
        self._sealed: bytes | None = None

    def seal(self, nonce: bytes, blocks: int) -> None:
        """The nonce will be printed before, between and after `blocks` blocks of pane text."""
        self._seals[nonce] = blocks

    def unseal(self, nonce: bytes) -> None:
        """Forget a nonce that will not be printed."""
        self._seals.pop(nonce, None)

    def within(self, nonce: bytes) -> bool:
        """Does the decoder stand in a block that only this nonce ends?"""
        return self._sealed == nonce

    def feed(self, data: bytes) -> list[Item]:
        """Items completed by `data`. Neighbouring output of one pane is joined. Raises Overflow."""
        lines = data.split(b"\n")
        rest = lines.pop()
        if lines and self._parts:
            self._held -= sum(map(len, self._parts))
            self._parts.append(lines[0])
            lines[0] = b"".join(self._parts)
            self._parts.clear()
        items: list[Item] = []
        output: dict[bytes, list[bytes]] = {}
        for line in lines:
            if self._body is not None:
                self._inside(line, items)
            elif line.startswith(b"%output %"):
                pane, _, raw = line[8:].partition(b" ")
                output.setdefault(pane, []).append(undo_octal(raw))
            else:
                if output:
                    _flush(output, items)
                self._outside(line, items)
        if output:
            _flush(output, items)
        if rest:
            self._parts.append(rest)
            self._hold(len(rest))
        return items

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._limit:
            raise Overflow(f"tmux sent more than {self._limit} bytes without an end")

    def _outside(self, line: bytes, items: list[Item]) -> None:
        if guard := _GUARD.fullmatch(line):
            self._begin(line, int(guard[3]))
        elif extended := _EXTENDED.fullmatch(line):
            items.append(Output(extended[1].decode(), undo_octal(extended[2])))
        elif notice := _NOTICE.fullmatch(line):
            items.append(Notice(notice[1].decode(), (notice[2] or b"").decode("utf-8", "replace")))
        elif line:
            items.append(Stray(line.decode("utf-8", "replace")))

    def _begin(self, line: bytes, flags: int) -> None:
        self._body = []
        self._flags = flags
        self._end = b"%end" + line[6:]
        self._error = b"%error" + line[6:]

    def _inside(self, line: bytes, items: list[Item]) -> None:
        body = self._body
        assert body is not None
        if self._sealed is not None:
            if line == self._sealed and len(body) >= 2 and body[-2] == self._end:
                guard = _GUARD.fullmatch(body[-1])
                if guard is not None:
                    begin = body.pop()
                    body.pop()
                    self._finish(True, items)
                    self._begin(begin, int(guard[3]))
                    assert self._body is not None
                    self._body.append(line)
                    self._sealed = None
                    return
        elif line == self._end:
            self._finish(True, items)
            return
        elif line == self._error:
            self._finish(False, items)
            return
        body.append(line)
        self._hold(len(line) + 1)

    def _finish(self, ok: bool, items: list[Item]) -> None:
        body = b"\n".join(self._body or ())
        self._held = 0
        self._body = None
        items.append(Reply(ok, self._flags, body))
        left = self._seals.get(body)
        if left is not None:
            if left:
                self._seals[body] = left - 1
                self._sealed = body
            else:
                del self._seals[body]


def _flush(output: dict[bytes, list[bytes]], items: list[Item]) -> None:
    for pane, chunks in output.items():
        items.append(Output(pane.decode("ascii", "replace"), chunks[0] if len(chunks) == 1 else b"".join(chunks)))
    output.clear()
