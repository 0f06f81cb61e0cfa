"""`politerm run`: what it asks of the engine, what a person and a program see, and how it ends."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from politerm.core.events import Envelope
from politerm.errors import HolderGone
from tests.unit.cli.fake import (
    COMPLETED,
    GOOD,
    PLAN,
    STARTED,
    FakeWorkspace,
    attention,
    keyboard,
    message,
    run,
)

ESCAPE = "\x1b"


def test_a_run_is_shown_in_plain_lines_and_ends_with_its_summary(tmp_path: Path) -> None:
    def work() -> None:
        (tmp_path / "a.py").write_text("one\ntwo\n")

    workspace = FakeWorkspace([*GOOD[:3], work, *GOOD[3:]])
    ran = run(workspace, "run", "Write it", folder=tmp_path)
    assert ran.code == 0
    assert ran.err == ""
    assert ESCAPE not in ran.out
    for text in (
        "PLANNER → EXECUTER plan",
        "| 1. Write `a.py`",
        "completed (1 round, 4.0s",
        "A a.py +2",
        "All of it is done",
    ):
        assert text in ran.out
    assert "<PLAN>" not in ran.out
    assert f"show {next(iter(workspace.stored))}" in ran.out


def test_what_is_said_on_the_command_line_reaches_the_engine_and_nothing_else(tmp_path: Path) -> None:
    workspace = FakeWorkspace(agents=("x", "y", "p"))
    options = ["--planner", "x", "--executer", "y", "--id", "my-run-01", "--worktree"]
    options += ["--max-rounds", "3", "--timeout", "0", "--max-usd", "1.5"]
    run(workspace, "run", "Do", *options, "--gate", "make test", "--approve-plans=every", folder=tmp_path)
    run(workspace, "run", "Do", "--approve-plans", folder=tmp_path)
    full, bare = workspace.called("politerm.run.start")
    assert full == {
        "task": "Do",
        "mode": "dual",
        "cwd": str(tmp_path),
        "planner": "x",
        "executer": "y",
        "runId": "my-run-01",
        "limits": {"rounds": 3, "minutes": 0.0, "usd": 1.5},
        "gate": {"commands": ["make test"]},
        "approvePlans": "every",
        "isolate": "worktree",
    }
    assert bare.pop("runId")
    assert bare == {"task": "Do", "mode": "dual", "cwd": str(tmp_path), "approvePlans": "first"}


def test_the_task_may_come_from_a_file_or_standard_input(tmp_path: Path) -> None:
    (tmp_path / "task.md").write_text("From a file\n")
    workspace = FakeWorkspace()
    assert run(workspace, "run", "--task-file", str(tmp_path / "task.md"), folder=tmp_path).code == 0
    assert run(workspace, "run", "-", folder=tmp_path, stdin=io.StringIO("From a pipe\n")).code == 0
    assert [a["task"] for a in workspace.called("politerm.run.start")] == ["From a file\n", "From a pipe\n"]


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        ([], ""),
        ([""], ""),
        (["  "], ""),
        (["-"], ""),
        (["x", "--mode", "chess"], ""),
        (["x", "--max-rounds", "-1"], ""),
        (["x", "--no-such-option"], ""),
        (["x", "--task-file", "/nowhere"], ""),
    ],
)
def test_wrong_usage_is_2_with_a_sentence_and_starts_nothing(tmp_path: Path, arguments: list[str], stdin: str) -> None:
    workspace = FakeWorkspace()
    ran = run(workspace, "run", *arguments, folder=tmp_path, stdin=io.StringIO(stdin))
    assert ran.code == 2
    assert ran.out == ""
    assert workspace.calls == []


def test_a_folder_that_is_not_there_is_2(tmp_path: Path) -> None:
    ran = run(FakeWorkspace(), "run", "x", "--workspace", str(tmp_path / "no"), folder=tmp_path)
    assert (ran.code, ran.out) == (2, "")


def test_the_workspace_is_the_project_dir_of_the_older_system_where_none_is_named(tmp_path: Path) -> None:
    workspace = FakeWorkspace()
    from politerm.cli import call
    from politerm.cli.world import World

    env = {"HOME": str(tmp_path), "PROJECT_DIR": str(tmp_path)}
    world = World(env=env, open_workspace=workspace.open, stdout=io.StringIO(), stderr=io.StringIO())
    assert call(["run", "x"], world) == 0
    assert workspace.folder == tmp_path


@pytest.mark.parametrize("outcome", ["failed", "stopped", "limit"])
def test_a_run_that_does_not_complete_is_1_and_says_why(tmp_path: Path, outcome: str) -> None:
    end = {"type": "runEnded", "outcome": outcome, "reason": "20 rounds are over"}
    ran = run(FakeWorkspace([STARTED, end]), "run", "x", folder=tmp_path)
    assert ran.code == 1
    assert f"{outcome}: 20 rounds are over" in ran.out


def test_json_is_one_envelope_a_line_and_nothing_else(tmp_path: Path) -> None:
    hostile = message("EXECUTER", "PLANNER", "result", f"{ESCAPE}]0;owned\x07 \x9b2J\nline")
    (tmp_path / ".config/politerm").mkdir(parents=True)
    (tmp_path / ".config/politerm/config.toml").write_text("nonsense = 1")
    ran = run(FakeWorkspace([STARTED, hostile, COMPLETED]), "run", "x", "--json", folder=tmp_path)
    assert ran.code == 0
    envelopes = [Envelope.model_validate(json.loads(line)) for line in ran.out.splitlines()]
    assert [envelope.seq for envelope in envelopes] == [1, 2, 3]
    assert ran.out.isascii()
    assert ESCAPE not in ran.out


def test_what_an_agent_writes_never_steers_the_terminal(tmp_path: Path) -> None:
    hostile = f"{ESCAPE}]0;owned\x07{ESCAPE}[2J{ESCAPE}[8mhidden\x9b31m \u202etxt.exe [bold]not markup[/bold]"
    script = [
        STARTED,
        message("EXECUTER", "PLANNER", "result", hostile),
        {"type": "messageRefused", "from": "EXECUTER", "reason": hostile, "excerpt": hostile},
        {"type": "runEnded", "outcome": "failed", "reason": hostile, "summary": hostile},
    ]
    plain = run(FakeWorkspace(script), "run", "x", folder=tmp_path).out
    fancy = run(FakeWorkspace(script), "run", "x", folder=tmp_path, terminal=True).out
    assert ESCAPE not in plain
    for out in (plain, fancy):
        assert not re.search("\x1b\\]|\x1b\\[2J|\x1b\\[8m|\x07|\x9b|\u202e", out)
        assert "[bold]not markup[/bold]" in out


def test_a_missing_agent_is_2_with_the_agents_that_are_there(tmp_path: Path) -> None:
    ran = run(FakeWorkspace(), "run", "x", "--planner", "nobody", folder=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "nobody" in ran.err
    assert "scripted-planner" in ran.err


def test_an_untrusted_folder_without_a_terminal_is_2_unless_trust_is_said(tmp_path: Path) -> None:
    workspace = FakeWorkspace(trusted=False)
    ran = run(workspace, "run", "x", folder=tmp_path)
    assert (ran.code, workspace.stored) == (2, {})
    assert "--trust" in ran.err
    assert run(workspace, "run", "x", "--trust", folder=tmp_path).code == 0
    kept = json.loads((tmp_path / ".config/politerm/trust.json").read_text())
    assert kept["folders"] == {str(tmp_path): True}, "who takes the run over later need not ask"


def asks_for_trust() -> FakeWorkspace:
    workspace = FakeWorkspace(trusted=False)
    item = {"attentionId": "trust-1", "kind": "trust", "title": "Trust?", "choices": [{"id": "trust", "label": "Yes"}]}
    workspace.answers["politerm.attention.list"] = {"items": [item]}

    async def answered(argument: Any) -> Any:
        workspace.trusted = argument == {"attentionId": "trust-1", "choice": "trust"}

    workspace.answers["politerm.attention.answer"] = answered
    return workspace


def test_a_terminal_asks_for_trust_once_and_takes_only_a_yes(tmp_path: Path) -> None:
    workspace = asks_for_trust()
    with keyboard("y") as (stdin, _):
        ran = run(workspace, "run", "x", folder=tmp_path, stdin=stdin, terminal=True)
    assert ran.code == 0
    assert str(tmp_path) in ran.err
    for refusal in ("", "n", "maybe"):
        workspace = asks_for_trust()
        with keyboard(refusal) as (stdin, _):
            ran = run(workspace, "run", "x", folder=tmp_path, stdin=stdin, terminal=True)
        assert (ran.code, workspace.stored, workspace.called("politerm.attention.answer")) == (2, {}, [])


def press(*, times: int = 1) -> Awaitable[None]:
    """Ctrl-C, then wait for what it does."""

    async def pressing() -> None:
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)
        await asyncio.Event().wait()

    return pressing()


def test_ctrl_c_stops_the_run_waits_for_its_end_and_is_130(tmp_path: Path) -> None:
    workspace = FakeWorkspace([STARTED, press])
    ran = run(workspace, "run", "x", folder=tmp_path)
    assert ran.code == 130
    assert len(workspace.called("politerm.run.stop")) == 1
    assert "stopped: Ctrl-C" in ran.out
    assert workspace.clients == [], "the client is closed"


def test_a_second_ctrl_c_leaves_at_once_and_says_that_the_run_goes_on(tmp_path: Path) -> None:
    async def never(argument: Any) -> Any:
        await asyncio.Event().wait()

    workspace = FakeWorkspace([STARTED, lambda: press(times=2)])
    workspace.answers["politerm.run.stop"] = never
    ran = run(workspace, "run", "x", folder=tmp_path)
    assert ran.code == 130
    assert "politerm stop last" in ran.err


def test_what_waits_is_asked_in_the_terminal_and_answered_there(tmp_path: Path) -> None:
    workspace = FakeWorkspace([STARTED, attention(), PLAN, COMPLETED])
    with keyboard("", "perhaps", "1") as (stdin, _):
        ran = run(workspace, "run", "x", folder=tmp_path, stdin=stdin, terminal=True)
    assert ran.code == 0
    assert workspace.called("politerm.attention.answer") == [{"attentionId": "att-1", "choice": "allow"}]
    assert "May I run `make`?" in ran.out
    assert "Refuse" in ran.out
    assert "PLANNER" in ran.out, "what came after the answer is shown"


def test_two_questions_come_one_after_the_other(tmp_path: Path) -> None:
    words = attention(2, kind="question", title="Which one?", choices=[], freeText=True)
    workspace = FakeWorkspace([STARTED, attention(1), words, COMPLETED])
    with keyboard("deny", "the blue one") as (stdin, _):
        assert run(workspace, "run", "x", folder=tmp_path, stdin=stdin, terminal=True).code == 0
    assert workspace.called("politerm.attention.answer") == [
        {"attentionId": "att-1", "choice": "deny"},
        {"attentionId": "att-2", "text": "the blue one"},
    ]


def test_a_question_that_is_answered_elsewhere_is_taken_away(tmp_path: Path) -> None:
    workspace = FakeWorkspace()

    async def elsewhere() -> None:
        workspace.settle(next(iter(workspace.stored)), "att-1", choice="allow", by="pane")

    def later() -> None:
        asyncio.get_running_loop().call_later(0.1, lambda: asyncio.ensure_future(elsewhere()))

    workspace.script = [STARTED, later, attention(), PLAN, COMPLETED]
    with keyboard() as (stdin, _):
        ran = run(workspace, "run", "x", folder=tmp_path, stdin=stdin, terminal=True)
    assert ran.code == 0
    assert workspace.called("politerm.attention.answer") == []
    assert "answered by the pane: allow" in ran.out


def test_where_nobody_can_be_asked_the_command_that_answers_is_printed(tmp_path: Path) -> None:
    workspace = FakeWorkspace()

    def later() -> None:
        asyncio.get_running_loop().call_later(
            0.1, lambda: workspace.settle(next(iter(workspace.stored)), "att-1", choice="deny")
        )

    workspace.script = [STARTED, later, attention(freeText=True), COMPLETED]
    ran = run(workspace, "run", "x", folder=tmp_path)
    assert "politerm answer att-1 allow | deny --text '...'" in ran.out


def test_a_run_outlives_the_process_that_held_it(tmp_path: Path) -> None:
    workspace = FakeWorkspace()

    def die() -> None:
        for client in workspace.clients:
            client.closed.set_result(None)

    workspace.script = [*GOOD[:3], die, *GOOD[3:]]
    ran = run(workspace, "run", "x", "--json", folder=tmp_path)
    assert ran.code == 0
    assert [json.loads(line)["seq"] for line in ran.out.splitlines()] == [1, 2, 3, 4, 5]
    assert workspace.opened == 2


def test_a_start_whose_fate_is_unknown_is_asked_for_again_under_the_same_id(tmp_path: Path) -> None:
    workspace = FakeWorkspace()

    async def dies_once(argument: Any) -> Any:
        del workspace.answers["politerm.run.start"]
        raise HolderGone("It ended meanwhile.")

    workspace.answers["politerm.run.start"] = dies_once
    assert run(workspace, "run", "x", folder=tmp_path).code == 0
    first, second = workspace.called("politerm.run.start")
    assert first == second
    assert len(first["runId"]) >= 8


def test_what_may_have_happened_is_not_done_twice(tmp_path: Path) -> None:
    workspace = FakeWorkspace(answers={"politerm.message.send": HolderGone("It ended meanwhile.")})
    workspace.add("run-0001", STARTED)
    ran = run(workspace, "send", "last", "planner", "hello", folder=tmp_path)
    assert ran.code == 1
    assert len(workspace.called("politerm.message.send")) == 1
    assert "It ended meanwhile." in ran.err


def test_settings_that_are_not_taken_are_said_on_standard_error(tmp_path: Path) -> None:
    ran = run(FakeWorkspace(), "run", "x", folder=tmp_path, env={"POLI_MAX_ROUNDS": "many"})
    assert ran.code == 0
    assert "POLI_MAX_ROUNDS is not taken" in ran.err
