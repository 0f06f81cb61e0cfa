"""Reading what aider writes: lines as 0.86.2 wrote them, shortened, and a screen that agrees or does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from politerm.engine.ports import SeeingWitness, WitnessRecord
from politerm.witness.aider import AiderWitness

STAMP = "2026-11-21T11:52:11"


class Told:
    """The program's side: its files, its screen, and the time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 0.0
        self.witness = self.reader()

    def reader(self) -> AiderWitness:
        return AiderWitness(self.folder, clock=lambda: self.now)

    def add(self, name: str, text: str) -> None:
        with (self.folder / f"aider.{name}").open("a", encoding="utf-8") as file:
            file.write(text)

    def typed(self, text: str) -> None:
        lines = "".join(f"+{line}\n" for line in text.split("\n"))
        self.add("input", f"\n# 2026-11-21 11:52:11.130561\n{lines}")

    def asks(self, *lines: str) -> None:
        self.add("llm", f"TO LLM {STAMP}\n-------\nSYSTEM Be good.\n-------\nASSISTANT An old answer.\n")
        self.add("llm", "".join(f"USER {line}\n" for line in lines))

    def answers(self, text: str, *, counted: bool = True) -> None:
        self.add("llm", f"LLM RESPONSE {STAMP}\n" + "".join(f"ASSISTANT {line}\n" for line in text.split("\n")))
        if counted:
            spent = {"prompt_tokens": 771, "completion_tokens": 27, "cost": 0.00082}
            self.add("analytics", json.dumps({"event": "message_send", "properties": spent}) + "\n")

    def waits(self) -> None:
        self.add("llm", "WAITING\n")

    def idles(self, seconds: float = 1.0) -> None:
        self.witness.seen(True)
        self.now += seconds

    def poll(self) -> list[tuple[str, str]]:
        return [(record.kind, record.text or record.how) for record in self.witness.poll() if record.kind != "usage"]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_a_turn_is_told_word_for_word(told: Told) -> None:
    assert isinstance(told.witness, SeeingWitness)
    told.add("analytics", '{"event": "launched", "properties": {}}\n')
    prompt = "Please greet.\n\t\\ `x` 漢字\n\nPOLI end: p1"
    told.typed(prompt)
    told.asks("Please greet.")
    text = "Half of it.\n\n<PLAN>\n# head\n#### fake\n> quote\n</PLAN>\nLLM RESPONSE\nWAITING\n  "
    told.answers(text)
    told.waits()
    records = told.witness.poll()
    assert WitnessRecord("prompt", prompt) in records
    assert WitnessRecord("reply", text) in records
    assert WitnessRecord("usage", tokens_in=771, tokens_out=27, usd=0.00082) in records
    assert any(record.kind == "session" for record in records), "its history can be gone on with"
    told.idles()
    assert told.poll() == [("turn_end", "done")]
    told.idles()
    assert told.poll() == []


def test_a_prompt_is_told_before_the_model_is_asked_once_it_is_all_there(told: Told) -> None:
    told.typed("Look at README.md")
    told.add("input", "+and then\n")
    assert told.poll() == []
    told.add("input", "+go on.\n")
    assert told.poll() == []
    told.now += 0.1
    assert told.poll() == [("prompt", "Look at README.md\nand then\ngo on.")]


def test_a_question_is_no_end_and_its_answer_no_prompt(told: Told) -> None:
    told.typed("Please write.")
    told.asks("Please write.")
    told.answers("I write.")
    told.waits()
    assert told.poll() == [("prompt", "Please write."), ("reply", "I write.")]
    told.witness.seen(False)
    told.now += 60
    assert told.poll() == [], "it asks something"
    told.typed("y")
    told.poll()
    told.now += 0.1
    assert told.poll() == []
    told.idles()
    assert told.poll() == [("turn_end", "done")]


def test_a_model_that_is_asked_again_in_the_same_turn_goes_on_with_it(told: Told) -> None:
    told.typed("Please mention.")
    told.asks("Please mention.")
    told.answers("Look at README.md.")
    told.waits()
    told.poll()
    told.typed("y")
    told.asks("I added the file.")
    told.idles()
    assert told.poll() == []
    told.answers("Seen.")
    told.waits()
    assert told.poll() == [("reply", "Seen.")]
    told.idles()
    assert told.poll() == [("turn_end", "done")]


@pytest.mark.parametrize(
    ("note", "end"),
    [
        ("> ^C again to exit  ", "interrupted"),
        ("> litellm.AuthenticationError: bad key  ", "litellm.AuthenticationError: bad key"),
    ],
)
def test_a_turn_that_was_cut_short_says_how(told: Told, note: str, end: str) -> None:
    told.typed("Please hang.")
    told.asks("Please hang.")
    told.add("chat", f"\n#### Please hang.  \n>  \n{note}\n")
    told.answers("Half.\n", counted=False)
    told.waits()
    told.poll()
    told.idles()
    assert told.poll() == [("turn_end", end)]
    told.typed("Again.")
    told.asks("Again.")
    told.answers("Well.")
    told.waits()
    told.poll()
    told.idles()
    assert told.poll() == [("turn_end", "done")]


def test_a_turn_that_died_with_its_process_does_not_end_in_the_next(told: Told) -> None:
    told.typed("One.")
    told.asks("One.")
    told.poll()
    told.add("analytics", '{"event": "launched", "properties": {}}\n')
    assert [kind for kind, _ in told.poll()] == ["session"]
    told.typed("Two.")
    told.asks("Two.")
    assert told.poll() == [("prompt", "Two.")]


def test_another_reader_goes_on_from_a_cursor(told: Told) -> None:
    told.typed("One.")
    told.asks("One.")
    told.answers("First.")
    assert told.poll() == [("prompt", "One.")]
    cursor = told.witness.cursor()
    told.waits()
    told.witness = told.reader()
    assert told.witness.seek(cursor) is None
    assert told.poll() == [("reply", "First.")]
    told.idles()
    assert told.poll() == [("turn_end", "done")]
    assert told.witness.seek("nonsense") is not None
