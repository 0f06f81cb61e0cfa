"""A turn that fails, and an agent whose user's allowance is used up: what the run does, and what people are told."""

from __future__ import annotations

from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.wire import AgentState, Why
from tests.unit.run.dialogue import PLANNER, Dialogue, only, types

SPENT = Why(source="transcript", rule="limited: x", evidence="You've hit your limit · resets 3pm", until="3pm")


def failed(run: Dialogue, words: str) -> list[ev.Event]:
    return run.tell(inp.TurnOver(PLANNER, run.turn(PLANNER), "failed", "transcript", words))


def limited(run: Dialogue) -> list[ev.Event]:
    run.seen(PLANNER, AgentState.WORKING)
    failed(run, SPENT.evidence)
    return run.tell(inp.StateSeen(PLANNER, AgentState.LIMITED, SPENT))


def test_a_failed_turn_says_what_the_agent_said_of_it() -> None:
    run = Dialogue().began()
    told = failed(run, "API Error: 401\nbad key")
    assert only(told, ev.TurnEnded).detail == "API Error: 401 bad key"
    assert "API Error: 401 bad key" in only(told, ev.AttentionRaised).title
    assert only(told, ev.RunPaused)


def test_a_limit_is_told_once_with_its_end_and_nothing_is_tried() -> None:
    run = Dialogue().began()
    raised = only(limited(run), ev.AttentionRaised)
    assert raised.kind == "budget"
    assert "3pm" in raised.title
    assert raised.text == SPENT.evidence
    assert [choice.id for choice in raised.choices] == ["retry", "stop"]
    assert not {"promptRequested", "nudged", "runPaused"} & set(types(run.tick(600.0)))
    assert not run.state.paused


def test_an_agent_that_goes_on_by_itself_takes_the_question_back() -> None:
    run = Dialogue().began()
    limited(run)
    told = run.seen(PLANNER, AgentState.WORKING)
    assert only(told, ev.AttentionAnswered).by == "run"
    told = run.tell(run.block(PLANNER, "plan"))
    assert "messageReceived" in types(told)


def test_a_person_may_have_it_tried_again() -> None:
    run = Dialogue().began()
    raised = only(limited(run), ev.AttentionRaised)
    told = run.tell(inp.AnswerGiven(raised.attention_id, "retry", None))
    assert only(told, ev.PromptRequested).to is PLANNER


def test_a_person_may_end_the_run_instead() -> None:
    run = Dialogue().began()
    raised = only(limited(run), ev.AttentionRaised)
    assert only(run.tell(inp.AnswerGiven(raised.attention_id, "stop", None)), ev.RunEnded).outcome == "stopped"


def test_where_the_agent_itself_asks_nothing_is_asked_beside_it() -> None:
    run = Dialogue().began()
    run.seen(PLANNER, AgentState.WORKING)
    run.tell(
        inp.DialogSeen(
            PLANNER, "budget", "f", "Stop and wait?", (ev.Choice(id="wait", label="wait"),), {"wait": ("1",)}
        )
    )
    failed(run, SPENT.evidence)
    assert "attentionRaised" not in types(run.tell(inp.StateSeen(PLANNER, AgentState.LIMITED, SPENT)))
    told = run.tell(inp.AnswerGiven(run.state.open_attention()[0].attention_id, "wait", None))
    assert only(told, ev.KeysRequested).keys == ("1",)
    assert only(told, ev.AttentionRaised).about == "stuck:PLANNER"


def test_what_the_agent_asks_of_its_limit_takes_the_place_of_what_we_asked() -> None:
    run = Dialogue().began()
    limited(run)
    run.tell(inp.DialogSeen(PLANNER, "budget", "f", "Wait?", (ev.Choice(id="wait", label="wait"),), {"wait": ("1",)}))
    assert [[choice.id for choice in item.choices] for item in run.state.open_attention()] == [["wait"]]
