"""CastRecordings: what panes showed, as `<folder>/<run>/<role>.cast`, written by a thread of its own.

What comes in has been redacted already. The disk may be slow or full: then something is missing from a recording, which
is told once, and nobody waits. It does not know what a run or an agent does, only when its recording opens and closes.
"""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from politerm.core.wire import Role, RunId
from politerm.errors import LogError, PoliTermError
from politerm.eventlog import cast
from politerm.eventlog.track import Track, file_name
from politerm.private import open_private, private_folder

RUN_BYTES = 200 * 1024 * 1024
TOTAL_BYTES = 2 * 1024 * 1024 * 1024
"""Caps of one run's recordings and of all; at the second, the oldest ended runs' recordings go."""

QUEUE_BYTES = 16 * 1024 * 1024
"""What may wait for the disk. Beyond it output is not recorded until half of that is written."""

GATHER_SECONDS = 0.05
"""After a write the thread lets so much gather: to wake it costs the loop more than to write, and panes print in many
small pieces."""

ENDED = "ended"
"""An empty file in the folder of a run whose recording was closed: such runs are the first to go."""

Key = tuple[RunId, Role]
Gap = Callable[[RunId, Role, str], None]


@dataclass(frozen=True)
class _Open:
    key: Key
    size: tuple[int, int]
    at: float


@dataclass(frozen=True)
class _Write:
    key: Key
    at: float
    data: bytes


@dataclass(frozen=True)
class _Missed:
    key: Key
    at: float


@dataclass(frozen=True)
class _Close:
    run_id: RunId


@dataclass(frozen=True)
class _Call:
    """Something to be done between two writes, whose end somebody waits for."""

    work: Callable[[], None]
    done: Callable[[Exception | None], None]


class CastRecordings:
    """All calls on one event loop. Caps in bytes; `monotonic` and `wall` in seconds."""

    def __init__(
        self,
        folder: Path,
        *,
        run_bytes: int = RUN_BYTES,
        total_bytes: int = TOTAL_BYTES,
        queue_bytes: int = QUEUE_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._run_bytes = run_bytes
        self._total_bytes = total_bytes
        self._queue_bytes = queue_bytes
        self._monotonic = monotonic
        self._wall = wall
        self._gap: Gap | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._missing: set[Key] = set()
        self._waiting = 0
        self._counting = threading.Lock()
        self._queue: queue.SimpleQueue[_Open | _Write | _Missed | _Close | _Call | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        # From here on the thread's own.
        self._tracks: dict[Key, Track] = {}
        self._sizes: dict[RunId, int] = {}

    def on_gap(self, callback: Gap) -> None:
        self._gap = callback

    def open(self, run_id: RunId, role: Role, *, columns: int, rows: int) -> None:
        """Begin a recording, or go on with the one that is there. Harmless when it is open already."""
        self._start()
        self._queue.put(_Open((run_id, role), (columns, rows), self._monotonic()))

    def write(self, run_id: RunId, role: Role, data: bytes) -> None:
        """Never blocks and never raises. Without `open` before it, nothing is recorded."""
        key, now = (run_id, role), self._monotonic()
        with self._counting:
            room = self._waiting + len(data) <= (self._queue_bytes // 2 if key in self._missing else self._queue_bytes)
            if room:
                self._waiting += len(data)
        if room:
            self._missing.discard(key)
            self._queue.put(_Write(key, now, data))
        elif key not in self._missing:
            self._missing.add(key)
            self._queue.put(_Missed(key, now))
            if self._gap is not None and self._loop is not None:
                _tell(
                    self._loop,
                    self._gap,
                    run_id,
                    role,
                    "The disk is too slow: output is not recorded until it has caught up.",
                )

    def close(self, run_id: RunId) -> None:
        """The run has ended: no more is written, and its recording may go when room is needed."""
        self._missing = {key for key in self._missing if key[0] != run_id}
        if self._thread is not None:
            self._queue.put(_Close(run_id))

    async def cast(self, run_id: RunId) -> str:
        """One role's recording as it is; several one after the other (cast.joined). Raises LogError."""
        await self._call(self._flush_all)
        return await asyncio.to_thread(self._read, run_id)

    async def delete(self, run_id: RunId) -> None:
        """Raises LogError when something is left."""
        await self._call(lambda: self._remove(run_id))

    async def shutdown(self) -> None:
        """Write what waits and close every file; runs are not ended by it."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            self._hurry.set()
            await asyncio.to_thread(thread.join)

    # ---- on the loop -------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name="politerm-recordings", daemon=True)
            self._thread.start()

    async def _call(self, work: Callable[[], Any]) -> None:
        self._start()
        assert self._loop is not None
        loop, done = self._loop, self._loop.create_future()

        def settle(error: Exception | None) -> None:
            if not done.done():
                done.set_exception(error) if error is not None else done.set_result(None)

        self._queue.put(_Call(work, lambda error: _tell(loop, settle, error)))
        self._hurry.set()
        await done

    def _read(self, run_id: RunId) -> str:
        parts = []
        try:
            for role in Role:
                file = self._folder / run_id / file_name(role)
                if file.exists():
                    parts.append((role, file.read_bytes()))
        except OSError as error:
            raise LogError(f"The recording of {run_id} cannot be read: {error.strerror}.") from error
        whole = parts[0][1] if len(parts) == 1 else b"".join(cast.joined(parts))
        return whole.decode(errors="replace")

    # ---- in the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._sizes = {RunId(run.name): _size(run) for run in _folders(self._folder)}
        while (item := self._queue.get()) is not None:
            self._do(item)
            # What came in the meantime is turned into lines first and written at once.
            with suppress(queue.Empty):
                while (item := self._queue.get_nowait()) is not None:
                    self._do(item)
            self._flush_all()
            if item is None:
                break
            self._hurry.wait(GATHER_SECONDS)
            self._hurry.clear()
        for key in list(self._tracks):
            self._close(key)

    def _do(self, item: _Open | _Write | _Missed | _Close | _Call) -> None:
        match item:
            case _Open():
                self._open(item)
            case _Write(key, at, data):
                with self._counting:
                    self._waiting -= len(data)
                if key in self._tracks:
                    self._tracks[key].output(at, data)
                    if self._tracks[key].pending > self._queue_bytes // 4:
                        self._flush(self._tracks[key])
            case _Missed(key, at):
                if key in self._tracks:
                    self._tracks[key].missed(at)
            case _Close(run_id):
                for key in [key for key in self._tracks if key[0] == run_id]:
                    self._close(key)
                with suppress(OSError, PoliTermError):
                    _mark(self._folder / run_id)
            case _Call(work, done):
                try:
                    work()
                except OSError as error:
                    done(LogError(f"The recordings in {self._folder} cannot be changed: {error.strerror}."))
                else:
                    done(None)

    def _open(self, item: _Open) -> None:
        if item.key in self._tracks:
            return
        run_id, role = item.key
        try:
            private_folder(self._folder)
            private_folder(self._folder / run_id)
            (self._folder / run_id / ENDED).unlink(missing_ok=True)
            self._tracks[item.key] = Track(
                self._folder / run_id / file_name(role), f"{run_id} {role}", item.size, at=item.at, wall=self._wall()
            )
            self._sizes[run_id] = _size(self._folder / run_id)
        except (OSError, PoliTermError) as error:
            self._lost(item.key, f"The recording cannot be opened: {getattr(error, 'strerror', None) or error}.")

    def _close(self, key: Key) -> None:
        self._tracks[key].finish(self._monotonic())
        self._flush(self._tracks[key])
        if key in self._tracks:  # it is gone when the flush failed
            self._tracks.pop(key).close()

    def _flush_all(self) -> None:
        for track in list(self._tracks.values()):
            self._flush(track)

    def _flush(self, track: Track) -> None:
        """Write what a track has ready, within the caps; a track that cannot be written is closed for good."""
        if not track.pending:
            return
        key = next(key for key, each in self._tracks.items() if each is track)
        run_id = key[0]
        size = self._sizes.get(run_id, 0)
        if size + track.pending > self._run_bytes:
            self._lost(key, f"The run's recording has reached {self._run_bytes:,} bytes; the rest is not recorded.")
            return
        if not self._make_room(track.pending):
            self._lost(
                key, f"All recordings together have reached {self._total_bytes:,} bytes; the rest is not recorded."
            )
            return
        try:
            self._sizes[run_id] = size + track.write()
        except OSError as error:
            self._lost(key, f"The recording cannot be written: {error.strerror}.")

    def _make_room(self, wanted: int) -> bool:
        """Remove recordings of runs that are not open, those that ended first, until there is room."""
        if sum(self._sizes.values()) + wanted <= self._total_bytes:
            return True
        open_runs = {run_id for run_id, _ in self._tracks}
        for run_id in sorted(set(self._sizes) - open_runs, key=lambda each: _age(self._folder / each)):
            with suppress(OSError):
                self._remove(run_id)
            if sum(self._sizes.values()) + wanted <= self._total_bytes:
                return True
        return False

    def _remove(self, run_id: RunId) -> None:
        for key in [key for key in self._tracks if key[0] == run_id]:
            self._tracks.pop(key).close()
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder / run_id)
        self._sizes.pop(run_id, None)

    def _lost(self, key: Key, reason: str) -> None:
        track = self._tracks.pop(key, None)
        if track is not None:
            track.close()
        if self._loop is not None and self._gap is not None:
            _tell(self._loop, self._gap, *key, reason)


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *arguments: Any) -> None:
    with suppress(RuntimeError):  # a loop that has ended: nobody is left to be told
        loop.call_soon_threadsafe(call, *arguments)


def _folders(folder: Path) -> list[Path]:
    try:
        return [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError:
        return []


def _size(run: Path) -> int:
    try:
        return sum(each.lstat().st_size for each in run.iterdir())
    except OSError:
        return 0


def _mark(run: Path) -> None:
    if run.is_dir():
        os.close(open_private(run / ENDED, os.O_WRONLY | os.O_CREAT))


def _age(run: Path) -> tuple[bool, float]:
    """Sorts ended runs before those of which nobody said so, older before younger."""
    try:
        last = max((each.lstat().st_mtime for each in run.iterdir()), default=0.0)
        return not (run / ENDED).exists(), last
    except OSError:
        return True, 0.0
