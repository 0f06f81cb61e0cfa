"""The demonstration agents in real terminals, started as their profiles say, with the record that they keep."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from politerm.agents.profile import AgentProfile, expand
from politerm.agents.rules import look
from politerm.core.blocks import Block, read_blocks
from politerm.core.prompt import frame, from_user, relayed
from politerm.core.wire import Role
from politerm.primers import load
from politerm.witness import open_witness, witness_path
from politerm.workspace.agents_folder import AgentsFolder
from tests.agents.terminal import Terminal

DEMO = "Write a small module with a test, then fix what the test finds."


class Actor:
    """A scripted agent as PoliTerm starts it: profile, program, record."""

    def __init__(self, folder: Path, role: Role, **env: str) -> None:
        self.role = role
        state = folder / f"state {role.value}"
        self.work = folder / 'work, it\'s "here"'
        for path in (state, self.work):
            path.mkdir(exist_ok=True)
        agents = AgentsFolder(folder / "config", os.environ)
        plain = agents.get(f"scripted-{role.value.lower()}")
        program = agents.locate(plain)
        assert program is not None
        self.profile: AgentProfile = expand(plain, python=program, state_dir=str(state))
        assert self.profile.witness is not None
        record = witness_path(self.profile.witness, state_dir=state)
        witness = open_witness(self.profile.witness, state_dir=state, cwd=str(self.work))
        assert witness is not None
        self.witness = witness
        self.terminal = Terminal(self.profile.command, cwd=self.work, env={"POLITERM_WITNESS": str(record), **env})
        self.records: list[Any] = []
        self.primer = load(role, folder / "config").text

    def ready(self) -> None:
        self.terminal.wait(lambda: look(self.profile, self.terminal.rows).ready is not None, "the ready prompt")

    def until(self, kind: str) -> None:
        """Wait for a record of this kind that was not there before."""

        def came() -> bool:
            new = self.witness.poll()
            self.records += new
            return any(one.kind == kind for one in new)

        self.terminal.wait(came, f"a record {kind}")

    def turn(self, text: str) -> list[Block]:
        self.terminal.submit(text)
        self.until("turn_end")
        reply = next(one.text for one in reversed(self.records) if one.kind == "reply")
        return [one for one in read_blocks(reply) if isinstance(one, Block)]


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:

        def enter(role: Role, **env: str) -> Actor:
            actor = Actor(tmp_path, role, **env)
            stack.enter_context(actor.terminal)
            stack.callback(actor.witness.close)
            actor.ready()
            return actor

        yield enter


def task(actor: Actor, text: str, key: str = "key1") -> str:
    section = f"The task, in the user's words:\n{from_user(text)}"
    return frame(prompt_id="p1", key=key, task_id="t1", primer=actor.primer, sections=[section])


def passed_on(sender: Role, block: Block, number: int, primer: str | None = None) -> str:
    section = relayed(sender, block.kind, block.body)
    return frame(prompt_id=f"p{number}", key=f"key{number}", task_id=None, primer=primer, sections=[section])


def test_the_demo_from_task_to_summary(cast: Any) -> None:
    planner, executer = cast(Role.PLANNER), cast(Role.EXECUTER)
    assert planner.terminal.bracketed
    first = task(planner, DEMO)
    kinds, (said,) = [], planner.turn(first)
    number = 1
    while said.kind != "complete":
        number += 1
        (report,) = executer.turn(passed_on(Role.PLANNER, said, number, executer.primer if number == 2 else None))
        assert report.header["key"] == f"key{number}"
        kinds += [said.kind, report.kind]
        number += 1
        (said,) = planner.turn(passed_on(Role.EXECUTER, report, number))
        assert number < 20
    assert kinds == ["plan", "result", "revision", "result"]
    assert sorted(path.name for path in planner.work.iterdir()) == ["slugify.py", "test_slugify.py"]
    assert next(one.text for one in planner.records if one.kind == "prompt") == first
    assert [one.how for one in executer.records if one.kind == "turn_end"] == ["done", "done"]
    for actor in (planner, executer):
        actor.ready()
        verdict = look(actor.profile, actor.terminal.rows)
        assert (verdict.working, verdict.dialog) == (None, None)


def test_a_restarted_executer_goes_on_from_the_files(cast: Any) -> None:
    planner, executer = cast(Role.PLANNER), cast(Role.EXECUTER)
    (plan,) = planner.turn(task(planner, DEMO))
    (report,) = executer.turn(passed_on(Role.PLANNER, plan, 2))
    executer.terminal.submit("/quit")
    assert executer.terminal.exit_status() == 0
    (revision,) = planner.turn(passed_on(Role.EXECUTER, report, 3))
    again = cast(Role.EXECUTER)
    again.witness.poll()
    (fixed,) = again.turn(passed_on(Role.PLANNER, revision, 4))
    assert "\nOK" in fixed.body


def test_at_a_persons_pace_it_shows_that_it_works_and_can_be_interrupted(cast: Any) -> None:
    planner = cast(Role.PLANNER, POLITERM_SCRIPTED_PACE="600")
    planner.terminal.submit(task(planner, DEMO))
    planner.until("prompt")
    planner.terminal.wait(lambda: look(planner.profile, planner.terminal.rows).working is not None, "the working line")
    planner.terminal.type("\x1b")
    planner.until("turn_end")
    assert (planner.records[-1].kind, planner.records[-1].how) == ("turn_end", "interrupted")
    assert "reply" not in [one.kind for one in planner.records]
    planner.ready()


@pytest.mark.parametrize("text", ["hello", "/x", "a;", "日本 🙂", "x" * 5000])
def test_a_persons_words_are_answered_without_a_message(cast: Any, text: str) -> None:
    planner = cast(Role.PLANNER)
    assert planner.turn(text) == []
    assert json.loads(json.dumps(planner.records[0].text)) == text


def test_a_draft_can_be_cleared(cast: Any) -> None:
    executer = cast(Role.EXECUTER)
    executer.terminal.paste("one\ntwo")
    executer.terminal.wait_text("[Pasted text #1 +1 lines]")
    executer.terminal.type("\x15")
    executer.ready()
    executer.turn("three")
    assert executer.records[0].text == "three"


def test_the_line_breaks_of_a_paste_may_be_those_of_a_terminal(cast: Any) -> None:
    executer = cast(Role.EXECUTER)
    executer.turn("one\rtwo\r\nthree\nfour")
    assert executer.records[0].text == "one\ntwo\nthree\nfour"


def test_a_megabyte_arrives_byte_for_byte(cast: Any) -> None:
    executer = cast(Role.EXECUTER)
    text = frame(prompt_id="p", key="k", task_id=None, primer=None, sections=["0123456789abcdé\n" * 65_536])
    executer.turn(text)
    assert executer.records[0].text == text


def test_no_module_of_the_folder_is_taken_for_pythons_own(cast: Any, tmp_path: Path) -> None:
    work = tmp_path / 'work, it\'s "here"'
    work.mkdir()
    for name in ("json.py", "politerm.py", "termios.py"):
        (work / name).write_text("raise SystemExit(3)\n")
    planner = cast(Role.PLANNER)
    assert planner.turn(task(planner, DEMO))[0].kind == "plan"


def test_it_ends_when_its_terminal_is_gone(cast: Any) -> None:
    planner = cast(Role.PLANNER)
    planner.terminal.type("\x04")
    assert planner.terminal.exit_status() == 0
