"""An agent's life as the run sees it: started, up, down, started again; and the prompts that were on their way to it.

What is said in a turn is core/dialogue.py's. This module does not know how a program is started or a prompt typed.
"""

from __future__ import annotations

from politerm.core import dialogue, wording
from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.draft import Draft
from politerm.core.state import RoleState
from politerm.core.wire import AgentState, Role, Why

MAX_FAILURES = 3
"""Starts that may fail in a row before a person is asked."""
MAX_ATTEMPTS = 3
"""Times that one prompt is tried while it is certain that the agent does not have it."""


def start_agent(draft: Draft, who: Role, *, fresh: bool = False) -> None:
    role = draft.role(who)
    resume = role.spec.resumable and role.session is not None and role.primed and not fresh
    draft.emit(
        ev.AgentStarting(
            role=who,
            agent=role.spec.name,
            incarnation=role.incarnation + 1,
            session=role.session if resume else None,
            resume=resume,
        )
    )


def agent_up(draft: Draft, up: inp.AgentUp) -> None:
    role = draft.role(up.role)
    if role.incarnation != up.incarnation or role.up:
        return
    draft.emit(ev.AgentReady(role=up.role, pane=up.pane, incarnation=up.incarnation, pid=up.pid, resumed=up.resumed))
    draft.withdraw(role=up.role, kinds=("question",), about=f"start:{up.role}")
    if role.prompt is None and not role.primed:
        return
    if up.incarnation > 1:
        detail = "its conversation was resumed" if up.resumed else "its conversation was lost"
        draft.emit(ev.Recovered(what="agent", role=up.role, context_lost=not up.resumed, detail=detail))
    asked = any(item.kind == "uncertain" and item.role is up.role for item in draft.state.open_attention())
    if role.prompt is not None and role.prompt.stage == "uncertain" and not asked:
        # It was answered "send it again" while there was nobody to send it to.
        draft.prompt_again(up.role)
    go_on(draft, up.role, resumed=up.resumed)


def go_on(draft: Draft, who: Role, *, resumed: bool) -> None:
    """An agent that owes an answer in a turn that is over is asked again. A prompt on its way is looked for first."""
    role = draft.role(who)
    on_its_way = role.prompt is not None and role.prompt.stage != "delivered"
    if draft.state.paused or on_its_way or role.duty != "owed" or not role.over or not role.up:
        return
    # A new memory must hold what the old one was asked to do.
    asked = role.prompt.request.messages if role.prompt is not None and role.lost else ()
    waiting = draft.state.pending.get(who, ())
    draft.prompt(who, "recovery", waiting=waiting, again=asked, extra=[wording.go_on(who, resumed=resumed)])


def agent_down(draft: Draft, down: inp.AgentDown) -> None:
    role = draft.role(down.role)
    if role.incarnation != down.incarnation or role.state is AgentState.DEAD:
        return
    why = Why(source=down.what, rule="death", evidence=down.reason)
    draft.emit(ev.AgentStateChanged(role=down.role, state=AgentState.DEAD, why=why))
    draft.withdraw(role=down.role, kinds=("permission", "login", "update", "trust"))
    if role.dialog is not None:
        draft.withdraw(role=down.role, about=role.dialog)
    if not role.over:
        draft.emit(ev.TurnEnded(role=down.role, how="failed", source=down.what, turn=role.turn))
    if down.final:
        dialogue.give_up(draft, down.role, "restarts", f"the {down.role.value} cannot be started: {down.reason}")
    elif draft.role(down.role).failures > MAX_FAILURES:
        what = f"the {down.role.value} ended {MAX_FAILURES + 1} times in a row, last: {down.reason}"
        dialogue.give_up(draft, down.role, "restarts", what)
    elif not draft.state.paused:
        start_agent(draft, down.role)


def state_seen(draft: Draft, seen: inp.StateSeen) -> None:
    role = draft.role(seen.role)
    if role.state is AgentState.DEAD or (role.state is seen.state and role.why == seen.why):
        return
    another_rule = seen.state is not AgentState.READY and role.why is not None and role.why.rule != seen.why.rule
    if role.state is not seen.state or another_rule:
        draft.emit(ev.AgentStateChanged(role=seen.role, state=seen.state, why=seen.why))
    if seen.state is not AgentState.LIMITED:
        draft.withdraw(role=seen.role, kinds=("budget",), about=f"stuck:{seen.role}")
    if seen.state is AgentState.UNCERTAIN and not role.up:
        title = f"The {seen.role.value} does not become ready"
        choices = (wording.CHOICE_STOP,)
        draft.ask(
            "question", title, role=seen.role, text=seen.why.evidence, choices=choices, about=f"start:{seen.role}"
        )


# ---- prompts on their way --------------------------------------------------------------------------------------------


def whose(draft: Draft, prompt_id: str) -> tuple[Role, RoleState] | None:
    for who, role in draft.state.roles.items():
        if role.prompt is not None and role.prompt.id == prompt_id and role.prompt.stage != "delivered":
            return who, role
    return None


def prompt_taken(draft: Draft, taken: inp.PromptTaken) -> None:
    found = whose(draft, taken.prompt_id)
    if found is None:
        return
    who, role = found
    assert role.prompt is not None
    draft.emit(ev.PromptDelivered(prompt_id=role.prompt.id, to=who, source=taken.source, file=taken.file))
    draft.withdraw(role=who, kinds=("uncertain",))
    if role.prompt.request.incarnation != role.incarnation or not role.up:
        # The one who took it is gone: its turn ended with it, and its successor is asked to go on.
        draft.emit(ev.TurnEnded(role=who, how="failed", source="run", turn=role.prompt.id))
        go_on(draft, who, resumed=not draft.role(who).lost)


def prompt_unclear(draft: Draft, unclear: inp.PromptUnclear) -> None:
    found = whose(draft, unclear.prompt_id)
    if found is None or found[1].prompt is None or found[1].prompt.stage == "uncertain":
        return
    who, role = found
    assert role.prompt is not None
    draft.emit(ev.PromptUncertain(prompt_id=role.prompt.id, to=who, reason=unclear.reason))
    title = f"Did the {who.value} get its prompt?"
    choices = (wording.CHOICE_ARRIVED, wording.CHOICE_RESEND, wording.CHOICE_STOP)
    draft.ask("uncertain", title, role=who, text=unclear.reason, choices=choices, about=role.prompt.id)


def prompt_lost(draft: Draft, lost: inp.PromptLost) -> None:
    found = whose(draft, lost.prompt_id)
    if found is None:
        return
    who, role = found
    assert role.prompt is not None
    if not role.up:
        return
    if role.prompt.request.attempt >= MAX_ATTEMPTS:
        prompt_unclear(draft, inp.PromptUnclear(lost.prompt_id, f"tried {MAX_ATTEMPTS} times: {lost.reason}"))
        return
    draft.withdraw(role=who, kinds=("uncertain",))
    draft.prompt_again(who)
