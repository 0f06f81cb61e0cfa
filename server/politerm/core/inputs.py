"""Everything that may happen to a run. The runner puts these into core/run.py's `decide` one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from politerm.core.events import AgentSpec, AttentionKind, Choice, Limits, RunSpec, TurnHow
from politerm.core.wire import AgentState, AttentionId, PromptId, Role, Why


@dataclass(frozen=True)
class Start:
    spec: RunSpec
    queue: bool = False


@dataclass(frozen=True)
class Begin:
    """A queued run's turn has come."""


@dataclass(frozen=True)
class AgentUp:
    """The agent's program runs and is ready for a prompt. `incarnation` counts starts of this role from 1."""

    role: Role
    incarnation: int
    pane: str
    pid: int | None
    resumed: bool = False


@dataclass(frozen=True)
class AgentDown:
    """The program, its pane, session, or server is gone."""

    role: Role
    incarnation: int
    reason: str
    what: Literal["agent", "tmux"] = "agent"
    final: bool = False
    """It cannot be started at all (not installed, not executable): do not try again."""


@dataclass(frozen=True)
class SessionSeen:
    """The agent named its conversation, by which it can be resumed."""

    role: Role
    session: str


@dataclass(frozen=True)
class StateSeen:
    role: Role
    state: AgentState
    why: Why


@dataclass(frozen=True)
class PromptTaken:
    prompt_id: PromptId
    source: str
    file: str | None = None
    """Where it was handed over, when it could not be typed."""


@dataclass(frozen=True)
class PromptUnclear:
    """It cannot be known whether the agent has the prompt."""

    prompt_id: PromptId
    reason: str


@dataclass(frozen=True)
class PromptLost:
    """It is certain that the agent does not have the prompt, and that nothing of it is left in its input."""

    prompt_id: PromptId
    reason: str


@dataclass(frozen=True)
class BlockSeen:
    """One block in a turn's text. `index` is its ordinal in the turn where a witness counts them, else None.

    `proven`: it comes from an agent's own record of this turn. `quoted`: it stands in a fence or a quotation.
    """

    role: Role
    turn: PromptId
    header: Mapping[str, Any]
    body: str
    source: str
    index: int | None = None
    proven: bool = False
    quoted: bool = False


@dataclass(frozen=True)
class BlockBroken:
    role: Role
    turn: PromptId
    reason: str
    excerpt: str
    index: int | None = None


@dataclass(frozen=True)
class Replied:
    role: Role
    turn: PromptId
    text: str
    source: str
    index: int
    """How many replies of this turn came before it: a record that is read again says nothing new."""


@dataclass(frozen=True)
class TurnOver:
    role: Role
    turn: PromptId
    how: TurnHow
    source: str
    detail: str = ""
    """Of a turn that failed: what the agent said of it."""


@dataclass(frozen=True)
class UsageSeen:
    role: Role
    tokens_in: int
    tokens_out: int
    usd: float | None
    index: int
    """How many reports of this turn came before it."""


@dataclass(frozen=True)
class DialogSeen:
    """The agent asks for something. `choices` maps each choice to the keys that give it."""

    role: Role
    kind: AttentionKind
    fingerprint: str
    what: str
    choices: tuple[Choice, ...]
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class DialogGone:
    role: Role
    fingerprint: str


@dataclass(frozen=True)
class KeysDone:
    keys_id: str
    role: Role
    sent: bool
    detail: str = ""


@dataclass(frozen=True)
class Adopted:
    """A server of ours took the run over."""


@dataclass(frozen=True)
class GapSeen:
    role: Role
    reason: str


@dataclass(frozen=True)
class Tick:
    """Time has passed. `quiet`: per role, seconds since its pane or record last moved."""

    quiet: Mapping[Role, float]


@dataclass(frozen=True)
class Pause:
    reason: str = "asked by the user"


@dataclass(frozen=True)
class Resume:
    reason: str = ""


@dataclass(frozen=True)
class Retry:
    pass


@dataclass(frozen=True)
class Stop:
    reason: str = "stopped by the user"


@dataclass(frozen=True)
class Interrupt:
    role: Role | None = None
    keys: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)


When = Literal["now", "next"]


@dataclass(frozen=True)
class UserMessage:
    """A word of the user's: now (steer) or with the receiver's next prompt (queue)."""

    to: Role
    text: str
    when: When = "now"


@dataclass(frozen=True)
class ResendPrimer:
    role: Role


@dataclass(frozen=True)
class AnswerGiven:
    attention_id: AttentionId
    choice: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Configure:
    limits: Limits | None = None
    approve_plans: Literal["off", "first", "every"] | None = None
    agents: Mapping[Role, AgentSpec] | None = None


Input = (
    Start
    | Begin
    | AgentUp
    | AgentDown
    | SessionSeen
    | StateSeen
    | PromptTaken
    | PromptUnclear
    | PromptLost
    | BlockSeen
    | BlockBroken
    | Replied
    | TurnOver
    | UsageSeen
    | DialogSeen
    | DialogGone
    | KeysDone
    | Adopted
    | GapSeen
    | Tick
    | Pause
    | Resume
    | Retry
    | Stop
    | Interrupt
    | UserMessage
    | ResendPrimer
    | AnswerGiven
    | Configure
)
