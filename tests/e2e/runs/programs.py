"""Agents of the tests' own making, known to PoliTerm by nothing but a command: any program that reads lines and prints.

install_lines(house, "e", FLOOD, megabytes=16)
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.e2e.runs.house import House

LINES = """
import json, os, re, sys
options = json.loads(sys.argv[1])
out = sys.stdout.buffer
key = None
for line in sys.stdin.buffer:
    found = re.match(rb"\\s*POLI key: *(\\S+)", line)
    if found:
        key = found[1].decode()
    if not re.match(rb"\\s*POLI end:", line):
        continue
    answer(out, key)
    out.flush()
"""
"""Reads prompts to their end, and calls `answer(out, key)` for each."""

BLOCK = """
def block(out, key, kind, body):
    header = json.dumps({"type": kind, "key": key})
    out.write(f"[[POLI:MSG {header}]]\\n{body}\\n[[/POLI:MSG]]\\n".encode())
"""

FLOOD = """
def answer(out, key):
    row = b"flood " + b"x" * 90 + b"\\n"
    for _ in range(options["megabytes"] * 1_000_000 // len(row)):
        out.write(row)
    block(out, key, "result", "The flood is over.")
"""


def install_lines(house: House, name: str, answer: str, **options: Any) -> None:
    """A profile of nothing but a command line."""
    program = house.root / f"{name}.py"
    program.write_text("import json\n" + BLOCK + answer + LINES, encoding="utf-8")
    folder = house.config / "agents"
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-S", str(program), json.dumps(options)]
    (folder / f"{name}.toml").write_text(f"command = {json.dumps(command)}\n", encoding="utf-8")
