"""Reading the log in threads, each with a connection of its own, so that neither the loop nor the writer waits.

It gives out stored bytes, or events made of them; it does not know who follows what.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from politerm.core.events import Envelope
from politerm.core.wire import RunId
from politerm.errors import LogError
from politerm.eventlog.follow import Page, Stored
from politerm.eventlog.schema import connect_reader

Answer = TypeVar("Answer")

THREADS = 3
"""So that a long search or export holds up no follower."""

PAGE_EVENTS = 512
PAGE_BYTES = 4 * 1024 * 1024
"""Bounds of one look of a follower, in events and in stored JSON."""


class Readers:
    def __init__(self, db: Path) -> None:
        self._db = db
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="politerm-log-reader")

    async def run(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Call `work` in a thread with a connection. Raises LogError, also for what the database says."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._with_connection, work)
        except RuntimeError as error:  # the executor's word for closed
            raise LogError("The event log is closed.") from error

    def close(self) -> None:
        """Wait for what runs, then close all connections."""
        self._pool.shutdown(wait=True)
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _with_connection(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        connection = None
        try:
            connection = self._take()
            answer = work(connection)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, sqlite3.Error):
                raise LogError(
                    f"The event log {self._db} cannot be read ({error}).",
                    hint="Check the disk; a damaged log is set aside when the next server starts.",
                ) from error
            raise
        if self._is_kept(connection):
            self._idle.put(connection)
        else:
            connection.close()
        return answer

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return connect_reader(self._db)

    def _is_kept(self, connection: sqlite3.Connection) -> bool:
        """Not the stand-in for a log that is not there yet: the next look may find one."""
        return bool(connection.execute("PRAGMA database_list").fetchone()[2])


def run_ids(connection: sqlite3.Connection) -> list[RunId]:
    rows = connection.execute("SELECT run_id FROM runs ORDER BY first_at DESC, run DESC")
    return [RunId(run_id.decode()) for (run_id,) in rows]


def open_run_ids(connection: sqlite3.Connection) -> list[RunId]:
    """Runs that go on: their last event is not their end."""
    rows = connection.execute(
        "SELECT run_id FROM runs JOIN events USING (run)"
        " WHERE seq = (SELECT max(seq) FROM events AS last WHERE last.run = runs.run)"
        " AND json_extract(envelope, '$.event.type') <> 'runEnded' ORDER BY first_at DESC, run DESC"
    )
    return [RunId(run_id.decode()) for (run_id,) in rows]


def raw(connection: sqlite3.Connection, run_id: RunId, after: int, limit: int | None) -> list[bytes]:
    """Stored JSON of a run's envelopes, in order."""
    run = connection.execute("SELECT run FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    if run is None:
        return []
    rows = connection.execute(
        "SELECT envelope FROM events WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?",
        (run[0], after, -1 if limit is None else limit),
    )
    return list(chain.from_iterable(rows))


def last_number(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(n), 0) FROM events").fetchone()[0])


def page(connection: sqlite3.Connection, run_id: RunId | None, cursor: int | None) -> tuple[int, Page]:
    """A follower's next events, and the cursor they come after (the log's end where none was given)."""
    if cursor is None:
        return last_number(connection), Page([], more=False)
    if run_id is None:
        rows = connection.execute("SELECT n, envelope FROM events WHERE n > ? ORDER BY n", (cursor,))
    else:
        rows = connection.execute(
            """
            SELECT n, envelope FROM events
            WHERE run = (SELECT run FROM runs WHERE run_id = ?) AND seq > ? ORDER BY seq
            """,
            (run_id, cursor),
        )
    events: list[Stored] = []
    size = 0
    for n, envelope in rows:
        events.append(Stored(n, len(envelope), decode(envelope)))
        size += len(envelope)
        if len(events) >= PAGE_EVENTS or size >= PAGE_BYTES:
            rows.close()
            return cursor, Page(events, more=True)
    return cursor, Page(events, more=False)


def decode(envelope: bytes) -> Envelope:
    """Raises LogError for what this version does not understand; that is never passed over in silence."""
    try:
        return Envelope.model_validate_json(envelope)
    except ValidationError as error:
        raise LogError(
            f"A stored event cannot be understood ({error.error_count()} errors): {envelope[:200]!r}"
        ) from error
