"""What a straightforward pygls server does, for comparison. As a program it speaks LSP on standard input and output:

bare_pygls.py                 a command `echo`
bare_pygls.py TMUX SOCKET     and every chunk that any pane of that tmux server prints, as a notification of its own
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("bare", "1")


@server.command("echo")
def echo(*arguments: Any) -> str:
    return "echo"


async def forward(tmux: str, socket: str) -> None:
    """As `tmux -C` gives it: undo the octal, decode, notify."""
    process = await asyncio.create_subprocess_exec(
        *(tmux, "-S", socket, "-C", "attach-session"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "LANG": "C.UTF-8"},
        limit=1024 * 1024,
    )
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if line.startswith(b"%output "):
            _, pane, data = line.rstrip(b"\n").split(b" ", 2)
            text = data.decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
            server.protocol.notify("pane/output", {"pane": pane.decode(), "data": text})


@server.feature(types.INITIALIZED)
async def begin(params: types.InitializedParams) -> None:
    if len(sys.argv) > 1:
        server.forwarding = asyncio.create_task(forward(sys.argv[1], sys.argv[2]))  # type: ignore[attr-defined]


if __name__ == "__main__":
    server.start_io()
