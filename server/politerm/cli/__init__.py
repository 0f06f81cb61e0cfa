"""The command line. One file per group of verbs; each verb is imported when it is called, so that help is quick.

Everything here talks to the engine through a client of the workspace, never to the engine itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from politerm import __version__

if TYPE_CHECKING:
    from politerm.cli.world import World

VERBS: dict[str, str] = {
    "serve": "serve",
    "run": "run",
    "demo": "demo",
    "runs": "history",
    "show": "history",
    "watch": "history",
    "replay": "history",
    "search": "history",
    "export": "history",
    "stop": "steer",
    "pause": "steer",
    "resume": "steer",
    "retry": "steer",
    "interrupt": "steer",
    "send": "steer",
    "answer": "steer",
    "delete": "steer",
    "attach": "attach",
    "agents": "agents",
    "doctor": "agents",
}
"""Verb -> the module of this package that has it, as a click command of the verb's name."""

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it: 128 and the number of SIGINT."""


class Verbs(click.Group):
    """Verbs in the order of VERBS, imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = getattr(import_module(f"politerm.cli.{VERBS[cmd_name]}"), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(
    name="politerm", cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="politerm")
def verbs() -> None:
    """Two coding agents on one task: a planner and an executer, each in a tmux pane.

    RUN is the id of a run, its beginning, or `last`.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and exit: 0 done, 1 ended without completing, 2 usage or configuration, 130 after Ctrl-C."""
    sys.exit(call(arguments))


def call(arguments: Sequence[str] | None = None, world: World | None = None) -> int:
    """Run a verb and answer its exit code. `world` replaces what verbs touch outside (cli/world.py), for tests."""
    from politerm.errors import NotFound, PoliTermError, ReadOnly, TmuxMissing, Untrusted, UsageError

    stderr = world.stderr if world is not None else sys.stderr
    try:
        code = verbs.main(
            prog_name="politerm", args=None if arguments is None else list(arguments), standalone_mode=False, obj=world
        )
    except click.exceptions.Abort:  # also what click makes of a KeyboardInterrupt
        click.echo("Interrupted.", stderr)
        return INTERRUPTED
    except click.ClickException as error:
        error.show(stderr)
        return error.exit_code
    except PoliTermError as error:
        click.echo(f"politerm: {error}", stderr)
        return 2 if isinstance(error, UsageError | NotFound | Untrusted | ReadOnly | TmuxMissing) else 1
    except BrokenPipeError:
        # The reader (head, less) has left. Python would complain again when it flushes standard output at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code if isinstance(code, int) else 0
