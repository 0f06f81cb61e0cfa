"""The holder's door for every other process of this user: the same protocol on a unix socket in the state folder."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from politerm.engine.api import EngineApi
from politerm.errors import OutsideError
from politerm.lsp.loading import server_class
from politerm.lsp.proxy import Connect, Opening
from politerm.lsp.sockets import peer_uid, short_path
from politerm.lsp.transport import Connection, SocketSide

if TYPE_CHECKING:
    from politerm.lsp.server import PoliTermServer

log = logging.getLogger(__name__)

BACKLOG: Final = 64


class ControlServer:
    """Listens until `close`. Made by `serve_control`."""

    def __init__(self, path: Path, engine: EngineApi) -> None:
        self._path, self._engine = path, engine
        self._sessions: set[PoliTermServer] = set()
        self._server: asyncio.Server | None = None
        self._inode: int | None = None
        self._make: Callable[[Connect], PoliTermServer]

    async def start(self) -> None:
        # In a thread, and before anybody can connect: it takes a third of a second, which the loop has better uses for.
        self._make = await asyncio.to_thread(server_class)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fresh = self._path.with_name(f".{secrets.token_hex(4)}.sock")
        try:
            # Made under another name and moved into place: nobody ever meets it half made, a stale one is replaced.
            with short_path(fresh) as short:
                listener.bind(short)
            fresh.chmod(0o600)
            listener.listen(BACKLOG)
            listener.setblocking(False)
            fresh.rename(self._path)
            self._inode = self._path.stat().st_ino
        except OSError as error:
            listener.close()
            fresh.unlink(missing_ok=True)
            raise OutsideError(
                f"The control socket {self._path} cannot be made: {error.strerror}.",
                hint="Is the state folder yours and writable?",
            ) from error
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: SocketSide(self._accept), sock=listener)

    def _accept(self, transport: asyncio.Transport) -> Connection | None:
        uid = peer_uid(transport.get_extra_info("socket"))
        if uid is not None and uid != os.getuid():
            log.warning("a connection of user %d was refused", uid)
            return None
        session = self._make(self._connect)
        self._sessions.add(session)
        session.ended.add_done_callback(lambda _: self._sessions.discard(session))
        return session.connection

    async def _connect(self, opening: Opening) -> EngineApi:
        return self._engine

    async def close(self) -> None:
        """Stop listening and end all sessions; waiting processes take that as the sign to take over."""
        if self._server is not None:
            self._server.close()
        # Only our own: the next holder may already have put its socket there.
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()
        for session in list(self._sessions):
            session.end(0)
        if self._sessions:
            await asyncio.wait([session.ended for session in self._sessions])


async def serve_control(path: str | os.PathLike[str], engine: EngineApi) -> ControlServer:
    """Listen on a unix socket (mode 0600) that only this user may use. Raises OutsideError."""
    server = ControlServer(Path(path), engine)
    await server.start()
    return server
