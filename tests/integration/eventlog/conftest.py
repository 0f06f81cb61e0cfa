"""A log in a folder of its own, and events to put in."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from politerm.core.events import Event, MessageReceived
from politerm.core.wire import MessageId, Role
from politerm.eventlog import SqliteLog


@pytest.fixture
def message() -> Callable[..., Event]:
    def make(body: str, **header: object) -> Event:
        return MessageReceived(
            message_id=MessageId("m"),
            sender=Role.PLANNER,
            to=Role.EXECUTER,
            kind="plan",
            body=body,
            source="transcript",
            header=header,
        )

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
async def log(folder: Path) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(folder, stamp=lambda: "stamp")
    await log.open()
    yield log
    await log.close()


@pytest.fixture
def query(folder: Path) -> Callable[[str], list[tuple[object, ...]]]:
    """Looks into the database behind the log's back."""

    def ask(sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(folder / "politerm.db")) as connection:
            return connection.execute(sql).fetchall()

    return ask


@pytest.fixture
def until_indexed(query: Callable[[str], list[tuple[object, ...]]]) -> Callable[[int], Awaitable[None]]:
    """Waits until the search index has come to this event."""

    async def wait(n: int) -> None:
        async with asyncio.timeout(20):
            while query("SELECT upto FROM indexed") != [(n,)]:  # noqa: ASYNC110 - another thread's work, on disk
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB of its own."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(path)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield path
    subprocess.run(["mount", "-o", "remount,rw", str(path)], check=True)
    subprocess.run(["umount", str(path)], check=True)
