"""Delivery: one prompt on its way into one agent, so that it arrives exactly once or is called uncertain.

    look ── has it already ──────────────────────────────────────────────> taken
      │  └─ its agent is gone ── nothing was typed, or the record lacks it ─> lost        (else: unclear)
      └─ not typed yet ─> way clear? ─> paste + mark ─> seen? ─> Enter + mark ─> proof ──> taken / unclear

The marks are set by tmux in the same command as the keys, so that after our own death a look at the pane tells which
of these steps were done. The text is typed a second time only into another pane, or when a person asks for that and no
trace of it is found; the Enter is repeated only while the draft stands in the input box.
Proof is the agent's own record where it has one, else what its screen and its terminal's mode show.
This module does not know what a prompt says or what follows from it.
"""

from __future__ import annotations

import asyncio
import logging
import re

from politerm.core import inputs as inp
from politerm.core.events import PromptRequested
from politerm.core.prompt import file_in, in_file, long_lines, sanitise
from politerm.core.screen import after_boundary, text_of
from politerm.engine.ports import Screen
from politerm.engine.watched import Watched
from politerm.errors import PoliTermError, TmuxError, TmuxGone, TmuxTimeout

log = logging.getLogger(__name__)

AGAIN, TMUX_WITHIN = 0.3, 20.0
"""Seconds until a delivery begins again that tmux failed, and for how long that is tried while tmux answers at all."""
SUBMIT_DELAY = 0.3
"""Seconds between paste and Enter for programs with bracketed paste: below about 0.15 some take it as a line break."""
SHOWN_WITHIN = 2.0
RETRY_ENTER = (0.5, 1.0, 2.0, 4.0, 4.0)
"""Seconds after which the Enter is repeated while the draft still stands in the box; some swallow it for up to 2 s."""
PROOF_WITHIN = 20.0
STEER_WITHIN = 120.0
"""Seconds that a working agent may take to note a prompt that it was steered with."""
LOOK = 0.02
ECHO_WITHIN, ECHO_ROWS = 0.5, 500
"""Seconds that a terminal's echo may take (1 ms is usual; some programs turn it off), and where it is looked for."""


class Delivery:
    def __init__(self, session: Watched, request: PromptRequested) -> None:
        self.session = session
        self.request = request
        self.panes = session.around.panes
        self._marker = f"POLIend:{request.prompt_id}"
        self._folded = "anywhere"
        """Where a folded paste is our draft: after an Enter the same sign stands in the conversation above the box."""
        self._mark = request.prompt_id if request.attempt == 1 else f"{request.prompt_id}/{request.attempt}"

    async def run(self) -> inp.Input | None:
        """Whatever tmux does meanwhile: PromptTaken, PromptLost, PromptUnclear; None when it is told elsewhere."""
        clock = self.session.around.clock
        until = clock.monotonic() + TMUX_WITHIN
        try:
            while True:
                try:
                    return await self._once()
                except TmuxGone:
                    raise
                except TmuxError as error:
                    # A stopped server may go on, a lost connection is made again, a dead pane's end is told apart.
                    # Every delivery begins with a look, so it can begin again.
                    log.warning("delivery of %s: %s", self.request.prompt_id, error)
                    if not isinstance(error, TmuxTimeout) and clock.monotonic() > until:
                        raise
                    await asyncio.sleep(AGAIN)
        except TmuxGone as error:
            # Its death is told apart; what became of the prompt is found out when the agent is back.
            log.info("delivery of %s: %s", self.request.prompt_id, error)
            return None
        except PoliTermError as error:
            return inp.PromptUnclear(self.request.prompt_id, str(error))

    async def _once(self) -> inp.Input | None:
        """None when the record has told PromptTaken itself."""
        self._folded = "anywhere"
        session, request = self.session, self.request
        if session.taken == request.prompt_id:
            return inp.PromptTaken(request.prompt_id, "record")
        if request.incarnation != session.incarnation:
            return await self._past()
        if session.handle is None:
            return inp.PromptLost(request.prompt_id, "there is no pane")
        screen = await self._way_clear()
        again = screen.status.pasted.partition("/")[0] == request.prompt_id and screen.status.pasted != self._mark
        if again and session.record is None and self._left_behind(screen):
            return self._taken("screen")
        if screen.status.pasted != self._mark and not (again and self.draft(screen)):
            await self._paste(screen)
            screen = await self._shown(screen)
        # Taken before the keys go out: a quick agent has answered before tmux says that they went.
        entered = session.around.clock.monotonic()
        earlier = screen.status.entered == self._mark
        if not earlier:
            session.typed = (request.prompt_id, "entered")
            await self._enter()
        return await self._proof(screen, entered, earlier=earlier)

    async def _past(self) -> inp.Input | None:
        """Its agent is gone; did that one have it?"""
        session, request = self.session, self.request
        if session.record is not None:
            await asyncio.sleep(session.record.witness.lag)
            session.poll_record()
            if session.taken == request.prompt_id:
                return None
            return inp.PromptLost(request.prompt_id, "the agent ended before it had it")
        known = session.first_here is not None and request.incarnation >= session.first_here
        if known and session.typed[0] != request.prompt_id:
            return inp.PromptLost(request.prompt_id, "the agent ended before anything was typed")
        if session.typed == (request.prompt_id, "draft"):
            return inp.PromptLost(request.prompt_id, "the agent ended before the Enter")
        return inp.PromptUnclear(request.prompt_id, "the agent ended while it was given this prompt")

    async def _way_clear(self) -> Screen:
        """Nothing is typed into a dialog, or into a pane that a person has taken over."""
        session = self.session
        assert session.handle is not None
        while True:
            screen = await self.panes.screen(session.handle.pane)
            session.judge(screen)
            if session.dialog is None and not session.taken_over:
                return screen
            await asyncio.sleep(0.1)

    async def _paste(self, screen: Screen) -> None:
        session, request = self.session, self.request
        assert session.handle is not None
        session.idleness.begin()
        text = sanitise(request.text)
        bracketed = screen.status.bracketed
        spoilt = "\t" in text and not session.profile.keeps_tabs
        if spoilt or len(text.encode()) > session.profile.paste_limit or (not bracketed and long_lines(text)):
            text = await self._by_file(text)
        if self._leftover(screen):
            await self.panes.keys(session.handle.pane, session.profile.clear)
        # A program with bracketed paste keeps a draft until the Enter; any other gets its lines as they are typed.
        session.typed = (request.prompt_id, "draft" if bracketed else "lines")
        session.pasted = text
        await self.panes.paste(session.handle.pane, text, mark=self._mark)

    def _leftover(self, screen: Screen) -> bool:
        """Is the box to be emptied first? Not that of an agent at work: the keys for it may mean an interrupt there."""
        profile = self.session.profile
        if not profile.clear or self.request.steer or screen.status.canonical:
            return False
        return not profile.draft or self.session.verdict.draft is not None

    async def _by_file(self, text: str) -> str:
        session, request = self.session, self.request
        name = f"prompt-{request.prompt_id.rpartition('.')[2]}.md"
        path = await session.around.agents.hand_over(session.around.run_id, session.role, name, text)
        return in_file(path, request.key, request.prompt_id)

    def _taken(self, source: str) -> inp.PromptTaken:
        return inp.PromptTaken(self.request.prompt_id, source, file_in(self.session.pasted))

    async def _shown(self, before: Screen) -> Screen:
        """Wait until the program shows what was pasted, and then as long as it needs before an Enter counts."""
        session = self.session
        assert session.handle is not None
        delay = session.profile.submit_delay
        if delay is None:
            delay = SUBMIT_DELAY if before.status.bracketed else 0.0
        if delay == 0 and (session.record is not None or before.status.canonical):
            return before
        # Without a record, the draft's being gone is the proof, so it must have been there.
        until = session.around.clock.monotonic() + SHOWN_WITHIN
        while True:
            screen = await self.panes.screen(session.handle.pane)
            if self.draft(screen) or session.around.clock.monotonic() > until:
                break
            await asyncio.sleep(LOOK)
        await asyncio.sleep(delay)
        screen = await self._way_clear()
        if self._ends_at_cursor(screen):
            self._folded = "nowhere"
        elif self._folds(self._row_of_cursor(screen)):
            self._folded = "at the cursor"
        return screen

    async def _enter(self) -> None:
        session = self.session
        assert session.handle is not None
        await self.panes.keys(session.handle.pane, session.profile.submit, mark=self._mark)

    async def _proof(self, before: Screen, entered: float, *, earlier: bool) -> inp.Input | None:
        """Wait until it is certain that the agent has it. `earlier`: another process of ours pressed the Enter, so that
        the agent may have been done with it before we came."""
        session, request = self.session, self.request
        assert session.handle is not None
        if session.record is None and before.status.canonical:
            # The kernel holds the lines for a program in line mode: they are its own from here on. Its echo is waited
            # for, so that what stands on the screen afterwards stands there after this prompt.
            await self._echoed()
            return self._taken("terminal")
        clock = session.around.clock
        waits = list(RETRY_ENTER)
        retry_at = entered + waits.pop(0)
        gone = 0
        session.wake()
        while session.taken != request.prompt_id:
            now = clock.monotonic()
            if session.record is None or now >= retry_at:
                screen = await self.panes.screen(session.handle.pane, history=ECHO_ROWS if earlier else 0)
                session.judge(screen)
                draft = self.draft(screen)
                gone = 0 if draft or session.moved_at <= entered else gone + 1
                # Seen once, a draft may be gone only because the program is just drawing.
                sure = gone > 1 or (gone and session.verdict.working is not None)
                sure = sure or self._answered(screen) or (earlier and not draft and self._left_behind(screen))
                if session.record is None and sure:
                    return self._taken("screen")
                # In line mode the kernel took the Enter: a second one would be an empty line, or a yes to a question.
                stands = draft and not screen.status.canonical and session.dialog is None
                if stands and now >= retry_at and waits:
                    await self._enter()
                    retry_at = now + waits.pop(0)
            patience = STEER_WITHIN if request.steer or session.verdict.working else PROOF_WITHIN
            if now - entered > patience:
                return inp.PromptUnclear(request.prompt_id, "it was typed, but nothing shows that the agent took it")
            await session.taken_or(LOOK)
        return None

    async def _echoed(self) -> None:
        session = self.session
        assert session.handle is not None
        until = session.around.clock.monotonic() + ECHO_WITHIN
        while session.around.clock.monotonic() < until:
            screen = await self.panes.screen(session.handle.pane, history=ECHO_ROWS)
            if after_boundary(text_of(screen.lines), self.request.prompt_id) is not None:
                return
            await asyncio.sleep(0.002)

    def _left_behind(self, screen: Screen) -> bool:
        """Does the screen show what only an agent leaves that took the prompt: the prompt itself above what followed,
        or its key as an answer's header has it?"""
        if self.draft(screen):
            return False
        return self._answered(screen) or after_boundary(text_of(screen.lines), self.request.prompt_id) is not None

    def _answered(self, screen: Screen) -> bool:
        """Does it show our key as only the header of an answer has it?"""
        return f'"{self.request.key}"' in text_of(screen.lines)

    def draft(self, screen: Screen) -> bool:
        """Does the input box still hold our text? Yes while the cursor stands at its end, or its folded sign shows."""
        if self._ends_at_cursor(screen):
            return True
        match self._folded:
            case "nowhere":
                return False
            case "at the cursor":
                return self._folds(self._row_of_cursor(screen))
            case _:
                # A program that does not fill the screen draws its box above rows that are still blank.
                return self._folds("\n".join([row for row in screen.visible if row.strip()][-15:]))

    def _ends_at_cursor(self, screen: Screen) -> bool:
        y = screen.status.cursor_y
        above = "".join(screen.visible[max(0, y - 4) : y]) + self._row_of_cursor(screen)[: screen.status.cursor_x]
        return re.sub(r"[\W_]+$", "", re.sub(r"\s+", "", above)).endswith(re.sub(r"[\W_]+$", "", self._marker))

    def _row_of_cursor(self, screen: Screen) -> str:
        y = screen.status.cursor_y
        return screen.visible[y] if y < len(screen.visible) else ""

    def _folds(self, text: str) -> bool:
        return any(re.search(pattern, text) for pattern in self.session.profile.placeholder)
