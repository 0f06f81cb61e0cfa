"""Whole dual runs over `politerm serve`, with agents that are known only by a profile file."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.runs.house import House, messages

STEPS = [
    ("PLANNER", "plan", "Step 1 of 2."),
    ("EXECUTER", "result", "Done with step 1."),
    ("PLANNER", "continue", "Step 2 of 2."),
    ("EXECUTER", "result", "Done with step 2."),
    ("PLANNER", "complete", "All 2 steps are done."),
]


def only_steps(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """The dialogue without statuses; of a long plan its first line."""
    return [(who, kind, body.splitlines()[0].strip()) for who, kind, body in messages(events) if kind != "status"]


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
@pytest.mark.parametrize(
    "kind", ["line", "bare", "raw", "full", "boxed", "markdown", "restless", "same-id", "chatty", "spoofing"]
)
async def test_a_whole_run(house: House, kind: str, witness: bool) -> None:
    house.agents(kind, witness=witness)
    async with house.serve() as editor:
        run = await editor.start()
        end = await editor.ended(run, deadline=60)
        assert end["outcome"] == "completed"
        assert "All 2 steps are done." in end["summary"]
        assert only_steps(await editor.told(run)) == STEPS
        for role in ("planner", "executer"):
            prompts = [each for each in house.ledger(role) if each["event"] == "prompt"]
            assert len(prompts) == len({each["end"] for each in prompts}) == (3 if role == "planner" else 2)
            assert [each for each in house.ledger(role) if each["event"] == "stray"] == []


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
async def test_a_plan_of_200_lines_on_the_alternate_screen(house: House, witness: bool) -> None:
    house.agents("raw", planner="long", witness=witness)
    async with house.serve() as editor:
        run = await editor.start()
        await editor.ended(run, deadline=60)
        plan = messages(await editor.told(run))[0][2].splitlines()
        assert [line.strip() for line in plan] == ["Step 1 of 2.", *(f"line {i:03d}" for i in range(1, 201))]


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
@pytest.mark.parametrize("ready", [True, False], ids=["ready", "bare"])
async def test_an_input_box_that_stays_empty_is_no_end_of_a_turn(house: House, witness: bool, ready: bool) -> None:
    """Nor is its folded prompt, which it shows on in its history, still a draft."""
    house.agents("open", witness=witness, ready=ready, delay=0.7)
    async with house.serve() as editor:
        run = await editor.start()
        await editor.ended(run, deadline=60)
        told = await editor.told(run)
        assert only_steps(told) == STEPS
        assert not {"nudged", "attentionRaised", "promptUncertain"} & {event["type"] for event in told}


@pytest.mark.parametrize("face", ["raw", "line"])
async def test_legacy_agents_on_the_screen_say_everything_once(house: House, face: str) -> None:
    house.agents(face, witness=False, ready=False, keyed=False, extra="legacy = true")
    async with house.serve() as editor:
        run = await editor.start()
        await editor.ended(run, deadline=60)
        assert only_steps(await editor.told(run)) == STEPS


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
async def test_a_program_that_loads_is_not_typed_into(house: House, witness: bool) -> None:
    """It shows nothing, and throws away what came before it turned line mode off."""
    house.agents("line", planner="late", witness=witness, ready=False)
    async with house.serve() as editor:
        run = await editor.start()
        await editor.ended(run, deadline=60)
        told = await editor.told(run)
        assert only_steps(told) == STEPS
        assert "promptUncertain" not in {event["type"] for event in told}


async def test_two_echoes_never_complete(house: House) -> None:
    house.agents("cat")
    async with house.serve() as editor:
        run = await editor.start()
        await editor.event(run, "promptDelivered")
        view = await editor.command("run.stop", runId=run)
        assert view["outcome"] == "stopped"
        assert messages(await editor.told(run)) == []


async def test_an_agent_that_forgets_is_reminded(house: House) -> None:
    house.agents("disobedient")
    async with house.serve() as editor:
        run = await editor.start()
        assert (await editor.ended(run))["outcome"] == "completed"
        nudged = [event["role"] for event in await editor.told(run) if event["type"] == "nudged"]
        assert sorted(nudged) == ["EXECUTER", "PLANNER"]
