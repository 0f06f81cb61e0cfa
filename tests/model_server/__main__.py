"""`python -m tests.model_server SCENARIO.json [PORT]`: the scripted model by hand; prints its URL and requests."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.model_server.scenario import Scenario
from tests.model_server.server import ModelServer


def main() -> None:
    scenario = Scenario.load(Path(sys.argv[1]))
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with ModelServer(scenario, port) as server:
        print(server.url, flush=True)
        shown = 0
        while True:
            time.sleep(0.2)
            for exchange in server.exchanges[shown:]:
                if exchange.ended is None:
                    break
                shown += 1
                ask = exchange.ask
                said = f"turn {ask.turn} leg {ask.leg}{' side' if ask.side else ''}: {ask.prompt[:60]!r}" if ask else ""
                print(f"{exchange.method} {exchange.path} {exchange.status} {exchange.ended} {said}", flush=True)


if __name__ == "__main__":
    main()
