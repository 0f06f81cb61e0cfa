"""The composition root: the only module that names the concrete classes behind the engine's ports.

A workspace has one holder: the process that has its lock. `Holdings` is a process's share of that: for each workspace
either the engine (we hold it) or a client of the process that does. It does not know who asks (editor or verb).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import platform
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from politerm import __version__, primers
from politerm.agents.profile import AgentProfile
from politerm.core.events import Primer
from politerm.core.redact import secrets_in
from politerm.core.wire import Role, RunId
from politerm.engine.engine import Engine, Outside
from politerm.engine.planning import command_name
from politerm.environment import config_folder
from politerm.errors import HolderGone, OutsideError
from politerm.eventlog import CastRecordings, SqliteLog
from politerm.lsp.client import Client
from politerm.lsp.control import ControlServer, serve_control
from politerm.lsp.proxy import Opening
from politerm.settings import Settings, load_settings
from politerm.tmux import TmuxPanes
from politerm.workspace import project
from politerm.workspace.agents_folder import AgentsFolder
from politerm.workspace.launch import Installed
from politerm.workspace.lock import WorkspaceLock
from politerm.workspace.state import StatePaths, locate
from politerm.workspace.trust import TrustStore

log = logging.getLogger(__name__)

HOLDER_WITHIN = 10.0
"""Seconds in which a process that has the lock must open its door before a verb gives up on it."""


class SystemClock:
    """Monotonic time for timers, UTC for people."""

    def monotonic(self) -> float:
        return time.monotonic()

    def stamp(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Briefing:
    """Primers and the project's description, for engine.ports.Briefing."""

    def __init__(self, config_dir: Path, env: Mapping[str, str]) -> None:
        self._config_dir = config_dir
        self._env = env

    def primers(self) -> Mapping[Role, Primer]:
        return {role: primers.load(role, self._config_dir) for role in (Role.PLANNER, Role.EXECUTER)}

    async def project(self, folder: str) -> str:
        return await project.describe(Path(folder), env=self._env)


def new_run_id() -> RunId:
    """Sorts by time, can be said aloud, and is not guessed twice: `261121-0612-4f3a`."""
    return RunId(f"{datetime.now(UTC):%y%m%d-%H%M%S}-{secrets.token_hex(2)}")


class Hold:
    """A workspace held by this process: engine, adapters, lock, and the door for other processes."""

    def __init__(
        self,
        engine: Engine,
        lock: WorkspaceLock,
        event_log: SqliteLog,
        recordings: CastRecordings,
        panes: TmuxPanes,
        paths: StatePaths,
    ) -> None:
        self.engine = engine
        self.paths = paths
        self._lock = lock
        self._log = event_log
        self._recordings = recordings
        self._panes = panes
        self._control: ControlServer | None = None

    @classmethod
    async def open(
        cls, folder: Path, paths: StatePaths, lock: WorkspaceLock, *, env: Mapping[str, str], settings: Settings
    ) -> Hold:
        """With the lock already ours. On any error the lock is released again."""
        event_log = SqliteLog(paths.root)
        recordings = CastRecordings(paths.recordings)
        socket = Path(settings.tmux.socket).expanduser() if settings.tmux.socket else None
        panes = TmuxPanes(
            socket=paths.sockets / socket if socket else paths.tmux_socket,
            runtime=paths.runtime,
            workspace_key=paths.key,
            env=env,
        )
        try:
            await event_log.open()
            engine = Engine(_outside(folder, paths, event_log, recordings, panes, env, settings))
            hold = cls(engine, lock, event_log, recordings, panes, paths)
            hold._control = await serve_control(paths.control_socket, engine)
        except BaseException:
            await event_log.close()
            lock.release()
            raise
        for notice in event_log.notices:
            log.warning("%s", notice)
        return hold

    async def close(self) -> None:
        """Let everything go in order; agents stay. The lock falls free last."""
        try:
            if self._control is not None:
                await self._control.close()
            await self.engine.shutdown()
            await self._panes.shutdown()
            await self._recordings.shutdown()
            await self._log.close()
        finally:
            self._lock.release()


def _outside(
    folder: Path,
    paths: StatePaths,
    event_log: SqliteLog,
    recordings: CastRecordings,
    panes: TmuxPanes,
    env: Mapping[str, str],
    settings: Settings,
) -> Outside:
    config_dir = config_folder(env)
    agents = AgentsFolder(config_dir, env)
    commands: dict[str, AgentProfile] = {}
    for role, own in ((Role.PLANNER, settings.planner), (Role.EXECUTER, settings.executer)):
        if own.command:
            # One word that is an agent's name means that agent, with all that is known of it.
            known = agents.profiles().get(own.command[0]) if len(own.command) == 1 else None
            commands[command_name(role)] = known or AgentProfile(name=command_name(role), command=own.command)
    home = Path(env.get("HOME") or Path.home())

    def about() -> dict[str, Any]:
        return {
            "politerm": __version__,
            "python": sys.version.split()[0],
            "platform": platform.platform(),
            "packages": {name: metadata.version(name) for name in ("pygls", "lsprotocol", "libtmux", "pydantic")},
            "folder": str(folder),
            "state": str(paths.root),
            "config": str(config_dir),
            "holder": os.getpid(),
            "notices": list(event_log.notices),
        }

    return Outside(
        folder=str(folder),
        log=event_log,
        recordings=recordings,
        panes=panes,
        agents=Installed(agents, paths.runtime / "runs", commands, home),
        trust=TrustStore(config_dir / "trust.json", home=home),
        briefing=Briefing(config_dir, env),
        clock=SystemClock(),
        settings=settings,
        secrets=frozenset(secrets_in(env)),
        new_run_id=new_run_id,
        new_seed=lambda: secrets.token_hex(16),
        about=about,
    )


class Holdings:
    """What this process holds, by workspace key. `connect` is what lsp/serve.py asks for each client."""

    def __init__(self, env: Mapping[str, str], *, folder: Path | None = None) -> None:
        self._env = env
        self._folder = folder
        self._holds: dict[str, Hold] = {}
        self._one_at_a_time = asyncio.Lock()

    async def connect(self, opening: Opening) -> Engine | Client:
        """The engine, if this process holds the client's workspace or can take its lock; else a client of the holder.

        Raises HolderGone while the holder has no open door (it starts, or it has just died), ReadOnly, OutsideError.
        """
        folder = Path(opening.folders[0]) if opening.folders else self._folder or Path.cwd()
        folder = folder.resolve()
        paths = locate(folder, self._env)
        async with self._one_at_a_time:
            if paths.key in self._holds:
                return self._holds[paths.key].engine
            paths.ensure()
            lock = WorkspaceLock(paths.lock)
            if lock.try_acquire():
                settings, warnings = load_settings(
                    env=self._env,
                    config_dir=config_folder(self._env),
                    editor=dict(opening.settings),
                    workspace=folder,
                    trusted=opening.trusted is True or self._stored_trust(folder),
                )
                for warning in warnings:
                    log.warning("%s", warning)
                hold = await Hold.open(folder, paths, lock, env=self._env, settings=settings)
                self._holds[paths.key] = hold
                return hold.engine
        options = {} if opening.trusted is None else {"trusted": opening.trusted}
        return await Client.connect(paths.control_socket, options=options)

    def _stored_trust(self, folder: Path) -> bool:
        store = TrustStore(config_folder(self._env) / "trust.json", home=Path(self._env.get("HOME") or Path.home()))
        return bool(store.get(folder))

    async def close(self) -> None:
        for hold in self._holds.values():
            await hold.close()
        self._holds.clear()


@contextlib.asynccontextmanager
async def open_workspace(folder: Path, *, env: Mapping[str, str], trusted: bool | None) -> AsyncIterator[Client]:
    """A client of whoever holds the folder's workspace: this process, if nobody does. Raises ReadOnly, OutsideError."""
    holdings = Holdings(env, folder=folder)
    client: Client | None = None
    try:
        client = await _reach(holdings, folder, env, trusted)
        yield client
    finally:
        if client is not None:
            await client.close()
        await holdings.close()


async def _reach(holdings: Holdings, folder: Path, env: Mapping[str, str], trusted: bool | None) -> Client:
    options = {} if trusted is None else {"trusted": trusted}
    try:
        async with asyncio.timeout(HOLDER_WITHIN):
            while True:
                try:
                    found = await holdings.connect(Opening(folders=(str(folder),), trusted=trusted))
                    if isinstance(found, Client):
                        return found
                    return await Client.connect(locate(folder, env).control_socket, options=options)
                except HolderGone:
                    await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise OutsideError("The process that holds this workspace does not answer.") from error
