"""What happened, on disk: the event log of a workspace in SQLite, and its panes' recordings beside it."""

from __future__ import annotations

from politerm.eventlog.recordings import CastRecordings
from politerm.eventlog.store import SqliteLog

__all__ = ["CastRecordings", "SqliteLog"]
