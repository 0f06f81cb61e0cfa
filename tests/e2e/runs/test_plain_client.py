"""A client that knows only LSP, and what a folder may do before anybody trusts it: nothing."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.runs.house import Editor, House, until
from tests.rawlsp import LspError

CREATE = "window/workDoneProgress/create"
ASK = "window/showMessageRequest"


def held(house: House) -> Path:
    path = house.root / "hold"
    path.touch()
    return path


def progress(editor: Editor) -> list[dict[str, Any]]:
    return [told["value"] for told in editor.client.of("$/progress")]


def logged(editor: Editor) -> str:
    return "\n".join(told["message"] for told in editor.client.of("window/logMessage"))


async def started(editor: Editor, **more: Any) -> str:
    """The run, known from the command's answer alone."""
    answer = await editor.command("run.start", task="count the steps", planner="p", executer="e", **more)
    return str(answer["runId"])


# ---- progress, questions, log ----------------------------------------------------------------------------------------


async def test_a_run_is_followed_by_progress_and_log_and_steered_by_its_questions(house: House) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve(claims=False) as editor:
        editor.client.replies[CREATE] = lambda _: None
        run = await started(editor, approvePlans="first")
        asked = await editor.client.wait_request(ASK)
        assert "plan" in asked["params"]["message"].lower()
        titles = [action["title"] for action in asked["params"]["actions"]]
        assert titles[0] == "Approve the plan"
        editor.client.reply(asked["id"], {"title": titles[0]})
        await until(
            lambda: any("round 1" in value.get("message", "") for value in progress(editor)), what="the first round"
        )
        hold.unlink()
        await until(lambda: any(value["kind"] == "end" for value in progress(editor)), what="the end of the progress")
        told = progress(editor)
        assert told[0]["kind"] == "begin"
        assert told[0]["cancellable"] is True
        assert "count the steps" in told[0]["title"]
        assert "completed: " in told[-1]["message"]
        text = logged(editor)
        for line in ("started: count the steps", "PLANNER → EXECUTER, plan: ", "needs you: ", "completed: "):
            assert f"[{run}] {line}" in text
        assert len(editor.client.requests) == 2, "one progress, one question"


async def test_cancelling_the_progress_interrupts(house: House) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve(claims=False) as editor:
        editor.client.replies[CREATE] = lambda _: None
        run = await started(editor)
        await until(lambda: any(e["event"] == "prompt" for e in house.ledger("executer")), what="the executer at work")
        await editor.client.wait_for("$/progress", lambda told: told["value"]["kind"] == "begin")
        token = editor.client.of("$/progress")[0]["token"]
        editor.client.notify("window/workDoneProgress/cancel", {"token": token})
        await until(lambda: any(e["event"] == "interrupted" for e in house.ledger("executer")), what="the interrupt")
        paused = await editor.client.wait_for("politerm/runChanged", lambda view: view["state"] == "paused")
        assert paused["runId"] == run
        hold.unlink()
        await editor.command("run.resume", runId=run)
        assert (await editor.ended(run))["outcome"] == "completed"


# ---- trust -----------------------------------------------------------------------------------------------------------

SETTINGS = 'limits.rounds = 1\nruns.approvePlans = "every"\n'


def bait(house: House) -> list[Path]:
    """A workspace full of what must not be read or run; answers what would appear if it were."""
    work = house.workspace
    marks = [house.root / name for name in ("touched by name", "touched by env")]
    (work / ".politerm.toml").write_text(SETTINGS)
    (work / ".env").write_text(f"EXECUTER_CMD=touch '{marks[1]}'\nPLANNER_CMD=touch '{marks[1]}'\n")
    with contextlib.suppress(OSError):
        (work / f"#(touch '{marks[0].name}')").mkdir()
    (work / "agents").mkdir()
    (work / "agents" / "p.toml").write_text(f'command = ["touch", {json.dumps(str(marks[1]))}]\n')
    (work / "planner.md").write_text("You are a bait.\n")
    (work / "conftest.py").write_text(f"open({str(marks[1])!r}, 'w')\n")
    return marks


STARTERS = {"run.start": {"task": "x", "planner": "p", "executer": "e"}, "agent.check": {"agent": "p"}}


async def untrusted(editor: Editor) -> None:
    for name, arguments in STARTERS.items():
        with pytest.raises(LspError) as refused:
            await editor.command(name, **arguments)
        assert (refused.value.code, refused.value.data["code"]) == (-32803, "untrusted"), name


async def test_an_untrusted_folder_starts_nothing_and_is_not_read(house: House) -> None:
    house.agents("raw")
    marks = bait(house)
    before = sorted(house.workspace.rglob("*"))
    async with house.serve(trusted=False) as editor:
        await untrusted(editor)
        assert (await editor.command("run.list"))["runs"] == []
        assert (await editor.command("attention.list"))["items"] == []
        report = await editor.command("doctor")
        assert report["trusted"] is None
        assert house.agents_of("") == []
    assert sorted(house.workspace.rglob("*")) == before
    assert not any(mark.exists() for mark in marks)


async def test_the_settings_of_a_folder_are_read_only_when_it_is_trusted(house: House) -> None:
    """A file that is no TOML is complained of by whoever reads it."""
    (house.workspace / ".politerm.toml").write_text("this is no TOML\n")
    read = {}
    for trusted in (False, None, True):
        async with house.serve(trusted=trusted) as editor:
            await editor.command("run.list")
            assert editor.client.process is not None
            await editor.client.leave()
            editor.killed = True
            assert editor.client.stderr is not None
            said = (await editor.client.stderr.read()).decode()
        read[trusted] = ".politerm.toml" in said
    assert read == {False: False, None: False, True: True}


async def test_a_client_that_says_nothing_is_asked_once_and_the_answer_is_kept(house: House) -> None:
    house.agents("raw", rounds=1)
    bait(house)
    async with house.serve(trusted=None) as editor:
        told = await editor.client.wait_for("politerm/attentionChanged", lambda told: told["items"])
        (item,) = told["items"]
        assert (item["kind"], [choice["id"] for choice in item["choices"]]) == ("trust", ["trust", "no"])
        await untrusted(editor)
        assert (await editor.command("attention.list"))["items"] == [item]
        answered = await editor.command("attention.answer", attentionId=item["attentionId"], choice="trust")
        assert answered["answered"]["choice"] == "trust"
        assert (await editor.command("attention.list"))["items"] == []
        run = await editor.start()
        assert (await editor.ended(run))["outcome"] == "completed"
    stored = json.loads((house.config / "trust.json").read_text())
    assert stored["folders"] == {str(house.workspace): True}
    assert (house.config / "trust.json").stat().st_mode & 0o777 == 0o600
    async with house.serve(trusted=None) as later:
        run = await later.start()
        item = (await later.client.wait_for("politerm/attentionChanged", lambda told: told["items"]))["items"][0]
        assert item["kind"] == "plan", "the workspace's own taste counts, now that it is trusted from the start"
        await later.command("attention.answer", attentionId=item["attentionId"], choice="stop")
        await later.ended(run)


async def test_a_no_is_kept_too(house: House) -> None:
    house.agents("raw")
    async with house.serve(trusted=None, claims=False) as editor:
        asked = await editor.client.wait_request(ASK)
        editor.client.reply(asked["id"], {"title": "Do not trust"})
        await until(lambda: (house.config / "trust.json").exists(), what="the stored answer")
        await untrusted(editor)
    async with house.serve(trusted=None, claims=False) as later:
        await untrusted(later)
        assert later.client.requests == []


async def test_trust_that_comes_later_lets_runs_go_on(house: House) -> None:
    """A run that an earlier server left is not taken up before the folder is trusted."""
    hold = held(house)
    house.agents("raw", e_hold=hold, rounds=1)
    async with house.serve() as first:
        run = await first.start()
        await first.event(run, "promptDelivered", lambda event: event["to"] == "EXECUTER")
        first.kill()
    hold.unlink()
    await until(lambda: any(e["event"] == "reply" for e in house.ledger("executer")), what="a reply to nobody")
    async with house.serve(trusted=False) as second:
        view = await second.command("run.get", runId=run)
        assert view["state"] == "running"
        with pytest.raises(LspError) as early:
            await second.command("run.pause", runId=run)
        assert early.value.data["code"] == "wrongState"
        assert sum(e["event"] == "prompt" for e in house.ledger("planner")) == 1
        second.client.notify("politerm/trustChanged", {"trusted": True})
        assert (await second.ended(run))["outcome"] == "completed"
