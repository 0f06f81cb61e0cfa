"""A database that cannot be used: found at the start, set aside under another name, never changed, never deleted.

Old state must not keep the user from working, so what is damaged, foreign, or written by a newer PoliTerm steps aside
for a fresh log; whoever needs it finds it whole under its new name (a newer PoliTerm reads it after renaming it back).
This module does not touch the runs of such a log: agents in their panes know nothing of it.
"""

from __future__ import annotations

import sqlite3
import stat
import time
from pathlib import Path

from politerm.errors import LogError
from politerm.eventlog.schema import APPLICATION_ID, SCHEMA_VERSION, companions, connect_reader

CHECK_SECONDS = 1.0
"""How long a start may spend looking for damage inside. What is not seen by then shows when it is read."""


def refuse_links(db: Path) -> None:
    """Raises LogError when the database or a file beside it is a symbolic link: state is never written through one."""
    for file in (db, *companions(db)):
        if file.is_symlink():
            raise LogError(
                f"{file} is a symbolic link; the event log is never kept behind one.", hint="Remove the link."
            )


def flaw(db: Path) -> str | None:
    """Why this file cannot be our log, as the rest of a sentence; None for a good one, or where none is.

    Errors: sqlite3.Error where the file cannot be looked at at all (rights, disk): that says nothing against it.
    """
    try:
        found = db.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return "is no regular file"
    if found.st_size == 0:
        # A log of ours appears under its name only when it is whole (schema.create), so this one was emptied.
        return "is empty"
    connection = None
    try:
        connection = connect_reader(db)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        if not ours:
            return "is not an event log of PoliTerm"
        if version > SCHEMA_VERSION:
            return f"was written by a newer PoliTerm (form {version}; this one knows {SCHEMA_VERSION})"
        damage = _check(connection) or _check_size(connection, db, found.st_size)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        damage = str(error)
    finally:
        if connection is not None:
            connection.close()
    return f"is damaged ({damage})" if damage else None


def set_aside(db: Path, reason: str, stamp: str) -> str:
    """Rename the database with its companions to `<name>.broken-<stamp>`; answers the sentence for the user.

    Errors: OSError, with the database itself where it was.
    """
    aside = db.with_name(f"{db.name}.broken-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = db.with_name(f"{db.name}.broken-{stamp}-{number}")
    left = [(old, new) for old, new in zip(companions(db), companions(aside), strict=True) if old.exists()]
    if db.exists():
        db.rename(aside)
    for old, new in left:
        old.rename(new)
    return f"The event log {db} {reason}. It was set aside as {aside.name}, and a new one was begun."


def _check_size(connection: sqlite3.Connection, db: Path, size: int) -> str:
    """SQLite takes a last page that was cut off for one that ends in zeros. With a WAL the size may be anything."""
    journal, _ = companions(db)
    if journal.exists() and journal.stat().st_size:
        return ""
    expected = (
        connection.execute("PRAGMA page_count").fetchone()[0] * connection.execute("PRAGMA page_size").fetchone()[0]
    )
    return "" if size == expected else f"{size} bytes long instead of {expected}"


def _check(connection: sqlite3.Connection) -> str:
    """SQLite's own quick check, stopped after CHECK_SECONDS; the first thing it finds, or nothing."""
    until = time.monotonic() + CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > until, 10_000)
    try:
        result: bytes = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return ""
        raise
    finally:
        connection.set_progress_handler(None, 0)
    words = result.decode(errors="replace")
    return "" if words == "ok" else words
