"""An engine of a few lines that keeps EngineApi's promises: for tests of everything that stands in front of one."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Awaitable, Callable
from typing import Any

from politerm.core.events import (
    AttentionAnswered,
    AttentionRaised,
    Choice,
    Envelope,
    Event,
    MessageReceived,
    RunEnded,
    RunPaused,
    RunResumed,
)
from politerm.core.views import Answer, Attention, RoleView, RunView
from politerm.core.wire import AgentState, AttentionId, MessageId, PromptId, Role, RunId
from politerm.engine import requests as rq
from politerm.engine.api import AgentView, Listener, PaneOpened, PaneSize, PaneViewer, Status
from politerm.engine.ports import Hit
from politerm.engine.streams import PaneStream
from politerm.errors import AttentionNotFound, RunNotFound, Untrusted, WrongState

AT = "2026-01-01T00:00:00.000Z"


class PlainDecoder:
    """UTF-8 in any split, nothing filtered."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def feed(self, data: bytes) -> str:
        return self._decode(data)


class FakeEngine:
    """Runs are lists of events. `emit` stores one and tells every listener; nothing happens by itself."""

    def __init__(self) -> None:
        self.logs: dict[RunId, list[Envelope]] = {}
        self.views: dict[RunId, RunView] = {}
        self.items: dict[AttentionId, Attention] = {}
        self.listeners: list[Listener] = []
        self.state = Status()
        self.stored_trust: bool | None = True
        self.trust_said: list[bool | None] = []
        self.calls: list[tuple[str, Any]] = []
        self.cancelled: list[str] = []
        self.dropped = 0
        self.gates: dict[str, asyncio.Event] = {}
        """A call named here waits until its event is set."""
        self.raises: dict[str, Exception] = {}
        """A call named here raises."""
        self.panes: dict[tuple[RunId, Role], PaneStream] = {}
        self.screen = "screen"
        self.taken: dict[tuple[RunId, Role], PaneViewer] = {}
        self.typed: list[str] = []
        self._count = 0

    # ---- what a test makes happen

    def run(self, run_id: str = "run-00001", **changes: Any) -> RunId:
        """A run in state `running` with no events, without telling anybody."""
        id = RunId(run_id)
        roles = {role: RoleView(agent="fake", state=AgentState.READY) for role in (Role.PLANNER, Role.EXECUTER)}
        base = {"mode": "dual", "order": "dual", "task": "write a test", "state": "running", "round": 1}
        self.views[id] = RunView(**{"run_id": id, **base, "started_at": AT, "cwd": "/", "roles": roles, **changes})
        self.logs.setdefault(id, [])
        return id

    def emit(self, run_id: str, event: Event) -> Envelope:
        id = RunId(run_id)
        envelope = Envelope(run_id=id, seq=len(self.logs[id]) + 1, at=AT, event=event)
        self.logs[id].append(envelope)
        changes: dict[str, Any] = {"last_seq": envelope.seq}
        if isinstance(event, RunEnded):
            changes |= {"state": "ended", "outcome": event.outcome, "summary": event.summary}
        elif isinstance(event, RunPaused):
            changes["state"] = "paused"
        elif isinstance(event, RunResumed):
            changes["state"] = "running"
        self.views[id] = self.views[id].model_copy(update=changes)
        for listener in list(self.listeners):
            listener.on_event(envelope)
            listener.on_run_changed(self.views[id])
        return envelope

    def say(self, run_id: str, body: str) -> Envelope:
        message = MessageReceived(
            message_id=MessageId("m"), sender=Role.PLANNER, to=Role.EXECUTER, kind="plan", body=body, source="test"
        )
        return self.emit(run_id, message)

    def ask(self, run_id: str, *labels: str, free_text: bool = False, kind: Any = "permission") -> AttentionId:
        self._count += 1
        id = AttentionId(f"attention-{self._count}")
        choices = tuple(Choice(id=label.lower(), label=label) for label in labels)
        self.items[id] = Attention(
            attention_id=id, run_id=RunId(run_id), kind=kind, title="May I?", choices=choices, free_text=free_text,
            raised_at=AT,
        )  # fmt: skip
        self.emit(run_id, AttentionRaised(attention_id=id, kind=kind, title="May I?", choices=choices))
        self.tell_attention()
        return id

    def tell_attention(self) -> None:
        for listener in list(self.listeners):
            listener.on_attention_changed(self.waiting())

    def waiting(self) -> list[Attention]:
        return [item for item in self.items.values() if item.answered is None]

    def set_status(self, **changes: Any) -> None:
        self.state = self.state.model_copy(update=changes)
        for listener in list(self.listeners):
            listener.on_status(self.state)

    def pane(self, run_id: str, role: Role = Role.PLANNER) -> PaneStream:
        key = (RunId(run_id), role)
        if key not in self.panes:
            self.panes[key] = PaneStream(key[0], role, self._snapshot, decoder=PlainDecoder)
        return self.panes[key]

    async def _snapshot(self) -> str:
        return self.screen

    async def _enter(self, name: str, request: Any) -> None:
        self.calls.append((name, request))
        if name in self.raises:
            raise self.raises[name]
        if name in self.gates:
            try:
                await self.gates[name].wait()
            except asyncio.CancelledError:
                self.cancelled.append(name)
                raise

    def _view(self, run_id: RunId) -> RunView:
        if run_id not in self.views:
            raise RunNotFound(f"There is no run {run_id}.", hint="politerm.run.list shows the runs.", runId=run_id)
        return self.views[run_id]

    # ---- EngineApi

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def status(self) -> Status:
        return self.state

    async def trust(self, trusted: bool | None, *, wanted: bool = False) -> bool:
        self.trust_said.append(trusted)
        if trusted:
            self.stored_trust = True
        return bool(self.stored_trust) if trusted is None else trusted

    async def start_run(self, request: rq.StartRun, *, trusted: bool) -> RunId:
        await self._enter("start", request)
        if not trusted:
            raise Untrusted("This folder is not trusted.", hint="Trust it first.")
        id = request.run_id or RunId(f"made-{len(self.logs):05}")
        if id not in self.views:
            self.run(id, task=request.task)
        return id

    async def list_runs(self, request: rq.ListRuns) -> list[RunView]:
        await self._enter("list", request)
        views = [view for view in reversed(self.views.values()) if not request.states or view.state in request.states]
        return views[: request.limit]

    async def get_run(self, run_id: RunId) -> RunView:
        await self._enter("get", run_id)
        return self._view(run_id)

    async def read_events(self, request: rq.ReadEvents) -> tuple[list[Envelope], int]:
        await self._enter("events", request)
        self._view(request.run_id)
        log = self.logs[request.run_id]
        return log[request.after : request.after + request.limit], len(log)

    async def _act(self, name: str, request: rq.RunAct, event: Event | None = None) -> RunView:
        await self._enter(name, request)
        self._view(request.run_id)
        if event is not None:
            self.emit(request.run_id, event)
        return self.views[request.run_id]

    async def pause(self, request: rq.RunAct) -> RunView:
        return await self._act("pause", request, RunPaused(reason="asked"))

    async def resume(self, request: rq.RunAct) -> RunView:
        return await self._act("resume", request, RunResumed())

    async def retry(self, request: rq.RunAct) -> RunView:
        return await self._act("retry", request)

    async def stop(self, request: rq.RunAct) -> RunView:
        return await self._act("stop", request, RunEnded(outcome="stopped"))

    async def delete(self, request: rq.RunAct) -> RunView:
        view = await self._act("delete", request)
        del self.views[request.run_id], self.logs[request.run_id]
        return view

    async def configure(self, request: rq.ConfigureRun) -> RunView:
        await self._enter("configure", request)
        return self._view(request.run_id)

    async def interrupt(self, request: rq.InterruptRun) -> RunView:
        await self._enter("interrupt", request)
        self._view(request.run_id)
        self.emit(request.run_id, RunPaused(reason="interrupted"))
        return self.views[request.run_id]

    async def export(self, request: rq.ExportRun) -> str:
        await self._enter("export", request)
        return f"# {self._view(request.run_id).task}"

    async def search(self, request: rq.SearchText) -> list[Hit]:
        await self._enter("search", request)
        return [Hit(run_id=id, seq=1, excerpt=request.text) for id in self.views]

    async def send(self, request: rq.SendMessage) -> PromptId:
        await self._enter("send", request)
        self._view(request.run_id)
        return PromptId("prompt-1")

    async def list_attention(self, request: rq.ListAttention) -> list[Attention]:
        await self._enter("attention", request)
        return self.waiting()

    async def answer(self, request: rq.AnswerAttention) -> Attention:
        await self._enter("answer", request)
        item = self.items.get(request.attention_id)
        if item is None:
            raise AttentionNotFound(f"There is no {request.attention_id}.")
        if item.answered is not None:
            raise WrongState("It has been answered.")
        answered = item.model_copy(update={"answered": Answer(choice=request.choice, text=request.text)})
        self.items[request.attention_id] = answered
        if item.run_id is not None:
            self.emit(item.run_id, AttentionAnswered(attention_id=item.attention_id, choice=request.choice))
        self.tell_attention()
        return answered

    async def open_pane(self, request: rq.OpenPane, viewer: PaneViewer) -> PaneOpened:
        await self._enter("open_pane", request)
        self._view(request.run_id)
        snapshot, seq = await self.pane(request.run_id, request.role).open(viewer, request.credit)
        return PaneOpened(pane="%1", columns=160, rows=50, snapshot=snapshot, seq=seq)

    async def close_pane(self, request: rq.PaneRef, viewer: PaneViewer) -> None:
        await self._enter("close_pane", request)
        self.pane(request.run_id, request.role).close(viewer)

    def pane_credit(self, request: rq.PaneRef, viewer: PaneViewer, bytes_read: int) -> None:
        self.calls.append(("credit", bytes_read))
        self.pane(request.run_id, request.role).credit(viewer, bytes_read)

    def drop_viewer(self, viewer: PaneViewer) -> None:
        self.dropped += 1
        for pane in self.panes.values():
            pane.close(viewer)
        self.taken = {key: held for key, held in self.taken.items() if held is not viewer}

    async def take_over(self, request: rq.TakeOver, viewer: PaneViewer) -> PaneSize:
        await self._enter("take_over", request)
        if request.on:
            self.taken[request.run_id, request.role] = viewer
        else:
            self.taken.pop((request.run_id, request.role), None)
        return PaneSize(columns=160, rows=50)

    async def pane_input(self, request: rq.PaneInput, viewer: PaneViewer) -> None:
        if self.taken.get((request.run_id, request.role)) is not viewer:
            raise WrongState("Take the pane over first.", hint="politerm.pane.takeOver does it.")
        self.typed.append(request.data)

    async def resize_pane(self, request: rq.ResizePane, viewer: PaneViewer) -> PaneSize:
        return PaneSize(columns=max(160, request.columns), rows=max(50, request.rows))

    async def resend_primer(self, request: rq.PaneRef) -> PromptId:
        return PromptId("prompt-2")

    async def attach_command(self, request: rq.PaneRef, *, read_only: bool) -> tuple[str, ...]:
        return ("tmux", "attach", *(("-r",) if read_only else ()))

    async def list_agents(self) -> list[AgentView]:
        return [AgentView(name="fake", command=("fake",), available=True, source="built-in")]

    async def check_agent(self, request: rq.CheckAgent, *, trusted: bool) -> dict[str, Any]:
        if not trusted:
            raise Untrusted("This folder is not trusted.")
        return {"agent": request.agent, "ok": True}

    async def doctor(self) -> dict[str, Any]:
        await self._enter("doctor", None)
        return {"tmux": "3.3a"}


def answering(value: Any) -> Callable[[Any], Awaitable[Any]]:
    """A `Connect` that always gives this engine or client."""

    async def connect(opening: Any) -> Any:
        return value

    return connect
