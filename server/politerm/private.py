"""Files and folders that belong to one user: mode 0600 and 0700, never reached through a link, replaced as a whole.

It does not know what is kept in them. Whatever cannot be had safely is `ReadOnly` with a sentence that names the path.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from politerm.errors import ReadOnly

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def private_folder(path: Path) -> Path:
    """Make the folder, or check the one that is there: a real directory of this user, closed to everybody else.

    A folder of ours with too open a mode is closed; a foreign one, or a link in its place, is refused with `ReadOnly`.
    """
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir(mode=FOLDER_MODE)
        opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise ReadOnly(
                f"{path} is a symbolic link; PoliTerm keeps its files in real folders only.",
                hint="Remove the link, or choose a real folder with POLITERM_STATE_DIR.",
            ) from error
        raise ReadOnly(
            f"The folder {path} cannot be used: {error.strerror}.",
            hint="Set POLITERM_STATE_DIR to a folder that you can write to.",
        ) from error
    try:
        found = os.fstat(opened)
        if found.st_uid != os.geteuid():
            raise ReadOnly(
                f"The folder {path} belongs to user {found.st_uid}, not to you.",
                hint="Remove it, or set POLITERM_STATE_DIR to a folder of your own.",
            )
        if stat.S_IMODE(found.st_mode) != FOLDER_MODE:
            try:
                os.fchmod(opened, FOLDER_MODE)
            except OSError as error:
                # On a read-only disk a mode that shuts everybody else out will do; an open one never does.
                if stat.S_IMODE(found.st_mode) & 0o077:
                    raise ReadOnly(
                        f"The folder {path} is open to other users and cannot be closed: {error.strerror}.",
                        hint=f"Run: chmod 700 {path}",
                    ) from error
    finally:
        os.close(opened)
    return path


def open_private(path: Path, flags: int) -> int:
    """A descriptor of a regular file of ours (0600 when it is made here). Errors: OSError, also for a link (ELOOP),
    `ReadOnly` for what is no regular file. O_NONBLOCK keeps a FIFO in its place from stopping us."""
    opened = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, FILE_MODE)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise ReadOnly(f"{path} is not a regular file.", hint="Move it away.")
    return opened


def read_private(path: Path, *, limit: int) -> bytes | None:
    """The first `limit` bytes of the file, None where there is none. Errors: OSError, `ReadOnly` (no regular file)."""
    try:
        opened = open_private(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(opened, "rb") as file:
        return file.read(limit)


def replace_private(path: Path, data: bytes) -> None:
    """Put `data` in the place of the file, so that at every moment, power loss included, it is the old or the new one.

    A link in its place is replaced, not followed. Errors: OSError, with the old file as it was.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 - the name is already a string of mkstemp's
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make a rename in this folder outlive a power loss, where the file system can."""
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(opened)
    finally:
        os.close(opened)
