"""The readers of what agents write: ten megabytes made to hurt the block reader, and the terminal filter's speed."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable

from benchmarks.figures import Row, bounded, main, rate, seconds
from politerm.core.blocks import BlockReader
from politerm.core.terminal import TerminalFilter
from politerm.tmux.control import Decoder

SIZE = 10_000_000
CHUNK = 8 * 1024
MOST_SECONDS = 1.0
MOST_GROWTH = 2.5
"""Twice the text may take so much longer: linear, with room for a noisy machine."""

HEADER = '[[POLI:MSG {"to":"EXECUTER","type":"plan","key":"k"}]]\n'
HOSTILE: dict[str, Callable[[int], str]] = {
    "openings that never close": lambda size: HEADER * (size // len(HEADER)),
    "a block in a block": lambda size: (HEADER + "text\n") * (size // 120) + "[[/POLI:MSG]]\n" * (size // 120),
    "endings alone": lambda size: "[[/POLI:MSG]]\n" * (size // 14),
    "headers of broken JSON": lambda size: '[[POLI:MSG {"to":"\n' * (size // 19),
    "one line of brackets": lambda size: "[" * size,
    "one block of ten megabytes": lambda size: HEADER + "x" * size + "\n[[/POLI:MSG]]\n",
    "quotes and fences": lambda size: ("> " * 20 + "```\n" + "> " + HEADER) * (size // 100),
    "nested JSON": lambda size: "[[POLI:MSG " + '{"a":' * (size // 5) + "\n",
}
"""Each makes about so many characters that cost a careless reader most."""


def read(text: str) -> float:
    """Seconds; the best of three, because what is asked is how it grows and not how busy the machine is."""
    return min(_read(text) for _ in range(3))


def _read(text: str) -> float:
    begun = time.perf_counter()
    reader = BlockReader()
    for start in range(0, len(text), CHUNK):
        reader.feed(text[start : start + CHUNK])
    reader.end()
    return time.perf_counter() - begun


def a_screen(size: int) -> bytes:
    """What a busy full-screen program prints: colours, moves, text, some of it wide."""
    row = "".join(
        f"\x1b[{row};1H\x1b[38;5;{row}m│ line {row:03d} of a plan — überall 日本 \x1b[0m\x1b[K" for row in range(1, 50)
    )
    data = row.encode()
    return data * (size // len(data))


def filtered(data: bytes) -> float:
    """Bytes a second."""
    terminal = TerminalFilter()
    begun = time.perf_counter()
    for start in range(0, len(data), CHUNK):
        terminal.feed(data[start : start + CHUNK])
    return len(data) / (time.perf_counter() - begun)


def decoded(data: bytes) -> float:
    """Bytes of pane output a second, as control mode writes them."""
    escaped = b"".join(b"\\%03o" % byte if byte < 32 or byte == 92 else bytes((byte,)) for byte in data)
    lines = [b"%%output %%1 %b\n" % escaped[start : start + 2000] for start in range(0, len(escaped), 2000)]
    stream = b"".join(lines)
    decoder = Decoder()
    begun = time.perf_counter()
    for start in range(0, len(stream), 64 * 1024):
        decoder.feed(stream[start : start + 64 * 1024])
    return len(data) / (time.perf_counter() - begun)


async def measure(quick: bool) -> AsyncIterator[Row]:
    size = SIZE
    for name, make in HOSTILE.items():
        whole, half = read(make(size)), read(make(size // 2))
        row = bounded(f"block reader, {size // 10**6} MB: {name}", whole, seconds, at_most=MOST_SECONDS)
        growth = whole / half
        linear = growth <= MOST_GROWTH
        yield Row(
            row.what,
            row.ours,
            f"{seconds(half)} half of it",
            f"{growth:.2f}x",
            f"{row.goal}, <= {MOST_GROWTH}x",
            bool(row.met and linear),
        )
    size = SIZE // 5 if quick else SIZE
    screen = a_screen(size)
    yield Row("terminal filter, a full-screen program", rate(filtered(screen)))
    plain = json.dumps({"text": "all is well " * 8}).encode() + b"\r\n"
    yield Row("terminal filter, plain lines", rate(filtered(plain * (size // len(plain)))))
    yield Row("control decoder, a full-screen program", rate(decoded(screen)))


if __name__ == "__main__":
    main(measure, "Readers of text that agents write.")
