"""Events into the log and out again, against the same rows put into bare SQLite with the same promise to last.

Both sides write to the same disk in turn, several times; the figure is the median of the ratios of pairs.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks.figures import Row, bounded, each_second, main, seconds, versus
from politerm.core.events import Event, MessageReceived
from politerm.core.wire import MessageId, Role, RunId
from politerm.eventlog import SqliteLog

MOST_PRICE = 3.0
MOST_REPLAY = 0.1
REPLAYED = 100_000
AT = "2026-01-01T00:00:00.000Z"
EVENT: Event = MessageReceived(
    message_id=MessageId("m-0001"),
    sender=Role.PLANNER,
    to=Role.EXECUTER,
    kind="plan",
    body="Add a parser for the header, then its test. " * 4,
    source="transcript",
)


async def into_the_log(folder: Path, writers: int, batches: int, size: int, *, durable: bool) -> float:
    """Events a second that `writers` runs store at once, each in batches that it waits for."""
    log = SqliteLog(folder)
    await log.open()

    async def write(run_id: RunId) -> None:
        for _ in range(batches):
            await log.append(run_id, [EVENT] * size, at=AT, clock=1.0, durable=durable)

    begun = time.perf_counter()
    await asyncio.gather(*(write(RunId(f"run-{number:04}")) for number in range(writers)))
    spent = time.perf_counter() - begun
    await log.close()
    return writers * batches * size / spent


def into_sqlite(folder: Path, batches: int, size: int, *, durable: bool) -> float:
    """Events a second of a loop that does nothing but insert the same JSON into one indexed table."""
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("CREATE TABLE events (run TEXT, seq INTEGER, envelope TEXT, PRIMARY KEY (run, seq))")
        text = EVENT.model_dump_json(by_alias=True, exclude_none=True)
        begun = time.perf_counter()
        for batch in range(batches):
            rows = [("run-0001", batch * size + place, text) for place in range(size)]
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
        return batches * size / (time.perf_counter() - begun)


async def lag_while_writing(folder: Path, length: float) -> float:
    """The loop's longest delay, in seconds, while eight runs write as fast as they can."""
    log = SqliteLog(folder)
    await log.open()
    worst = 0.0
    end = time.monotonic() + length

    async def write(run_id: RunId) -> None:
        while time.monotonic() < end:
            await log.append(run_id, [EVENT] * 10, at=AT, clock=1.0, durable=True)

    async def look() -> None:
        nonlocal worst
        while (before := time.monotonic()) < end:
            await asyncio.sleep(0.001)
            worst = max(worst, time.monotonic() - before - 0.001)

    await asyncio.gather(look(), *(write(RunId(f"run-{number:04}")) for number in range(8)))
    await log.close()
    return worst


async def measure(quick: bool) -> AsyncIterator[Row]:
    rounds = 3 if quick else 7
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for what, writers, size, durable, batches in (
            ("an event stored, batches of 10, 8 runs", 8, 10, False, 60),
            ("an event stored, one at a time, 64 runs", 64, 1, False, 40),
            ("the same, to outlive a power loss", 64, 1, True, 10),
        ):
            pairs = []
            for number in range(rounds):
                name = f"{what[:20]}{durable}{number}"
                ours = await into_the_log(root / f"{name} ours", writers, batches, size, durable=durable)
                bare = into_sqlite(root / f"{name} bare", writers * batches, size, durable=durable)
                pairs.append((1 / ours, 1 / bare))
            ours, bare = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
            yield versus(what, ours, bare, seconds, other_way="bare SQLite", at_most=MOST_PRICE)

        log = SqliteLog(root / "replay")
        await log.open()
        for _ in range(REPLAYED // 1000):
            await log.append(RunId("run-0001"), [EVENT] * 1000, at=AT, clock=1.0)
        raw, decoded = [], []
        for _ in range(rounds):
            begun = time.perf_counter()
            assert len(await log.read_raw(RunId("run-0001"))) == REPLAYED
            raw.append(time.perf_counter() - begun)
        for _ in range(2 if quick else 3):
            begun = time.perf_counter()
            assert len(await log.read(RunId("run-0001"))) == REPLAYED
            decoded.append(time.perf_counter() - begun)
        yield bounded(f"{REPLAYED:,} events replayed as stored", statistics.median(raw), seconds, at_most=MOST_REPLAY)
        yield Row(f"{REPLAYED:,} events replayed as objects", seconds(statistics.median(decoded)))
        yield Row("events read as objects", each_second(REPLAYED / statistics.median(decoded)))
        await log.close()
        yield Row("longest delay of the loop while 8 runs write", seconds(await lag_while_writing(root / "lag", 2.0)))


if __name__ == "__main__":
    main(measure, __doc__ or "")
