"""Events of many runs to one client: in order, once each, none missing, whatever order things happen in."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from politerm.errors import HolderGone, RunNotFound
from politerm.lsp.flow import EventFlow


class World:
    """A log, a flow over it, and what the client got."""

    def __init__(self) -> None:
        self.log: dict[str, int] = {}
        self.got: list[tuple[str, int]] = []
        self.ready = True
        self.broken = False
        self.reads = 0
        self.hidden = 0
        """So many of the newest events are announced but cannot be read yet."""
        self.flow = EventFlow(self.read, self.forward, lambda: self.ready)

    async def read(self, run: str, after: int, limit: int) -> list[dict[str, Any]]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.broken:
            raise HolderGone("gone")
        if run not in self.log:
            raise RunNotFound("no")
        return [envelope(run, seq) for seq in range(after + 1, min(after + limit, self.log[run] - self.hidden) + 1)]

    def forward(self, item: dict[str, Any]) -> None:
        self.got.append((item["runId"], item["seq"]))

    def append(self, run: str, *, told: bool = True) -> None:
        self.log[run] = self.log.get(run, 0) + 1
        if told:
            self.flow.offer(envelope(run, self.log[run]))

    def seqs(self, run: str) -> list[int]:
        return [seq for id, seq in self.got if id == run]

    async def settled(self) -> None:
        async with asyncio.timeout(10):
            while self.flow._behind or self.flow._task:  # noqa: ASYNC110 - the flow announces to its client only
                await asyncio.sleep(0.01)


def envelope(run: str, seq: int) -> dict[str, Any]:
    return {"runId": run, "seq": seq, "event": {}}


async def test_events_go_through_at_once_and_nothing_is_read() -> None:
    world = World()
    world.flow.rebase({})
    for _ in range(3):
        world.append("a")
    assert world.seqs("a") == [1, 2, 3]
    assert world.reads == 0


async def test_what_is_told_twice_is_sent_once() -> None:
    world = World()
    world.flow.rebase({})
    world.append("a")
    world.flow.offer(envelope("a", 1))
    await asyncio.sleep(0)
    assert world.seqs("a") == [1]
    assert world.reads == 0


async def test_a_client_that_does_not_read_is_sent_everything_later() -> None:
    world = World()
    world.flow.rebase({})
    world.append("a")
    world.ready = False
    for _ in range(500):
        world.append("a")
    assert world.seqs("a") == [1]
    world.ready = True
    world.flow.resume()
    await world.settled()
    assert world.seqs("a") == list(range(1, 502))


async def test_a_missing_number_is_fetched() -> None:
    world = World()
    world.flow.rebase({})
    world.append("a")
    world.append("a", told=False)
    world.append("a")
    await world.settled()
    assert world.seqs("a") == [1, 2, 3]


async def test_the_client_begins_where_it_came_in() -> None:
    world = World()
    world.log = {"a": 5, "b": 7}
    world.append("a")
    world.flow.rebase({"a": 6, "b": 7})
    world.append("b")
    world.append("new")
    await world.settled()
    assert world.seqs("a") == [6]
    assert world.seqs("b") == [8]
    assert world.seqs("new") == [1]


async def test_another_backend_brings_what_was_missed() -> None:
    world = World()
    world.log = {"a": 2, "b": 3, "gone": 1}
    world.flow.rebase(dict(world.log))
    world.append("a")
    for run in ("a", "b", "new"):
        world.append(run, told=False)
    del world.log["gone"]
    world.flow.rebase(dict(world.log))
    await world.settled()
    assert (world.seqs("a"), world.seqs("b"), world.seqs("new")) == ([3, 4], [4], [1])


async def test_a_run_that_left_the_list_is_looked_at() -> None:
    world = World()
    world.flow.rebase({})
    world.append("a")
    world.append("a", told=False)
    world.flow.rebase({})
    await world.settled()
    assert world.seqs("a") == [1, 2]


async def test_reading_that_fails_is_tried_again() -> None:
    world = World()
    world.flow.rebase({})
    world.append("a", told=False)
    world.broken = True
    world.append("a")
    async with asyncio.timeout(10):
        while world.reads < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    world.broken = False
    await world.settled()
    assert world.seqs("a") == [1, 2]


async def test_what_is_announced_before_it_can_be_read() -> None:
    world = World()
    world.flow.rebase({})
    world.append("a")
    world.append("a", told=False)
    world.append("a", told=False)
    world.hidden = 1
    world.ready = False
    world.flow.offer(envelope("a", 3))
    world.flow.offer(envelope("a", 2))
    world.ready = True
    world.flow.resume()
    async with asyncio.timeout(10):
        while world.reads < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    world.hidden = 0
    await world.settled()
    assert world.seqs("a") == [1, 2, 3]


async def test_an_event_that_arrives_while_older_ones_are_read() -> None:
    world = World()
    world.flow.rebase({})
    world.ready = False
    world.append("a")
    world.ready = True
    world.flow.resume()
    await asyncio.sleep(0)
    world.flow.offer(envelope("a", 1))
    world.append("a")
    await world.settled()
    assert world.seqs("a") == [1, 2]


async def test_nothing_after_close() -> None:
    world = World()
    world.flow.rebase({})
    world.append("a", told=False)
    world.append("a")
    world.flow.close()
    await asyncio.sleep(0.01)
    assert world.got == []


@pytest.mark.parametrize("seed", range(40))
async def test_in_order_once_none_missing(seed: int) -> None:
    chance = random.Random(seed)
    world = World()
    world.flow.rebase({})
    for _ in range(400):
        match chance.randrange(10):
            case 0:
                world.ready = False
            case 1:
                world.ready = True
                world.flow.resume()
            case 2:
                world.broken = chance.random() < 0.5
            case 3:
                await asyncio.sleep(0)
            case 4:
                world.append(chance.choice("abc"), told=False)
            case 5:
                world.flow.rebase(dict(world.log))
            case 6:
                if world.log:
                    world.flow.offer(envelope(run := chance.choice(list(world.log)), chance.randint(1, world.log[run])))
            case _:
                world.append(chance.choice("abc"))
    world.ready, world.broken = True, False
    world.flow.rebase(dict(world.log))
    await world.settled()
    assert {run: world.seqs(run) for run in world.log} == {run: list(range(1, n + 1)) for run, n in world.log.items()}


async def test_what_the_first_backend_began_to_tell_goes_on_when_it_died_before_its_list_came() -> None:
    world = World()
    for _ in range(3):
        world.append("a")
    for _ in range(4):
        world.append("a", told=False)
    world.log["b"] = 5
    world.flow.rebase(dict(world.log))
    await world.settled()
    assert world.seqs("a") == [1, 2, 3, 4, 5, 6, 7]
    assert world.seqs("b") == []
    world.append("b")
    assert world.seqs("b") == [6]
