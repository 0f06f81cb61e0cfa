"""SqliteLog: the event log of one workspace, as engine/ports.py wants it, in `politerm.db` in its state folder.

It puts the parts together: one thread writes (writer.py), some read (reader.py), readers with a cursor are told of
new events on the loop (follow.py), words are found (search.py), a file that cannot be used steps aside (damage.py).
It does not know what an event means.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

from pydantic_core import PydanticSerializationError

from politerm.core.events import EVENT, Envelope, Event
from politerm.core.wire import RunId
from politerm.engine.ports import Hit
from politerm.errors import LogError
from politerm.eventlog import reader, search
from politerm.eventlog.damage import flaw, refuse_links, set_aside
from politerm.eventlog.follow import Follower, Page, Stored
from politerm.eventlog.reader import Readers
from politerm.eventlog.schema import companions, connect_writer, create, has_search, sentence
from politerm.eventlog.writer import Job, Writer
from politerm.private import FILE_MODE, private_folder


def _utc() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


class SqliteLog:
    """Made on the loop, opened with `open`, closed with `close`; all other calls in between.

    `read_only_open`: for a process that only looks (a verb without a server): it makes, changes and sets aside
    nothing, and finds an empty log where there is none. `stamp` names files that are set aside.
    `notices`: sentences for the user about what was found at the opening.
    """

    def __init__(self, folder: Path, *, read_only_open: bool = False, stamp: Callable[[], str] = _utc) -> None:
        self.notices: list[str] = []
        self._db = folder / "politerm.db"
        self._only_reads = read_only_open
        self._stamp = stamp
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers: Readers | None = None
        self._writer: Writer | None = None
        self._made = False
        self._followers: WeakSet[Follower] = WeakSet()
        self._settled: list[Callable[[], None]] = []
        self._last_n = 0
        self._floor = 0

    async def open(self) -> None:
        """Make the log or check the one that is there. Raises LogError for a link in its place, and, opened for
        reading only, for a log that cannot be read. A log that cannot be written is open all the same: `read_only`."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._check_for_reading if self._only_reads else self._set_aside_if_flawed)
        self._readers = Readers(self._db)
        if self._only_reads:
            return
        self._writer = Writer(self._db, connect=self._connect, after_group=self._post)
        with suppress(LogError):  # it stands in `read_only`; whoever only reads is served
            self._last_n = self._floor = await self._submit(reader.last_number, durable=False)

    async def close(self) -> None:
        """Store what was handed over, end all followers, and let go of every file."""
        writer, self._writer = self._writer, None
        readers, self._readers = self._readers, None
        for follower in list(self._followers):
            follower.close()
        if readers is not None:
            await asyncio.to_thread(readers.close)
        if writer is not None:
            # Last, because the connection that is closed last folds the WAL into the database.
            await asyncio.to_thread(writer.close)

    @property
    def read_only(self) -> str | None:
        """Why the last try to write failed, with what to do; None when it did not. It goes by itself within seconds of
        the fault's end, also when nobody appends."""
        if self._only_reads:
            return "The event log was opened for reading only."
        fault = self._writer.fault if self._writer is not None else None
        return str(fault) if fault is not None else None

    async def append(
        self, run_id: RunId, events: Sequence[Event], *, at: str, clock: float, durable: bool = False
    ) -> list[Envelope]:
        """All of them or none, numbered on from the run's last. Raises LogError when they are not stored.

        A caller that is cancelled while it waits does not know whether they are: it has to read. What waits is bounded
        by the callers, each of which waits for its own.
        """
        if not events:
            return []
        batch = tuple(events)
        stored: list[Stored] = await self._submit(
            lambda connection: self._insert(connection, run_id, batch, at, clock), durable=durable
        )
        return [each.envelope for each in stored]

    async def read(self, run_id: RunId, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """Events with a seq above `after`, in order; none for a run that is not there."""
        return await self._reading().run(
            lambda connection: [reader.decode(each) for each in reader.raw(connection, run_id, after, limit)]
        )

    async def read_raw(self, run_id: RunId, after: int = 0, *, limit: int | None = None) -> list[bytes]:
        """The same as stored: each the UTF-8 JSON of an envelope as it travels. Costs a tenth of `read`."""
        return await self._reading().run(lambda connection: reader.raw(connection, run_id, after, limit))

    def follow(self, run_id: RunId | None = None, *, after: int = 0) -> Follower:
        """See the port. It counts from this call, not from the first look; nothing is lost in between."""
        if run_id is not None:
            cursor: int | None = after
        else:
            cursor = None if self._only_reads else self._last_n
        follower = Follower(run_id, cursor, self._page, polling=self._only_reads)
        self._followers.add(follower)
        return follower

    async def runs(self) -> list[RunId]:
        """All runs, newest first by the stamp of their first event."""
        return await self._reading().run(reader.run_ids)

    async def open_runs(self) -> list[RunId]:
        """The runs whose last event is not `runEnded`, newest first."""
        return await self._reading().run(reader.open_run_ids)

    async def search(self, text: str, *, limit: int = 50) -> list[Hit]:
        """Events whose text holds all words of `text`, in any case, newest first."""
        return await self._reading().run(lambda connection: search.find(connection, text, limit))

    async def delete(self, run_id: RunId) -> None:
        """Everything of the run; its followers end. No harm where there is none. Raises LogError when it fails."""
        await self._submit(lambda connection: self._remove(connection, run_id), durable=False)

    # ---- on the loop -------------------------------------------------------------------------------------------------

    def _reading(self) -> Readers:
        if self._readers is None:
            raise LogError("The event log is closed.")
        return self._readers

    async def _page(self, run_id: RunId | None, cursor: int | None) -> tuple[int, Page]:
        return await self._reading().run(lambda connection: reader.page(connection, run_id, cursor))

    async def _submit(self, work: Callable[[sqlite3.Connection], Any], *, durable: bool) -> Any:
        if self._writer is None:
            raise LogError(self.read_only or "The event log is closed.")
        assert self._loop is not None
        done: asyncio.Future[Any] = self._loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            self._settled.append(lambda: self._announce(done, result, error))

        self._writer.submit(Job(work, settle, durable))
        return await done

    def _announce(self, done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        """Followers hear of events in the order in which these were stored, also when who stored them is gone."""
        if error is not None:
            if not done.done():
                done.set_exception(error)
            return
        if isinstance(result, list):
            for stored in result:
                self._last_n = stored.n
                for follower in self._followers:
                    if follower.run_id is None or follower.run_id == stored.envelope.run_id:
                        follower.announce(stored)
        elif isinstance(result, str):
            for follower in self._followers:
                if follower.run_id == result:
                    follower.end()
        if not done.done():
            done.set_result(result)

    # ---- in the writer's thread --------------------------------------------------------------------------------------

    def _post(self) -> None:
        settled, self._settled = self._settled, []
        assert self._loop is not None
        with suppress(RuntimeError):  # a loop that ended without closing us: nobody is left to be told
            self._loop.call_soon_threadsafe(_call_all, settled)

    def _insert(
        self, connection: sqlite3.Connection, run_id: RunId, events: tuple[Event, ...], at: str, clock: float
    ) -> list[Stored]:
        found = connection.execute("SELECT run FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if found is None:
            run = connection.execute("INSERT INTO runs (run_id, first_at) VALUES (?, ?)", (run_id, at)).lastrowid
            seq = 0
        else:
            run = found[0]
            seq = connection.execute("SELECT coalesce(max(seq), 0) FROM events WHERE run = ?", (run,)).fetchone()[0]
        n = max(self._floor, reader.last_number(connection))
        stored: list[Stored] = []
        rows: list[tuple[int, int | None, int, str]] = []
        for place, event in enumerate(events, 1):
            envelope = Envelope(run_id=run_id, seq=seq + place, at=at, clock=clock, event=event)
            try:
                text = envelope.model_dump_json(by_alias=True, exclude_none=True)
            except PydanticSerializationError:
                # What an agent wrote is never an error: half a character pair is stored as U+FFFD, and given back so.
                event = EVENT.validate_python(_sound(event.model_dump(by_alias=True)))
                envelope = envelope.model_copy(update={"event": event})
                text = envelope.model_dump_json(by_alias=True, exclude_none=True)
            stored.append(Stored(n + place, len(text), envelope))
            rows.append((n + place, run, seq + place, text))
        connection.executemany("INSERT INTO events (n, run, seq, envelope) VALUES (?, ?, ?, ?)", rows)
        return stored

    def _remove(self, connection: sqlite3.Connection, run_id: RunId) -> str:
        # A number is never given to a second event while we live: readers of all runs count on it.
        self._floor = max(self._floor, reader.last_number(connection))
        found = connection.execute("SELECT run FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if found is not None:
            if has_search(connection):
                search.forget(connection, found[0])
            connection.execute("DELETE FROM events WHERE run = ?", found)
            connection.execute("DELETE FROM runs WHERE run = ?", found)
            # After a restart numbers go on from the highest that is left, so the index must not claim more than that.
            connection.execute("UPDATE indexed SET upto = min(upto, ?)", (reader.last_number(connection),))
        return run_id

    def _connect(self) -> sqlite3.Connection:
        """For the writer: also after a fault, when the folder may have become writable at last."""
        private_folder(self._db.parent)
        refuse_links(self._db)
        if not self._db.exists():
            if self._made:
                raise LogError(
                    f"The event log {self._db} was removed while it was in use.",
                    hint="Put it back, or start the server again.",
                )
            create(self._db)
        connection = connect_writer(self._db)
        self._made = True
        return connection

    # ---- before the threads ------------------------------------------------------------------------------------------

    def _set_aside_if_flawed(self) -> None:
        """Only at the start: a log that goes bad later holds runs that are under way, and their numbers."""
        refuse_links(self._db)
        try:
            if self._db.is_file() and self._db.stat().st_mode & 0o077:
                self._db.chmod(FILE_MODE)  # before it is opened: files beside it get its mode
            reason = flaw(self._db)
            if reason is None and not self._db.exists() and any(file.exists() for file in companions(self._db)):
                reason = "was gone, with a part of it left"
            if reason is not None:
                self.notices.append(set_aside(self._db, reason, self._stamp()))
        except (OSError, sqlite3.Error):
            # It can neither be looked at nor moved, so it cannot be written either: the writer finds the reason.
            return

    def _check_for_reading(self) -> None:
        refuse_links(self._db)
        try:
            reason = flaw(self._db)
        except sqlite3.Error as error:
            raise sentence(error, self._db) from error
        if reason is not None:
            raise LogError(f"The event log {self._db} {reason}.", hint="The next server to start sets it aside.")


def _call_all(calls: list[Callable[[], None]]) -> None:
    for call in calls:
        call()


def _sound(value: Any) -> Any:
    """The value with every half of a surrogate pair in its texts replaced by U+FFFD, and whole pairs joined."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_sound(key): _sound(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_sound(each) for each in value]
    return value
