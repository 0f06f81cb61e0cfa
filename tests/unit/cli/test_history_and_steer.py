"""Looking back and steering: which run is meant, what is asked for, what is printed."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from politerm.core.events import Envelope
from tests.unit.cli.fake import GOOD, PLAN, STARTED, FakeWorkspace, attention, keyboard, message, run

IDS = ("run-aaaa", "run-aabb", "run-cccc")


@pytest.fixture
def workspace() -> FakeWorkspace:
    """Three runs, the last one under way and the newest."""
    workspace = FakeWorkspace()
    for run_id, events in zip(IDS, (GOOD, GOOD, GOOD[:3]), strict=True):
        for event in events:
            workspace.add(run_id, event)
    return workspace


@pytest.mark.parametrize(
    ("named", "meant"),
    [("last", "run-cccc"), ("run-c", "run-cccc"), ("run-aaaa", "run-aaaa"), ("run-aab", "run-aabb")],
)
def test_a_run_is_named_by_id_beginning_or_last(
    workspace: FakeWorkspace, tmp_path: Path, named: str, meant: str
) -> None:
    ran = run(workspace, "show", named, "--json", folder=tmp_path)
    assert ran.code == 0
    assert {json.loads(line)["runId"] for line in ran.out.splitlines()} == {meant}


@pytest.mark.parametrize("named", ["run-a", "nothing", ""])
def test_a_name_that_means_no_single_run_is_2_with_a_way_on(
    workspace: FakeWorkspace, tmp_path: Path, named: str
) -> None:
    ran = run(workspace, "show", named, folder=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "Say more" in ran.err or "politerm runs" in ran.err


def test_last_in_an_empty_workspace_says_how_to_begin(tmp_path: Path) -> None:
    ran = run(FakeWorkspace(), "show", "last", folder=tmp_path)
    assert ran.code == 2
    assert 'politerm run "TASK"' in ran.err


def test_runs_lists_the_newest_first(workspace: FakeWorkspace, tmp_path: Path) -> None:
    ran = run(workspace, "runs", folder=tmp_path)
    rows = [line.split()[:2] for line in ran.out.splitlines()[1:]]
    assert [row[0] for row in rows] == list(reversed(IDS))
    assert [row[1] for row in rows] == ["running", "completed", "completed"]
    told = run(workspace, "runs", "--state", "ended", "--limit", "1", "--json", folder=tmp_path)
    assert [json.loads(line)["runId"] for line in told.out.splitlines()] == ["run-aabb"]


def test_show_has_the_whole_conversation_untrimmed(workspace: FakeWorkspace, tmp_path: Path) -> None:
    long = "\n".join(f"step {number}" for number in range(60))
    workspace.add("run-cccc", message("PLANNER", "EXECUTER", "continue", long))
    ran = run(workspace, "show", folder=tmp_path)
    assert ran.code == 0
    assert "| step 59" in ran.out
    assert "1. Write `a.py`" in ran.out
    fancy = run(workspace, "show", folder=tmp_path, terminal=True)
    assert "step 59" in fancy.out


def test_watch_shows_an_ended_run_from_its_beginning(workspace: FakeWorkspace, tmp_path: Path) -> None:
    ran = run(workspace, "watch", "run-aaaa", "--json", folder=tmp_path)
    assert ran.code == 0
    envelopes = [Envelope.model_validate_json(line) for line in ran.out.splitlines()]
    assert [envelope.seq for envelope in envelopes] == [1, 2, 3, 4, 5]


def test_watch_of_a_run_that_cannot_go_on_without_trust_says_so(workspace: FakeWorkspace, tmp_path: Path) -> None:
    workspace.trusted = False
    ran = run(workspace, "watch", "run-cccc", folder=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "--trust" in ran.err
    assert run(workspace, "watch", "run-aaaa", folder=tmp_path).code == 0, "an ended run may be looked at"
    with keyboard("n") as (stdin, _):
        assert run(workspace, "watch", "last", folder=tmp_path, stdin=stdin, terminal=True).code == 2


def test_watch_does_not_ask_again_what_was_answered_before(workspace: FakeWorkspace, tmp_path: Path) -> None:
    answered = {"type": "attentionAnswered", "attentionId": "att-1", "choice": "allow"}
    for event in (attention(), answered, GOOD[-1]):
        workspace.add("run-cccc", event)
    with keyboard() as (stdin, _):
        ran = run(workspace, "watch", "last", folder=tmp_path, stdin=stdin, terminal=True)
    assert ran.code == 0
    assert "needs you · " not in ran.out


def test_replay_keeps_the_order_and_json(workspace: FakeWorkspace, tmp_path: Path) -> None:
    ran = run(workspace, "replay", "run-aaaa", "--speed", "0", "--json", folder=tmp_path)
    assert [json.loads(line)["seq"] for line in ran.out.splitlines()] == [1, 2, 3, 4, 5]
    fancy = run(workspace, "replay", "run-aaaa", "--speed", "1000", folder=tmp_path, terminal=True)
    assert fancy.code == 0
    assert "It is written." in fancy.out


def test_replay_keeps_the_pace_that_was_asked_for(
    workspace: FakeWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.extend([seconds] if seconds else [])
        await real(0)

    monkeypatch.setattr("politerm.cli.history.asyncio.sleep", sleep)
    run(workspace, "replay", "run-aaaa", "--speed", "4", folder=tmp_path)
    assert slept == [0.25] * 4  # the fake's events are a second apart


def test_search_prints_hits_and_is_1_without_any(workspace: FakeWorkspace, tmp_path: Path) -> None:
    hit = {"runId": "run-aaaa", "seq": 3, "excerpt": "Write\n `a.py`"}
    workspace.answers["politerm.search"] = {"hits": [hit]}
    assert "run-aaaa     3  Write `a.py`" in run(workspace, "search", "a.py", folder=tmp_path).out
    assert json.loads(run(workspace, "search", "a.py", "--json", folder=tmp_path).out) == hit
    workspace.answers["politerm.search"] = {"hits": []}
    assert run(workspace, "search", "nothing", folder=tmp_path).code == 1
    assert run(workspace, "search", "  ", folder=tmp_path).code == 2


def test_export_writes_what_the_engine_gives(workspace: FakeWorkspace, tmp_path: Path) -> None:
    workspace.answers["politerm.run.export"] = {"text": "# A run\n"}
    assert run(workspace, "export", "run-aaaa", folder=tmp_path).out == "# A run\n"
    target = tmp_path / "out.md"
    assert run(workspace, "export", "run-aaaa", "-o", str(target), folder=tmp_path).out == ""
    assert target.read_text() == "# A run\n"
    run(workspace, "export", "run-aaaa", "--format", "cast", folder=tmp_path)
    run(workspace, "export", "run-aaaa", "--json", folder=tmp_path)
    assert [a["format"] for a in workspace.called("politerm.run.export")] == ["md", "md", "cast", "jsonl"]
    workspace.answers["politerm.run.export"] = {"text": ""}
    assert run(workspace, "export", "run-aaaa", "--format", "cast", folder=tmp_path).code == 2


def with_answers(workspace: FakeWorkspace) -> FakeWorkspace:
    for name in ("pause", "resume", "retry", "interrupt", "delete"):
        workspace.answers[f"politerm.run.{name}"] = workspace.view("run-cccc")
    workspace.answers["politerm.message.send"] = {"promptId": "p-1"}
    return workspace


@pytest.mark.parametrize(
    ("words", "command", "argument"),
    [
        (["pause"], "run.pause", {"runId": "run-cccc"}),
        (["pause", "last", "--reason", "lunch"], "run.pause", {"runId": "run-cccc", "reason": "lunch"}),
        (["resume", "run-c"], "run.resume", {"runId": "run-cccc"}),
        (["retry"], "run.retry", {"runId": "run-cccc"}),
        (["interrupt", "last", "planner"], "run.interrupt", {"runId": "run-cccc", "role": "PLANNER"}),
        (["stop", "last"], "run.stop", {"runId": "run-cccc"}),
        (["delete", "last", "--yes"], "run.delete", {"runId": "run-cccc"}),
        (
            ["send", "last", "executer", "faster"],
            "message.send",
            {"runId": "run-cccc", "to": "EXECUTER", "text": "faster", "when": "now"},
        ),
        (
            ["send", "last", "PLANNER", "later", "--queue"],
            "message.send",
            {"runId": "run-cccc", "to": "PLANNER", "text": "later", "when": "next"},
        ),
    ],
)
def test_steering_asks_the_engine_for_just_that(
    workspace: FakeWorkspace, tmp_path: Path, words: list[str], command: str, argument: dict[str, Any]
) -> None:
    ran = run(with_answers(workspace), *words, folder=tmp_path)
    assert ran.code == 0
    assert workspace.called(f"politerm.{command}") == [argument]
    assert ran.out.count("\n") == 1
    told = run(with_answers(workspace), *words, "--json", folder=tmp_path)
    assert isinstance(json.loads(told.out), dict)


def test_stop_all_ends_the_waiting_runs_before_those_under_way(workspace: FakeWorkspace, tmp_path: Path) -> None:
    workspace.add("run-dddd", STARTED)
    views = [workspace.view("run-cccc"), workspace.view("run-dddd") | {"state": "queued"}]
    workspace.answers["politerm.run.list"] = {"runs": views}
    assert run(workspace, "stop", "--all", folder=tmp_path).code == 0
    assert [a["runId"] for a in workspace.called("politerm.run.stop")] == ["run-dddd", "run-cccc"]


@pytest.mark.parametrize("words", [["stop"], ["stop", "last", "--all"], ["send", "last", "cook", "x"], ["interrupt"]])
def test_half_a_wish_is_2(workspace: FakeWorkspace, tmp_path: Path, words: list[str]) -> None:
    assert run(workspace, *words, folder=tmp_path).code == 2
    assert not [name for name, _ in workspace.calls if "list" not in name]


def test_delete_asks_first(workspace: FakeWorkspace, tmp_path: Path) -> None:
    assert run(with_answers(workspace), "delete", "last", folder=tmp_path).code == 2
    with keyboard("no") as (stdin, _):
        assert run(workspace, "delete", "last", folder=tmp_path, stdin=stdin, terminal=True).code == 1
    assert workspace.called("politerm.run.delete") == []
    with keyboard("yes") as (stdin, _):
        assert run(workspace, "delete", "last", folder=tmp_path, stdin=stdin, terminal=True).code == 0
    assert len(workspace.called("politerm.run.delete")) == 1


def waiting(workspace: FakeWorkspace) -> FakeWorkspace:
    items = [attention(number) | {"raisedAt": f"2026-01-01T00:00:0{number}Z", "runId": "run-cccc"} for number in (1, 2)]
    workspace.answers["politerm.attention.list"] = {"items": items}
    return workspace


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["att-1", "allow"], {"attentionId": "att-1", "choice": "allow"}),
        (["last", "2"], {"attentionId": "att-2", "choice": "deny"}),
        (["att-1", "Allow it", "--text", "once"], {"attentionId": "att-1", "choice": "allow", "text": "once"}),
        (["att-2", "--text", "my words"], {"attentionId": "att-2", "text": "my words"}),
        (["att-2", "unheard"], {"attentionId": "att-2", "choice": "unheard"}),
    ],
)
def test_answer_takes_ids_numbers_and_labels(
    workspace: FakeWorkspace, tmp_path: Path, words: list[str], said: dict[str, str]
) -> None:
    assert run(waiting(workspace), "answer", *words, folder=tmp_path).code == 0
    assert workspace.called("politerm.attention.answer") == [said]


def test_answer_without_words_lists_what_waits_and_half_an_answer_is_2(
    workspace: FakeWorkspace, tmp_path: Path
) -> None:
    ran = run(waiting(workspace), "answer", folder=tmp_path)
    assert ran.code == 0
    assert "att-1  run-cccc EXECUTER: May I run `make`?" in ran.out
    assert "allow | deny" in ran.out
    for words in (["att-1"], ["att", "allow"], ["nothing", "allow"]):
        assert run(workspace, "answer", *words, folder=tmp_path).code == 2
    assert workspace.called("politerm.attention.answer") == []


def test_attach_runs_the_command_it_is_given_and_leaves_the_workspace_open(
    workspace: FakeWorkspace, tmp_path: Path
) -> None:
    mark = tmp_path / "sat"
    command = [
        sys.executable,
        "-c",
        f"import pathlib, os; pathlib.Path({str(mark)!r}).write_text(str('TMUX' in os.environ))",
    ]
    workspace.answers["politerm.pane.attach"] = {"command": command}
    assert run(workspace, "attach", folder=tmp_path, env={"TMUX": "outer"}).code == 0
    assert mark.read_text() == "False", "tmux refuses to run inside another one that it knows of"
    asked = {"runId": "run-cccc", "role": "EXECUTER", "readOnly": False}
    assert workspace.called("politerm.pane.attach") == [asked]
    told = run(workspace, "attach", "last", "planner", "--read-only", "--json", folder=tmp_path)
    assert json.loads(told.out) == {"command": command}
    assert workspace.called("politerm.pane.attach")[-1] == asked | {"role": "PLANNER", "readOnly": True}
    workspace.answers["politerm.pane.attach"] = {"command": [sys.executable, "-c", "raise SystemExit(3)"]}
    assert run(workspace, "attach", folder=tmp_path).code == 1


def test_attach_to_a_run_without_panes_is_2(workspace: FakeWorkspace, tmp_path: Path) -> None:
    view = workspace.view("run-cccc")
    for role in view["roles"].values():
        del role["pane"]
    workspace.answers["politerm.run.list"] = {"runs": [view]}
    assert run(workspace, "attach", folder=tmp_path).code == 2


def test_plain_output_never_has_an_escape(workspace: FakeWorkspace, tmp_path: Path) -> None:
    workspace.add("run-cccc", message("EXECUTER", "PLANNER", "status", "\x1b[31mred\x1b[0m"))
    waiting(workspace)
    for words in (["runs"], ["show"], ["watch", "run-aaaa"], ["replay", "--speed", "0"], ["answer"]):
        assert "\x1b" not in run(workspace, *words, folder=tmp_path).out


def test_the_plan_is_found_again_in_what_show_prints_to_a_terminal(workspace: FakeWorkspace, tmp_path: Path) -> None:
    ran = run(workspace, "show", "run-aaaa", folder=tmp_path, terminal=True)
    assert "plan" in ran.out
    assert "<PLAN>" not in ran.out
    assert PLAN["from"] in ran.out
