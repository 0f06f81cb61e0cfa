"""Draws the demo for the README: a real run in a terminal of its own, its screen kept as it was at two moments.

`python scripts/picture.py` writes docs/demo.svg (in the middle of the run) and docs/demo-end.svg (its summary).
"""

from __future__ import annotations

import fcntl
import io
import itertools
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte
from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, ROWS = 100, 46
LONGEST = 60.0
"""Seconds after which the demo is not waited for any more."""

# Fonts are left to whoever looks: a picture in a README loads nothing from anywhere.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)

Moment = tuple[str, Callable[[str], bool]]
MOMENTS: tuple[Moment, ...] = (
    ("demo.svg", lambda text: "revision" in text and "working" in text and "round 2/" in text),
    ("demo-end.svg", lambda text: "completed  2 rounds" in text and "╰" in text),
)


def colour(name: str) -> str | None:
    """pyte's names of colours as rich's: its `brown` is ANSI yellow, and six digits are a colour of their own."""
    if name == "default":
        return None
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return name.replace("brown", "yellow").replace("bright", "bright_")


def drawn(screen: pyte.Screen, home: str) -> Text:
    """The screen as text with colours, without the empty rows below, the home folder as `~`."""
    rows = [row for row in range(screen.lines) if screen.display[row].strip()]
    text = Text()
    for row in range((rows[-1] if rows else 0) + 1):
        line = Text()
        cells = [screen.buffer[row][column] for column in range(screen.columns)]
        for look, alike in itertools.groupby(cells, key=lambda cell: (cell.fg, cell.bold, cell.italics, cell.reverse)):
            fg, bold, italic, reverse = look
            line.append(
                "".join(cell.data for cell in alike),
                Style(color=colour(fg), bold=bold, italic=italic, reverse=reverse),
            )
        line.rstrip()
        while (at := line.plain.find(home)) >= 0:
            line = line[:at] + Text("~") + line[at + len(home) :]
        text.append_text(line).append("\n")
    text.right_crop(1)
    return text


def write(name: str, screen: pyte.Screen, home: str) -> None:
    console = Console(record=True, file=io.StringIO(), width=COLUMNS, force_terminal=True, color_system="truecolor")
    console.print(drawn(screen, home))
    svg = console.export_svg(title="politerm demo", code_format=FORMAT, unique_id=Path(name).stem)
    (ROOT / "docs" / name).write_text(svg, "utf-8")
    print(f"docs/{name}", file=sys.stderr)


def watch(command: list[str], env: dict[str, str]) -> int:
    """Run the demo on a terminal and keep each moment as soon as it is there. Answers how many were."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=env["HOME"])
    os.close(theirs)
    wanted, until = list(MOMENTS), time.monotonic() + LONGEST
    while wanted and time.monotonic() < until and select.select([ours], [], [], LONGEST)[0]:
        try:
            data = os.read(ours, 4096)
        except OSError:  # the other end is closed: the demo is over
            break
        stream.feed(data)
        name, there = wanted[0]
        if there("\n".join(screen.display)):
            write(name, screen, env["HOME"])
            wanted.pop(0)
    process.wait(LONGEST)
    os.close(ours)
    return len(MOMENTS) - len(wanted)


def main() -> int:
    with tempfile.TemporaryDirectory() as home:
        # As it looks where PoliTerm is installed, whatever the place it runs from here.
        program = Path(home, "bin", "politerm")
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m politerm "$@"\n', "utf-8")
        program.chmod(0o755)
        env = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "HOME": home,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }
        return 0 if watch([str(program), "demo", "demo"], env) == len(MOMENTS) else 1


if __name__ == "__main__":
    sys.exit(main())
