"""SIGKILL at every log event of a run: what is delivered, relayed and gone on with afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.runs.house import House
from tests.e2e.runs.sweep import TARGETS, Outcome, cut

EVENTS = range(1, 22)
"""A run of one round has 21 events or so; a cut after its end changes nothing and is part of the sweep."""
AT_ONCE = 3
"""Cuts that run beside each other, each in a house of its own."""


async def sweep(root: Path, target: str, *, witness: bool, events: range = EVENTS) -> list[Outcome]:
    import asyncio

    gate = asyncio.Semaphore(AT_ONCE)

    async def one(at: int) -> Outcome:
        house = House(root / f"{target}-{at}")
        try:
            async with gate:
                return await cut(house, target, at, witness=witness)
        finally:
            house.reap()

    return list(await asyncio.gather(*(one(at) for at in events)))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", TARGETS)
async def test_with_a_record_nothing_is_lost_doubled_merged_or_invented(tmp_path: Path, target: str) -> None:
    outcomes = await sweep(tmp_path, target, witness=True)
    assert [o for o in outcomes if o.trouble] == []
    assert sum(o.uncertain for o in outcomes) == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", TARGETS)
async def test_with_the_screen_only_nothing_is_doubled_and_doubt_is_said(tmp_path: Path, target: str) -> None:
    outcomes = await sweep(tmp_path, target, witness=False, events=range(1, 22, 2))
    assert [o for o in outcomes if o.trouble] == []
    assert sum(o.uncertain for o in outcomes) <= 0.15 * len(outcomes) + 1


@pytest.mark.parametrize(("kind", "at", "habits"), [("raw", 9, {"delay": 0.3}), ("full", 19, {})], ids=["slow", "full"])
async def test_what_an_agent_did_while_nobody_held_the_run_is_found_on_its_screen(
    messy_house: House, kind: str, at: int, habits: dict[str, float]
) -> None:
    outcome = await cut(messy_house, "server", at, witness=False, kind=kind, **habits)
    assert (outcome.trouble, outcome.uncertain) == ([], 0)
