"""Record golden screens of the programs that are installed: `python -m tests.real_agents.record [NAME[-VERSION] ...]`.

Each is started as for a test and brought to show what a scene wants; the screen is kept once its rules give the verdict
that the scene expects. A screen on which they do not is printed and not kept: the rules are to be mended first.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.model_server.scenario import Fail, Gate, Rule, Scenario, Text
from tests.model_server.server import ModelServer
from tests.real_agents.install import Pin, pins
from tests.real_agents.live import LiveAgent, until
from tests.real_agents.rigs import RIGS, Rig, Scene, rig_of

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
PROMPT = "Please greet.\nPOLI key: k1\nPOLI end: p1"
SETTLED = 1.5
"""Seconds after which nothing more is drawn."""


def scenes(rig: Rig, project: Path) -> dict[str, Scene]:
    usual = {
        "ready": Scene((), "ready"),
        "working": Scene((Text("Half of it.\n\n"), Gate("never")), "working"),
        "answered": Scene((Text("One.\n\n- two\n- three\n\nEsc to cancel is what I say.\n"),), "ready"),
        "permission": Scene((Text("I make it."), rig.asks(project / "made.txt")), "blocked permission"),
        "error": Scene((Fail(500, "boom"),), "ready"),
        "trust": Scene((), "blocked trust", trusted=False),
    }
    return {name: scene for name, scene in {**usual, **rig.scenes(project)}.items() if scene.expect}


def record(rig: Rig, pin: Pin, name: str, scene: Scene, folder: Path) -> bool:
    project = folder / "project"
    # Some programs ask whether a folder is trusted only where there is a repository.
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    with ModelServer(Scenario((Rule((scene.steps or (Text("Hello."),),)),))) as model:
        agent = LiveAgent(rig, pin, cwd=project, folder=folder, url=model.url, trusted=scene.trusted, scene=scene)
        with agent:
            agent.start()
            try:
                if scene.steps:
                    agent.ready()
                    agent.prompt(PROMPT)
                if scene.steps and scene.expect in ("ready", "limited"):
                    agent.wait("turn_end", seconds=60)
                until(scene.expect, lambda: agent.golden().expect.startswith(scene.expect), seconds=30)
                time.sleep(SETTLED)
            except AssertionError as error:
                print(f"{pin.label}: {name}: {error}")
                return False
            screen = agent.golden()
    # Until a program sets one, a terminal's title is the name of the machine.
    screen = replace(screen, title="") if screen.title == socket.gethostname() else screen
    path = GOLDEN / pin.name / pin.version / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(screen.text().replace(str(project), _elsewhere(project)), "utf-8")
    print(f"{pin.label}: {name}: {screen.expect} {screen.what}")
    return screen.expect.startswith(scene.expect)


def _elsewhere(project: Path) -> str:
    """A path that is nobody's and as long as this one, so that what is drawn around it stays where it is."""
    return "/home/you/" + "project".rjust(len(str(project)) - len("/home/you/"), "-")


def main(wanted: list[str]) -> int:
    failed = 0
    for pin in pins():
        if pin.name not in RIGS or not pin.installed or (wanted and not {pin.name, pin.label} & set(wanted)):
            continue
        rig = rig_of(pin.name)
        for name in scenes(rig, Path()):
            with tempfile.TemporaryDirectory(prefix="golden") as folder:
                scene = scenes(rig, Path(folder, "project"))[name]
                failed += not record(rig, pin, name, scene, Path(folder))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
