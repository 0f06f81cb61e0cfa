"""Reading what Gemini CLI records: lines as 0.61.0 wrote them, shortened, and a screen that agrees or does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from politerm.engine.ports import SeeingWitness, WitnessRecord
from politerm.witness.gemini import GeminiWitness

SESSION = "11111111-2222-4333-8444-555555555555"
CONTEXT = "<session_context>\nToday.\n</session_context>"
TOKENS = {"input": 100, "output": 20, "cached": 0, "thoughts": 5, "tool": 0, "total": 125}


class Told:
    """The program's side: its file, its screen, and the time."""

    def __init__(self, home: Path) -> None:
        self.path = home / "tmp" / "it-s-a-project" / "chats" / f"session-2026-11-21T11-34-{SESSION[:8]}.jsonl"
        self.now = 0.0
        self.home = home
        self.witness = self.reader()

    def reader(self) -> GeminiWitness:
        return GeminiWitness(self.home, SESSION, clock=lambda: self.now)

    def write(self, *entries: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in entries)

    def begins(self) -> None:
        self.write({"sessionId": SESSION, "kind": "main"}, {"$set": {"messages": [user(CONTEXT)]}})

    def idles(self, seconds: float = 1.0) -> None:
        self.witness.seen(True)
        self.now += seconds

    def poll(self) -> list[tuple[str, str]]:
        return [(record.kind, record.text or record.how) for record in self.witness.poll() if record.kind != "usage"]


def user(*texts: str, name: str = "u") -> dict[str, Any]:
    return {"id": name, "type": "user", "content": [{"text": text} for text in texts]}


def gemini(text: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "gemini", "content": text, "tokens": TOKENS, **more}


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_a_conversation_is_found_by_its_name_and_told_word_for_word(told: Told) -> None:
    assert told.poll() == []
    told.now += 1
    told.begins()
    text = "Half of it.\n\n**bold** [[x]]\n  \\ `x` 漢字"
    told.write(user("Please greet.\nPOLI end: p1"), gemini(text, "a"))
    records = told.witness.poll()
    assert WitnessRecord("session", SESSION) in records
    assert WitnessRecord("prompt", "Please greet.\nPOLI end: p1") in records
    assert WitnessRecord("reply", text) in records
    assert WitnessRecord("usage", tokens_in=100, tokens_out=25) in records


def test_a_turn_is_over_where_the_screen_agrees_and_only_then(told: Told) -> None:
    assert isinstance(told.witness, SeeingWitness)
    told.begins()
    told.write(user("Write."), gemini("I write.", "a"))
    told.witness.seen(True)
    assert told.poll()[1:] == [("prompt", "Write."), ("reply", "I write.")]
    told.now += 60
    assert told.poll() == [], "what was seen before it spoke counts no more"
    told.witness.seen(False)
    told.now += 60
    assert told.poll() == [], "its tool runs, or asks for a permission"
    done = [{"name": "write_file", "status": "success"}]
    told.write(gemini("I write.", "a", toolCalls=done), {"type": "user", "content": [{"functionResponse": {}}]})
    told.idles()
    assert told.poll() == [], "the model speaks next"
    told.write(gemini("Written.", "b"))
    assert told.poll() == [("reply", "Written.")]
    told.idles(0.1)
    assert told.poll() == [], "it must have been idle for a moment"
    told.idles()
    assert told.poll() == [("turn_end", "done")]
    told.idles()
    assert told.poll() == []


@pytest.mark.parametrize(
    ("entry", "end"),
    [
        ({"type": "info", "content": "Request cancelled."}, ("turn_end", "interrupted")),
        ({"type": "error", "content": "[API Error: 401]"}, ("turn_end", "[API Error: 401]")),
    ],
)
def test_what_cuts_a_turn_short_needs_no_second_witness(
    told: Told, entry: dict[str, Any], end: tuple[str, str]
) -> None:
    told.begins()
    told.write(user("Please hang."), entry, {"type": "info", "content": "This request failed."})
    assert told.poll()[1:] == [("prompt", "Please hang."), end]


def test_a_history_that_is_written_again_is_not_told_again(told: Told) -> None:
    told.begins()
    told.write(user("One."), gemini("First.", "a"), {"type": "info", "content": "Request cancelled."})
    again = [user(CONTEXT, "One.", name="x"), gemini("First.", "y"), {"$set": {"messages": []}}]
    told.write(*again, user("Two.", name="z"))
    assert told.poll()[1:] == [
        ("prompt", "One."),
        ("reply", "First."),
        ("turn_end", "interrupted"),
        ("prompt", "Two."),
    ]


def test_a_turn_that_died_with_its_process_does_not_end_in_the_next(told: Told) -> None:
    told.begins()
    told.write(user("One."), gemini("I run.", "a"))
    told.poll()
    told.write({"$set": {"sessionId": SESSION}}, {"$set": {"messages": []}})
    told.idles()
    told.poll()
    told.idles()
    assert told.poll() == []


def test_another_reader_goes_on_from_a_cursor(told: Told) -> None:
    told.begins()
    told.write(user("One."), gemini("I run.", "a"))
    told.poll()
    cursor = told.witness.cursor()
    told.write(gemini("I run.", "a", toolCalls=[{}]), gemini("Over.", "b"))
    told.witness = told.reader()
    assert told.witness.seek(cursor) is None
    assert told.poll() == [("reply", "Over.")]
    told.idles()
    assert told.poll() == [("turn_end", "done")]
    assert told.witness.seek("nonsense") is not None


def test_a_line_that_is_something_else_is_passed_over(told: Told) -> None:
    told.begins()
    told.write({"type": 7}, {"type": "gemini", "content": None, "tokens": "many"}, {"$set": 3}, user("One."))
    assert told.poll()[-1] == ("prompt", "One.")
