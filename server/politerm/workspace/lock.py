"""The workspace's lock: who holds it does all typing, writing and listening; everybody else is a client.

It is the kernel's own file lock (flock), which falls with the process however that dies: a file left behind by a dead
holder is no lock, and a reused pid means nothing. The words in the file are for people and for `doctor` only.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil

from politerm.errors import ReadOnly
from politerm.private import open_private, read_private

POLL_SECONDS = 0.2
"""How often a waiting process tries. A blocking flock in a thread could not be cancelled; a try costs microseconds."""


@dataclass(frozen=True)
class Holder:
    """`started` is the process's start in seconds since the epoch, as the kernel tells it."""

    pid: int
    started: float


class WorkspaceLock:
    """Not for several threads. The descriptor is not inherited by programs that we start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        return self._fd is not None

    def try_acquire(self) -> bool:
        """Take the lock if it is free; True also if we have it already. Never waits.

        Raises `ReadOnly` where a lock cannot be had at all (no right to the folder, a link, a disk without locks).
        """
        if self._fd is not None:
            return True
        try:
            fd = open_private(self._path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise self._refused(error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not self._is_current(fd):
                # Somebody took the file away between our open and our lock: what we hold, no one else will ever see.
                os.close(fd)
                return False
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
                return False
            raise self._refused(error) from error
        self._fd = fd
        self._sign(fd)
        return True

    async def wait(self) -> None:
        """Return holding the lock, at most POLL_SECONDS after it fell free. May be cancelled at any moment."""
        while not self.try_acquire():  # noqa: ASYNC110 - another process lets go; nothing in this one can tell
            await asyncio.sleep(POLL_SECONDS)

    def release(self) -> None:
        """Let go; harmless without the lock. The file stays: removing it could take it from under the next holder."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        with suppress(OSError):
            os.ftruncate(fd, 0)
        # Unlocking by name, and not by closing alone, counts for copies of the descriptor in a forked child as well.
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)

    def holder(self) -> Holder | None:
        """Who signed the lock and still lives, that very process and not another with its pid; None when nobody."""
        try:
            record = orjson.loads(read_private(self._path, limit=4096) or b"")
            holder = Holder(pid=int(record["pid"]), started=float(record["started"]))
            alive = abs(psutil.Process(holder.pid).create_time() - holder.started) < 1.0
        except (OSError, ReadOnly, ValueError, KeyError, TypeError, psutil.Error):
            return None
        return holder if alive else None

    def _is_current(self, fd: int) -> bool:
        try:
            named = self._path.lstat()
        except FileNotFoundError:
            return False
        ours = os.fstat(fd)
        return (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)

    def _sign(self, fd: int) -> None:
        """A full disk must not keep a lock from being a lock, so a failure here is no failure."""
        record = orjson.dumps({"pid": os.getpid(), "started": psutil.Process().create_time()})
        with suppress(OSError):
            os.ftruncate(fd, 0)
            os.pwrite(fd, record, 0)

    def _refused(self, error: OSError) -> ReadOnly:
        return ReadOnly(
            f"The workspace's lock {self._path} cannot be used: {error.strerror}.",
            hint="Set POLITERM_STATE_DIR to a folder of your own on a local disk.",
        )
