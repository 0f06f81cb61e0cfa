"""Everything PoliTerm holds to be true, in the past tense: the on-disk and on-wire form of a run.

An event whose name ends in `Requested` or `Starting` is an intent: it is stored before the world is touched, and has a
matching end. What is done about an intent without its end is written in each class ("Recovery: ...").
This module does not know who makes events (core/run.py) or where they go.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from politerm.core.wire import AgentState, AttentionId, MessageId, PromptId, Role, RunId, Why, Wire

Mode = Literal["dual"]
Outcome = Literal["completed", "failed", "stopped", "limit"]
TurnHow = Literal["done", "interrupted", "failed", "blocked"]
AttentionKind = Literal["permission", "trust", "plan", "question", "uncertain", "budget", "login", "update"]
MessageKind = Literal[
    "task", "plan", "continue", "revision", "complete", "status", "result", "error", "question", "note"
]
KeysPurpose = Literal["interrupt", "answer"]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
RoleLimitName = Literal["idle", "total"]
Origin = Literal["task", "relay", "nudge", "user", "answer", "primer", "recovery"]


class RoleLimits(Wire):
    """Limits of one role. Seconds; 0 or absent lifts that one limit."""

    idle_seconds: Amount | None = None
    total_seconds: Amount | None = None


class Limits(Wire):
    """Bounds of a run; 0 or absent lifts that one limit."""

    rounds: Count | None = None
    minutes: Amount | None = None
    usd: Amount | None = None
    tokens: Count | None = None
    per_role: dict[Role, RoleLimits] = Field(default_factory=dict)

    def but(self, wish: Limits) -> Limits:
        """These limits, but for each one that `wish` names."""
        per_role = dict(self.per_role)
        for role, each in wish.per_role.items():
            per_role[role] = per_role.get(role, RoleLimits()).model_copy(update=_named(each))
        return self.model_copy(update={**_named(wish), "per_role": per_role})


def _named(limits: Wire) -> dict[str, Any]:
    """What is given, by the names that the attributes have here."""
    return {name: value for name in type(limits).model_fields if (value := getattr(limits, name)) is not None}


class AgentSpec(Wire):
    """What the run's logic must know about the agent that plays a role; the rest stays in its profile."""

    name: str
    legacy: bool = False
    resumable: bool = False
    turn_end: Literal["never", "unsure", "known"] = "never"
    """Can the end of a turn be seen? never: relay at once; unsure: a short quiet decides; known: wait for it."""
    wakes: bool = True
    """Does it go on by itself when what it left running ends?"""


class Primer(Wire):
    name: str
    version: str
    text: str


class Choice(Wire):
    id: str
    label: str
    danger: bool | None = None


class RunSpec(Wire):
    """All that is decided about a run before it starts. `seed` is the secret its prompt keys are derived from."""

    mode: Mode = "dual"
    order: Literal["dual"] = "dual"
    task: str
    cwd: str
    cwds: dict[Role, str] = Field(default_factory=dict)
    agents: dict[Role, AgentSpec]
    limits: Limits = Limits()
    primers: dict[Role, Primer] = Field(default_factory=dict)
    project: str = ""
    context: str = ""
    approve_plans: Literal["off", "first", "every"] = "off"
    nudges: int = 2
    """How often a role that ended its turn without an answer is reminded."""
    seed: str


class RunQueued(RunSpec):
    type: Literal["runQueued"] = "runQueued"


class RunStarted(RunSpec):
    type: Literal["runStarted"] = "runStarted"


class AgentStarting(Wire):
    """Intent. Recovery: look for the pane by run, role, and incarnation; none there: start again."""

    type: Literal["agentStarting"] = "agentStarting"
    role: Role
    agent: str
    incarnation: int
    session: str | None = None
    """The conversation's id: one to resume, or the name of a new one."""
    resume: bool = False


class AgentReady(Wire):
    type: Literal["agentReady"] = "agentReady"
    role: Role
    pane: str
    incarnation: int
    pid: int | None = None
    resumed: bool = False


class SessionNamed(Wire):
    """The agent's conversation has this id, by which its CLI can resume it."""

    type: Literal["sessionNamed"] = "sessionNamed"
    role: Role
    session: str


class AgentStateChanged(Wire):
    type: Literal["agentStateChanged"] = "agentStateChanged"
    role: Role
    state: AgentState
    why: Why


class AgentReplied(Wire):
    """What an agent said in a turn beside its messages, verbatim where a witness gave it."""

    type: Literal["agentReplied"] = "agentReplied"
    role: Role
    text: str
    source: str


class RoundStarted(Wire):
    type: Literal["roundStarted"] = "roundStarted"
    round: int


class PromptRequested(Wire):
    """Intent. Recovery: look (witness from `cursor`, tmux's own marks, the screen); then redo, finish, or uncertain."""

    type: Literal["promptRequested"] = "promptRequested"
    prompt_id: PromptId
    to: Role
    text: str
    origin: Origin
    key: str
    incarnation: int
    attempt: int = 1
    messages: tuple[MessageId, ...] = ()
    steer: bool = False
    cursor: str | None = None


class PromptDelivered(Wire):
    type: Literal["promptDelivered"] = "promptDelivered"
    prompt_id: PromptId
    to: Role
    source: str
    file: str | None = None
    """The file that holds the prompt, where it could not be typed: the agent was told to read that."""


class PromptUncertain(Wire):
    type: Literal["promptUncertain"] = "promptUncertain"
    prompt_id: PromptId
    to: Role
    reason: str


class MessageReceived(Wire):
    """A block, or words of the user (`note`), accepted into the run. `turn`: the prompt answered, `index`: place."""

    type: Literal["messageReceived"] = "messageReceived"
    message_id: MessageId
    sender: Role = Field(alias="from")
    to: Role
    kind: MessageKind
    body: str
    source: str
    round: int = 0
    turn: PromptId | None = None
    index: int = 0
    header: dict[str, Any] = Field(default_factory=dict)


class MessageRefused(Wire):
    type: Literal["messageRefused"] = "messageRefused"
    sender: Role = Field(alias="from")
    reason: str
    excerpt: str
    turn: PromptId | None = None
    index: int = 0


class TurnEnded(Wire):
    type: Literal["turnEnded"] = "turnEnded"
    role: Role
    how: TurnHow
    source: str
    turn: PromptId | None = None
    detail: str | None = None
    """Of a turn that failed: what the agent said of it."""


class Nudged(Wire):
    type: Literal["nudged"] = "nudged"
    role: Role
    count: int
    reason: str


class AttentionRaised(Wire):
    type: Literal["attentionRaised"] = "attentionRaised"
    attention_id: AttentionId
    role: Role | None = None
    kind: AttentionKind
    title: str
    text: str = ""
    choices: tuple[Choice, ...] = ()
    free_text: bool = False
    keys: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """For a dialog of an agent: which tmux keys give which choice."""
    about: str | None = None
    """What it is about: a prompt id, a message id, or the fingerprint of a dialog."""


class AttentionAnswered(Wire):
    type: Literal["attentionAnswered"] = "attentionAnswered"
    attention_id: AttentionId
    choice: str | None = None
    text: str | None = None
    by: Literal["user", "pane", "run"] = "user"


class KeysRequested(Wire):
    """Intent. Recovery: never redo; the state of the pane is looked at afresh."""

    type: Literal["keysRequested"] = "keysRequested"
    keys_id: str
    role: Role
    keys: tuple[str, ...]
    purpose: KeysPurpose
    guard: str | None = None


class KeysSent(Wire):
    type: Literal["keysSent"] = "keysSent"
    keys_id: str
    role: Role
    sent: bool
    detail: str = ""


class PlanEdited(Wire):
    """The body that goes to the executer instead of the planner's own."""

    type: Literal["planEdited"] = "planEdited"
    message_id: MessageId
    body: str


class UsageReported(Wire):
    """What an agent says it used since its last report. Tokens are counts, `usd` US dollars."""

    type: Literal["usageReported"] = "usageReported"
    role: Role
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = None


class LimitReached(Wire):
    type: Literal["limitReached"] = "limitReached"
    limit: Literal["rounds", "minutes", "idle", "total", "nudges", "restarts", "tokens", "usd"]
    role: Role | None = None
    detail: str = ""


class RunConfigured(Wire):
    type: Literal["runConfigured"] = "runConfigured"
    limits: Limits | None = None
    approve_plans: Literal["off", "first", "every"] | None = None
    agents: dict[Role, AgentSpec] | None = None


class RunPaused(Wire):
    type: Literal["runPaused"] = "runPaused"
    reason: str
    by: Literal["user", "run"] = "user"


class RunResumed(Wire):
    type: Literal["runResumed"] = "runResumed"
    reason: str = ""


class Recovered(Wire):
    """Something died and the run goes on: what it was, and what was lost."""

    type: Literal["recovered"] = "recovered"
    what: Literal["server", "agent", "tmux"]
    role: Role | None = None
    context_lost: bool = False
    detail: str = ""


class OutputGap(Wire):
    type: Literal["outputGap"] = "outputGap"
    role: Role
    reason: str


class RunEnded(Wire):
    """Recovery: ending the agents is repeated; it does no harm where nothing is left."""

    type: Literal["runEnded"] = "runEnded"
    outcome: Outcome
    reason: str | None = None
    summary: str | None = None


Event = Annotated[
    RunQueued
    | RunStarted
    | AgentStarting
    | AgentReady
    | SessionNamed
    | AgentStateChanged
    | AgentReplied
    | RoundStarted
    | PromptRequested
    | PromptDelivered
    | PromptUncertain
    | MessageReceived
    | MessageRefused
    | TurnEnded
    | Nudged
    | AttentionRaised
    | AttentionAnswered
    | KeysRequested
    | KeysSent
    | PlanEdited
    | UsageReported
    | LimitReached
    | RunConfigured
    | RunPaused
    | RunResumed
    | Recovered
    | OutputGap
    | RunEnded,
    Field(discriminator="type"),
]


class Envelope(Wire):
    """An event in its place. `seq` counts from 1 without gaps; `at` is ISO 8601 UTC; `clock` is seconds of run time
    (time while some process of ours held the run), which deadlines are counted in."""

    run_id: RunId
    seq: int
    at: str
    clock: float = 0.0
    event: Event


EVENT: TypeAdapter[Event] = TypeAdapter(Event)
