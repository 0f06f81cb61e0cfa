"""What runs in the panes that are measured. Run as a program, with the interpreter's own library alone:

    programs.py idle                  nothing, once started
    programs.py stamps SECONDS        the monotonic time, again and again, about so far apart
    programs.py updates HZ            one row drawn anew, so often a second
    programs.py flood [FOLDER]        as much text as the terminal takes; how much so far is noted in the folder
    programs.py instant TURNS FILE    an agent that answers at once; when it read and answered is noted in the file

All but the last wait for a line `go`. The monotonic clock is one for all processes of a machine.
"""

from __future__ import annotations

import json
import os
import random
import re
import struct
import sys
import termios
import time
import tty

PROGRAM = os.path.abspath(__file__)  # noqa: PTH100 - pathlib would double the time that these programs start in
STAMP = re.compile(rb"@(\d{12,});")
PROGRESS = struct.Struct("dQ")
"""What a flood notes: monotonic seconds, bytes written so far."""


def argv(mode: str, *arguments: object) -> list[str]:
    return [sys.executable, "-S", "-E", PROGRAM, mode, *map(str, arguments)]


def say(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def wait_for_go() -> None:
    say(b"here\n")
    buffer = b""
    while b"go\n" not in buffer:
        data = os.read(0, 65536)
        if not data:
            sys.exit(0)
        buffer = buffer[-2:] + data


def stamps(interval: float) -> None:
    while True:
        time.sleep(random.uniform(0.5, 1.5) * interval)
        say(b"@%d;\n" % time.monotonic_ns())


def updates(hertz: float) -> None:
    drawn = 0
    while True:
        time.sleep(1 / hertz)
        drawn += 1
        say(b"\r\x1b[Kworking for %.1f s (esc to interrupt)" % (drawn / hertz))


def flood(folder: str | None) -> None:
    line = "\x1b[32m{:07d}\x1b[0m the quick brown fox jumps over the lazy dog, again and again and again\n"
    # Made once: what is measured must not be this program.
    chunk = "".join(map(line.format, range(700))).encode()
    written = 0
    name = f"{folder}/{os.environ.get('POLITERM_RUN', 'run')}-{os.environ.get('POLITERM_ROLE', os.getpid())}"
    notes = os.open(name, os.O_WRONLY | os.O_CREAT, 0o600) if folder else None
    while True:
        say(chunk)
        written += len(chunk)
        if notes is not None:
            os.pwrite(notes, PROGRESS.pack(time.monotonic(), written), 0)


# ---- an agent that answers at once -----------------------------------------------------------------------------------

END = b"POLI end: "
KEY = re.compile(rb"^POLI key: (\S+)", re.MULTILINE)


def instant(turns: int, notes: str) -> None:
    """Raw mode, bracketed paste, a record, and no thinking: whatever passes between its turns is ours."""
    role = os.environ["POLITERM_ROLE"].lower()
    record = os.open(os.environ["POLITERM_WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    noted = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    tty.setraw(0, termios.TCSANOW)
    say(b"\x1b[?2004hmine> ")
    buffer = b""
    turn = 0
    while data := os.read(0, 65536):
        buffer += data
        if not buffer.endswith(b"\r") or END not in buffer:
            continue
        read = time.monotonic_ns()
        text = buffer.replace(b"\x1b[200~", b"").replace(b"\x1b[201~", b"").rstrip(b"\r").replace(b"\r", b"\n")
        buffer = b""
        turn += 1
        key = KEY.findall(text)[-1].decode()
        kind = "result" if role == "executer" else "plan" if turn == 1 else "continue" if turn <= turns else "complete"
        to = {"executer": "PLANNER", "planner": "EXECUTER"}[role] if kind != "complete" else "USER"
        header = json.dumps({"to": to, "type": kind, "key": key})
        said = f"[[POLI:MSG {header}]]\nStep {turn}.\n[[/POLI:MSG]]"
        records = ({"type": "prompt", "text": text.decode()}, {"type": "reply", "text": said}, {"type": "turnEnd"})
        os.write(record, b"".join(json.dumps(each).encode() + b"\n" for each in records))
        note = {"role": role, "turn": turn, "read": read, "said": time.monotonic_ns()}
        os.write(noted, json.dumps(note).encode() + b"\n")
        say(b"\r\x1b[K" + said.replace("\n", "\r\n").encode() + b"\r\nmine> ")


def main() -> None:
    mode, *arguments = sys.argv[1:]
    if mode == "instant":
        instant(int(arguments[0]), arguments[1])
        return
    wait_for_go()
    match mode:
        case "stamps":
            stamps(float(arguments[0]))
        case "updates":
            updates(float(arguments[0]))
        case "flood":
            flood(arguments[0] if arguments else None)
        case _:
            while os.read(0, 65536):
                pass


if __name__ == "__main__":
    main()
