"""Does a program wait for the next line of its terminal? Asked of the kernel, where it tells (Linux: /proc).

A program that is still loading and one that waits for input look alike on the screen. This module reads what threads
of other processes are blocked in; it never stops or changes them.
"""

from __future__ import annotations

from pathlib import Path

import psutil

_SLEEPS_IN = frozenset({"wait_woken", "n_tty_read"})
"""Where the kernel's terminal driver waits for input, by its name in /proc/PID/wchan (newer, older kernels)."""
_STDIN = "0x0"


def reads_terminal(pid: int, proc: Path = Path("/proc")) -> bool | None:
    """True when a thread of this program, or of one under it, is blocked reading its standard input. None: not told
    here. Blocks for milliseconds."""
    try:
        family = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return None
    told = [answer for one in family for answer in _threads(proc / str(one))]
    known = [answer for answer in told if answer is not None]
    return any(known) if known else None


def _threads(process: Path) -> list[bool | None]:
    try:
        return [_blocked_in_read(thread) for thread in (process / "task").iterdir()]
    except OSError:
        return []


def _blocked_in_read(thread: Path) -> bool | None:
    try:
        place = (thread / "wchan").read_text().strip()
        call = (thread / "syscall").read_text().split()
    except OSError:
        return None
    if place in ("", "0") and call[:1] != ["running"]:
        return None
    # A blocked call is told as its number and its arguments; the first argument of a read is the file.
    return place in _SLEEPS_IN and call[1:2] == [_STDIN]
