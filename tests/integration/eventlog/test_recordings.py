"""Recordings as the engine uses them: nothing waits, caps hold, and what is missing is told once."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from politerm.core.wire import Role, RunId
from politerm.errors import LogError
from politerm.eventlog import CastRecordings
from politerm.eventlog import recordings as module
from politerm.eventlog.track import Track

ONE, TWO, THREE = RunId("run-0001"), RunId("run-0002"), RunId("run-0003")


class Gaps(list[tuple[RunId, Role, str]]):
    """What was told to be missing; every call is on the loop's own thread."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()

    def note(self, run_id: RunId, role: Role, reason: str) -> None:
        assert threading.get_ident() == self.thread
        self.append((run_id, role, reason))


class Desk:
    """Makes recorders of one folder and closes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gaps = Gaps()
        self.open_ones: list[CastRecordings] = []

    def make(self, **caps: int) -> CastRecordings:
        made = CastRecordings(self.folder, **caps)
        made.on_gap(self.gaps.note)
        self.open_ones.append(made)
        return made


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path / "recordings")
    yield desk
    for each in desk.open_ones:
        await each.shutdown()


def start(recordings: CastRecordings, run_id: RunId, role: Role = Role.PLANNER) -> None:
    recordings.open(run_id, role, columns=160, rows=50)


def outputs(text: str) -> list[str]:
    return [line[2] for line in map(orjson.loads, text.splitlines()) if isinstance(line, list) and line[1] == "o"]


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Every write beyond this place in a file fails, as on a full or broken disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_was_written_can_be_had_at_once(desk: Desk) -> None:
    recordings = desk.make()
    start(recordings, ONE)
    start(recordings, ONE)
    recordings.write(ONE, Role.PLANNER, b"hello ")
    recordings.write(ONE, Role.PLANNER, b"world")
    recordings.write(ONE, Role.EXECUTER, b"never opened")
    assert outputs(await recordings.cast(ONE)) == ["hello ", "world"]
    assert await recordings.cast(TWO) == ""
    assert (desk.folder / ONE / "planner.cast").stat().st_mode & 0o777 == 0o600
    assert (desk.folder / ONE).stat().st_mode & 0o777 == desk.folder.stat().st_mode & 0o777 == 0o700
    assert desk.gaps == []


async def test_both_roles_come_in_one_cast(desk: Desk) -> None:
    recordings = desk.make()
    for role in (Role.EXECUTER, Role.PLANNER):
        start(recordings, ONE, role)
        recordings.write(ONE, role, role.encode())
    assert outputs(await recordings.cast(ONE)) == ["PLANNER", "\x1bc", "EXECUTER"]


async def test_after_the_end_nothing_is_recorded_and_a_cut_character_is_given_out(desk: Desk) -> None:
    recordings = desk.make()
    start(recordings, ONE)
    recordings.write(ONE, Role.PLANNER, b"a\xe6\x97")
    recordings.close(ONE)
    recordings.write(ONE, Role.PLANNER, b"late")
    assert outputs(await recordings.cast(ONE)) == ["a", "�"]
    await recordings.shutdown()
    again = desk.make()
    start(again, ONE)
    again.write(ONE, Role.PLANNER, b"b")
    assert outputs(await again.cast(ONE)) == ["a", "�", "b"]


async def test_a_run_stops_at_its_cap_and_this_is_told_once(desk: Desk) -> None:
    recordings = desk.make(run_bytes=10_000)
    start(recordings, ONE)
    start(recordings, TWO)
    for _ in range(20):
        recordings.write(ONE, Role.PLANNER, b"x" * 1000)
        await recordings.cast(ONE)
    recordings.write(TWO, Role.PLANNER, b"y")
    assert outputs(await recordings.cast(TWO)) == ["y"]
    assert 8_000 < (desk.folder / ONE / "planner.cast").stat().st_size <= 10_000
    assert [(run_id, role) for run_id, role, _ in desk.gaps] == [(ONE, Role.PLANNER)]
    assert "10,000 bytes" in desk.gaps[0][2]


async def test_the_oldest_ended_run_makes_room_and_no_open_one(desk: Desk) -> None:
    recordings = desk.make(total_bytes=25_000)
    for age, run_id in ((300, TWO), (200, ONE), (100, THREE)):  # TWO is the oldest
        start(recordings, run_id)
        recordings.write(run_id, Role.PLANNER, b"x" * 7000)
        if run_id != THREE:
            recordings.close(run_id)
        await recordings.cast(run_id)
        for file in (desk.folder / run_id).iterdir():
            os.utime(file, (1_000_000 - age, 1_000_000 - age))
    recordings.write(THREE, Role.PLANNER, b"y" * 7000)
    assert len(outputs(await recordings.cast(THREE))) == 2
    assert {run.name for run in desk.folder.iterdir()} == {ONE, THREE}
    recordings.write(THREE, Role.PLANNER, b"z" * 7000)
    assert len(outputs(await recordings.cast(THREE))) == 3
    assert {run.name for run in desk.folder.iterdir()} == {THREE}
    assert desk.gaps == []
    recordings.write(THREE, Role.PLANNER, b"z" * 7000)
    await recordings.cast(THREE)
    assert [run_id for run_id, _, _ in desk.gaps] == [THREE]
    assert "All recordings together" in desk.gaps[0][2]


async def test_runs_of_an_earlier_process_count_and_those_that_ended_go_first(desk: Desk) -> None:
    earlier = desk.make()
    for run_id in (ONE, TWO):
        start(earlier, run_id)
        earlier.write(run_id, Role.PLANNER, b"x" * 7000)
        await earlier.cast(run_id)
    earlier.close(TWO)  # ONE is older, but nobody said that it has ended
    await earlier.shutdown()
    recordings = desk.make(total_bytes=20_000)
    start(recordings, THREE)
    recordings.write(THREE, Role.PLANNER, b"x" * 7000)
    await recordings.cast(THREE)
    assert {run.name for run in desk.folder.iterdir()} == {ONE, THREE}


async def test_a_disk_that_refuses_stops_that_role_leaves_whole_lines_and_is_told_once(desk: Desk) -> None:
    recordings = desk.make()
    start(recordings, ONE)
    start(recordings, ONE, Role.EXECUTER)
    recordings.write(ONE, Role.PLANNER, b"before")
    await recordings.cast(ONE)
    with no_file_longer_than(5000):
        for _ in range(3):
            recordings.write(ONE, Role.PLANNER, b"x" * 6000)
            await recordings.cast(ONE)
    recordings.write(ONE, Role.EXECUTER, b"unharmed")
    told = (desk.folder / ONE / "planner.cast").read_bytes()
    assert outputs(await recordings.cast(ONE)) == ["before", "\x1bc", "unharmed"]
    assert told.endswith(b'"before"]\n')
    assert [(run_id, role) for run_id, role, _ in desk.gaps] == [(ONE, Role.PLANNER)]
    assert "cannot be written" in desk.gaps[0][2]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
async def test_a_full_disk(desk: Desk, small_disk: Path) -> None:
    desk.folder = small_disk / "recordings"
    recordings = desk.make()
    start(recordings, ONE)
    for _ in range(40):
        recordings.write(ONE, Role.PLANNER, b"x" * 100_000)
        await recordings.cast(ONE)
    assert len(desk.gaps) == 1
    assert "space" in desk.gaps[0][2]
    assert all(len(text) <= 65_536 for text in outputs(await recordings.cast(ONE)))
    await recordings.shutdown()


async def test_a_slow_disk_keeps_nobody_waiting_and_fills_no_memory(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, held, write = threading.Event(), threading.Event(), Track.write

    def slow(track: Track) -> int:
        held.set()
        assert gate.wait(20)
        return write(track)

    monkeypatch.setattr(Track, "write", slow)
    recordings = desk.make(queue_bytes=10_000)
    start(recordings, ONE)
    assert await asyncio.to_thread(held.wait, 20)
    for _ in range(100):
        recordings.write(ONE, Role.PLANNER, b"x" * 1000)
    assert recordings._waiting == 10_000
    gate.set()
    await recordings.cast(ONE)
    recordings.write(ONE, Role.PLANNER, b"after")
    text = await recordings.cast(ONE)
    assert outputs(text) == ["x" * 1000] * 10 + ["after"]
    assert '"m","output is missing here"' in text
    assert len(desk.gaps) == 1
    assert "too slow" in desk.gaps[0][2]


async def test_a_link_in_place_of_a_runs_folder_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    desk.folder.mkdir()
    (desk.folder / ONE).symlink_to(tmp_path / "target")
    recordings = desk.make()
    start(recordings, ONE)
    recordings.write(ONE, Role.PLANNER, b"x")
    assert await recordings.cast(ONE) == ""
    assert list((tmp_path / "target").iterdir()) == []
    assert "symbolic link" in desk.gaps[0][2]


async def test_a_deleted_recording_is_gone_and_can_begin_anew(desk: Desk) -> None:
    recordings = desk.make()
    start(recordings, ONE)
    recordings.write(ONE, Role.PLANNER, b"x")
    await recordings.delete(ONE)
    assert await recordings.cast(ONE) == ""
    await recordings.delete(TWO)
    start(recordings, ONE)
    recordings.write(ONE, Role.PLANNER, b"y")
    assert outputs(await recordings.cast(ONE)) == ["y"]


async def test_what_cannot_be_deleted_is_a_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = desk.make()
    start(recordings, ONE)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.shutil, "rmtree", refuse)
    with pytest.raises(LogError, match="Permission denied"):
        await recordings.delete(ONE)


KILLED = """
import asyncio, os, pathlib, sys
from politerm.core.wire import Role, RunId
from politerm.eventlog import CastRecordings

async def main():
    recordings = CastRecordings(pathlib.Path(sys.argv[1]))
    recordings.open(RunId("run-0001"), Role.PLANNER, columns=160, rows=50)
    for number in range(1_000_000):
        recordings.write(RunId("run-0001"), Role.PLANNER, b"%d " % number * 50)
        if number % 100 == 0:
            await recordings.cast(RunId("run-0001"))
            print(number, flush=True)

asyncio.run(main())
"""


async def test_a_recording_is_whole_after_kills(desk: Desk) -> None:
    for _ in range(3):
        await asyncio.to_thread(write_and_kill, desk.folder)
    recordings = desk.make()
    start(recordings, ONE)
    text = await recordings.cast(ONE)
    assert text.startswith('{"version":2')
    times = [orjson.loads(line)[0] for line in text.splitlines()[1:]]
    assert times == sorted(times)
    assert text.count('"r"') == 3
    assert desk.gaps == []


def write_and_kill(folder: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    for _ in range(5):
        assert writer.stdout.readline()
    writer.kill()
    writer.communicate()
