"""One real agent program in one real pane, driven by its profile alone: what the tests of this folder stand on.

It knows no engine: a profile that needs more than this to work would not be data.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from politerm.agents.profile import AgentProfile, expand
from politerm.agents.rules import Dialog, Verdict, look
from politerm.engine.ports import Witness, WitnessRecord
from politerm.witness import open_witness

KEY = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"
"""Looks like an API key and opens nothing: the model server takes any."""
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


def claude_home(folder: Path, *trusted: Path) -> Path:
    """A home in which Claude Code has been set up before and trusts these folders."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        "projects": {str(path.resolve()): {"hasTrustDialogAccepted": True} for path in trusted},
    }
    (folder / ".claude.json").write_text(json.dumps(settings), "utf-8")
    return folder


def claude_env(home: Path, url: str) -> dict[str, str]:
    """Everything that the program is told: our model, no traffic to anywhere else, errors that show at once."""
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "TERM": "tmux-256color",
        "LANG": "C.UTF-8",
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "CLAUDE_CODE_MAX_RETRIES": "1",
    }


class LiveAgent:
    """`profile` still has its placeholders. `env`: the whole environment, the profile's own laid over it."""

    def __init__(
        self, profile: AgentProfile, program: Path, *, cwd: Path, env: dict[str, str], state_dir: Path, session: str
    ) -> None:
        self.profile = expand(profile, python=sys.executable, state_dir=str(state_dir), session=session)
        self.records: list[WitnessRecord] = []
        self.state_dir = state_dir
        self._program = program
        self._cwd = cwd
        self._env = {**env, **self.profile.env}
        self._session = session
        self._folder = Path(tempfile.mkdtemp(prefix="rig"))
        self._pane = ""
        self.witness = self.open_witness()

    def open_witness(self) -> Witness:
        assert self.profile.witness is not None
        witness = open_witness(
            self.profile.witness,
            state_dir=self.state_dir,
            cwd=str(self._cwd),
            session=self._session,
            home=Path(self._env["HOME"]),
        )
        assert witness is not None
        return witness

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

    def start(self, *, resume: bool = False, extra: Sequence[str] = ()) -> LiveAgent:
        for path, text in self.profile.files.items():
            Path(path).write_text(text, "utf-8")
        how = self.profile.resume if resume else self.profile.session
        argv = [str(self._program), *self.profile.command[1:], *how, *extra]
        size = ["-x", "160", "-y", "50"]
        self._tmux("-u", "new-session", "-d", *size, "-P", "-F", "#{pane_id}", "--", *argv, pane=True)
        self._tmux("set-option", "-g", "remain-on-exit", "on")
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

    def verdict(self) -> Verdict:
        title = self._tmux("display-message", "-p", "-t", self._pane, "#{pane_title}")
        return look(self.profile, self.visible(), title)

    def ready(self) -> LiveAgent:
        def idle() -> bool:
            seen = self.verdict()
            return seen.ready is not None and seen.working is None and seen.dialog is None

        until("the agent is ready", idle, seconds=self.profile.start_seconds)
        return self

    def dialog(self) -> Dialog:
        """The dialog that the agent shows, once it takes keys: what comes sooner is swallowed, or half of it."""
        seen = until("a dialog is on the screen", lambda: self.verdict().dialog)
        time.sleep(self.profile.dialog_seconds)
        return seen

    def keys(self, *keys: str) -> None:
        self._tmux("send-keys", "-t", self._pane, *keys)

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
        self.records += self.witness.poll()
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

    def _tmux(self, *args: str, text: str | None = None, check: bool = True, pane: bool = False) -> str:
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
        if pane:
            self._pane = done.stdout.strip()
        return done.stdout.removesuffix("\n")


def with_group(pid: int, number: int) -> None:
    """A signal to a program and everything in its process group; nothing when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
