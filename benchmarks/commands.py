"""One tmux command by our control client, by a process of its own, and by libtmux."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import libtmux

from benchmarks.figures import Row, main, percentile, seconds, versus
from benchmarks.workshop import BareTmux
from politerm.tmux.client import ControlClient
from politerm.tmux.lines import command

QUESTION = ("display-message", "-p", "#{window_width}")
PANES = ("list-panes", "-a", "-F", "#{pane_id} #{pane_pid} #{pane_width}")


async def timed(times: int, call: Callable[[], Awaitable[object]]) -> float:
    """Median seconds of one call after another."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        await call()
        found.append(time.perf_counter() - begun)
    return percentile(found, 0.5)


async def connected(tmux: BareTmux) -> ControlClient:
    client = ControlClient(lambda pane, data: None, lambda name, text: None, lambda words: None)
    argv = (*tmux.argv, "-C", "attach-session", "-t", "bench")
    await client.start(argv, env=os.environ, cwd=Path.cwd(), blocks=1)
    return client


async def measure(quick: bool) -> AsyncIterator[Row]:
    times = 50 if quick else 300
    async with BareTmux.open(50, "idle", go=False) as tmux:
        client = await connected(tmux)
        server = libtmux.Server(socket_path=str(tmux.socket))

        async def by_process() -> None:
            tmux.call(*QUESTION)

        async def by_library() -> None:
            server.cmd(*QUESTION)

        async def panes_by_library() -> None:
            assert len(server.panes) == 50

        async def pipelined() -> None:
            await asyncio.gather(*(client.call(command(*QUESTION)) for _ in range(100)))

        try:
            mine = await timed(times * 4, lambda: client.call(command(*QUESTION)))
            library = await timed(times, by_library)
            process = await timed(times, by_process)
            yield versus("a tmux command, p50", mine, library, seconds, other_way="libtmux", at_least=10)
            yield versus("a tmux command, p50", mine, process, seconds, other_way="process")
            joined = await timed(times // 10, pipelined) / 100
            yield versus("a tmux command, 100 pipelined, each", joined, library, seconds, other_way="libtmux")
            mine = await timed(times, lambda: client.call(command(*PANES)))
            library = await timed(times // 5, panes_by_library)
            yield versus("all of 50 panes, p50", mine, library, seconds, other_way="libtmux objects")
        finally:
            await client.close()


if __name__ == "__main__":
    main(measure, "One tmux command.")
