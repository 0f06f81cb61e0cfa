"""States of Claude Code that a run must not mistake: a used-up allowance, work in the background, a failed request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.runs.house import Editor, messages, until
from tests.model_server.scenario import Fail, Rule, Scenario, Text, Tool, act, say
from tests.model_server.server import ModelServer
from tests.real_agents.house import EXECUTER, PLANNER, AgentHouse, block, executer, planner
from tests.real_agents.install import Pin
from tests.real_agents.rigs import Rig
from tests.real_agents.rigs.claude import SUBSCRIPTION, used_up

pytestmark = [pytest.mark.real_agents, pytest.mark.timeout(240), pytest.mark.agents("claude")]


def open_questions(editor: Editor, run: str) -> list[dict[str, Any]]:
    """What was raised and not answered, as far as it was told."""
    events = [each["event"] for each in editor.events(run)]
    answered = {event["attentionId"] for event in events if event["type"] == "attentionAnswered"}
    return [e for e in events if e["type"] == "attentionRaised" and e["attentionId"] not in answered]


async def test_a_used_up_allowance_is_told_with_its_end_and_tried_again_when_a_person_says_so(
    house: AgentHouse, pin: Pin, model: ModelServer, rig: Rig
) -> None:
    house.env["ANTHROPIC_API_KEY"] = ""
    credentials = house.home / ".claude" / ".credentials.json"
    credentials.write_text(json.dumps({"claudeAiOauth": SUBSCRIPTION}), "utf-8")
    model.play(
        Scenario(
            (
                act(used_up(), conversation=PLANNER, times=1),
                say(block("complete", "ORCHESTRATOR", "After all."), conversation=PLANNER),
            )
        )
    )
    async with house.serve() as editor:
        run = await editor.start("Spend", planner=pin.name, executer=pin.name)
        limited = await editor.event(run, "agentStateChanged", lambda event: event["state"] == "limited", deadline=60)
        over = await editor.event(run, "turnEnded", lambda event: event["role"] == "PLANNER")
        assert over["how"] == "failed"
        assert "hit your" in over["detail"]
        assert limited["why"]["until"]
        assert limited["why"]["until"].split()[0] in over["detail"]
        if pin.version == "2.1.197":
            asked = await editor.event(run, "attentionRaised", lambda event: "'wait'" in str(event["choices"]))
            await editor.command("attention.answer", attentionId=asked["attentionId"], choice="wait")
            await editor.event(run, "keysSent")
        ours = await until(lambda: [event for event in open_questions(editor, run) if "retry" in str(event["choices"])])
        assert ours[0]["kind"] == "budget"
        assert limited["why"]["until"].split()[0] in ours[0]["title"] + ours[0]["text"]
        editor.kill()
    async with house.serve() as editor:
        # Another server knows it as well, and who waits for an answer.
        await editor.event(run, "recovered")
        with pytest.raises(AssertionError):
            await editor.event(run, "runPaused", deadline=3)
        view = await editor.command("run.get", runId=run)
        assert (view["state"], view["roles"]["PLANNER"]["state"]) == ("running", "limited")
        await editor.command("attention.answer", attentionId=ours[0]["attentionId"], choice="retry")
        ended = await editor.ended(run, deadline=60)
        assert ended["outcome"] == "completed"
        told = await editor.told(run)
    assert not [event for event in told if event["type"] in ("nudged", "runPaused", "promptUncertain")]


async def test_work_in_the_background_keeps_it_working_and_is_waited_for(
    house: AgentHouse, pin: Pin, model: ModelServer, rig: Rig
) -> None:
    slow = Tool("Bash", {"command": "sleep 8; echo over", "description": "Wait", "run_in_background": True})
    done = Text(block("result", "PLANNER", "It is over."))
    model.play(
        Scenario(
            (
                *planner(block("plan", "EXECUTER", "Run it."), block("complete", "ORCHESTRATOR", "Over.")),
                # The word that it is over is a prompt of its own in 2.1.197, and none in 2.1.329.
                Rule(((Text("I start it."), slow), (Text("It runs."),), (done,)), conversation=EXECUTER, turn=1),
                executer(2, done),
            )
        )
    )
    async with house.serve() as editor:
        run = await editor.start("Run it", planner=pin.name, executer=pin.name)
        working = await editor.event(
            run, "agentStateChanged", lambda event: event["why"]["rule"] == "background work", deadline=60
        )
        assert (working["state"], working["why"]["evidence"]) == ("working", "sleep 8; echo over")
        assert (await editor.ended(run, deadline=60))["outcome"] == "completed"
        told = await editor.told(run)
    assert [body for _, _, body in messages(told)] == ["Run it.", "It is over.", "Over."]
    assert not [event for event in told if event["type"] in ("nudged", "attentionRaised")]
    assert "uncertain" not in [event["state"] for event in told if event["type"] == "agentStateChanged"]


async def test_a_request_that_fails_is_told_with_its_words_and_tried_again_when_a_person_says_so(
    house: AgentHouse, pin: Pin, model: ModelServer, rig: Rig
) -> None:
    model.play(
        Scenario(
            (
                act(Fail(401, "this key is no key"), conversation=PLANNER, turn=1),
                say(block("complete", "ORCHESTRATOR", "After all."), conversation=PLANNER),
            )
        )
    )
    async with house.serve() as editor:
        run = await editor.start("Fail", planner=pin.name, executer=pin.name)
        over = await editor.event(run, "turnEnded", lambda event: event["role"] == "PLANNER", deadline=60)
        assert over["how"] == "failed"
        assert "401" in over["detail"]
        asked = await editor.event(run, "attentionRaised")
        assert "401" in asked["title"]
        await editor.command("attention.answer", attentionId=asked["attentionId"], choice="retry")
        assert (await editor.ended(run, deadline=60))["outcome"] == "completed"
