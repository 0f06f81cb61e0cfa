"""A run told as a dialogue: inputs go in, events are compared. No clock, no disk, no agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.run import decide, next_deadline
from politerm.core.state import RunState, evolve
from politerm.core.wire import AgentState, PromptId, Role, RunId, Why

PLANNER, EXECUTER = Role.PLANNER, Role.EXECUTER


def spec(**changes: Any) -> ev.RunSpec:
    agents = changes.pop("agents", None) or {
        PLANNER: ev.AgentSpec(name="p", turn_end="known"),
        EXECUTER: ev.AgentSpec(name="e", turn_end="known"),
    }
    primers = {role: ev.Primer(name=role.lower(), version="1", text=f"You are the {role.value}.") for role in agents}
    return ev.RunSpec(task="write a module", cwd="/p", agents=agents, primers=primers, seed="s" * 32, **changes)


class Dialogue:
    """The run, and a world that answers for it. `said` holds every event so far."""

    def __init__(self, **changes: Any) -> None:
        self.state = RunState(RunId("run-0001"))
        self.said: list[ev.Event] = []
        self.now = 0.0
        self.changes = changes

    def tell(self, *inputs: inp.Input) -> list[ev.Event]:
        new: list[ev.Event] = []
        for happened in inputs:
            for event in decide(self.state, happened, self.now):
                seq = self.state.last_seq + 1
                envelope = ev.Envelope(run_id=self.state.run_id, seq=seq, at="t", clock=self.now, event=event)
                self.state = evolve(self.state, envelope)
                new.append(event)
        self.said += new
        return new

    def start(self) -> list[ev.Event]:
        return self.tell(inp.Start(spec(**self.changes)))

    def up(self, *roles: Role, resumed: bool = False) -> list[ev.Event]:
        told: list[ev.Event] = []
        for role in roles or (PLANNER, EXECUTER):
            told += self.tell(inp.AgentUp(role, self.state.role(role).incarnation, "%1", 1, resumed))
        return told

    def began(self) -> Dialogue:
        """Up to the planner's first turn."""
        self.start()
        self.up()
        self.taken(PLANNER)
        return self

    def prompt(self, role: Role) -> ev.PromptRequested:
        prompt = self.state.role(role).prompt
        assert prompt is not None
        return prompt.request

    def taken(self, role: Role) -> list[ev.Event]:
        return self.tell(inp.PromptTaken(self.prompt(role).prompt_id, "transcript"))

    def block(self, role: Role, kind: str, body: str = "body", **header: Any) -> inp.BlockSeen:
        index = header.pop("index", len(self.state.role(role).seen))
        return inp.BlockSeen(role, self.turn(role), {"type": kind, **header}, body, "transcript", index, True)

    def on_screen(self, role: Role, kind: str, body: str = "body", **header: Any) -> inp.BlockSeen:
        return inp.BlockSeen(role, self.turn(role), {"type": kind, **header}, body, "screen", None, False)

    def turn(self, role: Role) -> PromptId:
        turn = self.state.role(role).turn
        return turn if turn is not None else self.prompt(role).prompt_id

    def says(self, role: Role, *kinds: str, body: str = "body") -> list[ev.Event]:
        """Messages of one turn, its end, and the delivery of whatever the run asks for then."""
        told: list[ev.Event] = []
        for kind in kinds:
            told += self.tell(self.block(role, kind, body))
        return told + self.over(role)

    def over(self, role: Role, how: ev.TurnHow = "done") -> list[ev.Event]:
        return self.tell(inp.TurnOver(role, self.turn(role), how, "transcript"))

    def dead(self, role: Role, reason: str = "program ended with 7") -> list[ev.Event]:
        return self.tell(inp.AgentDown(role, self.state.role(role).incarnation, reason))

    def seen(self, role: Role, state: AgentState) -> list[ev.Event]:
        return self.tell(inp.StateSeen(role, state, Why(source="screen", rule=state.value)))

    def tick(self, now: float, **quiet: float) -> list[ev.Event]:
        self.now = now
        return self.tell(inp.Tick({Role(name): seconds for name, seconds in quiet.items()}))

    @property
    def deadline(self) -> float | None:
        return next_deadline(self.state)


def types(events: Sequence[ev.Event]) -> list[str]:
    return [event.type for event in events]


def only(events: Sequence[ev.Event], kind: type[Any]) -> Any:
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, types(events)
    return found[0]
