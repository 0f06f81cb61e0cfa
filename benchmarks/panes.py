"""A byte that a pane prints until an editor has it, against polling tmux for its screens.

The programs print the monotonic time; whoever sees it knows how old it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from benchmarks.figures import Row, main, percentile, seconds, versus
from benchmarks.programs import STAMP
from benchmarks.workshop import BareTmux, Workshop

LEAST_RATIO = {1: 20.0, 50: 100.0}
"""Goals at the median against a poll every 25 ms."""
MOST_P99 = 0.005
APART = {1: 0.05, 50: 0.5}
"""Seconds between two stamps of one pane: a hundred a second in all for 50 panes."""


def ages(data: bytes, now: int) -> list[float]:
    return [(now - int(stamp)) / 1e9 for stamp in STAMP.findall(data)]


async def ours(panes: int, length: float) -> list[float]:
    """Ages, in seconds, of stamps that came to an editor."""
    found: list[float] = []

    def on_notice(method: str, params: dict[str, Any], size: int) -> None:
        now = time.monotonic_ns()
        if method == "politerm/paneOutput" and not params.get("reset"):
            found.extend(ages(params["data"].encode(), now))

    async with Workshop.open() as workshop:
        made = await workshop.panes(panes, "stamps", APART[panes])
        await workshop.watch(made)
        await workshop.go(made)
        await asyncio.sleep(0.5)
        workshop.editor.on_notice = on_notice
        await asyncio.sleep(length)
        workshop.editor.on_notice = lambda method, params, size: None
    return found


async def polled(panes: int, every: float, length: float) -> list[float]:
    """The same by capturing every pane's screen in a process of its own, over and over."""
    found: list[float] = []
    seen: set[bytes] = set()
    async with BareTmux.open(panes, "stamps", APART[panes]) as tmux:
        end = time.monotonic() + length
        first = True
        while (begun := time.monotonic()) < end:
            for pane in tmux.panes:
                text = tmux.call("capture-pane", "-p", "-t", pane).encode()
                now = time.monotonic_ns()
                fresh = [each for each in STAMP.findall(text) if each not in seen]
                seen.update(fresh)
                if not first:
                    found += [(now - int(stamp)) / 1e9 for stamp in fresh]
            first = False
            time.sleep(max(0.0, every - (time.monotonic() - begun)))  # noqa: ASYNC251 - a poller has nothing else to do
    return found


async def measure(quick: bool) -> AsyncIterator[Row]:
    length = 3.0 if quick else 8.0
    for panes in (1, 50):
        mine = await ours(panes, length)
        half, most = percentile(mine, 0.5), percentile(mine, 0.99)
        for every in (0.025, 0.1):
            other = await polled(panes, every, length)
            way = f"polled every {every * 1000:.0f} ms"
            what = f"pane byte to editor, {panes} pane{'s' * (panes > 1)}"
            goal = LEAST_RATIO[panes] if every == 0.025 else None
            yield versus(f"{what}, p50", half, percentile(other, 0.5), seconds, other_way=way, at_least=goal)
            row = versus(f"{what}, p99", most, percentile(other, 0.99), seconds, other_way=way)
            if every == 0.025:
                row = Row(row.what, row.ours, row.other, row.ratio, f"<= {seconds(MOST_P99)}", most <= MOST_P99)
            yield row


if __name__ == "__main__":
    main(measure, "A pane's byte until an editor has it.")
