"""One role's recording: a file that is appended to, whole line by whole line, also by the next process.

It does not know of caps or of other recordings, and it is used by one thread.
"""

from __future__ import annotations

import codecs
import os
from contextlib import suppress
from pathlib import Path

from politerm.core.wire import Role
from politerm.eventlog import cast
from politerm.private import open_private

TAIL_BYTES = 1024 * 1024
"""Where the last whole line of a file is looked for; ours are far shorter."""

CHUNK_BYTES = 64 * 1024
"""Output of one line at most."""


def file_name(role: Role) -> str:
    return f"{role.value.lower()}.cast"


class Track:
    """Times (`at`) are of one monotonic clock, in seconds; `wall` is the time of day at `at` of the opening.

    A file that is there is gone on with: a line that a kill cut off is removed, times go on where the wall clock says,
    and never backwards. What is no recording is moved aside as `<name>.broken`. Errors: OSError, ReadOnly.
    """

    def __init__(self, file: Path, title: str, size: tuple[int, int], *, at: float, wall: float) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._lines: list[bytes] = []
        self.pending = 0
        self._fd = open_private(file, os.O_RDWR | os.O_CREAT)
        try:
            self._end = os.fstat(self._fd).st_size
            self._start = at
            self._last = 0.0
            if self._end:
                fields = cast.read_header(os.pread(self._fd, 4096, 0).partition(b"\n")[0])
                if fields is None:
                    file.replace(file.with_name(file.name + ".broken"))
                    os.close(self._fd)
                    self._fd = open_private(file, os.O_RDWR | os.O_CREAT)
                    self._end = 0
                else:
                    self._last = self._go_on()
                    self._start = at - max(self._last, wall - fields["timestamp"])
            if not self._end:
                self._put(cast.header(*size, wall, title))
            else:
                self._put(cast.line(self._now(at), "r", f"{size[0]}x{size[1]}"))
        except BaseException:
            self.close()
            raise

    def output(self, at: float, data: bytes) -> None:
        """Characters that are not complete yet wait for their rest."""
        for place in range(0, len(data), CHUNK_BYTES):
            if text := self._decoder.decode(data[place : place + CHUNK_BYTES]):
                self._put(cast.line(self._now(at), "o", text))

    def missed(self, at: float) -> None:
        """Mark where output is missing; what comes next begins anew."""
        self.finish(at)
        self._put(cast.line(self._now(at), "m", "output is missing here"))

    def finish(self, at: float) -> None:
        """Give out what waited for its rest in vain."""
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        if rest:
            self._put(cast.line(self._now(at), "o", rest))

    def write(self) -> int:
        """Append what is ready; answers how many bytes. On OSError the file ends with the last whole line before."""
        data = b"".join(self._lines)
        self._lines.clear()
        self.pending = 0
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._fd, data[written:], self._end + written)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self._end)
            raise
        self._end += written
        return written

    def close(self) -> None:
        os.close(self._fd)

    def _put(self, line: bytes) -> None:
        self._lines.append(line)
        self.pending += len(line)

    def _now(self, at: float) -> float:
        self._last = max(self._last, at - self._start)
        return self._last

    def _go_on(self) -> float:
        """Cut the file after its last whole line; answers that line's time."""
        start = max(0, self._end - TAIL_BYTES)
        tail = os.pread(self._fd, self._end - start, start)
        whole = tail.rfind(b"\n") + 1
        self._end = start + whole
        os.ftruncate(self._fd, self._end)
        event = cast.read_line(tail[:whole].rstrip(b"\n").rpartition(b"\n")[2])
        return event[0] if event is not None else 0.0
