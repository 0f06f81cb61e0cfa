"""Everything that may die while a run is under way: agents, tmux, our own server, the editor. The run goes on, or is
paused with the reason; and after its end nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest

from tests.e2e.runs.house import SERVE, Editor, House, kill, messages, until
from tests.rawlsp import LspError, RawLsp

BACK_WITHIN = 20.0
"""Seconds: the promise is 5 and the agent's own start; machines under test are busy."""


def prompts(house: House, role: str) -> list[dict[str, Any]]:
    return [each for each in house.ledger(role) if each["event"] == "prompt"]


async def working(editor: Editor, run: str, role: str) -> None:
    """Until the agent has begun its turn and says so."""
    house = editor.house
    await editor.event(run, "promptDelivered", lambda event: event["to"] == role)
    await until(lambda: prompts(house, role.lower()), what=f"{role} at work")


def hold(house: House) -> Any:
    path = house.root / "hold"
    path.touch()
    return path


async def gone(processes: list[psutil.Process], *, within: float = 3.0) -> None:
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, timeout=within)
    assert alive == []


# ---- agents ----------------------------------------------------------------------------------------------------------


async def test_an_agent_that_dies_at_every_start_is_given_up_with_one_notice(house: House) -> None:
    house.agents("raw", p_die="start")
    async with house.serve() as editor:
        run = await editor.start()
        await editor.event(run, "runPaused")
        told = await editor.told(run)
        tries = [event for event in told if event["type"] == "agentStarting" and event["role"] == "PLANNER"]
        assert [event["incarnation"] for event in tries] == [1, 2, 3, 4]
        raised = [event for event in told if event["type"] == "attentionRaised"]
        assert len(raised) == 1
        assert "status 7" in raised[0]["title"]
        assert (await editor.command("run.get", runId=run))["state"] == "paused"
        house.agents("raw")
        await editor.command("attention.answer", attentionId=raised[0]["attentionId"], choice="stop")
        assert (await editor.ended(run))["outcome"] == "stopped"


@pytest.mark.parametrize("code", [0, 7, -9, 127])
async def test_an_agent_that_dies_in_its_turn_is_started_again_and_told_what_it_must_know(
    house: House, code: int
) -> None:
    house.agents("raw", e_die="prompt", e_times=1, e_code=code)
    async with house.serve() as editor:
        run = await editor.start()
        assert (await editor.ended(run))["outcome"] == "completed"
        told = await editor.told(run)
        dead = next(e for e in told if e["type"] == "agentStateChanged" and e["state"] == "dead")
        assert (dead["role"], dead["why"]["source"]) == ("EXECUTER", "agent")
        assert (f"signal {-code}" if code < 0 else f"status {code}") in dead["why"]["evidence"]
        back = next(event for event in told if event["type"] == "recovered")
        assert (back["what"], back["role"], back["contextLost"]) == ("agent", "EXECUTER", True)
        again = prompts(house, "executer")[1]["text"]
        assert "conversation is lost" in again
        assert "Step 1 of 2." in again
        assert "lost its earlier conversation" in prompts(house, "planner")[1]["text"]
        assert [kind for _, kind, _ in messages(told)] == ["plan", "result", "continue", "result", "complete"]


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
async def test_what_an_agent_said_before_it_died_counts(house: House, witness: bool) -> None:
    house.agents("raw", e_die="reply", e_times=1, witness=witness)
    async with house.serve() as editor:
        run = await editor.start()
        assert (await editor.ended(run))["outcome"] == "completed"
        told = messages(await editor.told(run))
        assert [body for who, _, body in told if who == "EXECUTER"] == ["Done with step 1.", "Done with step 2."]
        assert len(prompts(house, "executer")) == 2


@pytest.mark.parametrize("habit", ["stubborn", "daemon"])
@pytest.mark.parametrize("ending", ["stop", "complete"])
async def test_nothing_is_left_of_agents_that_will_not_go(house: House, habit: str, ending: str) -> None:
    house.agents(habit, planner="raw", rounds=1, e_hold=hold(house) if ending == "stop" else "")
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        left = house.agents_of(run)
        assert len(left) == (3 if habit == "daemon" else 2)
        began = time.monotonic()
        if ending == "stop":
            await editor.command("run.stop", runId=run)
        else:
            await editor.ended(run)
        await gone(left, within=3.0 + 2.0)
        assert time.monotonic() - began < 15
        assert house.agents_of(run) == []


async def test_what_is_not_installed_is_told_before_tmux_is_touched(house: House) -> None:
    house.agents("raw")
    (house.config / "agents" / "absent.toml").write_text('command = ["no-such-program-here"]\n')
    async with house.serve() as editor:
        with pytest.raises(LspError) as missing:
            await editor.start(executer="absent")
        assert missing.value.data["code"] == "agentNotFound"
        assert "no-such-program-here" in missing.value.message
        agents = {each["name"]: each["available"] for each in (await editor.command("agent.list"))["agents"]}
        assert (agents["p"], agents["absent"]) == (True, False)
        assert house.tmux_server() is None
        assert (await editor.command("run.list"))["runs"] == []


async def test_without_tmux_that_is_what_is_said(house: House) -> None:
    house.agents("raw")
    empty = house.root / "no programs"
    empty.mkdir()
    house.env["PATH"] = str(empty)
    async with house.serve() as editor:
        for _ in range(2):
            with pytest.raises(LspError) as missing:
                await editor.start()
            assert missing.value.data["code"] == "tmuxMissing"
        report = await editor.command("doctor")
        assert "tmux" in report["tmux"]["problem"]
        assert (await editor.command("run.list"))["runs"] == []


# ---- tmux ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["paused", "working"])
async def test_a_killed_tmux_server_costs_no_run(house: House, moment: str) -> None:
    held = hold(house)
    house.agents("raw", e_hold=held)
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        if moment == "paused":
            await editor.command("run.pause", runId=run)
            held.unlink()
            await editor.event(run, "turnEnded", lambda event: event["role"] == "EXECUTER")
        kill(house.tmux_server())
        await editor.event(run, "agentStateChanged", lambda event: event["state"] == "dead", deadline=BACK_WITHIN)
        if moment == "paused":
            assert not any(e["type"] == "agentStarting" and e["incarnation"] > 1 for e in await editor.told(run))
            await editor.command("run.resume", runId=run)
        else:
            held.unlink()
        again = await editor.event(run, "agentReady", lambda event: event["incarnation"] == 2, deadline=BACK_WITHIN)
        assert again["pane"]
        assert (await editor.ended(run))["outcome"] == "completed"
        told = messages(await editor.told(run))
        assert [kind for _, kind, _ in told] == ["plan", "result", "continue", "result", "complete"]


async def test_a_removed_socket_is_no_matter(house: House) -> None:
    held = hold(house)
    house.agents("raw", e_hold=held)
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        house.socket.unlink()
        await until(house.socket.exists, what="the socket's return")
        held.unlink()
        assert (await editor.ended(run))["outcome"] == "completed"
        assert not any(event["type"] == "recovered" for event in await editor.told(run))


async def test_a_tmux_server_that_stands_still_holds_up_nothing_but_typing(house: House) -> None:
    held = hold(house)
    house.agents("raw", e_hold=held)
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        server = house.tmux_server()
        assert server is not None
        server.send_signal(signal.SIGSTOP)
        try:
            held.unlink()
            stopped = time.monotonic()
            while time.monotonic() - stopped < 5:
                began = time.monotonic()
                assert (await editor.command("run.get", runId=run))["state"] == "running"
                assert time.monotonic() - began < 2
                await asyncio.sleep(0.2)
        finally:
            server.send_signal(signal.SIGCONT)
        assert (await editor.ended(run, deadline=60))["outcome"] == "completed"
        for role in ("planner", "executer"):
            ends = [each["end"] for each in prompts(house, role)]
            assert len(ends) == len(set(ends))


# ---- our own server, and who started it ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
async def test_a_server_that_ends_leaves_its_agents_and_the_next_goes_on(house: House, number: signal.Signals) -> None:
    held = hold(house)
    house.agents("raw", e_hold=held)
    async with house.serve() as first:
        run = await first.start()
        await working(first, run, "EXECUTER")
        agents = {process.pid for process in house.agents_of(run)}
        first.client.signal(number)
        first.killed = True
        await first.client.exit_code(10)
        seen = [envelope["seq"] for envelope in first.events(run)]
    assert {process.pid for process in house.agents_of(run)} == agents
    held.unlink()
    await until(lambda: any(each["event"] == "reply" for each in house.ledger("executer")), what="a reply to nobody")
    async with house.serve() as second:
        assert (await second.ended(run))["outcome"] == "completed"
        told = await second.command("run.events", runId=run)
        assert [each["seq"] for each in told["events"]] == list(range(1, told["last"] + 1))
        assert seen == list(range(1, len(seen) + 1))
        assert len(prompts(house, "executer")) == 2
        assert not any(e["type"] == "agentStarting" and e["incarnation"] > 1 for e in await second.told(run))


async def test_an_editor_that_closes_its_end_ends_the_server_and_no_agent(house: House) -> None:
    held = hold(house)
    house.agents("raw", e_hold=held)
    async with house.serve() as first:
        run = await first.start()
        await working(first, run, "EXECUTER")
        first.client.close_input()
        first.killed = True
        assert await first.client.exit_code(10) == 1
    assert len(house.agents_of(run)) == 2
    held.unlink()
    async with house.serve() as second:
        assert (await second.ended(run))["outcome"] == "completed"


async def test_an_editor_that_was_killed_takes_the_server_along_and_no_agent(house: House) -> None:
    """The editor is a process of its own here; its input to the server stays open, as when something inherited it."""
    held = hold(house)
    house.agents("raw", e_hold=held)
    async with child() as editor_process, RawLsp.spawn(*SERVE, env=house.env, cwd=str(house.workspace)) as client:
        first = Editor(client, house)
        await client.initialize(
            {"trusted": True}, rootUri=house.workspace.as_uri(), processId=editor_process.pid, capabilities={}
        )
        run = await first.start()
        await working(first, run, "EXECUTER")
        editor_process.kill()
        await editor_process.wait()
        await client.exit_code(5 + 5)
    assert len(house.agents_of(run)) == 2
    held.unlink()
    async with house.serve() as second:
        assert (await second.ended(run))["outcome"] == "completed"


@contextlib.asynccontextmanager
async def child() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import signal; signal.pause()")
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
