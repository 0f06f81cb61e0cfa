"""Profiles on disk: the built-in ones of the package and the user's own, where their programs are, and which version.

What a profile means is not known here (agents/). A workspace never adds to what this module finds: neither a file nor
a program of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from politerm.agents.profile import AgentProfile, expand
from politerm.agents.registry import NAME, Parsed, check_name, parse_profile, unknown_agent
from politerm.errors import AgentNotFound, InvalidParams

VERSION_SECONDS = 5.0
"""How long a program may take to print its version; the slowest that was tried (Node) took 1.5 s."""
PROFILE_CAP = 1024 * 1024
"""Bytes of a profile file that are read."""


class AgentsFolder:
    """`config_dir`: the folder of PoliTerm's own configuration, which holds `agents/`. `env`: where PATH is taken from.

    Files are read anew at each call, so that an edited profile counts for the next run without a restart.
    """

    def __init__(self, config_dir: Path, env: Mapping[str, str]) -> None:
        self._folder = config_dir / "agents"
        self._env = env

    # ---- profiles ----------------------------------------------------------------------------------------------------

    def profiles(self) -> dict[str, AgentProfile]:
        """Every profile that can be used, by name, with our own interpreter filled in."""
        return {name: _ours(parsed.profile) for name, parsed in self.read()[0].items()}

    def read(self) -> tuple[dict[str, Parsed], dict[str, InvalidParams]]:
        """All profiles with source and warnings, and what is wrong with the files that cannot be used."""
        parsed = {name: parse_profile(text, name, "built-in") for name, text in _built_in().items()}
        broken: dict[str, InvalidParams] = {}
        for name, path in self._own().items():
            try:
                parsed[name] = parse_profile(_text(path, name), name, "user", base=parsed.get(name))
            except InvalidParams as error:
                # A user who broke an override must not get the built-in behind their back.
                parsed.pop(name, None)
                broken[name] = error
        return parsed, broken

    def get(self, name: str) -> AgentProfile:
        """Raises AgentNotFound, which lists the known names, or InvalidParams for a file that is wrong."""
        parsed, broken = self.read()
        if name in broken:
            raise broken[name]
        if name not in parsed:
            message, hint = unknown_agent(name, parsed)
            raise AgentNotFound(message, hint=hint, agent=name, known=sorted(parsed))
        return _ours(parsed[name].profile)

    def from_command(self, command: str, name: str) -> AgentProfile:
        """The minimal profile of a command line as PLANNER_CMD and EXECUTER_CMD give it; no shell ever sees it.

        Raises InvalidParams for a line that cannot be taken apart.
        """
        try:
            argv = shlex.split(command)
        except ValueError as error:
            raise InvalidParams(f"The command of {name} cannot be read: {error}.", field="command") from None
        if not argv:
            raise InvalidParams(f"The command of {name} is empty.", field="command")
        return AgentProfile(name=check_name(name), command=tuple(argv))

    # ---- programs ----------------------------------------------------------------------------------------------------

    def locate(self, profile: AgentProfile) -> str | None:
        """The absolute path of the profile's program, or None. A path with a slash is taken from the folder of the
        user's profiles, a bare name from PATH, of which relative entries are left out: both would otherwise depend on
        the folder we were started in, which may be the workspace."""
        program = os.path.expanduser(profile.command[0])  # noqa: PTH111
        if "/" in program:
            return shutil.which(str(self._folder / program))
        path = self._env.get("PATH", os.defpath)
        absolute = [entry for entry in path.split(os.pathsep) if entry.startswith("/")]
        return shutil.which(program, path=os.pathsep.join(absolute)) if absolute else None

    def missing(self, profile: AgentProfile) -> AgentNotFound:
        """The error for a profile whose program is not there."""
        program = profile.command[0]
        return AgentNotFound(
            f"The program of agent {profile.name!r}, {program!r}, is not installed or not executable.",
            hint="Install it, or name its full path as `command` in "
            f"{self._folder / (profile.name or 'agent')}.toml. `politerm agents` lists what was found.",
            agent=profile.name,
            program=program,
        )

    async def version(self, profile: AgentProfile) -> str | None:
        """The first line that the program prints when it is asked for its version, or None: no way to ask, not there,
        nothing said within 5 s. It is asked in the root folder: programs read settings from where they stand."""
        path = self.locate(profile)
        if path is None or not profile.version:
            return None
        argv = [path, *profile.command[1:], *profile.version]
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd="/",
                env={**self._env, **profile.env},
                start_new_session=True,
            )
        except OSError:
            return None
        try:
            async with asyncio.timeout(VERSION_SECONDS):
                output = await _first_bytes(process)
        except TimeoutError:
            return None
        finally:
            # Its whole group: some wrappers start the real program as a child and wait for it.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        return _version_line(output)

    # ---- files -------------------------------------------------------------------------------------------------------

    def _own(self) -> dict[str, Path]:
        """The user's own files; links are theirs to make. A file whose name no agent can have is left alone."""
        try:
            entries = sorted(self._folder.glob("*.toml"))
        except OSError:
            return {}
        return {path.stem: path for path in entries if NAME.fullmatch(path.stem)}


def _ours(profile: AgentProfile) -> AgentProfile:
    return expand(profile, python=sys.executable)


def _built_in() -> dict[str, str]:
    folder = files("politerm.agents")
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }


def _text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(PROFILE_CAP + 1)
        if len(data) > PROFILE_CAP:
            raise ValueError("it is larger than 1 MB")
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise InvalidParams(f"{path} cannot be read: {error}.", field="", agent=name) from None


async def _first_bytes(process: asyncio.subprocess.Process) -> bytes:
    """What it prints until it closes its output, 64 KB at most."""
    assert process.stdout is not None
    output = b""
    while len(output) < 65536 and (data := await process.stdout.read(65536)):
        output += data
    return output


_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[^\[]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _version_line(output: bytes) -> str | None:
    """The first line with a digit, else the first that is not empty; at most 200 characters, without controls."""
    text = _ESCAPES.sub("", output.decode("utf-8", "replace"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    best = next((line for line in lines if any(char.isdigit() for char in line)), lines[0] if lines else None)
    return best[:200] if best else None
