"""RunState: what one run is, as the fold of its events. `evolve` is the only place where it changes.

The turn of a role, and what is owed in it:

    none      never prompted
    owed      prompted; an answer is due
    may       spoken to by the user while nothing was due; it may answer
    answered  said something that ends its duty (a result, a plan, ...)

A turn begins when its prompt is delivered and is over at `turnEnded`. `relayed` tells that the answers of the turn have
been passed on: what is said later in the same turn waits for the receiver's next prompt.
This module does not know what should happen next (core/run.py does).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, assert_never

from politerm.core import events as ev
from politerm.core.views import Answer, Attention, RoleUsage, RunStateName
from politerm.core.wire import AgentState, AttentionId, MessageId, PromptId, Role, RunId, Why

T = TypeVar("T")
Duty = Literal["none", "owed", "may", "answered"]
Stage = Literal["requested", "delivered", "uncertain"]

DUTY_ENDING: Mapping[Role, frozenset[str]] = {
    Role.PLANNER: frozenset({"plan", "continue", "revision", "complete", "question"}),
    Role.EXECUTER: frozenset({"result", "error", "question"}),
}
PEER: Mapping[Role, Role] = {Role.PLANNER: Role.EXECUTER, Role.EXECUTER: Role.PLANNER}


def replace(old: T, **changes: Any) -> T:
    """As `dataclasses.replace`, in a tenth of the time: each event copies the state some three times, and a hand-over
    or a replay waits for that. Raises TypeError for a name that is no field. Nothing here has a `__post_init__`."""
    fields: dict[str, Any] = vars(old)
    if not changes.keys() <= fields.keys():
        raise TypeError(f"{type(old).__name__} has no {', '.join(sorted(changes.keys() - fields.keys()))}")
    new = object.__new__(type(old))
    vars(new).update(fields, **changes)
    return new


@dataclass(frozen=True)
class Prompt:
    """A prompt on its way or in the agent's hands."""

    request: ev.PromptRequested
    stage: Stage

    @property
    def id(self) -> PromptId:
        return self.request.prompt_id


@dataclass(frozen=True)
class Said:
    """One message of a turn, in short."""

    id: MessageId
    kind: str
    to: Role
    keyed: bool


@dataclass(frozen=True)
class RoleState:
    spec: ev.AgentSpec
    state: AgentState = AgentState.STARTING
    why: Why | None = None
    since: str | None = None
    pane: str | None = None
    incarnation: int = 0
    up: bool = False
    resuming: bool = False
    """Its last start was to take up its conversation again."""
    failures: int = 0
    """Deaths since the role last said something that counts."""
    session: str | None = None
    primed: bool = False
    lost: bool = False
    """The agent's conversation was lost and it has not been told yet."""
    peer_lost: bool = False
    prompt: Prompt | None = None
    turn: PromptId | None = None
    keys: tuple[str, ...] = ()
    duty: Duty = "none"
    over: bool = True
    how: ev.TurnHow = "done"
    failure: str = ""
    """What was said of the turn that failed."""
    relayed: bool = False
    settled: bool = False
    """The run has acted on what this turn's answer asks for (a round, a question, ...)."""
    released: bool = False
    """Its plan may go to the executer: the round has begun."""
    said: tuple[Said, ...] = ()
    seen: frozenset[Any] = frozenset()
    """What has been judged in this turn: places (witness) or contents (screen)."""
    complaint: str = ""
    """Why the last block of this turn was refused."""
    nudges: int = 0
    stuck: str = ""
    """Why nothing more is tried for this role until somebody says so."""
    turn_began: float = 0.0
    answered_at: float = 0.0
    busy: float = 0.0
    ends_seen: bool = False
    """Ends of turns have been seen by rule or record, so they can be waited for."""
    dialog: str | None = None
    replies: int = 0
    reports: int = 0
    """How many replies and usage reports of this turn are in the log."""
    usage: RoleUsage = field(default_factory=RoleUsage)

    @property
    def free(self) -> bool:
        """It may be given a prompt: up, nothing on its way, no turn open, no dialog."""
        return self.up and self.over and not self.dialog and (self.prompt is None or self.prompt.stage == "delivered")

    @property
    def last_duty(self) -> Said | None:
        """The last message of this turn that ended its duty."""
        return next((said for said in reversed(self.said) if said.kind not in ("status",)), None)


@dataclass(frozen=True)
class Pending:
    """A message that waits for the receiver's next prompt. `late` ones never cause a prompt by themselves."""

    message: ev.MessageReceived
    late: bool = False
    promised: PromptId | None = None


@dataclass(frozen=True)
class RunState:
    run_id: RunId
    spec: ev.RunSpec | None = None
    name: RunStateName = "queued"
    started_at: str = ""
    ended_at: str | None = None
    outcome: ev.Outcome | None = None
    reason: str | None = None
    summary: str | None = None
    round: int = 0
    limits: ev.Limits = field(default_factory=ev.Limits)
    approve_plans: Literal["off", "first", "every"] = "off"
    roles: Mapping[Role, RoleState] = field(default_factory=dict)
    pending: Mapping[Role, tuple[Pending, ...]] = field(default_factory=dict)
    messages: tuple[ev.MessageReceived, ...] = ()
    edited: Mapping[MessageId, str] = field(default_factory=dict)
    attention: Mapping[AttentionId, Attention] = field(default_factory=dict)
    about: Mapping[AttentionId, str | None] = field(default_factory=dict)
    dialog_keys: Mapping[AttentionId, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    keys_open: Mapping[str, ev.KeysRequested] = field(default_factory=dict)
    prompts: int = 0
    keys_count: int = 0
    paused_by: Literal["user", "run"] | None = None
    clock: float = 0.0
    began: float = 0.0
    paused_at: float | None = None
    paused_total: float = 0.0
    last_seq: int = 0

    @property
    def live(self) -> bool:
        return self.name in ("starting", "running", "paused")

    @property
    def paused(self) -> bool:
        return self.name == "paused"

    def role(self, role: Role) -> RoleState:
        return self.roles[role]

    def open_attention(self) -> list[Attention]:
        return [item for item in self.attention.values() if item.answered is None]

    def with_role(self, role: Role, **changes: Any) -> RunState:
        return replace(self, roles={**self.roles, role: replace(self.roles[role], **changes)})


def evolve(state: RunState, envelope: ev.Envelope) -> RunState:
    """The state after one more event. Total: every stored event is accepted, whatever the state."""
    event = envelope.event
    state = _apply(state, event, envelope)
    state = replace(state, last_seq=envelope.seq, clock=envelope.clock)
    if state.name == "starting" and all(role.up for role in state.roles.values()):
        state = replace(state, name="running")
    return state


def _apply(state: RunState, event: ev.Event, envelope: ev.Envelope) -> RunState:
    match event:
        case ev.RunQueued():
            return replace(_with_spec(state, event), name="queued", started_at=envelope.at)
        case ev.RunStarted():
            return replace(_with_spec(state, event), name="starting", started_at=envelope.at, began=envelope.clock)
        case ev.AgentStarting():
            return state.with_role(
                event.role,
                incarnation=event.incarnation,
                session=event.session,
                resuming=event.resume,
                up=False,
                pane=None,
                stuck="",
                dialog=None,
                state=AgentState.STARTING,
                why=Why(source="run", rule="start", evidence=event.agent),
                since=envelope.at,
            )
        case ev.AgentReady():
            return state.with_role(event.role, up=True, pane=event.pane, incarnation=event.incarnation)
        case ev.SessionNamed():
            return state.with_role(event.role, session=event.session)
        case ev.AgentStateChanged():
            return _state_changed(state, event, envelope.at)
        case ev.AgentReplied() | ev.Nudged() | ev.LimitReached() | ev.OutputGap():
            return _counted(state, event)
        case ev.RoundStarted():
            return replace(state.with_role(Role.PLANNER, settled=True, released=True), round=event.round)
        case ev.PromptRequested():
            return _prompt_requested(state, event)
        case ev.PromptDelivered():
            return _prompt_delivered(state, event, envelope.clock)
        case ev.PromptUncertain():
            prompt = state.role(event.to).prompt
            return state.with_role(event.to, prompt=prompt and replace(prompt, stage="uncertain"))
        case ev.MessageReceived():
            return _message_received(state, event, envelope.clock)
        case ev.MessageRefused():
            if event.sender not in state.roles:
                return state
            role = state.role(event.sender)
            return state.with_role(event.sender, complaint=event.reason, seen=role.seen | {("refused", event.excerpt)})
        case ev.TurnEnded():
            return _turn_ended(state, event, envelope.clock)
        case ev.AttentionRaised():
            return _attention_raised(state, event, envelope.at)
        case ev.AttentionAnswered():
            return _attention_answered(state, event)
        case ev.KeysRequested():
            keys = {**state.keys_open, event.keys_id: event}
            return replace(state, keys_open=keys, keys_count=state.keys_count + 1)
        case ev.KeysSent():
            return replace(state, keys_open={k: v for k, v in state.keys_open.items() if k != event.keys_id})
        case ev.PlanEdited():
            return replace(state, edited={**state.edited, event.message_id: event.body})
        case ev.UsageReported():
            return _usage_reported(state, event)
        case ev.RunConfigured():
            return _configured(state, event)
        case ev.RunPaused():
            return replace(state, name="paused", paused_by=event.by, reason=event.reason, paused_at=envelope.clock)
        case ev.RunResumed():
            spent = envelope.clock - state.paused_at if state.paused_at is not None else 0.0
            name: RunStateName = "running" if all(role.up for role in state.roles.values()) else "starting"
            return replace(
                state, name=name, paused_by=None, reason=None, paused_at=None, paused_total=state.paused_total + spent
            )
        case ev.Recovered():
            return _recovered(state, event)
        case ev.RunEnded():
            return replace(
                state,
                name="ended",
                ended_at=envelope.at,
                outcome=event.outcome,
                reason=event.reason,
                summary=event.summary,
                pending={},
            )
        case _:
            assert_never(event)


def _with_spec(state: RunState, spec: ev.RunSpec) -> RunState:
    return replace(
        state,
        spec=spec,
        limits=spec.limits,
        approve_plans=spec.approve_plans,
        roles={role: RoleState(spec=agent) for role, agent in spec.agents.items()},
    )


def _state_changed(state: RunState, event: ev.AgentStateChanged, at: str) -> RunState:
    changes: dict[str, Any] = {"state": event.state, "why": event.why, "since": at}
    if event.state is AgentState.DEAD:
        role = state.role(event.role)
        changes |= {"up": False, "pane": None, "dialog": None, "failures": role.failures + 1}
    return state.with_role(event.role, **changes)


def _counted(state: RunState, event: ev.AgentReplied | ev.Nudged | ev.LimitReached | ev.OutputGap) -> RunState:
    match event:
        case ev.AgentReplied():
            return state.with_role(event.role, replies=state.role(event.role).replies + 1)
        case ev.Nudged():
            return state.with_role(event.role, nudges=event.count)
        case ev.LimitReached(role=Role() as role):
            return state.with_role(role, stuck=event.detail or event.limit)
        case _:
            return state


def _prompt_requested(state: RunState, event: ev.PromptRequested) -> RunState:
    role = state.role(event.to)
    before = state.pending.get(event.to, ())
    waiting = tuple(p for p in before if p.message.message_id not in event.messages)
    passed_on = {p.message.sender for p in before if p.message.message_id in event.messages}
    prompts = max(state.prompts, _number(event.prompt_id))
    state = replace(state, pending={**state.pending, event.to: waiting}, prompts=prompts)
    # What a role said is passed on from the moment its receiver's prompt is an intent.
    for sender in passed_on & state.roles.keys():
        state = state.with_role(sender, relayed=True)
    # A turn that only seemed to be over is answered with the key that it was given.
    keys = (*role.keys, event.key) if event.steer or event.origin == "nudge" else (event.key,)
    return state.with_role(
        event.to, prompt=Prompt(event, "requested"), keys=keys, lost=False, peer_lost=False, stuck="", complaint=""
    )


def _number(prompt_id: PromptId) -> int:
    """The counter at the end of a prompt's id."""
    digits = prompt_id.rpartition(".p")[2]
    return int(digits) if digits.isdigit() else 0


def _prompt_delivered(state: RunState, event: ev.PromptDelivered, clock: float) -> RunState:
    role = state.role(event.to)
    if role.prompt is None or role.prompt.id != event.prompt_id:
        return state
    request = role.prompt.request
    duty = role.duty
    if request.origin not in ("user", "primer"):
        duty = "owed"
    elif duty in ("none", "answered"):
        duty = "may"
    # What was due was said while words of the user, or a nudge, were on their way: it is still to be passed on.
    aside = request.origin in ("user", "primer", "nudge")
    same_answer = aside and role.duty == "answered" and not role.relayed
    return state.with_role(
        event.to,
        prompt=replace(role.prompt, stage="delivered"),
        primed=True,
        turn=request.prompt_id,
        duty="answered" if same_answer else duty,
        over=False,
        how="done",
        relayed=False,
        settled=role.settled and not same_answer and duty == "may",
        released=role.released and not same_answer and duty == "may",
        said=role.said if same_answer else (),
        seen=frozenset(mark for mark in role.seen if mark[0] == "is") if request.origin == "nudge" else frozenset(),
        complaint="",
        replies=0,
        reports=0,
        nudges=role.nudges if request.origin == "nudge" else 0,
        turn_began=clock,
    )


def _message_received(state: RunState, event: ev.MessageReceived, clock: float) -> RunState:
    state = replace(state, messages=(*state.messages, event))
    late = False
    if event.sender in state.roles:
        role = state.role(event.sender)
        ends = event.kind in DUTY_ENDING[event.sender]
        late = role.relayed or (not ends and role.over and role.duty == "answered")
        said = Said(event.message_id, event.kind, event.to, "key" in event.header)
        changes: dict[str, Any] = {"said": (*role.said, said), "seen": role.seen | {place(event)}}
        if ends and not role.relayed:
            changes |= {
                "duty": "answered",
                "answered_at": clock,
                "settled": False,
                "released": False,
                "failures": 0,
                "nudges": 0,
            }
        state = state.with_role(event.sender, **changes)
    if event.to in state.roles:
        promised = event.turn if event.sender is Role.USER else None
        if promised is not None:
            state = replace(state, prompts=max(state.prompts, _number(promised)))
        waiting = (*state.pending.get(event.to, ()), Pending(event, late, promised))
        state = replace(state, pending={**state.pending, event.to: waiting})
    return state


def place(message: ev.MessageReceived) -> tuple[object, ...]:
    """What makes a message the same one within its turn: its place in the agent's own record, else its content."""
    if message.index >= 0:
        return ("at", message.turn, message.index)
    return ("is", message.kind, content_mark(message.body))


def content_mark(body: str) -> str:
    """A body without what a repaint may change: white space and frames."""
    return "".join(ch for ch in body if ch.isalnum() or ord(ch) > 0x2E80)


def _turn_ended(state: RunState, event: ev.TurnEnded, clock: float) -> RunState:
    role = state.role(event.role)
    if role.over:
        return state
    busy = role.busy + max(0.0, clock - role.turn_began)
    seen = role.ends_seen or event.source not in ("quiet", "message", "run")
    duty: Duty = "none" if role.duty == "may" else role.duty
    return state.with_role(
        event.role, over=True, how=event.how, failure=event.detail or "", busy=busy, ends_seen=seen, duty=duty
    )


def _attention_raised(state: RunState, event: ev.AttentionRaised, at: str) -> RunState:
    item = Attention(
        attention_id=event.attention_id,
        run_id=state.run_id,
        role=event.role,
        kind=event.kind,
        title=event.title,
        text=event.text,
        choices=event.choices,
        free_text=event.free_text,
        raised_at=at,
    )
    state = replace(
        state,
        attention={**state.attention, event.attention_id: item},
        about={**state.about, event.attention_id: event.about},
        dialog_keys={**state.dialog_keys, event.attention_id: event.keys} if event.keys else state.dialog_keys,
    )
    if event.role is None:
        return state
    if event.keys or event.kind in ("permission", "login", "update", "trust"):
        return state.with_role(event.role, dialog=event.about)
    if event.kind in ("question", "plan") and event.about is not None:
        return state.with_role(event.role, settled=True)
    return state


def _attention_answered(state: RunState, event: ev.AttentionAnswered) -> RunState:
    item = state.attention.get(event.attention_id)
    if item is None:
        return state
    answer = Answer(choice=event.choice, text=event.text, by=event.by)
    answered = item.model_copy(update={"answered": answer})
    state = replace(state, attention={**state.attention, event.attention_id: answered})
    if item.role is None:
        return state
    role = state.role(item.role)
    about = state.about.get(event.attention_id)
    if about is not None and role.dialog == about:
        return state.with_role(item.role, dialog=None)
    if item.kind == "plan" and event.choice == "sendback":
        # A plan that was sent back is never passed on.
        dropped = tuple(p for p in state.pending.get(PEER[item.role], ()) if p.message.sender is not item.role)
        return replace(state, pending={**state.pending, PEER[item.role]: dropped})
    return state


def _usage_reported(state: RunState, event: ev.UsageReported) -> RunState:
    old = state.role(event.role).usage
    usd = None if old.usd is None and event.usd is None else (old.usd or 0.0) + (event.usd or 0.0)
    usage = RoleUsage(tokens_in=old.tokens_in + event.tokens_in, tokens_out=old.tokens_out + event.tokens_out, usd=usd)
    return state.with_role(event.role, usage=usage, reports=state.role(event.role).reports + 1)


def _configured(state: RunState, event: ev.RunConfigured) -> RunState:
    if event.limits is not None:
        state = replace(state, limits=state.limits.but(event.limits))
    if event.approve_plans is not None:
        state = replace(state, approve_plans=event.approve_plans)
    for role, spec in (event.agents or {}).items():
        state = state.with_role(role, spec=spec, session=None, failures=0, ends_seen=False)
    return state


def _recovered(state: RunState, event: ev.Recovered) -> RunState:
    if event.role is None or not event.context_lost:
        return state
    state = state.with_role(event.role, primed=False, lost=True)
    peer = PEER.get(event.role)
    return state.with_role(peer, peer_lost=True) if peer is not None and peer in state.roles else state
