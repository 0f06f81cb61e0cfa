"""The witness of GitHub Copilot's CLI, over what 1.0.102 really wrote (data/, with bulk taken out)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from politerm.agents.profile import WitnessSpec
from politerm.engine.ports import Witness, WitnessRecord
from politerm.witness import open_witness

EVENTS = (Path(__file__).parent / "data" / "copilot-1.0.102-events.jsonl").read_bytes().splitlines(keepends=True)
SESSION = "33333333-2222-4333-8444-555555555555"
PLAN = (
    '[[POLI:MSG {"to":"EXECUTER","type":"plan","key":"k"}]]\n'
    "<PLAN>\n1. a \\x **b** `c` 日本\n    indented\n</PLAN>\n[[/POLI:MSG]]"
)


class Recorded:
    """A session's file as it grows."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.events = home / ".copilot" / "session-state" / SESSION / "events.jsonl"
        self.events.parent.mkdir(parents=True)

    def open(self) -> Witness:
        spec = WitnessSpec(kind="copilot")
        witness = open_witness(spec, state_dir=self.home, cwd="/p", session=SESSION, home=self.home)
        assert witness is not None
        return witness

    def write(self, *lines: bytes) -> None:
        with self.events.open("ab") as file:
            file.writelines(lines)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    monkeypatch.delenv("COPILOT_HOME", raising=False)
    return Recorded(tmp_path)


def told(records: list[WitnessRecord]) -> list[tuple[str, str]]:
    return [(each.kind, each.how if each.kind == "turn_end" else each.text) for each in records]


EVERYTHING = [
    ("session", SESSION),
    ("prompt", "Please hello.\nline    2 tab\nPOLI end: p1"),
    ("usage", ""),
    ("reply", PLAN),
    ("turn_end", "done"),
    ("prompt", "forever"),
    ("turn_end", "interrupted"),
    ("prompt", "fail401"),
    ("turn_end", "failed"),
    ("prompt", "Please ask tool"),
    ("usage", ""),
    ("reply", "I run."),
    ("permission", "shell: touch made-by-bash"),
    ("usage", ""),
    ("reply", "After tool."),
    ("turn_end", "done"),
]


def test_a_session_with_a_plan_an_interrupt_a_failure_and_a_tool(recorded: Recorded) -> None:
    recorded.write(*EVENTS)
    records = recorded.open().poll()
    assert told(records) == EVERYTHING
    assert {(each.tokens_in, each.tokens_out) for each in records if each.kind == "usage"} == {(100, 20)}
    [failed] = [each for each in records if each.how == "failed"]
    assert "Authentication failed" in failed.text


def test_after_our_death_at_any_line_nothing_is_lost_or_told_twice(recorded: Recorded) -> None:
    records: list[WitnessRecord] = []
    cursor: str | None = None
    for line in EVENTS:
        witness = recorded.open()
        assert witness.seek(cursor) is None
        records += witness.poll()
        recorded.write(line)
        records += witness.poll()
        cursor = witness.cursor()
    assert told(records) == EVERYTHING


def test_what_an_agent_of_its_own_says_is_not_told(recorded: Recorded) -> None:
    inside = {"type": "assistant.message", "data": {"content": "Deep inside.", "parentToolCallId": "call_1"}}
    recorded.write(*EVENTS[:2], json.dumps(inside).encode() + b"\n", b'{"type":"assistant.turn_end","data":{}}\n')
    assert [kind for kind, _ in told(recorded.open().poll())] == ["session", "prompt"]


def test_a_session_that_was_resumed_begins_with_no_open_turn(recorded: Recorded) -> None:
    resumed = {"type": "session.resume", "data": {"sessionId": SESSION}}
    recorded.write(*EVENTS[:2], json.dumps(resumed).encode() + b"\n", b'{"type":"abort","data":{}}\n')
    assert [kind for kind, _ in told(recorded.open().poll())] == ["session", "prompt", "session"]


@pytest.mark.parametrize(
    "line", [b"", b"{}\n", b"[1]\n", b'{"type":"user.message"}\n', b'{"type":"abort","data":7}\n', b"\xff\n"]
)
def test_a_line_of_any_other_form_does_no_harm(recorded: Recorded, line: bytes) -> None:
    recorded.write(line, *EVENTS[:1])
    assert ("session", SESSION) in told(recorded.open().poll())
    assert recorded.open().seek("not json") == "the cursor cannot be read"
