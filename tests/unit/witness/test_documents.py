"""The witnesses of programs that write their conversation anew as a whole: Continue 1.5.47 and Cline 3.0.65."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from politerm.engine.ports import WitnessRecord
from politerm.witness.cline import ClineWitness
from politerm.witness.cn import CnWitness


def told(records: list[WitnessRecord]) -> list[tuple[str, str]]:
    return [(each.kind, each.how if each.kind == "turn_end" else each.text) for each in records]


class Continue:
    """Sessions in a folder of the run's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.history: list[dict[str, Any]] = []
        (folder / "sessions.json").write_text("[]")
        self._written = 0

    def open(self) -> CnWitness:
        return CnWitness(self.folder)

    def says(self, role: str, content: Any, session: str = "one", **fields: Any) -> None:
        self.history.append({"message": {"role": role, "content": content, **fields}, "contextItems": []})
        self.save(session)

    def save(self, session: str = "one") -> None:
        path = self.folder / f"{session}.json"
        path.write_text(json.dumps({"sessionId": session, "history": self.history}), "utf-8")
        self._written += 1
        os.utime(path, ns=(self._written * 10**9, self._written * 10**9))


@pytest.fixture
def cn(tmp_path: Path) -> Continue:
    return Continue(tmp_path)


def test_continue_tells_prompts_answers_and_ends(cn: Continue) -> None:
    witness = cn.open()
    assert witness.poll() == []
    cn.says("user", "Please.\nPOLI end: p1")
    assert told(witness.poll()) == [("session", "one"), ("prompt", "Please.\nPOLI end: p1")]
    usage = {"prompt_tokens": 100, "completion_tokens": 20}
    cn.says("assistant", "I run.", toolCalls=[{"id": "c"}], usage=usage)
    assert told(witness.poll()) == [("reply", "I run."), ("usage", "")]
    cn.save()
    assert witness.poll() == []
    cn.says("assistant", "Done.", usage=usage)
    assert told(witness.poll()) == [("reply", "Done."), ("usage", ""), ("turn_end", "done")]


def test_continue_goes_on_after_our_death_and_after_its_own(cn: Continue) -> None:
    cn.says("user", [{"type": "text", "text": "One."}])
    first = cn.open()
    assert told(first.poll()) == [("session", "one"), ("prompt", "One.")]
    cn.says("assistant", "Said.")
    second = cn.open()
    assert second.seek(first.cursor()) is None
    assert told(second.poll()) == [("reply", "Said."), ("turn_end", "done")]
    assert second.seek("no") == "the cursor cannot be read"


def test_a_half_written_document_is_read_when_it_is_whole(cn: Continue) -> None:
    witness = cn.open()
    (cn.folder / "one.json").write_text('{"history": [')
    assert told(witness.poll()) == [("session", "one")]
    cn.says("user", "Whole.")
    assert told(witness.poll()) == [("prompt", "Whole.")]


def test_another_conversation_in_the_same_folder_begins_at_its_beginning(cn: Continue) -> None:
    witness = cn.open()
    cn.says("user", "One.")
    witness.poll()
    cn.history.clear()
    cn.says("user", "Two.", session="two")
    assert told(witness.poll()) == [("session", "two"), ("prompt", "Two.")]


class Cline:
    """A data folder of the run's own."""

    ID = "1795262350426_idrtw"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.messages: list[dict[str, Any]] = []
        self.typed: list[str] = []
        self.session = folder / "sessions" / self.ID
        self.session.mkdir(parents=True)
        (folder / "cache").mkdir()
        self._written = 0

    def open(self) -> ClineWitness:
        return ClineWitness(self.folder)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, "utf-8")
        self._written += 1
        os.utime(path, ns=(self._written * 10**9, self._written * 10**9))

    def types(self, text: str) -> None:
        """The whole file is written anew, with a new time in every line."""
        self.typed.append(text)
        lines = [json.dumps({"prompt": each, "ts": len(self.typed)}) + "\n" for each in self.typed]
        self._write(self.folder / "cache" / "user_input_history.jsonl", "".join(lines))

    def is_(self, status: str) -> None:
        self._write(self.session / f"{self.ID}.json", json.dumps({"status": status}))

    def has(self, role: str, *parts: dict[str, Any], **fields: Any) -> None:
        self.messages.append({"role": role, "content": list(parts), **fields})
        self._write(self.session / f"{self.ID}.messages.json", json.dumps({"messages": self.messages}))

    def has_prompt(self, text: str) -> None:
        self.has("user", {"type": "text", "text": f'<user_input mode="act">{text}</user_input>'})

    def answers(self, text: str, *more: dict[str, Any]) -> None:
        self.has("assistant", {"type": "text", "text": text}, *more, metrics={"inputTokens": 100, "outputTokens": 20})


@pytest.fixture
def cline(tmp_path: Path) -> Cline:
    return Cline(tmp_path)


def test_cline_tells_a_prompt_at_once_and_the_end_when_its_state_says_so(cline: Cline) -> None:
    cline.is_("idle")
    witness = cline.open()
    cline.types("Please.\nPOLI end: p1")
    assert told(witness.poll()) == [("session", cline.ID), ("prompt", "Please.\nPOLI end: p1")]
    cline.is_("idle")
    assert witness.poll() == [], "it has not begun yet"
    cline.is_("running")
    cline.has_prompt("Please.\nPOLI end: p1")
    cline.answers("I run.", {"type": "tool_use", "name": "editor"})
    assert told(witness.poll()) == [("reply", "I run."), ("usage", "")]
    cline.is_("pending")
    cline.has("user", {"type": "tool_result", "content": "ok"})
    assert witness.poll() == []
    cline.answers("Done.")
    cline.is_("idle")
    assert told(witness.poll()) == [("reply", "Done."), ("usage", ""), ("turn_end", "done")]
    assert witness.poll() == []


def test_cline_tells_a_folded_prompt_as_its_conversation_has_it(cline: Cline) -> None:
    witness = cline.open()
    cline.types("[Please read this. 1 2 3... Pasted +14 lines]")
    cline.is_("running")
    assert told(witness.poll()) == [("session", cline.ID)]
    cline.has_prompt("Please read this.\n1\nPOLI end: p1")
    cline.answers("Read.")
    cline.is_("idle")
    assert [kind for kind, _ in told(witness.poll())] == ["prompt", "reply", "usage", "turn_end"]


def test_cline_may_be_quicker_than_it_writes_its_prompt_down(cline: Cline) -> None:
    witness = cline.open()
    cline.has_prompt("Quick.")
    cline.answers("Done.")
    cline.is_("idle")
    cline.types("Quick.")
    kinds = [kind for kind, _ in told(witness.poll())]
    assert kinds == ["session", "prompt", "reply", "usage", "turn_end"]


def test_cline_interrupted_and_failed(cline: Cline) -> None:
    witness = cline.open()
    cline.types("One.")
    cline.is_("running")
    witness.poll()
    cline.is_("idle")
    assert told(witness.poll()) == [("turn_end", "interrupted")]
    cline.types("Two.")
    cline.is_("running")
    cline.has_prompt("Two.")
    cline.has("assistant", {"type": "text", "text": "bad key"}, metadata={"displayRole": "error"})
    cline.is_("idle")
    *_, ended = witness.poll()
    assert (ended.kind, ended.how, ended.text) == ("turn_end", "failed", "bad key")


def test_cline_goes_on_after_our_death(cline: Cline) -> None:
    first = cline.open()
    cline.types("One.")
    cline.is_("running")
    assert told(first.poll()) == [("session", cline.ID), ("prompt", "One.")]
    cline.has_prompt("One.")
    cline.answers("Said.")
    cline.is_("idle")
    second = cline.open()
    assert second.seek(first.cursor()) is None
    assert told(second.poll()) == [("reply", "Said."), ("usage", ""), ("turn_end", "done")]
    assert second.seek("{}") == "the cursor cannot be read"
