"""`politerm serve` with the fake engine behind it: `serve_fake.py [--tcp PORT] [--client-pid N]`.

Some commands get a meaning of their own, so that a test outside can drive the engine: the first word of a run's task or
of a message says what happens, and `politerm.search` for `stats` tells what the server went through.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from politerm.engine import requests as rq
from politerm.engine.ports import Hit
from politerm.lsp.serve import serve_stdio, serve_tcp
from tests.fake_engine import FakeEngine


class Driven(FakeEngine):
    lag = 0.0

    async def start_run(self, request: rq.StartRun, *, trusted: bool) -> Any:
        if request.task.startswith("boom"):
            raise ValueError("secret-in-an-exception")
        if request.task.startswith("print"):
            print("a stray print")
        if request.task.startswith("wait"):
            self.gates["start"] = asyncio.Event()
        return await super().start_run(request, trusted=trusted)

    async def send(self, request: rq.SendMessage) -> Any:
        """`say N SIZE`: N events; `pane N SIZE`: N chunks of pane output; both in small steps, as an engine would."""
        words = request.text.split()
        match words[0]:
            case "say":
                for _ in range(int(words[1])):
                    self.say(request.run_id, "x" * int(words[2]))
                    await asyncio.sleep(0)
            case "pane":
                for number in range(int(words[1])):
                    self.pane(request.run_id).feed((f"{number:08}" + "x" * int(words[2]) + "\r\n").encode())
                    await asyncio.sleep(0)
            case "ask":
                self.ask(request.run_id, *words[1:])
        return await super().send(request)

    async def search(self, request: rq.SearchText) -> list[Hit]:
        if request.text == "stats":
            stats = {"lag": self.lag, "cancelled": self.cancelled, "dropped": self.dropped}
            return [Hit(run_id="stats-0001", seq=0, excerpt=repr(stats))]  # type: ignore[arg-type]
        return await super().search(request)

    async def measure(self) -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.01)
            self.lag = max(self.lag, time.perf_counter() - start - 0.01)


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tcp", type=int)
    parser.add_argument("--client-pid", type=int)
    options = parser.parse_args()
    engine = Driven()

    async def connect(opening: Any) -> FakeEngine:
        return engine

    measuring = asyncio.create_task(engine.measure())
    try:
        if options.tcp is not None:
            return await serve_tcp(connect, "127.0.0.1", options.tcp)
        return await serve_stdio(connect, client_pid=options.client_pid)
    finally:
        measuring.cancel()
        print("cleaned up", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
