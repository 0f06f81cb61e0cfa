"""Runner: one run. The only loop that makes events: inbox -> decide -> append -> evolve -> perform what was intended.

Nothing is performed that is not stored, and nothing is stored that `decide` did not say. Everything the world does
comes back through the inbox, so the order of a run is the order of its inbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from politerm.agents.profile import AgentProfile
from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.projections import fold
from politerm.core.redact import Redactor
from politerm.core.run import draft_of, next_deadline
from politerm.core.state import RunState, evolve
from politerm.core.wire import Role, RunId
from politerm.engine.ports import Agents, Clock, EventLog, Panes
from politerm.engine.redaction import redacted
from politerm.engine.session import RoleSession
from politerm.engine.surroundings import Bytes, Surroundings
from politerm.errors import LogError, PoliTermError

log = logging.getLogger(__name__)

INBOX = 10_000
"""Inputs that may wait. One input is a few hundred bytes but for message bodies, and a run makes a handful a second."""
AT_ONCE = 64
"""Inputs that are decided about before the disk is asked."""
RECHECK = 1.0
"""Seconds after which an overdue deadline is asked about again: what it waits for (quiet) has no event of its own."""
ENDING = 5.0
"""Seconds that the last processes of a run may take to end; panes.close takes 3 at most."""
DURABLE = (ev.PromptRequested, ev.MessageReceived, ev.AgentStarting, ev.KeysRequested, ev.RunStarted, ev.RunEnded)


@dataclass(frozen=True)
class World:
    """The adapters and shared parts that every runner works with."""

    log: EventLog
    panes: Panes
    agents: Agents
    clock: Clock
    output: Bytes
    redactor: Redactor
    changed: Callable[[RunState, Sequence[ev.Envelope]], None]
    """Called on the loop after events are stored."""
    columns: int = 160
    rows: int = 50


@dataclass(frozen=True)
class _Letter:
    happened: inp.Input
    reply: asyncio.Future[list[ev.Event]] | None = None

    def settle(self, events: list[ev.Event]) -> None:
        if self.reply is not None and not self.reply.done():
            self.reply.set_result(events)

    def fail(self, error: Exception) -> bool:
        """Tell whoever waits for an answer; false when nobody does."""
        if self.reply is None:
            return False
        if not self.reply.done():
            self.reply.set_exception(error)
        return True


class Runner:
    def __init__(self, world: World, run_id: RunId) -> None:
        self.world = world
        self.run_id = run_id
        self.state = RunState(run_id)
        self.sessions: dict[Role, RoleSession] = {}
        self.ended = asyncio.Event()
        self._inbox: asyncio.Queue[_Letter] = asyncio.Queue(INBOX)
        self._loop_task: asyncio.Task[None] | None = None
        self._effects: set[asyncio.Task[None]] = set()
        self._clock_base = 0.0
        self._clock_start = world.clock.monotonic()

    # ---- life --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        self._loop_task = asyncio.create_task(self._loop(), name=f"run {self.run_id}")

    async def adopt(self, told: Sequence[ev.Envelope]) -> None:
        """Take up a run that an earlier process held: its events, then a look at all that was left open."""
        self.state = fold(self.run_id, told)
        self._clock_base = told[-1].clock if told else 0.0
        self._clock_start = self.world.clock.monotonic()
        if self.state.name == "ended":
            await self._clear_away()
            return
        self.begin()
        if not self.state.live:
            return
        self.tell(inp.Adopted())
        for keys in self.state.keys_open.values():
            self.tell(inp.KeysDone(keys.keys_id, keys.role, False, "the server ended before it could tell"))
        for role, was in self.state.roles.items():
            session = self._session(role)
            if session is None:
                self.tell(inp.AgentDown(role, was.incarnation, f"no profile {was.spec.name}", final=True))
                continue
            if was.incarnation == 0 or was.state == "dead":
                continue
            await session.adopt(was)
            self._look_again(role)

    async def shutdown(self) -> None:
        """Let go of the run without ending it: agents stay, and go on. A run that is just ending is let end."""
        if self.state.name == "ended" and self._loop_task is not None:
            await asyncio.wait([self._loop_task], timeout=ENDING)
        tasks = [task for task in (self._loop_task, *self._effects) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for session in self.sessions.values():
            await session.end()
            session.close()

    # ---- the inbox ---------------------------------------------------------------------------------------------------

    def tell(self, happened: inp.Input) -> None:
        """Something happened. Never blocks; on the loop only."""
        try:
            self._inbox.put_nowait(_Letter(happened))
        except asyncio.QueueFull:
            log.error("run %s: inbox full, dropped %s", self.run_id, type(happened).__name__)

    async def submit(self, happened: inp.Input) -> list[ev.Event]:
        """The same, and the events that it led to. Raises LogError when they could not be stored."""
        reply: asyncio.Future[list[ev.Event]] = asyncio.get_running_loop().create_future()
        await self._inbox.put(_Letter(happened, reply))
        return await reply

    def now(self) -> float:
        """Seconds of run time: it stands still while nobody holds the run."""
        return self._clock_base + self.world.clock.monotonic() - self._clock_start

    async def _loop(self) -> None:
        while self.state.name != "ended":
            letters = await self._next()
            try:
                await self._step(letters)
            except LogError as error:
                log.error("run %s: %s", self.run_id, error)
                await self._again_later([letter for letter in letters if not letter.fail(error)])
            except Exception as error:
                # A defect must not end the run's loop: the run goes on, and the log says so.
                log.exception("run %s", self.run_id)
                for letter in letters:
                    letter.fail(error)
        await self._clear_away()
        self.ended.set()
        while not self._inbox.empty():
            self._inbox.get_nowait().settle([])

    async def _again_later(self, letters: list[_Letter]) -> None:
        """What happened stays true while the disk is full: it is told again, in order, when there is room."""
        waiting = [letter for letter in letters if not isinstance(letter.happened, inp.Tick)]
        if not waiting:
            return
        await asyncio.sleep(RECHECK)
        while not self._inbox.empty():
            waiting.append(self._inbox.get_nowait())
        for each in waiting:
            self._inbox.put_nowait(each)

    async def _next(self) -> list[_Letter]:
        """What waits, at least one letter: an agent's whole answer comes as several."""
        letters = [await self._first()]
        while len(letters) < AT_ONCE and not self._inbox.empty():
            letters.append(self._inbox.get_nowait())
        return letters

    async def _first(self) -> _Letter:
        due = next_deadline(self.state)
        if due is None:
            return await self._inbox.get()
        wait = due - self.now()
        try:
            async with asyncio.timeout(wait if wait > 0 else RECHECK):
                return await self._inbox.get()
        except TimeoutError:
            return _Letter(inp.Tick({role: session.quiet() for role, session in self.sessions.items()}))

    async def _step(self, letters: Sequence[_Letter]) -> None:
        """Decide about each in order, store all that follows in one go (a hand-over waits for the disk once), then act
        on it. Raises LogError when nothing was stored."""
        now = self.now()
        decided = self._decide(letters, now)
        events = [event for _, new in decided for event in new]
        if events:
            durable = any(isinstance(event, DURABLE) for event in events)
            stored = await self.world.log.append(
                self.run_id, events, at=self.world.clock.stamp(), clock=now, durable=durable
            )
            for envelope in stored:
                self.state = evolve(self.state, envelope)
            self.world.changed(self.state, stored)
            for envelope in stored:
                self._perform(envelope.event)
        for letter, new in decided:
            letter.settle(new)

    def _decide(self, letters: Sequence[_Letter], now: float) -> list[tuple[_Letter, list[ev.Event]]]:
        state = self.state
        decided: list[tuple[_Letter, list[ev.Event]]] = []
        for letter in letters:
            try:
                draft = draft_of(state, redacted(letter.happened, self.world.redactor), now)
                decided.append((letter, [self._with_cursor(event) for event in draft.events]))
            except Exception as error:
                # A defect costs the input that brought it up and no other.
                log.exception("run %s: %s", self.run_id, type(letter.happened).__name__)
                letter.fail(error)
                continue
            state = draft.state
        return decided

    def _with_cursor(self, event: ev.Event) -> ev.Event:
        """A prompt's intent holds where the agent's record stands before a byte is typed; a retry keeps the first."""
        if isinstance(event, ev.PromptRequested) and event.cursor is None and event.to in self.sessions:
            return event.model_copy(update={"cursor": self.sessions[event.to].cursor()})
        return event

    # ---- effects -----------------------------------------------------------------------------------------------------

    def _perform(self, event: ev.Event) -> None:
        match event:
            case ev.AgentStarting():
                session = self._session(event.role)
                if session is None:
                    self.tell(inp.AgentDown(event.role, event.incarnation, f"no profile {event.agent}", final=True))
                else:
                    self._effect(session.start(event), f"start {event.role}")
            case ev.AgentReady():
                self._look_again(event.role)
            case ev.PromptRequested():
                self.sessions[event.to].deliver(event)
            case ev.PromptDelivered():
                role = self.state.roles[event.to]
                if role.turn == event.prompt_id and not role.over and event.to in self.sessions:
                    # A person may have said so: then the session learns only here whose turn it reads.
                    self.sessions[event.to].proven(event.prompt_id)
            case ev.KeysRequested():
                self._effect(self.sessions[event.role].press(event), f"keys {event.role}")
            case _:
                pass

    def _look_again(self, role: Role) -> None:
        """A prompt that was on its way when its agent or we ourselves went away is looked for."""
        state = self.state.roles[role]
        if state.up and state.prompt is not None and state.prompt.stage != "delivered":
            self.sessions[role].deliver(state.prompt.request)

    def _session(self, role: Role) -> RoleSession | None:
        """The role's session with the profile that it has now."""
        name = self.state.roles[role].spec.name
        session = self.sessions.get(role)
        if session is not None and session.profile.name == name:
            return session
        try:
            profile: AgentProfile = self.world.agents.get(name)
        except PoliTermError:
            return None
        if session is None:
            session = RoleSession(self._surroundings(), role, profile)
            self.sessions[role] = session
        session.profile = profile
        return session

    def _surroundings(self) -> Surroundings:
        spec = self.state.spec
        assert spec is not None
        cwds = {role: spec.cwds.get(role, spec.cwd) for role in spec.agents}
        world = self.world
        return Surroundings(
            run_id=self.run_id,
            cwds=cwds,
            agents=world.agents,
            panes=world.panes,
            clock=world.clock,
            output=world.output,
            tell=self.tell,
            columns=world.columns,
            rows=world.rows,
        )

    def _effect(self, work: Coroutine[object, object, None], name: str) -> None:
        task = asyncio.create_task(self._guarded(work, name), name=f"{name} of {self.run_id}")
        self._effects.add(task)
        task.add_done_callback(self._effects.discard)

    async def _guarded(self, work: Coroutine[object, object, None], name: str) -> None:
        try:
            await work
        except PoliTermError as error:
            log.warning("run %s: %s: %s", self.run_id, name, error)
        except Exception:
            log.exception("run %s: %s", self.run_id, name)

    async def _clear_away(self) -> None:
        """End the agents with all they started. Repeating it does no harm."""
        for task in list(self._effects):
            task.cancel()
        for session in self.sessions.values():
            await session.end()
        with contextlib.suppress(PoliTermError):
            await self.world.panes.close(self.run_id)
        for session in self.sessions.values():
            session.close()
