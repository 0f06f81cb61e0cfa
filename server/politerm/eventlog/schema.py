"""The database's form, and how it is opened. It knows nothing of who reads, writes, or waits.

    runs    one row a run, in the order of their first events: its number, its id, its first event's stamp
    events  `n` counts over all runs in the order of storing, `seq` within the run from 1 without gaps; `envelope` is
            the JSON that travels (core/events.py), so that a reader may pass it on without looking at it
    search  FTS5 over the texts of events, by `n`; it keeps no copy of them (content='')
    indexed one row: events up to this `n` are in `search`

All is in one file in WAL mode: readers never wait for the writer, nor the writer for them. A form of the database is
one number, kept in SQLite's own `user_version`; whoever changes what is stored raises it.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from politerm.errors import LogError
from politerm.private import FILE_MODE, sync_folder

APPLICATION_ID = 0x504F4C49
"""`POLI` in ASCII, in SQLite's `application_id`: tells our file from any other database."""

SCHEMA_VERSION = 1

BUSY_SECONDS = 5.0
"""How long a statement waits for another process's lock. Only one process writes, so this is for moments of change."""

JOURNAL_BYTES = 16 * 1024 * 1024
"""A WAL that grew beyond this behind a long reader is cut back to it at the next checkpoint."""

_TABLES = """
    CREATE TABLE runs (run INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, first_at TEXT NOT NULL);
    CREATE TABLE events (
        n INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs, seq INTEGER NOT NULL, envelope TEXT NOT NULL
    );
    CREATE UNIQUE INDEX events_by_run ON events (run, seq);
    CREATE TABLE indexed (upto INTEGER NOT NULL);
    INSERT INTO indexed VALUES (0);
"""

_SEARCH = "CREATE VIRTUAL TABLE search USING fts5 (text, content='', tokenize='trigram')"


def companions(db: Path) -> tuple[Path, Path]:
    """The files that SQLite keeps beside a database in WAL mode."""
    return db.with_name(db.name + "-wal"), db.with_name(db.name + "-shm")


def create(db: Path) -> None:
    """Make an empty log. It appears under its name only when it is whole, so a kill leaves none or all of it.

    Errors: OSError, sqlite3.Error.
    """
    new = db.with_name(db.name + ".new")
    for left in (new, *companions(new)):
        left.unlink(missing_ok=True)
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE))
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    new.rename(db)
    sync_folder(db.parent)


def connect_writer(db: Path) -> sqlite3.Connection:
    """The one connection that writes. Errors: sqlite3.Error, also where the file may not be written."""
    connection = _connect(db, "rw")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone leaves data in the drive's own cache
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
        connection.execute("BEGIN IMMEDIATE")  # finds out now whether writing is possible
        connection.execute("ROLLBACK")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(db: Path) -> sqlite3.Connection:
    """A connection that can change nothing; rows come as bytes. Without a file, that of an empty log.

    Errors: sqlite3.Error. In a folder where nothing can be written SQLite wants the file declared immutable; events
    that a killed writer left in a WAL without its index are then not seen.
    """
    if not db.exists():
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.executescript(_TABLES)
    else:
        connection = _connect(db, "ro")
        try:
            connection.execute("SELECT 1 FROM sqlite_master")
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
            connection = _connect(db, "ro&immutable=1")
    connection.text_factory = bytes
    return connection


def ensure_search(connection: sqlite3.Connection) -> bool:
    """Is there a search index to be used? Made where it is missing; not with an SQLite without FTS5 or trigrams."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'search'").fetchone() is None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_SEARCH)
            connection.execute("UPDATE indexed SET upto = 0")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            return False
    return has_search(connection)


def has_search(connection: sqlite3.Connection) -> bool:
    """Can this connection use the search index? No, when there is none or this SQLite does not know its kind."""
    try:
        connection.execute("SELECT rowid FROM search LIMIT 0")
    except sqlite3.DatabaseError:
        return False
    return True


def sentence(error: sqlite3.Error | OSError, db: Path) -> LogError:
    """What a fault of the disk or the database means to a person, and what can be done."""
    if isinstance(error, OSError):
        return LogError(
            f"The event log {db} cannot be written: {error.strerror or error}.",
            hint="Free space or change the folder's rights; the next event is tried again.",
        )
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return LogError(
                f"The disk that holds {db.parent} is full: nothing more can be stored.",
                hint="Free some space; the next event is tried again.",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return LogError(
                f"The event log {db} cannot be opened for writing ({error}).",
                hint="Make its folder and disk writable; the next event is tried again.",
            )
        case sqlite3.SQLITE_IOERR:
            name = getattr(error, "sqlite_errorname", "SQLITE_IOERR")
            return LogError(
                f"The disk that holds {db.parent} reports an error ({name}).",
                hint="Check the disk and its free space; the next event is tried again.",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return LogError(
                f"The event log {db} is damaged ({error}).",
                hint="The next server to start sets it aside and begins anew.",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LogError(
                f"Another program keeps the event log {db} locked.", hint="Close it; the next event is tried again."
            )
        case _:
            return LogError(f"The event log {db} failed: {error}.")


def _connect(db: Path, mode: str) -> sqlite3.Connection:
    # Every connection stays with one thread at a time, but not always the same one.
    return sqlite3.connect(
        f"file:{quote(str(db))}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
        check_same_thread=False,
        cached_statements=64,
    )
