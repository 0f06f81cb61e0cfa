"""The language server itself beside a bare pygls server: from its start to `initialize` answered, and one request."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from benchmarks import bare_pygls
from benchmarks.figures import Row, main, percentile, seconds, versus
from benchmarks.workshop import SERVE, Editor
from tests.e2e.runs.house import House

BARE = (sys.executable, bare_pygls.__file__)
STRETCH = 0.03


async def started(command: Sequence[str], house: House) -> float:
    """Seconds from the start of the process to the answer."""
    begun = time.perf_counter()
    async with Editor.spawn(command, env=house.env, cwd=house.workspace) as editor:
        await editor.initialize(house.workspace)
        passed = time.perf_counter() - begun
        await editor.leave()
    return passed


async def asked(editor: Editor, name: str, times: int) -> float:
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        await editor.command(name)
        found.append(time.perf_counter() - begun)
    return percentile(found, 0.5)


async def measure(quick: bool) -> AsyncIterator[Row]:
    with tempfile.TemporaryDirectory(prefix="politerm-bench-", ignore_cleanup_errors=True) as folder:
        house = House(Path(folder), folder="work")
        try:
            mine, bare = [], []
            for _ in range(5 if quick else 15):
                mine.append(await started(SERVE, house))
                bare.append(await started(BARE, house))
            half = percentile(mine, 0.5)
            what = "start to initialize answered, p50"
            yield versus(what, half, percentile(bare, 0.5), seconds, other_way="bare pygls", at_most=1.1)
            async with contextlib.AsyncExitStack() as stack:
                ours = await stack.enter_async_context(Editor.spawn(SERVE, env=house.env, cwd=house.workspace))
                other = await stack.enter_async_context(Editor.spawn(BARE, env=house.env, cwd=house.workspace))
                await ours.initialize(house.workspace)
                await other.initialize(house.workspace)
                times = 200 if quick else 1000
                await asked(ours, "politerm.attention.list", 20)
                mine_asked = await asked(ours, "politerm.attention.list", times)
                bare_asked = await asked(other, "echo", times)
                yield versus("a request, p50", mine_asked, bare_asked, seconds, other_way="pygls default")
                await ours.leave()
        finally:
            house.reap()


if __name__ == "__main__":
    main(measure, "The language server beside a bare pygls server.")
