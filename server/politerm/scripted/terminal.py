"""A small prompt in a terminal: raw mode, bracketed paste, an input box of one line, Escape to interrupt.

It does not know what is said; it reads what a person or an orchestrator puts in and prints what it is given.
"""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import sys
import termios
import time
import tty
from types import TracebackType

PASTE, PASTE_END = b"\x1b[200~", b"\x1b[201~"
ESCAPE_SECONDS = 0.05
"""An escape byte with nothing behind it for this long is the Escape key; terminals send a sequence in one piece."""
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^\[O])", re.DOTALL)

MARK, DIM, BOLD, CYAN, OFF = "❯", "\x1b[2m", "\x1b[1m", "\x1b[36m", "\x1b[0m"


class Interrupted(Exception):
    """The person pressed Escape or Ctrl-C during a turn."""


class Closed(Exception):
    """The terminal is gone, or the person wants to leave."""


class Terminal:
    """Raw mode for the time of a `with`. `pace`: seconds that a step takes for the eye; 0 for none."""

    def __init__(self, *, pace: float = 0.0) -> None:
        self._pace = pace
        self._in, self._out = sys.stdin.fileno(), sys.stdout.fileno()
        self._buffer = b""
        self._saved: list[object] | None = None
        self._pastes = 0
        self._busy = ""

    def __enter__(self) -> Terminal:
        # Before raw mode is set up, an interrupt may end us; afterwards its key arrives as a byte.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if os.isatty(self._in):
            self._saved = termios.tcgetattr(self._in)
            tty.setraw(self._in, termios.TCSANOW)
        self._write("\x1b[?2004h")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("\x1b[?2004l\r\n")
        if self._saved is not None:
            termios.tcsetattr(self._in, termios.TCSANOW, self._saved)  # type: ignore[arg-type]

    # ---- out ---------------------------------------------------------------------------------------------------------

    def line(self, text: str = "", style: str = "") -> None:
        self._write(f"\r\x1b[K{style}{text}{OFF if style else ''}\r\n{self._busy}")

    def busy(self, text: str) -> None:
        """Keep this in the last row, below all that is printed; empty: nothing any more."""
        self._busy = f"{DIM}{text}{OFF}" if text else ""
        self._write(f"\r\x1b[K{self._busy}")

    def reply(self, text: str) -> None:
        """What the agent says, line by line at its pace; messages stand out in colour."""
        inside = False
        for line in text.splitlines():
            inside = inside or line.startswith("[[POLI")
            self.line(line, CYAN if inside else "")
            self.wait(0.15)

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._out, data) :]

    # ---- in ----------------------------------------------------------------------------------------------------------

    def prompt(self) -> str:
        """What is submitted next. Raises Closed at the end of the input and after Ctrl-C or Ctrl-D in an empty box."""
        typed, shown, decoder = "", "", codecs.getincrementaldecoder("utf-8")("replace")
        self._write(f"{BOLD}{MARK}{OFF} ")
        while True:
            kind, data = self._next()
            if kind == "paste":
                text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
                self._pastes += 1
                lines = text.count("\n")
                typed += text
                shown += f"[Pasted text #{self._pastes} +{lines} lines]" if lines else text
            elif kind == "enter":
                if typed.strip():
                    self._write("\r\n")
                    return typed
                continue
            elif kind == "erase":
                typed, shown = typed[:-1], shown[:-1]
            elif kind == "clear":
                typed = shown = ""
            elif kind in ("escape", "leave"):
                if kind == "leave" and not typed:
                    raise Closed
                typed = shown = ""
            else:
                text = decoder.decode(data)
                typed += text
                shown += text
            self._write(f"\r\x1b[K{BOLD}{MARK}{OFF} {shown}")

    def wait(self, steps: float) -> None:
        """Let `steps` times the pace pass. Raises Interrupted."""
        if self._pace > 0:
            self.listen(self._pace * steps)

    def listen(self, seconds: float, other: int | None = None) -> bool:
        """Watch for an interrupt, and for something to read at `other`; True as soon as there is. What else is typed
        waits for the next prompt. Raises Interrupted."""
        until = time.monotonic() + seconds
        while True:
            left = max(0.0, until - time.monotonic())
            ready, _, _ = select.select([self._in] if other is None else [self._in, other], [], [], left)
            if self._in in ready:
                self._more()
                if self._buffer.endswith(b"\x03") or (self._buffer.endswith(b"\x1b") and not self._readable()):
                    self._buffer = b""
                    raise Interrupted
            if other in ready:
                return True
            if left == 0:
                return False

    def _readable(self) -> bool:
        return bool(select.select([self._in], [], [], ESCAPE_SECONDS)[0])

    def _more(self) -> None:
        try:
            data = os.read(self._in, 65536)
        except OSError:
            data = b""
        if not data:
            raise Closed
        self._buffer += data

    def _next(self) -> tuple[str, bytes]:
        """The next key or paste, whole."""
        while True:
            if not self._buffer:
                self._more()
            if self._buffer.startswith(PASTE):
                end = self._buffer.find(PASTE_END)
                if end >= 0:
                    data = self._buffer[len(PASTE) : end]
                    self._buffer = self._buffer[end + len(PASTE_END) :]
                    return "paste", data
                self._more()
                continue
            if self._buffer[:1] == b"\x1b":
                sequence = _SEQUENCE.match(self._buffer)
                if sequence and sequence[0] != PASTE:
                    self._buffer = self._buffer[sequence.end() :]
                    continue
                if self._readable():
                    self._more()
                    continue
                self._buffer = self._buffer[1:]
                return "escape", b""
            first, self._buffer = self._buffer[:1], self._buffer[1:]
            if first in _KEYS:
                return _KEYS[first], first
            if first >= b" ":
                return "text", first


_KEYS = {
    b"\r": "enter",
    b"\n": "enter",
    b"\x7f": "erase",
    b"\x08": "erase",
    b"\x15": "clear",
    b"\x03": "leave",
    b"\x04": "leave",
}
