"""Where the state of a workspace lives on disk, and by which key.

Nothing here opens the files it names, and nothing looks into the workspace itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from politerm.environment import state_folder
from politerm.private import private_folder

KEY_LENGTH = 16
"""Hex digits of SHA-256 that name a workspace: 64 bits, so that two folders of one user never meet."""

SOCKET_PATH_BYTES = 100
"""Longest path we bind a socket at. `sun_path` holds 104 bytes on macOS and 108 on Linux, its final NUL included."""

SHORT_BASE = Path("/tmp")  # noqa: S108 - see `locate`: short, and the same for every process of the user
"""Where the short folder for sockets is made when the state folder's own path is too long for one."""


def workspace_key(folder: Path | str) -> str:
    """The first 16 hex digits of the SHA-256 of the folder's real path: the same through every link to it."""
    return hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:KEY_LENGTH]


@dataclass(frozen=True)
class StatePaths:
    """The files of one workspace. `root` is its state folder; `sockets` is `root`, or a short folder standing in."""

    key: str
    root: Path
    sockets: Path

    @property
    def db(self) -> Path:
        return self.root / "politerm.db"

    @property
    def recordings(self) -> Path:
        return self.root / "recordings"

    @property
    def runtime(self) -> Path:
        """Files that agents are started with, and the folders `{stateDir}` of their records."""
        return self.root / "runtime"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def control_socket(self) -> Path:
        return self.sockets / "control.sock"

    @property
    def tmux_socket(self) -> Path:
        return self.sockets / "tmux.sock"

    def ensure(self) -> None:
        """Make every folder of this workspace, each 0700 and ours. Raises `ReadOnly` with the folder and the reason."""
        for folder in (self.root, self.recordings, self.runtime, self.logs):
            private_folder(folder)
        if self.sockets != self.root:
            private_folder(self.sockets.parent)
            private_folder(self.sockets)


def locate(workspace: Path | str, env: Mapping[str, str], *, short_base: Path = SHORT_BASE) -> StatePaths:
    """The paths of a workspace's state; nothing is made or read (but the links on the way to the workspace).

    A socket's path may be at most SOCKET_PATH_BYTES long. Where the state folder is deeper, sockets go to
    `<short base>/politerm-<uid>/<key of the state folder>`. Its name follows from the state folder and the user alone,
    not from TMPDIR or XDG_RUNTIME_DIR: an editor's server and a shell's verb must come to the same socket whatever
    their environments say. That others may write to the base does no harm: `ensure` takes no folder that is not ours.
    """
    key = workspace_key(workspace)
    root = state_folder(env) / key
    sockets = root
    longest = max(len(os.fsencode(root / name)) for name in ("control.sock", "tmux.sock"))
    if longest > SOCKET_PATH_BYTES:
        sockets = short_base / f"politerm-{os.geteuid()}" / workspace_key(root)
    return StatePaths(key=key, root=root, sockets=sockets)
