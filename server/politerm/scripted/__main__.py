"""`python -m politerm.scripted planner|executer`: one demonstration agent in this terminal and this folder.

POLITERM_SCRIPTED_PACE: seconds that a step takes for the eye of a person who watches (default 0: none).
POLITERM_WITNESS: the file to which prompts, replies and the ends of turns are appended: the agent's own record.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from politerm import __version__
from politerm.scripted.executer import Executer
from politerm.scripted.messages import key_of
from politerm.scripted.planner import Planner
from politerm.scripted.terminal import BOLD, DIM, Closed, Interrupted, Terminal

USAGE = "usage: python -m politerm.scripted planner|executer [--pace SECONDS] [--version]"
RUN_SECONDS = 60
"""How long a test may take: it needs a fraction of a second, so this is only for a machine that stands still."""


def record(**fields: str) -> None:
    """Append one line to the record. One write, so that nobody ever sees a line of ours mixed with another."""
    path = os.environ.get("POLITERM_WITNESS")
    if path:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, json.dumps(fields).encode() + b"\n")
        finally:
            os.close(file)


def run(terminal: Terminal, argv: list[str], environment: dict[str, str]) -> str:
    """Run a program and answer its output; Escape ends it. Raises Interrupted, OSError."""
    process = subprocess.Popen(
        argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    output, until = b"", time.monotonic() + RUN_SECONDS
    try:
        while (left := until - time.monotonic()) > 0:
            if terminal.listen(left, process.stdout.fileno()):
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    return output.decode("utf-8", "replace")
                output += data
        return output.decode("utf-8", "replace") + f"\nIt was ended after {RUN_SECONDS} s.\nFAILED (too slow)"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def turn(terminal: Terminal, agent: Planner | Executer, prompt: str, number: int) -> None:
    record(type="prompt", text=prompt)
    terminal.busy("● Working (esc to interrupt)")
    how = "done"
    try:
        terminal.wait(2)
        text = agent.answer(prompt).text(key_of(prompt), number)
        terminal.reply(text)
        terminal.busy("")
        record(type="reply", text=text)
    except Interrupted:
        how = "interrupted"
        terminal.busy("")
        terminal.line("Interrupted.", BOLD)
    terminal.line()
    record(type="turnEnd", how=how)


def main(arguments: list[str]) -> int:
    if "--version" in arguments:
        print(f"politerm scripted agent {__version__}")
        return 0
    pace = os.environ.get("POLITERM_SCRIPTED_PACE", "0")
    if len(arguments) == 3 and arguments[1] == "--pace":
        pace = arguments[2]
        arguments = arguments[:1]
    try:
        seconds = float(pace or 0)
    except ValueError:
        print(f"The pace is a number of seconds, not {pace!r}.\n{USAGE}", file=sys.stderr)
        return 2
    if arguments not in (["planner"], ["executer"]):
        print(USAGE, file=sys.stderr)
        return 2
    folder = Path.cwd()
    with Terminal(pace=seconds) as terminal:
        if arguments == ["planner"]:
            agent: Planner | Executer = Planner()
        else:

            def say(text: str) -> None:
                terminal.line(f"  {text}", DIM)
                terminal.wait(1)

            agent = Executer(folder, lambda argv, environment: run(terminal, argv, environment), say)
        terminal.line(f"Scripted {agent.name}", BOLD)
        terminal.line("A demonstration: no model is behind it. /quit leaves.", DIM)
        terminal.line(str(folder), DIM)
        terminal.line()
        number = 0
        try:
            while (prompt := terminal.prompt()).strip() != "/quit":
                number += 1
                turn(terminal, agent, prompt, number)
        except Closed:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
