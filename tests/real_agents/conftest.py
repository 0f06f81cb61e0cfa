"""Fixtures for tests against the real programs. A test that takes `pin` runs for every pinned version of every agent
that has a rig, or of those that `@pytest.mark.agents("claude")` names; what is not installed says so."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.model_server.scenario import Scenario
from tests.model_server.server import ModelServer
from tests.real_agents.house import AgentHouse
from tests.real_agents.install import Pin, pins
from tests.real_agents.live import LiveAgent
from tests.real_agents.matrix import LACKING
from tests.real_agents.rigs import RIGS, Rig, rig_of

Launch = Callable[..., LiveAgent]
Found = Callable[..., AgentHouse]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pin" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("agents")
        names = mark.args if mark else RIGS
        chosen = [pytest.param(pin, id=pin.label) for pin in pins() if pin.name in RIGS and pin.name in names]
        metafunc.parametrize("pin", chosen)


def require(pin: Pin) -> None:
    if not pin.installed:
        pytest.skip(f"{pin.label} is not installed: python tests/real_agents/install.py {pin.label}")


@pytest.fixture
def rig(request: pytest.FixtureRequest, pin: Pin) -> Rig:
    """The set-up of this program; skips where it is not installed, or has nothing of what is to be proved."""
    made = rig_of(pin.name)
    for mark in request.node.iter_markers("cell"):
        for column in mark.args:
            if column in made.lacks:
                pytest.skip(LACKING + made.lacks[column])
    require(pin)
    return made


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """A model that has nothing to say until the test gives it a scenario."""
    with ModelServer(Scenario(())) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder to work in, its path with a blank and a quote in it."""
    folder = tmp_path / "it's a project"
    folder.mkdir()
    return folder


@pytest.fixture
def launch(rig: Rig, pin: Pin, model: ModelServer, project: Path, tmp_path: Path) -> Iterator[Launch]:
    """Starts agents that are ended with the test. `trusted=False`: the folder is new to the agent; `allowed=True`: it
    may write files and run commands without being asked."""
    with contextlib.ExitStack() as ends:

        def start(*, trusted: bool = True, allowed: bool = False) -> LiveAgent:
            folder = tmp_path / "agent"
            agent = LiveAgent(rig, pin, cwd=project, folder=folder, url=model.url, trusted=trusted, allowed=allowed)
            ends.enter_context(agent)
            return agent.start()

        yield start


@pytest.fixture
def found(model: ModelServer, tmp_path: Path) -> Iterator[Found]:
    """Founds a house in which these programs are installed; whatever is left of it at the end is the test's failure."""
    made: list[AgentHouse] = []

    def build(*pins: Pin, allowed: bool = True) -> AgentHouse:
        for pin in pins:
            require(pin)
        quoted = all(rig_of(pin.name).takes_quotes for pin in pins)
        name = 'it\'s a "house"' if quoted else "it's a house"
        made.append(AgentHouse(tmp_path / name, model.url, *pins, allowed=allowed))
        return made[-1]

    yield build
    left = [told for house in made for told in house.reap()]
    assert not left, left


@pytest.fixture
def house(found: Found, pin: Pin) -> AgentHouse:
    """Its user lets the agent write files and run commands."""
    return found(pin)


@pytest.fixture
def asking(found: Found, pin: Pin) -> AgentHouse:
    """Nothing is allowed beforehand."""
    return found(pin, allowed=False)
