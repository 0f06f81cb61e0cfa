"""Processor time while nothing happens, and while little does, against polling and against tmux alone."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

from benchmarks.figures import Row, cpu_seconds, main, share, versus
from benchmarks.workshop import BareTmux, Workshop

EVERY = 0.1
HERTZ = 10
SETTLE = 2.0
"""Seconds until what follows a start is over."""


async def ours(panes: int, length: float, *program: object) -> float:
    """Processors that our server and its tmux take. Nobody looks at a pane: editors open one or two."""
    async with Workshop.open() as workshop:
        made = await workshop.panes(panes, *program)
        if program[0] != "idle":
            await workshop.go(made)
        await asyncio.sleep(SETTLE)
        pids = workshop.processes()
        before, begun = cpu_seconds(pids), time.monotonic()
        await asyncio.sleep(length)
        return (cpu_seconds(pids) - before) / (time.monotonic() - begun)


async def alone(panes: int, length: float, *program: object) -> float:
    """The same programs in a tmux that nobody watches."""
    async with BareTmux.open(panes, *program) as tmux:
        await asyncio.sleep(SETTLE)
        pids = [tmux.pid]
        before, begun = cpu_seconds(pids), time.monotonic()
        await asyncio.sleep(length)
        return (cpu_seconds(pids) - before) / (time.monotonic() - begun)


async def polled(panes: int, length: float) -> float:
    """Every pane captured by a process of its own ten times a second, or as often as that can be done."""
    async with BareTmux.open(panes, "idle") as tmux:
        server = [tmux.pid]
        times = os.times()
        before = cpu_seconds(server) + sum(times[:4])
        begun = time.monotonic()
        while (turn := time.monotonic()) < begun + length:
            for pane in tmux.panes:
                tmux.call("capture-pane", "-p", "-t", pane)
            time.sleep(max(0.0, EVERY - (time.monotonic() - turn)))  # noqa: ASYNC251 - a poller has nothing else to do
        passed = time.monotonic() - begun
        return (cpu_seconds(server) + sum(os.times()[:4]) - before) / passed


async def measure(quick: bool) -> AsyncIterator[Row]:
    length = 4.0 if quick else 10.0
    for panes in (50, 200):
        mine = await ours(panes, length, "idle")
        other = await polled(panes, length / 2)
        goal = 1000 if panes == 200 else None
        what = f"{panes} idle panes, processor"
        yield versus(what, mine, other, share, other_way="polled every 100 ms", at_least=goal)
    mine = await ours(50, length, "updates", HERTZ)
    other = await alone(50, length, "updates", HERTZ)
    what = f"50 panes x {HERTZ} updates/s, processor"
    yield versus(what, mine, other, share, other_way="tmux alone", at_most=2)


if __name__ == "__main__":
    main(measure, "Processor time while nothing happens, or little.")
