"""The link to one tmux server: started, found again, kept, given up. Owns the control client and nothing of the panes.

The server is known by its socket and by a record of its process, so that it is found when the socket file is gone
(SIGUSR1 makes tmux put it back), and so that a new one is never started beside an old one that still ends. What stands
behind a pane id is panes.py's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket as sockets
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from pathlib import Path

from politerm.errors import TmuxError, TmuxGone, TmuxMissing, TmuxTimeout
from politerm.tmux import folders, processes
from politerm.tmux.client import DEADLINE, ConnectionLost, ControlClient
from politerm.tmux.lines import argv_words, chain, command

log = logging.getLogger(__name__)

SESSION = "politerm"
"""The one session that holds every pane's window: a control client is sent the output of its own session only."""

HISTORY_LINES = 50_000
DETACH_KEYS = "C-] d"
"""What a person who attached types to leave. tmux's usual prefix, C-b, belongs to the agents."""

_OPTIONS: tuple[tuple[str, ...], ...] = (
    ("-s", "exit-empty", "on"),
    ("-s", "escape-time", "0"),
    ("-s", "set-clipboard", "off"),
    ("-g", "history-limit", str(HISTORY_LINES)),
    ("-g", "default-size", "160x50"),
    ("-g", "status", "off"),
    ("-g", "prefix", "C-]"),
    ("-g", "prefix2", "None"),
    ("-g", "mouse", "off"),
    ("-g", "update-environment", ""),
    ("-g", "visual-bell", "off"),
    ("-g", "bell-action", "none"),
    ("-g", "set-titles", "off"),
    ("-g", "detach-on-destroy", "on"),
    ("-g", "destroy-unattached", "off"),
    ("-wg", "remain-on-exit", "on"),
    ("-wg", "remain-on-exit-format", ""),
    ("-wg", "automatic-rename", "off"),
    ("-wg", "allow-rename", "off"),
    ("-wg", "aggressive-resize", "off"),
    ("-wg", "allow-passthrough", "off"),
)
"""Set before the first window is made. window-size is left out on purpose: `manual` for all windows ends the server
with the next window (seen on 3.3a); resize-window sets it for each window by itself."""

_TABLES: tuple[tuple[str, ...], ...] = (
    ("unbind-key", "-a", "-T", "root"),
    ("unbind-key", "-a", "-T", "prefix"),
    ("bind-key", "-T", "prefix", "d", "detach-client"),
    ("bind-key", "-T", "prefix", "[", "copy-mode"),
    ("bind-key", "-T", "prefix", "C-]", "send-prefix"),
)
_LEAVE_SECONDS = 1.5
_NO_ANSWER = "tmux does not answer; the connection to it is being made again."
_PAUSE_SECONDS = 0.2
_TRIES = 3
_SOCKET_SECONDS = 2.0


class Found(Enum):
    """What stands behind the socket."""

    NOTHING = auto()
    NO_SESSION = auto()
    """A server without our session: somebody else's sessions keep it alive."""
    SESSION = auto()


class Link:
    """At most one connection at a time. `on_gap(why)`: output was missed, the panes are still there. `on_gone(why)`:
    the server or the session is not. Both come after a connection was lost without our doing."""

    def __init__(
        self,
        *,
        socket: Path,
        runtime: Path,
        program: tuple[str, ...],
        on_output: Callable[[str, bytes], None],
        on_notice: Callable[[str, str], None],
        on_gap: Callable[[str], None],
        on_gone: Callable[[str], None],
        env: Mapping[str, str],
        terminal: str,
    ) -> None:
        self.socket = socket
        self._runtime = runtime
        self._argv = (*program, "-S", str(socket), "-f", "/dev/null", "-u")
        self._on_output = on_output
        self._on_notice = on_notice
        self._on_gap = on_gap
        self._on_gone = on_gone
        self._env = dict(env)
        self._terminal = terminal
        self._record = folders.ServerRecord(socket)
        self._client: ControlClient | None = None
        self._lock = asyncio.Lock()
        self._recovery: asyncio.Task[None] | None = None
        self._recovered = float("-inf")
        self.server_pid: int | None = None

    @property
    def up(self) -> bool:
        return self._client is not None and self._client.up

    @property
    def client_pid(self) -> int | None:
        return self._client.pid if self._client else None

    @property
    def argv(self) -> tuple[str, ...]:
        """tmux with this server's socket."""
        return self._argv

    # ---- connecting --------------------------------------------------------------------------------------------------

    async def attach(self) -> Found:
        """Connect to the server that is there, if there is one with our session. Raises TmuxTimeout, TmuxMissing."""
        async with self._lock:
            return await self._attach()

    async def _attach(self) -> Found:
        if self.up:
            return Found.SESSION
        if not await self._socket_there():
            return Found.NOTHING
        for _ in range(_TRIES):
            try:
                client = await self._connect(("-N", "-C", "attach-session", "-t", f"={SESSION}"), blocks=1)
                self._client = client
                await self._learn_server()
            except TmuxMissing:
                raise
            except TmuxTimeout:
                if await self._leaving():
                    return Found.NOTHING
                raise
            except (ConnectionLost, TmuxGone) as error:
                log.debug("no tmux server to attach to: %s", error)
                if not self._accepts() or await self._leaving():
                    return Found.NOTHING
            except TmuxError as error:
                log.debug("a tmux server without our session: %s", error)
                return Found.NO_SESSION
            else:
                return Found.SESSION
        raise TmuxTimeout("tmux takes connections, and ends every one of them.", socket=str(self.socket))

    async def _leaving(self) -> bool:
        """Is the server on its way out? It may take connections and end them for as long as a client of somebody else
        does not read what it is owed (seen on 3.3a)."""
        pid = self._record.read()
        return pid is not None and await asyncio.to_thread(processes.is_leaving, pid)

    def _accepts(self) -> bool:
        """Does a server listen? Then a client that ended was ended by somebody, and the server is not gone."""
        try:
            with sockets.socket(sockets.AF_UNIX) as probe:
                probe.setblocking(False)
                probe.connect(str(self.socket))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    async def create(self, window: Sequence[Sequence[str]], then: Callable[[list[bytes]], None]) -> None:
        """Make a window by these tmux commands, the first of which is `new-window ...`; `then` gets their answers
        before any output of it is looked at. Starts the server and the session if need be."""
        async with self._lock:
            found = await self._attach()
            if found is Found.SESSION:
                line = chain(*(command(*words) for words in window))
                await self.require().call(line, blocks=len(window), then=then)
                return
            if found is Found.NOTHING:
                await self._make_room()
            options = [("set-option", *words[:1], "-q", *words[1:]) for words in _OPTIONS]
            options.append(("set-option", "-g", "-q", "default-terminal", self._terminal))
            first = ("new-session", "-s", SESSION, *window[0][1:])
            words: list[str] = []
            commands = [*options, *_TABLES, first, *window[1:]]
            for each in commands:
                words += [*argv_words(*each), ";"]
            before = len(options) + len(_TABLES)
            self._client = await self._connect(
                ("-C", *words[:-1]), blocks=len(commands), then=lambda bodies: then(bodies[before:])
            )
            await self._learn_server()

    async def _connect(
        self, words: Sequence[str], *, blocks: int, then: Callable[[list[bytes]], None] | None = None
    ) -> ControlClient:
        client = ControlClient(self._on_output, self._on_notice, lambda words: self._lost(client, words))
        folders.private_folder(self._runtime)
        await client.start(
            (*self._argv, *words),
            env=self._env,
            cwd=self._runtime,
            blocks=blocks,
            then=then,
        )
        return client

    async def _learn_server(self) -> None:
        answer = await self.require().call("display-message -p '#{pid}'")
        self.server_pid = int(answer[0])
        self._record.write(self.server_pid)

    async def _socket_there(self) -> bool:
        """Is there a socket file, or can the server that lost it be told to make it again?"""
        if self.socket.exists():
            return True
        return await self.restore_socket()

    async def restore_socket(self) -> bool:
        """SIGUSR1 to a living server whose socket file was removed; True when the file is there again."""
        pid = self._record.read()
        if pid is None:
            return False
        folders.private_folder(self.socket.parent)
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGUSR1)
        until = asyncio.get_running_loop().time() + _SOCKET_SECONDS
        while not self.socket.exists():
            if asyncio.get_running_loop().time() > until or self._record.read() != pid:
                return False
            await asyncio.sleep(0.01)
        log.warning("the tmux socket %s was removed; the server made it again", self.socket)
        self._record.write(pid)
        return True

    def remind_of_children(self) -> None:
        """SIGCHLD to the server: it looks for children that ended."""
        pid = self._record.read()
        if pid is not None:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCHLD)

    async def _make_room(self) -> None:
        """A server that still ends would take a new one's first client with it: wait until its process is gone."""
        pid = self._record.read()
        if pid is None:
            return
        if await asyncio.to_thread(processes.wait_gone, pid, _LEAVE_SECONDS):
            return
        if not await self._leaving():
            raise TmuxTimeout("A tmux server neither answers nor ends.", pid=pid)
        # It holds no program any more.
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(processes.wait_gone, pid, 1.0)

    # ---- using -------------------------------------------------------------------------------------------------------

    def require(self) -> ControlClient:
        """The client. Raises TmuxGone without one."""
        if self._client is None or not self._client.up:
            raise TmuxGone("There is no tmux server.", socket=str(self.socket))
        return self._client

    async def ready(self, deadline: float = DEADLINE) -> ControlClient:
        """The client, after a connection that may just be made. Raises TmuxGone, TmuxTimeout."""
        if not self.up:
            try:
                async with asyncio.timeout(deadline):
                    await self.settled(deadline)
                    async with self._lock:
                        pass
            except TimeoutError as error:
                raise TmuxTimeout(_NO_ANSWER) from error
        return self.require()

    async def settled(self, deadline: float = DEADLINE) -> None:
        """Wait until a lost connection is either back or given up. Raises TmuxTimeout."""
        if self._recovery is not None:
            _, waiting = await asyncio.wait({self._recovery}, timeout=deadline)
            if waiting:
                raise TmuxTimeout(_NO_ANSWER)

    # ---- losing ------------------------------------------------------------------------------------------------------

    def _lost(self, client: ControlClient, words: str) -> None:
        if client is not self._client:
            return
        self._client = None
        self._recovery = asyncio.get_running_loop().create_task(self._recover(client, words), name="tmux-reconnect")

    async def _recover(self, old: ControlClient, words: str) -> None:
        await old.close()
        # Something that detaches us again and again shall not keep a core busy.
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._recovered + _PAUSE_SECONDS - loop.time()))
        reason = words.replace("\n", ", ") or "without a word"
        while True:
            try:
                found = await self.attach()
            except TmuxTimeout:
                # A stopped server. Its panes are not dead; it is asked again until it answers.
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            except (TmuxError, OSError) as error:
                log.warning("cannot reconnect to tmux: %s", error)
                found = Found.NOTHING
            break
        match found:
            case Found.SESSION:
                self._recovered = loop.time()
                self._on_gap(f"the connection to tmux was lost ({reason}) and made again")
            case Found.NO_SESSION:
                self._on_gone(f"the tmux session was ended ({reason})")
            case Found.NOTHING:
                self._on_gone(f"the tmux server is gone ({reason})")

    async def close(self) -> None:
        """Leave the server; it goes on with its panes."""
        client, self._client = self._client, None
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)
        if client is not None:
            await client.close()

    async def end_server(self) -> None:
        """End the server, in which nothing runs any more. Our own client leaves first: a server waits for clients."""
        ours = self.up
        await self.close()
        if not ours and self._accepts():
            return
        self.server_pid = None
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self._record.read()
            if pid is None:
                break
            with contextlib.suppress(OSError):
                os.kill(pid, number)
            await asyncio.to_thread(processes.wait_gone, pid, 0.7)
        self._record.remove()
        with contextlib.suppress(OSError):
            self.socket.unlink(missing_ok=True)
