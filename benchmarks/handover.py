"""From one agent's answer to the other one's next prompt, with agents that answer at once.

Beside it: waiting until a pane has been quiet for two seconds, and the same steps (load, paste, Enter, capture until
the answer shows) done by libtmux calls.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import libtmux

from benchmarks.figures import Row, main, percentile, seconds, versus
from benchmarks.programs import argv
from benchmarks.workshop import BareTmux, Workshop

QUIET = 2.0
POLL = 0.025
"""How often a quiet rule looks: what it costs beyond the two seconds."""
MORE = 'ready = \'^mine> ?$\'\nsubmitDelay = 0\n[witness]\nkind = "jsonl"\npath = "{stateDir}/agent.jsonl"\n'
WITHIN = 120.0


async def ours(turns: int) -> tuple[list[float], list[float]]:
    """Seconds from each answer's record to the other one's next prompt; and from a message to its delivery in the
    log."""
    async with Workshop.open() as workshop:
        notes = workshop.house.root / "notes"
        agent = workshop.profile("instant", argv("instant", turns, notes), MORE)
        told: list[dict[str, Any]] = []
        over = asyncio.Event()

        def on_notice(method: str, params: dict[str, Any], size: int) -> None:
            if method == "politerm/event":
                told.append(params)
                if params["event"]["type"] == "runEnded":
                    over.set()

        workshop.editor.on_notice = on_notice
        limits = {"rounds": 0, "minutes": 0}
        await workshop.editor.command("politerm.run.start", task="go", planner=agent, executer=agent, limits=limits)
        async with asyncio.timeout(WITHIN):
            await over.wait()
        noted = [json.loads(each) for each in notes.read_text(encoding="utf-8").splitlines()]
    noted.sort(key=lambda each: each["read"])
    passed = [(b["read"] - a["said"]) / 1e9 for a, b in pairwise(noted) if a["role"] != b["role"]]
    return passed, between(told)


def between(told: list[dict[str, Any]]) -> list[float]:
    """By the log's own clock: from a message to the proof that the other agent has it."""
    found = []
    said: float | None = None
    for envelope in told:
        kind = envelope["event"]["type"]
        if kind == "messageReceived":
            said = envelope["clock"]
        elif kind == "promptDelivered" and said is not None:
            found.append(envelope["clock"] - said)
            said = None
    return found


async def quiet_rule(times: int) -> list[float]:
    """A pane that has said its last word counts as done when its screen has not changed for two seconds."""
    found = []
    async with BareTmux.open(1, "idle") as tmux:
        pane = tmux.panes[0]
        for number in range(times):
            tmux.call("send-keys", "-t", pane, f"word {number}", "Enter")
            await tmux.shows(pane, f"word {number}")
            said = changed = time.monotonic()
            before = ""
            while time.monotonic() - changed < QUIET:
                screen = tmux.call("capture-pane", "-p", "-t", pane)
                if screen != before:
                    before, changed = screen, time.monotonic()
                time.sleep(POLL)  # noqa: ASYNC251 - a poller has nothing else to do
            found.append(time.monotonic() - said)
    return found


async def by_libtmux(times: int) -> list[float]:
    """The same steps with an agent that answers at once, seen by capturing its pane until the answer stands there."""
    found = []
    with tempfile.TemporaryDirectory(prefix="politerm-bench-") as folder:
        prompt = Path(folder, "prompt")
        async with BareTmux.open(1, "idle") as tmux:
            server = libtmux.Server(socket_path=str(tmux.socket))
            pane = server.panes[0]
            for number in range(times):
                begun = time.monotonic()
                prompt.write_text(f"message {number}", encoding="utf-8")
                server.cmd("load-buffer", "-b", "prompt", str(prompt))
                pane.cmd("paste-buffer", "-p", "-d", "-b", "prompt")
                pane.send_keys("", enter=True, literal=False)
                while f"message {number}" not in "\n".join(pane.capture_pane()):
                    pass
                found.append(time.monotonic() - begun)
    return found


async def measure(quick: bool) -> AsyncIterator[Row]:
    passed, logged = await ours(20 if quick else 100)
    quiet = await quiet_rule(1 if quick else 3)
    library = await by_libtmux(20 if quick else 100)
    mine = percentile(passed, 0.5)
    what = "hand-over, answer's record to next prompt, p50"
    yield versus(what, mine, percentile(quiet, 0.5), seconds, other_way="2 s quiet rule", at_least=1000)
    yield versus(what, mine, percentile(library, 0.5), seconds, other_way="libtmux calls", at_least=10)
    what = "hand-over, p99"
    yield versus(what, percentile(passed, 0.99), percentile(library, 0.99), seconds, other_way="libtmux calls")
    what = "message to delivered, by the log's clock, p50"
    yield versus(what, percentile(logged, 0.5), percentile(quiet, 0.5), seconds, other_way="2 s quiet rule")


if __name__ == "__main__":
    main(measure, "From one agent's answer to the other one's next prompt.")
