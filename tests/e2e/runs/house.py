"""A house of its own for a test: home, configuration, state and workspace, all in a temporary folder, and clients of
the real `politerm serve` in it. Whatever process is left of it at the end is found and is the test's failure."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from politerm.tmux.folders import choose_socket
from politerm.workspace.state import locate
from tests.agents import install, ledger
from tests.rawlsp import RawLsp

DEADLINE = 30.0
SERVE = (sys.executable, "-m", "politerm", "serve", "--stdio")


class House:
    def __init__(self, root: Path, *, folder: str = "work space") -> None:
        self.root = root
        self.workspace = root / folder
        self.home = root / "home"
        self.config = root / "config"
        self.memory = root / "memory"
        for each in (self.workspace, self.home, self.config, self.memory):
            each.mkdir(parents=True, exist_ok=True)
        self.env = {
            "HOME": str(self.home),
            "POLITERM_CONFIG_DIR": str(self.config),
            "POLITERM_STATE_DIR": str(root / "state"),
            "POLITERM_TEST_HOUSE": str(root),
            "TMUX": "",
            "PLANNER_CMD": "",
            "EXECUTER_CMD": "",
        }

    @property
    def paths(self) -> Any:
        return locate(self.workspace, self.env)

    @cached_property
    def socket(self) -> Path:
        """The tmux socket: not in the state folder where that path is too long for one."""
        return choose_socket(self.paths.tmux_socket)

    def tmux(self, *arguments: str, check: bool = True) -> str:
        """What one tmux command prints, given by a person beside us."""
        command = ["tmux", "-S", str(self.socket), *arguments]
        return subprocess.run(command, check=check, capture_output=True, text=True, timeout=10).stdout

    def agents(self, kind: str = "raw", *, planner: str | None = None, **options: Any) -> None:
        """Profiles `p` and `e` of test agents that note in `self.memory` what they got and said."""
        for name, role, which in (("p", "planner", planner or kind), ("e", "executer", kind)):
            own = {key: value for key, value in options.items() if not key.startswith(("p_", "e_"))}
            own |= {key[2:]: value for key, value in options.items() if key.startswith(f"{name}_")}
            given = {} if which == "cat" else {"role": role, "memory": str(self.memory / role)}
            (self.memory / role).mkdir(exist_ok=True)
            install(self.config, name, which, **given, **own)

    def ledger(self, role: str) -> list[dict[str, Any]]:
        return ledger(self.memory / role)

    @contextlib.asynccontextmanager
    async def serve(self, **options: Any) -> AsyncIterator[Editor]:
        """An editor with a server of its own."""
        async with RawLsp.spawn(*SERVE, env=self.env, cwd=str(self.workspace)) as client:
            editor = Editor(client, self)
            await editor.open(**options)
            try:
                yield editor
            except BaseException:
                editor.print()
                raise
            if not editor.killed:
                await client.leave()

    def processes(self) -> list[psutil.Process]:
        """Everything alive that was started in this house: the house stands in its environment, or, for tmux, whose
        environment is scrubbed, the socket in its arguments."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ours = process.environ().get("POLITERM_TEST_HOUSE") == str(self.root)
                if ours or (process.name().startswith("tmux") and str(self.socket) in process.cmdline()):
                    found.append(process)
        return found

    def agents_of(self, run_id: str) -> list[psutil.Process]:
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("POLITERM_RUN") == run_id:
                    found.append(process)
        return found

    def tmux_server(self) -> psutil.Process | None:
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if process.name() == "tmux: server":
                    return process
        return None

    def reap(self) -> list[str]:
        """End what is left after the three seconds that a stop may take, by pid, and tell what it was."""
        _, left = psutil.wait_procs(self.processes(), timeout=3)
        told = []
        for process in left:
            with contextlib.suppress(psutil.Error):
                told.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(left, timeout=5)
        return told


class Editor:
    """One client of one server."""

    def __init__(self, client: RawLsp, house: House) -> None:
        self.client = client
        self.house = house
        self.killed = False

    def kill(self) -> None:
        """SIGKILL for the server."""
        assert self.client.process is not None
        self.client.process.kill()
        self.killed = True

    async def open(self, *, trusted: bool | None = True, claims: bool = True, **options: Any) -> None:
        politerm: dict[str, Any] = {**options}
        if trusted is not None:
            politerm["trusted"] = trusted
        if claims:
            politerm["client"] = {"attention": True, "progress": True}
        await self.client.initialize(
            politerm, rootUri=self.house.workspace.as_uri(), capabilities={"window": {"workDoneProgress": True}}
        )

    async def command(self, name: str, **arguments: Any) -> Any:
        return await self.client.command(f"politerm.{name}", arguments)

    async def start(self, task: str = "count the steps", **arguments: Any) -> str:
        given = {"planner": "p", "executer": "e", **arguments}
        answer = await self.command("run.start", task=task, **given)
        return str(answer["runId"])

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """The run's envelopes that were pushed, in order of arrival."""
        return [each for each in self.client.of("politerm/event") if each["runId"] == run_id]

    async def event(
        self,
        run_id: str,
        kind: str,
        match: Callable[[dict[str, Any]], bool] = lambda _: True,
        *,
        deadline: float = DEADLINE,
    ) -> dict[str, Any]:
        """The first event of this type that matches, waited for."""

        def fits(envelope: Any) -> bool:
            event = envelope["event"]
            return envelope["runId"] == run_id and event["type"] == kind and match(event)

        envelope = await self.client.wait_for("politerm/event", fits, deadline=deadline)
        found: dict[str, Any] = envelope["event"]
        return found

    async def ended(self, run_id: str, *, deadline: float = DEADLINE) -> dict[str, Any]:
        return await self.event(run_id, "runEnded", deadline=deadline)

    def print(self) -> None:
        """All that was pushed to this client, for the report of a test that failed."""
        for envelope in self.client.of("politerm/event"):
            print(brief(envelope))

    async def told(self, run_id: str) -> list[dict[str, Any]]:
        """Every event of the run, from the log."""
        answer = await self.command("run.events", runId=run_id, limit=10_000)
        return [each["event"] for each in answer["events"]]


def brief(envelope: dict[str, Any]) -> str:
    event = {k: str(v)[:100] for k, v in envelope["event"].items()}
    if event["type"] in ("runStarted", "runQueued"):
        event = {name: event[name] for name in ("type", "task", "agents")}
    kind = event.pop("type")
    return f"{envelope['runId'][-4:]} {envelope['seq']:3} {envelope.get('clock', 0):7.3f} {kind} {event}"


def messages(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(from, kind, body) of every message, bare of inner tags."""
    told = []
    for event in events:
        if event["type"] == "messageReceived":
            lines = [line for line in event["body"].splitlines() if not (line.startswith("<") and line.endswith(">"))]
            told.append((event["from"], event["kind"], "\n".join(lines).strip()))
    return told


async def until(condition: Callable[[], Any], *, deadline: float = DEADLINE, what: str = "it") -> Any:
    """Wait for something that has no event of its own."""
    end = time.monotonic() + deadline
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {deadline} s")
        await asyncio.sleep(0.02)
    return found


def kill(process: psutil.Process | None, number: int = signal.SIGKILL) -> None:
    if process is not None:
        with contextlib.suppress(psutil.Error):
            os.kill(process.pid, number)
