"""A client of a control socket: what the command line, a second server, and tests use to reach the holder."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from politerm.errors import HolderGone, InvalidParams, PoliTermError
from politerm.lsp import framing
from politerm.lsp.framing import Complaint, Notice, Reply, Request, read_message
from politerm.lsp.sockets import short_path
from politerm.lsp.transport import Connection, SocketSide

log = logging.getLogger(__name__)

ANSWER_LIMIT: Final = 1024 * 1024 * 1024
"""Bytes of one message from the holder. It is ourselves; a run's whole recording may be exported through it."""
OPEN_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 1.0
EARLY: Final = 1000
"""Notifications of one kind kept for a caller that has not yet said it wants them."""

Params = dict[str, Any]


class Client:
    """One session with the process that holds a workspace. Make it with `await Client.connect(...)`."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done, with no error, when the connection is gone for whatever reason."""
        self.status: Params | None = None
        """The holder's last `politerm/serverStatus`."""
        self.capabilities: Params = {}
        self._connection: Connection | None = None
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._callbacks: dict[str, list[Callable[[Params], None]]] = {}
        self._early: dict[str, list[Params]] = {}

    @classmethod
    async def connect(
        cls, path: str | os.PathLike[str], *, options: Params | None = None, seconds: float = OPEN_SECONDS
    ) -> Client:
        """Open a session. `options` is initializationOptions.politerm. Raises HolderGone when nobody listens."""
        client = cls()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                with short_path(Path(path)) as short:
                    await loop.create_unix_connection(lambda: SocketSide(client._attach), short)
                answer = await client.request(
                    "initialize",
                    {
                        "processId": None,
                        "rootUri": None,
                        "capabilities": {},
                        "clientInfo": {"name": "politerm"},
                        "initializationOptions": {
                            "politerm": {"client": {"attention": True, "progress": True}, **(options or {})}
                        },
                    },
                )
        except (OSError, TimeoutError) as error:
            await client.close()
            raise HolderGone(f"No process of PoliTerm answers at {path}.") from error
        except PoliTermError:
            await client.close()
            raise
        client.capabilities = answer["capabilities"]
        client.notify("initialized", {})
        return client

    def _attach(self, transport: asyncio.Transport) -> Connection:
        self._connection = Connection(self._message, self._complaint, self._lost, limit=ANSWER_LIMIT)
        return self._connection

    # ---- asking

    async def command(self, name: str, arguments: Params | None = None) -> Any:
        """A command's result. Raises the PoliTermError that the holder raised; HolderGone when it ended meanwhile."""
        return await self.request("workspace/executeCommand", {"command": name, "arguments": [arguments or {}]})

    async def request(self, method: str, params: Params | None = None) -> Any:
        """Any request. Cancelling the wait cancels the request."""
        if self._connection is None or self.closed.done():
            raise HolderGone("The connection to the process that holds this workspace is closed.")
        id = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[id] = future
        message: Params = {"jsonrpc": "2.0", "id": id, "method": method}
        if params is not None:
            message["params"] = params
        self._connection.send(message)
        try:
            return await future
        except asyncio.CancelledError:
            self.notify("$/cancelRequest", {"id": id})
            raise
        finally:
            self._pending.pop(id, None)

    def notify(self, method: str, params: Params | None = None) -> None:
        """A notification; nothing happens when the connection is gone."""
        if self._connection is not None:
            message: Params = {"jsonrpc": "2.0", "method": method}
            self._connection.send(message if params is None else {**message, "params": params})

    def on(self, method: str, callback: Callable[[Params], None]) -> None:
        """Call back with each notification's params, those that have come before the first `on` included."""
        self._callbacks.setdefault(method, []).append(callback)
        for params in self._early.pop(method, []):
            callback(params)

    async def close(self) -> None:
        """End the session. Repeating it does no harm."""
        connection = self._connection
        if connection is not None and not connection.closed:
            self.notify("exit")
            await connection.flush(CLOSE_SECONDS)
            connection.close()
        self._lost("closed")

    # ---- what comes in

    def _message(self, value: Any) -> None:
        match read_message(value):
            case Reply(id, result, error):
                future = self._pending.get(id) if isinstance(id, int) else None
                if future is None or future.done():
                    return
                if error is None:
                    future.set_result(result)
                else:
                    future.set_exception(error_from_wire(error))
            case Notice(method, params):
                self._notice(method, params if isinstance(params, dict) else {})
            case Request(id, method, _):
                error = {"code": framing.METHOD_NOT_FOUND, "message": f"{method} is not for this client"}
                if self._connection is not None:
                    self._connection.send({"jsonrpc": "2.0", "id": id, "error": error})
            case Complaint() as complaint:
                self._complaint(complaint)

    def _notice(self, method: str, params: Params) -> None:
        if method == "politerm/serverStatus":
            self.status = params
        callbacks = self._callbacks.get(method)
        if callbacks is None:
            early = self._early.setdefault(method, [])
            if len(early) < EARLY:
                early.append(params)
            return
        for callback in callbacks:
            callback(params)

    def _complaint(self, complaint: Complaint) -> None:
        log.warning("a message of the holder could not be read: %s", complaint.message)

    def _lost(self, reason: str) -> None:
        if self._connection is not None:
            self._connection.close()
        if not self.closed.done():
            self.closed.set_result(None)
        for future in self._pending.values():
            if not future.done():
                future.set_exception(HolderGone("The process that holds this workspace ended before it answered."))


def _tree(cls: type[PoliTermError]) -> Iterator[type[PoliTermError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _tree(child)


def error_from_wire(error: Any) -> PoliTermError:
    """The error that was raised on the other side, by `data.code`; PoliTermError itself for a code not known here."""
    if not isinstance(error, dict):
        return PoliTermError("The other side failed.")
    data = dict(error["data"]) if isinstance(error.get("data"), dict) else {}
    message, hint = str(error.get("message", "")), data.pop("hint", None)
    if isinstance(hint, str):
        message = message.removesuffix(f" {hint}")
    if error.get("code") == framing.REQUEST_CANCELLED:
        # What we cancel ourselves is forgotten at once, so it is the holder that leaves in the middle of it.
        return HolderGone("The process that holds this workspace ended before it had finished.")
    if error.get("code") == framing.INVALID_PARAMS:
        data.pop("code", None)
        return InvalidParams(message, hint=hint, **data)
    code = data.pop("code", None)
    for cls in _tree(PoliTermError):
        if cls.code == code:
            return cls(message, hint=hint, **data)
    return PoliTermError(message, hint=hint, code=code or error.get("code"), **data)
