"""The one thread that changes the database: what waits at once shares a transaction, and so its cost.

It knows transactions, faults and their order, but neither events nor the event loop: a job is a function of the
connection, and its outcome is handed to a function that must be quick and may not raise.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from politerm.errors import LogError, ReadOnly
from politerm.eventlog.schema import ensure_search, sentence
from politerm.eventlog.search import index_more

GROUP_JOBS = 1000
"""Most jobs in one transaction."""

PROBE_SECONDS = 2.0
"""How often, after a fault, it is tried whether the log can be written again. Nothing else would find out: while it is
known to be faulty, no run is started that would append."""

IDLE_SECONDS = 0.05
"""How long nothing must have come before the search index is brought up to date."""


@dataclass(frozen=True)
class Job:
    """`work` runs inside a transaction and may run twice (a group that fails is tried job by job)."""

    work: Callable[[sqlite3.Connection], Any]
    settle: Callable[[Any, BaseException | None], None]
    durable: bool = False
    """Must the transaction outlive a power loss, not just our own death?"""


class Writer:
    """Jobs are done in the order of `submit`, which may be called from any thread and never waits.

    `connect` is called in the thread, at the first job and again after a fault; it may raise sqlite3.Error, OSError,
    ReadOnly and LogError.
    `fault`: why the last transaction could not be stored; None again as soon as one can, which is also tried from time
    to time.
    """

    def __init__(self, db: Path, *, connect: Callable[[], sqlite3.Connection], after_group: Callable[[], None]) -> None:
        self._db = db
        self._connect = connect
        self._after_group = after_group
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._full_sync = False
        self._behind = True
        self._searchable = True
        self.fault: LogError | None = None
        self._thread = threading.Thread(target=self._run, name="politerm-log-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        self._queue.put(job)

    def close(self) -> None:
        """Do what was submitted, then end; waits for it."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            jobs, last = self._take()
            if jobs:
                self._commit(jobs)
                self._after_group()
            elif not last and self.fault is not None:
                self._probe()
            elif not last:
                self._index()
            if last:
                break
        if self._connection is not None:
            self._connection.close()

    def _take(self) -> tuple[list[Job], bool]:
        """All that waits; nothing when it is time to probe or to index. The flag: the end was asked for."""
        jobs: list[Job] = []
        timeout = PROBE_SECONDS if self.fault is not None else IDLE_SECONDS if self._behind else None
        try:
            job = self._queue.get(timeout=timeout)
            while job is not None:
                jobs.append(job)
                if len(jobs) >= GROUP_JOBS:
                    return jobs, False
                job = self._queue.get_nowait()
        except queue.Empty:
            return jobs, False
        return jobs, True

    def _commit(self, jobs: list[Job]) -> None:
        try:
            results = self._transact([job.work for job in jobs], durable=any(job.durable for job in jobs))
        except Exception as error:
            if len(jobs) > 1:
                # One bad job, or one too large for the disk, must not fail those that happened to wait with it.
                for job in jobs:
                    self._commit([job])
                return
            jobs[0].settle(None, self._failed(error))
            return
        self.fault = None
        self._behind = True
        for job, result in zip(jobs, results, strict=True):
            job.settle(result, None)

    def _transact(self, works: list[Callable[[sqlite3.Connection], Any]], *, durable: bool) -> list[Any]:
        connection = self._open()
        if durable != self._full_sync:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._full_sync = durable
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [work(connection) for work in works]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results

    def _open(self) -> sqlite3.Connection:
        """The connection; made anew after a fault of the disk. Writing to a file that has lost its name would lose
        everything without a word, so the name is looked up each time."""
        if self._connection is None:
            connection = self._connect()
            self._full_sync = False
            self._searchable = ensure_search(connection)
            self._connection = connection
            self._file = self._identity()
        elif self._identity() != self._file:
            raise LogError(
                f"The event log {self._db} was removed or replaced while it was in use.",
                hint="Put it back, or start the server again.",
            )
        return self._connection

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._db.lstat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _failed(self, error: Exception) -> BaseException:
        """The error for the caller. What the disk or the database did stays as `fault`, and the connection goes."""
        if isinstance(error, LogError | ReadOnly):
            self.fault = LogError(error.message, hint=error.hint)
            return self.fault
        if not isinstance(error, sqlite3.Error | OSError):
            return error
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.fault = sentence(error, self._db)
        self.fault.__cause__ = error
        return self.fault

    def _probe(self) -> None:
        """Write one page that changes nothing, and see whether the fault is over."""
        try:
            self._transact([_rewrite], durable=False)
        except Exception as error:
            self._failed(error)
        else:
            self.fault = None

    def _index(self) -> None:
        """One portion into the search index. Nothing depends on it: what is not indexed is looked through."""
        self._behind = False
        if self._connection is None or not self._searchable:
            return
        try:
            self._behind = self._transact([index_more], durable=False)[0]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CORRUPT:
                self._behind = self._rebuild()
        except LogError:
            return
        except Exception:
            # Whatever it is: this thread must live, because every append waits for it.
            self._searchable = False

    def _rebuild(self) -> bool:
        """Begin a damaged index anew; answers whether that worked."""
        try:
            self._transact([_drop_search], durable=False)
            assert self._connection is not None
            self._searchable = ensure_search(self._connection)
        except (sqlite3.Error, LogError):
            self._searchable = False
        return self._searchable


def _rewrite(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE indexed SET upto = upto")


def _drop_search(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TABLE search")
