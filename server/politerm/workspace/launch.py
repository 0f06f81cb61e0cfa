"""Installed: the agents of this user on this machine, and the folders in which each plays its role in a run.

Implements engine.ports.Agents. Where profiles lie is agents_folder.py's, what placeholders mean agents/profile.py's.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from politerm.agents.profile import AgentProfile, expand
from politerm.core.wire import Role, RunId
from politerm.engine.ports import Launch, Witness
from politerm.errors import ReadOnly
from politerm.private import private_folder
from politerm.witness import open_witness, witness_path
from politerm.workspace.agents_folder import AgentsFolder
from politerm.workspace.overlay import lay_over


class Installed:
    """`root`: a private folder; each run has a folder there, and in it each role one, its `{stateDir}`.

    `commands`: profiles made of bare commands (PLANNER_CMD, EXECUTER_CMD), by the name they go by.
    """

    def __init__(self, folder: AgentsFolder, root: Path, commands: Mapping[str, AgentProfile], home: Path) -> None:
        self._folder = folder
        self._root = root
        self._commands = dict(commands)
        self._home = home

    # ---- profiles ----------------------------------------------------------------------------------------------------

    def profiles(self) -> Mapping[str, AgentProfile]:
        return {**self._folder.profiles(), **self._commands}

    def get(self, name: str) -> AgentProfile:
        return self._commands.get(name) or self._folder.get(name)

    def locate(self, profile: AgentProfile) -> str | None:
        return self._folder.locate(profile)

    async def version(self, profile: AgentProfile) -> str | None:
        return await self._folder.version(profile)

    def source(self, profile: AgentProfile) -> str:
        if profile.name in self._commands:
            return "command"
        parsed, _ = self._folder.read()
        return parsed[profile.name].source if profile.name in parsed else "user"

    # ---- starting ----------------------------------------------------------------------------------------------------

    async def prepare(
        self, profile: AgentProfile, run_id: RunId, role: Role, *, session: str | None, resume: bool
    ) -> Launch:
        program = self.locate(profile)
        if program is None:
            raise self._folder.missing(profile)
        named = session
        if not resume and profile.names_session:
            named = str(uuid.uuid4())
        return await asyncio.to_thread(self._prepare, profile, program, run_id, role, named, resume)

    def _prepare(
        self, profile: AgentProfile, program: str, run_id: RunId, role: Role, session: str | None, resume: bool
    ) -> Launch:
        state_dir = self._state_dir(run_id, role)
        filled = expand(profile, state_dir=str(state_dir), session=session)
        extra = filled.resume if resume else filled.session
        for path, text in filled.files.items():
            write_private(_inside(state_dir, path), text)
        laid = lay_over(profile, state_dir, self._home, os.environ)
        env: dict[str, str | None] = {**filled.env, **laid, "POLITERM_RUN": run_id, "POLITERM_ROLE": role.value}
        if profile.witness is not None and profile.witness.kind == "jsonl":
            env["POLITERM_WITNESS"] = str(witness_path(profile.witness, state_dir=state_dir, session=session))
        argv = (program, *filled.command[1:], *extra)
        return Launch(argv=argv, env=env, session=session if session and not resume else None)

    def witness(
        self, profile: AgentProfile, run_id: RunId, role: Role, *, cwd: str, session: str | None, pid: int | None
    ) -> Witness | None:
        if profile.witness is None:
            return None
        state_dir = self._state_dir(run_id, role)
        home = Path(profile.env.get("HOME", str(self._home)))
        return open_witness(profile.witness, state_dir=state_dir, cwd=cwd, session=session, home=home, pid=pid)

    async def hand_over(self, run_id: RunId, role: Role, name: str, text: str) -> str:
        path = self._state_dir(run_id, role) / name
        await asyncio.to_thread(write_private, path, text)
        return str(path)

    async def forget(self, run_id: RunId) -> None:
        await asyncio.to_thread(shutil.rmtree, self._root / run_id, ignore_errors=True)

    def _state_dir(self, run_id: RunId, role: Role) -> Path:
        run = self._root / run_id
        private_folder(self._root)
        private_folder(run)
        folder = run / role.value.lower()
        private_folder(folder)
        return folder


def _inside(folder: Path, path: str) -> Path:
    """A file of the run's own; a profile may not write anywhere else."""
    target = Path(os.path.normpath(folder / path))
    if not target.is_relative_to(folder):
        raise ReadOnly(f"A profile's file {path} lies outside the run's own folder.", hint="Begin it with {stateDir}.")
    return target


def write_private(path: Path, text: str) -> None:
    """A new file of mode 0600, complete before it has its name; links are replaced, never followed."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
