"""What every measurement shares: percentiles, units, rows with a goal, the table, and processor time.

It does not know what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Row:
    """One line of the table. `goal` is a sentence; `met` is None where there is none."""

    what: str
    ours: str
    other: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None


def versus(
    what: str,
    ours: float,
    other: float,
    unit: Callable[[float], str],
    *,
    other_way: str,
    at_least: float | None = None,
    at_most: float | None = None,
    more_is_better: bool = False,
) -> Row:
    """Two figures of the same kind. The ratio is theirs over ours, so that a larger one is better for us, or ours over
    theirs where more is better or the goal is a price (`at_most`)."""
    if at_most is not None:
        ratio = ours / other if other else float("inf")
        goal, met = f"<= {at_most:g}x", ratio <= at_most
    else:
        ratio = ours / other if more_is_better else other / ours if ours else float("inf")
        goal = f">= {at_least:,g}x" if at_least is not None else ""
        met = ratio >= at_least if at_least is not None else None
    return Row(what, unit(ours), f"{unit(other)} {other_way}", f"{ratio:,.{_digits(ratio)}f}x", goal, met)


def bounded(
    what: str, ours: float, unit: Callable[[float], str], *, at_most: float | None = None, at_least: float | None = None
) -> Row:
    """A figure with a bound of its own and nothing beside it."""
    if at_most is not None:
        return Row(what, unit(ours), goal=f"<= {unit(at_most)}", met=ours <= at_most)
    assert at_least is not None
    return Row(what, unit(ours), goal=f">= {unit(at_least)}", met=ours >= at_least)


def _digits(ratio: float) -> int:
    return 2 if ratio < 10 else 1 if ratio < 100 else 0


def percentile(values: Iterable[float], part: float) -> float:
    """The value below which this part (0 to 1) of the values lies; nan for none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


# ---- units -----------------------------------------------------------------------------------------------------------


def seconds(value: float) -> str:
    if value < 0.001:
        return f"{value * 1e6:.0f} µs"
    if value < 1:
        return f"{value * 1000:.{2 if value < 0.01 else 1 if value < 0.1 else 0}f} ms"
    return f"{value:.2f} s"


def rate(value: float) -> str:
    """Bytes a second."""
    return f"{value / 1e6:.1f} MB/s"


def share(value: float) -> str:
    """Of one processor."""
    return f"{value * 100:.{1 if value >= 0.1 else 3 if value < 0.01 else 2}f} %"


def megabytes(value: float) -> str:
    return f"{value / 1e6:.1f} MB"


def each_second(value: float) -> str:
    return f"{value:,.0f}/s"


# ---- processes -------------------------------------------------------------------------------------------------------


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time of these processes so far. On Linux to the nanosecond: ten seconds of an idle server are less
    than one tick of the usual counters."""
    total = 0.0
    for pid in pids:
        threads = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
        for each in threads:
            with suppress(OSError):
                total += int(each.read_text().split()[0]) / 1e9
        if not threads:
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
    return total


def resident(pids: Iterable[int]) -> int:
    """Bytes in memory of these processes."""
    return sum(psutil.Process(pid).memory_info().rss for pid in pids)


# ---- the table -------------------------------------------------------------------------------------------------------

Measure = Callable[[bool], AsyncIterator[Row]]
"""An async generator of rows; its argument says whether to be quick."""

_WIDTHS = (46, 12, 34, 10, 12)


def heading() -> str:
    return _line(("what", "ours", "other way", "ratio", "goal"), "met?")


def line(row: Row) -> str:
    met = "" if row.met is None else "yes" if row.met else "NO"
    return _line((row.what, row.ours, row.other, row.ratio, row.goal), met)


def _line(cells: Sequence[str], last: str) -> str:
    return " | ".join([*(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)), last]).rstrip()


def main(measure: Measure, about: str) -> None:
    """Run one script: its table, or with `--json` its rows, one object a line."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="a short run with fewer samples")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    given = parser.parse_args()

    async def run() -> None:
        if not given.json:
            print(heading(), flush=True)
        async for row in measure(given.quick):
            print(json.dumps(asdict(row)) if given.json else line(row), flush=True)

    if shutil.which("tmux") is None:
        sys.exit("tmux is not installed, and nearly everything here needs it.")
    os.environ.pop("TMUX", None)
    asyncio.run(run())
