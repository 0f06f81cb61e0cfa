"""Which files a run changed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from politerm.cli import changes
from politerm.cli.changes import Change

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]


def told(folder: Path, before: changes.Snapshot | None) -> list[Change] | None:
    return changes.changes(folder, before, changes.snapshot(folder))


def test_without_git_sizes_and_times_tell(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("x")
    (tmp_path / "gone").write_text("x")
    (tmp_path / "changed").write_text("x")
    (tmp_path / "node_modules").mkdir()
    before = changes.snapshot(tmp_path)
    (tmp_path / "gone").unlink()
    (tmp_path / "changed").write_text("xy")
    (tmp_path / "node_modules/noise").write_text("x")
    (tmp_path / "it's").mkdir()
    (tmp_path / "it's/new one").write_text("1\n2\n3\n")
    (tmp_path / "binary").write_bytes(b"\0\n")
    assert told(tmp_path, before) == [
        Change("binary", "added"),
        Change("changed", "modified"),
        Change("gone", "deleted"),
        Change("it's/new one", "added", 3),
    ]


def test_a_change_that_keeps_the_size_is_seen_by_its_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    os.utime(tmp_path / "a", ns=(1, 1))
    before = changes.snapshot(tmp_path)
    (tmp_path / "a").write_text("y")
    assert told(tmp_path, before) == [Change("a", "modified")]


def test_with_git_ignored_files_are_left_out_and_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a b.py").write_text("1\n2\n")
    subprocess.run([*GIT, "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run([*GIT, "add", "."], cwd=tmp_path, check=True)
    subprocess.run([*GIT, "commit", "-qm", "x"], cwd=tmp_path, check=True)
    before = changes.snapshot(tmp_path)
    (tmp_path / "noise.log").write_text("x")
    (tmp_path / "sub/a b.py").write_text("1\n3\n4\n")
    (tmp_path / "new.py").write_text("1\n")
    assert told(tmp_path, before) == [
        Change("new.py", "added", 1),
        Change("sub/a b.py", "modified", 2, 1),
    ]
    inner = changes.snapshot(tmp_path / "sub")
    (tmp_path / "sub/a b.py").write_text("1\n")
    assert told(tmp_path / "sub", inner) == [Change("a b.py", "modified", 0, 1)], "paths are the folder's own"


def test_a_repository_cannot_make_us_run_its_programs(tmp_path: Path) -> None:
    subprocess.run([*GIT, "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "a").write_text("x\n")
    subprocess.run([*GIT, "add", "a"], cwd=tmp_path, check=True)
    subprocess.run([*GIT, "commit", "-qm", "x"], cwd=tmp_path, check=True)
    mark = tmp_path / "ran"
    for name in ("core.fsmonitor", "diff.external", "core.pager"):
        subprocess.run([*GIT, "config", name, f"touch '{mark}'"], cwd=tmp_path, check=True)
    before = changes.snapshot(tmp_path)
    (tmp_path / "a").write_text("y\n")
    assert told(tmp_path, before) == [Change("a", "modified", 1, 1)]
    assert not mark.exists()


def test_a_tree_that_is_too_large_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LARGEST", 1)
    for name in "abc":
        (tmp_path / name).touch()
    assert changes.snapshot(tmp_path) is None
    assert told(tmp_path, {}) is None
