"""Start one agent in a pane of its own, without a prompt, and say which rules match what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from politerm.agents.golden import GoldenScreen
from politerm.agents.profile import AgentProfile
from politerm.agents.rules import Verdict, look
from politerm.core.wire import Role, RunId
from politerm.engine.api import AgentView
from politerm.engine.ports import Agents, Panes, PaneSpec, Screen
from politerm.errors import PoliTermError

RUN = RunId("doctor-check")
WITHIN = 20.0
SETTLED = 1.0
EVERY = 0.1


class _Deaf:
    """A pane's sink that only remembers the end."""

    ended: str | None = None

    def on_output(self, data: bytes) -> None:
        pass

    def on_gap(self, reason: str) -> None:
        pass

    def on_death(self, exit_status: int | None, signal: int | None, reason: str) -> None:
        self.ended = reason


async def check_agent(
    profile: AgentProfile, view: AgentView, folder: str, agents: Agents, panes: Panes
) -> dict[str, Any]:
    """The report: `ok`, `state`, the rule and the text behind it, every rule that matches, the lowest rows of the
    screen, and the whole of it as a golden file (agents/golden.py)."""
    report: dict[str, Any] = {**view.to_json(), "ok": False}
    if not view.available:
        return {**report, "state": "dead", "why": f"{profile.command[0]} is not installed"}
    sink = _Deaf()
    try:
        launch = await agents.prepare(profile, RUN, Role.AGENT, session=None, resume=False)
        spec = PaneSpec(RUN, Role.AGENT, 1, launch.argv, folder, launch.env)
        handle = await panes.open(spec, sink)
        verdict, screen = await _watch(profile, handle.pane, sink, panes)
    except PoliTermError as error:
        return {**report, "state": "dead", "why": str(error)}
    finally:
        await panes.close(RUN)
        await agents.forget(RUN)
    report |= {**_judged(profile, verdict, sink), "rules": dict(_matches(verdict))}
    if screen is None:
        return {**report, "screen": []}
    rows = [row.rstrip() for row in screen.visible if row.strip()][-15:]
    return {**report, "screen": rows, "golden": GoldenScreen.of(profile, screen.visible, screen.status.title).text()}


def _matches(verdict: Verdict) -> Iterator[tuple[str, str]]:
    for hit in (verdict.ready, verdict.working, verdict.draft, verdict.limited, verdict.dialog):
        if hit is not None:
            yield hit.rule, hit.evidence


async def _watch(profile: AgentProfile, pane: str, sink: _Deaf, panes: Panes) -> tuple[Verdict, Screen | None]:
    verdict, screen = Verdict(), None
    for turn in range(int(WITHIN / EVERY)):
        if sink.ended is not None:
            break
        screen = await panes.screen(pane)
        verdict = look(profile, screen.visible, screen.status.title)
        if verdict.ready or verdict.dialog or (not profile.ready and turn * EVERY >= SETTLED):
            # It may still be drawing: what stands there a moment later is what it shows.
            await asyncio.sleep(SETTLED)
            screen = await panes.screen(pane)
            return look(profile, screen.visible, screen.status.title), screen
        await asyncio.sleep(EVERY)
    return verdict, screen


def _judged(profile: AgentProfile, verdict: Verdict, sink: _Deaf) -> dict[str, Any]:
    if sink.ended is not None:
        return {"state": "dead", "why": {"source": "tmux", "rule": "death", "evidence": sink.ended}}
    if verdict.dialog is not None:
        why = {"source": "screen", "rule": verdict.dialog.rule, "evidence": verdict.dialog.evidence}
        return {"state": verdict.dialog.state.value, "why": why, "choices": list(verdict.dialog.choices)}
    if verdict.ready is not None:
        why = {"source": "screen", "rule": verdict.ready.rule, "evidence": verdict.ready.evidence}
        return {"ok": True, "state": "ready", "why": why}
    if not profile.ready:
        why = {"source": "run", "rule": "no ready rule", "evidence": "it runs, which is all that can be known"}
        return {"ok": True, "state": "ready", "why": why}
    why = {"source": "screen", "rule": "no rule matched", "evidence": f"not ready within {WITHIN:g} s"}
    return {"state": "uncertain", "why": why}
