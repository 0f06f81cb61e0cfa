"""One control-mode client: the process `tmux -C` behind a socket pair, always read, never waited for.

tmux commands are pipelined; the answers come in order. Every call has a deadline, after which the answer's place in the
line is kept, so that later answers still find their callers. This module does not know what is asked (panes.py) or what
to do when the client ends (link.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from politerm.errors import TmuxError, TmuxMissing, TmuxTimeout
from politerm.tmux.control import Decoder, Notice, Output, Overflow, Reply, Stray
from politerm.tmux.lines import chain, command

DEADLINE = 5.0
"""Seconds a tmux call may take. A stopped server never answers; a busy one does so in milliseconds."""

_RECEIVE = 256 * 1024
_LAST_WORDS = 2000


class ConnectionLost(TmuxError):
    """The client ended while the call was under way: whether it was carried out is not known."""


@dataclass(eq=False)
class _Call:
    """A line that was sent: `blocks` answers are due, or those until one that starts with `until`, or an error."""

    answer: asyncio.Future[list[bytes]]
    blocks: int
    until: bytes | None
    then: Callable[[list[bytes]], None] | None
    got: list[bytes] = field(default_factory=list)


class ControlClient(asyncio.BufferedProtocol):
    """Callbacks run on the loop and must not block: `on_output(pane, data)`, `on_notice(name, text)`, and, once,
    `on_lost(last words)`, unless `close` was called first."""

    def __init__(
        self,
        on_output: Callable[[str, bytes], None],
        on_notice: Callable[[str, str], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._on_output = on_output
        self._on_notice = on_notice
        self._on_lost = on_lost
        self._decoder = Decoder()
        self._buffer = bytearray(_RECEIVE)
        self._calls: deque[_Call] = deque()
        self._first: _Call | None = None
        self._transport: asyncio.Transport | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._ended: asyncio.Future[None] | None = None
        self._closing = False
        self.last_words = ""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def up(self) -> bool:
        return self._transport is not None and not self._closing

    async def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        blocks: int,
        then: Callable[[list[bytes]], None] | None = None,
        deadline: float = DEADLINE,
    ) -> list[bytes]:
        """Start the process; the tmux commands on its own command line answer with `blocks` blocks.

        Raises TmuxError with tmux's own words, TmuxTimeout, TmuxMissing. After an error the client is closed.
        """
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._ended = loop.create_future()
        self._first = _Call(loop.create_future(), blocks, None, then)
        try:
            end = theirs.fileno()
            self._process = await asyncio.create_subprocess_exec(
                *argv, stdin=end, stdout=end, stderr=end, env=env, cwd=cwd, start_new_session=True
            )
        except FileNotFoundError as error:
            ours.close()
            raise TmuxMissing("tmux could not be started.", hint="Install tmux 3.2a or newer.") from error
        finally:
            theirs.close()
        await loop.create_connection(lambda: self, sock=ours)
        try:
            return await self._answer(self._first, deadline)
        except BaseException:
            await self.close()
            raise

    async def call(
        self,
        line: str,
        *,
        blocks: int = 1,
        until: str | None = None,
        then: Callable[[list[bytes]], None] | None = None,
        deadline: float = DEADLINE,
    ) -> list[bytes]:
        """Send a line made by lines.py; the bodies of its answers, in order. `then` runs before anything that came
        after them is looked at. Raises TmuxError (tmux refused), TmuxTimeout, ConnectionLost."""
        return await self._answer(self._send(line, blocks, until, then), deadline)

    def post(self, line: str, *, blocks: int = 1) -> None:
        """Send a line whose answer interests nobody."""
        if self.up:
            call = self._send(line, blocks, None, None)
            call.answer.add_done_callback(_swallow)

    async def look(self, first: str, captures: Sequence[str], *, deadline: float = DEADLINE) -> list[bytes]:
        """One atomic look: the answer of `first`, which must fail if the pane is gone, then the text of each capture,
        sealed so that no pane text can end its own block."""
        nonce = secrets.token_hex(16)
        word = nonce.encode()
        say = command("display-message", "-p", nonce)
        words = [first, say]
        for capture in captures:
            words += [capture, say]
        self._decoder.seal(word, len(captures))
        try:
            bodies = await self.call(chain(*words), blocks=len(words), deadline=deadline)
        except TmuxTimeout:
            # An answer that is only late keeps its seal. One that broke off would swallow everything after it.
            if self._decoder.within(word) and self._transport is not None:
                self._transport.abort()
            raise
        except TmuxError:
            self._decoder.unseal(word)
            raise
        return [bodies[0], *bodies[2::2]]

    async def close(self) -> None:
        """End the client (not the server). It holds nothing undelivered, since everything is always read."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()
        if self._ended is not None and self._process is not None:
            await self._reap(self._process)

    async def _reap(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(1):
                await process.wait()
        except TimeoutError:
            # A stopped server does not take leave of its client; the client itself can always be ended.
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _send(self, line: str, blocks: int, until: str | None, then: Callable[[list[bytes]], None] | None) -> _Call:
        if self._transport is None or self._closing:
            raise ConnectionLost("There is no connection to tmux.")
        call = _Call(asyncio.get_running_loop().create_future(), blocks, until.encode() if until else None, then)
        self._calls.append(call)
        self._transport.write(line.encode("utf-8", "replace") + b"\n")
        return call

    async def _answer(self, call: _Call, deadline: float) -> list[bytes]:
        try:
            async with asyncio.timeout(deadline):
                return await call.answer
        except TimeoutError as error:
            raise TmuxTimeout(f"tmux did not answer within {deadline:g} s.") from error

    # ---- asyncio's side ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        try:
            items = self._decoder.feed(bytes(memoryview(self._buffer)[:nbytes]))
        except Overflow as overflow:
            self.last_words = str(overflow)
            if self._transport is not None:
                self._transport.abort()
            return
        for item in items:
            match item:
                case Output(pane, data):
                    self._on_output(pane, data)
                case Reply():
                    self._replied(item)
                case Notice("exit", text):
                    self._remember(f"exit {text}")
                case Notice(name, text):
                    self._on_notice(name, text)
                case Stray(text):
                    self._remember(text)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        words = self.last_words.strip()
        lost = ConnectionLost(f"The connection to tmux ended ({words or 'without a word'}).", words=words)
        for call in ([self._first] if self._first else []) + list(self._calls):
            if not call.answer.done():
                call.answer.set_exception(lost)
                call.answer.add_done_callback(_swallow)
        self._calls.clear()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        if not self._closing:
            self._closing = True
            self._on_lost(words)

    def _remember(self, text: str) -> None:
        self.last_words = f"{self.last_words}\n{text}"[-_LAST_WORDS:]

    def _replied(self, reply: Reply) -> None:
        call = self._first if reply.flags == 0 else next(iter(self._calls), None)
        if call is None:
            return
        call.got.append(reply.body)
        if reply.ok and (len(call.got) < call.blocks if call.until is None else not reply.body.startswith(call.until)):
            return
        if call is self._first:
            self._first = None
        else:
            self._calls.popleft()
        if reply.ok and call.then is not None:
            call.then(call.got)
        if call.answer.done():
            return
        if reply.ok:
            call.answer.set_result(call.got)
        else:
            words = reply.body.decode("utf-8", "replace")
            call.answer.set_exception(TmuxError(f"tmux refused: {words}", words=words))
            call.answer.add_done_callback(_swallow)


def _swallow(answer: asyncio.Future[list[bytes]]) -> None:
    """Mark the exception of a call that nobody waits for any more as seen."""
    if not answer.cancelled():
        answer.exception()
