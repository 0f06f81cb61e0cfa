"""The witness of Qwen Code, over records of the form that 0.15.10 writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from politerm.engine.ports import WitnessRecord
from politerm.witness.qwen import PATIENCE, QwenWitness

SESSION = "22222222-2222-4333-8444-555555555555"
TOKENS = {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120}


class Recorded:
    """A session's two files as they grow. `now` is the witness's clock; each line is a second after the last one."""

    def __init__(self, folder: Path) -> None:
        self.hooks = folder / "hooks.jsonl"
        self.transcript = folder / "chats" / f"{SESSION}.jsonl"
        self.transcript.parent.mkdir()
        self.now = 100.0
        self._seconds = 0

    def open(self) -> QwenWitness:
        return QwenWitness(self.hooks, clock=lambda: self.now)

    def stamp(self) -> str:
        self._seconds += 1
        return f"2026-11-21T11:{self._seconds // 60:02}:{self._seconds % 60:02}.000Z"

    def hook(self, event: str, **fields: Any) -> None:
        named = {"session_id": SESSION, "transcript_path": str(self.transcript), "hook_event_name": event}
        self._append(self.hooks, {**named, "timestamp": self.stamp(), **fields})

    def idle(self) -> None:
        self.hook("Notification", notification_type="idle_prompt")

    def entry(self, kind: str, *parts: dict[str, Any], **fields: Any) -> None:
        entry = {"type": kind, "timestamp": self.stamp(), "message": {"parts": list(parts)}}
        self._append(self.transcript, {**entry, **fields})

    def prompt(self, text: str) -> None:
        self.entry("user", {"text": text})
        self._append(self.transcript, {"type": "system", "subtype": "attribution_snapshot", "systemPayload": {}})

    def reply(self, text: str) -> None:
        self.entry("assistant", {"text": "Hm.", "thought": True}, {"text": text}, usageMetadata=TOKENS)

    def stop(self, text: str) -> None:
        self.hook("Stop", last_assistant_message=text)

    @staticmethod
    def _append(path: Path, entry: dict[str, Any]) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    made = Recorded(tmp_path)
    made.hook("SessionStart", source="startup")
    return made


def told(records: list[WitnessRecord]) -> list[tuple[str, str]]:
    return [(each.kind, each.how if each.kind == "turn_end" else each.text) for each in records]


def test_a_turn_with_a_tool_is_told_in_order_and_ended_once(recorded: Recorded) -> None:
    recorded.prompt("Please.\nPOLI end: p1")
    recorded.entry("assistant", {"text": "I run."}, {"functionCall": {"name": "x"}}, usageMetadata=TOKENS)
    recorded.hook("PermissionRequest", tool_name="run_shell_command", tool_input={"command": "touch x"})
    recorded.entry("tool_result", {"functionResponse": {"name": "x", "response": {}}})
    recorded.reply("  Done.\n")
    recorded.stop("  Done.\n")
    recorded.idle()
    assert told(recorded.open().poll()) == [
        ("session", SESSION),
        ("prompt", "Please.\nPOLI end: p1"),
        ("reply", "I run."),
        ("usage", ""),
        ("permission", "run_shell_command: touch x"),
        ("reply", "  Done.\n"),
        ("usage", ""),
        ("turn_end", "done"),
    ]


def test_an_end_waits_for_the_reply_it_is_about(recorded: Recorded) -> None:
    witness = recorded.open()
    recorded.prompt("Please.")
    recorded.stop("Late.")
    assert "turn_end" not in dict(told(witness.poll()))
    before = witness.cursor()
    recorded.reply("Late.")
    assert [kind for kind, _ in told(witness.poll())] == ["reply", "usage", "turn_end"]
    again = recorded.open()
    assert again.seek(before) is None
    assert [kind for kind, _ in told(again.poll())] == ["reply", "usage", "turn_end"]


def test_a_reply_that_never_comes_is_not_waited_for_for_ever(recorded: Recorded) -> None:
    witness = recorded.open()
    recorded.prompt("Please.")
    recorded.stop("Never recorded.")
    witness.poll()
    recorded.now += PATIENCE
    assert told(witness.poll()) == [("turn_end", "done")]


def test_waiting_for_input_without_an_end_is_an_interrupt(recorded: Recorded) -> None:
    recorded.prompt("Please.")
    recorded.idle()
    assert told(recorded.open().poll())[-1] == ("turn_end", "interrupted")


def test_a_notice_of_the_turn_before_does_not_end_this_one(recorded: Recorded) -> None:
    recorded.prompt("One.")
    recorded.reply("Said.")
    recorded.stop("Said.")
    late = recorded.stamp()
    recorded.prompt("Two.")
    recorded.hook("Notification", notification_type="idle_prompt", timestamp=late)
    assert [each for each in told(recorded.open().poll()) if each[0] == "turn_end"] == [("turn_end", "done")]


def test_a_failure_says_why(recorded: Recorded) -> None:
    recorded.prompt("Please.")
    recorded.hook("StopFailure", error="authentication_failed", error_details="401 bad key")
    recorded.idle()
    [failed] = [each for each in recorded.open().poll() if each.kind == "turn_end"]
    assert (failed.how, failed.text) == ("failed", "401 bad key")


def test_two_turns_that_are_read_at_once_end_each_in_its_place(recorded: Recorded) -> None:
    for text in ("One.", "Two."):
        recorded.prompt(text)
        recorded.reply(f"To {text}")
        recorded.stop(f"To {text}")
        recorded.idle()
    kinds = [kind for kind, _ in told(recorded.open().poll())]
    assert kinds == ["session", *["prompt", "reply", "usage", "turn_end"] * 2]


def test_nothing_is_lost_or_told_twice_after_our_death(recorded: Recorded) -> None:
    steps = [
        lambda: recorded.prompt("One."),
        lambda: recorded.reply("First."),
        lambda: recorded.stop("First."),
        recorded.idle,
        lambda: recorded.prompt("Two."),
        recorded.idle,
    ]
    records: list[WitnessRecord] = []
    cursor: str | None = None
    for step in steps:
        step()
        witness = recorded.open()
        assert witness.seek(cursor) is None
        records += witness.poll()
        cursor = witness.cursor()
    assert told(records) == [
        ("session", SESSION),
        ("prompt", "One."),
        ("reply", "First."),
        ("usage", ""),
        ("turn_end", "done"),
        ("prompt", "Two."),
        ("turn_end", "interrupted"),
    ]


def test_a_cursor_of_another_kind_is_refused(recorded: Recorded) -> None:
    assert recorded.open().seek("7:7:7:7") == "the cursor cannot be read"
