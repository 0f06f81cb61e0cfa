"""What a pane runs first: reads its file (0600), deletes it, and becomes the agent.

The file holds fields that end with NUL, since neither arguments nor environment nor paths can hold one: the folder, the
number of arguments, the arguments, then NAME=VALUE. It is found by a bare name in the pane's first working directory,
so nothing of a run ever stands on a command line. Started as a file, with `python -I -S`: it must be there in
milliseconds, and therefore imports nothing of PoliTerm.
"""

from __future__ import annotations

import os
import signal
import sys

CANNOT_START = 127
"""Exit status when the agent cannot be started, as shells have it."""


def encode(argv: tuple[str, ...], cwd: str, env: dict[str, str]) -> bytes:
    """The file's content. Raises ValueError for a NUL in any field, or a name of the environment that holds `=`."""
    if any("=" in name for name in env):
        raise ValueError("a name of the environment cannot hold '='")
    fields = [cwd, str(len(argv)), *argv, *(f"{name}={value}" for name, value in env.items())]
    if not argv or any("\0" in field for field in fields):
        raise ValueError("a program needs a name, and its arguments and environment cannot hold NUL")
    return b"".join(os.fsencode(field) + b"\0" for field in fields)


def decode(content: bytes) -> tuple[list[bytes], bytes, dict[bytes, bytes]]:
    """What `encode` was given: argv, folder, environment."""
    cwd, count, *rest = content.split(b"\0")[:-1]
    argv = rest[: int(count)]
    env = dict(pair.split(b"=", 1) for pair in rest[int(count) :])
    return argv, cwd, env


def _fresh_signals() -> None:
    """A program inherits ignored signals and the mask through exec; an agent shall start like from a login shell."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            continue
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def main(name: str) -> None:
    """Become the program that the file names. Returns only by leaving the process."""
    try:
        with open(name, "rb") as file:  # noqa: PTH123 - pathlib alone costs as much time as everything else here
            argv, cwd, env = decode(file.read())
        os.unlink(name)  # noqa: PTH108
    except (OSError, ValueError) as error:
        _give_up(f"the file that names the agent cannot be read: {error}")
    try:
        os.chdir(cwd)
    except OSError as error:
        _give_up(f"cannot enter {os.fsdecode(cwd)}: {error.strerror}")
    _fresh_signals()
    os.closerange(3, 4096)
    try:
        os.execvpe(argv[0], argv, env)  # noqa: S606 - no shell is the point
    except OSError as error:
        _give_up(f"cannot start {os.fsdecode(argv[0])}: {error.strerror}")


def _give_up(why: str) -> None:
    print(f"politerm: {why}", flush=True)
    os._exit(CANNOT_START)


if __name__ == "__main__":
    main(sys.argv[1])
