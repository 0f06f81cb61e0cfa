"""One real agent program in one real pane, driven by its profile alone: what the tests of one agent stand on.

It knows no engine: a profile that needs more than this to work would not be data.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import psutil

from politerm.agents.golden import GoldenScreen
from politerm.agents.profile import AgentProfile, expand
from politerm.agents.rules import Dialog, Verdict, look
from politerm.engine.keys import APART
from politerm.engine.ports import SeeingWitness, Witness, WitnessRecord
from politerm.tmux.processes import marked
from politerm.witness import open_witness
from politerm.workspace.overlay import lay_over
from tests.real_agents.install import Pin
from tests.real_agents.rigs import Rig, Scene, in_path

T = TypeVar("T")


def until(what: str, found: Callable[[], T | None], *, seconds: float = 30.0, every: float = 0.05) -> T:
    """Ask until there is an answer. Raises AssertionError naming what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)


class LiveAgent:
    """`folder` is the agent's own: its home, its program, and what a run would give it lie there."""

    def __init__(
        self,
        rig: Rig,
        pin: Pin,
        *,
        cwd: Path,
        folder: Path,
        url: str,
        trusted: bool = True,
        allowed: bool = False,
        scene: Scene | None = None,
    ) -> None:
        self.shipped = rig.profile
        self.session = str(uuid.uuid4()) if self.shipped.names_session else None
        """The conversation's id: given by us, or told by the agent's record once it is known."""
        self.records: list[WitnessRecord] = []
        """What the record has said and no `wait` has passed yet; `heard`: all of it."""
        self.heard: list[WitnessRecord] = []
        self.state_dir = folder / 'state "dir"'
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self._programs = folder / "bin"
        self._cwd = cwd
        folders = [cwd] if trusted else []
        env = rig.set_up(pin, folder / "home", self._programs, url, trusted=folders, allowed=allowed)
        other = scene or Scene((), "")
        for name, text in other.files.items():
            (folder / "home" / name).write_text(text, "utf-8")
        full = {**env, "PATH": in_path(self._programs), **self.profile.env, **other.env}
        self._env = {name: value for name, value in full.items() if value is not None}
        self._folder = Path(tempfile.mkdtemp(prefix="rig"))
        self._pane = ""
        self._witness: Witness | None = None

    @property
    def profile(self) -> AgentProfile:
        """With its placeholders filled, as far as they are known."""
        return expand(self.shipped, python=sys.executable, state_dir=str(self.state_dir), session=self.session)

    @property
    def witness(self) -> Witness:
        if self._witness is None:
            self._witness = self.open_witness()
        return self._witness

    def open_witness(self) -> Witness:
        """A reader that stands at the beginning of the record."""
        assert self.profile.witness is not None
        witness = open_witness(
            self.profile.witness,
            state_dir=self.state_dir,
            cwd=str(self._cwd),
            session=self.session,
            home=Path(self._env["HOME"]),
            pid=self.pid,
        )
        assert witness is not None
        return witness

    def followed(self) -> Witness:
        """The witness, of the conversation that the screen names where it does."""
        shown = self.verdict().session if self.shipped.conversation else None
        if shown and not (self.session or "").startswith(shown):
            cursor = self.witness.cursor()
            self.session, self._witness = shown, None
            self.witness.seek(cursor)
        return self.witness

    def __enter__(self) -> LiveAgent:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pane:
            # Shown by pytest only where a test failed.
            print("\n".join(["--- the screen:", *self.visible(), "--- records:", *map(str, self.records)]))
        pids = self._tmux("list-panes", "-a", "-F", "#{pane_pid}", check=False).split()
        self._tmux("kill-server", check=False)
        for pid in pids:
            with_group(int(pid), signal.SIGKILL)
        for process in marked({"HOME": self._env["HOME"]}):
            # What it left behind in a session of its own.
            with contextlib.suppress(psutil.Error):
                process.kill()

    def start(self, *, resume: bool = False) -> LiveAgent:
        """Start it, or start it again; a witness goes on from where the last one stood."""
        cursor = self._witness.cursor() if self._witness is not None else None
        profile = self.profile
        for path, text in profile.files.items():
            Path(path).write_text(text, "utf-8")
        self._env |= lay_over(profile, self.state_dir, Path(self._env["HOME"]), {})
        how = profile.resume if resume else profile.session
        argv = [str(self._programs / profile.command[0]), *profile.command[1:], *how]
        size = ["-x", "160", "-y", "50"]
        self._pane = self._tmux("-u", "new-session", "-d", *size, "-P", "-F", "#{pane_id}", "--", *argv).strip()
        self._tmux("set-option", "-g", "remain-on-exit", "on")
        if cursor is not None:
            self._witness = None
            assert self.witness.seek(cursor) is None
            self.records.clear()
        return self

    @property
    def pid(self) -> int:
        return int(self._tmux("display-message", "-p", "-t", self._pane, "#{pane_pid}"))

    @property
    def dead(self) -> bool:
        return self._tmux("display-message", "-p", "-t", self._pane, "#{pane_dead}") == "1"

    def kill(self) -> None:
        """SIGKILL, as the kernel would under memory pressure."""
        os.kill(self.pid, signal.SIGKILL)
        until("the pane notices", lambda: self.dead or None)

    def visible(self) -> list[str]:
        return self._tmux("capture-pane", "-p", "-t", self._pane).split("\n")

    @property
    def title(self) -> str:
        return self._tmux("display-message", "-p", "-t", self._pane, "#{pane_title}")

    def verdict(self) -> Verdict:
        return look(self.profile, self.visible(), self.title)

    def golden(self) -> GoldenScreen:
        """The screen as it stands, for tests/golden."""
        return GoldenScreen.of(self.profile, self.visible(), self.title)

    def ready(self) -> LiveAgent:
        until("the agent is ready", lambda: self.verdict().idle, seconds=self.profile.start_seconds)
        return self

    def dialog(self) -> Dialog:
        """The dialog that the agent shows, once it takes keys: what comes sooner is swallowed, or half of it."""
        seen = until("a dialog is on the screen", lambda: self.verdict().dialog)
        time.sleep(self.profile.dialog_seconds)
        return seen

    def keys(self, *keys: str) -> None:
        self._tmux("send-keys", "-t", self._pane, *keys)

    def interrupt(self) -> None:
        """As the engine does it: one key after the other."""
        for number, key in enumerate(self.profile.interrupt):
            time.sleep(APART if number else 0)
            self.keys(key)

    def paste(self, text: str) -> None:
        self._tmux("load-buffer", "-b", "prompt", "-", text=text)
        self._tmux("paste-buffer", "-p", "-r", "-d", "-b", "prompt", "-t", self._pane)

    def prompt(self, text: str) -> None:
        """Paste and submit, then see in the agent's own record that it has exactly this. The Enter is repeated, never
        the text: a busy machine may show a long paste later than `submitDelay`."""
        self.paste(text)
        enter = time.monotonic() + (self.profile.submit_delay or 0.0)

        def taken() -> bool:
            nonlocal enter
            if time.monotonic() >= enter:
                self.keys(*self.profile.submit)
                enter = time.monotonic() + 3.0
            return any(record.kind == "prompt" and record.text == text for record in self.poll())

        until("the prompt is taken", taken)

    def poll(self) -> list[WitnessRecord]:
        """Everything that the witness has said so far."""
        witness = self.followed()
        if isinstance(witness, SeeingWitness):
            witness.seen(self.verdict().idle)
        new = witness.poll()
        self.session = next((record.text for record in new if record.kind == "session"), self.session)
        self.records += new
        self.heard += new
        return self.records

    def wait(self, kind: str, *, seconds: float = 30.0) -> WitnessRecord:
        """The next record of this kind; what is before it is left behind."""

        def found() -> WitnessRecord | None:
            for at, record in enumerate(self.poll()):
                if record.kind == kind:
                    del self.records[: at + 1]
                    return record
            return None

        return until(f"a record of kind {kind}", found, seconds=seconds)

    def _tmux(self, *args: str, text: str | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-S", str(self._folder / "s"), *args],
            input=text,
            capture_output=True,
            encoding="utf-8",
            check=check,
            cwd=self._cwd,
            env=self._env,
            timeout=20,
        )
        return done.stdout.removesuffix("\n")


def with_group(pid: int, number: int) -> None:
    """A signal to a program and everything in its process group; nothing when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
