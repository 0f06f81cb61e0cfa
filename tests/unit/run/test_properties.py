"""Whatever happens, in whatever order: the run never raises, never types into a working agent, never relays twice."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.projections import fold, run_view
from politerm.core.run import next_deadline
from politerm.core.wire import AgentState, AttentionId, PromptId, Role, Why
from tests.unit.run.dialogue import EXECUTER, PLANNER, Dialogue

ROLES = st.sampled_from([PLANNER, EXECUTER])
KINDS = st.sampled_from(["plan", "continue", "revision", "complete", "status", "result", "error", "question", "x"])
NAMES = st.sampled_from(
    [
        "up",
        "down",
        "taken",
        "unclear",
        "lost",
        "block",
        "stale",
        "over",
        "dialog",
        "gone",
        "answer",
        "tick",
        "pause",
        "resume",
        "retry",
        "interrupt",
        "keys",
        "steer",
        "queue",
        "primer",
        "state",
        "adopted",
        "usage",
        "replied",
        "gap",
        "session",
        "configure",
    ]
)
STEPS = st.lists(st.tuples(NAMES, ROLES, KINDS, st.integers(0, 3), st.booleans()), max_size=60)


def happening(run: Dialogue, name: str, role: Role, kind: str, number: int, flag: bool) -> list[inp.Input]:
    """One thing that could happen now. Ids are mostly real ones, sometimes made up."""
    view = run.state.role(role)
    prompt = view.prompt.id if view.prompt is not None and number < 3 else PromptId("made-up")
    turn = view.turn or prompt
    key = {"key": view.keys[-1]} if view.keys and flag else {}
    items = list(run.state.attention)
    attention = items[number % len(items)] if items else AttentionId("made-up")
    made: dict[str, Any] = {
        "up": inp.AgentUp(role, view.incarnation, "%1", 1, flag),
        "down": inp.AgentDown(role, view.incarnation - (number == 3), "gone", final=flag and number == 2),
        "taken": inp.PromptTaken(prompt, "transcript"),
        "unclear": inp.PromptUnclear(prompt, "who knows"),
        "lost": inp.PromptLost(prompt, "not there"),
        "block": inp.BlockSeen(role, turn, {"type": kind, **key}, f"body {number}", "t", number, True, False),
        "stale": inp.BlockSeen(role, turn, {"type": kind, "key": "stale"}, "stale words", "s", None, False, flag),
        "over": inp.TurnOver(role, turn, ("done", "interrupted", "failed", "blocked")[number], "transcript"),
        "dialog": inp.DialogSeen(role, "permission", f"d{number}", "?", (ev.Choice(id="y", label="y"),), {"y": ("y",)}),
        "gone": inp.DialogGone(role, f"d{number}"),
        "answer": inp.AnswerGiven(attention, ("y", "approve", "arrived", "resend")[number], "words" if flag else None),
        "tick": inp.Tick({PLANNER: 40.0 * number, EXECUTER: 40.0 * number}),
        "pause": inp.Pause(),
        "resume": inp.Resume(),
        "retry": inp.Retry(),
        "interrupt": inp.Interrupt(role if flag else None, {PLANNER: ("Escape",), EXECUTER: ("Escape",)}),
        "keys": inp.KeysDone(next(iter(run.state.keys_open), "made-up"), role, flag),
        "steer": inp.UserMessage(role, f"word {number}", "now"),
        "queue": inp.UserMessage(role, f"word {number}", "next"),
        "primer": inp.ResendPrimer(role),
        "state": inp.StateSeen(role, list(AgentState)[number], Why(source="s", rule=str(number))),
        "adopted": inp.Adopted(),
        "usage": inp.UsageSeen(role, 10, 10, 0.1, number),
        "replied": inp.Replied(role, turn, "words", "t", number),
        "gap": inp.GapSeen(role, "lagging"),
        "session": inp.SessionSeen(role, f"s{number}"),
        "configure": inp.Configure(ev.Limits(rounds=number), "first" if flag else None, None),
    }
    return [made[name]]


@given(STEPS, st.sampled_from(["never", "unsure", "known"]), st.sampled_from(["off", "first", "every"]))
@settings(max_examples=400, deadline=None)
def test_any_order_of_things(steps: list[Any], turn_end: Any, approve: Any) -> None:
    agents = {role: ev.AgentSpec(name="a", turn_end=turn_end, resumable=True) for role in (PLANNER, EXECUTER)}
    limits = ev.Limits(rounds=3, minutes=60, per_role={PLANNER: ev.RoleLimits(idle_seconds=50)})
    run = Dialogue(agents=agents, limits=limits, approve_plans=approve)
    run.start()
    envelopes: list[ev.Envelope] = []
    for name, role, kind, number, flag in steps:
        run.now += number
        for happened in happening(run, name, role, kind, number, flag):
            before = run.state
            new = run.tell(happened)
            check(before, happened, new)
    for seq, event in enumerate(run.said, 1):
        envelopes.append(ev.Envelope(run_id=run.state.run_id, seq=seq, at="t", clock=0.0, event=event))
    again = fold(run.state.run_id, envelopes)
    assert run_view(again) == run_view(run.state), "the log alone tells the whole state"
    relayed_once(run)
    deadline = next_deadline(run.state)
    assert deadline is None or run.state.live


def check(before: Any, happened: inp.Input, new: list[ev.Event]) -> None:
    typed = [event for event in new if isinstance(event, ev.PromptRequested)]
    if before.paused and not any(isinstance(event, ev.RunResumed) for event in new):
        asked = (inp.UserMessage, inp.ResendPrimer, inp.AnswerGiven, inp.PromptLost)
        assert not typed or isinstance(happened, asked), "pause: nothing new is sent"
    for prompt in typed:
        role = before.role(prompt.to)
        ended = any(isinstance(e, ev.TurnEnded) and e.role is prompt.to for e in new)
        came = any(isinstance(e, ev.PromptDelivered) and e.to is prompt.to for e in new)
        quiet = role.over or ended or came or prompt.steer or prompt.attempt > 1
        assert quiet, f"typed into a working agent on {happened}"
    ends = [event for event in new if isinstance(event, ev.RunEnded)]
    assert len(ends) <= 1
    if ends:
        assert new[-1] is ends[0], "nothing comes after the end"


def relayed_once(run: Dialogue) -> None:
    """Every message is in at most one prompt, but for repeats to an agent that lost its memory or never had it."""
    seen: dict[tuple[str, str], str] = {}
    for event in run.said:
        if isinstance(event, ev.PromptRequested) and event.origin != "recovery" and event.attempt == 1:
            for message in event.messages:
                assert seen.setdefault((message, event.to), event.prompt_id) == event.prompt_id
