"""Engine: starts, lists, and steers runs; adopts those an earlier process left; tells listeners what changed.

It owns the runners and nothing else: a run's logic is core/'s, a run's loop is engine/runner.py's, and every fact is in
the log. Implements engine/api.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.projections import fold, markdown, run_view
from politerm.core.redact import Redactor, StreamRedactor
from politerm.core.state import RunState
from politerm.core.views import Attention, RunView
from politerm.core.wire import AttentionId, PromptId, Role, RunId
from politerm.engine import requests as rq
from politerm.engine.api import AgentView, Listener, PaneOpened, PaneSize, PaneViewer, Status
from politerm.engine.checkup import check_agent
from politerm.engine.output import PaneOutputs
from politerm.engine.planning import agent_specs, plan_run
from politerm.engine.ports import Agents, Briefing, Clock, EventLog, Hit, Panes, Recordings, Trust
from politerm.engine.runner import Runner, World
from politerm.engine.viewing import PaneDesk
from politerm.errors import (
    AttentionNotFound,
    InvalidParams,
    LogError,
    ReadOnly,
    RunNotFound,
    TmuxError,
    Untrusted,
    WrongState,
)
from politerm.settings import Settings

log = logging.getLogger(__name__)

TRUST = AttentionId("trust")
SWEPT = 5
"""Runs, newest first, of which those that ended are looked for at adoption: a server may have died while ending one."""


@dataclass(frozen=True)
class Outside:
    """Everything the engine is given; app.py puts it together."""

    folder: str
    log: EventLog
    recordings: Recordings
    panes: Panes
    agents: Agents
    trust: Trust
    briefing: Briefing
    clock: Clock
    settings: Settings
    secrets: frozenset[str]
    new_run_id: Callable[[], RunId]
    new_seed: Callable[[], str]
    about: Callable[[], dict[str, Any]]
    """For doctor: versions and places of this installation."""


class Engine:
    def __init__(self, outside: Outside) -> None:
        self._out = outside
        self._runners: dict[RunId, Runner] = {}
        self._ended: dict[RunId, RunState] = {}
        self._listeners: list[Listener] = []
        self._trust_item: Attention | None = None
        self._adopting: asyncio.Task[None] | None = None
        self._panes_up = asyncio.Lock()
        self._panes_started = False
        pane = outside.settings.pane
        self._output = PaneOutputs(
            outside.recordings,
            lambda: StreamRedactor(outside.secrets),
            lambda run_id, role: self._desk.snapshot(run_id, role),
            columns=pane.columns,
            rows=pane.rows,
        )
        self._world = World(
            log=outside.log,
            panes=outside.panes,
            agents=outside.agents,
            clock=outside.clock,
            output=self._output,
            redactor=Redactor(outside.secrets),
            changed=self._changed,
            columns=pane.columns,
            rows=pane.rows,
        )
        self._desk = PaneDesk(self._runners, outside.panes, self._output, self._world.redactor)
        outside.recordings.on_gap(self._recording_gap)

    async def shutdown(self) -> None:
        """Let go of everything without ending a run: the agents stay."""
        if self._adopting is not None:
            self._adopting.cancel()
            await asyncio.gather(self._adopting, return_exceptions=True)
        await asyncio.gather(*(runner.shutdown() for runner in self._runners.values()))

    # ---- listeners ---------------------------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def status(self) -> Status:
        reason = self._out.log.read_only
        if reason:
            return Status(health="error", message=reason, read_only=True)
        return Status()

    def _changed(self, state: RunState, stored: Sequence[ev.Envelope]) -> None:
        view = run_view(state)
        asks = any(isinstance(e.event, ev.AttentionRaised | ev.AttentionAnswered | ev.RunEnded) for e in stored)
        for listener in list(self._listeners):
            for envelope in stored:
                listener.on_event(envelope)
            listener.on_run_changed(view)
        if asks:
            self._tell_attention()
        if state.name == "ended":
            self._ended[state.run_id] = state
            self._output.close(state.run_id)
        self._begin_waiting()

    def _tell_attention(self) -> None:
        items = self._open_attention(None)
        for listener in list(self._listeners):
            listener.on_attention_changed(items)

    def _recording_gap(self, run_id: RunId, role: Role, reason: str) -> None:
        runner = self._runners.get(run_id)
        if runner is not None:
            runner.tell(inp.GapSeen(role, reason))

    # ---- trust and adoption ------------------------------------------------------------------------------------------

    async def trust(self, trusted: bool | None, *, wanted: bool = False) -> bool:
        answer = self._out.trust.get(self._out.folder) if trusted is None else trusted
        vouched = self._adopting is not None
        if answer:
            await self._adopt()
        elif answer is None and self._trust_item is None and (wanted or not vouched):
            self._trust_item = Attention(
                attention_id=TRUST,
                kind="trust",
                title="Do you trust this folder?",
                text=f"PoliTerm starts agents in {self._out.folder} and reads its settings only when you do.",
                choices=(ev.Choice(id="trust", label="Trust"), ev.Choice(id="no", label="Do not trust", danger=True)),
                raised_at=self._out.clock.stamp(),
            )
            self._tell_attention()
        return bool(answer)

    async def _adopt(self) -> None:
        """Once: take up every run that has not ended. Later callers wait for the first."""
        if self._trust_item is not None and self._trust_item.answered is None:
            self._trust_item = None
            self._tell_attention()
        if self._adopting is None:
            self._adopting = asyncio.create_task(self._adopt_all(), name="adopt")
        await asyncio.shield(self._adopting)

    async def _panes(self) -> Panes:
        """The panes, found and connected to at first use. Raises TmuxMissing, TmuxError."""
        async with self._panes_up:
            if not self._panes_started:
                await self._out.panes.start()
                self._panes_started = True
        return self._out.panes

    async def _adopt_all(self) -> None:
        try:
            panes = await self._panes()
        except TmuxError as error:
            log.error("runs of earlier servers cannot be taken up: %s", error)
            self._adopting = None
            return
        unfinished = await self._out.log.open_runs()
        for run_id in unfinished:
            if run_id not in self._runners:
                await self._adopt_one(run_id)
        for run_id in (await self._out.log.runs())[:SWEPT]:
            if run_id not in unfinished and run_id not in self._runners:
                await panes.close(run_id)
        self._begin_waiting()

    async def _adopt_one(self, run_id: RunId) -> None:
        runner = Runner(self._world, run_id)
        self._runners[run_id] = runner
        try:
            await runner.adopt(await self._out.log.read(run_id))
        except LogError as error:
            # One run that cannot be read must not keep the others waiting.
            log.error("run %s cannot be taken up: %s", run_id, error)
            del self._runners[run_id]

    # ---- starting ----------------------------------------------------------------------------------------------------

    async def start_run(self, request: rq.StartRun, *, trusted: bool) -> RunId:
        if not trusted:
            raise Untrusted("This folder is not trusted, so nothing is started in it.", hint="Trust it first.")
        if self._out.log.read_only:
            raise ReadOnly(f"No run can be started: {self._out.log.read_only}")
        run_id = request.run_id or self._out.new_run_id()
        if await self._known(run_id):
            return run_id
        spec = await plan_run(
            request,
            folder=self._out.folder,
            settings=self._out.settings,
            agents=self._out.agents,
            briefing=self._out.briefing,
            seed=self._out.new_seed(),
        )
        await self._panes()
        if run_id in self._runners:
            return run_id
        runner = Runner(self._world, run_id)
        self._runners[run_id] = runner
        runner.begin()
        queue = request.queue or self._out.settings.runs.queue
        busy = len([each for each in self._runners.values() if each.state.live])
        try:
            await runner.submit(inp.Start(spec, queue=queue and busy >= self._out.settings.runs.parallel))
        except BaseException:
            del self._runners[run_id]
            await runner.shutdown()
            raise
        return run_id

    async def _known(self, run_id: RunId) -> bool:
        return run_id in self._runners or run_id in self._ended or bool(await self._out.log.read(run_id, limit=1))

    def _begin_waiting(self) -> None:
        """The oldest waiting run begins as soon as fewer are under way than may be."""
        states = [runner.state for runner in self._runners.values()]
        free = self._out.settings.runs.parallel - len([state for state in states if state.live])
        waiting = sorted((s for s in states if s.name == "queued" and s.spec), key=lambda state: state.started_at)
        for state in waiting[: max(0, free)]:
            self._runners[state.run_id].tell(inp.Begin())

    # ---- reading -----------------------------------------------------------------------------------------------------

    async def _state(self, run_id: RunId) -> RunState:
        runner = self._runners.get(run_id)
        if runner is not None and runner.state.spec is not None:
            return runner.state
        if run_id not in self._ended:
            state = fold(run_id, await self._out.log.read(run_id))
            if state.spec is None:
                raise RunNotFound(f"There is no run {run_id} in this workspace.", hint="List them with run.list.")
            if state.name != "ended":
                return state
            self._ended[run_id] = state
        return self._ended[run_id]

    async def list_runs(self, request: rq.ListRuns) -> list[RunView]:
        ids = await self._out.log.runs()
        if request.before is not None:
            if request.before not in ids:
                raise RunNotFound(f"There is no run {request.before} in this workspace.")
            ids = ids[ids.index(request.before) + 1 :]
        views: list[RunView] = []
        for run_id in ids:
            view = run_view(await self._state(run_id))
            if request.states is None or view.state in request.states:
                views.append(view)
            if len(views) >= request.limit:
                break
        return views

    async def get_run(self, run_id: RunId) -> RunView:
        return run_view(await self._state(run_id))

    async def read_events(self, request: rq.ReadEvents) -> tuple[list[ev.Envelope], int]:
        state = await self._state(request.run_id)
        told = await self._out.log.read(request.run_id, after=request.after, limit=request.limit)
        return told, max(state.last_seq, told[-1].seq if told else 0)

    async def export(self, request: rq.ExportRun) -> str:
        await self._state(request.run_id)
        if request.format == "cast":
            return await self._out.recordings.cast(request.run_id)
        told = await self._out.log.read(request.run_id)
        if request.format == "jsonl":
            return "".join(each.model_dump_json(by_alias=True, exclude_none=True) + "\n" for each in told)
        return markdown(request.run_id, told)

    async def search(self, request: rq.SearchText) -> list[Hit]:
        return await self._out.log.search(request.text, limit=request.limit)

    # ---- steering ----------------------------------------------------------------------------------------------------

    async def _submit(self, run_id: RunId, happened: inp.Input) -> tuple[RunState, list[ev.Event]]:
        runner = self._runners.get(run_id)
        if runner is None or runner.state.name == "ended":
            state = await self._state(run_id)
            how = f"it has ended ({state.outcome})" if state.name == "ended" else "this folder is not trusted yet"
            raise WrongState(f"Run {run_id} cannot be changed: {how}.")
        events = await runner.submit(happened)
        return runner.state, events

    async def pause(self, request: rq.RunAct) -> RunView:
        return run_view((await self._submit(request.run_id, inp.Pause(request.reason or "paused by the user")))[0])

    async def resume(self, request: rq.RunAct) -> RunView:
        return run_view((await self._submit(request.run_id, inp.Resume(request.reason or "")))[0])

    async def retry(self, request: rq.RunAct) -> RunView:
        return run_view((await self._submit(request.run_id, inp.Retry()))[0])

    async def stop(self, request: rq.RunAct) -> RunView:
        """Answers when nothing of the run is left; stopping an ended run is no error."""
        runner = self._runners.get(request.run_id)
        if runner is not None and runner.state.name != "ended":
            await runner.submit(inp.Stop(request.reason or "stopped by the user"))
        if runner is not None:
            await runner.ended.wait()
        return await self.get_run(request.run_id)

    async def delete(self, request: rq.RunAct) -> RunView:
        state = await self._state(request.run_id)
        if state.name != "ended":
            raise WrongState(f"Run {request.run_id} has not ended.", hint="Stop it first.")
        await self._out.log.delete(request.run_id)
        await self._out.recordings.delete(request.run_id)
        await self._out.agents.forget(request.run_id)
        self._ended.pop(request.run_id, None)
        self._runners.pop(request.run_id, None)
        return run_view(state)

    async def configure(self, request: rq.ConfigureRun) -> RunView:
        if request.order not in (None, "dual"):
            raise InvalidParams(f"order: {request.order!r} is not supported by this version; accepted: 'dual'.")
        agents = agent_specs(request.agents, self._out.settings, self._out.agents) if request.agents else None
        wish = inp.Configure(request.limits, request.approve_plans, agents)
        return run_view((await self._submit(request.run_id, wish))[0])

    async def interrupt(self, request: rq.InterruptRun) -> RunView:
        sessions = self._runners[request.run_id].sessions if request.run_id in self._runners else {}
        if request.role is not None and sessions and request.role not in sessions:
            raise InvalidParams(f"role: this run has {', '.join(sessions)}, not {request.role.value}.")
        keys = {role: session.profile.interrupt for role, session in sessions.items()}
        return run_view((await self._submit(request.run_id, inp.Interrupt(request.role, keys)))[0])

    async def send(self, request: rq.SendMessage) -> PromptId:
        await self._with_role(request.run_id, request.to, "to")
        _, events = await self._submit(request.run_id, inp.UserMessage(request.to, request.text, request.when))
        note = next(event for event in events if isinstance(event, ev.MessageReceived))
        assert note.turn is not None
        return note.turn

    async def resend_primer(self, request: rq.PaneRef) -> PromptId:
        role = await self._with_role(request.run_id, request.role, "role")
        if not role.up or (role.prompt is not None and role.prompt.stage != "delivered"):
            raise WrongState(f"The {request.role.value} cannot be given a prompt right now.", hint="Try again later.")
        _, events = await self._submit(request.run_id, inp.ResendPrimer(request.role))
        return next(event.prompt_id for event in events if isinstance(event, ev.PromptRequested))

    async def _with_role(self, run_id: RunId, role: Role, field: str) -> Any:
        state = await self._state(run_id)
        if role not in state.roles:
            known = ", ".join(each.value for each in state.roles)
            raise InvalidParams(f"{field}: this run has {known}, not {role.value}.")
        return state.roles[role]

    # ---- attention ---------------------------------------------------------------------------------------------------

    def _open_attention(self, run_id: RunId | None) -> list[Attention]:
        items = [self._trust_item] if self._trust_item and not self._trust_item.answered and run_id is None else []
        for runner in self._runners.values():
            if runner.state.spec is not None and run_id in (None, runner.run_id):
                items += runner.state.open_attention()
        return items

    async def list_attention(self, request: rq.ListAttention) -> list[Attention]:
        if request.run_id is not None:
            await self._state(request.run_id)
        return self._open_attention(request.run_id)

    async def answer(self, request: rq.AnswerAttention) -> Attention:
        item = next((each for each in self._open_attention(None) if each.attention_id == request.attention_id), None)
        if item is None:
            raise AttentionNotFound(f"Nothing waits under {request.attention_id}: it was answered, or never asked.")
        known = [choice.id for choice in item.choices]
        if request.choice is not None and request.choice not in known:
            raise InvalidParams(f"choice: {request.choice!r} is not one of {', '.join(known) or 'none'}.")
        if request.choice is None and not (item.free_text and request.text):
            wanted = f"choice: one of {', '.join(known)}" if known else "text: some words"
            raise InvalidParams(f"An answer is missing; accepted: {wanted}.")
        if item.run_id is None:
            return await self._answer_trust(item, request.choice == "trust")
        given = inp.AnswerGiven(request.attention_id, request.choice, request.text)
        state, _ = await self._submit(item.run_id, given)
        return state.attention[request.attention_id]

    async def _answer_trust(self, item: Attention, trusted: bool) -> Attention:
        self._out.trust.set(self._out.folder, trusted)
        answer = {"choice": "trust" if trusted else "no", "by": "user"}
        answered = Attention.model_validate({**item.model_dump(), "answered": answer})
        self._trust_item = answered
        self._tell_attention()
        if trusted:
            await self._adopt()
        return answered

    # ---- panes (engine/viewing.py) -----------------------------------------------------------------------------------

    async def open_pane(self, request: rq.OpenPane, viewer: PaneViewer) -> PaneOpened:
        await self._with_role(request.run_id, request.role, "role")
        return await self._desk.open(request, viewer)

    async def close_pane(self, request: rq.PaneRef, viewer: PaneViewer) -> None:
        await self._with_role(request.run_id, request.role, "role")
        self._desk.close(request, viewer)

    def pane_credit(self, request: rq.PaneRef, viewer: PaneViewer, bytes_read: int) -> None:
        self._output.credit(request.run_id, request.role, viewer, bytes_read)

    def drop_viewer(self, viewer: PaneViewer) -> None:
        self._desk.drop(viewer)

    async def take_over(self, request: rq.TakeOver, viewer: PaneViewer) -> PaneSize:
        await self._with_role(request.run_id, request.role, "role")
        return self._desk.take_over(request, viewer)

    async def pane_input(self, request: rq.PaneInput, viewer: PaneViewer) -> None:
        await self._with_role(request.run_id, request.role, "role")
        await self._desk.type(request, viewer)

    async def resize_pane(self, request: rq.ResizePane, viewer: PaneViewer) -> PaneSize:
        await self._with_role(request.run_id, request.role, "role")
        return await self._desk.resize(request)

    async def attach_command(self, request: rq.PaneRef, *, read_only: bool) -> tuple[str, ...]:
        await self._with_role(request.run_id, request.role, "role")
        return await self._out.panes.attach_command(self._desk.pane(request), read_only=read_only)

    # ---- agents ------------------------------------------------------------------------------------------------------

    async def list_agents(self) -> list[AgentView]:
        profiles = self._out.agents.profiles()
        return list(await asyncio.gather(*(self._agent_view(profiles[name]) for name in sorted(profiles))))

    async def _agent_view(self, profile: Any) -> AgentView:
        path = self._out.agents.locate(profile)
        return AgentView(
            name=profile.name,
            command=profile.command,
            available=path is not None,
            path=path,
            version=await self._out.agents.version(profile) if path else None,
            witness=profile.witness.kind if profile.witness else None,
            permission_mode=profile.permission_mode,
            source=self._out.agents.source(profile),
        )

    async def check_agent(self, request: rq.CheckAgent, *, trusted: bool) -> dict[str, Any]:
        profile = self._out.agents.get(request.agent)
        if not trusted:
            raise Untrusted("This folder is not trusted, so no agent is started in it.", hint="Trust it first.")
        view = await self._agent_view(profile)
        return await check_agent(profile, view, self._out.folder, self._out.agents, await self._panes())

    async def _tmux_report(self) -> dict[str, Any]:
        try:
            return dict(await (await self._panes()).report())
        except TmuxError as error:
            return {"problem": str(error)}

    async def doctor(self) -> dict[str, Any]:
        return {
            **self._out.about(),
            "status": self.status().to_json(),
            "trusted": self._out.trust.get(self._out.folder),
            "tmux": await self._tmux_report(),
            "agents": [view.to_json() for view in await self.list_agents()],
            "runs": [view.to_json() for view in await self.list_runs(rq.ListRuns(limit=10))],
        }
