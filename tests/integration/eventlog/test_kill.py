"""SIGKILL at any moment leaves a log that is whole: what was confirmed is there, and nothing is half there."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from politerm.core.wire import RunId
from politerm.eventlog import SqliteLog

RUNS = [RunId("run-0001"), RunId("run-0002")]

WRITE = """
import asyncio, pathlib, sys
from politerm.core.events import RunPaused
from politerm.core.wire import RunId
from politerm.eventlog import SqliteLog

async def write(log, run_id):
    number = 0
    while True:
        number += 1
        events = [RunPaused(reason=f"{number} {place} " + "x" * (number * 37 % 3000)) for place in range(3)]
        stored = await log.append(RunId(run_id), events, at="2026", clock=0.0, durable=number % 5 == 0)
        print(run_id, stored[-1].seq, flush=True)

async def main():
    log = SqliteLog(pathlib.Path(sys.argv[1]))
    await log.open()
    assert log.notices == [], log.notices
    await asyncio.gather(*(write(log, run_id) for run_id in sys.argv[2:]))

asyncio.run(main())
"""


async def test_a_log_is_whole_after_every_kill(folder: Path) -> None:
    """Twenty writers in turn on one log, each killed after a random number of confirmed appends."""
    dice = random.Random(20260101)
    last = dict.fromkeys(RUNS, 0)
    for _ in range(20):
        confirmed = write_and_kill(folder, dice.randrange(0, 60))
        log = SqliteLog(folder, read_only_open=dice.random() < 0.5)
        await log.open()
        for run_id in RUNS:
            told = await log.read(run_id)
            seqs = [each.seq for each in told]
            assert seqs == list(range(1, len(told) + 1))
            assert len(told) >= max(last[run_id], confirmed.get(run_id, 0)), "a confirmed event is lost"
            assert len(told) % 3 == 0, "half a batch is there"
            last[run_id] = len(told)
        assert log.notices == []
        await log.close()
    assert min(last.values()) > 0


def write_and_kill(folder: Path, answers: int) -> dict[RunId, int]:
    """The last seq of each run that the writer said was stored before it was killed."""
    writer = subprocess.Popen([sys.executable, "-c", WRITE, str(folder), *RUNS], stdout=subprocess.PIPE, text=True)
    confirmed: dict[RunId, int] = {}
    assert writer.stdout is not None
    try:
        for _ in range(answers):
            line = writer.stdout.readline()
            assert line, "the writer ended by itself"
            note(confirmed, line)
    finally:
        writer.kill()
        rest = writer.stdout.read()
        writer.wait()
    for line in rest.splitlines(keepends=True):
        if line.endswith("\n"):
            note(confirmed, line)
    return confirmed


def note(confirmed: dict[RunId, int], line: str) -> None:
    run_id, seq = line.split()
    confirmed[RunId(run_id)] = int(seq)
