"""The jsonl witness: every complete line once, in order, whatever is done to the file meanwhile."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from politerm.agents.profile import WitnessSpec
from politerm.engine.ports import Witness, WitnessRecord
from politerm.witness import lines, open_witness, witness_path
from politerm.witness.jsonl import JsonlWitness


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def prompt(text: str) -> bytes:
    return line(type="prompt", text=text)


def texts(records: list[WitnessRecord]) -> list[str]:
    return [record.text for record in records]


def drain(witness: Witness) -> list[WitnessRecord]:
    records: list[WitnessRecord] = []
    while more := witness.poll():
        records += more
    return records


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.jsonl"


def add(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_every_kind_of_record(path: Path) -> None:
    path.write_bytes(
        prompt("p")
        + line(type="reply", text="r\n[[x]]")
        + line(type="usage", tokensIn=3, tokensOut=4, usd=0.5)
        + line(type="state", text="working")
        + line(type="permission", text="write a.txt")
        + line(type="session", text="id-1")
        + line(type="turnEnd")
        + line(type="turn_end", how="interrupted")
    )
    assert drain(JsonlWitness(path)) == [
        WitnessRecord("prompt", "p"),
        WitnessRecord("reply", "r\n[[x]]"),
        WitnessRecord("usage", tokens_in=3, tokens_out=4, usd=0.5),
        WitnessRecord("state", "working"),
        WitnessRecord("permission", "write a.txt"),
        WitnessRecord("session", "id-1"),
        WitnessRecord("turn_end"),
        WitnessRecord("turn_end", how="interrupted"),
    ]


def test_a_turn_that_ended_in_a_way_we_do_not_know_has_failed(path: Path) -> None:
    path.write_bytes(line(type="turnEnd", how="exploded"))
    assert JsonlWitness(path).poll() == [WitnessRecord("turn_end", how="failed")]


def test_a_file_that_appears_late(path: Path) -> None:
    witness = JsonlWitness(path)
    assert (witness.cursor(), witness.poll()) == ("new", [])
    path.write_bytes(prompt("a"))
    assert texts(witness.poll()) == ["a"]


def test_a_half_written_line_waits(path: Path) -> None:
    witness = JsonlWitness(path)
    whole = prompt("half")
    add(path, prompt("one") + whole[:9])
    assert texts(witness.poll()) == ["one"]
    before = witness.cursor()
    assert witness.poll() == []
    add(path, whole[9:-1])
    assert (witness.poll(), witness.cursor()) == ([], before)
    add(path, b"\n")
    assert texts(witness.poll()) == ["half"]


def test_the_cursor_of_a_half_read_line_reads_it_whole(path: Path) -> None:
    first, whole = JsonlWitness(path), prompt("half")
    add(path, prompt("one") + whole[:9])
    first.poll()
    add(path, whole[9:])
    second = JsonlWitness(path)
    assert second.seek(first.cursor()) is None
    assert texts(second.poll()) == ["half"]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\n\n", b" \r\n"])
def test_line_ends(path: Path, ending: bytes) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + prompt("a").strip() + ending + prompt("b").strip() + ending)
    witness = JsonlWitness(path)
    assert (texts(drain(witness)), witness.bad_lines) == (["a", "b"], 0)


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"null",
        b"[]",
        b'"prompt"',
        b"{}",
        b'{"type":1}',
        b'{"type":"prompt"}',
        b'{"type":"prompt","text":1}',
        b'{"type":"usage","tokensIn":-1}',
        b'{"type":"usage","tokensIn":true}',
        b'{"type":"usage","tokensOut":1.5}',
        b'{"type":"usage","usd":"free"}',
        b'{"type":"usage","usd":-1}',
        b"\xff\xfe\x00",
        b'{"type":"prompt","text":"\xff"}',
        b"[" * 5000,
    ],
)
def test_a_bad_line_is_skipped_and_counted(path: Path, bad: bytes) -> None:
    path.write_bytes(prompt("a") + bad + b"\n" + prompt("b"))
    witness = JsonlWitness(path)
    assert (texts(drain(witness)), witness.bad_lines) == (["a", "b"], 1)


def test_a_type_of_a_later_version_is_not_bad(path: Path) -> None:
    path.write_bytes(line(type="mood", text="fine") + line(type="prompt", text="a", extra=1))
    witness = JsonlWitness(path)
    assert (texts(drain(witness)), witness.bad_lines) == (["a"], 0)


def test_only_what_comes_after_a_cursor_counts(path: Path) -> None:
    path.write_bytes(prompt("old"))
    first = JsonlWitness(path)
    first.poll()
    cursor = first.cursor()
    add(path, prompt("new"))
    second = JsonlWitness(path)
    assert second.seek(cursor) is None
    assert texts(drain(second)) == ["new"]


def test_seek_goes_back_as_well(path: Path) -> None:
    path.write_bytes(prompt("a") + prompt("b"))
    witness = JsonlWitness(path)
    start = witness.cursor()
    assert texts(drain(witness)) == ["a", "b"]
    assert witness.seek(start) is None
    assert texts(drain(witness)) == ["a", "b"]
    assert witness.seek(None) is None
    assert texts(drain(witness)) == ["a", "b"]


def replace(path: Path, data: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(data)
    new.replace(path)


OLD = prompt("a") + prompt("b")

FAULTS: list[tuple[str, Callable[[Path], Any]]] = [
    ("gone", lambda path: path.unlink()),
    ("cut", lambda path: path.write_bytes(prompt("a"))),
    ("cut", lambda path: path.write_bytes(b"")),
    ("rewritten", lambda path: path.write_bytes(prompt("x") * 5)),
    ("replaced", lambda path: replace(path, prompt("x") * 5)),
    ("replaced", lambda path: replace(path, b"")),
]


@pytest.mark.parametrize(("words", "fault"), FAULTS)
def test_a_cursor_that_does_not_fit_any_more_is_said(path: Path, words: str, fault: Callable[[Path], Any]) -> None:
    path.write_bytes(OLD)
    first = JsonlWitness(path)
    drain(first)
    fault(path)
    second = JsonlWitness(path)
    trouble = second.seek(first.cursor())
    assert trouble is not None
    assert words in trouble
    assert second.trouble == trouble
    assert second.poll() == []
    add(path, prompt("later"))
    assert texts(drain(second)) == ["later"]


@pytest.mark.parametrize(("words", "fault"), FAULTS[1:])
def test_the_same_while_reading_gives_nothing_twice(path: Path, words: str, fault: Callable[[Path], Any]) -> None:
    path.write_bytes(OLD)
    witness = JsonlWitness(path)
    drain(witness)
    assert witness.trouble is None
    fault(path)
    assert drain(witness) == []
    assert witness.trouble is not None
    add(path, prompt("later"))
    assert texts(drain(witness)) == ["later"]


def test_a_copy_put_in_its_place_is_read_on(path: Path) -> None:
    path.write_bytes(OLD)
    witness = JsonlWitness(path)
    drain(witness)
    replace(path, OLD + prompt("c"))
    assert texts(drain(witness)) == ["c"]
    assert witness.trouble is None
    second = JsonlWitness(path)
    assert second.seek(witness.cursor()) is None
    assert second.poll() == []


@pytest.mark.parametrize("cursor", ["", "x", "1:2", "1:2:3:x", "1:2:3:4:5"])
def test_a_cursor_that_is_none(path: Path, cursor: str) -> None:
    path.write_bytes(OLD)
    assert JsonlWitness(path).seek(cursor) is not None


def test_a_folder_in_its_place_is_no_record(path: Path) -> None:
    path.mkdir()
    witness = JsonlWitness(path)
    assert witness.poll() == []
    assert witness.trouble is not None


def test_nothing_new_costs_one_stat_and_no_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(OLD)
    witness = JsonlWitness(path)
    drain(witness)
    calls: list[str] = []
    real = os.stat
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", lambda *a, **k: (calls.append("stat"), real(*a, **k))[1])
        for name in ("open", "pread", "fstat"):
            patch.setattr(os, name, lambda *a, name=name, **k: calls.append(name))
        assert witness.poll() == []
    assert calls == ["stat"]


def test_a_huge_record_is_read_in_slices(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(prompt("x" * 1000) * 5000)
    sizes: list[int] = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, at: (sizes.append(size), real(file, size, at))[1])
    witness = JsonlWitness(path)
    first = witness.poll()
    assert 0 < len(first) < 5000
    assert len(first) + len(drain(witness)) == 5000
    assert max(sizes) <= lines.SLICE


def test_a_line_over_the_cap_is_dropped_and_the_next_one_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_CAP", 1000)
    monkeypatch.setattr(lines, "SLICE", 300)
    witness = JsonlWitness(path)
    add(path, prompt("a") + prompt("x" * 5000)[:-1])
    assert texts(drain(witness)) == ["a"]
    assert len(witness._lines._partial) <= 1300
    add(path, b"y" * 50)
    assert drain(witness) == []
    add(path, b"\n" + prompt("b"))
    assert (texts(drain(witness)), witness.bad_lines) == (["b"], 1)


def test_it_keeps_nothing_open(path: Path) -> None:
    path.write_bytes(OLD)
    before = set(Path("/dev/fd").iterdir())
    witness = JsonlWitness(path)
    drain(witness)
    assert set(Path("/dev/fd").iterdir()) == before
    witness.close()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=40), max_size=12),
    st.lists(st.integers(1, 60), min_size=1, max_size=40),
    st.integers(0, 40),
)
def test_every_split_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory, said: list[str], cuts: list[int], restart: int
) -> None:
    """Written in any pieces, polled after each, with a restart from the cursor at any moment: each record once."""
    path = tmp_path_factory.mktemp("split") / "x.jsonl"
    data = b"".join(prompt(text) for text in said)
    witness, got, at, turn = JsonlWitness(path), [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        add(path, data[at : at + size])
        at += size
        got += texts(drain(witness))
        if turn == restart:
            cursor = witness.cursor()
            witness.close()
            witness = JsonlWitness(path)
            assert witness.seek(cursor) is None
        turn += 1
    got += texts(drain(witness))
    assert (got, witness.bad_lines) == (said, 0)
    witness.close()


def test_kinds_are_looked_up(tmp_path: Path) -> None:
    spec = WitnessSpec(kind="jsonl", path="{stateDir}/{session}.jsonl", lag=0.7)
    witness = open_witness(spec, state_dir=tmp_path, cwd="/", session="id")
    assert isinstance(witness, JsonlWitness)
    assert (witness.lag, witness.source) == (0.7, "transcript")
    (tmp_path / "id.jsonl").write_bytes(OLD)
    assert texts(drain(witness)) == ["a", "b"]
    assert open_witness(WitnessSpec(kind="unheard-of"), state_dir=tmp_path, cwd="/") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [(None, "/state/witness.jsonl"), ("{stateDir}/a.jsonl", "/state/a.jsonl"), ("b", "/state/b"), ("/x/c", "/x/c")],
)
def test_where_a_record_lies(path: str | None, expected: str) -> None:
    assert witness_path(WitnessSpec(kind="jsonl", path=path), state_dir=Path("/state")) == Path(expected)
