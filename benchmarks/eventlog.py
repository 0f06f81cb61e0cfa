"""The event log beside bare SQLite: what an event costs at the same durability, and how fast a long run is read."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Row, bounded, each_second, main, percentile, seconds, versus
from politerm.core.events import AgentReplied, AgentSpec, Envelope, MessageReceived, RunStarted
from politerm.core.projections import fold
from politerm.core.wire import MessageId, PromptId, Role, RunId
from politerm.eventlog import SqliteLog

RUN = RunId("bench-0001")
AT = "2026-01-01T00:00:00.000Z"
BODY = "Add a function that splits a path into its parts, with a test for each kind of path. " * 6
AGENTS = {role: AgentSpec(name="bench") for role in (Role.PLANNER, Role.EXECUTER)}
STARTED = RunStarted(task="bench", cwd="/", agents=AGENTS, seed="s" * 32)
WRITERS = 50
"""Runs that store at the same time: what waits shares a transaction."""
REPLAYED = 100_000
MOST_REPLAY = 0.1
LAG_EVERY = 0.001


def an_event(number: int) -> MessageReceived | AgentReplied:
    """Every fourth event is a message of some 500 bytes, the others are short."""
    if number % 4:
        return AgentReplied(role=Role.EXECUTER, text=f"Working on part {number}.", source="transcript")
    return MessageReceived(
        message_id=MessageId(f"m{number}"),
        sender=Role.PLANNER,
        to=Role.EXECUTER,
        kind="plan",
        body=BODY,
        source="transcript",
        round=1,
        turn=PromptId("p1"),
    )


class Bare:
    """A table of JSON and nothing else, written on the calling thread."""

    def __init__(self, path: Path, *, durable: bool) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._connection.execute("CREATE TABLE events (n INTEGER PRIMARY KEY, envelope TEXT NOT NULL)")

    def insert(self, events: list[dict[str, Any]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        rows = [(json.dumps(event),) for event in events]
        self._connection.executemany("INSERT INTO events (envelope) VALUES (?)", rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def as_dicts(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        envelope = Envelope(run_id=RUN, seq=number + 1, at=AT, clock=float(number), event=an_event(number))
        yield envelope.model_dump(mode="json", by_alias=True, exclude_none=True)


async def appended(folder: Path, batch: int, times: int, *, durable: bool) -> float:
    """Median seconds of one append of so many events."""
    log = SqliteLog(folder)
    await log.open()
    found = []
    try:
        for _ in range(times):
            events = [an_event(number) for number in range(batch)]
            begun = time.perf_counter()
            await log.append(RUN, events, at=AT, clock=0.0, durable=durable)
            found.append(time.perf_counter() - begun)
    finally:
        await log.close()
    return percentile(found, 0.5)


def inserted(folder: Path, batch: int, times: int, *, durable: bool) -> float:
    bare = Bare(Path(tempfile.mkdtemp(dir=folder), "bare.db"), durable=durable)
    events = list(as_dicts(batch))
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        bare.insert(events)
        found.append(time.perf_counter() - begun)
    bare.close()
    return percentile(found, 0.5)


async def many_writers(folder: Path, each: int) -> tuple[float, float]:
    """Events a second of many runs that store durably one by one, and the loop's lag meanwhile (p99, seconds)."""
    log = SqliteLog(folder)
    await log.open()
    lags: list[float] = []

    async def watch() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(LAG_EVERY)
            lags.append(time.perf_counter() - begun - LAG_EVERY)

    async def write(run: int) -> None:
        for number in range(each):
            await log.append(RunId(f"bench-{run:04d}"), [an_event(number)], at=AT, clock=0.0, durable=True)

    watching = asyncio.create_task(watch())
    begun = time.perf_counter()
    try:
        await asyncio.gather(*(write(run) for run in range(WRITERS)))
        passed = time.perf_counter() - begun
    finally:
        watching.cancel()
        await log.close()
    return WRITERS * each / passed, percentile(lags, 0.99)


async def replayed(folder: Path) -> tuple[float, float]:
    """Seconds to read 100,000 events as they are stored, and to read and fold them into a run."""
    log = SqliteLog(folder)
    await log.open()
    try:
        await log.append(RUN, [STARTED], at=AT, clock=0.0)
        for start in range(0, REPLAYED, 5000):
            await log.append(RUN, [an_event(start + number) for number in range(5000)], at=AT, clock=0.0)
        begun = time.perf_counter()
        raw = await log.read_raw(RUN)
        as_stored = time.perf_counter() - begun
        assert len(raw) == REPLAYED + 1
        begun = time.perf_counter()
        fold(RUN, await log.read(RUN))
        return as_stored, time.perf_counter() - begun
    finally:
        await log.close()


async def measure(quick: bool) -> AsyncIterator[Row]:
    times = 100 if quick else 500
    with tempfile.TemporaryDirectory(prefix="politerm-bench-") as root:
        folder = Path(root)
        for durable, word in ((False, "survives our death"), (True, "survives power loss")):
            for batch in (1, 10):
                mine = await appended(folder / f"log-{batch}-{durable}", batch, times, durable=durable)
                bare = inserted(folder, batch, times, durable=durable)
                what = f"{batch} event{'s' * (batch > 1)} stored, {word}, p50"
                yield versus(what, mine, bare, seconds, other_way="bare SQLite", at_most=3)
        rate, lag = await many_writers(folder / "many", 10 if quick else 40)
        bare_rate = 1 / inserted(folder, 1, times // 2, durable=True)
        what = f"{WRITERS} runs store durably, one by one"
        yield versus(what, rate, bare_rate, each_second, other_way="bare SQLite, one writer", more_is_better=True)
        yield bounded(f"{WRITERS} runs store, the loop's lag, p99", lag, seconds, at_most=0.05)
        as_stored, folded = await replayed(folder / "replay")
        yield bounded("100,000 events read as stored", as_stored, seconds, at_most=MOST_REPLAY)
        yield Row("100,000 events read, checked and folded", seconds(folded))


if __name__ == "__main__":
    main(measure, "The event log beside bare SQLite.")
