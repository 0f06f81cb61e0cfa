"""What people say to an agent, in whatever characters, while it works or waits: it arrives as it was meant, or
by a file, and the event says which."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.runs.house import messages, until
from tests.model_server.scenario import Scenario, Text, act, say
from tests.model_server.server import ModelServer
from tests.real_agents.house import EXECUTER, PLANNER, AgentHouse, block, executer, planner
from tests.real_agents.install import Pin
from tests.real_agents.rigs import Rig

pytestmark = [pytest.mark.real_agents, pytest.mark.timeout(240), pytest.mark.agents("claude", "codex")]

TOUCHY = ("/help me", "! ls -l", "# a heading", "@README.md", "- a point", "```\ncode `x`\n```", "$(id) `id` 漢字")


async def test_words_that_begin_with_a_command_character_are_words(
    house: AgentHouse, pin: Pin, model: ModelServer, rig: Rig
) -> None:
    task = "\n".join(TOUCHY)
    model.play(
        Scenario(
            (
                *planner(block("plan", "EXECUTER", task), block("complete", "ORCHESTRATOR", "Over.")),
                executer(1, Text(block("result", "PLANNER", task))),
            )
        )
    )
    async with house.serve() as editor:
        run = await editor.start(task, planner=pin.name, executer=pin.name)
        assert (await editor.ended(run, deadline=90))["outcome"] == "completed"
        told = await editor.told(run)
    heard = [exchange.ask.prompt for exchange in model.asked() if exchange.ask is not None]
    assert len(heard) == 3
    assert all(task in prompt for prompt in heard)
    assert [event.get("file") for event in told if event["type"] == "promptDelivered"] == [None] * 3
    assert not [event for event in told if event["type"] in ("attentionRaised", "promptUncertain")]


async def test_a_megabyte_is_handed_over_by_a_file_and_the_event_says_so(
    house: AgentHouse, pin: Pin, model: ModelServer, rig: Rig
) -> None:
    body = "\n".join(f"{number:06} {'x' * 92}" for number in range(10_500))
    assert len(body) > 1_000_000
    model.play(
        Scenario(
            (
                *planner(block("plan", "EXECUTER", body), block("complete", "ORCHESTRATOR", "Over.")),
                say(block("result", "PLANNER", "Done."), text="Read the file"),
            )
        )
    )
    async with house.serve() as editor:
        run = await editor.start("Pass it on", planner=pin.name, executer=pin.name)
        taken = await editor.event(run, "promptDelivered", lambda event: event["to"] == "EXECUTER", deadline=90)
        assert f"\n{body}\n" in Path(taken["file"]).read_text("utf-8")
        assert (await editor.ended(run, deadline=90))["outcome"] == "completed"
        told = await editor.told(run)
    assert [body for _, kind, body in messages(told) if kind == "result"] == ["Done."]


async def test_a_working_agent_is_steered_and_words_for_later_wait(
    house: AgentHouse, pin: Pin, model: ModelServer, rig: Rig
) -> None:
    wait = rig.run("while [ ! -e go ]; do sleep 0.1; done")
    model.play(
        Scenario(
            (
                *planner(block("plan", "EXECUTER", "Work."), block("complete", "ORCHESTRATOR", "Over.")),
                act(Text("I wait."), wait, Text(block("result", "PLANNER", "Done.")), conversation=EXECUTER, turn=1),
                say(block("result", "PLANNER", "As you say."), conversation=EXECUTER),
            )
        )
    )
    async with house.serve() as editor:
        run = await editor.start("Be steered", planner=pin.name, executer=pin.name)
        await until(lambda: [e for e in model.asked() if e.ask and EXECUTER in e.ask.conversation], what="the turn")
        await editor.command("message.send", runId=run, to="PLANNER", text="# Be brief.", when="next")
        await editor.command("message.send", runId=run, to="EXECUTER", text="/do it otherwise", when="now")
        asked = await editor.event(run, "promptRequested", lambda event: event.get("steer", False))
        await editor.event(run, "promptDelivered", lambda event: event["promptId"] == asked["promptId"])
        (house.workspace / "go").touch()
        assert (await editor.ended(run, deadline=90))["outcome"] == "completed"
        told = await editor.told(run)
    # Whole requests: what an agent is told in the middle of a turn some of them wrap as a word of their own.
    sent = [json.dumps(exchange.body) for exchange in model.asked()]
    assert any("/do it otherwise" in text and EXECUTER in text for text in sent)
    assert any("# Be brief." in text and PLANNER in text for text in sent)
    assert not [
        event for event in told if event["type"] in ("promptUncertain", "turnEnded") and event.get("how") == "failed"
    ]
