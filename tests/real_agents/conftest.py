"""Fixtures for tests against the real programs. Each test names the pins it needs; one that is not there says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_server.scenario import Scenario
from tests.model_server.server import ModelServer
from tests.real_agents.install import Pin, pins


def installed(name: str) -> list[object]:
    """A parameter for every pinned version of this agent."""
    return [pytest.param(pin, id=pin.label) for pin in pins() if pin.name == name]


def require(pin: Pin) -> Path:
    if not pin.installed:
        pytest.skip(f"{pin.label} is not installed: run `make test-agents`")
    return pin.program


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
