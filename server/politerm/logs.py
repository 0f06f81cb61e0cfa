"""Logging: by level, to standard error for people or to a file as JSON lines; redacted at the one door; never stdout.

It does not know what is secret (the caller's `redact` does) and what is logged is each module's own business.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from politerm.private import open_private

FILE_BYTES = 5_000_000
KEPT_FILES = 3
"""A log file is put aside at FILE_BYTES; so many older ones are kept."""
LONGEST_MESSAGE = 20_000
"""Characters of one record; a log is no place for a whole screen."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
Redact = Callable[[str], str]


def configure(*, level: str, file: Path | None, redact: Redact, stderr: TextIO | None = None) -> None:
    """Send everything of ours to the file, or to standard error where none is named. May be called again.

    A file that cannot be written is said once on standard error, and standard error takes its place.
    """
    handler: logging.Handler
    handler = JsonFile(file, redact) if file is not None else logging.StreamHandler(stderr or sys.stderr)
    if file is None:
        handler.setFormatter(ForPeople(redact))
    ours = logging.getLogger("politerm")
    for old in ours.handlers[:]:
        ours.removeHandler(old)
        old.close()
    ours.addHandler(handler)
    ours.setLevel(level)
    ours.propagate = False


class ForPeople(logging.Formatter):
    """`10:11:12 WARNING politerm.tmux: ...`"""

    def __init__(self, redact: Redact) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))[:LONGEST_MESSAGE]


class ForPrograms(logging.Formatter):
    """{"at","level","logger","message", what the call gave as `extra`, "error": a traceback}: all of it redacted."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:LONGEST_MESSAGE],
        }
        said |= {name: str(value) for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)[:LONGEST_MESSAGE]
        # Redacted value by value: a replacement in finished JSON could break it, an escape could hide a secret from it.
        return json.dumps({name: self._redact(str(value)) for name, value in said.items()})


class JsonFile(RotatingFileHandler):
    """Opened at the first record, 0600, never through a link."""

    def __init__(self, path: Path, redact: Redact) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True)
        self.setFormatter(ForPrograms(redact))
        self._failed = False

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = open_private(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8", line_buffering=True)

    def handleError(self, record: logging.LogRecord) -> None:
        if not self._failed:
            self._failed = True
            reason = sys.exc_info()[1]
            print(f"politerm: the log {self.baseFilename} cannot be written: {reason}", file=sys.stderr)
        if self.stream is None:
            print(self.format(record), file=sys.stderr)
