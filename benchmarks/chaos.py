"""One run under random kills of everything, watched by two editor windows, and what became of it.

A window whose server is killed opens a new one, as an editor does. A person answers what the run asks; where it is not
known whether a prompt arrived, they look into the agent's own notes. This module does not know how many runs there are
(soak.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.e2e.runs.house import Editor, House, kill, messages
from tests.e2e.runs.sweep import strike
from tests.rawlsp import LspError

TARGETS = {"window": 3, "agent": 3, "tmux": 2, "client": 2, "session": 1, "socket": 1, "stop": 1}
"""What is struck, and how often beside the others. `window`: one of the two servers; `client`: our connection to tmux;
`stop`: tmux stands still for a while."""
KINDS = ("raw", "line", "full", "boxed", "same-id", "raw", "line", "full")
END_WITHIN = 90.0
"""Seconds after the last strike in which the run must have ended."""
GONE_WITHIN = 3.0


@dataclass
class Ordeal:
    """What is done to one run. Everything follows from the seed, but for the moments at which things happen."""

    seed: int
    kind: str
    witness: bool
    rounds: int
    delay: float
    strikes: tuple[tuple[float, str], ...]
    """Seconds to wait, then what to strike."""

    @classmethod
    def of(cls, seed: int) -> Ordeal:
        chance = random.Random(seed)
        kind = chance.choice(KINDS)
        count = chance.randint(1, 8)
        targets = chance.choices(list(TARGETS), list(TARGETS.values()), k=count)
        waits = [chance.expovariate(1 / 0.5) for _ in targets]
        return cls(
            seed,
            kind,
            witness=chance.random() < 0.75,
            rounds=chance.randint(1, 3),
            delay=chance.choice((0.0, 0.0, 0.05, 0.4)),
            strikes=tuple(zip(waits, targets, strict=True)),
        )


@dataclass
class Verdict:
    """What became of it. `trouble` is empty when every promise was kept."""

    ordeal: Ordeal
    lost: int = 0
    doubled: int = 0
    merged: int = 0
    invented: int = 0
    uncertain: int = 0
    left: int = 0
    ended: str = ""
    events: list[dict[str, Any]] = field(default_factory=list, repr=False)
    done: list[str] = field(default_factory=list)
    """What was struck, and after which event."""
    trouble: list[str] = field(default_factory=list)


class Window:
    """An editor window: it follows the run, and opens again whenever its server is killed."""

    def __init__(self, house: House, verdict: Verdict) -> None:
        self._house, self._verdict = house, verdict
        self._closing = asyncio.Event()
        self._up = asyncio.Event()
        self.editor: Editor | None = None
        self._task = asyncio.create_task(self._live())

    async def _live(self) -> None:
        while not self._closing.is_set():
            async with self._house.serve() as editor:
                self.editor = editor
                self._up.set()
                ended = asyncio.create_task(editor.client.wait_end(3600))
                closing = asyncio.create_task(self._closing.wait())
                await asyncio.wait([ended, closing], return_when=asyncio.FIRST_COMPLETED)
                self._up.clear()
                ended.cancel()
                closing.cancel()
                if not self._closing.is_set() and not editor.killed:
                    self._verdict.trouble.append("a server ended by itself")
                    editor.killed = True
                self._check(editor)

    def _check(self, editor: Editor) -> None:
        """What one window was sent has neither a gap nor a repetition."""
        runs = {each["runId"] for each in editor.client.of("politerm/event")}
        for run in runs:
            seqs = [each["seq"] for each in editor.events(run)]
            if seqs != list(range(seqs[0], seqs[0] + len(seqs))):
                self._verdict.trouble.append(f"a window was sent {seqs}")

    async def ready(self) -> Editor:
        """The editor, once it is open. Raises what ended the window."""
        up = asyncio.create_task(self._up.wait())
        await asyncio.wait([up, self._task], return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if self._task.done():
            await self._task
        assert self.editor is not None
        return self.editor

    async def close(self) -> None:
        self._closing.set()
        await self._task


async def ordeal(house: House, plan: Ordeal) -> Verdict:
    verdict = Verdict(plan)
    options = {"delay": plan.delay} if plan.delay else {}
    house.agents(plan.kind, witness=plan.witness, rounds=plan.rounds, **options)
    windows = [Window(house, verdict), Window(house, verdict)]
    try:
        first = await windows[0].ready()
        await windows[1].ready()
        run = await first.start()
        striking = asyncio.create_task(_strike(house, plan, run, windows, verdict))
        await _person(house, run, windows, striking, verdict)
        await striking
        await _nothing_left(house, run, verdict)
    except TimeoutError:
        verdict.lost += 1
        verdict.trouble.append("the run did not end")
    finally:
        for window in windows:
            try:
                await window.close()
            except Exception as error:
                verdict.trouble.append(f"a window: {error!r}")
    if verdict.ended:
        _judge(house, run, verdict)
    return verdict


async def _strike(house: House, plan: Ordeal, run: str, windows: list[Window], verdict: Verdict) -> None:
    chance = random.Random(plan.seed + 1)
    for wait, target in plan.strikes:
        await asyncio.sleep(wait)
        newest = max([0, *(e["seq"] for w in windows if w.editor is not None for e in w.editor.events(run))])
        verdict.done.append(f"{target} after {newest}")
        match target:
            case "window":
                editor = chance.choice(windows).editor
                if editor is not None and not editor.killed:
                    editor.kill()
            case "agent":
                agents = [each for each in house.agents_of(run) if _is_agent(each)]
                if agents:
                    kill(chance.choice(agents))
            case "client":
                for process in house.processes():
                    with contextlib.suppress(psutil.Error):
                        if "-C" in process.cmdline():
                            kill(process)
            case "stop":
                server = house.tmux_server()
                kill(server, signal.SIGSTOP)
                try:
                    await asyncio.sleep(chance.uniform(0.1, 3))
                finally:
                    kill(server, signal.SIGCONT)
            case _:
                strike(house, target, run, None)


def _is_agent(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "program.py" in " ".join(process.cmdline())
    return False


async def _person(
    house: House, run: str, windows: list[Window], striking: asyncio.Task[None], verdict: Verdict
) -> None:
    """Somebody who watches, and answers, until the run has ended. Raises TimeoutError."""
    answered: set[str] = set()
    loop = asyncio.get_running_loop()
    until = float("inf")
    turn = 0
    while True:
        if striking.done() and until == float("inf"):
            until = loop.time() + END_WITHIN
        if loop.time() > until:
            raise TimeoutError
        turn += 1
        editor = await windows[turn % 2].ready()
        with contextlib.suppress(LspError, AssertionError):
            view = await editor.command("run.get", runId=run)
            if view["state"] == "ended":
                told = await editor.command("run.events", runId=run, limit=10_000)
                verdict.ended = f"{view['outcome']} {view.get('reason') or ''}".strip()
                verdict.events = told["events"]
                return
            for item in (await editor.command("attention.list"))["items"]:
                if item["attentionId"] in answered or item.get("answered"):
                    continue
                choice = await _choice(house, editor, run, item, verdict)
                await editor.command("attention.answer", attentionId=item["attentionId"], choice=choice)
                answered.add(item["attentionId"])
        await asyncio.sleep(0.1)


async def _choice(house: House, editor: Editor, run: str, item: dict[str, Any], verdict: Verdict) -> str:
    if item["kind"] != "uncertain":
        return "retry"
    verdict.uncertain += 1
    told = await editor.command("run.events", runId=run, limit=10_000)
    doubts = [each["event"] for each in told["events"] if each["event"]["type"] == "promptUncertain"]
    prompt = next(each["promptId"] for each in reversed(doubts) if each["to"] == item["role"])
    notes = house.ledger(item["role"].lower())
    return "arrived" if any(each["event"] == "prompt" and each["end"] == prompt for each in notes) else "resend"


async def _nothing_left(house: House, run: str, verdict: Verdict) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + GONE_WITHIN
    while left := house.agents_of(run):
        if loop.time() > until:
            verdict.left = len(left)
            verdict.trouble.append(f"{len(left)} processes of the run are left")
            return
        await asyncio.sleep(0.1)


# ---- what became of it -----------------------------------------------------------------------------------------------


def _judge(house: House, run: str, verdict: Verdict) -> None:
    events = [each["event"] for each in verdict.events]
    if [each["seq"] for each in verdict.events] != list(range(1, len(events) + 1)):
        verdict.trouble.append("the log has a gap")
    notes = {role: house.ledger(role) for role in ("planner", "executer")}
    for role, told in notes.items():
        got = [each for each in told if each["event"] == "prompt"]
        verdict.doubled += sum(count - 1 for count in Counter(each["end"] for each in got).values())
        verdict.merged += sum(1 for each in got if each["text"].count("POLI end:") != 1)
        verdict.merged += sum(1 for each in told if each["event"] == "stray" and "POLI" in str(each))
        said = _bare("".join(each["text"] for each in told if each["event"] == "reply"))
        verdict.invented += sum(
            1 for who, _, body in messages(events) if who.lower() == role and _bare(body) not in said
        )
    verdict.doubled += _relayed_twice(events)
    verdict.lost += _not_delivered(events, notes)
    if not verdict.ended.startswith("completed"):
        verdict.lost += 1
        verdict.trouble.append(f"ended: {verdict.ended}")
    for name in ("lost", "doubled", "merged", "invented"):
        if getattr(verdict, name):
            verdict.trouble.append(f"{name}: {getattr(verdict, name)}")


def _bare(text: str) -> str:
    """Without what boxes and wraps add."""
    return "".join(filter(str.isalnum, text))


def _relayed_twice(events: list[dict[str, Any]]) -> int:
    """Messages that two prompts brought, though the agent that got the first lost none of its memory since."""
    brought: dict[str, str] = {}
    twice = 0
    for event in events:
        if event["type"] == "promptRequested" and event["origin"] == "relay":
            for message in event["messages"]:
                if brought.setdefault(message, event["promptId"]) != event["promptId"]:
                    twice += 1
    return twice


def _not_delivered(events: list[dict[str, Any]], notes: dict[str, list[dict[str, Any]]]) -> int:
    """Messages that were accepted and stand in no prompt that their receiver noted."""
    missing = 0
    for event in events:
        if event["type"] == "messageReceived" and event["kind"] != "status" and event["to"].lower() in notes:
            body = next((line for line in event["body"].splitlines() if line.startswith(("Step", "Done"))), "")
            got = [each["text"] for each in notes[event["to"].lower()] if each["event"] == "prompt"]
            missing += not any(body in text for text in got)
    return missing
