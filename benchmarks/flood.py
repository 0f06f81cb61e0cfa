"""Panes that print as fast as they can: what gets through, and how long other requests wait meanwhile.

One pane's flood passes our whole server (decoding, redaction, recording, rules, an editor's frames); beside it a
control client that only counts bytes. Fifty floods go to an editor; beside it a notification for each chunk.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Row, main, percentile, rate, seconds, versus
from benchmarks.programs import PROGRESS
from benchmarks.serving import BARE
from benchmarks.workshop import BareTmux, Editor, Workshop
from politerm.tmux.client import ControlClient

SETTLE = 1.0
ASK_EVERY = 0.05
ROUNDS = 3
"""A flood varies up to twofold between repetitions: both ways take turns, and their medians count."""


def written(folder: Path) -> int:
    """Bytes that all floods which note their progress here have written."""
    total = 0
    for note in folder.iterdir():
        with contextlib.suppress(OSError):
            data = note.read_bytes()
            total += PROGRESS.unpack(data)[1] if len(data) == PROGRESS.size else 0
    return total


async def through(folder: Path, length: float) -> float:
    """Bytes a second that the floods wrote: all of it has been taken by whoever reads."""
    await asyncio.sleep(SETTLE)
    before, begun = written(folder), time.monotonic()
    await asyncio.sleep(length)
    return (written(folder) - before) / (time.monotonic() - begun)


async def one_through_us(length: float) -> float:
    async with Workshop.open() as workshop:
        folder = workshop.house.root / "progress"
        folder.mkdir()
        made = await workshop.panes(1, "flood", folder)
        await workshop.watch(made)
        await workshop.go(made)
        return await through(folder, length)


async def one_counted(length: float) -> float:
    counted = 0

    def count(pane: str, data: bytes) -> None:
        nonlocal counted
        counted += len(data)

    async with BareTmux.open(1, "flood", go=False) as tmux:
        client = ControlClient(count, lambda name, text: None, lambda words: None)
        argv = (*tmux.argv, "-C", "attach-session", "-t", "bench")
        await client.start(argv, env=os.environ, cwd=Path.cwd(), blocks=1)
        try:
            tmux.go()
            await asyncio.sleep(SETTLE)
            before, begun = counted, time.monotonic()
            await asyncio.sleep(length)
            return (counted - before) / (time.monotonic() - begun)
        finally:
            await client.close()


async def asked(editor: Editor, name: str, length: float, **arguments: Any) -> list[float]:
    """How long requests took, asked one after another for so long."""
    found = []
    end = time.monotonic() + length
    while (begun := time.monotonic()) < end:
        await editor.command(name, **arguments)
        found.append(time.monotonic() - begun)
        await asyncio.sleep(max(0.0, ASK_EVERY - found[-1]))
    return found


class Received:
    """Bytes of pane text that an editor got."""

    def __init__(self, editor: Editor, method: str) -> None:
        self.method = method
        self.size = 0
        editor.on_notice = self._count

    def _count(self, method: str, params: dict[str, Any], size: int) -> None:
        if method == self.method:
            self.size += len(params["data"])


async def many_through_us(panes: int, length: float) -> tuple[float, list[float]]:
    async with Workshop.open() as workshop:
        made = await workshop.panes(panes, "flood")
        await workshop.watch(made)
        await workshop.go(made)
        await asyncio.sleep(SETTLE)
        received = Received(workshop.editor, "politerm/paneOutput")
        begun = time.monotonic()
        waits = await asked(workshop.editor, "politerm.run.get", length, runId=made[0][0])
        return received.size / (time.monotonic() - begun), waits


async def many_by_chunks(panes: int, length: float) -> tuple[float, list[float]]:
    async with BareTmux.open(panes, "flood", go=False) as tmux:
        command = (*BARE, "tmux", str(tmux.socket))
        async with Editor.spawn(command, env={}, cwd=tmux.socket.parent) as editor:
            await editor.initialize(tmux.socket.parent)
            tmux.go()
            await asyncio.sleep(SETTLE)
            received = Received(editor, "pane/output")
            begun = time.monotonic()
            waits = await asked(editor, "echo", length)
            return received.size / (time.monotonic() - begun), waits


async def measure(quick: bool) -> AsyncIterator[Row]:
    length, rounds = (2.0, 1) if quick else (4.0, ROUNDS)
    ours, counted = [], []
    for _ in range(rounds):
        ours.append(await one_through_us(length))
        counted.append(await one_counted(length))
    yield versus(
        "one flood through the server to an editor",
        percentile(ours, 0.5),
        percentile(counted, 0.5),
        rate,
        other_way="only counted",
        at_least=0.8,
        more_is_better=True,
    )
    size, waits = await many_through_us(50, length * 1.5)
    plain, plain_waits = await many_by_chunks(50, length * 1.5)
    what = "50 floods to an editor"
    yield versus(what, size, plain, rate, other_way="notify per chunk", at_least=3, more_is_better=True)
    mine, other = percentile(waits, 0.99), percentile(plain_waits, 0.99)
    what = "50 floods, other requests, p99"
    yield versus(what, mine, other, seconds, other_way="notify per chunk", at_least=20)


if __name__ == "__main__":
    main(measure, "Panes that print as fast as they can.")
