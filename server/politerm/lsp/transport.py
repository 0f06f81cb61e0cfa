"""One connection: messages in and out over a pair of pipes, a socket, or files. It does not know what they mean.

Nothing here blocks the event loop. What is sent is queued and never dropped. Memory stays bounded all the same: whoever
sends more than answers looks at `congested` first (events are read again from the log, views are merged, pane frames
are owed as one snapshot), and no further request is read while answers pile up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from politerm.lsp.framing import MAX_MESSAGE, Complaint, FrameReader, decode, encode

log = logging.getLogger(__name__)

CONGESTED_BYTES: Final = 1024 * 1024
"""Above this much unsent, senders hold back; well above one screen of a pane, well below what memory notices."""
CALM_BYTES: Final = 256 * 1024
STOP_READING_BYTES: Final = 8 * 1024 * 1024
"""Above this much unsent, no further request is read: a client that asks must also read."""
MESSAGES_A_TURN: Final = 64
"""Messages handled before the event loop gets its turn again."""
JOIN_BYTES: Final = 64 * 1024
CHUNK: Final = 64 * 1024


class WriteTransport(Protocol):
    """The part of asyncio's transports that a connection writes to."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


class ReadTransport(Protocol):
    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None: ...


class Connection:
    """Sends and receives JSON messages. All callbacks run on the loop; `send` may be called from any thread.

    on_message gets a decoded JSON value, on_complaint what could not be read, on_closed is called once with the reason.
    """

    def __init__(
        self,
        on_message: Callable[[Any], None],
        on_complaint: Callable[[Complaint], None],
        on_closed: Callable[[str], None],
        *,
        limit: int = MAX_MESSAGE,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._on_message, self._on_complaint, self._on_closed = on_message, on_complaint, on_closed
        self._frames = FrameReader(limit)
        self._inbox: deque[bytes | Complaint] = deque()
        self._turn_due = False
        self._holds = 0
        self._reading: ReadTransport | None = None
        self._read_paused = False
        self._ended = ""
        self._writing: WriteTransport | None = None
        self._outbox: deque[bytes] = deque()
        self._queued = 0
        self._write_paused = False
        self._was_congested = False
        self._on_calm: list[Callable[[], None]] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._told = False
        self.closed = False
        self.deaf = False
        """The other side can read nothing more."""
        self.peak = 0
        """The most bytes that ever waited to be sent."""

    # ---- sending

    @property
    def queued(self) -> int:
        """Bytes that wait in our own queue (asyncio holds at most one joined write besides)."""
        return self._queued

    @property
    def congested(self) -> bool:
        """Senders who can send the same later, or less of it, do so now."""
        return self._was_congested

    def on_calm(self, callback: Callable[[], None]) -> None:
        """Called each time congestion has ended."""
        self._on_calm.append(callback)

    def send(self, message: dict[str, Any]) -> None:
        self.send_body(encode(message))

    def send_body(self, body: bytes) -> None:
        frame = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        if threading.get_ident() == self._thread:
            self._enqueue(frame)
        else:
            # A loop that is gone has no reader left either.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._enqueue, frame)

    def _enqueue(self, frame: bytes) -> None:
        if self.closed or self.deaf:
            return
        if self._writing is not None and not self._write_paused and not self._outbox:
            self._writing.write(frame)
            return
        self._outbox.append(frame)
        self._queued += len(frame)
        self.peak = max(self.peak, self._queued)
        self._idle.clear()
        if self._queued > CONGESTED_BYTES:
            self._was_congested = True
        if self._queued > STOP_READING_BYTES:
            self._regulate()

    def _drain(self) -> None:
        while self._outbox and not self._write_paused and self._writing is not None:
            joined = [self._outbox.popleft()]
            size = len(joined[0])
            while self._outbox and size + len(self._outbox[0]) <= JOIN_BYTES:
                joined.append(self._outbox.popleft())
                size += len(joined[-1])
            self._queued -= size
            self._writing.write(joined[0] if len(joined) == 1 else b"".join(joined))
        if not self._outbox and not self._write_paused:
            self._idle.set()
        self._regulate()
        if self._was_congested and self._queued < CALM_BYTES:
            self._was_congested = False
            for callback in self._on_calm:
                callback()

    async def flush(self, seconds: float) -> bool:
        """Wait until all is written or the time is up; answers whether it was."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return not (self.closed or self.deaf)

    def write_side(self, transport: WriteTransport) -> None:
        self._writing = transport
        self._drain()

    def write_paused(self) -> None:
        self._write_paused = True
        self._idle.clear()

    def write_resumed(self) -> None:
        self._write_paused = False
        self._drain()

    # ---- receiving

    def read_side(self, transport: ReadTransport) -> None:
        self._reading = transport

    def hold(self) -> None:
        """Handle no further message until `release`: too much is under way."""
        self._holds += 1

    def release(self) -> None:
        self._holds -= 1
        self._schedule_turn()

    def received(self, data: bytes) -> None:
        self._inbox.extend(self._frames.feed(data))
        if self._inbox:
            self._turn()

    def _turn(self) -> None:
        self._turn_due = False
        for _ in range(MESSAGES_A_TURN):
            if not self._inbox or self._blocked() or self.closed:
                break
            item = self._inbox.popleft()
            message = decode(item) if isinstance(item, bytes) else item
            if isinstance(message, Complaint):
                self._on_complaint(message)
            else:
                self._on_message(message)
        self._schedule_turn()
        self._regulate()
        if self._ended and not self._inbox:
            self._finish(self._ended)

    def _schedule_turn(self) -> None:
        if self._inbox and not self._turn_due and not self._blocked() and not self.closed:
            self._turn_due = True
            self._loop.call_soon(self._turn)

    def _blocked(self) -> bool:
        return self._holds > 0 or self._queued > STOP_READING_BYTES

    def _regulate(self) -> None:
        """Read from the outside only while what was read is being handled."""
        wanted = bool(self._inbox) or self._blocked()
        if self._reading is None or self.closed:
            return
        if wanted and not self._read_paused:
            self._read_paused = True
            self._reading.pause_reading()
        elif not wanted and self._read_paused:
            self._read_paused = False
            self._reading.resume_reading()
        self._schedule_turn()

    # ---- the end

    def ended(self, reason: str) -> None:
        """The other side sends nothing more; what it sent before is still handled."""
        self._ended = self._ended or reason
        if not self._inbox:
            self._finish(self._ended)

    def broken(self, reason: str) -> None:
        """The other side reads nothing more."""
        self.deaf = True
        self._outbox.clear()
        self._queued = 0
        self._idle.set()
        self._finish(reason)

    def _finish(self, reason: str) -> None:
        if not self._told and not self.closed:
            self._told = True
            self._on_closed(reason)

    def close(self) -> None:
        """Let go of both sides at once. Repeating it does no harm; `flush` first where the last words matter."""
        if self.closed:
            return
        self.closed = True
        if self._reading is not None:
            self._reading.close()
        if self._writing is not None:
            if self._idle.is_set():
                self._writing.close()
            else:
                self._writing.abort()
        self._outbox.clear()
        self._queued = 0
        self._idle.set()


class SocketSide(asyncio.Protocol):
    """asyncio's callbacks of a socket, passed on to a connection made when it opens."""

    def __init__(self, make: Callable[[asyncio.Transport], Connection | None]) -> None:
        self._make = make
        self._connection: Connection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        # Zero: asyncio tells us of every byte it could not hand over, and keeps none of our queue.
        transport.set_write_buffer_limits(high=0)
        self._connection = self._make(transport)
        if self._connection is None:
            transport.abort()
            return
        self._connection.read_side(transport)
        self._connection.write_side(transport)

    def data_received(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.received(data)

    def pause_writing(self) -> None:
        if self._connection is not None:
            self._connection.write_paused()

    def resume_writing(self) -> None:
        if self._connection is not None:
            self._connection.write_resumed()

    def eof_received(self) -> bool:
        if self._connection is not None:
            self._connection.ended("the other side closed the connection")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connection.broken(f"the connection broke: {exc}" if exc else "the connection is closed")


class _PipeIn(asyncio.Protocol):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def data_received(self, data: bytes) -> None:
        self._connection.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.ended("the input ended")


class _PipeOut(asyncio.Protocol):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pause_writing(self) -> None:
        self._connection.write_paused()

    def resume_writing(self) -> None:
        self._connection.write_resumed()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.broken("the output is closed")


class _ThreadIn:
    """Reads a file, a terminal or a device in a thread of its own: no event loop can wait for those."""

    def __init__(self, fd: int, connection: Connection) -> None:
        self._fd, self._connection = fd, connection
        self._loop = asyncio.get_running_loop()
        self._go = threading.Event()
        self._go.set()
        self._closed = False
        threading.Thread(target=self._run, name="lsp-input", daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(RuntimeError):
            while not self._closed:
                self._go.wait()
                try:
                    data = os.read(self._fd, CHUNK)
                except OSError:
                    data = b""
                if not data:
                    self._loop.call_soon_threadsafe(self._connection.ended, "the input ended")
                    return
                self._loop.call_soon_threadsafe(self._connection.received, data)

    def pause_reading(self) -> None:
        self._go.clear()

    def resume_reading(self) -> None:
        self._go.set()

    def close(self) -> None:
        self._closed = True
        self._go.set()


class _ThreadOut:
    """Writes to a file or a terminal in a thread of its own; at most one joined write is under way."""

    def __init__(self, fd: int, connection: Connection) -> None:
        self._fd, self._connection = fd, connection
        self._loop = asyncio.get_running_loop()
        self._work: deque[bytes] = deque()
        self._some = threading.Semaphore(0)
        self._closed = False
        self._writer = threading.Thread(target=self._run, name="lsp-output", daemon=True)
        self._writer.start()

    def write(self, data: bytes) -> None:
        self._work.append(data)
        self._some.release()
        self._connection.write_paused()

    def _run(self) -> None:
        with contextlib.suppress(RuntimeError):
            while True:
                self._some.acquire()
                if self._closed:
                    return
                left = memoryview(self._work.popleft())
                try:
                    while left:
                        left = left[os.write(self._fd, left) :]
                except OSError as error:
                    self._loop.call_soon_threadsafe(self._connection.broken, f"writing failed: {error.strerror}")
                    return
                self._loop.call_soon_threadsafe(self._connection.write_resumed)

    def close(self) -> None:
        self._closed = True
        self._some.release()

    def abort(self) -> None:
        self.close()


def _pollable(fd: int) -> bool:
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _same_file(a: int, b: int) -> bool:
    try:
        return os.path.sameopenfile(a, b)
    except OSError:
        return False


class StdioGuard:
    """Takes fd 0 and 1 for the protocol and gives them back.

    While it holds them, fd 0 is empty and fd 1 is fd 2, so that neither a stray print nor a child can touch the stream.
    Only pipes and sockets that nobody else shares become non-blocking: a terminal, a file, or an output that is also
    our stderr gets a thread, because the flag belongs to everybody who has the file open.
    """

    def __init__(self) -> None:
        self._in, self._out = os.dup(0), os.dup(1)
        self._shared_out = _same_file(1, 2)
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is what is wanted
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)

    async def attach(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        if _pollable(self._out) and not self._shared_out:
            out = os.fdopen(os.dup(self._out), "wb", buffering=0)
            transport, _ = await loop.connect_write_pipe(lambda: _PipeOut(connection), out)
            transport.set_write_buffer_limits(high=0)
            connection.write_side(transport)
        else:
            connection.write_side(_ThreadOut(self._out, connection))
        if _pollable(self._in):
            source = os.fdopen(os.dup(self._in), "rb", buffering=0)
            reading, _ = await loop.connect_read_pipe(lambda: _PipeIn(connection), source)
            connection.read_side(reading)
        else:
            connection.read_side(_ThreadIn(self._in, connection))

    def restore(self) -> None:
        # What was printed and still waits in a buffer would go to the stream when the process ends.
        sys.stdout.flush()
        for fd, number in ((self._in, 0), (self._out, 1)):
            with contextlib.suppress(OSError):
                os.set_blocking(fd, True)
                os.dup2(fd, number)
                os.close(fd)
