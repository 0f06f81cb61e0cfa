"""The text work of the core: the block reader on hostile text, the terminal filter, redaction, and the screen that
joins what a full-screen program draws, against a full emulator.

Each figure is the best of several runs, because only this process works here.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

import pyte

from benchmarks.figures import Row, bounded, main, rate, seconds, versus
from politerm.core.blocks import read_blocks
from politerm.core.redact import Redactor
from politerm.core.screen import AltScreen
from politerm.core.terminal import TerminalFilter

HOSTILE_BYTES = 10_000_000
MOST_SECONDS = 1.0
OPENING = '[[POLI:MSG {"type":"plan"}]]'
CLOSING = "[[/POLI:MSG]]"
HOSTILE = {
    "prose": "The quick brown fox jumps over the lazy dog.\n",
    "openings": OPENING + "\n",
    "headers that never end": '[[POLI:MSG {"a":]\n' + '"]\n' * 30,
    "blocks on one line": OPENING + CLOSING,
    "code fences": "```\n",
    "end markers": f"z {CLOSING}\n",
}


def best(work: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def drawn(lines: int) -> bytes:
    """What a program sends that redraws 50 rows for each line of its text."""
    text = [f"{number:03}. do what is to be done, and then what comes after it" for number in range(lines)]
    frames = []
    for end in range(1, lines + 1):
        view = text[max(end - 46, 0) : end]
        rows = [*view, *[""] * (46 - len(view)), "-" * 160, "> ", "-" * 160, "working"]
        frames.append("\x1b[H" + "\r\n".join(f"{row}\x1b[K" for row in rows) + "\x1b[48;3H")
    return ("\x1b[?1049h" + "".join(frames)).encode()


def in_chunks(data: bytes, feed: Callable[[bytes], object], size: int = 65536) -> None:
    for at in range(0, len(data), size):
        feed(data[at : at + size])


async def measure(quick: bool) -> AsyncIterator[Row]:
    runs = 2 if quick else 5
    for name, unit in HOSTILE.items():
        text = unit * (HOSTILE_BYTES // len(unit))
        took = best(lambda text=text: read_blocks(text), runs)  # type: ignore[misc]
        yield bounded(f"10 MB read for blocks: {name}", took, seconds, at_most=MOST_SECONDS)

    plain = b"The quick brown fox jumps over the lazy dog.\r\n" * 100_000
    coloured = b"\x1b[12;40H\x1b[38;5;120mword after word\x1b[0m\x1b[K" * 100_000
    took = best(lambda: in_chunks(plain, TerminalFilter().feed), runs)
    yield bounded("terminal filter, plain text", len(plain) / took, rate, at_least=100e6)
    took = best(lambda: in_chunks(coloured, TerminalFilter().feed), runs)
    yield Row("terminal filter, colours and moves", rate(len(coloured) / took))

    redactor = Redactor(["a-secret-of-some-length", "another-one-0123456789"])
    took = best(lambda: in_chunks(plain, redactor.stream().feed), runs)
    yield Row("redaction of a recording", rate(len(plain) / took))
    took = best(lambda: redactor.shapes(plain.decode()), runs)
    yield Row("redaction by shape", rate(len(plain) / took))

    frames = drawn(200)
    ours = best(lambda: in_chunks(frames, AltScreen(160, 50).feed), runs)
    screen = pyte.Screen(160, 50)
    other = best(lambda: in_chunks(frames, pyte.ByteStream(screen).feed), 1)
    yield versus("a plan of 200 lines drawn, and joined", ours, other, seconds, other_way="pyte, drawn only")


if __name__ == "__main__":
    main(measure, __doc__ or "")
