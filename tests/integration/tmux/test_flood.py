"""A program that writes without end: nothing stands still, nothing grows, what comes after is found."""

from __future__ import annotations

import asyncio
import time

import psutil
import pytest

from politerm.core.wire import Role
from tests.integration.conftest import Rig

LINE = b"0123456789 abcdefghijklmnopqrstuvwxyz \xe4\xb8\xad\xe6\x96\x87 \\ \x1b[1mbold\x1b[0m\r\n"


class Counting:
    """Counts, and keeps the last bytes only."""

    def __init__(self) -> None:
        self.count = 0
        self.tail = b""
        self.over = asyncio.Event()

    def on_output(self, data: bytes) -> None:
        self.count += len(data)
        self.tail = (self.tail + data)[-64:]
        if b"OVER" in self.tail:
            self.over.set()

    def on_gap(self, reason: str) -> None:
        pytest.fail(reason)

    def on_death(self, exit_status: int | None, signal: int | None, reason: str) -> None:
        self.over.set()


async def flood(rig: Rig, megabytes: int) -> None:
    panes = await rig.panes()
    other, sink = await rig.open(panes, "cat", role=Role.EXECUTER)
    count = megabytes * 1024 * 1024 // len(LINE)
    # In raw mode, so that the bytes that arrive are those that were written.
    program = """
        import os, sys, tty
        tty.setraw(1)
        line, count = bytes.fromhex(sys.argv[1]), int(sys.argv[2])
        block = line * 1000
        for _ in range(count // 1000):
            view = memoryview(block)
            while view:
                view = view[os.write(1, view):]
        os.write(1, b"OVER")
        os.read(0, 1)
    """
    ours = psutil.Process()
    before = ours.memory_info().rss
    counting = Counting()
    await panes.open(rig.spec(*rig.python(program, LINE.hex(), str(count))), counting)
    server = psutil.Process(int(str((await panes.report())["serverPid"])))
    laps, looks, most = [], [], 0
    async with asyncio.timeout(100 + megabytes):
        while not counting.over.is_set():
            start = time.monotonic()
            await asyncio.sleep(0.01)
            laps.append(time.monotonic() - start - 0.01)
            if len(laps) % 10 == 0:
                start = time.monotonic()
                await panes.status(other.pane)
                looks.append(time.monotonic() - start)
                most = max(most, ours.memory_info().rss)
    assert counting.count == count // 1000 * 1000 * len(LINE) + len(b"OVER")
    assert most - before < 64 * 1024 * 1024
    assert server.memory_info().rss < 200 * 1024 * 1024
    assert sorted(laps)[len(laps) * 99 // 100] < 1
    assert max(looks) < 5
    await panes.paste(other.pane, "after the flood\n", mark="m")
    await sink.says("after the flood")


async def test_a_flood_is_read_to_the_last_byte(rig: Rig) -> None:
    await flood(rig, 10)


@pytest.mark.soak
async def test_a_long_flood_is_read_to_the_last_byte(rig: Rig) -> None:
    await flood(rig, 100)
