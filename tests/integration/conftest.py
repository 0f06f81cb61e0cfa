"""A tmux server of a test's own, and a reaper: whoever leaves a process behind has failed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from politerm.core.wire import Role, RunId
from politerm.engine.ports import PaneHandle, PaneSpec
from politerm.tmux import TmuxPanes

DEADLINE = 15.0


@dataclass
class Sink:
    """Keeps what a pane tells. `until` waits for any change that makes its question true."""

    data: bytes = b""
    gaps: list[str] = field(default_factory=list)
    deaths: list[tuple[int | None, int | None, str]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_output(self, data: bytes) -> None:
        self.data += data
        self._changed.set()

    def on_gap(self, reason: str) -> None:
        self.gaps.append(reason)
        self._changed.set()

    def on_death(self, exit_status: int | None, signal: int | None, reason: str) -> None:
        self.deaths.append((exit_status, signal, reason))
        self._changed.set()

    async def until(self, question: Callable[[], object], deadline: float = DEADLINE) -> None:
        try:
            async with asyncio.timeout(deadline):
                while not question():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pytest.fail(f"never came: {self.data[-2000:]!r} {self.gaps} {self.deaths}")

    async def says(self, text: str | bytes, deadline: float = DEADLINE) -> None:
        wanted = text.encode() if isinstance(text, str) else text
        await self.until(lambda: wanted in self.data, deadline)

    async def dies(self, deadline: float = DEADLINE) -> tuple[int | None, int | None, str]:
        await self.until(lambda: self.deaths, deadline)
        return self.deaths[0]


async def eventually(question: Callable[[], object], deadline: float = DEADLINE) -> None:
    """For what sends no event: files and processes of others."""
    try:
        async with asyncio.timeout(deadline):
            while not question():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail("never came true")


def gone(pid: int) -> bool:
    """Does this process run no more? (An orphan's remains may wait for a slow init.)"""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Rig:
    """Panes on a private socket in a short private folder; everything made through it is ended at the end."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder = folder
        self.work = work
        self.socket = folder / "s" / "tmux"
        self.runtime = folder / "run"
        self.runs: set[RunId] = set()
        self._made: list[TmuxPanes] = []

    async def panes(self, *, key: str = "key", socket: Path | None = None, runtime: Path | None = None) -> TmuxPanes:
        made = TmuxPanes(socket=socket or self.socket, runtime=runtime or self.runtime, workspace_key=key)
        self._made.append(made)
        await made.start()
        return made

    def spec(
        self,
        *argv: str,
        run: str = "run-0001",
        role: Role = Role.PLANNER,
        incarnation: int = 1,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
    ) -> PaneSpec:
        self.runs.add(RunId(run))
        return PaneSpec(RunId(run), role, incarnation, argv, str(cwd or self.work), env or {})

    async def open(
        self, panes: TmuxPanes, *argv: str, role: Role = Role.PLANNER, run: str = "run-0001", incarnation: int = 1
    ) -> tuple[PaneHandle, Sink]:
        sink = Sink()
        spec = self.spec(*argv, role=role, run=run, incarnation=incarnation)
        return await panes.open(spec, sink), sink

    def python(self, source: str, *arguments: str) -> tuple[str, ...]:
        """A small program as an argv."""
        return (sys.executable, "-I", "-S", "-c", textwrap.dedent(source), *arguments)

    async def tmux(self, *words: str) -> str:
        """tmux's own command line on the same socket, as a stranger would use it."""
        process = await asyncio.create_subprocess_exec(
            "tmux", "-S", str(self.socket), *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(DEADLINE):
            answer, _ = await process.communicate()
        return answer.decode().strip()

    async def end(self) -> None:
        for panes in self._made:
            for run in self.runs:
                await panes.close(run)
            await panes.shutdown()

    def left(self) -> list[psutil.Process]:
        """Processes that carry our marks or our folder in their command line or environment."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and (
                    any(str(self.folder) in word for word in process.cmdline())
                    or any(str(self.work) in value for value in process.environ().values())
                ):
                    found.append(process)
        return [process for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    # pytest's own folders are too long for a socket's path.
    folder = Path(tempfile.mkdtemp(prefix="pt-"))
    work = tmp_path / "work"
    work.mkdir()
    made = Rig(folder, work)
    try:
        yield made
    finally:
        try:
            await made.end()
        finally:
            left = made.left()
            told = [f"{process.pid} {process.cmdline()}" for process in left]
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            shutil.rmtree(folder, ignore_errors=True)
        assert not told
