"""Where things are measured: our server with so many panes and a lean editor in front of it, or a tmux server alone.

Both have a house of their own in a temporary folder, and leave nothing behind. What is measured is not known here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import psutil

from benchmarks.programs import argv
from tests.e2e.runs.house import House

DEADLINE = 60.0
SERVE = (sys.executable, "-m", "politerm", "serve", "--stdio")
Notice = Callable[[str, dict[str, Any], int], None]


class Editor(asyncio.Protocol):
    """An LSP client with as little in it as possible, so that what is measured is the server.

    `on_notice(method, params, bytes of the message)` gets every notification as it comes; nothing is kept.
    """

    def __init__(self) -> None:
        self.on_notice: Notice = lambda method, params, size: None
        self.received = 0
        self._buffer = bytearray()
        self._ids = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._read: asyncio.ReadTransport | None = None
        self._write: asyncio.WriteTransport | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def spawn(cls, command: Sequence[str], *, env: dict[str, str], cwd: Path) -> AsyncIterator[Editor]:
        editor = cls()
        process = subprocess.Popen(  # noqa: ASYNC220 - asyncio would put its own reader in front of ours
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **env},
            cwd=cwd,
            start_new_session=True,
        )
        editor._process = process
        loop = asyncio.get_running_loop()
        editor._read, _ = await loop.connect_read_pipe(lambda: editor, process.stdout)
        editor._write, _ = await loop.connect_write_pipe(asyncio.Protocol, process.stdin)
        try:
            yield editor
        finally:
            editor.close()
            process.kill()
            await asyncio.to_thread(process.wait)

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(cls, path: Path) -> AsyncIterator[Editor]:
        loop = asyncio.get_running_loop()
        transport, editor = await loop.create_unix_connection(cls, str(path))
        editor._read = editor._write = transport
        try:
            yield editor
        finally:
            editor.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def close(self) -> None:
        for each in (self._read, self._write):
            if each is not None:
                each.close()

    def stop_reading(self) -> None:
        assert self._read is not None
        self._read.pause_reading()

    def read_again(self) -> None:
        assert self._read is not None
        self._read.resume_reading()

    # ---- asking

    def send(self, message: dict[str, Any]) -> None:
        body = orjson.dumps({"jsonrpc": "2.0", **message})
        assert self._write is not None
        self._write.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def request(self, method: str, params: Any = None) -> Any:
        self._ids += 1
        answer = self._waiting[self._ids] = asyncio.get_running_loop().create_future()
        self.send({"id": self._ids, "method": method, "params": params})
        async with asyncio.timeout(DEADLINE):
            message = await answer
        if "error" in message:
            raise RuntimeError(message["error"]["message"])
        return message["result"]

    async def command(self, name: str, **arguments: Any) -> Any:
        return await self.request("workspace/executeCommand", {"command": name, "arguments": [arguments]})

    async def initialize(self, folder: Path) -> None:
        options = {"politerm": {"trusted": True, "client": {"attention": True, "progress": True}}}
        given = {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}, "initializationOptions": options}
        await self.request("initialize", given)
        self.send({"method": "initialized", "params": {}})

    async def leave(self) -> None:
        """`shutdown`, `exit`, and the server's own end."""
        with contextlib.suppress(TimeoutError):
            await self.request("shutdown")
            self.send({"method": "exit"})
            if self._process is not None:
                await asyncio.to_thread(self._process.wait, 10)

    # ---- asyncio's side

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._buffer += data
        start = 0
        while (head := self._buffer.find(b"\r\n\r\n", start)) >= 0:
            length = self._buffer.index(b"Content-Length: ", start) + 16
            size = int(self._buffer[length : self._buffer.index(b"\r", length)])
            body = head + 4
            if len(self._buffer) < body + size:
                break
            start = body + size
            self._got(orjson.loads(memoryview(self._buffer)[body:start]), size)
        del self._buffer[:start]

    def _got(self, message: dict[str, Any], size: int) -> None:
        if "method" not in message:
            answer = self._waiting.pop(message["id"], None)
            if answer is not None and not answer.done():
                answer.set_result(message)
        elif "id" in message:
            self.send({"id": message["id"], "result": None})
        else:
            self.on_notice(message["method"], message["params"], size)


class Workshop:
    """Our server, an editor, and panes with programs of programs.py."""

    def __init__(self, house: House, editor: Editor) -> None:
        self.house, self.editor = house, editor
        self.runs: list[str] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Workshop]:
        with tempfile.TemporaryDirectory(prefix="politerm-bench-", ignore_cleanup_errors=True) as folder:
            house = House(Path(folder), folder="work")
            try:
                async with Editor.spawn(SERVE, env=house.env, cwd=house.workspace) as editor:
                    await editor.initialize(house.workspace)
                    workshop = cls(house, editor)
                    yield workshop
                    await workshop.end()
                    await editor.leave()
            finally:
                house.reap()

    def profile(self, name: str, command: list[str], more: str = "") -> str:
        folder = self.house.config / "agents"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.toml").write_text(f"command = {json.dumps(command)}\n{more}\n", encoding="utf-8")
        return name

    async def panes(self, count: int, *program: object) -> list[tuple[str, str]]:
        """So many panes with this program, as (run, role), all started. An odd one has an idle companion."""
        busy = self.profile("busy", argv(*map(str, program)), "ready = '^here$'")
        idle = self.profile("idle", argv("idle"), "ready = '^here$'")
        up: set[tuple[str, str]] = set()
        some = asyncio.Event()

        def on_notice(method: str, params: dict[str, Any], size: int) -> None:
            if method == "politerm/event" and params["event"]["type"] == "agentReady":
                up.add((params["runId"], params["event"]["role"]))
                some.set()

        self.editor.on_notice = on_notice
        made: list[tuple[str, str]] = []
        limits = {"minutes": 0}
        while len(made) < count:
            both = len(made) + 1 < count
            answer = await self.editor.command(
                "politerm.run.start", task="wait", planner=busy, executer=busy if both else idle, limits=limits
            )
            run = answer["runId"]
            self.runs.append(run)
            made += [(run, "PLANNER"), (run, "EXECUTER")] if both else [(run, "PLANNER")]
            async with asyncio.timeout(DEADLINE):
                while not {(run, "PLANNER"), (run, "EXECUTER")} <= up:
                    some.clear()
                    await some.wait()
        return made

    async def watch(self, panes: Sequence[tuple[str, str]]) -> None:
        for run, role in panes:
            await self.editor.command("politerm.pane.open", runId=run, role=role)

    async def go(self, panes: Sequence[tuple[str, str]]) -> None:
        """Let the programs begin."""
        for run, role in panes:
            await self.editor.command("politerm.pane.takeOver", runId=run, role=role, on=True)
            await self.editor.command("politerm.pane.input", runId=run, role=role, data="go\r")
            await self.editor.command("politerm.pane.takeOver", runId=run, role=role, on=False)

    async def end(self) -> None:
        """Stop every run."""
        self.editor.on_notice = lambda method, params, size: None
        runs, self.runs = self.runs, []
        for run in runs:
            await self.editor.command("politerm.run.stop", runId=run)

    def processes(self) -> list[int]:
        """Our server, its client of tmux, and the tmux server."""
        found = [self.editor.pid]
        for process in self.house.processes():
            with contextlib.suppress(psutil.Error):
                if process.name().startswith("tmux"):
                    found.append(process.pid)
        return found


class BareTmux:
    """A tmux server of its own with the same programs, for other ways to look at them."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "tmux"
        self.panes: list[str] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, count: int, *program: object, go: bool = True) -> AsyncIterator[BareTmux]:
        with tempfile.TemporaryDirectory(prefix="politerm-bench-", ignore_cleanup_errors=True) as folder:
            tmux = cls(Path(folder))
            size = ("-x", "160", "-y", "50")
            command = ("-P", "-F", "#{pane_id}", "--", *argv(*map(str, program)))
            try:
                tmux.panes.append(tmux.call("new-session", "-d", "-s", "bench", *size, *command))
                for _ in range(count - 1):
                    tmux.panes.append(tmux.call("new-window", "-d", "-t", "bench:", *command))
                for pane in tmux.panes:
                    await tmux.shows(pane, "here")
                if go:
                    tmux.go()
                yield tmux
            finally:
                tmux.end()

    @property
    def argv(self) -> tuple[str, ...]:
        return ("tmux", "-S", str(self.socket), "-f", "/dev/null", "-u")

    @property
    def pid(self) -> int:
        return int(self.call("display-message", "-p", "#{pid}"))

    def call(self, *arguments: str) -> str:
        """One tmux command in a process of its own."""
        done = subprocess.run([*self.argv, *arguments], check=True, capture_output=True, timeout=30)
        return done.stdout.decode("utf-8", "replace").rstrip("\n")

    def end(self) -> None:
        """A server that still has output for a client which is gone may not heed `kill-server`."""
        with contextlib.suppress(subprocess.SubprocessError, psutil.Error):
            server = psutil.Process(self.pid)
            self.call("kill-server")
            _, left = psutil.wait_procs([server], timeout=3)
            for process in left:
                process.kill()

    def go(self) -> None:
        for pane in self.panes:
            self.call("send-keys", "-t", pane, "go", "Enter")

    async def shows(self, pane: str, text: str) -> None:
        async with asyncio.timeout(DEADLINE):
            while text not in self.call("capture-pane", "-p", "-t", pane):  # noqa: ASYNC110 - tmux has no event for it
                await asyncio.sleep(0.02)
