"""RoleSession: one role's agent as the run sees it, from start to death. It owns the pane, the readers, and one task
that watches them, and turns all they show into inputs.

    pane output ─┐
    own record  ─┼─> _watch (one look at a time) ──> tell(input) ──> the runner's inbox
    pane death  ─┘

Typing is engine/delivery.py's, what anything means for the run is core/'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from politerm.agents.profile import AgentProfile
from politerm.agents.rules import Dialog, Verdict, limit_in, look
from politerm.core import inputs as inp
from politerm.core.events import AgentStarting, KeysRequested, PromptRequested, TurnHow
from politerm.core.state import RoleState
from politerm.core.wire import PromptId, Role
from politerm.engine.canvas import Canvas
from politerm.engine.delivery import Delivery
from politerm.engine.dialogs import DialogWatch
from politerm.engine.idleness import Idleness
from politerm.engine.keys import press
from politerm.engine.pace import POLL_FIRST, Pace, longest_pause
from politerm.engine.ports import PaneHandle, Screen, Witness
from politerm.engine.readiness import until_ready
from politerm.engine.reading import HOLD, RecordReader, ScreenReader
from politerm.engine.starting import prepared
from politerm.engine.status import StatusWatch, Told
from politerm.engine.surroundings import Surroundings
from politerm.errors import AgentNotFound, PoliTermError, TmuxMissing

log = logging.getLogger(__name__)

AGAIN = 0.3
"""Seconds until a look begins again that failed."""
HISTORY = 5000
"""Lines above the screen that are read for messages of agents without a record."""


class RoleSession:
    def __init__(self, around: Surroundings, role: Role, profile: AgentProfile) -> None:
        self.around = around
        self.role = role
        self.profile = profile
        self.handle: PaneHandle | None = None
        self.incarnation = 0
        self.record: RecordReader | None = None
        self.screen = ScreenReader(role)
        self.taken: PromptId | None = None
        """The prompt that the agent last proved to have."""
        self.turn_open = False
        self.dialogs = DialogWatch(
            role, profile.dialog_seconds, recorded=profile.witness is not None and profile.witness.permission
        )
        self.verdict = Verdict()
        self.idleness = Idleness()
        self.typed: tuple[PromptId | None, str] = (None, "")
        """The last prompt that we began to type in this process."""
        self.pasted = ""
        """The text that was typed last: rows that show it again are no dialog."""
        self.first_here: int | None = None
        """The first start of this role that this process made: what was typed since then is known."""
        self.taken_over = False
        """A person types into the pane."""
        self._session: str | None = None
        self._shown_session: str | None = None
        """The conversation that the screen names, perhaps only its beginning."""
        self._taken_event = asyncio.Event()
        self.moved_at = around.clock.monotonic()
        self._wake = asyncio.Event()
        self._output = False
        self._urgent = False
        self._pace = Pace()
        self._canvas = Canvas(around.columns, around.rows)
        self._watcher: asyncio.Task[None] | None = None
        self._delivery: asyncio.Task[None] | None = None
        self._typing: Delivery | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._ready = False
        self._status = StatusWatch()
        self.dead = False

    @property
    def dialog(self) -> Dialog | None:
        return self.dialogs.standing

    # ---- life --------------------------------------------------------------------------------------------------------

    async def start(self, starting: AgentStarting) -> None:
        """Start the program; AgentUp or AgentDown follows."""
        await self.end()
        self._fresh(starting.incarnation)
        self._session = starting.session
        try:
            handle = await self._open(starting)
        except (AgentNotFound, TmuxMissing) as error:
            self.around.tell(inp.AgentDown(self.role, starting.incarnation, str(error), final=True))
            return
        except PoliTermError as error:
            self.around.tell(inp.AgentDown(self.role, starting.incarnation, str(error), "tmux"))
            return
        if self.first_here is None:
            self.first_here = starting.incarnation
        self._attach(handle)
        self._spawn_watcher(starting.resume)

    async def _open(self, starting: AgentStarting) -> PaneHandle:
        spec, session = await prepared(self.around, self.profile, starting)
        if session is not None:
            self._session = session
            self.around.tell(inp.SessionSeen(self.role, session))
        return await self.around.panes.open(spec, self)

    async def adopt(self, state: RoleState) -> None:
        """Take up a pane that an earlier server left behind. Tells AgentDown when there is none."""
        self._fresh(state.incarnation)
        self._session = state.session
        try:
            handle = await self.around.panes.adopt(self.around.run_id, self.role, self)
        except PoliTermError as error:
            handle = None
            log.warning("adopting %s of %s: %s", self.role, self.around.run_id, error)
        self._open_record(handle)
        if state.prompt is not None:
            if self.record is not None:
                trouble = self.record.witness.seek(state.prompt.request.cursor)
                if trouble:
                    log.warning("record of %s: %s", self.role, trouble)
            self.screen.keys[state.prompt.id] = state.prompt.request.key
            if state.prompt.stage == "delivered":
                self.began(state.prompt.id)
        self.turn_open = not state.over
        self._status.limit = limit_in(self.profile, state.failure) if state.over else None
        if handle is None or handle.incarnation != state.incarnation:
            self.poll_record()
            reason = "its pane did not outlive the server before this one"
            self.around.tell(inp.AgentDown(self.role, state.incarnation, reason, "tmux"))
            return
        self.handle = handle
        self._ready = state.up
        self._output = True
        self._spawn_watcher(resumed=state.resuming)

    def _fresh(self, incarnation: int) -> None:
        self.incarnation = incarnation
        self.handle = None
        self.dialogs.forget()
        self.turn_open = False
        self.idleness.begin()
        self.dead = False
        self._ready = False
        self._canvas = Canvas(self.around.columns, self.around.rows)
        self._shown_session = None
        self._status.forget()
        self.moved_at = self.around.clock.monotonic()

    def _attach(self, handle: PaneHandle) -> None:
        self.handle = handle
        old = self.record.witness.cursor() if self.record is not None else None
        self._open_record(handle)
        if self.record is not None and old is not None:
            self.record.witness.seek(old)

    def _open_record(self, handle: PaneHandle | None) -> None:
        if self.record is not None:
            self.record.witness.close()
        witness = self._witness(handle, self._session)
        self.record = RecordReader(self.role, witness) if witness is not None else None

    def _witness(self, handle: PaneHandle | None, session: str | None) -> Witness | None:
        around, pid = self.around, handle.pid if handle else None
        cwd = around.cwds[self.role]
        return around.agents.witness(self.profile, around.run_id, self.role, cwd=cwd, session=session, pid=pid)

    def _follow_session(self) -> None:
        """The screen names a conversation: its record is read from here on, as far as it is not known already."""
        shown = self.verdict.session
        if shown in (None, self._shown_session) or self.record is None:
            return
        self._shown_session = shown
        if (witness := self._witness(self.handle, shown)) is not None:
            witness.seek(self.record.witness.cursor())
            self.record.witness.close()
            self.record.witness = witness

    def _spawn_watcher(self, resumed: bool) -> None:
        name = f"watch {self.around.run_id} {self.role}"
        self._watcher = asyncio.create_task(self._watch(resumed), name=name)

    async def end(self) -> None:
        """Stop watching and typing. The pane is left as it is."""
        for task in (self._delivery, self._watcher):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
                await asyncio.wait([task])
                if not task.cancelled() and (error := task.exception()) is not None:
                    # A defect of ours must not keep the agents of an ended run alive.
                    log.error("watching %s of %s", self.role, self.around.run_id, exc_info=error)
        self._delivery = self._watcher = None

    def close(self) -> None:
        if self.record is not None:
            self.record.witness.close()
            self.record = None

    # ---- the pane's life (PaneSink) ----------------------------------------------------------------------------------

    def on_output(self, data: bytes) -> None:
        self.around.output.feed(self.around.run_id, self.role, data)
        self.moved_at = self.around.clock.monotonic()
        self._pace.moved(self.moved_at)
        # An end marker is worth a look at once: this is what makes a hand-over quick without a record.
        urgent = self.record is None and b"/POLI:MSG" in data
        if urgent or not self._output or self.record is not None:
            # Else the watcher knows already when it looks next; a record is looked into whenever something moves.
            self._wake.set()
        self._urgent |= urgent
        self._output = True
        if self.record is None:
            self._canvas.keep(data)

    def on_gap(self, reason: str) -> None:
        self.around.output.gap(self.around.run_id, self.role, reason)
        self.around.tell(inp.GapSeen(self.role, reason))
        self._look_again()

    def on_death(self, exit_status: int | None, signal: int | None, reason: str) -> None:
        if self.dead:
            return
        self.dead = True
        if self._watcher is not None:
            self._watcher.cancel()
        incarnation = self.incarnation
        self._watcher = asyncio.create_task(self._died(incarnation, reason), name=f"death {self.role}")

    async def _died(self, incarnation: int, reason: str) -> None:
        """What was said before the end still counts: the record, or what is left on the screen, is read first."""
        self.poll_record()
        self._settle_record()
        if self.record is None and self.handle is not None:
            with contextlib.suppress(PoliTermError):
                await self._canvas.catch_up()
                self._read_screen(await self.around.panes.screen(self.handle.pane, history=HISTORY))
        if self._delivery is not None:
            self._delivery.cancel()
        its_own = reason.startswith("the program")
        self.around.tell(inp.AgentDown(self.role, incarnation, reason, "agent" if its_own else "tmux"))

    # ---- watching ----------------------------------------------------------------------------------------------------

    def quiet(self) -> float:
        """Seconds since the pane or the record last moved."""
        return self.around.clock.monotonic() - self.moved_at

    async def _watch(self, resumed: bool) -> None:
        while True:
            try:
                await self._watch_on(resumed)
            except PoliTermError as error:
                # Death has a messenger of its own, which ends this task too; a tmux that stood still may go on.
                log.info("watching %s of %s: %s", self.role, self.around.run_id, error)
            except Exception:
                # A defect in one look must not leave an agent unseen for the rest of the run.
                log.exception("watching %s of %s", self.role, self.around.run_id)
            await asyncio.sleep(AGAIN)
            self._output = True

    async def _watch_on(self, resumed: bool) -> None:
        if not self._ready:
            await self._until_ready(resumed)
        pause = POLL_FIRST
        left = 0.0
        while True:
            if self.poll_record():
                pause = POLL_FIRST
            now = self.around.clock.monotonic()
            if self._output and not (left := self._pace.left(now, urgent=self._urgent)):
                self._output = self._urgent = False
                await self._look()
                self._pace.looked(now, self.around.clock.monotonic())
                left = self._pace.left(now, urgent=self._urgent)
            busy = self.turn_open or self._delivery is not None
            pause = min(pause * 2, longest_pause(self.quiet(), busy=busy))
            # Without a record only output can bring something new.
            wait = pause if self.record is not None else None
            if await self.moved_or(left if self._output else wait):
                pause = POLL_FIRST

    async def moved_or(self, seconds: float | None) -> bool:
        """Wait for output at most so long (None: as long as it takes); true when there was some."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    def poll_record(self) -> bool:
        if self.record is None:
            return False
        told = list(self.record.poll())
        for one in told:
            self._tell(one)
        if told:
            self.moved_at = self.around.clock.monotonic()
            self._output = True
        elif self.record.held and not self.record.tells_ends and self.quiet() > HOLD:
            self._settle_record()
        return bool(told)

    def _settle_record(self) -> None:
        for one in self.record.settle() if self.record is not None else ():
            self._tell(one)

    def _tell(self, one: inp.Input) -> None:
        if isinstance(one, inp.PromptTaken):
            self.began(one.prompt_id)
        elif isinstance(one, inp.TurnOver):
            self.turn_open = False
            self._status.limit = limit_in(self.profile, one.detail) if one.how == "failed" else None
            if self._status.limit is not None:
                self._tell_state()
        self.around.tell(one)

    def began(self, prompt_id: PromptId) -> None:
        """The agent has this prompt: its turn is open."""
        if self.taken != prompt_id:
            self.taken = prompt_id
            self._status.limit = None
            self.screen.begin(prompt_id)
            self.turn_open = True
            self._taken_event.set()

    def proven(self, prompt_id: PromptId) -> None:
        """It is settled that the agent has this prompt, by whatever proof."""
        self.began(prompt_id)
        self._look_again()

    def _look_again(self) -> None:
        self._output = True
        self._wake.set()

    def _look_in(self, seconds: float) -> None:
        """Nothing may ever move again, so that the end of a rest must wake us itself."""
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(seconds, self._look_again)

    async def _look(self) -> Screen | None:
        if self.handle is None or self.dead:
            return None
        history = HISTORY if self.record is None and self.turn_open else 0
        await self._canvas.catch_up()
        screen = await self.around.panes.screen(self.handle.pane, history=history)
        self.judge(screen)
        if self.record is None:
            self._read_screen(screen)
        elif self.record.seen(self.verdict):
            self.poll_record()
        self._turn_over_on_screen(screen)
        return screen

    def judge(self, screen: Screen) -> None:
        """Apply the profile's rules to a screen and tell what changed."""
        self.verdict = look(self.profile, screen.visible, screen.status.title, pasted=self.pasted)
        self._follow_session()
        typing = self._typing if self._delivery is not None and not screen.status.canonical else None
        drafted = typing is not None and typing.draft(screen)
        self.idleness.looked(self.verdict, screen, drafted=drafted, quiet=self.quiet())
        self._output = self._output or (self.idleness.unsure and self.turn_open)
        self._tell_dialog(self.verdict.dialog)
        self._tell_state()

    def _tell_dialog(self, dialog: Dialog | None) -> None:
        asks = self.record.asks if self.record else None
        had = self.dialog is not None
        for one in self.dialogs.seen(dialog, self.around.clock.monotonic(), asks):
            self.around.tell(one)
        if had and self.dialog is None and self.record is not None:
            self.record.asks = None
        # One that is not told yet is looked at again though nothing moves.
        self._output = self._output or self.dialogs.waits

    def _tell_state(self) -> None:
        now = self.around.clock.monotonic()
        seen, again = self._status.seen(self.dialog, self.verdict, self._told(), now)
        if seen is not None:
            self.around.tell(inp.StateSeen(self.role, *seen))
        if again is not None:
            self._look_in(again)

    def _told(self) -> Told:
        if self.record is None:
            return Told("run", (self.taken or "") if self.turn_open else None)
        known = self.profile.spec().turn_end == "known"
        turn = (self.taken or "") if self.turn_open or (known and self.record.open) else None
        sure = known and self._delivery is None and self._ready
        return Told(self.record.witness.source, turn, self.record.background, sure=sure)

    def _read_screen(self, screen: Screen) -> None:
        if self.profile.legacy and self._delivery is not None and self.typed[1] == "entered":
            return  # Without a key the answer to a prompt that is not yet proven would pass for one to the last.
        final = self.dead or (self.verdict.ready is not None and self.verdict.working is None)
        drawn, legacy = self._canvas.text(screen), self.profile.legacy
        for one in self.screen.read(screen, drawn, legacy=legacy, final=final, dead=self.dead):
            self.around.tell(one)
        self._output = self._output or self.screen.unsettled

    def _turn_over_on_screen(self, screen: Screen) -> None:
        """A ready mark ends a turn only when it was gone before, or when the answer already stands there."""
        if not self.turn_open or self._delivery is not None or self.taken is None or self.verdict.ready is None:
            return
        if self.verdict.working is not None or self.dialog is not None or self.screen.unsettled:
            return
        if self.record is not None and self.profile.spec().turn_end == "known":
            return
        answered, spoke, quiet = self.screen.has_duty, self.screen.spoke, self.quiet()
        lag = self.record.witness.lag if self.record is not None else 0.0
        missing = self.idleness.missing(screen, self.taken, answered=answered, spoke=spoke, quiet=quiet, lag=lag)
        if not missing:
            self.turn_open = False
            self._settle_record()
            how: TurnHow = "interrupted" if self.idleness.stopped and not answered else "done"
            self.around.tell(inp.TurnOver(self.role, self.taken, how, "screen"))
            self._tell_state()
        else:
            self._look_in(missing)

    async def _until_ready(self, resumed: bool) -> None:
        await until_ready(self)
        self._ready = True
        self._output = False
        handle = self.handle
        assert handle is not None
        self.around.tell(inp.AgentUp(self.role, self.incarnation, handle.pane, handle.pid, resumed))
        self._tell_state()

    def judge_start(self, screen: Screen) -> None:
        self.verdict = look(self.profile, screen.visible, screen.status.title)
        self._follow_session()
        self._tell_dialog(self.verdict.dialog)
        if self.dialog is not None:
            self._tell_state()

    def wake(self) -> None:
        """Look into the record again at once."""
        self._wake.set()

    async def taken_or(self, seconds: float) -> None:
        """Until the agent proves to have a prompt, or so long."""
        self._taken_event.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._taken_event.wait()

    # ---- typing ------------------------------------------------------------------------------------------------------

    def cursor(self) -> str | None:
        """Where the record stands now, to be stored before anything is typed."""
        return self.record.witness.cursor() if self.record is not None else None

    def deliver(self, request: PromptRequested) -> None:
        """Type a prompt, or go on with one that was on its way; PromptTaken, PromptLost, or PromptUnclear follows."""
        if self._delivery is not None:
            self._delivery.cancel()
        self.screen.keys[request.prompt_id] = request.key
        if self.screen.turn is None:
            self.screen.begin(request.prompt_id)
        task = asyncio.create_task(self._deliver(request), name=f"deliver {request.prompt_id}")
        self._delivery = task
        self._pace = Pace()
        self._wake.set()

    async def _deliver(self, request: PromptRequested) -> None:
        try:
            self._typing = Delivery(self, request)
            outcome = await self._typing.run()
        finally:
            if self._delivery is asyncio.current_task():
                self._delivery = None
        if outcome is not None:
            self._tell(outcome)
            if isinstance(outcome, inp.PromptTaken):
                self._tell_state()
        # Whatever was shown meanwhile has not been judged as a turn's end yet.
        self._look_again()

    async def press(self, request: KeysRequested) -> None:
        """Send keys; KeysDone follows."""
        self.around.tell(await press(self, request))
        self._look_again()
