"""What is told of an agent's state, from its dialog, its screen, and its own record."""

from __future__ import annotations

import pytest

from politerm.agents.rules import Dialog, Limit, RuleHit, Verdict
from politerm.core.wire import AgentState, Why
from politerm.engine.status import DISAGREE, StatusWatch, Told, shown_state

READY = Verdict(ready=RuleHit("ready: >", "> "))
WORKING = Verdict(working=RuleHit("working: esc", "esc to interrupt"))
BOTH = Verdict(ready=READY.ready, working=WORKING.working)
LEFT = Verdict(ready=READY.ready, background=RuleHit("background: jobs", "2 jobs"))
LIMIT = Limit("limited: over", "over, resets 3pm", "3pm")
IDLE = Told("transcript", sure=True)
TURN = Told("transcript", "p1", sure=True)
DIALOG = Dialog("blocked: x", "x?", "permission", "f")


@pytest.mark.parametrize(
    ("dialog", "verdict", "told", "state", "rule"),
    [
        (DIALOG, WORKING, TURN, AgentState.BLOCKED, "blocked: x"),
        (None, WORKING, TURN, AgentState.WORKING, "working: esc"),
        (None, Verdict(), TURN, AgentState.WORKING, "turn"),
        (None, READY, Told("transcript", background="make watch"), AgentState.WORKING, "background work"),
        (None, LEFT, IDLE, AgentState.WORKING, "background: jobs"),
        (None, READY, Told("transcript", limit=LIMIT), AgentState.LIMITED, "limited: over"),
        (None, READY, IDLE, AgentState.READY, "ready: >"),
        (None, Verdict(), IDLE, AgentState.READY, "idle"),
    ],
)
def test_what_stands_first(dialog: Dialog | None, verdict: Verdict, told: Told, state: AgentState, rule: str) -> None:
    shown, why = shown_state(dialog, verdict, told)
    assert (shown, why.rule) == (state, rule)


def test_a_limit_says_when_it_ends() -> None:
    _, why = shown_state(None, READY, Told("transcript", limit=LIMIT))
    assert why == Why(source="transcript", rule="limited: over", evidence="over, resets 3pm", until="3pm")


def test_a_limit_on_the_screen_counts_where_no_record_tells_how_turns_end() -> None:
    seen = Verdict(ready=READY.ready, limited=LIMIT)
    assert shown_state(None, seen, Told("run"))[0] is AgentState.LIMITED
    assert shown_state(None, seen, IDLE)[0] is AgentState.READY


@pytest.mark.parametrize(
    ("verdict", "told", "says"),
    [(READY, TURN, "a turn is open"), (WORKING, IDLE, "no turn is open")],
    ids=["the screen is idle", "the record is idle"],
)
def test_two_sources_that_disagree_for_a_while_are_uncertain(verdict: Verdict, told: Told, says: str) -> None:
    watch = StatusWatch()
    first, again = watch.seen(None, verdict, told, 10.0)
    assert first is not None
    assert first[0] is AgentState.WORKING
    assert again == DISAGREE
    assert watch.seen(None, verdict, told, 10.0 + DISAGREE / 2) == (None, DISAGREE / 2)
    seen, again = watch.seen(None, verdict, told, 10.0 + DISAGREE)
    assert again is None
    assert seen is not None
    assert seen[0] is AgentState.UNCERTAIN
    assert says in seen[1].evidence
    assert "transcript" in seen[1].source
    # And when one of them comes round, the state is known again.
    settled, again = watch.seen(None, READY, IDLE, 20.0)
    assert again is None
    assert settled is not None
    assert settled[0] is AgentState.READY


def test_a_short_disagreement_is_none() -> None:
    watch = StatusWatch()
    watch.seen(None, READY, TURN, 10.0)
    watch.seen(None, WORKING, TURN, 11.0)
    assert watch.seen(None, READY, TURN, 12.5)[1] == DISAGREE


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (BOTH, TURN),
        (Verdict(), TURN),
        (WORKING, Told("transcript", background="make watch", sure=True)),
        (READY, Told("transcript", "p1")),
        (WORKING, Told("run")),
        (LEFT, IDLE),
    ],
    ids=[
        "a box under a spinner",
        "nothing seen",
        "work after the turn",
        "no end is recorded",
        "no record",
        "left running",
    ],
)
def test_what_is_no_disagreement(verdict: Verdict, told: Told) -> None:
    assert StatusWatch().seen(None, verdict, told, 10.0)[1] is None


def test_an_agent_that_asks_disagrees_with_nobody() -> None:
    assert StatusWatch().seen(DIALOG, READY, TURN, 10.0)[1] is None
