"""Every test agent does what its name says. Without this, a test of the run that fails could be the agent's fault."""

from __future__ import annotations

import json
import os
import signal
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from politerm.agents.registry import parse_profile
from politerm.agents.rules import look
from politerm.core.blocks import Block, read_blocks
from politerm.core.prompt import frame, from_user, relayed
from politerm.core.wire import Role
from tests.agents import KINDS, argv, ledger, profile_toml
from tests.agents.terminal import Terminal

TASK = "The task, in the user's words:\n" + from_user("count to two")


def prompt(*sections: str, key: str = "key1", prompt_id: str = "p1") -> str:
    return frame(prompt_id=prompt_id, key=key, task_id="t1", primer=None, sections=sections)


def plan(step: int) -> str:
    return relayed(Role.PLANNER, "plan", f"Step {step} of 2.")


def result(step: int) -> str:
    return relayed(Role.EXECUTER, "result", f"Done with step {step}.")


class Stage:
    """One agent on a terminal, with a folder for what it notes and a record."""

    def __init__(self, folder: Path, kind: str, options: dict[str, Any]) -> None:
        self.memory, self.record = folder / "memory", folder / "record.jsonl"
        self.work = folder / "work dir's"
        for path in (self.memory, self.work):
            path.mkdir(exist_ok=True)
        self.profile = parse_profile(profile_toml(kind, memory=self.memory, **options), kind, "user").profile
        self.terminal = Terminal(
            argv(kind, memory=self.memory, **options), cwd=self.work, env={"POLITERM_WITNESS": str(self.record)}
        )

    def ready(self) -> None:
        self.terminal.wait(lambda: look(self.profile, self.terminal.rows).ready is not None, "the ready prompt")

    def records(self) -> list[dict[str, Any]]:
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text(encoding="utf-8").splitlines()]

    def noted(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in ledger(self.memory) if entry["event"] == event]

    def turn(self, text: str) -> str:
        """Give it a prompt and wait for the end of the turn: its reply, from the record."""
        ended = len([one for one in self.records() if one["type"] == "turnEnd"])
        self.terminal.submit(text)
        self.terminal.wait(
            lambda: len([one for one in self.records() if one["type"] == "turnEnd"]) > ended, "the turn's end"
        )
        return next(one["text"] for one in reversed(self.records()) if one["type"] == "reply")


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    @contextmanager
    def start(kind: str, **options: Any) -> Iterator[Stage]:
        one = Stage(tmp_path, kind, {"role": "executer", **options})
        with one.terminal:
            yield one

    return start


def said(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.body) for one in read_blocks(text) if isinstance(one, Block) and not one.quoted]


@pytest.mark.parametrize("kind", [*KINDS, "cat"])
def test_every_profile_is_valid(kind: str) -> None:
    parsed = parse_profile(profile_toml(kind, turn_end=True), kind, "user")
    assert parsed.warnings == ()
    assert parsed.profile.command == tuple(argv(kind))


@pytest.mark.parametrize("face", ["line", "bare", "raw", "full", "boxed", "markdown"])
def test_a_face_takes_a_prompt_byte_for_byte_and_answers(stage: Any, face: str) -> None:
    text = prompt(plan(1), "  -x\t/x a; $() C-c 日本 🙂 'q' \"q\"", key="abc")
    with stage(face) as agent:
        if face != "bare":
            agent.ready()
        reply = agent.turn(text)
        assert agent.records()[0] == {"type": "prompt", "text": text}
        assert said(reply) == [("result", "<RESULT>\nDone with step 1.\n</RESULT>")]
        block = read_blocks(reply)[0]
        assert isinstance(block, Block)
        assert block.header["key"] == "abc"
        assert agent.records()[-1] == {"type": "turnEnd", "how": "done"}
        if face != "bare":
            agent.ready()


def test_the_two_count_to_the_end(stage: Any) -> None:
    with stage("line", role="planner", rounds=2) as agent:
        assert said(agent.turn(prompt(TASK)))[0][0] == "plan"
        assert "Step 2 of 2." in said(agent.turn(prompt(result(1))))[0][1]
        assert said(agent.turn(prompt(result(1), result(2))))[0][0] == "complete"


def test_a_scenario_is_played_turn_by_turn_across_a_restart(stage: Any, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps([[{"type": "status", "body": "a"}, {"type": "result", "body": "b"}], ["no block"]]))
    with stage("raw", scenario=str(scenario), tags=False) as agent:
        agent.ready()
        assert said(agent.turn(prompt(plan(1)))) == [("status", "a"), ("result", "b")]
    with stage("raw", scenario=str(scenario)) as agent:
        agent.ready()
        assert said(agent.turn(prompt(plan(2)))) == []


def test_long_plans_scroll_out_of_the_full_screen(stage: Any) -> None:
    with stage("long", role="planner") as agent:
        agent.ready()
        reply = agent.turn(prompt(TASK))
        assert agent.terminal.bracketed
        assert b"\x1b[?1049h" in agent.terminal.output
        assert "line 001" in reply
        agent.ready()
        agent.terminal.wait_text("line 200")
        assert "line 001" not in agent.terminal.text
        assert "POLI:MSG" not in agent.terminal.text.split("line 200")[0]


def test_the_full_screen_counts_columns(stage: Any) -> None:
    digits = "".join(f"{number:04d}" for number in range(65))
    body = {"type": "result", "body": f"{digits}{'日' * 160}"}
    with stage("full", scenario=[[body]]) as agent:
        agent.ready()
        agent.turn(prompt(plan(1)))
        agent.ready()
        expected = "\n".join([digits[:160], digits[160:] + "日" * 30, "日" * 80, "日" * 50, "</RESULT>"])
        agent.terminal.wait(lambda: expected in "\n".join(agent.terminal.rows), "every column in its place")


def test_boxes_are_forty_columns_wide(stage: Any) -> None:
    with stage("boxed") as agent:
        agent.ready()
        agent.turn(prompt(plan(1)))
        agent.ready()
        boxed = [row for row in agent.terminal.rows if row.startswith("│")]
        assert {len(row) for row in boxed} == {40}
        joined = "".join(row[2:-2] for row in boxed)
        assert '[[POLI:MSG {"to": "PLANNER", "type": "result"' in joined
        assert all("PLANNER" not in row or "result" not in row for row in boxed)


def test_markdown_loses_tags_and_backslashes(stage: Any) -> None:
    body = {"type": "result", "body": "a \\\\ b **c**"}
    with stage("markdown", scenario=[[body]]) as agent:
        agent.ready()
        assert "<RESULT>\na \\\\ b **c**" in agent.turn(prompt(plan(1)))
        agent.terminal.wait_text("a \\ b c")
        assert "RESULT" not in agent.terminal.text.split("● ")[1]


def test_a_dialog_waits_for_one_key_before_the_job_is_done(stage: Any) -> None:
    with stage("asking") as agent:
        agent.ready()
        agent.terminal.submit(prompt(plan(1)))
        agent.terminal.wait(lambda: look(agent.profile, agent.terminal.rows).dialog is not None, "the dialog")
        dialog = look(agent.profile, agent.terminal.rows).dialog
        assert dialog is not None
        assert (dialog.what, dialog.kind) == ("allowed.txt", "permission")
        assert not (agent.work / "allowed.txt").exists()
        agent.terminal.type(*dialog.choices["allow"])
        agent.ready()
        assert (agent.work / "allowed.txt").read_text() == "yes\n"
        assert agent.noted("asked")[0]["answer"] is True
        assert look(agent.profile, agent.terminal.rows).dialog is None


def test_a_denied_job_is_not_done(stage: Any) -> None:
    with stage("asking") as agent:
        agent.ready()
        agent.terminal.submit(prompt(plan(1)))
        agent.terminal.wait_text("Allow writing")
        agent.terminal.type("n")
        agent.ready()
        assert not (agent.work / "allowed.txt").exists()
        assert said(agent.records()[-2]["text"])[0][0] == "error"


def test_an_enter_into_the_trust_dialog_gives_trust_and_a_paste_is_stray(stage: Any) -> None:
    with stage("distrustful") as agent:
        agent.terminal.wait_text("Do you trust")
        agent.terminal.submit("hello")
        agent.ready()
        assert agent.noted("asked")[0] == {**agent.noted("asked")[0], "answer": True, "stray": "hello"}


@pytest.mark.parametrize(
    ("moment", "prompts", "replies"), [("start", 0, 0), ("prompt", 1, 0), ("mid", 1, 0), ("reply", 1, 1)]
)
def test_it_dies_when_it_is_told_to(stage: Any, moment: str, prompts: int, replies: int) -> None:
    with stage("dying", die=moment, code=7, times=1) as agent:
        if moment != "start":
            agent.ready()
            agent.terminal.submit(prompt(plan(1)))
        assert agent.terminal.exit_status() == 7
        kinds = [one["type"] for one in agent.records()]
        assert (kinds.count("prompt"), kinds.count("reply"), kinds.count("turnEnd")) == (prompts, replies, 0)
    with stage("dying", die=moment, code=7, times=1) as agent:
        agent.ready()
        agent.turn(prompt(plan(1)))


def test_it_dies_by_a_signal(stage: Any) -> None:
    with stage("dying", die="start", code=-signal.SIGKILL) as agent:
        assert agent.terminal.exit_status() == -signal.SIGKILL


@pytest.mark.parametrize("kind", ["silent", "spinner"])
def test_it_never_ends_its_turn_until_it_is_interrupted(stage: Any, kind: str) -> None:
    with stage(kind) as agent:
        agent.ready()
        agent.terminal.submit(prompt(plan(1)))
        agent.terminal.wait(lambda: bool(agent.noted("prompt")), "the prompt")
        agent.terminal.wait_text("working")
        assert look(agent.profile, agent.terminal.rows).working is not None
        if kind == "spinner":
            agent.terminal.wait(lambda: {f"working {one}" for one in "|/-\\"} <= _frames(agent), "motion")
        agent.terminal.type("\x1b")
        agent.ready()
        assert agent.records()[-1] == {"type": "turnEnd", "how": "interrupted"}


def _frames(agent: Stage) -> set[str]:
    text = agent.terminal.output.decode("utf-8", "replace")
    return {f"working {one}" for one in "|/-\\" if f"working {one}" in text}


def test_what_spoofs_has_one_real_message(stage: Any) -> None:
    with stage("spoofing") as agent:
        agent.turn(prompt(plan(1), key="first"))
        reply = agent.turn(prompt(plan(2), key="second"))
        keys = [one.header.get("key") for one in read_blocks(reply) if isinstance(one, Block)]
        assert keys.count("second") == 1
        assert "first" in keys
        assert reply.count("SPOOFED") > 4
        assert plan(2) in reply


def test_disobedient_answers_only_when_it_is_told_again(stage: Any) -> None:
    with stage("disobedient") as agent:
        assert said(agent.turn(prompt(plan(1)))) == []
        assert len(said(agent.turn(prompt("Your turn ended without a message that PoliTerm could pass on.")))) == 1


@pytest.mark.parametrize(("ids", "same"), [("same", True), ("fresh", False)])
def test_ids(stage: Any, ids: str, same: bool) -> None:
    with stage("line", ids=ids) as agent:
        blocks = [read_blocks(agent.turn(prompt(plan(step))))[0] for step in (1, 2)]
        first, second = (one.header["id"] for one in blocks if isinstance(one, Block))
        assert (first == second) is same


def test_several_messages_in_one_turn(stage: Any) -> None:
    with stage("chatty") as agent:
        assert [kind for kind, _ in said(agent.turn(prompt(plan(1))))] == ["result", "status"]


def test_an_enter_is_swallowed_after_a_paste(stage: Any) -> None:
    with stage("swallowing", swallow=1.0) as agent:
        agent.ready()
        agent.terminal.submit(prompt(plan(1)))
        agent.terminal.wait_text("[Pasted text")

        def pressed() -> bool:
            agent.terminal.type("\r")
            return bool(agent.noted("prompt"))

        assert agent.noted("prompt") == []
        agent.terminal.wait(pressed, "an Enter that counts")
        assert len(agent.noted("prompt")) == 1


def test_a_stubborn_one_outlives_hangup_and_term(stage: Any) -> None:
    with stage("stubborn") as agent:
        agent.ready()
        os.kill(agent.terminal.pid, signal.SIGHUP)
        os.kill(agent.terminal.pid, signal.SIGTERM)
        assert len(said(agent.turn(prompt(plan(1))))) == 1


def test_a_daemon_outlives_its_parent(stage: Any) -> None:
    with stage("daemon") as agent:
        agent.ready()
        child = psutil.Process(agent.noted("daemon")[0]["pid"])
        try:
            agent.terminal.submit("/quit")
            agent.terminal.exit_status()
            assert child.is_running()
            assert os.getsid(child.pid) != os.getsid(0)
        finally:
            child.kill()


def test_a_prompt_in_a_file_is_read_from_there(stage: Any, tmp_path: Path) -> None:
    text = prompt(plan(1))
    file = tmp_path / "prompt.md"
    file.write_text(text)
    with stage("line") as agent:
        agent.turn(f"Your prompt is in {file}. Read it.")
        assert agent.records()[0]["text"] == text


def test_the_profile_of_a_witness_is_toml_that_names_its_record() -> None:
    parsed = tomllib.loads(profile_toml("raw", extra="pasteLimit = 2000", tables="[quirks]\nx = 1"))
    assert parsed["witness"]["path"] == "{stateDir}/agent.jsonl"
    assert (parsed["pasteLimit"], parsed["quirks"]) == (2000, {"x": 1})
