"""A workspace without an engine: runs are scripted lists of events, commands are answered as the contract says."""

from __future__ import annotations

import asyncio
import io
import os
import pty
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

from politerm.cli import call
from politerm.cli.world import World
from politerm.core.events import EVENT, Envelope
from politerm.errors import AgentNotFound, HolderGone, InvalidParams, RunNotFound, Untrusted

Json = dict[str, Any]
AT = "2026-01-02T03:04:{second:02}.000Z"
SPEC: Json = {
    "task": "Write it",
    "cwd": "/project",
    "agents": {"PLANNER": {"name": "p"}, "EXECUTER": {"name": "e"}},
    "seed": "s",
}


def message(sender: str, to: str, kind: str, body: str) -> Json:
    fields = {"messageId": f"m-{kind}", "from": sender, "to": to, "kind": kind, "body": body, "source": "screen"}
    return {"type": "messageReceived", **fields}


STARTED: Json = {"type": "runStarted", **SPEC}
PLAN = message("PLANNER", "EXECUTER", "plan", "<PLAN>\n1. Write `a.py`\n</PLAN>")
RESULT = message("EXECUTER", "PLANNER", "result", "It is written.")
COMPLETED: Json = {"type": "runEnded", "outcome": "completed", "summary": "All of it is done."}
STOPPED: Json = {"type": "runEnded", "outcome": "stopped", "reason": "Ctrl-C"}
GOOD: list[Json] = [STARTED, {"type": "roundStarted", "round": 1}, PLAN, RESULT, COMPLETED]


def attention(number: int = 1, **more: Any) -> Json:
    return {
        "type": "attentionRaised",
        "attentionId": f"att-{number}",
        "role": "EXECUTER",
        "kind": "permission",
        "title": "May I run `make`?",
        "choices": [{"id": "allow", "label": "Allow it"}, {"id": "deny", "label": "Refuse", "danger": True}],
        **more,
    }


@dataclass
class FakeClient:
    workspace: FakeWorkspace
    trusted: bool | None
    closed: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    callbacks: list[tuple[str, Callable[[Any], None]]] = field(default_factory=list)

    def on(self, method: str, callback: Callable[[Any], None], /) -> None:
        self.callbacks.append((method, callback))

    async def command(self, name: str, argument: Json, /) -> Any:
        if self.closed.done():
            raise HolderGone("gone")
        self.workspace.calls.append((name, argument))
        await asyncio.sleep(0)
        return await self.workspace.answer(self, name, argument)

    def tell(self, method: str, params: Json) -> None:
        for known, callback in self.callbacks:
            if known == method:
                callback(params)


@dataclass
class FakeWorkspace:
    """`script`: the events of a run that is started. The script stops at an attention item until it is answered, and
    at a callable until that returns (a coroutine function: until it is done)."""

    script: list[Any] = field(default_factory=lambda: list(GOOD))
    stored: dict[str, list[Json]] = field(default_factory=dict)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    trusted: bool = True
    agents: tuple[str, ...] = ("p", "e", "scripted-planner", "scripted-executer")
    answers: dict[str, Any] = field(default_factory=dict)
    clients: list[FakeClient] = field(default_factory=list)
    opened: int = 0
    _answered: dict[str, asyncio.Event] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, folder: Path, *, env: Mapping[str, str], trusted: bool | None) -> AsyncIterator[FakeClient]:
        self.folder, self.env = folder, env
        client = FakeClient(self, trusted)
        self.clients.append(client)
        self.opened += 1
        try:
            yield client
        finally:
            self.clients.remove(client)

    def called(self, name: str) -> list[Json]:
        return [argument for known, argument in self.calls if known == name]

    def add(self, run_id: str, event: Json) -> None:
        EVENT.validate_python(event)  # the fake cannot say what the real one could not
        stored = self.stored.setdefault(run_id, [])
        seq = len(stored) + 1
        envelope = {"runId": run_id, "seq": seq, "at": AT.format(second=seq), "clock": float(seq), "event": event}
        stored.append(Envelope.model_validate(envelope).to_json())
        for client in self.clients:
            client.tell("politerm/event", stored[-1])
            client.tell("politerm/runChanged", self.view(run_id))

    def view(self, run_id: str) -> Json:
        events = [envelope["event"] for envelope in self.stored[run_id]]
        ended = next((event for event in events if event["type"] == "runEnded"), None)
        role = {"agent": "p", "state": "working", "since": AT.format(second=1), "pane": "%1"}
        view = {
            "runId": run_id,
            "mode": "dual",
            "order": "dual",
            "task": next((event["task"] for event in events if "task" in event), "Write it"),
            "state": "ended" if ended else "running",
            "round": sum(event["type"] == "roundStarted" for event in events),
            "maxRounds": 20,
            "startedAt": AT.format(second=1),
            "cwd": str(getattr(self, "folder", "/project")),
            "roles": {"PLANNER": role | {"state": "ready"}, "EXECUTER": role | {"agent": "e"}},
            "attention": 0,
            "usage": {"tokensIn": 1200, "tokensOut": 300, "usd": 0.25, "byRole": {}},
            "lastSeq": len(events),
        }
        if ended:
            view |= {"endedAt": AT.format(second=len(events))}
            view |= {name: ended[name] for name in ("outcome", "reason", "summary") if ended.get(name)}
        return view

    async def play(self, run_id: str) -> None:
        for step in list(self.script):
            await asyncio.sleep(0)
            if callable(step):
                waited = step()
                if waited is not None:
                    await waited
                continue
            self.add(run_id, step)
            if step["type"] == "attentionRaised":
                await self._wait(step["attentionId"]).wait()
                await asyncio.sleep(0)

    def _wait(self, attention_id: str) -> asyncio.Event:
        return self._answered.setdefault(attention_id, asyncio.Event())

    def settle(self, run_id: str, attention_id: str, **said: Any) -> None:
        self.add(run_id, {"type": "attentionAnswered", "attentionId": attention_id, **said})
        self._wait(attention_id).set()

    async def answer(self, client: FakeClient, name: str, argument: Json) -> Any:
        if name in self.answers:
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            return await answer(argument) if callable(answer) else answer
        run_id = argument.get("runId", "")
        if "runId" in argument and name != "politerm.run.start" and run_id not in self.stored:
            raise RunNotFound(f"There is no run {run_id}.")
        match name.removeprefix("politerm."):
            case "run.start":
                return self._start(client, argument)
            case "run.list":
                views = [self.view(run_id) for run_id in reversed(self.stored)]
                states = argument.get("states")
                return {"runs": [v for v in views if not states or v["state"] in states][: argument.get("limit", 50)]}
            case "run.get":
                return self.view(run_id)
            case "run.events":
                return {"events": self.stored[run_id][argument["after"] :][: argument["limit"]], "last": 0}
            case "run.stop":
                self.add(run_id, STOPPED)
                return self.view(run_id)
            case "attention.answer":
                said = {key: value for key, value in argument.items() if key in ("choice", "text")}
                self.settle(next(iter(self.stored)), argument["attentionId"], **said)
                return {"attentionId": argument["attentionId"]}
            case "attention.list":
                item = {"attentionId": "trust", "kind": "trust", "title": "Trust?", "choices": []}
                return {"items": [] if self.trusted or client.trusted else [item]}
            case "agent.list":
                return {"agents": [{"name": name, "available": True} for name in self.agents]}
            case _:
                raise InvalidParams(f"The fake does not know {name}.")

    def _start(self, client: FakeClient, argument: Json) -> Json:
        if not (self.trusted or client.trusted):
            raise Untrusted("This folder is not trusted.")
        for role in ("planner", "executer"):
            if argument.get(role, "p") not in self.agents:
                raise AgentNotFound(f"There is no agent called {argument[role]!r}.")
        run_id = argument.get("runId", "run-0001")
        self.stored[run_id] = []
        self._tasks.append(asyncio.get_running_loop().create_task(self.play(run_id), name="script"))
        return {"runId": run_id}


@dataclass
class Ran:
    code: int
    out: str
    err: str


def run(
    workspace: FakeWorkspace,
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    stdin: TextIO | None = None,
    terminal: bool = False,
) -> Ran:
    """Call a verb as the shell would. `terminal`: standard output and error are one."""
    out, err = io.StringIO(), io.StringIO()
    home = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    world = World(env=home | dict(env or {}), open_workspace=workspace.open, stdin=stdin or io.StringIO())
    world.stdout, world.stderr = out, err
    if terminal:
        out.isatty = err.isatty = lambda: True  # type: ignore[method-assign]
        world.console = Console(file=out, force_terminal=True, width=100, highlight=False, markup=False)
    if arguments[0] != "demo" and not {"--workspace", "--help"} & set(arguments):
        arguments = (*arguments, "--workspace", str(folder))
    return Ran(call(list(arguments), world), out.getvalue(), err.getvalue())


@contextmanager
def keyboard(*lines: str) -> Iterator[tuple[TextIO, Callable[[str], None]]]:
    """A terminal at which a person types: its reading end, and how to type another line."""
    ours, theirs = pty.openpty()
    try:
        with os.fdopen(theirs, "r", encoding="utf-8", closefd=False) as stdin:

            def type_line(text: str) -> None:
                os.write(ours, f"{text}\n".encode())

            for line in lines:
                type_line(line)
            yield stdin, type_line
    finally:
        os.close(ours)
        os.close(theirs)
