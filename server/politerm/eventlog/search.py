"""Words in a log: which text an event has, the index over it, and finding all given words in it.

A word is found wherever it stands, inside other words too, in any case; in Chinese and Japanese, where words have no
spaces, that is the only sense a word has. Words of three characters and more go through FTS5's trigram index; shorter
ones, and events not indexed yet, are looked through one by one. It does not know when the index is brought up to date.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator
from contextlib import closing
from typing import NamedTuple

import orjson

from politerm.core.wire import RunId
from politerm.engine.ports import Hit
from politerm.eventlog.schema import has_search

TRIGRAM = 3
"""Characters that the index needs at least: FTS5's trigram tokenizer has no token for less."""

TEXT_OF = {
    "messageReceived": "body",
    "agentReplied": "text",
    "planEdited": "body",
    "runQueued": "task",
    "runStarted": "task",
    "runEnded": "summary",
}
"""Event type -> the field that people search. Whoever changes this drops the index, which is then made anew."""

PORTION_CHARACTERS = 65_536
PORTION_EVENTS = 500
"""How much is indexed in one transaction, which an append may have to wait for."""

BEFORE, AFTER = 60, 120
"""Characters of an excerpt before and after the first word's place."""


class Query(NamedTuple):
    words: tuple[re.Pattern[str], ...]
    match: str
    """The FTS5 expression of the words that are long enough for the index; empty if none is."""


def parse(text: str) -> Query:
    """Words, all of which must be found; "in quotes" they are one. Nothing the user writes is FTS5 syntax."""
    clean = text.replace("\0", " ").encode(errors="replace").decode()
    found = re.findall(r'"([^"]+)"(?=\s|$)|(\S+)', clean)
    words = [phrase.strip() or word for phrase, word in found]
    words = [word for word in words if word]
    quoted = [f'"{word.replace(chr(34), chr(34) * 2)}"' for word in words if len(word) >= TRIGRAM]
    return Query(tuple(re.compile(re.escape(word), re.IGNORECASE) for word in words), " AND ".join(quoted))


def text_of(envelope: bytes | str) -> str:
    """The searchable text of a stored event; empty where it has none, or where damage has made it unreadable."""
    try:
        event = orjson.loads(envelope)["event"]
        text = event.get(TEXT_OF.get(event["type"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return text if isinstance(text, str) else ""


def excerpt(text: str, word: re.Pattern[str]) -> str:
    """One line around the first place of the word."""
    place = word.search(text)
    start, end = place.span() if place else (0, 0)
    first, last = max(0, start - BEFORE), min(len(text), end + AFTER)
    line = " ".join(text[first:last].split())
    return f"{'…' if first else ''}{line}{'…' if last < len(text) else ''}"


def find(connection: sqlite3.Connection, text: str, limit: int) -> list[Hit]:
    """At most `limit` hits, newest first, one an event. Errors: sqlite3.Error of the log itself, not of the index."""
    query = parse(text)
    if not query.words:
        return []
    hits: list[Hit] = []
    connection.execute("BEGIN")  # one view of the log for all that follows
    try:
        upto: int = connection.execute("SELECT upto FROM indexed").fetchone()[0]
        if not query.match or not has_search(connection):
            upto = 0
        with closing(_candidates(connection, query, upto)) as rows:
            for run_id, seq, envelope in rows:
                found = text_of(envelope)
                if all(word.search(found) for word in query.words):
                    hits.append(Hit(RunId(run_id.decode()), seq, excerpt(found, query.words[0])))
                    if len(hits) >= limit:
                        break
    finally:
        connection.execute("ROLLBACK")
    return hits


def _candidates(
    connection: sqlite3.Connection, query: Query, upto: int
) -> Generator[tuple[bytes, int, bytes], None, None]:
    """Rows (run id, seq, envelope) that may hold the words, newest first. A damaged index counts as none."""
    row = "SELECT run_id, seq, envelope FROM events JOIN runs USING (run)"
    yield from connection.execute(f"{row} WHERE n > ? ORDER BY n DESC", (upto,))
    if not upto:
        return
    seen = upto + 1
    try:
        numbers = connection.execute(
            "SELECT rowid FROM search WHERE search MATCH ? AND rowid <= ? ORDER BY rowid DESC", (query.match, upto)
        )
        for (number,) in numbers:
            yield from connection.execute(f"{row} WHERE n = ?", (number,))
            seen = number
    except sqlite3.DatabaseError:
        yield from connection.execute(f"{row} WHERE n < ? ORDER BY n DESC", (seen,))


def index_more(connection: sqlite3.Connection) -> bool:
    """Index one portion, in the caller's transaction; answers whether there is more. Errors: sqlite3.Error."""
    upto: int = connection.execute("SELECT upto FROM indexed").fetchone()[0]
    characters, rows, last = 0, 0, upto
    for n, envelope in connection.execute("SELECT n, envelope FROM events WHERE n > ? ORDER BY n", (upto,)):
        if characters > PORTION_CHARACTERS or rows >= PORTION_EVENTS:
            connection.execute("UPDATE indexed SET upto = ?", (last,))
            return True
        text = text_of(envelope)
        if text:
            connection.execute("INSERT INTO search (rowid, text) VALUES (?, ?)", (n, text))
        characters, rows, last = characters + len(text), rows + 1, n
    if last != upto:
        connection.execute("UPDATE indexed SET upto = ?", (last,))
    return False


def forget(connection: sqlite3.Connection, run: int) -> None:
    """Take a run's texts out of the index, in the caller's transaction, before its events go. Errors: sqlite3.Error."""
    upto: int = connection.execute("SELECT upto FROM indexed").fetchone()[0]
    rows = connection.execute("SELECT n, envelope FROM events WHERE run = ? AND n <= ?", (run, upto))
    for n, envelope in rows:
        if text := text_of(envelope):
            connection.execute("INSERT INTO search (search, rowid, text) VALUES ('delete', ?, ?)", (n, text))
