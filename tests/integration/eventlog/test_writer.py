"""The writing thread: groups, order, and who is told what when one of a group fails."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from politerm.eventlog.schema import connect_writer, create
from politerm.eventlog.writer import Job, Writer


class Desk:
    """Hands jobs to a writer that is held up until `go`, and keeps what became of them and the SQL that was run."""

    def __init__(self, db: Path) -> None:
        create(db)
        self.db = db
        self.sql: list[str] = []
        self.outcomes: list[Any] = []
        self._gate = threading.Event()
        self._held = threading.Event()
        self.writer = Writer(db, connect=self._connect, after_group=lambda: None)
        self.writer.submit(Job(self._hold, lambda result, error: None))
        assert self._held.wait(20)
        self.sql.clear()

    def submit(self, value: object, *, durable: bool = False) -> None:
        def work(connection: sqlite3.Connection) -> object:
            if isinstance(value, Exception):
                raise value
            connection.execute("INSERT INTO runs (run_id, first_at) VALUES (?, '')", (value,))
            return value

        self.writer.submit(Job(work, lambda result, error: self.outcomes.append(error or result), durable))

    def go(self) -> list[str]:
        """Let the writer work until all is done; the statements that frame transactions."""
        self._gate.set()
        self.writer.close()
        return [
            sql.split(" ")[0] + sql.partition("=")[2] for sql in self.sql if not sql.startswith(("INSERT", "SELECT"))
        ]

    def rows(self) -> list[str]:
        connection = sqlite3.connect(self.db)
        try:
            return [run_id for (run_id,) in connection.execute("SELECT run_id FROM runs ORDER BY run")]
        finally:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = connect_writer(self.db)
        connection.set_trace_callback(self.sql.append)
        return connection

    def _hold(self, connection: sqlite3.Connection) -> None:
        self._held.set()
        assert self._gate.wait(20)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "politerm.db")
    yield desk
    desk._gate.set()
    desk.writer.close()


def test_what_waits_at_once_shares_a_transaction_in_order(desk: Desk) -> None:
    for name in "abcde":
        desk.submit(name)
    assert desk.go() == ["COMMIT", "BEGIN", "COMMIT"]  # the first ends the job that held the others up
    assert desk.rows() == desk.outcomes == list("abcde")


def test_one_durable_job_makes_its_group_durable_and_only_that(desk: Desk) -> None:
    desk.submit("a")
    desk.submit("b", durable=True)
    assert desk.go() == ["COMMIT", "PRAGMA FULL", "BEGIN", "COMMIT"]


def test_durability_is_given_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "politerm.db")
    done = threading.Event()
    desk._gate.set()
    for durable in (True, False):
        done.clear()
        desk.writer.submit(Job(lambda connection: None, lambda result, error: done.set(), durable))
        assert done.wait(20)
    frames = desk.go()
    assert frames.index("PRAGMA FULL") < frames.index("PRAGMA NORMAL")


def test_a_bad_job_fails_alone(desk: Desk) -> None:
    bad = ValueError("bad")
    for value in ("a", bad, "a", "b"):  # the second "a" is not unique
        desk.submit(value)
    desk.go()
    assert desk.rows() == ["a", "b"]
    assert desk.outcomes[0] == "a"
    assert desk.outcomes[1] is bad
    assert "UNIQUE" in str(desk.outcomes[2])
    assert desk.outcomes[3] == "b"
    assert desk.writer.fault is None
