"""`politerm attach`: the pane itself, through tmux."""

from __future__ import annotations

import asyncio
import signal

import click

from politerm.cli.clients import Json
from politerm.cli.world import Call, find_run, verb
from politerm.errors import WrongState


@click.command()
@click.argument("run", default="last")
@click.argument("role", required=False, type=click.Choice(["PLANNER", "EXECUTER", "AGENT"], case_sensitive=False))
@click.option("--read-only", is_flag=True, help="Look, and type nothing.")
@verb
async def attach(call: Call, *, run: str, role: str | None, read_only: bool) -> int:
    """Sit down in front of an agent's pane; tmux's own keys leave it again (Ctrl-B, then D)."""
    async with call.client() as client:
        view = await find_run(client, run)
        argument = {"runId": view["runId"], "role": role or _role(view), "readOnly": read_only}
        command: list[str] = (await client.command("politerm.pane.attach", argument))["command"]
        if call.json:
            call.world.print_json({"command": command})
            return 0
        # The client stays open: if nobody else holds the workspace, this process does, and the run goes on meanwhile.
        return await _sit(call, command)


def _role(view: Json) -> str:
    """The agent that works, else the first that has a pane."""
    there = {role: seen for role, seen in view["roles"].items() if seen.get("pane")}
    if not there:
        raise WrongState(f"No agent of {view['runId']} has a pane now.", hint="politerm show tells what it did.")
    role: str = next((role for role, seen in there.items() if seen["state"] == "working"), next(iter(there)))
    return role


async def _sit(call: Call, command: list[str]) -> int:
    """Run tmux on this terminal. Keys such as Ctrl-C are for the pane, not for us; a tmux inside a tmux is wanted."""
    environment = {name: value for name, value in call.world.env.items() if name != "TMUX"}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        return 0 if await process.wait() == 0 else 1
    finally:
        signal.signal(signal.SIGINT, before)
