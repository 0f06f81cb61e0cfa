"""Whether a program waits for a line of its terminal, on real programs."""

from __future__ import annotations

import os
import pty
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from politerm.tmux.waiting import reads_terminal

pytestmark = pytest.mark.skipif(not Path("/proc/self/wchan").exists(), reason="this platform does not tell")


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Iterator[int]:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(request.param[0], request.param)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)


def comes_to_wait(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if reads_terminal(pid):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    "program",
    [["cat"], [sys.executable, "-c", "input()"], ["sh", "-c", "cat; true"], ["sh", "-c", "while read x; do :; done"]],
    indirect=True,
)
def test_one_that_waits_for_a_line(program: int) -> None:
    if reads_terminal(program) is None:
        pytest.skip("this kernel does not tell")
    assert comes_to_wait(program, 20)


@pytest.mark.parametrize(
    "program", [[sys.executable, "-c", "import time; time.sleep(60)"], ["sh", "-c", "sleep 60; cat"]], indirect=True
)
def test_one_that_loads(program: int) -> None:
    assert not comes_to_wait(program, 1)


def test_a_program_that_is_gone() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert reads_terminal(pid) is None
