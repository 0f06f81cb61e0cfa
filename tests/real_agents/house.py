"""A house in which real agent programs are installed: a repository, a user's home with each of them set up, and the
real server. The model's words are the scenario's; everything else is real: the programs, their tools, files, and panes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.runs.house import House
from tests.model_server.scenario import Rule, Step, act, say
from tests.real_agents.install import Pin
from tests.real_agents.rigs import in_path, rig_of

PLANNER = "You are the PLANNER"
EXECUTER = "You are the EXECUTER"
HARD = "\n".join(
    [
        r"1. print 'C:\new\table' and \"this\" \\ that",
        "2. 日本語 한국어 🎉 &amp; <b>bold</b> `code` **stars** $HOME $(id) #{x}",
        "<PLAN>",
        "    indented by four",
        "</PLAN>",
        "3. [[ not a block ]] {{braces}} ```",
        *(f"4.{number} a line of many" for number in range(200)),
    ]
)
"""What a screen would spoil."""


class AgentHouse(House):
    """`allowed`: their user lets the agents write files and run commands without being asked."""

    def __init__(self, root: Path, url: str, *pins: Pin, allowed: bool) -> None:
        super().__init__(root)
        programs = root / "bin"
        for pin in pins:
            rig = rig_of(pin.name)
            self.env |= rig.set_up(pin, self.home, programs, url, trusted=[self.workspace], allowed=allowed)
        self.env["PATH"] = in_path(programs)
        self.git("init", "-q", "-b", "main")
        (self.workspace / "README.md").write_text("# A small project\n", "utf-8")
        self.git("add", "-A")
        self.git("commit", "-qm", "Begin")

    def git(self, *args: str) -> str:
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
        argv = ["git", *who, *args]
        return subprocess.run(argv, cwd=self.workspace, check=True, capture_output=True, text=True).stdout

    def screen(self, pane: str) -> str:
        """What a pane shows, asked of tmux itself."""
        return self.tmux("capture-pane", "-p", "-t", pane, check=False)

    def mark(self, pane: str, name: str) -> str:
        """What our server noted on a pane with the keys it sent: `pasted`, `entered`."""
        return self.tmux("show-options", "-p", "-q", "-v", "-t", pane, f"@poli_{name}", check=False).strip()

    def politerm(self, *args: str, seconds: float = 180) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "politerm", *args]
        env = {**os.environ, **self.env}
        return subprocess.run(argv, cwd=self.workspace, env=env, capture_output=True, text=True, timeout=seconds)


def block(kind: str, to: str, body: str) -> str:
    return f'[[POLI:MSG {{"to":"{to}","type":"{kind}","key":"@KEY@"}}]]\n{body}\n[[/POLI:MSG]]'


def planner(*answers: str) -> tuple[Rule, ...]:
    """What the planner says to its first prompt, its second, and so on."""
    return tuple(say(answer, conversation=PLANNER, turn=at) for at, answer in enumerate(answers, 1))


def executer(turn: int, *steps: Step, times: int | None = None) -> Rule:
    """What the executer says and does in its n-th turn."""
    return act(*steps, conversation=EXECUTER, turn=turn, times=times)
