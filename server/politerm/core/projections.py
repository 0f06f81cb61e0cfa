"""Folds of a run's events into what readers are shown: RunView, and a run as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from politerm.core import events as ev
from politerm.core.state import RunState, evolve
from politerm.core.views import RoleView, RunView, Usage
from politerm.core.wire import RunId


def fold(run_id: RunId, envelopes: Iterable[ev.Envelope]) -> RunState:
    state = RunState(run_id)
    for envelope in envelopes:
        state = evolve(state, envelope)
    return state


def run_view(state: RunState) -> RunView:
    spec = state.spec
    assert spec is not None, "a run without its first event has no view"
    by_role = {role: view.usage for role, view in state.roles.items()}
    money = [usage.usd for usage in by_role.values() if usage.usd is not None]
    return RunView(
        run_id=state.run_id,
        mode=spec.mode,
        order=spec.order,
        task=spec.task,
        state=state.name,
        round=state.round,
        max_rounds=state.limits.rounds,
        started_at=state.started_at,
        ended_at=state.ended_at,
        outcome=state.outcome,
        reason=state.reason,
        summary=state.summary,
        cwd=spec.cwd,
        roles={
            role: RoleView(agent=view.spec.name, state=view.state, why=view.why, pane=view.pane, since=view.since)
            for role, view in state.roles.items()
        },
        attention=len(state.open_attention()),
        usage=Usage(
            tokens_in=sum(usage.tokens_in for usage in by_role.values()),
            tokens_out=sum(usage.tokens_out for usage in by_role.values()),
            usd=sum(money) if money else None,
            by_role=by_role,
        ),
        last_seq=state.last_seq,
    )


def markdown(run_id: RunId, envelopes: Iterable[ev.Envelope]) -> str:
    """A run as a document for people: the task, every message, how it ended."""
    told = list(envelopes)
    view = run_view(fold(run_id, told))
    lines = [f"# {view.task.strip().splitlines()[0]}", "", f"Run `{run_id}`, {view.mode}, in `{view.cwd}`.", ""]
    lines += [f"- {role.value}: {shown.agent}" for role, shown in view.roles.items()]
    lines += ["", "## Task", "", view.task.strip(), ""]
    for envelope in told:
        match envelope.event:
            case ev.RoundStarted(round=number):
                lines += [f"## Round {number}", ""]
            case ev.MessageReceived() as said:
                lines += [f"### {said.sender.value} to {said.to.value}: {said.kind}", "", said.body.strip("\n"), ""]
            case ev.Nudged() as nudged:
                lines += [f"*{nudged.role.value} was asked for a message: {nudged.reason}*", ""]
            case ev.Recovered() as recovered:
                who = recovered.role.value if recovered.role else "PoliTerm"
                lines += [f"*{who} recovered: {recovered.detail}*", ""]
            case ev.RunEnded() as ended:
                lines += ["## End", "", f"{ended.outcome}{': ' + ended.reason if ended.reason else ''}", ""]
            case _:
                pass
    return "\n".join(lines)
