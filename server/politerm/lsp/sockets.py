"""Unix sockets of this user alone: a path of any length, an owner that is checked."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from politerm.errors import OutsideError

PATH_LIMIT: Final = 100
"""Bytes; the kernel's own limit is 108 on Linux and 104 on macOS, with the final NUL."""
_LOCAL_PEERCRED: Final = 1  # <sys/un.h> of macOS, which Python does not name
_SOL_LOCAL: Final = 0


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for a socket that the kernel accepts. A long path goes through a descriptor of its folder (Linux)."""
    if len(os.fsencode(path)) <= PATH_LIMIT:
        yield str(path)
        return
    if not sys.platform.startswith("linux"):
        raise OutsideError(
            f"The path of the socket is too long for this system: {path}.",
            hint="Set POLITERM_STATE_DIR to a shorter folder.",
        )
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def peer_uid(sock: socket.socket) -> int | None:
    """The user at the other end of a unix socket; None where the platform cannot say."""
    platform: str = sys.platform
    if platform.startswith("linux"):
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", raw)[1])
    if platform == "darwin":
        raw = sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)  # sizeof(struct xucred): version, uid, groups
        return int(struct.unpack("2I", raw[:8])[1])
    return None
