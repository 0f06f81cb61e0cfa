"""The kill sweep: SIGKILL at one log event of a run, at one of {our server, the tmux server, a session, an agent}, and
what became of every prompt. tests/e2e/runs/test_kill_sweep.py and benchmarks/soak.py run it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.e2e.runs.house import House, kill, messages
from tests.rawlsp import LspError

TARGETS = ("server", "tmux", "session", "agent", "socket")


@dataclass
class Outcome:
    """What became of one cut. All counts are of prompts; `trouble` is empty when every promise was kept."""

    target: str
    at: int
    lost: int = 0
    doubled: int = 0
    merged: int = 0
    invented: int = 0
    uncertain: int = 0
    ended: str = ""
    seconds: float = 0.0
    struck: float = 0.0
    """When the signal was sent; for `server`, when the next one was started. Wall clock, as the stamps are."""
    events: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """The whole log of the run."""
    trouble: list[str] = field(default_factory=list)


async def cut(
    house: House, target: str, at: int, *, witness: bool, rounds: int = 1, kind: str = "raw", **habits: Any
) -> Outcome:
    """One run, killed at its event number `at`, gone on with by the next server where ours was killed. `kind` and
    `habits`: of the test agents."""
    loop = asyncio.get_running_loop()
    house.agents(kind, witness=witness, rounds=rounds, **habits)
    outcome = Outcome(target, at)
    began = loop.time()
    async with house.serve() as first:
        run = await first.start()
        await first.client.until(
            lambda: any(e["seq"] >= at or e["event"]["type"] == "runEnded" for e in first.events(run)),
            what=f"event {at}",
        )
        outcome.struck = time.time()
        strike(house, target, run, first)
        if target != "server":
            await _to_the_end(house, first, run, outcome)
    if target == "server":
        outcome.struck = time.time()
        async with house.serve() as second:
            await _to_the_end(house, second, run, outcome)
    outcome.seconds = loop.time() - began
    _count(house, outcome, rounds)
    return outcome


def strike(house: House, target: str, run: str, editor: Any) -> None:
    match target:
        case "server":
            editor.kill()
        case "tmux":
            kill(house.tmux_server())
        case "session":
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                house.tmux("kill-session", check=False)
        case "agent":
            for process in house.agents_of(run)[:1]:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        case "socket":
            house.socket.unlink(missing_ok=True)


async def _to_the_end(house: House, editor: Any, run: str, outcome: Outcome) -> None:
    """Follow the run, answering what it asks, until it has ended."""
    answered: set[str] = set()
    async with asyncio.timeout(60):
        while True:
            view = await editor.command("run.get", runId=run)
            if view["state"] == "ended":
                break
            for item in (await editor.command("attention.list"))["items"]:
                if item["attentionId"] not in answered:
                    answered.add(item["attentionId"])
                    outcome.uncertain += item["kind"] == "uncertain"
                    with contextlib.suppress(LspError):
                        choice = _answer(house, item, await editor.told(run))
                        await editor.command("attention.answer", attentionId=item["attentionId"], choice=choice)
            await asyncio.sleep(0.05)
    outcome.ended = f"{view['outcome']} {view.get('reason') or ''}".strip()
    told = await editor.command("run.events", runId=run, limit=10_000)
    outcome.events = events = told["events"]
    if [each["seq"] for each in events] != list(range(1, len(events) + 1)):
        outcome.trouble.append("the log has a gap")
    outcome.invented += sum(1 for _, _, body in messages([e["event"] for e in events]) if not _known(body))


def _answer(house: House, item: dict[str, Any], events: list[dict[str, Any]]) -> str:
    """What a person says who knows what the agents got."""
    if item["kind"] != "uncertain":
        return "retry"
    asked = next(e["about"] for e in events if e.get("attentionId") == item["attentionId"])
    got = [each["end"] for each in house.ledger(item["role"].lower()) if each["event"] == "prompt"]
    return "arrived" if asked in got else "resend"


def _known(body: str) -> bool:
    return body.startswith(("Step ", "Done with step ", "All "))


def _count(house: House, outcome: Outcome, rounds: int) -> None:
    for role in ("planner", "executer"):
        got = [each for each in house.ledger(role) if each["event"] == "prompt"]
        times = Counter(each["end"] for each in got)
        outcome.doubled += sum(count - 1 for count in times.values())
        outcome.merged += sum(1 for each in got if each["text"].count("POLI end:") != 1)
        outcome.merged += sum(1 for each in house.ledger(role) if each["event"] == "stray" and "POLI" in str(each))
    if not outcome.ended.startswith("completed"):
        outcome.lost += 1
        outcome.trouble.append(f"ended: {outcome.ended}")
    for name in ("lost", "doubled", "merged", "invented"):
        if getattr(outcome, name):
            outcome.trouble.append(f"{name}: {getattr(outcome, name)}")
