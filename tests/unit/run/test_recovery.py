"""What a run does when agents, their server, or we ourselves die: nothing lost, nothing said twice, bounded tries."""

from __future__ import annotations

from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.wire import AgentState, Why
from tests.unit.run.dialogue import EXECUTER, PLANNER, Dialogue, only, types


def at_execution() -> Dialogue:
    run = Dialogue().began()
    run.says(PLANNER, "plan", body="step one")
    run.taken(EXECUTER)
    return run


def test_death_in_a_turn_starts_the_agent_again_and_tells_it_what_it_lost() -> None:
    run = at_execution()
    told = run.dead(EXECUTER)
    assert types(told) == ["agentStateChanged", "turnEnded", "agentStarting"]
    assert only(told, ev.AgentStarting).incarnation == 2
    told = run.up(EXECUTER)
    assert types(told) == ["agentReady", "recovered", "promptRequested"]
    assert only(told, ev.Recovered).context_lost
    prompt = only(told, ev.PromptRequested)
    assert prompt.origin == "recovery"
    assert "You are the EXECUTER." in prompt.text
    assert prompt.text.count("step one") == 1, "asked again, and not told as history as well"
    run.taken(EXECUTER)
    told = run.says(EXECUTER, "result")
    assert "lost its earlier conversation" in only(told, ev.PromptRequested).text


def test_a_second_death_still_knows_what_was_asked() -> None:
    run = at_execution()
    for _ in range(2):
        run.dead(EXECUTER)
        run.up(EXECUTER)
        run.taken(EXECUTER)
    assert run.prompt(EXECUTER).text.count("step one") == 1


def test_a_resumed_conversation_is_not_told_again() -> None:
    agents = {role: ev.AgentSpec(name="r", resumable=True, turn_end="known") for role in (PLANNER, EXECUTER)}
    run = Dialogue(agents=agents).began()
    run.tell(inp.SessionSeen(EXECUTER, "conversation-1"))
    run.says(PLANNER, "plan", body="step one")
    run.taken(EXECUTER)
    starting = only(run.dead(EXECUTER), ev.AgentStarting)
    assert (starting.session, starting.resume) == ("conversation-1", True)
    prompt = only(run.up(EXECUTER, resumed=True), ev.PromptRequested)
    assert "step one" not in prompt.text
    assert "taken up again" in prompt.text


def test_death_before_the_prompt_was_typed_sends_the_same_prompt_again() -> None:
    run = Dialogue().began()
    run.says(PLANNER, "plan", body="step one")
    first = run.prompt(EXECUTER)
    run.dead(EXECUTER)
    assert "promptRequested" not in types(run.up(EXECUTER)), "first it is looked for"
    told = run.tell(inp.PromptLost(first.prompt_id, "no record"))
    again = only(told, ev.PromptRequested)
    assert (again.prompt_id, again.attempt, again.incarnation) == (first.prompt_id, 2, 2)
    assert "step one" in again.text
    run.taken(EXECUTER)
    assert len([e for e in run.said if isinstance(e, ev.PromptDelivered) and e.prompt_id == first.prompt_id]) == 1


def test_death_after_the_prompt_was_taken_unseen() -> None:
    run = Dialogue().began()
    run.says(PLANNER, "plan", body="step one")
    first = run.prompt(EXECUTER)
    run.dead(EXECUTER)
    run.up(EXECUTER)
    told = run.tell(inp.PromptTaken(first.prompt_id, "transcript"))
    assert types(told) == ["promptDelivered", "turnEnded", "promptRequested"]
    assert only(told, ev.PromptRequested).prompt_id != first.prompt_id


def test_doubt_is_a_question_and_both_answers_lead_on() -> None:
    for choice in ("arrived", "resend"):
        run = Dialogue().began()
        run.says(PLANNER, "plan")
        prompt = run.prompt(EXECUTER)
        told = run.tell(inp.PromptUnclear(prompt.prompt_id, "cannot be known"))
        item = only(told, ev.AttentionRaised)
        assert item.kind == "uncertain"
        assert run.tell(inp.PromptUnclear(prompt.prompt_id, "still")) == []
        told = run.tell(inp.AnswerGiven(item.attention_id, choice=choice))
        assert ("promptDelivered" in types(told)) == (choice == "arrived")
        assert ("promptRequested" in types(told)) == (choice == "resend")


def test_doubt_is_resolved_by_later_proof() -> None:
    run = Dialogue().began()
    run.says(PLANNER, "plan")
    run.tell(inp.PromptUnclear(run.prompt(EXECUTER).prompt_id, "cannot be known"))
    told = run.taken(EXECUTER)
    assert types(told) == ["promptDelivered", "attentionAnswered"]

    run = Dialogue().began()
    run.says(PLANNER, "plan")
    run.tell(inp.PromptUnclear(run.prompt(EXECUTER).prompt_id, "cannot be known"))
    told = run.tell(run.block(EXECUTER, "result", key=run.prompt(EXECUTER).key))
    assert types(told)[:2] == ["promptDelivered", "attentionAnswered"], "nobody else knows that key"


def test_four_deaths_in_a_row_pause_with_one_notice() -> None:
    run = Dialogue()
    run.start()
    for _ in range(3):
        assert "agentStarting" in types(run.dead(EXECUTER))
    told = run.dead(EXECUTER, "program ended with 127")
    assert types(told) == ["agentStateChanged", "limitReached", "attentionRaised", "runPaused"]
    assert "127" in (run.state.reason or "")
    told = run.tell(inp.Retry())
    assert types(told) == ["attentionAnswered", "runResumed", "agentStarting"]


def test_a_word_that_counts_forgives_earlier_deaths() -> None:
    run = at_execution()
    for _ in range(3):
        run.dead(EXECUTER)
        run.up(EXECUTER)
        run.taken(EXECUTER)
    run.says(EXECUTER, "result")
    assert run.state.role(EXECUTER).failures == 0


def test_an_agent_that_cannot_start_is_not_tried_again() -> None:
    run = Dialogue()
    run.start()
    told = run.tell(inp.AgentDown(EXECUTER, 1, "not installed", final=True))
    assert types(told) == ["agentStateChanged", "limitReached", "attentionRaised", "runPaused"]


def test_news_of_a_former_start_is_old_news() -> None:
    run = at_execution()
    run.dead(EXECUTER)
    assert run.tell(inp.AgentDown(EXECUTER, 1, "again")) == []
    assert run.tell(inp.AgentUp(EXECUTER, 1, "%9", 9)) == []


def test_an_answer_before_death_counts() -> None:
    run = at_execution()
    run.tell(run.block(EXECUTER, "result", "done in time"))
    told = run.dead(EXECUTER)
    assert "done in time" in only(told, ev.PromptRequested).text
    assert only(told, ev.PromptRequested).to is PLANNER


def test_adoption_reads_again_and_hears_nothing_twice() -> None:
    run = at_execution()
    run.tell(inp.Replied(EXECUTER, run.turn(EXECUTER), "working on it", "transcript", 0))
    run.tell(run.block(EXECUTER, "status", "half way", index=0))
    assert types(run.tell(inp.Adopted())) == ["recovered"]
    assert run.taken(EXECUTER) == []
    assert run.tell(inp.Replied(EXECUTER, run.turn(EXECUTER), "working on it", "transcript", 0)) == []
    assert run.tell(run.block(EXECUTER, "status", "half way", index=0)) == []
    assert types(run.tell(run.block(EXECUTER, "result", "whole", index=1))) == ["messageReceived"]


def test_adoption_starts_an_agent_that_was_dead() -> None:
    run = at_execution()
    run.tell(inp.Pause())
    run.dead(EXECUTER)
    assert run.state.role(EXECUTER).state is AgentState.DEAD
    assert types(run.tell(inp.Resume())) == ["runResumed", "agentStarting"]


def test_another_agent_takes_a_role_in_mid_run() -> None:
    run = at_execution()
    other = ev.AgentSpec(name="other", turn_end="known")
    told = run.tell(inp.Configure(agents={EXECUTER: other}))
    assert types(told) == ["runConfigured", "turnEnded", "agentStarting"]
    assert only(told, ev.AgentStarting).agent == "other"
    assert "step one" in only(run.up(EXECUTER), ev.PromptRequested).text


def test_an_agent_that_does_not_become_ready_is_a_question_until_it_does() -> None:
    run = Dialogue()
    run.start()
    why = Why(source="screen", rule="not ready within 60 s", evidence="loading")
    told = run.tell(inp.StateSeen(EXECUTER, AgentState.UNCERTAIN, why))
    assert types(told) == ["agentStateChanged", "attentionRaised"]
    assert only(told, ev.AttentionRaised).text == "loading"
    run.up(EXECUTER)
    assert run.state.open_attention() == []
