"""Finding and ending the processes of a run, with or without their tmux. Every function here may block: use a thread.

A process is ours if its environment holds our marks, if it descends from one that is, or if it shares a pane program's
session (a child with an emptied environment that was orphaned). psutil compares start times, so that a pid that was
given to somebody else meanwhile is never signalled.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping

import psutil

_HANGUP_SECONDS = 0.6
_TERMINATE_SECONDS = 0.8
_KILL_SECONDS = 1.2
"""Together under the 3 s after which nothing of a run may be left."""


def marked(marks: Mapping[str, str]) -> list[psutil.Process]:
    """Every process of this user whose environment holds all of `marks`."""
    found = []
    for process in psutil.process_iter():
        try:
            environ = process.environ()
        except (psutil.Error, OSError):
            continue
        if all(environ.get(name) == value for name, value in marks.items()):
            found.append(process)
    return found


def started(pid: int) -> float | None:
    """When this process started, by which it is told from a later one with the same pid."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def related(marks: Mapping[str, str], programs: Mapping[int, float | None]) -> list[psutil.Process]:
    """All processes of these marks, or of these pane programs (pid -> start), and everything under them; never
    ourselves."""
    parents: dict[int, list[psutil.Process]] = {}
    everyone: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            parents.setdefault(process.ppid(), []).append(process)
        except psutil.Error:
            continue
        everyone[process.pid] = process
    # A session's number is not given out again while a process is in it: with its leader gone, its members are ours,
    # but a process that has the leader's pid and another start is a stranger, and so is its session.
    sessions = {pid for pid, start in programs.items() if pid not in everyone or start == started(pid)}
    wave = [process.pid for process in marked(marks)] + [pid for pid in sessions if pid in everyone]
    wave += [pid for pid in everyone if _session(pid) in sessions]
    ours: dict[int, psutil.Process] = {}
    while wave:
        pid = wave.pop()
        if pid in ours or pid == os.getpid() or pid not in everyone:
            continue
        ours[pid] = everyone[pid]
        wave += [child.pid for child in parents.get(pid, ())]
    return list(ours.values())


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(marks: Mapping[str, str], programs: Mapping[int, float | None]) -> int:
    """Hang up, terminate, kill: each for those that the step before did not end, and for what they started meanwhile.
    Answers how many processes were ended. Returns within 3 s."""
    seen: set[psutil.Process] = set()
    for step, seconds in (
        (signal.SIGHUP, _HANGUP_SECONDS),
        (signal.SIGTERM, _TERMINATE_SECONDS),
        (signal.SIGKILL, _KILL_SECONDS),
    ):
        until = time.monotonic() + seconds
        seen.update(process for process in related(marks, programs) if alive(process))
        left = [process for process in seen if alive(process)]
        if not left:
            break
        _signal(left, step)
        while left and time.monotonic() < until:
            time.sleep(0.005)
            left = [process for process in left if alive(process)]
            if step is signal.SIGKILL and not left:
                # What a dying process forked at its last moment.
                left = [process for process in related(marks, {}) if alive(process)]
                _signal(left, step)
                seen.update(left)
    return len(seen)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except (psutil.Error, OSError):
            continue


def is_leaving(server: int) -> bool:
    """Is this tmux server, which does not answer, one that ends? It runs (a stopped one would go on later), and has no
    program left."""
    try:
        process = psutil.Process(server)
        return process.status() != psutil.STATUS_STOPPED and not process.children()
    except psutil.Error:
        return True


def wait_gone(pid: int, seconds: float) -> bool:
    """Is this process gone (or a zombie) within so many seconds?"""
    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return True
    until = time.monotonic() + seconds
    while alive(process):
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True
