"""Several processes on one workspace: one holds it, all are fully usable, and when the holder dies another goes on.
And several workspaces, which never meet."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from politerm.workspace.trust import TrustStore
from tests.e2e.runs.house import Editor, House, until

TAKE_OVER = 5.0
"""Seconds. The promise is one; a loaded machine gets five."""


def held(house: House) -> Path:
    path = house.root / "hold"
    path.touch()
    return path


async def working(editor: Editor, run: str) -> None:
    await editor.event(run, "promptDelivered", lambda event: event["to"] == "EXECUTER")
    house = editor.house
    await until(lambda: any(e["event"] == "prompt" for e in house.ledger("executer")), what="the executer at work")


async def holds(editor: Editor, holder: bool) -> None:
    await editor.client.wait_for("politerm/serverStatus", lambda status: status["holder"] is holder)


def seqs(editor: Editor, run: str) -> list[int]:
    return [envelope["seq"] for envelope in editor.events(run)]


def gapless(editor: Editor, run: str) -> bool:
    numbers = seqs(editor, run)
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def verb(house: House, *arguments: str) -> tuple[int, str, str]:
    """A command-line verb in this house: exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "politerm", *arguments),
        cwd=house.workspace,
        env={**os.environ, **house.env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_second_server_is_fully_usable(house: House) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve() as first, house.serve() as second:
        await holds(first, True)
        await holds(second, False)
        run = await second.start(approvePlans="first")
        told = await second.client.wait_for("politerm/attentionChanged", lambda told: told["items"])
        plan = told["items"][0]
        await second.command("attention.answer", attentionId=plan["attentionId"], choice="approve")
        await working(second, run)

        opened = await second.command("pane.open", runId=run, role="EXECUTER")
        assert "working" in opened["snapshot"]
        assert (await first.command("attention.list"))["items"] == []
        sent = await second.command("message.send", runId=run, to="PLANNER", text="Be brief.", when="next")
        hold.unlink()
        for editor in (first, second):
            assert (await editor.ended(run))["outcome"] == "completed"
            assert gapless(editor, run)
            assert seqs(editor, run)[0] == 1
        assert seqs(first, run) == seqs(second, run)
        frames = second.client.of("politerm/paneOutput")
        assert [frame["seq"] for frame in frames] == list(range(opened["seq"] + 1, opened["seq"] + 1 + len(frames)))
        assert "Done with step 1." in "".join(frame["data"] for frame in frames)
        assert first.client.of("politerm/paneOutput") == []
        heard = [each for each in house.ledger("planner") if "Be brief." in each.get("text", "")]
        assert [each["end"] for each in heard if each["event"] == "prompt"] == [sent["promptId"]]


async def test_the_second_server_goes_on_when_the_holder_is_killed(house: House) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve() as first:
        run = await first.start()
        await working(first, run)
        async with house.serve() as second:
            await holds(second, False)
            await second.command("run.get", runId=run)
            killed = time.monotonic()
            first.kill()
            hold.unlink()
            view = await second.command("run.get", runId=run)
            assert view["state"] == "running"
            assert time.monotonic() - killed < TAKE_OVER
            await holds(second, True)
            assert (await second.ended(run))["outcome"] == "completed"
            assert gapless(second, run)
            assert seqs(second, run)[-1] == (await second.command("run.get", runId=run))["lastSeq"]
            assert not any(e["type"] == "agentStarting" and e["incarnation"] > 1 for e in await second.told(run))
            assert sum(each["event"] == "prompt" for each in house.ledger("executer")) == 2


async def test_an_editor_that_saw_everything_sees_the_rest_once(house: House) -> None:
    """The run was started through the second server, so its editor has seen every event when the holder dies."""
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve() as first, house.serve() as second, house.serve() as third:
        await holds(first, True)
        await holds(third, False)
        run = await second.start()
        await working(second, run)
        opened = await second.command("pane.open", runId=run, role="EXECUTER")
        first.kill()
        # What was printed meanwhile comes as a whole screen.
        await second.client.wait_for("politerm/paneOutput", lambda frame: frame.get("reset"))
        hold.unlink()
        for editor in (second, third):
            assert (await editor.ended(run))["outcome"] == "completed"
        assert seqs(second, run) == list(range(1, seqs(second, run)[-1] + 1))
        assert gapless(third, run)
        frames = second.client.of("politerm/paneOutput")
        assert [frame["seq"] for frame in frames] == list(range(opened["seq"] + 1, opened["seq"] + 1 + len(frames)))
        statuses = [editor.client.of("politerm/serverStatus")[-1]["holder"] for editor in (second, third)]
        assert sorted(statuses) == [False, True]


async def test_a_holder_that_leaves_hands_over(house: House) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve() as first, house.serve() as second:
        await holds(first, True)
        run = await second.start()
        await working(second, run)
        await first.client.leave()
        first.killed = True
        hold.unlink()
        assert (await second.ended(run))["outcome"] == "completed"
        assert seqs(second, run) == list(range(1, seqs(second, run)[-1] + 1))


async def test_verbs_are_clients_of_the_holder(house: House) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve() as editor:
        run = await editor.start(approvePlans="first")
        await editor.event(run, "attentionRaised")
        code, out, err = await verb(house, "answer", "last", "approve")
        assert code == 0, err
        await working(editor, run)
        code, out, err = await verb(house, "send", "last", "planner", "from a terminal", "--queue")
        assert code == 0, err
        code, out, _ = await verb(house, "runs", "--json")
        assert [json.loads(line)["runId"] for line in out.splitlines()] == [run]
        code, _, _ = await verb(house, "pause", run[:10])
        assert code == 0
        assert (await editor.command("run.get", runId=run))["state"] == "paused"
        assert (await verb(house, "resume"))[0] == 0
        hold.unlink()
        assert (await editor.ended(run))["outcome"] == "completed"
        assert any("from a terminal" in each.get("text", "") for each in house.ledger("planner"))
        assert (await verb(house, "stop", "nothing-0001"))[0] == 2
        items = [item["kind"] for told in editor.client.of("politerm/attentionChanged") for item in told["items"]]
        assert set(items) == {"plan"}, "nobody is asked for trust by a verb that starts nothing"


async def test_a_verb_without_a_holder_takes_the_workspace_itself(house: House) -> None:
    house.agents("raw", e_hold=held(house))
    TrustStore(house.config / "trust.json").set(house.workspace, True)
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run)
        editor.kill()
    assert len(house.agents_of(run)) == 2
    code, out, err = await verb(house, "show", "last", "--json")
    assert code == 0, err
    assert json.loads(out.splitlines()[0])["runId"] == run
    assert len(house.agents_of(run)) == 2
    code, _, err = await verb(house, "stop", "last")
    assert code == 0, err
    assert house.agents_of(run) == []
    code, out, _ = await verb(house, "runs", "--json")
    assert [json.loads(line)["outcome"] for line in out.splitlines()] == ["stopped"]


# ---- several workspaces ----------------------------------------------------------------------------------------------


async def test_two_workspaces_with_look_alike_names_never_meet(house: House) -> None:
    other = House(house.root, folder=f"{house.workspace.name}.1")
    hold = held(house)
    house.agents("raw", e_hold=hold, rounds=1)
    async with house.serve() as here, other.serve() as there:
        run = "the-same-id-1"
        assert await here.start("here", runId=run) == await there.start("there", runId=run) == run
        for editor in (here, there):
            await holds(editor, True)
            await editor.event(run, "promptDelivered", lambda event: event["to"] == "EXECUTER")
        assert house.socket != other.socket
        await until(lambda: _cwds(house, run) == {house.workspace, other.workspace}, what="two executers at work")
        assert (await there.command("run.stop", runId=run))["outcome"] == "stopped"
        assert _cwds(house, run) == {house.workspace}
        assert (await here.command("run.get", runId=run))["state"] == "running"
        hold.unlink()
        end = await here.ended(run)
        assert end["outcome"] == "completed"
        assert {envelope["event"].get("task") for envelope in here.events(run)} == {"here", None}
        assert {envelope["event"].get("task") for envelope in there.events(run)} == {"there", None}
        tasks = [each["text"] for each in house.ledger("planner") if each["event"] == "prompt"]
        assert sum("\nhere\n" in text for text in tasks) == sum("\nthere\n" in text for text in tasks) == 1


def _cwds(house: House, run: str) -> set[Any]:
    return {Path(process.cwd()) for process in house.agents_of(run)}
