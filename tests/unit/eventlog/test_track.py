"""A role's recording on disk: whole lines, times that go on, characters that arrive in pieces."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from politerm.core.wire import Role
from politerm.eventlog.cast import joined
from politerm.eventlog.track import Track


def track(file: Path, *, at: float = 100.0, wall: float = 5000.0) -> Track:
    return Track(file, "run PLANNER", (160, 50), at=at, wall=wall)


def lines(file: Path) -> list[object]:
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "planner.cast"


def test_a_recording_is_asciicast_2(file: Path) -> None:
    recording = track(file)
    recording.output(100.25, b"a \x1b[31mred\x1b[0m\r\n")
    recording.write()
    recording.close()
    assert lines(file) == [
        {"version": 2, "width": 160, "height": 50, "timestamp": 5000, "title": "run PLANNER"},
        [0.25, "o", "a \x1b[31mred\x1b[0m\r\n"],
    ]
    assert file.stat().st_mode & 0o777 == 0o600


def test_characters_in_pieces_arrive_whole_and_broken_ones_are_marked(file: Path) -> None:
    recording = track(file)
    for byte in "日本語é😀".encode():
        recording.output(101.0, bytes([byte]))
    recording.output(102.0, b"\xff\xe6\x97")
    recording.finish(103.0)
    recording.output(104.0, b"next")
    recording.write()
    recording.close()
    texts = [line[2] for line in lines(file)[1:]]  # type: ignore[index]
    assert texts == ["日", "本", "語", "é", "😀", "�", "�", "next"]


def test_the_next_process_goes_on_with_time_and_file(file: Path) -> None:
    first = track(file)
    first.output(107.0, b"first")
    first.write()
    first.close()
    second = track(file, at=3.0, wall=5060.0)  # another process: its monotonic clock began anew
    second.output(4.5, b"second")
    second.write()
    second.close()
    assert lines(file)[1:] == [[7.0, "o", "first"], [60.0, "r", "160x50"], [61.5, "o", "second"]]


def test_a_wall_clock_that_was_set_back_does_not_take_time_back(file: Path) -> None:
    first = track(file)
    first.output(107.0, b"first")
    first.output(105.0, b"late")
    first.write()
    first.close()
    second = track(file, at=3.0, wall=10.0)
    second.output(4.0, b"second")
    second.write()
    second.close()
    assert lines(file)[1:] == [[7.0, "o", "first"], [7.0, "o", "late"], [7.0, "r", "160x50"], [8.0, "o", "second"]]


@pytest.mark.parametrize("cut", [1, 2, 3, 10, 500, 1000])
def test_a_line_that_a_kill_cut_off_is_removed(file: Path, cut: int) -> None:
    first = track(file)
    first.output(101.0, b"whole")
    first.output(102.0, b"x" * 1000)
    first.write()
    first.close()
    os.truncate(file, file.stat().st_size - cut)
    second = track(file, at=0.0, wall=5000.0)
    second.output(0.0, b"second")
    second.write()
    second.close()
    assert lines(file)[1:] == [[1.0, "o", "whole"], [1.0, "r", "160x50"], [1.0, "o", "second"]]


@pytest.mark.parametrize("content", [b"garbage\n", b"[1, 2]\n", b'{"version": 2', b'{"version": 3, "timestamp": 1}\n'])
def test_what_is_no_recording_is_moved_aside(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    recording = track(file)
    recording.output(101.0, b"a")
    recording.write()
    recording.close()
    assert len(lines(file)) == 2
    assert file.with_name("planner.cast.broken").read_bytes() == content


def test_a_link_is_not_written_through(file: Path, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("keep")
    file.symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match=r"symbolic|Too many"):
        track(file)
    assert (tmp_path / "target").read_text() == "keep"


def test_several_roles_become_one_recording_for_a_player() -> None:
    planner = b'{"version":2,"width":160,"height":50,"timestamp":1}\n[1.5,"o","plan"]\n[2.0,"o","cut'
    executer = b'{"version":2,"width":200,"height":60,"timestamp":2}\n[0.5,"o","work"]\n'
    told = [orjson.loads(line) for line in joined([(Role.PLANNER, planner), (Role.EXECUTER, executer)])]
    assert told == [
        {"version": 2, "width": 160, "height": 50, "timestamp": 1},
        [0.0, "m", "PLANNER"],
        [0.0, "r", "160x50"],
        [1.5, "o", "plan"],
        [1.5, "m", "EXECUTER"],
        [1.5, "r", "200x60"],
        [1.5, "o", "\x1bc"],
        [2.0, "o", "work"],
    ]
    assert list(joined([])) == []
