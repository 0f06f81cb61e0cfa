"""The state that is told of an agent, and why: from the dialog that stands there, what the screen shows, and what the
agent's own record says. The record is believed first; where the two have said different things for a while, that is
what is told, because then one of them is wrong and nobody can know which.

This module does not look at anything itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from politerm.agents.rules import Dialog, Limit, Verdict
from politerm.core.wire import AgentState, Why

DISAGREE = 2.0
"""Seconds for which record and screen may differ: a record lags, and a screen is redrawn."""


@dataclass(frozen=True)
class Told:
    """What an agent's record, or else the run, says: `turn`, of a turn that is open; `background`, of what goes on
    after it; `limit`, why the last turn failed. `sure`: the record tells every turn's end, so that it can be held
    against the screen; not while something is being typed."""

    source: str
    turn: str | None = None
    background: str = ""
    limit: Limit | None = None
    sure: bool = False


def shown_state(dialog: Dialog | None, verdict: Verdict, told: Told) -> tuple[AgentState, Why]:
    if dialog is not None:
        return dialog.state, Why(source="screen", rule=dialog.rule, evidence=dialog.evidence, until=_until(verdict))
    if (hit := verdict.working) is not None:
        return AgentState.WORKING, Why(source="screen", rule=hit.rule, evidence=hit.evidence)
    if told.turn is not None:
        return AgentState.WORKING, Why(source=told.source, rule="turn", evidence=told.turn)
    if told.background:
        return AgentState.WORKING, Why(source=told.source, rule="background work", evidence=told.background)
    if (hit := verdict.background) is not None:
        return AgentState.WORKING, Why(source="screen", rule=hit.rule, evidence=hit.evidence)
    limit = told.limit or (None if told.sure else verdict.limited)
    if limit is not None:
        source = told.source if told.limit else "screen"
        return AgentState.LIMITED, Why(
            source=source, rule=limit.rule, evidence=limit.evidence, until=limit.until or None
        )
    if (hit := verdict.ready) is not None:
        return AgentState.READY, Why(source="screen", rule=hit.rule, evidence=hit.evidence)
    return AgentState.READY, Why(source="run", rule="idle", evidence="no turn is open")


def _until(verdict: Verdict) -> str | None:
    return verdict.limited.until or None if verdict.limited is not None else None


def disagreement(dialog: Dialog | None, verdict: Verdict, told: Told) -> Why | None:
    """What the two sources say, where they cannot both be right."""
    if dialog is not None or not told.sure:
        return None
    if told.turn is not None and verdict.working is None and verdict.ready is not None:
        says, shows = "a turn is open", f"it shows {verdict.ready.evidence!r}"
    elif told.turn is None and not told.background and verdict.working is not None:
        says, shows = "no turn is open", f"it shows {verdict.working.evidence!r}"
    else:
        return None
    evidence = f"{told.source}: {says}; screen: {shows}"
    return Why(source=f"{told.source} and screen", rule="the two sources disagree", evidence=evidence)


class StatusWatch:
    """Says what is to be told, once for each change."""

    def __init__(self) -> None:
        self.limit: Limit | None = None
        """Why the last turn failed, if it was for a limit of the user's allowance."""
        self._last: tuple[AgentState, str] | None = None
        self._since: float | None = None

    def forget(self) -> None:
        self.limit = self._last = self._since = None

    def seen(
        self, dialog: Dialog | None, verdict: Verdict, told: Told, now: float
    ) -> tuple[tuple[AgentState, Why] | None, float | None]:
        """The state, when it is another one than before, and in how many seconds to look again though nothing moves."""
        told = replace(told, limit=self.limit)
        state, why = shown_state(dialog, verdict, told)
        again = None
        doubt = disagreement(dialog, verdict, told)
        if doubt is None:
            self._since = None
        else:
            self._since = now if self._since is None else self._since
            again = max(0.0, self._since + DISAGREE - now) or None
            if again is None:
                state, why = AgentState.UNCERTAIN, doubt
        if self._last == (state, why.rule):
            return None, again
        self._last = (state, why.rule)
        return (state, why), again
