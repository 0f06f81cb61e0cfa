"""Full and broken disks, damaged and foreign files: state is old or new, never torn, and the user is told."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from politerm.core.events import Event
from politerm.core.wire import RunId
from politerm.errors import LogError
from politerm.eventlog import SqliteLog, writer
from politerm.eventlog.schema import SCHEMA_VERSION

ONE, TWO = RunId("run-0001"), RunId("run-0002")

Make = Callable[..., Event]

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


async def put(log: SqliteLog, event: Event, run_id: RunId = ONE, *, durable: bool = False) -> list[int]:
    return [each.seq for each in await log.append(run_id, [event], at="2026", clock=0.0, durable=durable)]


async def opened(folder: Path, *, read_only_open: bool = False) -> SqliteLog:
    log = SqliteLog(folder, stamp=lambda: "stamp", read_only_open=read_only_open)
    await log.open()
    return log


async def filled(folder: Path, event: Event, number: int = 50) -> None:
    """A log with some events, closed in good order."""
    log = await opened(folder)
    for _ in range(number):
        await put(log, event)
    await log.close()


def remount(path: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(path)], check=True)


def fill(file: Path) -> None:
    """Write until there is no space left."""
    with file.open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(b"x" * 4096):
            pass


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Every write beyond this place in a file fails (EFBIG), as on a disk that has gone bad."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@root_only
async def test_a_full_disk_is_told_stops_nothing_and_heals(small_disk: Path, message: Make) -> None:
    log = await opened(small_disk)
    follower = log.follow()
    assert await put(log, message("before")) == [1]
    ballast = small_disk / "ballast"
    fill(ballast)
    with pytest.raises(LogError, match="full"):
        await put(log, message("x" * 200_000), durable=True)
    assert log.read_only is not None
    assert "full" in log.read_only
    assert "Free some space" in log.read_only
    assert [each.event.body for each in await log.read(ONE)] == ["before"]  # type: ignore[union-attr]
    assert await log.runs() == [ONE]

    ballast.unlink()
    assert await put(log, message("x" * 200_000)) == [2]
    assert log.read_only is None
    assert [(await anext(follower)).seq for _ in range(2)] == [1, 2]
    await log.close()
    again = await opened(small_disk)
    assert again.notices == []
    assert [each.seq for each in await again.read(ONE)] == [1, 2]
    await again.close()


@root_only
async def test_one_large_event_on_a_full_disk_does_not_fail_small_ones(small_disk: Path, message: Make) -> None:
    log = await opened(small_disk)
    await put(log, message("a"))
    large = log.append(TWO, [message("x" * 4_000_000)], at="2026", clock=0.0)
    with pytest.raises(LogError, match="full"):
        await large
    assert await put(log, message("b")) == [2]
    assert await log.runs() == [ONE]
    await log.close()


@root_only
@pytest.mark.parametrize("there", [True, False])
async def test_a_read_only_disk_is_read_and_heals(small_disk: Path, message: Make, there: bool) -> None:
    folder = small_disk / "state"
    if there:
        await filled(folder, message("needle"), 3)
    remount(small_disk, "ro")
    log = await opened(folder)
    assert log.read_only is not None
    assert [each.seq for each in await log.read(ONE)] == ([1, 2, 3] if there else [])
    assert len(await log.search("needle")) == (3 if there else 0)
    with pytest.raises(LogError, match=str(folder)):
        await put(log, message("a"))
    remount(small_disk, "rw")
    assert await put(log, message("a")) == [4 if there else 1]
    assert log.read_only is None
    assert log.notices == []
    await log.close()


async def test_a_write_that_fails_on_the_disk_is_told_and_heals(folder: Path, message: Make) -> None:
    log = await opened(folder)
    assert await put(log, message("before")) == [1]
    size = sum(file.stat().st_size for file in folder.iterdir())
    with no_file_longer_than(size + 50_000):
        with pytest.raises(LogError, match="error"):
            await put(log, message("x" * 500_000))
        assert log.read_only is not None
        assert [each.seq for each in await log.read(ONE)] == [1]
    assert await put(log, message("after"), durable=True) == [2]
    assert log.read_only is None
    await log.close()
    again = await opened(folder)
    assert again.notices == []
    assert [each.seq for each in await again.read(ONE)] == [1, 2]
    await again.close()


async def test_a_fault_that_is_over_is_noticed_though_nobody_appends(
    folder: Path, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PROBE_SECONDS", 0.02)
    log = await opened(folder)
    await put(log, message("before"))
    size = sum(file.stat().st_size for file in folder.iterdir())
    with no_file_longer_than(4096):
        with pytest.raises(LogError):
            await put(log, message("x" * size))
        await asyncio.sleep(0.2)  # probes in vain
        assert log.read_only is not None
    async with asyncio.timeout(20):
        while log.read_only is not None:  # noqa: ASYNC110 - found out by a thread, told to nobody
            await asyncio.sleep(0.01)
    assert await put(log, message("after")) == [2]
    await log.close()


async def test_a_log_cannot_be_made_where_nothing_can_be_written(tmp_path: Path, message: Make) -> None:
    with no_file_longer_than(100):
        log = await opened(tmp_path / "state")
        with pytest.raises(LogError):
            await put(log, message("a"))
        assert log.read_only
        assert await log.runs() == []
    assert await put(log, message("a")) == [1]
    await log.close()


@pytest.mark.parametrize("part", [0, 1, 15, 50, 100, 4000, 4096, 4097, 0.3, 0.5, 0.9, 0.999])
async def test_a_truncated_log_steps_aside(folder: Path, message: Make, part: float) -> None:
    await filled(folder, message("x" * 1000))
    db = folder / "politerm.db"
    os.truncate(db, part if isinstance(part, int) else int(db.stat().st_size * part))
    left = db.read_bytes()
    log = await opened(folder)
    assert len(log.notices) == 1
    assert "politerm.db.broken-stamp" in log.notices[0]
    assert log.read_only is None
    assert await log.runs() == []
    assert await put(log, message("a")) == [1]
    assert (folder / "politerm.db.broken-stamp").read_bytes() == left
    await log.close()


@pytest.mark.parametrize("table", ["events", "runs", "events_by_run"])
async def test_damage_that_only_a_check_can_see_is_found_at_the_start(folder: Path, message: Make, table: str) -> None:
    await filled(folder, message("x" * 1000))
    db = folder / "politerm.db"
    with closing(sqlite3.connect(db)) as connection:
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        [size] = connection.execute("PRAGMA page_size").fetchone()
    with db.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    log = await opened(folder)
    assert "is damaged" in log.notices[0]
    assert await put(log, message("a")) == [1]
    await log.close()


@pytest.mark.parametrize("seed", range(12))
async def test_damage_inside_is_found_or_does_no_harm(folder: Path, message: Make, seed: int) -> None:
    """Whatever is hit: the log is set aside, or every event that it gives out is whole and in its place."""
    log = await opened(folder)
    whole = await log.append(ONE, [message("x" * 1000)] * 50, at="2026", clock=0.0)
    await log.close()
    db = folder / "politerm.db"
    data = bytearray(db.read_bytes())
    dice = random.Random(seed)
    start = dice.randrange(len(data))
    data[start : start + 5000] = dice.randbytes(min(5000, len(data) - start))
    db.write_bytes(data)
    log = await opened(folder)
    with suppress(LogError):
        told = await log.read(ONE)
        assert told == (whole if not log.notices else [])
    if log.notices:
        assert await put(log, message("a")) == [1]
    await log.close()


@pytest.mark.parametrize(
    "content", [b"x", b"not a database " * 1000, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 9000]
)
async def test_a_random_file_steps_aside(folder: Path, message: Make, content: bytes) -> None:
    folder.mkdir(mode=0o700)
    (folder / "politerm.db").write_bytes(content)
    log = await opened(folder)
    assert "politerm.db.broken-stamp" in log.notices[0]
    assert await put(log, message("a")) == [1]
    await log.close()
    assert (folder / "politerm.db.broken-stamp").read_bytes() == content


async def test_another_programs_database_steps_aside(folder: Path, message: Make) -> None:
    folder.mkdir(mode=0o700)
    connection = sqlite3.connect(folder / "politerm.db")
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.commit()
    connection.close()
    log = await opened(folder)
    assert "is not an event log of PoliTerm" in log.notices[0]
    assert await put(log, message("a")) == [1]
    await log.close()


@pytest.mark.parametrize("with_journal", [False, True])
async def test_a_newer_log_steps_aside_unchanged(folder: Path, message: Make, with_journal: bool) -> None:
    await filled(folder, message("a"))
    db = folder / "politerm.db"
    connection = sqlite3.connect(db)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    if with_journal:  # the newer version's last words are in the WAL alone, as after its SIGKILL
        copies = {name: (folder / name).read_bytes() for name in ("politerm.db", "politerm.db-wal")}
        connection.close()
        for name, data in copies.items():
            (folder / name).write_bytes(data)
    connection.close()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    log = await opened(folder)
    assert f"newer PoliTerm (form {SCHEMA_VERSION + 1}" in log.notices[0]
    assert await put(log, message("b")) == [1]
    await log.close()
    for name, data in before.items():
        assert (folder / name.replace("politerm.db", "politerm.db.broken-stamp")).read_bytes() == data


async def test_two_logs_set_aside_at_one_moment_do_not_meet(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for content in (b"first", b"second"):
        (folder / "politerm.db").write_bytes(content)
        await (await opened(folder)).close()
    assert (folder / "politerm.db.broken-stamp").read_bytes() == b"first"
    assert (folder / "politerm.db.broken-stamp-2").read_bytes() == b"second"


async def test_a_journal_without_its_database_is_not_taken_for_the_new_ones(folder: Path, message: Make) -> None:
    log = await opened(folder)
    await put(log, message("old"))
    journal = (folder / "politerm.db-wal").read_bytes()
    await log.close()
    (folder / "politerm.db").unlink()
    (folder / "politerm.db-wal").write_bytes(journal)
    log = await opened(folder)
    assert "was gone" in log.notices[0]
    assert await log.runs() == []
    assert await put(log, message("new")) == [1]
    await log.close()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
async def test_what_is_no_file_steps_aside(folder: Path, message: Make, make: Callable[[Path], None]) -> None:
    folder.mkdir(mode=0o700)
    make(folder / "politerm.db")
    log = await opened(folder)
    assert "no regular file" in log.notices[0]
    assert await put(log, message("a")) == [1]
    await log.close()


@pytest.mark.parametrize("name", ["politerm.db", "politerm.db-wal", "politerm.db-shm"])
async def test_a_link_is_refused_and_its_target_left_alone(
    folder: Path, tmp_path: Path, message: Make, name: str
) -> None:
    await filled(folder, message("a"), 1)
    (folder / name).unlink(missing_ok=True)
    (tmp_path / "target").write_text("keep")
    (folder / name).symlink_to(tmp_path / "target")
    for read_only_open in (False, True):
        with pytest.raises(LogError, match="symbolic link"):
            await opened(folder, read_only_open=read_only_open)
    assert (tmp_path / "target").read_text() == "keep"
    assert (folder / name).is_symlink()


async def test_too_open_a_file_is_closed(folder: Path, message: Make) -> None:
    await filled(folder, message("a"), 1)
    (folder / "politerm.db").chmod(0o644)
    log = await opened(folder)
    await put(log, message("b"))
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    await log.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
async def test_a_foreign_folder_is_not_written(folder: Path, message: Make) -> None:
    await filled(folder, message("a"), 1)
    os.chown(folder, 12345, 12345)
    log = await opened(folder)
    with pytest.raises(LogError, match="belongs to user 12345"):
        await put(log, message("b"))
    assert log.read_only is not None
    await log.close()


async def test_a_log_removed_under_us_is_not_written_to_in_vain(folder: Path, message: Make) -> None:
    log = await opened(folder)
    await put(log, message("a"))
    (folder / "politerm.db").rename(folder / "moved")
    with pytest.raises(LogError, match="removed"):
        await put(log, message("b"))
    assert log.read_only is not None
    (folder / "moved").rename(folder / "politerm.db")
    assert await put(log, message("b")) == [2]
    assert log.read_only is None
    await log.close()


@pytest.mark.parametrize("which", ["all of it", "its words"])
async def test_a_damaged_index_costs_speed_only(
    folder: Path, message: Make, which: str, until_indexed: Callable[[int], Awaitable[None]]
) -> None:
    log = await opened(folder)
    await put(log, message("needle"))
    await put(log, message("hay"))
    await until_indexed(2)
    await log.close()
    connection = sqlite3.connect(folder / "politerm.db")
    assert connection.execute("SELECT upto FROM indexed").fetchone() == (2,)
    # Rows 1 and 10 are FTS5's own book-keeping, without which it does not even begin.
    only = " WHERE id > 10" if which == "its words" else ""
    connection.execute(f"UPDATE search_data SET block = x'ff00ff00ff'{only}")
    connection.commit()
    connection.close()
    log = await opened(folder)
    assert [hit.seq for hit in await log.search("needle")] == [1]
    assert await put(log, message("needle again")) == [3]
    assert [hit.seq for hit in await log.search("needle")] == [3, 1]
    await log.delete(ONE)
    assert await log.runs() == []
    await log.close()


async def test_a_damaged_log_is_not_looked_at_by_who_only_reads(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "politerm.db").write_bytes(b"garbage")
    with pytest.raises(LogError, match="damaged"):
        await opened(folder, read_only_open=True)
    assert [file.name for file in folder.iterdir()] == ["politerm.db"]


async def test_what_a_killed_creation_left_is_cleared_away(folder: Path, message: Make) -> None:
    folder.mkdir(mode=0o700)
    for name in ("politerm.db.new", "politerm.db.new-wal", "politerm.db.new-shm"):
        (folder / name).write_bytes(b"half")
    log = await opened(folder)
    assert log.notices == []
    assert await put(log, message("a")) == [1]
    await log.close()
    assert [file.name for file in folder.iterdir()] == ["politerm.db"]
