"""The text-only screen draws what tmux draws: random output is written to a pane, and both are compared."""

from __future__ import annotations

import os
import random
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from politerm.core.grid import Grid
from politerm.core.terminal import TerminalFilter

COLUMNS, ROWS = 20, 6
NARROW = ["a", "bc", "words ", "the quick brown fox jumps", "x" * COLUMNS, "é", "e\u0301", "│─"]
CONTROLS = ["\r\n", "\r\n", "\r", "\n", "\t", "\x1b7", "\x1b8", "\x1bD", "\x1bE", "\x1bM", "\x1b[1m"]
MARGINS = ["\x1b[?6h", "\x1b[?6l", "\x1b[r", "\x1b[2;4r", "\x1b[1;5r"]


def output(seed: int) -> str:
    """Odd seeds write wide characters and never draw over them: terminals differ in what is left of half of one. Every
    fourth one sets margins, and takes no lines in or out: this tmux does so outside of them, and not always."""
    chance = random.Random(seed)
    if seed % 2:
        whole = [*NARROW, "漢字", "漢" * 10, "\r\n", "\r\n", "\n", "\x1b[S", "\x1b[2S", "\x1b[J"]
        return "".join(chance.choice(whole) for _ in range(chance.randint(3, 40)))
    finals = "ABCDEFGd`XPJKSTHZ" if seed % 4 else "ABCDEFGd`aeXPJKLMSTKHIZ"
    parts = []
    for _ in range(chance.randint(3, 30)):
        kind = chance.random()
        if kind < 0.4:
            parts.append(chance.choice(NARROW))
        elif kind < 0.6:
            parts.append(chance.choice(CONTROLS))
        elif kind < 0.65 and seed % 4:
            parts.append(chance.choice(MARGINS))
        elif kind < 0.8:
            parts.append(f"\x1b[{chance.randint(0, 8)};{chance.randint(0, 25)}H")
        else:
            final = chance.choice(finals)
            number = chance.choice(["", "1", "2"] if final in "JK" else ["", "0", "1", "2", "3", "7", "30"])
            parts.append(f"\x1b[{number}{final}")
    return "".join(parts)


class Pane:
    """One pane of a tmux server of its own, whose terminal is written to from outside."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self.tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS + 1), "sleep 600")
        self.tmux("set", "-g", "status", "off")
        self.tmux("resize-window", "-x", str(COLUMNS), "-y", str(ROWS))
        tty, self.pid = self.tmux("display", "-p", "#{pane_tty} #{pid}").split()
        self._tty = os.open(tty, os.O_WRONLY | os.O_NOCTTY)
        self._count = 0
        settings = termios.tcgetattr(self._tty)
        settings[1] &= ~termios.OPOST
        termios.tcsetattr(self._tty, termios.TCSANOW, settings)

    def tmux(self, *words: str) -> str:
        command = ["tmux", "-u", "-f", "/dev/null", "-S", str(self._socket), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout

    def drawn(self, text: str) -> list[str]:
        """The screen after this output."""
        self._count += 1
        os.write(self._tty, f"\x1bc\x1b[?6l\x1b7\x1b[3J{text}\x1b]2;n{self._count}\x1b\\".encode())
        deadline = time.monotonic() + 20
        while self.tmux("display", "-p", "#{pane_title}").strip() != f"n{self._count}":
            assert time.monotonic() < deadline
        rows = self.tmux("capture-pane", "-p").split("\n")[:ROWS]
        return [row.rstrip() for row in rows]


@pytest.fixture(scope="module")
def pane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pane]:
    socket = tmp_path_factory.mktemp("tmux") / "s"
    pane = Pane(socket)
    yield pane
    pane.tmux("kill-server")


@pytest.mark.parametrize("batch", range(10))
def test_random_output_looks_the_same(pane: Pane, batch: int) -> None:
    for seed in range(batch * 30, batch * 30 + 30):
        text = output(seed)
        grid = Grid(COLUMNS, ROWS)
        grid.feed(TerminalFilter().feed(text.encode()))
        assert grid.lines() == pane.drawn(text), (seed, text)
