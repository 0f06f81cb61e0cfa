"""`politerm demo`: a whole run with the built-in agents, in a scratch project, and then a look at what they did."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from politerm.cli.clients import Json
from politerm.cli.world import Call, World, enter, find_run, program, run_async
from politerm.errors import InvalidParams

TASK = (
    "Write a small module slugify.py that turns a title into the last part of a web address, with a test. "
    "Then fix what the test finds."
)
PLANNER, EXECUTER = "scripted-planner", "scripted-executer"
PACE = "0.3"
"""Seconds a step of the agents takes when somebody watches."""
LIMITS = {"rounds": 10, "minutes": 5}
"""The demo's own, so that no setting can keep it from its end."""
_TEST = re.compile(r"^\$ .*unittest", re.MULTILINE)


@click.command()
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="JSON, one envelope a line, and nothing else.")
@click.pass_obj
def demo(world: World | None, *, folder: str | None, as_json: bool) -> int:
    """A dual run with the built-in agents: no key, no cost, under a minute. The scratch project stays."""
    world, place = enter(world, str(_scratch(folder)))
    if world.console.is_terminal and not as_json:
        world = replace(world, env={"POLITERM_SCRIPTED_PACE": PACE, **world.env})
    return run_async(_demo(Call(world, place, as_json)))


def _scratch(folder: str | None) -> Path:
    if folder is None:
        place = Path(tempfile.mkdtemp(prefix="politerm-demo-"))
    else:
        place = Path(folder).expanduser().absolute()
        place.mkdir(parents=True, exist_ok=True)
        if any(place.iterdir()):
            raise InvalidParams(
                f"{place} is not empty.", hint="Name a new folder: the demo makes a project of its own."
            )
    return place


async def _demo(call: Call) -> int:
    from politerm.cli.follow import stored
    from politerm.cli.run import run_to_the_end

    if not call.json:
        call.world.console.print(f"Two scripted agents work in {call.world.place(call.folder)}", soft_wrap=True)
    argument: Json = {
        "task": TASK,
        "mode": "dual",
        "cwd": str(call.folder),
        "planner": PLANNER,
        "executer": EXECUTER,
        "limits": LIMITS,
    }
    # The folder is ours, made a moment ago: there is nobody else's work in it to be protected.
    code = await run_to_the_end(call, argument, trust=True)
    if code == 0 and not call.json:
        async with call.client(trusted=True) as client:
            view = await find_run(client, "last")
            envelopes = await stored(client, view["runId"])
        _show_work(call, envelopes)
    return code


def _show_work(call: Call, envelopes: list[Json]) -> None:
    """The files as they are now, and what the test said before and after the fix."""
    from rich.rule import Rule
    from rich.syntax import Syntax
    from rich.text import Text

    from politerm.cli import words

    console = call.world.console
    results = [e["event"]["body"] for e in envelopes if _is_test_result(e["event"])]
    for title, text in zip(("the first test run", "the last test run"), (results[:1] + results[-1:]), strict=False):
        _heading(call, title)
        console.print(Text(words.body(text[_TEST.search(text).start() :])), soft_wrap=True)  # type: ignore[union-attr]
    for path in sorted(call.folder.glob("*.py")):
        _heading(call, path.name)
        source = path.read_text("utf-8")
        if console.is_terminal:
            console.print(Syntax(source, "python", background_color="default"))
        else:
            console.print(Text(source), soft_wrap=True)
    if console.is_terminal:
        console.print(Rule(style="dim"))
    console.print(f"The project stays in {call.world.place(call.folder)}", soft_wrap=True)
    console.print(f"Your turn: {program()} run 'TASK' --planner claude --executer codex", soft_wrap=True)


def _is_test_result(event: Json) -> bool:
    return event["type"] == "messageReceived" and event["kind"] == "result" and bool(_TEST.search(event["body"]))


def _heading(call: Call, text: str) -> None:
    from rich.rule import Rule
    from rich.text import Text

    console = call.world.console
    if console.is_terminal:
        console.print(Rule(Text(text, style="bold"), align="left", style="dim"))
    else:
        console.print(f"\n--- {text}")
