"""A program in a terminal of its own, for tests that prove a program by itself: no tmux and nothing of PoliTerm.

It plays the terminal's part: a screen (pyte), keys, and pastes that are bracketed when the program asked for it.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pyte

DEADLINE = 20.0
"""Seconds until a wait gives up: generous, as machines under test are busy. In good order nothing waits this long."""


class Terminal:
    """`with Terminal(argv, cwd=...) as terminal:` starts the program and ends it with everything it left running."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        columns: int = 160,
        rows: int = 50,
    ) -> None:
        self._argv, self._cwd = list(argv), cwd
        self._env = {**os.environ, "TERM": "xterm-256color", **(env or {})}
        self._size = (columns, rows)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.output = b""
        self.pid = 0
        self._fd = -1
        self._status: int | None = None

    def __enter__(self) -> Terminal:
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                columns, rows = self._size
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.chdir(self._cwd)
                os.execvpe(self._argv[0], self._argv, self._env)
            finally:
                os._exit(127)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    # ---- out ---------------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[str]:
        return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.rows).rstrip()

    @property
    def bracketed(self) -> bool:
        return self.output.rfind(b"\x1b[?2004h") > self.output.rfind(b"\x1b[?2004l")

    def pump(self, seconds: float) -> bool:
        """Take what the program writes within this time, once; False when there was nothing, or it is over."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return False
        self.output += data
        self._stream.feed(self._decoder.decode(data))
        return bool(data)

    def wait(self, what: Callable[[], bool], why: str = "what was waited for") -> None:
        until = time.monotonic() + DEADLINE
        while not what():
            if time.monotonic() > until:
                raise AssertionError(f"{why} did not come; the screen is:\n{self.text}")
            self.pump(0.05)

    def wait_text(self, text: str) -> None:
        self.wait(lambda: text in self.text, repr(text))

    def exit_status(self) -> int:
        """Wait for the program's own end: its exit status, or minus the signal."""

        def over() -> bool:
            if self._status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self._status = os.waitstatus_to_exitcode(status)
            return self._status is not None

        self.wait(over, "the program's end")
        assert self._status is not None
        return self._status

    # ---- in ----------------------------------------------------------------------------------------------------------

    def type(self, data: str) -> None:
        """Keys as bytes. While they cannot be written, what the program says is read, as a terminal does."""
        rest = data.encode()
        while rest:
            _, writable, _ = select.select([self._fd], [self._fd], [], DEADLINE)
            self.pump(0)
            if writable:
                rest = rest[os.write(self._fd, rest[:1024]) :]

    def paste(self, text: str) -> None:
        """As tmux pastes: bracketed if the program asked for that, else as typed."""
        self.type(f"\x1b[200~{text}\x1b[201~" if self.bracketed else text)

    def submit(self, text: str) -> None:
        """Paste and press Enter."""
        self.paste(text)
        self.type("\r")
