"""Which panes are held, and how each of them ends: every death is told once, with a reason that names what died.

A program's death is seen by a pidfd where the platform has it; a pane's by tmux's notifications; and whatever raises a
doubt is answered by one look at all panes. Where there is no pidfd, that look is taken once a second.

tmux 3.3a throws output away when a program ends: what it has read but not yet sent us (13 of 100 programs that print
and exit), and of a long burst also what it has not read yet. Three things are done about it. The terminal is held
open, which leaves 3 of 100, because tmux then sees no end of file before the exit. When the last rows of the screen
never came, a gap is told and the screen itself is given to the sink. And when the program ended in the midst of a
burst, a gap is told, because then nobody can know whether the screen is complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from politerm.core.wire import Role, RunId
from politerm.engine.ports import PaneHandle, PaneSink
from politerm.errors import TmuxError, TmuxTimeout
from politerm.tmux import looks, processes
from politerm.tmux.lines import command
from politerm.tmux.link import SESSION, Link
from politerm.tmux.looks import Facts
from politerm.tmux.modes import PasteMode

log = logging.getLogger(__name__)

HAS_PIDFD = hasattr(os, "pidfd_open")
POLL_SECONDS = 1.0
_TAIL = 16 * 1024
_BURST_SECONDS = 0.2
_BURST_BYTES = 4000
"""A terminal's own buffer is 4,095 bytes; what a program wrote last was on the screen each time if it was less."""

_T = TypeVar("_T")
_LOOK_SECONDS = 0.5
"""How long tmux may take to tell how a program ended, and to read what it wrote last, before the death is told."""


@dataclass(eq=False)
class Held:
    """A pane with its reader. `started` tells its program from a later process with the same pid."""

    handle: PaneHandle
    sink: PaneSink
    window: str
    mode: PasteMode
    started: float | None
    terminal: int | None = None
    """Our own handle of the pane's terminal, to ask for its line mode and to put off its end of file."""
    pidfd: int | None = None
    tail: bytes = b""
    burst_start: float = 0.0
    burst_bytes: int = 0
    ending: bool = False
    over: bool = False

    def is_of(self, run_id: RunId, role: Role | None) -> bool:
        return self.handle.run_id == run_id and role in (None, self.handle.role)


class Watch:
    """Held panes by tmux's id. Panes that ended stay known until their run is closed: their children may live on."""

    def __init__(self) -> None:
        self.live: dict[str, Held] = {}
        self.past: list[Held] = []
        self._link: Link | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._check_task: asyncio.Task[None] | None = None

    def use(self, link: Link) -> None:
        self._link = link
        self._spawn(self._poll(link), "tmux-poll")

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for held in list(self.live.values()):
            self.release(held)

    # ---- holding -----------------------------------------------------------------------------------------------------

    def hold(self, facts: Facts, sink: PaneSink, *, run_id: RunId, role: Role, incarnation: int) -> Held:
        """From now on this pane's output and end go to the sink."""
        handle = PaneHandle(facts.pane, facts.pid, run_id, role, incarnation, facts.columns, facts.rows)
        known = facts.bracketed if facts.bracketed else None
        held = Held(handle, sink, facts.window, PasteMode(known), processes.started(facts.pid))
        held.terminal = looks.open_terminal(facts.tty)
        self.live[facts.pane] = held
        self._watch_program(held)
        return held

    def release(self, held: Held) -> None:
        """Nothing more is told about this pane."""
        held.over = True
        if held.pidfd is not None:
            asyncio.get_running_loop().remove_reader(held.pidfd)
            os.close(held.pidfd)
            held.pidfd = None
        if held.terminal is not None:
            os.close(held.terminal)
            held.terminal = None
        if self.live.get(held.handle.pane) is held:
            del self.live[held.handle.pane]
            self.past.append(held)

    def forget(self, run_id: RunId, role: Role | None) -> None:
        self.past = [held for held in self.past if not held.is_of(run_id, role)]

    def of(self, run_id: RunId, role: Role | None) -> list[Held]:
        """Held panes of a run, living and past."""
        return [held for held in (*self.live.values(), *self.past) if held.is_of(run_id, role)]

    def _watch_program(self, held: Held) -> None:
        if not HAS_PIDFD:
            return
        try:
            held.pidfd = os.pidfd_open(held.handle.pid)
        except OSError:
            # It ended before it could be watched.
            self._ended(held)
            return
        asyncio.get_running_loop().add_reader(held.pidfd, self._on_pidfd, held)

    # ---- what comes in -----------------------------------------------------------------------------------------------

    def on_output(self, pane: str, data: bytes) -> None:
        held = self.live.get(pane)
        if held is None:
            return
        if held.mode.feed(data) and self._link is not None and self._link.up:
            value = "1" if held.mode.on else "0"
            self._link.require().post(command("set-option", "-p", "-t", pane, looks.BRACKETED_OPTION, value))
        held.tail = (held.tail + data)[-_TAIL:]
        now = asyncio.get_running_loop().time()
        if now - held.burst_start > _BURST_SECONDS:
            held.burst_start, held.burst_bytes = now, 0
        held.burst_bytes += len(data)
        self._tell(held, held.sink.on_output, data)

    def on_notice(self, name: str, text: str) -> None:
        if name in ("window-close", "unlinked-window-close", "layout-change"):
            window = text.partition(" ")[0]
            if any(held.window == window for held in self.live.values()):
                self.check()

        elif name == "client-detached":
            self._spawn(self._clear_sessions(), "tmux-sessions")

    def on_gap(self, why: str) -> None:
        for held in list(self.live.values()):
            self._tell(held, held.sink.on_gap, why)
        self.check()

    def on_gone(self, why: str) -> None:
        for held in list(self.live.values()):
            self._bury(held, None, None, why)

    def _on_pidfd(self, held: Held) -> None:
        if held.pidfd is not None:
            asyncio.get_running_loop().remove_reader(held.pidfd)
        self._ended(held)

    def _ended(self, held: Held) -> None:
        if not held.ending:
            held.ending = True
            self._spawn(self._program_ended(held), f"tmux-death-{held.handle.pane}")

    # ---- looking -----------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Look at all panes soon."""
        if self._check_task is None or self._check_task.done():
            self._check_task = self._spawn(self._check(), "tmux-check")

    async def _check(self) -> None:
        if self._link is None or not self._link.up:
            return
        before = list(self.live.values())
        with contextlib.suppress(TmuxError):
            facts = await self.list()
            for held in before:
                pane = facts.get(held.handle.pane)
                if pane is None:
                    self._bury(held, None, None, "the pane was closed")
                elif pane.ended:
                    self._ended(held)

    async def list(self, deadline: float = POLL_SECONDS) -> dict[str, Facts]:
        """All panes of the server by id. Raises TmuxError."""
        assert self._link is not None
        client = await self._link.ready(deadline)
        bodies = await client.call(looks.ask_all(), deadline=deadline)
        return {facts.pane: facts for facts in looks.read_all(bodies[0])}

    async def _program_ended(self, held: Held) -> None:
        """Ask tmux how, until it knows and has closed the pane's terminal."""
        assert self._link is not None
        loop = asyncio.get_running_loop()
        start = loop.time()
        until = start + _LOOK_SECONDS
        facts: Facts | None = None
        while not held.over:
            left = until - loop.time()
            if left <= 0:
                break
            try:
                facts = (await self.list(left)).get(held.handle.pane)
            except TmuxTimeout:
                break
            except TmuxError:
                # Not the program alone: the server or the session. The link says so once it knows.
                with contextlib.suppress(TmuxTimeout):
                    await self._link.settled(1)
                break
            if facts is None:
                self._bury(held, None, None, "the pane was closed")
                return
            if facts.dead and (facts.exit_status is not None or facts.signal is not None):
                break
            # tmux has more of its output to read, or has not collected its child. It may have missed the signal for
            # that (seen on 3.3a with a busy machine), and would then wait for the next one.
            if facts.dead or loop.time() > start + 0.05:
                self._link.remind_of_children()
            await asyncio.sleep(0.005)
        if facts is not None and facts.dead and not held.over:
            await self._last_words(held, start)
        if facts is not None and facts.ended:
            self._bury(held, facts.exit_status, facts.signal, _how(facts.exit_status, facts.signal))
        else:
            self._bury(held, None, None, "the program ended; tmux could not say how")

    async def _last_words(self, held: Held, start: float) -> None:
        """Give the sink the screen as it stood at the end, if the stream stopped short of it."""
        assert self._link is not None
        pane = held.handle.pane
        captures = [command("capture-pane", "-p", *flags, "-t", pane) for flags in ((), ("-e",))]
        try:
            client = await self._link.ready(_LOOK_SECONDS)
            first, plain, painted = await client.look(looks.ask(pane), captures, deadline=_LOOK_SECONDS)
        except TmuxError:
            return
        found = looks.read_all(first)
        if not found or held.over:
            return
        if not looks.told(plain, held.tail):
            self._tell(held, held.sink.on_gap, "tmux dropped the last output of a program that ended")
            self._tell(held, held.sink.on_output, looks.paint(found[0], painted).encode())
        elif held.burst_bytes > _BURST_BYTES and start - held.burst_start < 2 * _BURST_SECONDS:
            self._tell(held, held.sink.on_gap, "the program ended while it wrote; tmux may have dropped the rest")

    def _tell(self, held: Held, what: Callable[[_T], None], word: _T) -> None:
        """A reader that fails must not take the connection, and with it every other pane, along."""
        try:
            what(word)
        except Exception:
            log.exception("a reader of pane %s failed", held.handle.pane)

    async def _clear_sessions(self) -> None:
        """Remove the sessions of people who left."""
        assert self._link is not None
        with contextlib.suppress(TmuxError):
            client = await self._link.ready(POLL_SECONDS)
            form = "#{session_group}|#{session_attached}|#{session_id}|#{session_name}"
            answer = await client.call(command("list-sessions", "-F", form))
            for line in answer[0].decode("utf-8", "replace").splitlines():
                group, attached, session, name = line.split("|", 3)
                if group == SESSION and attached == "0" and name != SESSION:
                    await client.call(command("kill-session", "-t", session))

    def _bury(self, held: Held, exit_status: int | None, signal: int | None, reason: str) -> None:
        if held.over:
            return
        self.release(held)
        try:
            held.sink.on_death(exit_status, signal, reason)
        except Exception:
            log.exception("a reader of pane %s failed", held.handle.pane)

    async def _poll(self, link: Link) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if link.up and not link.socket.exists():
                try:
                    await link.restore_socket()
                except TmuxError as error:
                    log.warning("the tmux socket is gone and cannot be made again: %s", error)
            if not HAS_PIDFD and self.live:
                await self._check()

    def _spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _how(exit_status: int | None, signal: int | None) -> str:
    if signal is not None:
        return f"the program was ended by signal {signal}"
    return f"the program ended with status {exit_status}" if exit_status is not None else "the program ended"
