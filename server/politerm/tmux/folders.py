"""The private places of one tmux server: its socket's folder, and the runtime folder of launcher and paste files.

Every folder is ours alone (mode 0700, our user, no link). This module does not know tmux; it knows what a socket's path
may look like.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import secrets
import tempfile
import time
from pathlib import Path

import psutil

from politerm import private
from politerm.errors import ReadOnly, TmuxError

log = logging.getLogger(__name__)

SOCKET_PATH_LIMIT = 100
"""Bytes. sun_path has 104 on macOS and 108 on Linux, its NUL included; tmux's own check is no better."""

_STALE_SECONDS = 120.0
_CLOCK_TICK = 0.02
"""Seconds. A process's start is known in hundredths, and psutil adds the boot time to it."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def private_folder(path: Path) -> Path:
    """Make the folder, or make sure of it: a true folder of ours with mode 0700. Raises TmuxError."""
    try:
        return private.private_folder(path)
    except ReadOnly as error:
        raise TmuxError(error.message, hint=error.hint) from error


def plain(path: Path) -> bool:
    """Is there nothing in this path that a line of tmux commands could not hold?"""
    return not _CONTROL.search(str(path))


def usable(path: Path) -> bool:
    """May a socket be bound to this path?"""
    return len(os.fsencode(path)) < SOCKET_PATH_LIMIT and plain(path)


def choose_socket(wanted: Path) -> Path:
    """The wanted path, or, where it is too long or its folder is not ours, a short one that every process of this user
    derives from it again. The folder is there and private afterwards. Raises TmuxError."""
    trouble: TmuxError | None = None
    if usable(wanted):
        try:
            private_folder(wanted.parent)
            return wanted
        except TmuxError as error:
            trouble = error
    name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    for base in _short_bases():
        try:
            folder = private_folder(base)
        except TmuxError as error:
            trouble = error
            continue
        if usable(folder / name):
            return folder / name
    raise trouble or TmuxError(f"No place is short enough for the tmux socket {wanted}.", hint="Set XDG_RUNTIME_DIR.")


def _short_bases() -> list[Path]:
    bases = []
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_dir() and Path(runtime).stat().st_uid == os.getuid():
        bases.append(Path(runtime) / "politerm")
    bases.append(Path(tempfile.gettempdir()) / f"politerm-{os.getuid()}")
    bases.append(Path("/tmp") / f"politerm-{os.getuid()}")  # noqa: S108 - checked by private_folder
    return bases


def write_private(folder: Path, kind: str, content: bytes) -> str:
    """A new file (0600) with an unguessable name, which is answered. Raises TmuxError."""
    name = f"{kind}-{secrets.token_hex(8)}"
    try:
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        remove(folder, name)
        raise TmuxError(f"{folder} cannot be written: {error.strerror}.") from error
    return name


def remove(folder: Path, name: str) -> None:
    with contextlib.suppress(OSError):
        (folder / name).unlink(missing_ok=True)


def sweep(folder: Path, kinds: tuple[str, ...]) -> None:
    """Delete what a process of ours that died may have left, but nothing that a launcher may still read."""
    before = time.time() - _STALE_SECONDS
    for entry in folder.iterdir():
        if entry.name.startswith(kinds):
            with contextlib.suppress(OSError):
                if entry.lstat().st_mtime < before:
                    entry.unlink()


class ServerRecord:
    """Which process is the tmux server, kept beside the socket so that it is known when the socket file is gone.

    The process's start time stands with its pid: a pid alone may belong to somebody else by now.
    """

    def __init__(self, socket: Path) -> None:
        self._path = socket.with_name(socket.name + ".pid")
        self._known: tuple[int, float] | None = None

    def write(self, pid: int) -> None:
        try:
            started = psutil.Process(pid).create_time()
        except psutil.Error:
            return
        self._known = pid, started
        folder = self._path.parent
        try:
            name = write_private(folder, self._path.name, f"{pid} {started!r}\n".encode())
            (folder / name).replace(self._path)
        except (TmuxError, OSError) as error:
            # A full disk: the server is known to this process all the same.
            log.warning("the tmux server's process is not recorded: %s", error)

    def read(self) -> int | None:
        """The pid, if that very process lives."""
        try:
            text = self._path.read_text().split()
            self._known = int(text[0]), float(text[1])
        except (OSError, ValueError, IndexError):
            # The file may have gone with the socket; what was known of it still holds.
            pass
        if self._known is None:
            return None
        pid, started = self._known
        try:
            process = psutil.Process(pid)
            same = abs(process.create_time() - started) < _CLOCK_TICK
            return pid if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    def remove(self) -> None:
        self._known = None
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
