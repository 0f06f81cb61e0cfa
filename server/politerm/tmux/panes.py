"""Panes of one private tmux server: the engine's `Panes` port.

Text of prompts and environments of agents go through files (0600), never through a tmux or shell command line. This
module does not know what an agent is, nor what its output means.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from politerm.core.wire import Role, RunId
from politerm.engine.ports import PaneHandle, PaneSink, PaneSpec, PaneStatus, Screen
from politerm.errors import TmuxError, TmuxGone, TmuxMissing, TmuxTimeout
from politerm.tmux import environment, folders, launcher, looks, processes, versions, waiting
from politerm.tmux.client import DEADLINE, ConnectionLost
from politerm.tmux.lines import chain, command, mark, unless
from politerm.tmux.link import DETACH_KEYS, SESSION, Found, Link
from politerm.tmux.looks import Facts
from politerm.tmux.watch import Held, Watch

log = logging.getLogger(__name__)

LEAST_COLUMNS, LEAST_ROWS = 160, 50
MOST_CELLS = 1000
"""Columns or rows. A window of tmux's own maximum, 10,000, would take gigabytes of history."""

PASTE_DEADLINE = 10.0
_LAUNCH, _PASTE = "launch", "paste"
_TYPED_PIECE = 512
_DONE, _REFUSED = "poli:done", "poli:refused"


class TmuxPanes:
    """The panes of one workspace. `start` before anything else; `shutdown` leaves the agents running.

    `socket`: where the server's socket shall be; another short place is chosen where that cannot be (see `socket`
    afterwards). `runtime`: a folder of ours for launcher and paste files.
    """

    def __init__(
        self,
        *,
        socket: Path,
        runtime: Path,
        workspace_key: str,
        command: tuple[str, ...] = ("tmux",),
        env: Mapping[str, str] | None = None,
    ) -> None:
        """`env`: the user's environment, of which agents get a scrubbed copy; this process's own by default."""
        self._env = os.environ if env is None else env
        self._wanted_socket = socket
        self._runtime = runtime
        self._program = command
        self._workspace = workspace_key
        self._watch = Watch()
        self._link: Link | None = None
        self._version: versions.Version | None = None
        self._terminal = ""
        self._changing = asyncio.Lock()

    # ---- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Find tmux, make the folders, connect to a server that is there. Raises TmuxMissing, TmuxError."""
        self._version = await self._find_tmux()
        socket = await asyncio.to_thread(self._make_folders)
        self._terminal = environment.terminal_name()
        self._link = Link(
            socket=socket,
            runtime=self._runtime,
            program=self._program,
            on_output=self._watch.on_output,
            on_notice=self._watch.on_notice,
            on_gap=self._watch.on_gap,
            on_gone=self._watch.on_gone,
            env=environment.server_environment(self._env),
            terminal=self._terminal,
        )
        self._watch.use(self._link)
        await self._link.attach()

    async def shutdown(self) -> None:
        """Leave: our client ends, the server and its agents go on."""
        await self._watch.close()
        if self._link is not None:
            await self._link.close()

    @property
    def socket(self) -> Path:
        return self._connection.socket

    async def _find_tmux(self) -> versions.Version:
        if shutil.which(self._program[0]) is None:
            raise TmuxMissing(f"{self._program[0]} is not installed.", hint="Install tmux 3.2a or newer.")
        process = await asyncio.create_subprocess_exec(
            *self._program, "-V", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(DEADLINE):
                answer, _ = await process.communicate()
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise TmuxTimeout(f"{self._program[0]} -V did not answer.") from error
        return versions.parse(answer.decode("utf-8", "replace"))

    def _make_folders(self) -> Path:
        socket = folders.choose_socket(self._wanted_socket)
        if not folders.plain(self._runtime):
            self._runtime = socket.with_name(socket.name + ".files")
        folders.private_folder(self._runtime)
        folders.sweep(self._runtime, (_LAUNCH, _PASTE))
        return socket

    @property
    def _connection(self) -> Link:
        if self._link is None:
            raise TmuxGone("The tmux adapter has not been started.")
        return self._link

    def _marks(self, run_id: RunId, role: Role | None) -> dict[str, str]:
        """Environment of every process of this run. The socket tells workspaces apart whose keys look alike."""
        place = hashlib.sha256(f"{self._workspace}\0{self._connection.socket}".encode()).hexdigest()[:16]
        marks = {environment.PLACE: place, environment.RUN: run_id}
        return marks if role is None else {**marks, environment.ROLE: role.value}

    # ---- opening and closing -----------------------------------------------------------------------------------------

    async def open(self, spec: PaneSpec, sink: PaneSink) -> PaneHandle:
        """See the port. What an earlier start of this role left running is ended first."""
        link = self._connection
        marks = self._marks(spec.run_id, spec.role)
        env = environment.agent_environment(self._env, spec.env, marks, term=self._terminal, cwd=spec.cwd)
        try:
            content = launcher.encode(spec.argv, spec.cwd, env)
        except ValueError as error:
            raise TmuxError(f"This program cannot be started: {error}.") from error
        async with self._changing:
            for attempt in (1, 2):
                await link.settled()
                try:
                    old = await self._end_programs(spec.run_id, spec.role) if max(spec.incarnation, attempt) > 1 else []
                    held = await self._create(spec, sink, content)
                except ConnectionLost:
                    # Server or client ended under our hands. What this start may have left is ended, then once more.
                    if attempt == 2:
                        raise
                else:
                    break
            for pane in old:
                link.require().post(command("kill-pane", "-t", pane))
            return held.handle

    async def _create(self, spec: PaneSpec, sink: PaneSink, content: bytes) -> Held:
        columns, rows = _size(spec.columns, spec.rows)
        name = folders.write_private(self._runtime, _LAUNCH, content)
        window = (
            ("new-window", "-n", spec.role.value, "--", *_LAUNCHER, name),
            ("set-option", "-p", looks.RUN_OPTION, mark(spec.run_id)),
            ("set-option", "-p", looks.ROLE_OPTION, spec.role.value),
            ("set-option", "-p", looks.INCARNATION_OPTION, str(spec.incarnation)),
            ("resize-window", "-x", str(columns), "-y", str(rows)),
            ("list-panes", "-F", looks.FORMAT),
        )
        held: Held | None = None
        wanted = True

        def created(bodies: list[bytes]) -> None:
            nonlocal held
            if wanted:
                facts = looks.read_all(bodies[-1])[0]
                held = self._watch.hold(facts, sink, run_id=spec.run_id, role=spec.role, incarnation=spec.incarnation)

        try:
            await self._connection.create(window, created)
        except BaseException:
            # A server that wakes up later finds no file, and the launcher gives up.
            wanted = False
            folders.remove(self._runtime, name)
            if held is not None:
                self._watch.release(held)
            raise
        assert held is not None
        return held

    async def _end_programs(self, run_id: RunId, role: Role) -> list[str]:
        """End what runs for this role; answers its panes, which stay until a new one keeps the server alive."""
        held = self._watch.of(run_id, role)
        programs = {each.handle.pid: each.started for each in held}
        for each in held:
            self._watch.release(each)
        self._watch.forget(run_id, role)
        panes = []
        if await self._connection.attach() is Found.SESSION:
            for facts in (await self._watch.list(DEADLINE)).values():
                if facts.run == run_id and facts.role == role.value:
                    panes.append(facts.pane)
                    if not facts.ended:
                        programs.setdefault(facts.pid, processes.started(facts.pid))
        await asyncio.to_thread(processes.end, self._marks(run_id, role), programs)
        return panes

    async def adopt(self, run_id: RunId, role: Role, sink: PaneSink) -> PaneHandle | None:
        link = self._connection
        await link.settled()
        if await link.attach() is not Found.SESSION:
            return None
        ours = [
            facts
            for facts in (await self._watch.list(DEADLINE)).values()
            if facts.run == run_id and facts.role == role.value and not facts.ended
        ]
        if not ours:
            return None
        facts = max(ours, key=lambda facts: facts.incarnation)
        before = self._watch.live.get(facts.pane)
        if before is not None:
            self._watch.release(before)
            self._watch.past.remove(before)
        held = self._watch.hold(facts, sink, run_id=run_id, role=role, incarnation=facts.incarnation)
        return held.handle

    async def close(self, run_id: RunId, role: Role | None = None) -> int:
        """See the port. Nothing more is told to the sinks of these panes. With the last pane the server ends too."""
        link = self._connection
        held = self._watch.of(run_id, role)
        for each in held:
            self._watch.release(each)
        programs = {each.handle.pid: each.started for each in held}
        async with self._changing:
            mine, others = await self._divide(run_id, role)
            for facts in mine:
                if not facts.ended:
                    programs.setdefault(facts.pid, processes.started(facts.pid))
            ended = await asyncio.to_thread(processes.end, self._marks(run_id, role), programs)
            self._watch.forget(run_id, role)
            if others is None:
                # It is told to drop the panes once it answers.
                if link.up:
                    for each in held:
                        link.require().post(command("kill-pane", "-t", each.handle.pane))
            elif others:
                for facts in mine:
                    with contextlib.suppress(TmuxError):
                        await link.require().call(command("kill-pane", "-t", facts.pane), deadline=1)
            else:
                await link.end_server()
            return ended

    async def _divide(self, run_id: RunId, role: Role | None) -> tuple[list[Facts], list[Facts] | None]:
        """The panes of this run, and all others; None for the others when they are not known: tmux does not answer, or
        only strangers' sessions are left in it."""
        link = self._connection
        try:
            async with asyncio.timeout(1):
                await link.settled()
                found = await link.attach()
                if found is not Found.SESSION:
                    return [], [] if found is Found.NOTHING else None
                facts = (await self._watch.list()).values()
        except (TmuxError, TimeoutError) as error:
            log.warning("closing without tmux: %s", error)
            return [], None
        mine = [each for each in facts if each.run == run_id and role in (None, looks.role_of(each))]
        return mine, [each for each in facts if each not in mine]

    # ---- looking -----------------------------------------------------------------------------------------------------

    async def status(self, pane: str) -> PaneStatus:
        facts = await self._facts(pane)
        return self._status(facts)

    async def screen(self, pane: str, *, history: int = 0) -> Screen:
        facts, bodies = await self._look(pane, looks.captures(pane, history))
        return looks.screen(self._status(facts), bodies)

    async def snapshot(self, pane: str) -> str:
        facts, bodies = await self._look(pane, [command("capture-pane", "-p", "-e", "-t", pane)])
        return looks.paint(facts, bodies[0])

    async def waits_for_line(self, pane: str) -> bool | None:
        held = self._watch.live.get(pane)
        return None if held is None else await asyncio.to_thread(waiting.reads_terminal, held.handle.pid)

    def _status(self, facts: Facts) -> PaneStatus:
        held = self._watch.live.get(facts.pane)
        if held is None:
            return facts.status(bracketed=None, canonical=False)
        return facts.status(bracketed=held.mode.on, canonical=looks.is_canonical(held.terminal))

    async def _facts(self, pane: str) -> Facts:
        facts, _ = await self._look(pane, [])
        return facts

    async def _look(self, pane: str, captures: Sequence[str]) -> tuple[Facts, list[bytes]]:
        """A look changes nothing, so it is taken again over a new connection."""
        for attempt in (1, 2):
            client = await self._connection.ready()
            try:
                if captures:
                    first, *bodies = await client.look(looks.ask(pane), captures)
                else:
                    first, bodies = (await client.call(looks.ask(pane)))[0], []
            except ConnectionLost:
                if attempt == 2:
                    raise
                continue
            except TmuxError as error:
                _refused(error, pane)
            found = looks.read_all(first)
            if found:
                return found[0], bodies
            break
        raise TmuxGone(f"There is no pane {pane}.", pane=pane)

    # ---- typing ------------------------------------------------------------------------------------------------------

    async def paste(self, pane: str, text: str, *, mark: str) -> None:
        """See the port. Raises TmuxGone, TmuxTimeout, TmuxError; after ConnectionLost only the mark can tell."""
        self._require_live(pane)
        client = await self._connection.ready()
        content = text.encode("utf-8", "replace")
        if len(content) > 64 * 1024:
            name = await asyncio.to_thread(folders.write_private, self._runtime, _PASTE, content)
        else:
            name = folders.write_private(self._runtime, _PASTE, content)
        try:
            await self._guarded(
                pane,
                (
                    command("paste-buffer", "-p", "-r", "-d", "-b", name, "-t", pane),
                    _set_mark(pane, looks.PASTED_OPTION, mark),
                ),
                before=(command("load-buffer", "-b", name, name),),
                otherwise=(command("delete-buffer", "-b", name),),
                deadline=PASTE_DEADLINE,
            )
        except TmuxError:
            client.post(command("delete-buffer", "-b", name))
            raise
        finally:
            # A stopped server that wakes up later finds no file, and pastes nothing.
            folders.remove(self._runtime, name)

    async def keys(self, pane: str, keys: Sequence[str], *, mark: str | None = None) -> None:
        self._require_live(pane)
        marks = () if mark is None else (_set_mark(pane, looks.ENTERED_OPTION, mark),)
        send = (command("send-keys", "-t", pane, "--", *keys),) if keys else ()
        await self._guarded(pane, (*send, *marks))

    async def type(self, pane: str, data: str) -> None:
        self._require_live(pane)
        content = data.encode("utf-8", "replace")
        for start in range(0, len(content), _TYPED_PIECE):
            piece = content[start : start + _TYPED_PIECE]
            await self._guarded(pane, (command("send-keys", "-H", "-t", pane, *(f"{byte:02x}" for byte in piece)),))

    def _require_live(self, pane: str) -> None:
        if pane not in self._watch.live:
            raise TmuxGone(f"The program of pane {pane} is gone.", pane=pane)

    async def _guarded(
        self,
        pane: str,
        then: Sequence[str],
        *,
        before: Sequence[str] = (),
        otherwise: Sequence[str] = (),
        deadline: float = DEADLINE,
    ) -> None:
        """Type only into a pane that takes it, out of copy mode: one tmux command list, so that nothing comes between
        the look and the act. Raises TmuxGone or TmuxError when the pane did not take it, and nothing was done."""
        say = "#{pane_dead} #{pane_input_off} #{pane_synchronized}"
        line = chain(
            *before,
            unless(
                looks.BLOCKED_FORMAT,
                pane,
                then=chain(command("copy-mode", "-q", "-t", pane), *then, command("display-message", "-p", _DONE)),
                otherwise=chain(*otherwise, command("display-message", "-p", "-t", pane, f"{_REFUSED} {say}")),
            ),
        )
        client = await self._connection.ready()
        try:
            bodies = await client.call(line, until="poli:", deadline=deadline)
        except ConnectionLost:
            raise
        except TmuxError as error:
            _refused(error, pane)
        answer = bodies[-1].decode()
        if answer == _DONE:
            return
        dead, off, _tied = answer.removeprefix(_REFUSED).split()
        if dead == "1":
            raise TmuxGone(f"The program of pane {pane} is gone.", pane=pane)
        if off == "1":
            raise TmuxError(
                f"The input of pane {pane} is switched off.", hint="Switch it on: select-pane -e.", pane=pane
            )
        raise TmuxError(f"Pane {pane} is synchronised with others.", hint="Switch synchronize-panes off.", pane=pane)

    async def resize(self, pane: str, columns: int, rows: int) -> tuple[int, int]:
        columns, rows = _size(columns, rows)
        facts = await self._facts(pane)
        client = await self._connection.ready()
        try:
            await client.call(command("resize-window", "-t", facts.window, "-x", str(columns), "-y", str(rows)))
        except ConnectionLost:
            raise
        except TmuxError as error:
            _refused(error, pane)
        facts = await self._facts(pane)
        return facts.columns, facts.rows

    # ---- people ------------------------------------------------------------------------------------------------------

    async def attach_command(self, pane: str, *, read_only: bool) -> tuple[str, ...]:
        """A session of the person's own over the same windows: they may look at another pane than the next person,
        and their terminal's size changes nothing. Once they leave, it is removed by `Watch`: destroy-unattached would
        do that, and ends the whole server in half of all cases (3.3a)."""
        facts = await self._facts(pane)
        flags = "read-only,ignore-size" if read_only else "ignore-size"
        return (
            *self._connection.argv,
            *("new-session", "-t", f"={SESSION}", "-f", flags, ";"),
            *("select-window", "-t", facts.window),
        )

    async def report(self) -> Mapping[str, object]:
        """For doctor. The panes are listed by libtmux, in a thread: a second witness beside our own client."""
        link = self._connection
        version = self._version
        assert version is not None
        return {
            "version": version.text,
            "quirks": [quirk.sentence for quirk in version.quirks()],
            "socket": str(link.socket),
            "runtime": str(self._runtime),
            "serverPid": link.server_pid,
            "connected": link.up,
            "detach": DETACH_KEYS,
            "panes": await asyncio.to_thread(_list_by_libtmux, link.socket) if link.up else [],
        }


_LAUNCHER = (sys.executable, "-I", "-S", str(Path(launcher.__file__).resolve()))


def _size(columns: int, rows: int) -> tuple[int, int]:
    return min(max(columns, LEAST_COLUMNS), MOST_CELLS), min(max(rows, LEAST_ROWS), MOST_CELLS)


def _set_mark(pane: str, option: str, text: str) -> str:
    return command("set-option", "-p", "-t", pane, option, mark(text))


def _refused(error: TmuxError, pane: str) -> NoReturn:
    """tmux's words about a missing pane, as our error."""
    if "can't find" in str(error.data.get("words", "")):
        raise TmuxGone(f"There is no pane {pane}.", pane=pane) from error
    raise error


def _list_by_libtmux(socket: Path) -> list[dict[str, str | None]]:
    # libtmux takes a tenth of a second to import and milliseconds a call: it has its place here, off the hot path.
    import libtmux
    from libtmux.exc import LibTmuxException

    try:
        panes = libtmux.Server(socket_path=str(socket)).panes
        return [
            {"pane": pane.pane_id, "pid": pane.pane_pid, "command": pane.pane_current_command, "dead": pane.pane_dead}
            for pane in panes
        ]
    except LibTmuxException as error:
        return [{"error": str(error)}]
