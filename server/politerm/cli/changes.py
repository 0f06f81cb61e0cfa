"""Which files a run changed: the folder's files by size and time, before and after; line counts where git knows them.

Before a run nothing but names, sizes and times is looked at, and no program is started: the folder may not be trusted.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".mypy_cache", ".tox"})
LARGEST = 50_000
"""Files that are looked at before giving up; in larger trees a run's changes are for git to tell."""
GIT_SECONDS = 10.0

Snapshot = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Change:
    path: str
    kind: Literal["added", "modified", "deleted"]
    added: int | None = None
    removed: int | None = None
    """Lines against the last commit (which may include older changes), None where git does not say."""


def snapshot(folder: Path) -> Snapshot | None:
    """Relative path -> (size, mtime in ns) of every file; None for a tree that is too large to compare."""
    found: Snapshot = {}
    for path, stat in _files(folder):
        found[path] = (stat.st_size, stat.st_mtime_ns)
        if len(found) > LARGEST:
            return None
    return found


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(names):
            path = Path(parent, name)
            try:
                yield str(path.relative_to(folder)), path.lstat()
            except OSError:
                continue  # gone between the listing and the look


def changes(folder: Path, before: Snapshot | None, after: Snapshot | None) -> list[Change] | None:
    """What is different, by path; without what git ignores. None where it cannot be told."""
    if before is None or after is None:
        return None
    names = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    ignored = set(_git(folder, ["check-ignore", "-z", "--stdin"], names))
    lines = _line_counts(folder)
    found = []
    for path in names:
        if path in ignored:
            continue
        kind: Literal["added", "modified", "deleted"]
        kind = "added" if path not in before else "deleted" if path not in after else "modified"
        added, removed = lines.get(path, (None, None))
        if kind == "added" and added is None:
            added, removed = _count(folder / path), None
        found.append(Change(path, kind, added, removed))
    return found


def _count(path: Path) -> int | None:
    """Lines of a text file of moderate size."""
    try:
        data = path.read_bytes() if path.lstat().st_size < 1_000_000 and not path.is_symlink() else b"\0"
    except OSError:
        return None
    return None if b"\0" in data else len(data.splitlines())


def _line_counts(folder: Path) -> dict[str, tuple[int | None, int | None]]:
    found: dict[str, tuple[int | None, int | None]] = {}
    for record in _git(
        folder, ["diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--relative", "HEAD", "--"]
    ):
        added, _, rest = record.partition("\t")
        removed, _, path = rest.partition("\t")
        if added.isdigit() and removed.isdigit():
            found[path] = (int(added), int(removed))
    return found


def _git(folder: Path, arguments: list[str], stdin: list[str] | None = None) -> list[str]:
    """NUL-separated output of git; nothing where there is no repository, no git, or an empty question."""
    if stdin == []:
        return []
    # A repository's own configuration may name programs; none of those is wanted here.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *arguments]
    fed = "\0".join(stdin).encode() if stdin else b""
    try:
        done = subprocess.run(command, cwd=folder, input=fed, capture_output=True, timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [part for part in done.stdout.decode("utf-8", "surrogateescape").split("\0") if part]
