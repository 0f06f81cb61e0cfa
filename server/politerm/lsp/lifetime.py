"""When a server process has to end: a signal, or the death of the editor that started it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
"""Where the platform has no pidfd. The promise is 5 s."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class ParentWatch:
    """Calls back once when a process of the client has died, be it with our input still open.

    A process that is not there at the start counts as dead, as LSP says of `processId`.
    """

    def __init__(self, on_gone: Callable[[], None]) -> None:
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._fds: set[int] = set()
        self._polls: dict[int, asyncio.TimerHandle] = {}
        self._closed = False

    def watch(self, pid: int) -> None:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._loop.call_soon(self._gone, pid)
        except (AttributeError, OSError):
            self._poll(pid)
        else:
            self._fds.add(fd)
            self._loop.add_reader(fd, self._gone, pid)

    def _poll(self, pid: int) -> None:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            self._gone(pid)
            return
        except PermissionError:
            pass  # it is there, as somebody else's
        self._polls[pid] = self._loop.call_later(POLL_SECONDS, self._poll, pid)

    def _gone(self, pid: int) -> None:
        if not self._closed:
            log.info("the client's process %d is gone", pid)
            self.close()
            self._on_gone()

    def close(self) -> None:
        self._closed = True
        for fd in self._fds:
            self._loop.remove_reader(fd)
            os.close(fd)
        self._fds.clear()
        for timer in self._polls.values():
            timer.cancel()


class Signals:
    """SIGTERM, SIGINT and SIGHUP as a future: `ended` gets the conventional exit code, 128 + the signal's number.

    The second signal acts as if we had never looked: it ends the process at once.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[int] = self._loop.create_future()
        for number in SIGNALS:
            # Only the main thread may; elsewhere (tests) somebody else owns the signals.
            with contextlib.suppress(ValueError, RuntimeError):
                self._loop.add_signal_handler(number, self._got, number)

    def _got(self, number: signal.Signals) -> None:
        log.info("%s: ending; agents stay", number.name)
        self.close()
        if not self.ended.done():
            self.ended.set_result(128 + number)

    def close(self) -> None:
        for number in SIGNALS:
            with contextlib.suppress(ValueError, RuntimeError):
                self._loop.remove_signal_handler(number)
