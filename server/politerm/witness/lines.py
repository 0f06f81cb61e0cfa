"""Following a file that another program appends lines to: only whole lines, from where we stood, across our own death.

Knows nothing of what the lines mean. One poll costs one stat when nothing is new, and reads a bounded slice otherwise.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

SLICE: Final = 1024 * 1024
"""Bytes that one poll reads at most: a few milliseconds of parsing, so that a huge record cannot hold up the loop."""
LINE_CAP: Final = 32 * 1024 * 1024
"""Bytes of a line that are kept; a longer one is dropped to its end and counted."""
ANCHOR: Final = 64
"""Bytes before the cursor that must still be there: a file that was emptied and filled again has others."""
NEW: Final = "new"


class LineFile:
    """The cursor is `<device>:<inode>:<offset>:<checksum of the bytes before it>`, or `new` where no file was yet.

    A copy in the file's place, as programs make that save by renaming, is read on where we stood: it is known by the
    bytes before the cursor.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble: str | None = None
        """Why lines may be missing (the file was replaced, cut, or cannot be read); None while all is well."""
        self.dropped = 0
        self.found = False
        """The file has been there at the last poll."""
        self.behind = False
        """The last poll stopped before the end of the file: poll again soon."""
        self._identity = (0, 0)
        self._seen = (-1, -1)
        self._done = 0
        self._anchor = b""
        self._partial = bytearray()
        self._dropping = False
        self._batch: tuple[int, bytes, bytes, list[int]] = (0, b"", b"", [])

    def cursor(self) -> str:
        """Behind the last line that was given out."""
        return self._place(self._done, self._anchor)

    def cursor_behind(self, count: int) -> str:
        """Behind the first `count` lines of the last poll, for a reader that is not done with those after them."""
        done, before, whole, ends = self._batch
        end = ends[count - 1]
        return self._place(done + end, (before + whole[:end])[-ANCHOR:])

    def _place(self, offset: int, anchor: bytes) -> str:
        if self._identity == (0, 0):
            return NEW
        return f"{self._identity[0]}:{self._identity[1]}:{offset}:{zlib.crc32(anchor)}"

    def seek(self, cursor: str | None) -> str | None:
        """Go on from a cursor; None and `new` are the beginning. A sentence says that the cursor does not fit; reading
        then goes on from the file's present end, because what stands there cannot be told old from new."""
        self._stand((0, 0), 0, b"")
        self.trouble = None
        if cursor is None or cursor == NEW:
            return None
        try:
            device, inode, offset, checksum = (int(part) for part in cursor.split(":"))
        except ValueError:
            return self._lose("its cursor cannot be read")
        try:
            with self.path.open("rb") as file:
                stat = os.fstat(file.fileno())
                anchor = os.pread(file.fileno(), min(ANCHOR, offset), max(0, offset - ANCHOR))
        except OSError as error:
            return self._lose(f"it is gone ({error.strerror})")
        identity = (stat.st_dev, stat.st_ino)
        if stat.st_size < offset or zlib.crc32(anchor) != checksum:
            return self._lose("it was cut or rewritten" if identity == (device, inode) else "it was replaced")
        self._stand(identity, offset, anchor)
        return None

    def poll(self) -> list[bytes]:
        """Whole lines since the last poll, without their ends; empty ones are left out."""
        self.behind = False
        try:
            stat = os.stat(self.path)  # noqa: PTH116 (a Path doubles the cost of the poll that finds nothing)
            self.found = True
            if (stat.st_dev, stat.st_ino) == self._identity and (stat.st_size, stat.st_mtime_ns) == self._seen:
                return []
            return self._read()
        except FileNotFoundError:
            self.found = False
            return []
        except OSError as error:
            self.trouble = f"it cannot be read ({error.strerror})"
            return []

    def _read(self) -> list[bytes]:
        with self.path.open("rb", buffering=0) as file:
            stat = os.fstat(file.fileno())
            identity = (stat.st_dev, stat.st_ino)
            if self._identity == (0, 0):
                self._stand(identity, 0, b"")
            elif stat.st_size < self._at or not self._same(file.fileno()):
                self._lose("it was cut or rewritten" if identity == self._identity else "it was replaced")
                return []
            self._identity = identity
            data = os.pread(file.fileno(), SLICE, self._at)
        self.behind = len(data) == SLICE
        if not self.behind:
            # What is appended after the stat makes the next one differ, so nothing is overlooked.
            self._seen = (stat.st_size, stat.st_mtime_ns)
        return self._take(data)

    def _take(self, data: bytes) -> list[bytes]:
        self._partial += data
        end = self._partial.rfind(b"\n", len(self._partial) - len(data)) + 1
        lines: list[bytes] = []
        if end:
            whole = bytes(self._partial[:end])
            del self._partial[:end]
            ends = []
            at = 0
            for line in whole.split(b"\n")[:-1]:
                at += len(line) + 1
                if line.strip() and not self._dropping:
                    lines.append(line)
                    ends.append(at)
                self._dropping = False
            self._batch = (self._done, self._anchor, whole, ends)
            self._pass(whole)
        if len(self._partial) > LINE_CAP or (self._dropping and self._partial):
            self.dropped += not self._dropping
            self._dropping = True
            self._pass(bytes(self._partial))
            self._partial.clear()
        return lines

    @property
    def _at(self) -> int:
        return self._done + len(self._partial)

    def _same(self, file: int) -> bool:
        return os.pread(file, len(self._anchor), self._done - len(self._anchor)) == self._anchor

    def _pass(self, data: bytes) -> None:
        self._done += len(data)
        self._anchor = (self._anchor + data[-ANCHOR:])[-ANCHOR:]

    def _stand(self, identity: tuple[int, int], offset: int, anchor: bytes) -> None:
        self._identity, self._done, self._anchor = identity, offset, anchor
        self._seen = (-1, -1)
        self._partial.clear()
        self._dropping = False

    def _lose(self, trouble: str) -> str:
        """Stand at the end of whatever is there now."""
        self.trouble = trouble
        self._stand((0, 0), 0, b"")
        with suppress(OSError), self.path.open("rb") as file:
            stat = os.fstat(file.fileno())
            anchor = os.pread(file.fileno(), min(ANCHOR, stat.st_size), max(0, stat.st_size - ANCHOR))
            self._stand((stat.st_dev, stat.st_ino), stat.st_size, anchor)
        return trouble
