"""The log as the engine sees it: append, read, follow, search, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from politerm.core.events import Envelope, Event, RunEnded, TurnEnded
from politerm.core.wire import Role, RunId
from politerm.errors import LogError
from politerm.eventlog import SqliteLog
from politerm.eventlog import follow as following

ONE, TWO = RunId("run-0001"), RunId("run-0002")
AT = "2026-01-01T00:00:00.000Z"

Make = Callable[..., Event]


async def put(log: SqliteLog, run_id: RunId, *events: Event, at: str = AT) -> list[int]:
    return [each.seq for each in await log.append(run_id, events, at=at, clock=1.5)]


async def take(follower: following.Follower, number: int) -> list[Envelope]:
    async with asyncio.timeout(20):
        return [await anext(follower) for _ in range(number)]


async def test_what_is_appended_is_numbered_without_gaps_and_read_as_it_was(log: SqliteLog, message: Make) -> None:
    event = message("plan\n日本語 \x00 \x1b[31m", key="x", nothing=None)
    first = await log.append(ONE, [event, event], at=AT, clock=1.5)
    assert await put(log, TWO, event) == [1]
    assert await put(log, ONE, event) == [3]
    assert await log.append(ONE, [], at=AT, clock=2.0) == []
    assert first[0] == Envelope(run_id=ONE, seq=1, at=AT, clock=1.5, event=event)
    assert [each.seq for each in await log.read(ONE)] == [1, 2, 3]
    assert (await log.read(ONE, after=1, limit=1)) == [first[1]]
    assert await log.read(RunId("run-none")) == []


async def test_raw_is_the_envelope_as_it_travels(log: SqliteLog, message: Make) -> None:
    [envelope] = await log.append(ONE, [message("a")], at=AT, clock=0.0)
    assert [orjson.loads(each) for each in await log.read_raw(ONE)] == [envelope.to_json()]
    assert await log.read_raw(ONE, 1) == []


async def test_half_a_surrogate_pair_is_stored_as_a_replacement_and_given_back_so(
    log: SqliteLog, message: Make
) -> None:
    [envelope] = await log.append(ONE, [message("a \ud83d b \ud83d\ude00", key=["\udc00"])], at=AT, clock=0.0)
    assert envelope.event.body == "a \ufffd b 😀"  # type: ignore[union-attr]
    assert await log.read(ONE) == [envelope]


async def test_open_runs_are_those_whose_last_event_is_not_their_end(log: SqliteLog, message: Make) -> None:
    await put(log, ONE, message("a"), RunEnded(outcome="completed"), at="2026-01-01")
    await put(log, TWO, message("b"), message("runEnded"), at="2026-01-02")
    assert await log.open_runs() == [TWO]
    await put(log, TWO, RunEnded(outcome="stopped"))
    assert await log.open_runs() == []


async def test_runs_are_listed_newest_first(log: SqliteLog, message: Make) -> None:
    await put(log, ONE, message("a"), at="2026-01-02")
    await put(log, TWO, message("a"), at="2026-01-03")
    await put(log, RunId("run-0003"), message("a"), at="2026-01-01")
    await put(log, ONE, message("a"), at="2026-01-09")
    assert await log.runs() == [TWO, ONE, "run-0003"]


async def test_many_writers_at_once_each_get_their_own_place(log: SqliteLog, message: Make) -> None:
    answers = await asyncio.gather(
        *(put(log, run_id, message("a"), message("b")) for _ in range(200) for run_id in (ONE, TWO))
    )
    for run_id, own in ((ONE, answers[::2]), (TWO, answers[1::2])):
        assert [seq for pair in own for seq in pair] == list(range(1, 401))
        assert [each.seq for each in await log.read(run_id)] == list(range(1, 401))


async def test_a_cancelled_append_still_reaches_followers(log: SqliteLog, message: Make) -> None:
    follower = log.follow(ONE)
    waiting = asyncio.create_task(put(log, ONE, message("a")))
    await asyncio.sleep(0)
    waiting.cancel()
    await put(log, ONE, message("b"))
    told = await take(follower, len(await log.read(ONE)))
    assert [each.seq for each in told] == list(range(1, len(told) + 1))


async def test_following_gives_stored_events_then_new_ones(log: SqliteLog, message: Make) -> None:
    await put(log, ONE, *(message(str(number)) for number in range(5)))
    follower = log.follow(ONE, after=2)
    assert [each.seq for each in await take(follower, 3)] == [3, 4, 5]
    waiting = asyncio.create_task(take(follower, 2))
    await put(log, TWO, message("of another run"))
    await put(log, ONE, message("new"), message("newer"))
    assert [each.seq for each in await waiting] == [6, 7]
    await follower.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(follower)


async def test_following_all_runs_begins_with_the_call(log: SqliteLog, message: Make) -> None:
    await put(log, ONE, message("before"))
    follower = log.follow()
    await put(log, TWO, message("a"))
    await put(log, ONE, message("b"))
    assert [(each.run_id, each.seq) for each in await take(follower, 2)] == [(TWO, 1), (ONE, 2)]


@pytest.mark.parametrize("run_id", [ONE, None])
async def test_a_slow_reader_loses_nothing_and_fills_no_memory(
    log: SqliteLog, message: Make, monkeypatch: pytest.MonkeyPatch, run_id: RunId | None
) -> None:
    monkeypatch.setattr(following, "QUEUE_EVENTS", 10)
    follower = log.follow(run_id)
    for number in range(50):
        await put(log, ONE, *(message(str(number)) for _ in range(20)))
        assert len(follower._queue) <= 10
        if number == 25:
            assert [each.seq for each in await take(follower, 3)] == [1, 2, 3]
    assert [each.seq for each in await take(follower, 997)] == list(range(4, 1001))


async def test_a_readers_queue_is_bounded_in_bytes_as_well(log: SqliteLog, message: Make) -> None:
    follower = log.follow()
    for _ in range(6):
        await put(log, ONE, message("x" * 1_000_000))
        assert sum(each.size for each in follower._queue) <= following.QUEUE_BYTES
    assert [each.seq for each in await take(follower, 6)] == [1, 2, 3, 4, 5, 6]


async def test_readers_at_every_speed_see_the_same_while_it_is_written(
    log: SqliteLog, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "QUEUE_EVENTS", 7)

    async def follow(after: int, pause: int) -> list[int]:
        seen = []
        async for envelope in log.follow(ONE, after=after):
            seen.append(envelope.seq)
            if envelope.seq == 2000:
                return seen
            if pause and envelope.seq % pause == 0:
                await asyncio.sleep(0.001)
        return seen

    readers = [asyncio.create_task(follow(after, pause)) for after, pause in ((0, 0), (0, 3), (50, 40), (999, 1))]
    for number in range(400):
        await put(log, ONE, *(message(str(number)) for _ in range(5)))
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*readers)
    assert answers == [list(range(after + 1, 2001)) for after in (0, 0, 50, 999)]


async def test_a_reader_that_was_interrupted_goes_on_where_it_was(log: SqliteLog, message: Make) -> None:
    await put(log, ONE, message("a"), message("b"))
    follower = log.follow(ONE)
    waiting = asyncio.create_task(anext(follower))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert [each.seq for each in await take(follower, 2)] == [1, 2]


async def test_closing_ends_followers_and_refuses_the_rest_in_a_sentence(folder: Path, message: Make) -> None:
    log = SqliteLog(folder)
    await log.open()
    waiting = asyncio.create_task(anext(log.follow(TWO), None))
    last = asyncio.create_task(put(log, ONE, message("handed over before the close")))
    await asyncio.sleep(0)
    await log.close()
    assert await last == [1]
    assert await asyncio.wait_for(waiting, 10) is None
    for refused in (log.read(ONE), put(log, ONE, message("a")), log.search("a"), log.runs()):
        with pytest.raises(LogError, match="closed"):
            await refused
    assert [file.name for file in folder.iterdir()] == ["politerm.db"]


async def test_another_process_that_only_looks_sees_what_is_written_meanwhile(
    log: SqliteLog, folder: Path, message: Make
) -> None:
    await put(log, ONE, message("a"))
    other = SqliteLog(folder, read_only_open=True)
    await other.open()
    try:
        follower = other.follow(ONE)
        everything = other.follow()
        assert [each.seq for each in await take(follower, 1)] == [1]
        waiting = asyncio.create_task(take(follower, 2))
        first = asyncio.create_task(take(everything, 1))
        await asyncio.sleep(following.POLL_SECONDS * 2)
        await put(log, ONE, message("b"), message("c"))
        assert [each.seq for each in await waiting] == [2, 3]
        assert [each.seq for each in await first] == [2]
        assert other.read_only
        with pytest.raises(LogError, match="reading only"):
            await put(other, ONE, message("d"))
    finally:
        await other.close()


async def test_looking_where_there_is_no_log_makes_none(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "none", read_only_open=True)
    await log.open()
    assert await log.runs() == []
    assert await log.search("x") == []
    await log.close()
    assert list(tmp_path.iterdir()) == []


async def test_the_next_process_goes_on_counting(folder: Path, message: Make) -> None:
    for expected in ([1], [2], [3]):
        log = SqliteLog(folder)
        await log.open()
        assert await put(log, ONE, message("a")) == expected
        assert log.notices == []
        await log.close()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "politerm.db").stat().st_mode & 0o777 == 0o600


async def test_a_deleted_run_is_gone_for_reader_follower_and_search(
    log: SqliteLog, folder: Path, message: Make
) -> None:
    await put(log, ONE, message("needle one"))
    await put(log, TWO, message("needle two"))
    follower = log.follow(ONE, after=1)
    everything = log.follow()
    waiting = asyncio.create_task(anext(follower, None))
    await log.delete(ONE)
    assert await asyncio.wait_for(waiting, 10) is None
    assert await log.runs() == [TWO]
    assert await log.read(ONE) == []
    assert [hit.run_id for hit in await log.search("needle")] == [TWO]
    await log.delete(ONE)
    await log.delete(TWO)
    assert await put(log, TWO, message("again")) == [1]
    assert [each.event.body for each in await take(everything, 1)] == ["again"]  # type: ignore[union-attr]


async def test_a_turn_without_words_is_not_searched_but_kept(log: SqliteLog) -> None:
    await put(log, ONE, TurnEnded(role=Role.PLANNER, how="done", source="needle"), RunEnded(outcome="completed"))
    assert await log.search("needle") == []
    assert len(await log.read(ONE)) == 2
