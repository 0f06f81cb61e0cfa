"""The user's answers to "do you trust this folder?", kept for clients that do not keep them (Neovim, the command line).

It does not ask, and it does not know what trust allows. An answer that cannot be read is no answer.

A trusted folder trusts what is below it, as in VS Code: whoever trusts `~/code` does not want to be asked for each
project in it. Two limits: an answer for the user's home folder, or for a folder above it, holds for that folder alone
(downloads are in there, too); and a "no" is never inherited, so that the user is asked again below.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from politerm.errors import ReadOnly
from politerm.private import FOLDER_MODE, open_private, read_private, replace_private

FILE_BYTES = 4_000_000
"""More than any person's answers; a larger file is not ours."""


class TrustStore:
    """`path` is the JSON file (0600), its folder is made when the first answer is stored."""

    def __init__(self, path: Path, *, home: Path | None = None) -> None:
        self._path = path
        self._home = Path(os.path.realpath(home or Path.home()))

    def get(self, folder: Path | str) -> bool | None:
        """The stored answer for this folder, else the nearest trusted folder's above it, else None."""
        answers = self._read()
        real = Path(os.path.realpath(folder))
        own = answers.get(str(real))
        if own is not None:
            return own
        for parent in real.parents:
            above = answers.get(str(parent))
            if above is not None:
                return True if above and parent != self._home and parent not in self._home.parents else None
        return None

    def set(self, folder: Path | str, trusted: bool) -> None:
        """Store an answer. Raises `ReadOnly` when it cannot be kept; the stored answers are then as they were."""
        try:
            # The configuration folder may well be a link into the user's dotfiles; only the file must be no link.
            self._path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            with self._alone():
                answers = self._read()
                answers[os.path.realpath(folder)] = trusted
                document = {"version": 1, "folders": answers}
                replace_private(self._path, orjson.dumps(document, option=orjson.OPT_INDENT_2))
        except (OSError, TypeError) as error:
            # TypeError: a path that is no valid text has no place in JSON; its folder is asked about every time.
            raise ReadOnly(
                f"The answer about {os.path.realpath(folder)!r} cannot be stored in {self._path}: {error}.",
                hint="Check the folder's rights and the free space on the disk.",
            ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two processes that store answers at once must not lose one."""
        fd = open_private(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _read(self) -> dict[str, bool]:
        """All answers. A damaged, foreign or linked file, or one that others may write, holds none."""
        try:
            found = self._path.lstat()
            if found.st_uid != os.geteuid() or found.st_mode & 0o022:
                return {}
            folders = orjson.loads(read_private(self._path, limit=FILE_BYTES) or b"")["folders"]
            return {str(name): answer for name, answer in folders.items() if isinstance(answer, bool)}
        except (OSError, ReadOnly, ValueError, KeyError, TypeError, AttributeError):
            return {}
