"""What the engine needs from the outside, as Protocols. Only app.py knows which classes stand behind them.

Every call has a deadline of its own and raises only what errors.py names. Nothing here blocks the event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from politerm.agents.profile import AgentProfile
from politerm.core.events import Envelope, Event, Primer
from politerm.core.wire import Role, RunId


class Clock(Protocol):
    """Time, injected. `monotonic` is for timers, `stamp` (ISO 8601, UTC, milliseconds, `Z`) for people."""

    def monotonic(self) -> float: ...

    def stamp(self) -> str: ...


# ---- the event log ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hit:
    run_id: RunId
    seq: int
    excerpt: str


class EventLog(Protocol):
    """Append-only, one gapless sequence a run. Append returns when the batch is durable against our own death
    (`durable=True`: against power loss too)."""

    @property
    def read_only(self) -> str | None:
        """Why nothing can be written (disk full, newer database, ...), or None."""
        ...

    async def append(
        self, run_id: RunId, events: Sequence[Event], *, at: str, clock: float, durable: bool = False
    ) -> list[Envelope]: ...

    async def read(self, run_id: RunId, *, after: int = 0, limit: int | None = None) -> list[Envelope]: ...

    def follow(self, run_id: RunId | None = None, *, after: int = 0) -> AsyncIterator[Envelope]:
        """Stored events after `after`, then new ones as they are stored. With no run: new events of all runs."""
        ...

    async def runs(self) -> list[RunId]:
        """All runs of this workspace, newest first."""
        ...

    async def open_runs(self) -> list[RunId]:
        """Those whose last event is not their end, newest first; quick however many have ended."""
        ...

    async def search(self, text: str, *, limit: int = 50) -> list[Hit]: ...

    async def delete(self, run_id: RunId) -> None: ...


class Recordings(Protocol):
    """Raw pane bytes as asciicast v2, capped. `write` never blocks and never raises."""

    def open(self, run_id: RunId, role: Role, *, columns: int, rows: int) -> None: ...

    def write(self, run_id: RunId, role: Role, data: bytes) -> None: ...

    def close(self, run_id: RunId) -> None: ...

    def on_gap(self, callback: Callable[[RunId, Role, str], None]) -> None:
        """Called on the loop once whenever something could not be recorded: run, role, reason."""
        ...

    async def cast(self, run_id: RunId) -> str:
        """All roles' recordings of one run as asciicast text; empty when there is none."""
        ...

    async def delete(self, run_id: RunId) -> None: ...


# ---- panes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PaneSpec:
    """A program in a pane. `argv` and `env` reach it through a 0600 file, never a command line.

    `env` is laid over a scrubbed copy of our own environment; a value of None removes the name.
    """

    run_id: RunId
    role: Role
    incarnation: int
    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str | None] = field(default_factory=dict)
    columns: int = 160
    rows: int = 50


@dataclass(frozen=True)
class PaneHandle:
    """A pane of ours: tmux's id (`%3`), the pid of the program in it, and which run, role and start it belongs to."""

    pane: str
    pid: int
    run_id: RunId
    role: Role
    incarnation: int
    columns: int
    rows: int


@dataclass(frozen=True)
class PaneStatus:
    """What tmux says of a pane right now. `exit_status`/`signal` only when dead; `pasted`/`entered`: the last marks."""

    alive: bool
    exit_status: int | None = None
    signal: int | None = None
    in_mode: bool = False
    input_off: bool = False
    alternate: bool = False
    columns: int = 0
    rows: int = 0
    cursor_x: int = 0
    cursor_y: int = 0
    title: str = ""
    pasted: str = ""
    entered: str = ""
    bracketed: bool = False
    """The program asked for bracketed paste (seen in its output, kept as a mark on the pane)."""
    canonical: bool = False
    """The pane's terminal is in cooked (line) mode: the kernel gives the program whole lines."""


@dataclass(frozen=True)
class Screen:
    """A capture: `lines` are logical lines (tmux's own wraps joined), `history` of them above the visible screen.

    `visible` are the physical rows of the screen as drawn, for rules about places.
    """

    status: PaneStatus
    lines: tuple[str, ...]
    history: int
    visible: tuple[str, ...]


class PaneSink(Protocol):
    """Where a pane's life goes. All calls on the loop; none may block."""

    def on_output(self, data: bytes) -> None: ...

    def on_gap(self, reason: str) -> None: ...

    def on_death(self, exit_status: int | None, signal: int | None, reason: str) -> None:
        """Once. The reason names what died: the program, the pane, the session, or the tmux server."""
        ...


class Panes(Protocol):
    """Panes of one tmux server. Errors: TmuxMissing, TmuxGone, TmuxTimeout, TmuxError."""

    async def start(self) -> None:
        """Find tmux and connect to a server of ours that is there. Before anything else, once."""
        ...

    async def open(self, spec: PaneSpec, sink: PaneSink) -> PaneHandle:
        """Start the program; from its first byte its output goes to the sink."""
        ...

    async def adopt(self, run_id: RunId, role: Role, sink: PaneSink) -> PaneHandle | None:
        """The living pane of this run and role with the highest incarnation, if there is one, attached to the sink."""
        ...

    async def status(self, pane: str) -> PaneStatus: ...

    async def screen(self, pane: str, *, history: int = 0) -> Screen:
        """`history`: how many lines above the screen are wanted at most (0: none). One atomic look."""
        ...

    async def snapshot(self, pane: str) -> str:
        """The visible screen as terminal text with colours, cursor placed at the end: for a viewer that starts now."""
        ...

    async def waits_for_line(self, pane: str) -> bool | None:
        """Is the pane's program blocked in reading its terminal just now? None: this platform does not tell."""
        ...

    async def paste(self, pane: str, text: str, *, mark: str) -> None:
        """Paste sanitised text, guarded against dead panes, leaving copy mode first. In the same tmux command the pane
        is marked `pasted = mark`, so that a look afterwards tells whether it happened."""
        ...

    async def keys(self, pane: str, keys: Sequence[str], *, mark: str | None = None) -> None:
        """Send tmux key names. With a mark, the pane is marked `entered = mark` in the same tmux command."""
        ...

    async def type(self, pane: str, data: str) -> None:
        """Raw bytes of a person who took the pane over."""
        ...

    async def resize(self, pane: str, columns: int, rows: int) -> tuple[int, int]:
        """Never below 160 x 50; answers the real size."""
        ...

    async def close(self, run_id: RunId, role: Role | None = None) -> int:
        """End the run's (or one role's) programs with everything they started, those that ignore SIGHUP included;
        answers how many processes had to be killed. Repeating it does no harm, also with the server gone."""
        ...

    async def attach_command(self, pane: str, *, read_only: bool) -> tuple[str, ...]:
        """The argv with which a person attaches to this pane."""
        ...

    async def report(self) -> Mapping[str, object]:
        """For doctor: version, socket path, quirks, server pid, panes."""
        ...


# ---- agents ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Launch:
    """What starts one agent for one role of one run: its files are written, its placeholders filled in."""

    argv: tuple[str, ...]
    env: Mapping[str, str | None]
    session: str | None = None
    """The name that was given to a new conversation, when its CLI takes one."""


class Agents(Protocol):
    """The profiles known here, and what is needed to start their programs."""

    def profiles(self) -> Mapping[str, AgentProfile]: ...

    def get(self, name: str) -> AgentProfile:
        """Raises AgentNotFound with the names that are known."""
        ...

    def locate(self, profile: AgentProfile) -> str | None:
        """The program's path, or None when it is not installed."""
        ...

    async def version(self, profile: AgentProfile) -> str | None: ...

    def source(self, profile: AgentProfile) -> str:
        """Where the profile comes from: built-in, user, or command."""
        ...

    async def prepare(
        self, profile: AgentProfile, run_id: RunId, role: Role, *, session: str | None, resume: bool
    ) -> Launch:
        """Write the files of the run's own and fill in command and environment. Errors: AgentNotFound, ReadOnly."""
        ...

    def witness(
        self, profile: AgentProfile, run_id: RunId, role: Role, *, cwd: str, session: str | None, pid: int | None
    ) -> Witness | None: ...

    async def hand_over(self, run_id: RunId, role: Role, name: str, text: str) -> str:
        """Write a prompt that cannot be typed into a file of the run's own; answers its path."""
        ...

    async def forget(self, run_id: RunId) -> None:
        """Remove the run's own files."""
        ...


class Trust(Protocol):
    """The user's own answers, per folder."""

    def get(self, folder: str) -> bool | None: ...

    def set(self, folder: str, trusted: bool) -> None: ...


class Briefing(Protocol):
    """What agents are told beside their task. Nothing of it is read before the workspace is trusted."""

    def primers(self) -> Mapping[Role, Primer]: ...

    async def project(self, folder: str) -> str: ...


# ---- witnesses -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WitnessRecord:
    """One thing an agent itself recorded.

    prompt: it got this text. reply: it said this, verbatim. turn_end: the turn is over (`how`). usage: tokens, money.
    state: it says it is ready or working. permission: it asks (`text` what). session: its conversation's id (`text`).
    background: it works on after its turn (`text` at what; empty: no longer).
    """

    kind: Literal["prompt", "reply", "turn_end", "usage", "state", "permission", "session", "background"]
    text: str = ""
    how: str = "done"
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = None


class Witness(Protocol):
    """A reader of one agent's own record, with a cursor that survives us. All calls are short and never block."""

    @property
    def source(self) -> str:
        """Its name in `source` fields: transcript, hook, history..."""
        ...

    @property
    def lag(self) -> float:
        """Longest measured time, in seconds, between a fact and its record."""
        ...

    def cursor(self) -> str:
        """Where reading stands: file identity and offset, as opaque text."""
        ...

    def seek(self, cursor: str | None) -> str | None:
        """Go on from a cursor. Answers what is wrong when it no longer fits (file shrunk or replaced), else None."""
        ...

    def poll(self) -> list[WitnessRecord]:
        """Records since the cursor, in order; complete ones only."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class SeeingWitness(Protocol):
    """A witness of a program whose record alone does not tell the end of a turn."""

    def seen(self, idle: bool) -> None:
        """Does the screen show the program ready, not at work, and asking nothing? Told at every look."""
        ...
