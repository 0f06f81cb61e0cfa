"""What readers are shown: RunView and Attention, each a fold of a run's events.

A view knows nothing that is not in the log, so every reader that folds the same events sees the same thing.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from politerm.core.events import AttentionKind, Choice, Outcome
from politerm.core.wire import AgentState, AttentionId, Role, RunId, Why, Wire

RunStateName = Literal["queued", "starting", "running", "paused", "ended"]


class RoleView(Wire):
    agent: str
    state: AgentState
    why: Why | None = None
    pane: str | None = None
    since: str | None = None


class RoleUsage(Wire):
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = None


class Usage(Wire):
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = None
    by_role: dict[Role, RoleUsage] = Field(default_factory=dict)


class Answer(Wire):
    choice: str | None = None
    text: str | None = None
    by: str = "user"


class Attention(Wire):
    """Something that waits for a person. `run_id` is absent for what concerns the whole workspace (trust)."""

    attention_id: AttentionId
    run_id: RunId | None = None
    role: Role | None = None
    kind: AttentionKind
    title: str
    text: str = ""
    choices: tuple[Choice, ...] = ()
    free_text: bool = False
    raised_at: str
    answered: Answer | None = None


class RunView(Wire):
    run_id: RunId
    mode: str
    order: str
    task: str
    state: RunStateName
    round: int
    max_rounds: int | None = None
    started_at: str
    ended_at: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    summary: str | None = None
    cwd: str
    roles: dict[Role, RoleView]
    attention: int = 0
    usage: Usage = Usage()
    last_seq: int = 0
