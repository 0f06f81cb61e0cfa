"""The long run: SIGKILL at every event of a run at every target with several kinds of agents, then runs under random
kills of everything, and a table of what was lost, doubled, merged, invented, uncertain, or left behind.

    python -m benchmarks.soak                      the whole sweep, then 3,000 runs under random kills
    python -m benchmarks.soak --minutes 10         as much of both as fits
    python -m benchmarks.soak --seed 17 --runs 1   one ordeal again
    python -m benchmarks.soak --cut agent:7:full:screen

Exits 1 when a promise was broken. The houses of broken runs (logs, notes, recordings) are kept and named.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.chaos import Ordeal, ordeal
from benchmarks.figures import percentile
from politerm.eventlog import SqliteLog
from tests.e2e.runs.house import House, brief
from tests.e2e.runs.sweep import TARGETS, cut

AGENTS: dict[str, dict[str, Any]] = {
    "raw": {"kind": "raw"},
    "line": {"kind": "line"},
    "full": {"kind": "full"},
    "slow": {"kind": "raw", "delay": 0.3},
    "late": {"kind": "raw", "start_delay": 0.4, "swallow": 0.2},
}
EVENTS = range(1, 23)
RUNS = 3000
COUNTED = ("lost", "doubled", "merged", "invented", "uncertain", "left")


@dataclass
class Line:
    """One line of the table, summed over its runs."""

    runs: int = 0
    broken: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    found: list[float] = field(default_factory=list)
    """Seconds from a kill until the log says so."""
    recovered: list[float] = field(default_factory=list)
    """Seconds from a kill until what was killed is there again, with its start."""


class Soak:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.lines: dict[str, Line] = {}
        self.broken: list[str] = []

    async def one(self, group: str, name: str, work: Callable[[House], Awaitable[Any]]) -> None:
        """Run one case in a house of its own and count what became of it."""
        house = House(self._root / name)
        troubles: list[str] = []
        outcome: Any = None
        try:
            outcome = await work(house)
            troubles += outcome.trouble
        except Exception as error:
            troubles.append(f"{type(error).__name__}: {error}"[:300])
        left = house.reap()
        if left and outcome is not None:
            outcome.left = getattr(outcome, "left", 0) + len(left)
            troubles.append(f"left behind: {left}")
        self._count(group, outcome, bool(troubles))
        if troubles:
            await self._tell(name, house, outcome, troubles)
        else:
            shutil.rmtree(house.root, ignore_errors=True)

    def _count(self, group: str, outcome: Any, broken: bool) -> None:
        line = self.lines.setdefault(group, Line())
        line.runs += 1
        line.broken += broken
        if outcome is None:
            return
        for name in COUNTED:
            line.counts[name] += getattr(outcome, name, 0)
        found, recovered = recovery(outcome)
        line.found += found
        line.recovered += recovered

    async def _tell(self, name: str, house: House, outcome: Any, troubles: list[str]) -> None:
        print(f"\n!! {name}: {'; '.join(troubles)}", flush=True)
        events = outcome.events if outcome is not None and outcome.events else await stored(house)
        for each in events:
            print("   " + brief(each))
        for struck in getattr(outcome, "done", []):
            print(f"   struck: {struck}")
        print(f"   kept in {house.root}", flush=True)
        self.broken.append(name)

    def table(self) -> Iterator[str]:
        head = (*COUNTED, "broken")
        yield (
            f"{'what':34} {'runs':>5} " + " ".join(f"{name:>9}" for name in head) + "   found p50/p99  back p50/p99 (s)"
        )
        for group, line in self.lines.items():
            counts = [*line.counts.values(), line.broken]
            times = "  ".join(
                f"{percentile(each, 0.5):5.2f} / {percentile(each, 0.99):5.2f}" if each else f"{'':13}"
                for each in (line.found, line.recovered)
            )
            yield f"{group:34} {line.runs:5} " + " ".join(f"{count:9}" for count in counts) + f"   {times}".rstrip()


def recovery(outcome: Any) -> tuple[list[float], list[float]]:
    """When the log first says what was struck by a cut, and when that was there again."""
    struck = getattr(outcome, "struck", 0.0)
    if not struck:
        return [], []
    after = [(moment(each["at"]) - struck, each["event"]) for each in outcome.events if moment(each["at"]) >= struck]
    if outcome.target == "server":
        back = [at for at, event in after if event["type"] == "recovered" and event["what"] == "server"]
        return [], back[:1]
    deaths = [at for at, event in after if event["type"] == "agentStateChanged" and event["state"] == "dead"]
    ready = [at for at, event in after if event["type"] == "agentReady" and deaths and at >= deaths[0]]
    return deaths[:1], ready[:1]


def moment(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


async def stored(house: House) -> list[dict[str, Any]]:
    """Every event in the log of a house whose servers are gone."""
    log = SqliteLog(house.paths.root, read_only_open=True)
    told: list[dict[str, Any]] = []
    try:
        await log.open()
        for run in await log.runs():
            told += [json.loads(each) for each in await log.read_raw(run)]
    except Exception as error:
        print(f"   its log cannot be read: {error}")
    finally:
        await log.close()
    return told


# ---- the cases -------------------------------------------------------------------------------------------------------

Case = tuple[str, str, Callable[[House], Awaitable[Any]]]


def cuts(agents: list[str], targets: list[str], events: range) -> Iterator[Case]:
    for record in (True, False):
        for agent in agents:
            for target in targets:
                for at in events:
                    yield one_cut(target, at, agent, record)


def one_cut(target: str, at: int, agent: str, record: bool) -> Case:
    word = "record" if record else "screen"

    async def work(house: House) -> Any:
        return await cut(house, target, at, witness=record, **AGENTS[agent])

    return f"cut {target}, {agent} agents, {word}", f"{target}-{at}-{agent}-{word}", work


def ordeals(first: int, count: int) -> Iterator[Case]:
    for seed in range(first, first + count):
        plan = Ordeal.of(seed)

        async def work(house: House, plan: Ordeal = plan) -> Any:
            return await ordeal(house, plan)

        yield f"random kills, {'record' if plan.witness else 'screen'}", f"seed-{seed}", work


async def run(cases: Iterator[Case], soak: Soak, at_once: int, until: float) -> None:
    """Take cases from the iterator, so many beside each other, until there is none or the time is up."""

    async def worker() -> None:
        for group, name, work in cases:
            if time.monotonic() > until:
                return
            await soak.one(group, name, work)
            if soak_done(soak) % 25 == 0:
                print(f"   {soak_done(soak)} runs, {len(soak.broken)} broken", flush=True)

    await asyncio.gather(*(worker() for _ in range(at_once)))


def soak_done(soak: Soak) -> int:
    return sum(line.runs for line in soak.lines.values())


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Kills at every event, then at random.")
    parser.add_argument("--minutes", type=float, default=0, help="end after so long; 0: when everything is done")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs under random kills (default {RUNS})")
    parser.add_argument("--seed", type=int, help="the first ordeal; by default another one each time")
    parser.add_argument("--only", choices=("sweep", "chaos"), help="one of the two parts")
    parser.add_argument("--agents", nargs="+", choices=list(AGENTS), default=list(AGENTS))
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--cut", help="one cut: TARGET:EVENT:AGENT:record|screen")
    parser.add_argument("--times", type=int, default=1, help="how often --cut is tried")
    parser.add_argument("--at-once", type=int, default=2, help="runs beside each other")
    parser.add_argument("--shuffle", action="store_true", help="cuts in any order, for a sweep that is cut short")
    return parser.parse_args()


def main() -> int:
    given = asked()
    root = Path(tempfile.mkdtemp(prefix="politerm-soak-"))
    soak = Soak(root)
    until = time.monotonic() + given.minutes * 60 if given.minutes else float("inf")
    seed = given.seed if given.seed is not None else int(time.time())
    parts: list[Iterator[Case]] = []
    if given.cut:
        target, at, agent, word = given.cut.split(":")
        group, name, work = one_cut(target, int(at), agent, word == "record")
        parts.append((group, f"{name}-{number}", work) for number in range(given.times))
    else:
        if given.only != "chaos" and given.seed is None:
            sweep = list(cuts(given.agents, given.targets, EVENTS))
            if given.shuffle:
                random.Random(seed).shuffle(sweep)
            parts.append(iter(sweep))
        if given.only != "sweep":
            print(f"random kills begin with seed {seed}", flush=True)
            parts.append(ordeals(seed, given.runs))
    try:
        for part in parts:
            asyncio.run(run(part, soak, given.at_once, until))
    except KeyboardInterrupt:
        print("stopped")
    print()
    for each in soak.table():
        print(each)
    if soak.broken:
        print(f"\n{len(soak.broken)} broken: {', '.join(soak.broken[:20])}\nkept in {root}")
        return 1
    shutil.rmtree(root, ignore_errors=True)
    print("\nEvery promise was kept.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
