"""May agents work in this folder? Asked once, where somebody can answer; everywhere else `--trust` says so.

A yes is kept for the folder, whichever way it was given: who takes a run over later must not ask again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import click

from politerm.cli.clients import Json, Steady
from politerm.cli.world import Call
from politerm.environment import config_folder
from politerm.errors import ReadOnly, Untrusted

option = click.option("--trust", is_flag=True, help="Yes, agents may work in this folder.")


async def keep_yes(call: Call) -> None:
    """Keep the answer that `--trust` gives. Where it cannot be kept it holds for this call."""
    from politerm.workspace.trust import TrustStore

    with suppress(ReadOnly):
        await asyncio.to_thread(TrustStore(config_folder(call.world.env) / "trust.json").set, call.folder, True)


async def trusted_command(call: Call, client: Steady, name: str, argument: Json) -> Any:
    """A command that starts something. Raises Untrusted when nobody says yes."""
    try:
        return await client.command(name, argument)
    except Untrusted as error:
        await ask_for_trust(call, client, error)
    return await client.command(name, argument)


async def ask_for_trust(call: Call, client: Steady, error: Untrusted) -> None:
    """Ask the person at the terminal, and give the workspace's own question their yes."""
    item = await trust_item(client)
    if item is None or not call.world.can_ask:
        raise Untrusted(f"{call.folder} is not trusted.", hint="Say --trust if agents may work there.") from error
    from politerm.cli import ask

    lines = ask.Lines(call.world.stdin)
    if not await ask.yes(call.world.errors, lines, f"Agents would work in {call.folder} with your rights. Trust it?"):
        raise Untrusted(f"{call.folder} is not trusted.") from error
    await client.command("politerm.attention.answer", {"attentionId": item["attentionId"], "choice": "trust"})


async def trust_item(client: Steady) -> Json | None:
    """The workspace's open question for trust, if it has one."""
    items = (await client.command("politerm.attention.list", {}))["items"]
    return next((dict(item) for item in items if item["kind"] == "trust"), None)
