"""An editor that stops reading while two panes flood it: do the agents stand still, what grows, how soon is it current
again, and does a second client notice anything?
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import Row, bounded, main, megabytes, percentile, rate, resident, seconds, versus
from benchmarks.flood import ASK_EVERY, written
from benchmarks.workshop import Editor, Workshop

PANES = 2
SAMPLE = 0.02
MOST_GROWTH = 20e6
MOST_FRESH = 0.05
MOST_LAG = 0.05
FILLS_SCROLLBACK = 8_000_000
"""Bytes of one pane's flood that fill its 50,000 lines of scrollback twice: what tmux needs for a flood by itself."""
STILL = 1.0
"""Seconds without a byte written that count as standing still; a flood is otherwise held up for milliseconds."""


@dataclass
class Stall:
    """What was seen while an editor did not read. Seconds, bytes, bytes a second."""

    before: float = 0.0
    during: float = 0.0
    longest_still: float = 0.0
    growth: float = 0.0
    fresh: float = 0.0
    waits: list[float] = field(default_factory=list)


async def progress(folder: Path, length: float, stall: Stall) -> float:
    """Bytes a second of all floods together, noting the longest time in which none of them moved on."""
    first = last = written(folder)
    begun = moved = time.monotonic()
    while (now := time.monotonic()) < begun + length:
        size = written(folder)
        if size != last:
            last, moved = size, now
        stall.longest_still = max(stall.longest_still, now - moved)
        await asyncio.sleep(SAMPLE)
    return (last - first) / (now - begun)


async def asked(editor: Editor, run: str, length: float) -> list[float]:
    """How long requests of the second client took."""
    found = []
    end = time.monotonic() + length
    while (begun := time.monotonic()) < end:
        await editor.command("politerm.run.get", runId=run)
        found.append(time.monotonic() - begun)
        await asyncio.sleep(ASK_EVERY)
    return found


async def until_fresh(editor: Editor) -> float:
    """Seconds from reading on until a whole screen of every pane is there."""
    fresh: set[str] = set()
    done = asyncio.Event()

    def on_notice(method: str, params: dict[str, Any], size: int) -> None:
        if method == "politerm/paneOutput" and params.get("reset"):
            fresh.add(params["role"])
            if len(fresh) == PANES:
                done.set()

    editor.on_notice = on_notice
    begun = time.monotonic()
    editor.read_again()
    async with asyncio.timeout(30):
        await done.wait()
    return time.monotonic() - begun


async def stalled(length: float) -> Stall:
    stall = Stall()
    async with Workshop.open() as workshop:
        folder = workshop.house.root / "progress"
        folder.mkdir()
        made = await workshop.panes(PANES, "flood", folder)
        run = made[0][0]
        await workshop.watch(made)
        await workshop.go(made)
        async with Editor.connect(workshop.house.paths.control_socket) as second:
            await second.initialize(workshop.house.workspace)
            while written(folder) < PANES * FILLS_SCROLLBACK:  # noqa: ASYNC110 - it is told in a file
                await asyncio.sleep(SAMPLE)
            stall.before = await progress(folder, max(4.0, length / 10), Stall())
            pids = workshop.processes()
            size = resident(pids)
            workshop.editor.stop_reading()
            stall.during, stall.waits = await asyncio.gather(
                progress(folder, length, stall), asked(second, run, length)
            )
            stall.growth = resident(pids) - size
            stall.fresh = await until_fresh(workshop.editor)
    return stall


async def measure(quick: bool) -> AsyncIterator[Row]:
    length = 8.0 if quick else 60.0
    stall = await stalled(length)
    what = f"editor not reading for {length:g} s"
    yield versus(
        f"{what}, agents write", stall.during, stall.before, rate, other_way="while it read", more_is_better=True
    )
    yield bounded(f"{what}, longest standstill", stall.longest_still, seconds, at_most=STILL)
    yield bounded(f"{what}, server and tmux grow", stall.growth, megabytes, at_most=MOST_GROWTH)
    yield bounded(f"{what}, fresh screen", stall.fresh, seconds, at_most=MOST_FRESH)
    yield bounded(f"{what}, other client, p99", percentile(stall.waits, 0.99), seconds, at_most=MOST_LAG)


if __name__ == "__main__":
    main(measure, "An editor that stops reading.")
