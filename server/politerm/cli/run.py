"""`politerm run`: one run in this terminal, from its task to its summary."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from politerm.cli import INTERRUPTED
from politerm.cli import trust as trusting
from politerm.cli.clients import Json, Steady
from politerm.cli.world import Call, verb
from politerm.errors import AgentNotFound, PoliTermError

STOP_SECONDS = 15.0
"""How long the end of a stopped run is waited for; what is left then is said."""


@click.command()
@click.argument("task", required=False)
@click.option("--task-file", type=click.File("r", encoding="utf-8"), metavar="F", help="Read the task from a file.")
@click.option("--mode", type=click.Choice(["dual", "autonomous"]), default="dual", show_default=True)
@click.option("--planner", metavar="A", help="The agent that plans.")
@click.option("--executer", metavar="A", help="The agent that does the work.")
@click.option("--agent", metavar="A", help="The agent of a mode that has only one.")
@click.option("--id", "run_id", metavar="ID", help="The run's id; a run that has it already is shown, not started.")
@click.option("--max-rounds", type=click.IntRange(min=0), metavar="N", help="0: no limit.")
@click.option("--timeout", "minutes", type=click.FloatRange(min=0), metavar="MIN", help="0: no limit.")
@click.option("--max-usd", type=click.FloatRange(min=0), metavar="X", help="0: no limit.")
@click.option("--gate", multiple=True, metavar='"CMD"', help="A check that must pass before it counts as complete.")
@click.option(
    "--approve-plans",
    type=click.Choice(["first", "every"]),
    is_flag=False,
    flag_value="first",
    help="Plans wait for your approval.",
)
@click.option("--worktree", is_flag=True, help="Work in a git worktree of the run's own.")
@trusting.option
@verb
async def run(call: Call, **given: Any) -> int:
    """Put two agents to work on TASK and watch them. `-` reads the task from standard input."""
    trust = given.pop("trust")
    if trust:
        await trusting.keep_yes(call)
    return await run_to_the_end(call, request(call, **given), trust=trust)


def request(
    call: Call,
    *,
    task: str | None,
    task_file: Any,
    mode: str,
    planner: str | None,
    executer: str | None,
    agent: str | None,
    run_id: str | None,
    max_rounds: int | None,
    minutes: float | None,
    max_usd: float | None,
    gate: tuple[str, ...],
    approve_plans: str | None,
    worktree: bool,
) -> Json:
    """The argument of politerm.run.start; what was not said is left to the settings."""
    if (task is None) == (task_file is None):
        raise click.UsageError("Say the task, or where to read it: politerm run 'TASK', or - or --task-file F.")
    text = task_file.read() if task_file is not None else call.world.stdin.read() if task == "-" else str(task)
    if not text.strip():
        raise click.UsageError("The task is empty.")
    limits = {"rounds": max_rounds, "minutes": minutes, "usd": max_usd}
    wanted: Json = {
        "task": text,
        "mode": mode,
        "cwd": str(call.folder),
        "planner": planner,
        "executer": executer,
        "agent": agent,
        "runId": run_id,
        "limits": {name: value for name, value in limits.items() if value is not None} or None,
        "gate": {"commands": list(gate)} if gate else None,
        "approvePlans": approve_plans,
        "isolate": "worktree" if worktree else None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


async def run_to_the_end(call: Call, argument: Json, *, trust: bool) -> int:
    """Start a run, show it, print its summary; answers the exit code."""
    from politerm.app import new_run_id
    from politerm.cli import changes
    from politerm.cli.display import display_for
    from politerm.cli.follow import Follower
    from politerm.cli.summary import print_summary
    from politerm.cli.watching import Watching, on_signals

    world = call.world
    # With an id of our own a start may be asked for again when the process that was asked has died.
    argument = {"runId": new_run_id(), **argument}
    if not call.json:
        for warning in world.settings()[1]:
            world.errors.print(f"politerm: {warning}", style="yellow")
    folder = Path(argument["cwd"])
    before = await asyncio.to_thread(changes.snapshot, folder)
    interrupted = False
    async with call.client(trusted=True if trust else None) as client:
        follower = Follower(client)
        try:
            run_id = str((await trusting.trusted_command(call, client, "politerm.run.start", argument))["runId"])
        except AgentNotFound as error:
            world.errors.print(f"politerm: {error}")
            await _say_agents(call, client)
            return 2
        watching = asyncio.current_task()
        assert watching is not None
        display = display_for(world, as_json=call.json, hint="Ctrl-C stops the run")

        async def stop() -> None:
            nonlocal interrupted
            interrupted = True
            display.note("stopping the agents; Ctrl-C again leaves at once")
            asyncio.get_running_loop().call_later(STOP_SECONDS, watching.cancel)
            with suppress(PoliTermError):  # it may have ended by itself in this moment
                await client.command("politerm.run.stop", {"runId": run_id, "reason": "Ctrl-C"})

        asks = not call.json and world.console.is_terminal and world.stdin.isatty()
        # A cancellation is our own: the second Ctrl-C, or a stop that takes too long.
        with suppress(asyncio.CancelledError), on_signals(stop, watching.cancel), display:
            await Watching(world, client, follower, display, asks=asks).follow(run_id)
        view: Json = await client.command("politerm.run.get", {"runId": run_id})
    if not call.json:
        after = await asyncio.to_thread(changes.snapshot, folder)
        print_summary(world, view, await asyncio.to_thread(changes.changes, folder, before, after))
    if view["state"] != "ended":
        world.errors.print("politerm: the run has not ended; politerm stop last ends it.")
    if interrupted:
        return INTERRUPTED
    return 0 if view.get("outcome") == "completed" else 1


async def _say_agents(call: Call, client: Steady) -> None:
    found = await client.command("politerm.agent.list", {})
    agents = found["agents"] if isinstance(found, dict) else found
    here = [agent["name"] for agent in agents if agent["available"]]
    missing = [agent["name"] for agent in agents if not agent["available"]]
    call.world.errors.print(f"Installed here: {', '.join(here) or 'none'}.")
    if missing:
        call.world.errors.print(f"Known but not installed: {', '.join(missing)}.")
