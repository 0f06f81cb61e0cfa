"""An agent that works long without a word, or without anything but a spinner, is neither done nor wrong (I)."""

from __future__ import annotations

import asyncio

import pytest

from tests.agents import install
from tests.e2e.runs.house import Editor, House, messages

SECONDS = 5.0
"""Stands in for the minutes that real agents take; every rule of quiet for short turns is well below it."""
FACES = ("raw", "full", "line", "bare")


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
@pytest.mark.parametrize("habit", ["delay", "spin"])
async def test_a_long_turn_is_waited_for(house: House, habit: str, witness: bool) -> None:
    house.agents("raw", rounds=1, witness=witness)
    for face in FACES:
        memory = house.memory / face
        memory.mkdir()
        install(house.config, face, face, role="executer", memory=str(memory), witness=witness, **{habit: SECONDS})
    async with house.serve() as editor:
        runs = [await editor.start(executer=face) for face in FACES]
        await asyncio.gather(*(waited_for(editor, run, face) for run, face in zip(runs, FACES, strict=True)))


async def waited_for(editor: Editor, run: str, face: str) -> None:
    assert (await editor.ended(run, deadline=60))["outcome"] == "completed", face
    envelopes = (await editor.command("run.events", runId=run, limit=1000))["events"]
    told = [envelope["event"] for envelope in envelopes]
    assert [kind for _, kind, _ in messages(told)] == ["plan", "result", "complete"], face
    odd = [event for event in told if event["type"] in ("nudged", "attentionRaised", "limitReached", "promptUncertain")]
    assert odd == [], face
    at = {
        e["event"]["type"]: e["clock"] for e in envelopes if EXECUTER in (e["event"].get("to"), e["event"].get("role"))
    }
    assert at["turnEnded"] - at["promptDelivered"] >= SECONDS - 1, face
    states = [e["state"] for e in told if e["type"] == "agentStateChanged" and e["role"] == EXECUTER]
    assert "working" in states, face
    assert not {"dead", "uncertain", "blocked"} & set(states), face


EXECUTER = "EXECUTER"
