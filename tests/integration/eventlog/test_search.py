"""Finding words in a log: the same hits from the index, without it, and while it is not up to date."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from politerm.core.events import (
    AgentReplied,
    AgentSpec,
    Event,
    MessageReceived,
    PlanEdited,
    PromptRequested,
    RunEnded,
    RunPaused,
    RunStarted,
)
from politerm.core.wire import MessageId, PromptId, Role, RunId
from politerm.eventlog import SqliteLog, search, writer
from politerm.eventlog.search import excerpt, parse, text_of

RUN, OTHER = RunId("run-0001"), RunId("run-0002")

Make = Callable[..., Event]
Query = Callable[[str], list[tuple[object, ...]]]
Indexed = Callable[[int], Awaitable[None]]

TEXTS = {
    1: "Write the PARSER first, then test_parser.py",
    2: "请先写解析器，然后测试。日本語もある",
    3: 'He said "call f(x) AND g(y)" * NEAR 3',
    4: "straße Ünïcode path/to/file-name.ts --flag=1",
    5: "a\nnew line, 100% of it_self",
}

FINDS = {
    "parser": [1],
    "PARSER test": [1],
    "arse": [1],
    "解析器": [2],
    "测试": [2],
    "器": [2],
    "日本 解析": [2],
    '"AND g(y)"': [3],
    "f(x)": [3],
    "AND": [3],
    "*": [3],
    'said "call': [3],
    "NEAR": [3],
    "ünï": [4],
    "to/file-name.ts": [4],
    "--flag=1": [4],
    "STRASSE": [],
    "100%": [5],
    "it_s": [5],
    "new line": [5],
    "line new": [5],
    '"line new"': [],
    "nowhere": [],
    "": [],
    "  ": [],
    '""': [],
    "a": [5, 4, 3, 1],
    "\ud83d": [],
    "the first, parser.py then": [1],
}


@pytest.fixture(params=["indexed", "not indexed", "no index"])
async def filled(
    request: pytest.FixtureRequest,
    log: SqliteLog,
    until_indexed: Indexed,
    query: Query,
    message: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> SqliteLog:
    if request.param == "not indexed":
        monkeypatch.setattr(writer, "IDLE_SECONDS", 3600)
    elif request.param == "no index":
        monkeypatch.setattr(search, "has_search", lambda connection: False)
    await log.append(RUN, [message(text) for text in TEXTS.values()], at="2026", clock=0.0)
    if request.param == "indexed":
        await until_indexed(5)
    return log


async def test_words_are_found_wherever_they_stand(filled: SqliteLog) -> None:
    assert {text: [hit.seq for hit in await filled.search(text)] for text in FINDS} == FINDS


async def test_the_newest_come_first_and_no_more_than_asked_for(
    log: SqliteLog, until_indexed: Indexed, query: Query, message: Make
) -> None:
    for run_id in (RUN, OTHER):
        await log.append(run_id, [message(f"needle {number}") for number in range(30)], at="2026", clock=0.0)
    await until_indexed(60)
    await log.append(RUN, [message("needle last")], at="2026", clock=0.0)
    hits = await log.search("needle", limit=32)
    expected = [(RUN, 31), *((OTHER, seq) for seq in range(30, 0, -1)), (RUN, 30)]
    assert [(hit.run_id, hit.seq) for hit in hits] == expected


async def test_what_is_searched(log: SqliteLog) -> None:
    agents = {Role.PLANNER: AgentSpec(name="needle")}
    events: list[Event] = [
        RunStarted(task="a needle task", cwd="/needle", agents=agents, seed="needle"),
        AgentReplied(role=Role.PLANNER, text="needle", source="x"),
        PlanEdited(message_id=MessageId("m"), body="needle"),
        RunEnded(outcome="completed", summary="needle"),
        RunEnded(outcome="completed", reason="needle"),
        RunPaused(reason="needle"),
        PromptRequested(
            prompt_id=PromptId("p"), to=Role.PLANNER, text="needle", origin="relay", key="needle", incarnation=1
        ),
        MessageReceived(
            message_id=MessageId("needle"), sender=Role.PLANNER, to=Role.USER, kind="status", body="x", source="needle"
        ),
    ]
    await log.append(RUN, events, at="2026", clock=0.0)
    assert [hit.seq for hit in await log.search("needle")] == [4, 3, 2, 1]


async def test_a_deleted_runs_words_leave_the_index(
    log: SqliteLog, until_indexed: Indexed, query: Query, message: Make
) -> None:
    await log.append(RUN, [message("needle in the first")], at="2026", clock=0.0)
    await log.append(OTHER, [message("needle in the second")], at="2026", clock=0.0)
    await until_indexed(2)
    await log.delete(RUN)
    assert query("SELECT rowid FROM search WHERE search MATCH 'needle'") == [(2,)]
    assert query("SELECT rowid FROM search WHERE search MATCH 'first'") == []


async def test_numbers_that_come_again_after_a_restart_are_indexed_again(
    folder: Path, until_indexed: Indexed, message: Make
) -> None:
    for word in ("first", "second"):
        log = SqliteLog(folder)
        await log.open()
        await log.append(RUN, [message(f"the {word} needle")], at="2026", clock=0.0)
        await until_indexed(1)
        assert [hit.seq for hit in await log.search(word)] == [1]
        await log.delete(RUN)
        assert await log.search("needle") == []
        await log.close()


async def test_indexing_goes_on_in_portions_until_it_is_done(
    log: SqliteLog, until_indexed: Indexed, query: Query, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PORTION_EVENTS", 7)
    await log.append(RUN, [message(f"needle {number}") for number in range(30)], at="2026", clock=0.0)
    await until_indexed(30)
    assert len(query("SELECT rowid FROM search WHERE search MATCH 'needle'")) == 30


async def test_a_very_long_question_is_answered(
    log: SqliteLog, until_indexed: Indexed, query: Query, message: Make
) -> None:
    words = " ".join(f"word{number}" for number in range(2000))
    await log.append(RUN, [message(f"x {words} x")], at="2026", clock=0.0)
    await until_indexed(1)
    assert [hit.seq for hit in await log.search(words)] == [1]
    assert [hit.seq for hit in await log.search(f'"{words}"')] == [1]


def test_an_excerpt_is_one_line_around_the_first_hit() -> None:
    [word] = parse("NEEDLE").words
    text = "x" * 500 + "\n  a needle\there  " + "y" * 500
    line = excerpt(text, word)
    assert "a needle here yyy" in line
    assert line.startswith("…x")
    assert line.endswith("y…")
    assert len(line) < 250
    assert excerpt("needle", word) == "needle"


def test_what_damage_made_of_an_event_has_no_text() -> None:
    for stored in (b"", b"[]", b'{"event": 3}', b'{"event": {}}', b'{"event": {"type": "agentReplied", "text": 3}}'):
        assert text_of(stored) == ""
