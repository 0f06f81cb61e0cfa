from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.runs.house import House


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real programs in real terminals share a noisy machine: one failure is looked at again, a second one counts."""
    for item in items:
        if "tests/e2e" in item.path.as_posix() or "tests/integration" in item.path.as_posix():
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house of its own. A test that leaves a process behind has failed."""
    made = House(tmp_path / 'it\'s a "house"')
    yield made
    # A server that is told to end leaves its agents on purpose: what a test leaves running it must have stopped.
    left = made.reap()
    assert not left, left


@pytest.fixture
def messy_house(tmp_path: Path) -> Iterator[House]:
    """For tests that kill servers: what is left is ended and not held against them."""
    made = House(tmp_path / "house")
    yield made
    made.reap()
