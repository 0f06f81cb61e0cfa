"""What a verb needs from outside: folder, settings, consoles, and a client of the workspace's engine.

Tests hand in a World of their own. This module does not know who holds the workspace: app.open_workspace answers that.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO, TypeVar

import click

from politerm import environment
from politerm.cli.clients import Client, Json, Steady
from politerm.errors import InvalidParams, RunNotFound, UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from politerm.settings import Settings

T = TypeVar("T")
UNBROKEN = 10_000
"""Columns of a console that is no terminal."""


class OpenWorkspace(Protocol):
    def __call__(
        self, folder: Path, *, env: Mapping[str, str], trusted: bool | None
    ) -> AbstractAsyncContextManager[Client]: ...


def _open_workspace(
    folder: Path, *, env: Mapping[str, str], trusted: bool | None
) -> AbstractAsyncContextManager[Client]:
    from politerm.app import open_workspace

    return open_workspace(folder, env=env, trusted=trusted)


@dataclass
class World:
    """Everything outside that a verb touches."""

    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    open_workspace: OpenWorkspace = _open_workspace
    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)

    @functools.cached_property
    def console(self) -> Console:
        from rich.console import Console

        # Without a terminal nothing is ever broken into lines of some width: what reads it may look for words.
        width = None if self.stdout.isatty() else UNBROKEN
        return Console(file=self.stdout, width=width, highlight=False, markup=False, emoji=False)

    @functools.cached_property
    def errors(self) -> Console:
        from rich.console import Console

        return Console(file=self.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)

    @property
    def can_ask(self) -> bool:
        """A person is there: what they type comes in, what is asked is seen."""
        return self.stdin.isatty() and self.stderr.isatty()

    def place(self, path: Path | str) -> str:
        """A path for whoever reads: `~` for the home folder where a person does, whole where a program may."""
        home = self.env.get("HOME", "") if self.console.is_terminal else ""
        return f"~/{Path(path).relative_to(home)}" if home and Path(path).is_relative_to(home) else str(path)

    def reach(self, folder: Path | str) -> str:
        """What a verb needs to reach this workspace from here: nothing in it, else --workspace."""
        if Path(folder) == Path.cwd():
            return ""
        short = self.place(folder).removeprefix("~")
        # A quoted ~ is no home folder to a shell.
        plain = shlex.quote(short) == short
        return f" --workspace {self.place(folder) if plain else shlex.quote(str(folder))}"

    def print_table(self, table: Table) -> None:
        """A table, without the spaces that fill up its last column."""
        if self.console.is_terminal:
            self.console.print(table)
        else:
            with self.console.capture() as drawn:
                self.console.print(table)
            self.stdout.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))

    def print_json(self, value: Any) -> None:
        """One line. ASCII only: what an agent wrote must not steer the terminal of whoever looks at it."""
        self.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")
        self.stdout.flush()

    def settings(self) -> tuple[Settings, list[str]]:
        """The user's own settings, without those of a workspace."""
        from politerm.settings import load_settings

        return load_settings(
            env=self.env,
            config_dir=environment.config_folder(self.env),
            editor=None,
            workspace=None,
            trusted=False,
        )

    def folder(self, given: str | None) -> Path:
        """The workspace of a verb: --workspace, else the setting, else where we are."""
        name = given or self.settings()[0].workspace or "."
        path = Path(name).expanduser().absolute()
        if not path.is_dir():
            raise InvalidParams(f"{path} is not a folder.", hint="Name the workspace with --workspace DIR.")
        return path


@dataclass(frozen=True)
class Call:
    """One call of a verb: the world and the options that all verbs share."""

    world: World
    folder: Path
    json: bool = False

    def client(self, *, trusted: bool | None = None) -> AbstractAsyncContextManager[Steady]:
        """A client of this workspace; whoever holds it, and whoever holds it next."""
        from politerm.cli.steady import SteadyClient

        return SteadyClient(lambda: self.world.open_workspace(self.folder, env=self.world.env, trusted=trusted))


def program() -> str:
    """What a person types to call us: `politerm`, or where that is not on PATH, the interpreter with the module."""
    if shutil.which("politerm"):
        return "politerm"
    python = Path(sys.executable)
    with contextlib.suppress(ValueError):
        python = python.relative_to(Path.cwd())
    return f"{shlex.quote(str(python))} -m politerm"


def verb(function: Callable[..., Coroutine[Any, Any, int | None]]) -> Callable[..., int]:
    """A coroutine that takes a Call as a click command's function, with --workspace and --json."""

    @click.option("--workspace", metavar="DIR", help="The workspace; the current folder by default.")
    @click.option("--json", "as_json", is_flag=True, help="JSON, one object a line, and nothing else.")
    @click.pass_obj
    @functools.wraps(function)
    def run(world: World | None, /, *, workspace: str | None, as_json: bool, **given: Any) -> int:
        world, folder = enter(world, workspace)
        return run_async(function(Call(world, folder, as_json), **given)) or 0

    return run


def enter(world: World | None, workspace: str | None) -> tuple[World, Path]:
    """The world and the workspace of a verb. A real verb's log is set up here; a test's world leaves logging alone."""
    if world is not None:
        return world, world.folder(workspace)
    from politerm.cli.logging import for_verb

    world = World()
    folder = world.folder(workspace)
    for_verb(world.env, folder)
    return world, folder


def run_async(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def find_run(client: Steady, named: str) -> Json:
    """The RunView that an id, its unique beginning, or `last` names."""
    if named == "last":
        runs = (await client.command("politerm.run.list", {"limit": 1}))["runs"]
        if not runs:
            raise RunNotFound("There is no run in this workspace yet.", hint='Start one: politerm run "TASK"')
        return dict(runs[0])
    try:
        return dict(await client.command("politerm.run.get", {"runId": named}))
    except (RunNotFound, UsageError):
        pass  # not a whole id; perhaps the beginning of one
    runs = (await client.command("politerm.run.list", {"limit": 1000}))["runs"]
    found = [run for run in runs if run["runId"].startswith(named)] if named else []
    if len(found) == 1:
        return dict(found[0])
    if found:
        some = ", ".join(run["runId"] for run in found[:5])
        raise InvalidParams(f"{named} is the beginning of {len(found)} runs: {some}.", hint="Say more of it.")
    raise RunNotFound(f"No run of this workspace begins with {named!r}.", hint="politerm runs lists them.")
