"""A JSON-RPC client that hides nothing: it sends any bytes, sees every answer, can stop reading, never waits forever.

async with RawLsp.spawn(sys.executable, "script.py") as client:
    await client.initialize()
    answer = await client.request("workspace/executeCommand", {...})
    event = await client.wait_for("politerm/event", lambda params: params["seq"] == 3)
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

DEADLINE = 20.0


class LspError(Exception):
    """The server answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


class RawLsp:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)
        self.answers: dict[Any, list[dict[str, Any]]] = {}
        """Every answer by id; more than one for an id is the server's fault."""
        self.notifications: list[tuple[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        """Requests of the server, in order."""
        self.replies: dict[str, Callable[[Any], Any]] = {}
        """How to answer the server's requests; those without an entry wait for `reply`."""
        self.process: asyncio.subprocess.Process | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._news = asyncio.Condition()
        self._reading = asyncio.Event()
        self._reading.set()
        self.ended = False
        self.read_bytes = 0
        self._task = asyncio.create_task(self._read(), name="raw lsp client")

    # ---- making one

    @classmethod
    @contextlib.asynccontextmanager
    async def spawn(
        cls, *argv: str, env: dict[str, str] | None = None, cwd: str | None = None
    ) -> AsyncIterator[RawLsp]:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            limit=64 * 1024,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        client = cls(process.stdout, process.stdin)
        client.process, client.stderr = process, process.stderr
        try:
            yield client
        finally:
            await client.close()

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(cls, *, path: str | None = None, host: str = "", port: int = 0) -> AsyncIterator[RawLsp]:
        if path is not None:
            reader, writer = await asyncio.open_unix_connection(path)
        else:
            reader, writer = await asyncio.open_connection(host, port)
        client = cls(reader, writer)
        try:
            yield client
        finally:
            await client.close()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        with contextlib.suppress(OSError):
            self._writer.close()
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                if self.process.returncode is None:
                    self.process.kill()
            await asyncio.wait_for(self.process.communicate(), DEADLINE)

    # ---- sending

    def send_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    def send_body(self, body: bytes) -> None:
        self.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def send(self, message: Any) -> None:
        self.send_body(json.dumps(message).encode())

    def post(self, method: str, params: Any = None) -> int:
        """A request, not waited for; its id."""
        id = next(self._ids)
        message = {"jsonrpc": "2.0", "id": id, "method": method}
        self.send(message if params is None else {**message, "params": params})
        return id

    def notify(self, method: str, params: Any = None) -> None:
        message = {"jsonrpc": "2.0", "method": method}
        self.send(message if params is None else {**message, "params": params})

    def reply(self, id: Any, result: Any) -> None:
        self.send({"jsonrpc": "2.0", "id": id, "result": result})

    def close_input(self) -> None:
        """The server reads the end of its input; its output is still read."""
        self._writer.write_eof()

    # ---- asking

    async def request(self, method: str, params: Any = None, *, deadline: float = DEADLINE) -> Any:
        """The result. Raises LspError."""
        return result_of(await self.answer(self.post(method, params), deadline=deadline))

    async def command(self, name: str, arguments: Any = None, *, deadline: float = DEADLINE) -> Any:
        params = {"command": name, "arguments": [] if arguments is None else [arguments]}
        return await self.request("workspace/executeCommand", params, deadline=deadline)

    async def initialize(self, options: Any = None, **params: Any) -> Any:
        """`initialize` and `initialized`; `options` is initializationOptions.politerm."""
        given = {"processId": None, "rootUri": None, "capabilities": {}, **params}
        if options is not None:
            given["initializationOptions"] = {"politerm": options}
        result = await self.request("initialize", given)
        self.notify("initialized", {})
        return result

    async def leave(self) -> int | None:
        """`shutdown`, `exit`, and the exit code where there is a process."""
        await self.request("shutdown")
        self.notify("exit")
        return await self.exit_code() if self.process is not None else None

    async def exit_code(self, deadline: float = DEADLINE) -> int:
        assert self.process is not None
        return await asyncio.wait_for(self.process.wait(), deadline)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    # ---- waiting

    async def answer(self, id: Any, *, deadline: float = DEADLINE) -> dict[str, Any]:
        """The whole answer to a request."""
        await self.until(lambda: id in self.answers, deadline=deadline, what=f"an answer to {id!r}")
        return self.answers[id][0]

    async def wait_for(
        self, method: str, match: Callable[[Any], bool] = lambda _: True, *, deadline: float = DEADLINE
    ) -> Any:
        """The params of the first notification (already here or coming) that matches."""
        await self.until(lambda: any(map(match, self.of(method))), deadline=deadline, what=method)
        return next(params for params in self.of(method) if match(params))

    async def wait_request(self, method: str, *, nth: int = 1, deadline: float = DEADLINE) -> dict[str, Any]:
        """The nth request of the server with this method."""
        await self.until(lambda: len(self._asked(method)) >= nth, deadline=deadline, what=f"request {method}")
        return self._asked(method)[nth - 1]

    def _asked(self, method: str) -> list[dict[str, Any]]:
        return [request for request in self.requests if request["method"] == method]

    def of(self, method: str) -> list[Any]:
        """All params of one kind of notification so far."""
        return [params for name, params in self.notifications if name == method]

    async def until(self, condition: Callable[[], bool], *, deadline: float = DEADLINE, what: str = "") -> None:
        async def wait() -> None:
            async with self._news:
                await self._news.wait_for(lambda: condition() or self.ended)
            if not condition():
                raise AssertionError(f"the connection ended before {what or 'what was waited for'} came")

        try:
            await asyncio.wait_for(wait(), deadline)
        except TimeoutError:
            raise AssertionError(f"{what or 'it'} did not come within {deadline} s") from None

    async def wait_end(self, deadline: float = DEADLINE) -> None:
        """Until the server has closed the connection."""
        await self.until(lambda: self.ended, deadline=deadline, what="the end")

    # ---- receiving

    def stop_reading(self) -> None:
        """Leave everything where it is: in the pipe, and then with the server."""
        self._reading.clear()

    def read_again(self) -> None:
        self._reading.set()

    async def _read(self) -> None:
        try:
            while True:
                await self._reading.wait()
                length = 0
                while (line := await self._reader.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                if not length:
                    return
                body = await self._reader.readexactly(length)
                self.read_bytes += length
                await self._got(json.loads(body))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.ended = True
            async with self._news:
                self._news.notify_all()

    async def _got(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            self.answers.setdefault(message.get("id"), []).append(message)
        elif "id" in message:
            self.requests.append(message)
            if message["method"] in self.replies:
                self.reply(message["id"], self.replies[message["method"]](message.get("params")))
        else:
            self.notifications.append((message["method"], message.get("params")))
        async with self._news:
            self._news.notify_all()


def result_of(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise LspError(answer["error"])
    return answer["result"]
