"""`politerm serve`: the language server, on standard input and output or on a loopback port.

`initialize` is answered before the engine and its adapters are loaded; they come with the first client's workspace.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

import click

from politerm.cli.logging import for_server, for_server_by_settings
from politerm.cli.world import World, run_async

if TYPE_CHECKING:
    from politerm.app import Holdings
    from politerm.engine.engine import Engine
    from politerm.lsp.client import Client
    from politerm.lsp.proxy import Opening

ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\[\]]+):(?P<port>\d{1,5})")


def address(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """HOST:PORT, [IPv6]:PORT. That it is a loopback address is checked where it is bound."""
    if value is None:
        return None
    found = ADDRESS.fullmatch(value)
    if found is None or int(found["port"]) > 65535:
        raise click.BadParameter(f"{value!r} is not HOST:PORT, for example 127.0.0.1:4711 (port 0: any free one).")
    return found["host"].strip("[]"), int(found["port"])


@click.command()
@click.option("--stdio", is_flag=True, help="Speak on standard input and output; the default.")
@click.option("--tcp", callback=address, metavar="HOST:PORT", help="Listen on loopback; prints the token to stderr.")
@click.option("--clientProcessId", "parent", type=int, metavar="PID", help="End when this process has ended.")
@click.pass_obj
def serve(world: World | None, *, stdio: bool, tcp: tuple[str, int] | None, parent: int | None) -> int:
    """The language server. Editors start it; SIGTERM ends it and leaves the agents, the next one goes on with them."""
    if stdio and tcp is not None:
        raise click.UsageError("Say --stdio or --tcp, not both.")
    env = world.env if world is not None else dict(os.environ)
    for_server(env)
    return run_async(_serve(env, tcp, parent))


async def _serve(env: Mapping[str, str], tcp: tuple[str, int] | None, parent: int | None) -> int:
    from politerm.lsp.serve import serve_stdio, serve_tcp

    workspaces = Workspaces(env)
    try:
        if tcp is not None:
            return await serve_tcp(workspaces.connect, *tcp)
        return await serve_stdio(workspaces.connect, client_pid=parent)
    finally:
        await workspaces.close()


class Workspaces:
    """app.Holdings, loaded when the first client needs it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._holdings: Holdings | None = None

    async def connect(self, opening: Opening) -> Engine | Client:
        # In a thread: the loop answers other requests while the engine is loaded.
        app = await asyncio.to_thread(import_module, "politerm.app")
        if self._holdings is None:
            for_server_by_settings(self._env)
            self._holdings = app.Holdings(self._env)
        holdings = self._holdings
        return await holdings.connect(opening)

    async def close(self) -> None:
        if self._holdings is not None:
            await self._holdings.close()
