"""When a program that was just started may be given its first prompt.

It does not know what a prompt is, or how one is typed.
"""

from __future__ import annotations

from politerm.agents.profile import AgentProfile
from politerm.core import inputs as inp
from politerm.core.wire import AgentState, Why
from politerm.engine.ports import Screen
from politerm.engine.watched import Watched

LOOK_EVERY = 0.05
REST_BRACKETED, REST_WAITING, REST_UNKNOWN = 0.25, 0.7, 5.0
"""Seconds of quiet after which a program without a ready rule counts as ready: one that has asked for bracketed paste;
one that is seen to wait for a line, or has turned the terminal's line mode off; one of which nobody can tell whether it
waits or still loads. What is typed into a program that loads is often thrown away when it turns line mode off."""


async def until_ready(session: Watched) -> None:
    """Wait for the ready rule, or, without one, until the program has come to rest after its start."""
    clock = session.around.clock
    began = clock.monotonic()
    slow = False
    while True:
        handle = session.handle
        assert handle is not None
        screen = await session.around.panes.screen(handle.pane)
        session.judge_start(screen)
        if session.dialog is None and await _is_ready(session, handle.pane, screen):
            return
        if clock.monotonic() - began > session.profile.start_seconds and not slow:
            slow = True
            session.around.tell(inp.StateSeen(session.role, AgentState.UNCERTAIN, _not_ready(session.profile, screen)))
        await session.moved_or(LOOK_EVERY)


async def _is_ready(session: Watched, pane: str, screen: Screen) -> bool:
    if session.profile.ready:
        return session.verdict.ready is not None
    quiet = session.quiet()
    if screen.status.bracketed:
        return quiet >= REST_BRACKETED
    if quiet < REST_WAITING:
        return False
    if not screen.status.canonical or quiet >= REST_UNKNOWN:
        return True
    return await session.around.panes.waits_for_line(pane) is True


def _not_ready(profile: AgentProfile, screen: Screen) -> Why:
    """What to say of a program that takes longer than its profile allows."""
    last = next((row.strip() for row in reversed(screen.visible) if row.strip()), "")
    return Why(source="screen", rule=f"not ready within {profile.start_seconds:g} s", evidence=last)
