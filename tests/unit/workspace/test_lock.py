"""One holder at a time, across processes, however the holder ends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from politerm.errors import ReadOnly
from politerm.workspace.lock import WorkspaceLock

HOLD = """
import sys, pathlib
from politerm.workspace.lock import WorkspaceLock
lock = WorkspaceLock(pathlib.Path(sys.argv[1]))
print(lock.try_acquire(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def hold(path: Path) -> subprocess.Popen[str]:
    """Another process that has the lock until its stdin closes or it is killed."""
    process = start(HOLD, str(path))
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_one_holder_at_a_time(path: Path) -> None:
    first, second = WorkspaceLock(path), WorkspaceLock(path)
    assert first.try_acquire()
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    first.release()
    assert second.try_acquire()
    assert not first.held
    second.release()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_killed_holder_frees_the_lock_for_who_waits(path: Path) -> None:
    other = hold(path)
    lock = WorkspaceLock(path)
    holder = lock.holder()
    assert holder is not None
    assert holder.pid == other.pid
    waiting = asyncio.create_task(lock.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    other.kill()
    other.wait()
    await asyncio.wait_for(waiting, 5)
    assert lock.held
    assert WorkspaceLock(path).holder() == lock.holder()
    lock.release()
    assert lock.holder() is None


async def test_waiting_can_be_cancelled_and_leaves_the_lock_alone(path: Path) -> None:
    first, second = WorkspaceLock(path), WorkspaceLock(path)
    assert first.try_acquire()
    waiting = asyncio.create_task(second.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    first.release()
    assert not second.held
    assert first.try_acquire()
    first.release()


async def test_a_program_that_the_holder_started_does_not_keep_the_lock(path: Path) -> None:
    script = f"""
import subprocess, sys, pathlib
from politerm.workspace.lock import WorkspaceLock
assert WorkspaceLock(pathlib.Path({str(path)!r})).try_acquire()
child = "import sys; print('up', flush=True); sys.stdin.read()"
subprocess.run([sys.executable, "-c", child], close_fds=False)
"""
    holder = start(script)
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "up\n"
    holder.kill()
    holder.wait()
    lock = WorkspaceLock(path)
    try:
        await asyncio.wait_for(lock.wait(), 5)
    finally:
        holder.stdin.close()  # the child that is left reads its end and goes
        holder.stdout.read()


def test_what_a_dead_holder_left_is_no_lock_and_a_reused_pid_is_nobody(path: Path) -> None:
    path.write_bytes(orjson.dumps({"pid": os.getpid(), "started": 12.5}))
    lock = WorkspaceLock(path)
    assert lock.holder() is None
    assert lock.try_acquire()
    lock.release()
    path.write_bytes(b"\xff not json")
    assert lock.holder() is None


def test_a_lock_whose_file_was_removed_is_not_shared_by_two(path: Path) -> None:
    first = WorkspaceLock(path)
    assert first.try_acquire()
    assert first._fd is not None
    assert first._is_current(first._fd)
    path.unlink()
    assert not first._is_current(first._fd)
    first.release()


def test_a_link_in_place_of_the_lock_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("keep")
    path.symlink_to(tmp_path / "target")
    with pytest.raises(ReadOnly, match="lock"):
        WorkspaceLock(path).try_acquire()
    assert (tmp_path / "target").read_text() == "keep"
