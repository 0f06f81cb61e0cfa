"""The argument of every command: one frozen model each, shared by the front door, the command line and the tests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from politerm.core.events import Limits
from politerm.core.wire import AttentionId, Role, RunId, Wire

ApprovePlans = Literal["off", "first", "every"]


class Nothing(Wire):
    """A command without arguments."""


class ContextItem(Wire):
    """A place in a file that belongs to the task. `range` is an LSP range; `diagnostics` are LSP diagnostics."""

    uri: str
    range: dict[str, Any] | None = None
    text: str | None = None
    diagnostics: list[dict[str, Any]] | None = None


class GateSpec(Wire):
    """Checks that are run before `complete` is believed. A string is a shell line of the user's, a list an argv."""

    commands: tuple[str | tuple[str, ...], ...]
    minutes: float | None = None


class StartRun(Wire):
    task: str = Field(min_length=1)
    mode: Literal["dual", "autonomous", "chat", "monitor"] = "dual"
    planner: str | None = None
    executer: str | None = None
    agent: str | None = None
    cwd: str | None = None
    cwds: dict[Role, str] | None = None
    limits: Limits | None = None
    gate: GateSpec | None = None
    approve_plans: ApprovePlans = "off"
    order: Literal["dual", "solo", "plannerOnFailure"] = "dual"
    isolate: Literal["none", "worktree"] = "none"
    context: tuple[ContextItem, ...] = ()
    queue: bool = False
    run_id: RunId | None = Field(default=None, pattern=r"^[a-z0-9-]{8,40}$")


class ListRuns(Wire):
    states: tuple[Literal["queued", "starting", "running", "paused", "ended"], ...] | None = None
    limit: int = Field(default=50, ge=1, le=1000)
    before: RunId | None = None


class RunRef(Wire):
    run_id: RunId


class RunAct(Wire):
    """pause, resume, retry, stop, delete."""

    run_id: RunId
    reason: str | None = None


class ReadEvents(Wire):
    run_id: RunId
    after: int = Field(default=0, ge=0)
    limit: int = Field(default=1000, ge=1, le=10_000)


class ConfigureRun(Wire):
    run_id: RunId
    limits: Limits | None = None
    order: Literal["dual", "solo", "plannerOnFailure"] | None = None
    approve_plans: ApprovePlans | None = None
    agents: dict[Role, str] | None = None


class InterruptRun(Wire):
    run_id: RunId
    role: Role | None = None


class ExportRun(Wire):
    run_id: RunId
    format: Literal["md", "jsonl", "cast"] = "md"


class SearchText(Wire):
    text: str = Field(min_length=1)
    limit: int = Field(default=50, ge=1, le=1000)


class SendMessage(Wire):
    run_id: RunId
    to: Role
    text: str = Field(min_length=1)
    when: Literal["now", "next"] = "now"


class ListAttention(Wire):
    run_id: RunId | None = None


class AnswerAttention(Wire):
    attention_id: AttentionId
    choice: str | None = None
    text: str | None = None


class PaneRef(Wire):
    run_id: RunId
    role: Role


class OpenPane(PaneRef):
    columns: int | None = Field(default=None, ge=1, le=2000)
    rows: int | None = Field(default=None, ge=1, le=2000)
    credit: int | None = Field(default=None, ge=0)


class TakeOver(PaneRef):
    on: bool


class PaneInput(PaneRef):
    data: str


class ResizePane(PaneRef):
    columns: int = Field(ge=1, le=2000)
    rows: int = Field(ge=1, le=2000)


class AttachPane(PaneRef):
    """How a person attaches to a pane with tmux itself."""

    read_only: bool = False


class PaneCredit(PaneRef):
    """`politerm/paneCredit`: so many bytes (UTF-8) of pane output were read."""

    bytes: int = Field(ge=0)


class CheckAgent(Wire):
    agent: str
