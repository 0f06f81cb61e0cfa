"""Rigs: how each agent program is set up against the scripted model, in a home of its own. One small file for each.

To add one: write `rigs/NAME.py` with a subclass of `Rig`, name it in `RIGS` below, and give the program a pin in
pins.toml. The cells of the matrix (test_matrix.py) then run for every pinned version of it. What a test needs to know
of a program stands in its profile (`agents/NAME.toml`) or, when it is about the test's own set-up, in its rig.

    class Mine(Rig):
        name = "mine"                                      # of the profile, and of the pins
        lacks = {"permission dialog": "it never asks"}     # columns that cannot be proved, and why

        def prepare(self, home, url, *, trusted, allowed): # the files of a user who has set the program up before
            write_json(home / ".mine/settings.json", {"model": {"url": f"{url}/v1", "key": KEY}})

        def env(self, home, url): return {"MINE_UPDATES": "off"}        # beside HOME, PATH, TERM and LANG
        def arguments(self, home, url): return ["--model", "m"]         # put before those of the profile
        def write(self, path, text): return Tool("write_file", {"path": str(path), "content": text})
        def run(self, command): return Tool("shell", {"cmd": command})
        def read(self, path): return Tool("read_file", {"path": str(path)})

Whatever API the program speaks, the server answers it (tests/model_server). `allowed` means that its user has let it
write files and run commands without being asked; otherwise it must ask, and trust only the folders it is given. A rig
turns off updates, telemetry, and everything else that leaves the machine, and never lifts a question by a flag.
"""

from __future__ import annotations

import importlib
import json
import os
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import politerm.agents
from politerm.agents.profile import AgentProfile
from politerm.agents.registry import parse_profile
from tests.model_server.scenario import Step
from tests.real_agents.install import Pin

KEY = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"
"""Looks like an API key and opens nothing: the model server takes any."""


@dataclass(frozen=True)
class Scene:
    """How a screen comes about: what the model does when it is asked something, and the state that shows then. `env`
    and `files` (below the home) make the home another one."""

    steps: tuple[Step, ...]
    expect: str
    trusted: bool = True
    env: Mapping[str, str | None] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


class Rig(ABC):
    name: ClassVar[str]
    lacks: ClassVar[Mapping[str, str]] = {}
    takes_quotes: ClassVar[bool] = True
    """Do its tools work in a folder with a double quote in its name?"""

    @abstractmethod
    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        """Write what the program's user has in their home: no question is left but those about what is done."""

    def env(self, home: Path, url: str) -> dict[str, str]:
        return {}

    def arguments(self, home: Path, url: str) -> list[str]:
        return []

    @abstractmethod
    def write(self, path: Path, text: str) -> Step:
        """What the model says for a file to be written: a tool call, or words for a program without tools."""

    @abstractmethod
    def run(self, command: str) -> Step: ...

    @abstractmethod
    def read(self, path: Path | str) -> Step: ...

    def asks(self, path: Path) -> Step:
        """Something that the program asks permission for; once it is allowed, `path` is there."""
        return self.write(path, "made\n")

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        """Screens that only this program has, beside those that are recorded of every one (record.py); a scene of one
        of those names takes its place, and none is recorded where it expects nothing."""
        return {}

    @property
    def profile(self) -> AgentProfile:
        """As it is shipped."""
        path = Path(politerm.agents.__file__).with_name(f"{self.name}.toml")
        return parse_profile(path.read_text("utf-8"), self.name, "built-in").profile

    def set_up(
        self, pin: Pin, home: Path, programs: Path, url: str, *, trusted: Sequence[Path], allowed: bool
    ) -> dict[str, str]:
        """Prepare a home, and put the program at this version into the folder `programs`, under the name by which its
        profile starts it. Answers the environment that it is to run in, without PATH."""
        for folder in (home, programs):
            folder.mkdir(parents=True, exist_ok=True)
        self.prepare(home, url, trusted=[path.resolve() for path in trusted], allowed=allowed)
        start = [str(pin.program), *self.arguments(home, url)]
        script = programs / self.profile.command[0]
        script.write_text(f'#!/bin/sh\nexec {shlex.join(start)} "$@"\n', "utf-8")
        script.chmod(0o755)
        return {"HOME": str(home), "TERM": "tmux-256color", "LANG": "C.UTF-8", **self.env(home, url)}


def in_path(programs: Path) -> str:
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), "utf-8")


RIGS: Mapping[str, str] = {
    "claude": "Claude",
    "codex": "Codex",
    "copilot": "Copilot",
    "pi": "Pi",
    "opencode": "Opencode",
    "gemini": "Gemini",
    "aider": "Aider",
    "qwen": "Qwen",
    "cn": "Cn",
    "cline": "Cline",
}
"""Agent -> the class in the module of that name."""


def rig_of(name: str) -> Rig:
    """Raises KeyError for an agent without a rig."""
    module = importlib.import_module(f"tests.real_agents.rigs.{name}")
    made: Rig = getattr(module, RIGS[name])()
    return made
