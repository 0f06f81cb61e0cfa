"""The language server's two front doors: stdio for one client, TCP on loopback for many.

Both return an exit code when they are over; flushing the log, leaving the agents and releasing the lock is up to the
caller, who has them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from politerm.errors import InvalidParams, OutsideError
from politerm.lsp.lifetime import ParentWatch, Signals
from politerm.lsp.loading import server_class
from politerm.lsp.proxy import Connect
from politerm.lsp.transport import Connection, SocketSide, StdioGuard

if TYPE_CHECKING:
    from politerm.lsp.server import PoliTermServer

log = logging.getLogger(__name__)

TOKEN_BYTES: Final = 32
HELLO_SECONDS: Final = 30.0
"""A TCP connection that has not said a valid `initialize` by then is closed."""


async def serve_stdio(connect: Connect, *, client_pid: int | None = None) -> int:
    """Serve the client at fd 0 and 1 until it ends the session, dies, or a signal comes. `client_pid`: a process to
    watch besides the `processId` of `initialize`. Answers the exit code: 0 after `shutdown` and `exit`, 1 without
    `shutdown`, 128 + number after a signal."""
    guard = StdioGuard()
    signals = Signals()
    session: PoliTermServer
    watch = ParentWatch(lambda: session.end(1))
    session = server_class()(connect, on_parent=watch.watch)
    try:
        if client_pid is not None:
            watch.watch(client_pid)
        await guard.attach(session.connection)
        await asyncio.wait([session.ended, signals.ended], return_when=asyncio.FIRST_COMPLETED)
        if signals.ended.done():
            session.end(signals.ended.result())
        return await session.ended
    finally:
        watch.close()
        signals.close()
        guard.restore()


def loopback(host: str) -> str:
    """The host, if it is this machine alone. Raises InvalidParams."""
    name = "127.0.0.1" if host in ("", "localhost") else host
    try:
        if ipaddress.ip_address(name).is_loopback:
            return name
    except ValueError:
        pass
    raise InvalidParams(
        f"--tcp listens on this machine only, and {host!r} is not of it.", hint="Use 127.0.0.1, ::1 or localhost."
    )


def _announce(host: str, port: int, token: str) -> None:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    print(f"PoliTerm listens on {where}\ntoken: {token}", file=sys.stderr, flush=True)


async def serve_tcp(
    connect: Connect, host: str, port: int, *, announce: Callable[[str, int, str], None] = _announce
) -> int:
    """Serve any number of clients on a loopback address until a signal comes; port 0 takes a free one. Every client
    needs the token that `announce` gets (host, port, token; by default it is printed to stderr). Raises InvalidParams
    for another address and OutsideError when the port is taken."""
    loop = asyncio.get_running_loop()
    host = loopback(host)
    make = server_class()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    sessions: set[PoliTermServer] = set()

    def accept(transport: asyncio.Transport) -> Connection:
        session: PoliTermServer
        watch = ParentWatch(lambda: session.end(1))
        session = make(connect, token=token, on_parent=watch.watch)
        sessions.add(session)

        def too_late() -> None:
            if session.protocol.stage == "new":
                session.end(1)

        hello = loop.call_later(HELLO_SECONDS, too_late)

        def over(_: asyncio.Future[int]) -> None:
            hello.cancel()
            watch.close()
            sessions.discard(session)

        session.ended.add_done_callback(over)
        return session.connection

    try:
        server = await loop.create_server(lambda: SocketSide(accept), host, port)
    except OSError as error:
        message = f"{host}:{port} cannot be listened on: {error.strerror}."
        raise OutsideError(message, hint="Port 0 takes a free one.") from error
    signals = Signals()
    try:
        announce(host, server.sockets[0].getsockname()[1], token)
        code = await signals.ended
        server.close()
        for session in list(sessions):
            session.end(0)
        if sessions:
            await asyncio.wait([session.ended for session in sessions])
        return code
    finally:
        signals.close()
        server.close()
