"""The run: `decide(state, input, now) -> events`, `next_deadline(state) -> time`. Pure; time is an argument.

    queued ──Begin──> starting ──both agents up──> running <──Pause / Resume──> paused
                          └───────────────┬──────────────────────────────────────┘
                                          └── complete, Stop, a limit ──> ended

`now` and all deadlines are seconds of run time (see Envelope.clock), so neither a changed wall clock, nor suspend, nor
the time in which nobody held the run ends anything. The dialogue is in core/dialogue.py, the state in core/state.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from politerm.core import dialogue, lifecycle, wording
from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.draft import Draft
from politerm.core.state import RoleState, RunState
from politerm.core.wire import AgentState, MessageId, Role

SETTLE_UNSURE = 2.0
SETTLE_KNOWN = 20.0
"""Seconds of quiet after an answer that stand for the end of a turn whose end was not seen."""


def decide(state: RunState, happened: inp.Input, now: float) -> list[ev.Event]:
    """What is true from now on because this happened. An ended run changes no more."""
    return draft_of(state, happened, now).events


def draft_of(state: RunState, happened: inp.Input, now: float) -> Draft:
    """The same, with the state that the next input can be decided about before any of it is stored."""
    draft = Draft(state, now)
    if isinstance(happened, inp.Start):
        _start(draft, happened)
    elif state.spec is None or state.name == "ended":
        pass
    elif state.name == "queued":
        _queued(draft, happened)
    else:
        _happened(draft, happened)
        dialogue.advance(draft)
    return draft


def _start(draft: Draft, start: inp.Start) -> None:
    if draft.state.spec is not None:
        return
    if start.queue:
        draft.emit(ev.RunQueued(**dict(start.spec)))
    else:
        _begin(draft, start.spec)


def _begin(draft: Draft, spec: ev.RunSpec) -> None:
    draft.emit(ev.RunStarted(**{name: getattr(spec, name) for name in ev.RunSpec.model_fields}))
    for role in spec.agents:
        lifecycle.start_agent(draft, role)


def _queued(draft: Draft, happened: inp.Input) -> None:
    match happened:
        case inp.Begin():
            _begin(draft, draft.spec)
        case inp.Stop():
            draft.end("stopped", reason=happened.reason)
        case _:
            pass


def _happened(draft: Draft, happened: inp.Input) -> None:
    match happened:
        case inp.Start() | inp.Begin():
            pass
        case inp.AgentUp():
            lifecycle.agent_up(draft, happened)
        case inp.AgentDown():
            lifecycle.agent_down(draft, happened)
        case inp.SessionSeen():
            if draft.role(happened.role).session != happened.session:
                draft.emit(ev.SessionNamed(role=happened.role, session=happened.session))
        case inp.StateSeen():
            lifecycle.state_seen(draft, happened)
        case inp.PromptTaken():
            lifecycle.prompt_taken(draft, happened)
        case inp.PromptUnclear():
            lifecycle.prompt_unclear(draft, happened)
        case inp.PromptLost():
            lifecycle.prompt_lost(draft, happened)
        case inp.BlockSeen():
            dialogue.block_seen(draft, happened)
        case inp.BlockBroken():
            dialogue.block_broken(draft, happened)
        case inp.Replied():
            if happened.index >= draft.role(happened.role).replies:
                draft.emit(ev.AgentReplied(role=happened.role, text=happened.text, source=happened.source))
        case inp.TurnOver():
            dialogue.turn_over(draft, happened)
        case inp.UsageSeen():
            _usage_seen(draft, happened)
        case inp.DialogSeen():
            _dialog_seen(draft, happened)
        case inp.DialogGone():
            _dialog_gone(draft, happened)
        case inp.KeysDone():
            _keys_done(draft, happened)
        case inp.Adopted():
            _adopted(draft)
        case inp.GapSeen():
            draft.emit(ev.OutputGap(role=happened.role, reason=happened.reason))
        case inp.Tick():
            _tick(draft, happened)
        case inp.Pause():
            if not draft.state.paused:
                draft.emit(ev.RunPaused(reason=happened.reason, by="user"))
        case inp.Resume():
            _resume(draft, happened.reason)
        case inp.Retry():
            _retry(draft)
        case inp.Stop():
            draft.end("stopped", reason=happened.reason)
        case inp.Interrupt():
            _interrupt(draft, happened)
        case inp.UserMessage():
            _user_message(draft, happened)
        case inp.ResendPrimer():
            draft.prompt(happened.role, "primer", steer=not draft.role(happened.role).over)
        case inp.AnswerGiven():
            _answer(draft, happened)
        case inp.Configure():
            _configure(draft, happened)
        case _:
            assert_never(happened)


def _adopted(draft: Draft) -> None:
    draft.emit(ev.Recovered(what="server", detail="another server went on with this run"))
    for who, role in draft.state.roles.items():
        if role.state is AgentState.DEAD and not role.stuck and not draft.state.paused:
            lifecycle.start_agent(draft, who)


def _usage_seen(draft: Draft, usage: inp.UsageSeen) -> None:
    if usage.index < draft.role(usage.role).reports:
        return
    draft.emit(ev.UsageReported(role=usage.role, tokens_in=usage.tokens_in, tokens_out=usage.tokens_out, usd=usage.usd))
    roles = draft.state.roles.values()
    tokens = sum(role.usage.tokens_in + role.usage.tokens_out for role in roles)
    usd = sum(role.usage.usd or 0.0 for role in roles)
    limits = draft.state.limits
    if limits.tokens and tokens >= limits.tokens:
        draft.emit(ev.LimitReached(limit="tokens", detail=f"{tokens} tokens"))
        draft.end("limit", reason=f"the limit of {limits.tokens} tokens is reached")
    elif limits.usd and usd >= limits.usd:
        draft.emit(ev.LimitReached(limit="usd", detail=f"{usd:.2f} US dollars"))
        draft.end("limit", reason=f"the limit of {limits.usd:.2f} US dollars is reached")


# ---- dialogs and keys ------------------------------------------------------------------------------------------------


_DIALOG_TITLES: Mapping[str, str] = {
    "question": "The {role} asks something on its screen",
}


def _dialog_seen(draft: Draft, dialog: inp.DialogSeen) -> None:
    if dialog.kind == "budget":
        # What the agent itself asks about its limit stands before what we would.
        draft.withdraw(role=dialog.role, kinds=("budget",), about=f"stuck:{dialog.role}")
    title = _DIALOG_TITLES.get(dialog.kind, "The {role} asks for {kind}").format(role=dialog.role, kind=dialog.kind)
    draft.ask(
        dialog.kind,
        title,
        role=dialog.role,
        text=dialog.what,
        choices=dialog.choices,
        about=dialog.fingerprint,
        keys=dialog.keys,
    )


def _dialog_gone(draft: Draft, gone: inp.DialogGone) -> None:
    for item in draft.state.open_attention():
        if item.role is gone.role and draft.state.about.get(item.attention_id) == gone.fingerprint:
            draft.emit(ev.AttentionAnswered(attention_id=item.attention_id, by="pane"))


def _press(draft: Draft, who: Role, keys: tuple[str, ...], purpose: ev.KeysPurpose, guard: str | None = None) -> None:
    keys_id = f"{draft.state.run_id}.k{draft.state.keys_count + 1}"
    draft.emit(ev.KeysRequested(keys_id=keys_id, role=who, keys=keys, purpose=purpose, guard=guard))


def _keys_done(draft: Draft, done: inp.KeysDone) -> None:
    request = draft.state.keys_open.get(done.keys_id)
    if request is None:
        return
    draft.emit(ev.KeysSent(keys_id=done.keys_id, role=done.role, sent=done.sent, detail=done.detail))
    role = draft.role(done.role)
    if request.purpose == "interrupt" and done.sent and not role.over and role.spec.turn_end == "never":
        draft.emit(ev.TurnEnded(role=done.role, how="interrupted", source="run", turn=role.turn))


def _interrupt(draft: Draft, wish: inp.Interrupt) -> None:
    for who, role in draft.state.roles.items():
        if role.up and wish.role in (None, who) and who in wish.keys and (wish.role is who or not role.over):
            _press(draft, who, wish.keys[who], "interrupt")
    if not draft.state.paused:
        draft.emit(ev.RunPaused(reason="interrupted by the user", by="user"))


# ---- what people do --------------------------------------------------------------------------------------------------


def _resume(draft: Draft, reason: str) -> None:
    if draft.state.paused:
        draft.emit(ev.RunResumed(reason=reason))
    for who, role in draft.state.roles.items():
        if role.state is AgentState.DEAD and not role.stuck:
            lifecycle.start_agent(draft, who)
        elif not role.stuck:
            lifecycle.go_on(draft, who, resumed=False)


def _retry(draft: Draft) -> None:
    """The last failed or uncertain step of each role once more; the delivery itself looks before it acts."""
    draft.withdraw(role=None, kinds=("uncertain", "question", "budget"))
    if draft.state.paused:
        draft.emit(ev.RunResumed(reason="retry"))
    for who, role in draft.state.roles.items():
        if role.state is AgentState.DEAD:
            lifecycle.start_agent(draft, who)
        elif role.prompt is not None and role.prompt.stage == "uncertain" and role.up:
            request = role.prompt.request
            draft.emit(request.model_copy(update={"attempt": request.attempt + 1}))
        else:
            lifecycle.go_on(draft, who, resumed=False)


def _user_message(draft: Draft, said: inp.UserMessage) -> None:
    role = draft.role(said.to)
    _note(draft, said.to, said.text, when=said.when)
    on_its_way = role.prompt is not None and role.prompt.stage != "delivered"
    if said.when == "now" and role.up and not on_its_way and not role.dialog and role.turn is not None:
        mine = [p for p in draft.state.pending[said.to] if p.message.sender is Role.USER]
        draft.prompt(said.to, "user", waiting=mine, steer=not role.over)


def _note(draft: Draft, to: Role, text: str, *, when: inp.When = "next") -> None:
    """Words of the user's become a message; all that wait for one role share the prompt that was promised first."""
    waiting = [p for p in draft.state.pending.get(to, ()) if p.promised]
    promised = waiting[0].promised if waiting else draft.next_prompt_id()
    draft.emit(
        ev.MessageReceived(
            message_id=MessageId(f"m{len(draft.state.messages) + 1}"),
            sender=Role.USER,
            to=to,
            kind="note",
            body=text,
            source="user",
            round=draft.state.round,
            turn=promised,
            header={"when": when},
        )
    )


def _answer(draft: Draft, answer: inp.AnswerGiven) -> None:
    item = draft.state.attention.get(answer.attention_id)
    if item is None or item.answered is not None:
        return
    if item.kind == "plan" and answer.choice is None:
        # Words about a plan are what is wrong with it; left without a choice, the run would wait for ever.
        answer = replace(answer, choice=wording.CHOICE_SENDBACK.id)
    about = draft.state.about.get(answer.attention_id)
    keys = draft.state.dialog_keys.get(answer.attention_id, {}).get(answer.choice or "")
    draft.emit(ev.AttentionAnswered(attention_id=answer.attention_id, choice=answer.choice, text=answer.text))
    who = item.role
    if answer.choice == "stop" and not keys and item.kind not in ("permission", "trust", "login", "update"):
        draft.end("stopped", reason=f"stopped by the user: {item.title}")
        return
    if who is None:
        return
    if keys:
        _press(draft, who, keys, "answer", guard=about)
        return
    match item.kind:
        case "uncertain":
            _answer_uncertain(draft, who, answer)
        case "plan":
            _answer_plan(draft, who, about, answer)
        case "question" | "budget":
            _answer_question(draft, who, about, answer)
        case _:
            pass


def _answer_uncertain(draft: Draft, who: Role, answer: inp.AnswerGiven) -> None:
    prompt = draft.role(who).prompt
    if prompt is None or prompt.stage != "uncertain":
        return
    if answer.choice == "arrived":
        lifecycle.prompt_taken(draft, inp.PromptTaken(prompt.id, "user"))
    elif draft.role(who).up:
        draft.prompt_again(who)


def _answer_plan(draft: Draft, who: Role, about: str | None, answer: inp.AnswerGiven) -> None:
    if answer.choice == "approve":
        if answer.text is not None and about is not None:
            draft.emit(ev.PlanEdited(message_id=MessageId(about), body=answer.text))
        dialogue.begin_round(draft)
    elif answer.choice == "sendback":
        _note(draft, who, answer.text or "Please make a better plan.")
        draft.prompt(who, "answer", waiting=draft.state.pending[who], extra=["The user did not approve your plan."])


def _answer_question(draft: Draft, who: Role, about: str | None, answer: inp.AnswerGiven) -> None:
    if about is not None and about.startswith("stuck:"):
        if draft.state.paused:
            draft.emit(ev.RunResumed(reason="answered by the user"))
        if draft.role(who).state is AgentState.DEAD:
            lifecycle.start_agent(draft, who)
            return
        if answer.text:
            _note(draft, who, answer.text)
        extra = [] if answer.text else [wording.nudge(who, draft.role(who))]
        draft.prompt(who, "answer", waiting=draft.state.pending.get(who, ()), extra=extra)
        return
    _note(draft, who, answer.text or answer.choice or "")
    draft.prompt(who, "answer", waiting=draft.state.pending[who])


def _configure(draft: Draft, wish: inp.Configure) -> None:
    agents = dict(wish.agents) if wish.agents else None
    draft.emit(ev.RunConfigured(limits=wish.limits, approve_plans=wish.approve_plans, agents=agents))
    for who in agents or {}:
        role = draft.role(who)
        if not role.over:
            draft.emit(ev.TurnEnded(role=who, how="interrupted", source="run", turn=role.turn))
        lifecycle.start_agent(draft, who, fresh=True)


# ---- time ------------------------------------------------------------------------------------------------------------


def _deadlines(state: RunState) -> Mapping[tuple[str, Role | None], float]:
    """When which limit or wait is due, in run time. Those that depend on quiet are the earliest possible moment."""
    if not state.live or state.paused:
        return {}
    due: dict[tuple[str, Role | None], float] = {}
    if state.limits.minutes:
        due["minutes", None] = state.began + state.paused_total + state.limits.minutes * 60
    for who, role in state.roles.items():
        if role.over:
            continue
        limits = state.limits.per_role.get(who, ev.RoleLimits())
        if limits.idle_seconds:
            due["idle", who] = role.turn_began + limits.idle_seconds
        if limits.total_seconds:
            due["total", who] = role.turn_began + max(0.0, limits.total_seconds - role.busy)
        if role.duty == "answered" and role.spec.turn_end != "never":
            due["settle", who] = role.answered_at + _settle_seconds(role)
    return due


def _settle_seconds(role: RoleState) -> float:
    return SETTLE_KNOWN if role.ends_seen or role.spec.turn_end == "known" else SETTLE_UNSURE


def next_deadline(state: RunState) -> float | None:
    """The earliest moment of run time at which a Tick may change something; None: never by itself."""
    return min(_deadlines(state).values(), default=None)


def _tick(draft: Draft, tick: inp.Tick) -> None:
    for (name, who), when in _deadlines(draft.state).items():
        if when > draft.now or not draft.state.live:
            continue
        if who is None:
            draft.emit(ev.LimitReached(limit="minutes", detail=f"{draft.state.limits.minutes} minutes"))
            draft.end("limit", reason=f"the limit of {draft.state.limits.minutes:g} minutes is reached")
            continue
        quiet = tick.quiet.get(who, 0.0)
        role = draft.role(who)
        limits = draft.state.limits.per_role.get(who, ev.RoleLimits())
        if name == "settle" and quiet >= _settle_seconds(role) and role.state is not AgentState.WORKING:
            draft.emit(ev.TurnEnded(role=who, how="done", source="quiet", turn=role.turn))
        elif name == "idle" and quiet >= (limits.idle_seconds or 0):
            _limit_of_role(draft, who, "idle", f"the {who.value} was silent for {limits.idle_seconds:g} s")
        elif name == "total":
            _limit_of_role(draft, who, "total", f"the {who.value} worked for {limits.total_seconds:g} s in all")


def _limit_of_role(draft: Draft, who: Role, limit: ev.RoleLimitName, what: str) -> None:
    draft.emit(ev.LimitReached(limit=limit, role=who, detail=what))
    draft.end("limit", reason=what)
