"""Writes a run of so many messages into the log of a workspace, as it stands there after a very long night.

long_run.py WORKSPACE COUNT      (POLITERM_STATE_DIR says where the log is)
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator

from politerm.core.events import AgentSpec, Event, MessageReceived, RoundStarted, RunEnded, RunStarted
from politerm.core.wire import MessageId, PromptId, Role, RunId
from politerm.eventlog import SqliteLog
from politerm.workspace.state import locate

RUN = RunId("261121-000000-long")
AT = "2026-11-21T00:00:00.000Z"
BODY = """Part {number}: `split()` returns every part of a path.

```python
def split(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
```

- an empty path has no parts
- a trailing slash changes nothing"""


def events(workspace: str, count: int) -> Iterator[Event]:
    agents = {role: AgentSpec(name="bench") for role in (Role.PLANNER, Role.EXECUTER)}
    yield RunStarted(task=f"{count} messages", cwd=workspace, agents=agents, seed="s" * 32)
    for number in range(count):
        planner = number % 2 == 0
        round_number = number // 2 + 1
        if planner:
            yield RoundStarted(round=round_number)
        yield MessageReceived(
            message_id=MessageId(f"m{number}"),
            sender=Role.PLANNER if planner else Role.EXECUTER,
            to=Role.EXECUTER if planner else Role.PLANNER,
            kind="plan" if planner else "result",
            body=BODY.format(number=number),
            source="transcript",
            round=round_number,
            turn=PromptId(f"p{number}"),
        )
    yield RunEnded(outcome="completed", summary="All parts are done.")


async def write(workspace: str, count: int) -> None:
    paths = locate(workspace, os.environ)
    paths.ensure()
    log = SqliteLog(paths.root)
    await log.open()
    try:
        told = list(events(workspace, count))
        for start in range(0, len(told), 1000):
            await log.append(RUN, told[start : start + 1000], at=AT, clock=0.0)
    finally:
        await log.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], int(sys.argv[2])))
