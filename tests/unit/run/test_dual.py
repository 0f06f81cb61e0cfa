"""A dual run from its start to `complete`, and everything that may come between."""

from __future__ import annotations

import pytest

from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.wire import AgentState, Role, Why
from tests.unit.run.dialogue import EXECUTER, PLANNER, Dialogue, only, spec, types


def test_a_whole_run_with_a_revision() -> None:
    run = Dialogue()
    assert types(run.start()) == ["runStarted", "agentStarting", "agentStarting"]
    assert types(run.up(EXECUTER)) == ["agentReady"]
    task = only(run.up(PLANNER), ev.PromptRequested)
    assert task.origin == "task"
    assert task.text.startswith("TASK_ID=run-0001\n")
    assert "write a module" in task.text
    assert "You are the PLANNER." in task.text
    assert task.text.endswith(f"POLI key: {task.key}\nPOLI end: {task.prompt_id}")
    assert types(run.taken(PLANNER)) == ["promptDelivered"]
    assert run.state.name == "running"

    told = run.says(PLANNER, "plan", body="<PLAN>\ndo \\this\n</PLAN>")
    assert types(told) == ["messageReceived", "turnEnded", "roundStarted", "promptRequested"]
    relay = only(told, ev.PromptRequested)
    assert relay.to is EXECUTER
    assert "<PLAN>\ndo \\this\n</PLAN>" in relay.text
    assert "You are the EXECUTER." in relay.text
    assert relay.key != task.key
    run.taken(EXECUTER)

    told = run.says(EXECUTER, "status", "result", body="one test failed")
    assert types(told) == ["messageReceived", "messageReceived", "turnEnded", "promptRequested"]
    back = only(told, ev.PromptRequested)
    assert back.to is PLANNER
    assert back.text.count("one test failed") == 2, "a status that came with the result is told with it"
    assert "You are the PLANNER." not in back.text
    run.taken(PLANNER)

    assert only(run.says(PLANNER, "revision"), ev.RoundStarted).round == 2
    run.taken(EXECUTER)
    run.says(EXECUTER, "result")
    run.taken(PLANNER)
    end = only(run.says(PLANNER, "complete", body="all is done"), ev.RunEnded)
    assert (end.outcome, end.summary) == ("completed", "all is done")
    assert run.tell(run.block(PLANNER, "plan", index=9)) == [], "an ended run changes no more"


def test_a_status_after_the_result_loses_neither() -> None:
    run = Dialogue().began()
    run.says(PLANNER, "plan")
    run.taken(EXECUTER)
    told = run.says(EXECUTER, "result", "status")
    assert len(only(told, ev.PromptRequested).messages) == 2


def test_without_a_known_end_of_turn_the_first_answer_is_relayed_at_once_and_the_rest_rides_along() -> None:
    never = ev.AgentSpec(name="x", turn_end="never")
    run = Dialogue(agents={PLANNER: never, EXECUTER: never})
    run.start()
    run.up()
    run.taken(PLANNER)
    key = run.prompt(PLANNER).key
    told = run.tell(run.on_screen(PLANNER, "plan", "first", key=key))
    assert types(told) == ["messageReceived", "turnEnded", "roundStarted", "promptRequested"]
    assert types(run.tell(run.on_screen(PLANNER, "status", "second", key=key))) == ["messageReceived"]
    run.taken(EXECUTER)
    told = run.tell(run.on_screen(EXECUTER, "result", key=run.prompt(EXECUTER).key))
    assert only(told, ev.PromptRequested).to is PLANNER
    run.taken(PLANNER)
    told = run.tell(run.on_screen(PLANNER, "continue", "third", key=run.prompt(PLANNER).key))
    later = only(told, ev.PromptRequested)
    assert "second" in later.text
    assert "third" in later.text


def test_a_repainted_message_counts_once_and_the_same_words_in_the_next_turn_count_again() -> None:
    never = ev.AgentSpec(name="x", turn_end="never")
    run = Dialogue(agents={PLANNER: never, EXECUTER: never})
    run.start()
    run.up()
    run.taken(PLANNER)
    block = run.on_screen(PLANNER, "plan", "go on", key=run.prompt(PLANNER).key, id="same")
    run.tell(*[block] * 1000)
    repainted = run.on_screen(PLANNER, "plan", "│ go  on │", key=run.prompt(PLANNER).key)
    run.tell(repainted)
    assert len(run.state.messages) == 1
    run.taken(EXECUTER)
    run.tell(run.on_screen(EXECUTER, "result", key=run.prompt(EXECUTER).key))
    run.taken(PLANNER)
    run.tell(run.on_screen(PLANNER, "plan", "go on", key=run.prompt(PLANNER).key, id="same"))
    assert len(run.state.messages) == 3


@pytest.mark.parametrize(
    ("header", "proven", "quoted", "reason"),
    [
        ({"type": "plan", "key": "old"}, True, False, "key"),
        ({"type": "plan"}, False, False, "quotation"),
        ({"type": "plan"}, True, True, "quotation"),
        ({"type": "result"}, True, False, "not one that a PLANNER sends"),
    ],
)
def test_what_is_refused(header: dict[str, str], proven: bool, quoted: bool, reason: str) -> None:
    run = Dialogue().began()
    told = run.tell(inp.BlockSeen(PLANNER, run.turn(PLANNER), header, "x", "screen", 0, proven, quoted))
    refused = only(told, ev.MessageRefused)
    assert reason in refused.reason
    assert run.state.messages == ()


def test_a_role_that_was_never_asked_says_nothing() -> None:
    run = Dialogue().began()
    told = run.tell(inp.BlockSeen(EXECUTER, run.turn(PLANNER), {"type": "result"}, "x", "transcript", 0, True))
    assert "nothing was asked" in only(told, ev.MessageRefused).reason


def test_a_keyless_block_beside_a_keyed_one_is_a_quotation() -> None:
    run = Dialogue().began()
    run.tell(run.block(PLANNER, "plan", "real", key=run.prompt(PLANNER).key))
    told = run.tell(run.block(PLANNER, "plan", "quoted"))
    assert types(told) == ["messageRefused"]


def test_legacy_agents_need_no_key() -> None:
    old = ev.AgentSpec(name="old", legacy=True, turn_end="never")
    run = Dialogue(agents={PLANNER: old, EXECUTER: old})
    run.start()
    run.up()
    run.taken(PLANNER)
    assert "messageReceived" in types(run.tell(run.on_screen(PLANNER, "plan")))
    assert "[[POLI" not in run.prompt(EXECUTER).text


def test_nudges_are_counted_and_then_a_person_is_asked() -> None:
    run = Dialogue().began()
    for count in (1, 2):
        told = run.over(PLANNER)
        assert only(told, ev.Nudged).count == count
        assert only(told, ev.PromptRequested).origin == "nudge"
        run.taken(PLANNER)
    told = run.over(PLANNER)
    assert types(told) == ["turnEnded", "limitReached", "attentionRaised", "runPaused"]
    item = run.state.open_attention()[0]
    told = run.tell(inp.AnswerGiven(item.attention_id, text="answer at last"))
    prompt = only(told, ev.PromptRequested)
    assert "answer at last" in prompt.text
    assert run.state.name == "running"


def test_an_answer_that_comes_while_a_nudge_is_typed_is_passed_on() -> None:
    """The turn only seemed to be over: an agent that shows its empty input box also while it works."""
    run = Dialogue().began()
    first = run.prompt(PLANNER)
    nudge = only(run.over(PLANNER), ev.PromptRequested)
    late = inp.BlockSeen(PLANNER, first.prompt_id, {"type": "plan", "key": first.key}, "late", "screen", None, False)
    assert types(run.tell(late)) == ["messageReceived"]
    run.taken(PLANNER)
    repainted = inp.BlockSeen(PLANNER, nudge.prompt_id, dict(late.header), "late", "screen", None, False)
    assert run.tell(repainted) == [], "it was counted already"
    told = run.over(PLANNER)
    assert types(told) == ["turnEnded", "roundStarted", "promptRequested"]
    assert "late" in only(told, ev.PromptRequested).text


def test_the_key_of_the_prompt_before_a_nudge_still_counts_but_no_older_one() -> None:
    run = Dialogue().began()
    old = run.prompt(PLANNER)
    run.says(PLANNER, "plan")
    run.taken(EXECUTER)
    run.says(EXECUTER, "result")
    run.taken(PLANNER)
    asked = run.prompt(PLANNER)
    run.over(PLANNER)
    run.taken(PLANNER)
    assert types(run.tell(run.on_screen(PLANNER, "complete", "stale", key=old.key))) == ["messageRefused"]
    assert types(run.tell(run.on_screen(PLANNER, "continue", "late", key=asked.key))) == ["messageReceived"]


def test_an_old_answer_that_a_screen_shows_below_the_new_prompt_is_nothing_new() -> None:
    never = ev.AgentSpec(name="x", turn_end="never")
    run = Dialogue(agents={PLANNER: never, EXECUTER: never})
    run.start()
    run.up()
    run.taken(PLANNER)
    old = run.prompt(PLANNER).key
    run.tell(run.on_screen(PLANNER, "plan", "go on", key=old))
    run.taken(EXECUTER)
    run.tell(run.on_screen(EXECUTER, "result", key=run.prompt(EXECUTER).key))
    run.taken(PLANNER)
    assert run.tell(run.on_screen(PLANNER, "plan", "│ go  on │", key=old)) == []
    # Other words under the old key were never said then.
    assert types(run.tell(run.on_screen(PLANNER, "plan", "go elsewhere", key=old))) == ["messageRefused"]


def test_words_that_were_refused_without_the_key_count_with_it() -> None:
    run = Dialogue().began()
    assert types(run.tell(run.on_screen(PLANNER, "plan", "go"))) == ["messageRefused"]
    assert run.tell(run.on_screen(PLANNER, "plan", "go")) == [], "a repaint is refused once"
    assert types(run.tell(run.on_screen(PLANNER, "plan", "go", key=run.prompt(PLANNER).key))) == ["messageReceived"]


def test_an_agent_that_never_wakes_by_itself_is_nudged_whatever_it_left_running() -> None:
    rests = ev.AgentSpec(name="p", turn_end="known", wakes=False)
    run = Dialogue(agents={PLANNER: rests, EXECUTER: rests}).began()
    run.seen(PLANNER, AgentState.WORKING)
    assert "nudged" in types(run.over(PLANNER))


def test_a_working_agent_is_not_nudged() -> None:
    run = Dialogue().began()
    run.seen(PLANNER, AgentState.WORKING)
    assert types(run.over(PLANNER)) == ["turnEnded"], "background work goes on"
    assert "nudged" in types(run.seen(PLANNER, AgentState.READY))


def test_the_limit_of_rounds_ends_the_run() -> None:
    run = Dialogue(limits=ev.Limits(rounds=1)).began()
    run.says(PLANNER, "plan")
    run.taken(EXECUTER)
    run.says(EXECUTER, "result")
    run.taken(PLANNER)
    told = run.says(PLANNER, "continue")
    assert only(told, ev.LimitReached).limit == "rounds"
    assert only(told, ev.RunEnded).outcome == "limit"


def test_limits_of_time() -> None:
    limits = ev.Limits(minutes=10, per_role={PLANNER: ev.RoleLimits(idle_seconds=60)})
    run = Dialogue(limits=limits).began()
    assert run.deadline == 60
    assert run.tick(60, PLANNER=30) == [], "it moved half a minute ago"
    assert only(run.tick(70, PLANNER=60), ev.RunEnded).outcome == "limit"

    run = Dialogue(limits=limits).began()
    run.tell(inp.Pause())
    run.now = 3600
    assert run.deadline is None
    run.tell(inp.Resume())
    assert run.tick(3700, PLANNER=1) == [], "paused time does not count"
    assert only(run.tick(4200, PLANNER=1), ev.LimitReached).limit == "minutes"


def test_an_answer_whose_end_is_not_seen_settles_after_quiet() -> None:
    unsure = ev.AgentSpec(name="u", turn_end="unsure")
    run = Dialogue(agents={PLANNER: unsure, EXECUTER: unsure}).began()
    run.tell(run.block(PLANNER, "plan"))
    assert run.deadline == 2
    assert run.tick(2, PLANNER=1) == []
    assert "promptRequested" in types(run.tick(3, PLANNER=2))


def test_a_question_to_the_user_and_its_answer() -> None:
    run = Dialogue().began()
    told = run.says(PLANNER, "question", body="which one?")
    item = only(told, ev.AttentionRaised)
    assert (item.kind, item.text, item.free_text) == ("question", "which one?", True)
    told = run.tell(inp.AnswerGiven(item.attention_id, text="the blue one"))
    assert types(told) == ["attentionAnswered", "messageReceived", "promptRequested"]
    assert "the blue one" in run.prompt(PLANNER).text
    assert run.tell(inp.AnswerGiven(item.attention_id, text="again")) == []


def test_steer_now_and_queue_next() -> None:
    run = Dialogue().began()
    told = run.tell(inp.UserMessage(PLANNER, "use tabs", "now"))
    steer = only(told, ev.PromptRequested)
    assert steer.steer
    assert "use tabs" in steer.text
    run.taken(PLANNER)
    run.tell(run.block(PLANNER, "plan", key=run.prompt(PLANNER).key))
    run.over(PLANNER)
    run.taken(EXECUTER)
    first = only(run.tell(inp.UserMessage(PLANNER, "and docs", "next")), ev.MessageReceived)
    second = only(run.tell(inp.UserMessage(PLANNER, "and tests", "next")), ev.MessageReceived)
    assert first.turn == second.turn, "both are promised the same prompt"
    told = run.says(EXECUTER, "result")
    prompt = only(told, ev.PromptRequested)
    assert prompt.prompt_id == first.turn
    assert "and docs" in prompt.text
    assert "and tests" in prompt.text


def test_complete_waits_for_words_of_the_user() -> None:
    run = Dialogue().began()
    run.tell(inp.UserMessage(PLANNER, "one more thing", "next"))
    told = run.says(PLANNER, "complete")
    assert "one more thing" in only(told, ev.PromptRequested).text
    run.taken(PLANNER)
    assert only(run.says(PLANNER, "complete"), ev.RunEnded).outcome == "completed"


def test_words_for_now_are_given_as_soon_as_the_dialog_is_gone() -> None:
    run = Dialogue().began()
    run.says(PLANNER, "plan")
    run.taken(EXECUTER)
    choices = {"allow": ("y",)}
    run.tell(inp.DialogSeen(EXECUTER, "permission", "f1", "rm", (ev.Choice(id="allow", label="allow"),), choices))
    assert types(run.tell(inp.UserMessage(EXECUTER, "be careful", "now"))) == ["messageReceived"]
    prompt = only(run.tell(inp.DialogGone(EXECUTER, "f1")), ev.PromptRequested)
    assert (prompt.to, prompt.steer, "be careful" in prompt.text) == (EXECUTER, True, True)
    run.taken(EXECUTER)
    told = run.says(EXECUTER, "result")
    assert only(told, ev.PromptRequested).to is PLANNER


def test_complete_waits_for_words_to_the_executer_and_for_what_it_answers() -> None:
    run = Dialogue().began()
    run.says(PLANNER, "plan")
    run.taken(EXECUTER)
    run.says(EXECUTER, "result")
    run.taken(PLANNER)
    run.tell(inp.UserMessage(EXECUTER, "docs too", "next"))
    prompt = only(run.says(PLANNER, "complete"), ev.PromptRequested)
    assert (prompt.to, "docs too" in prompt.text) == (EXECUTER, True)
    assert run.taken(EXECUTER)
    assert run.state.name == "running"
    relay = only(run.says(EXECUTER, "result", body="docs written"), ev.PromptRequested)
    assert (relay.to, "docs written" in relay.text) == (PLANNER, True)
    run.taken(PLANNER)
    assert only(run.says(PLANNER, "complete"), ev.RunEnded).outcome == "completed"


def test_complete_waits_only_for_a_turn_that_answers_nothing() -> None:
    run = Dialogue().began()
    run.says(PLANNER, "plan")
    run.taken(EXECUTER)
    run.says(EXECUTER, "result")
    run.taken(PLANNER)
    run.tell(inp.UserMessage(EXECUTER, "thank you", "next"))
    run.says(PLANNER, "complete")
    run.taken(EXECUTER)
    assert only(run.over(EXECUTER), ev.RunEnded).outcome == "completed"


def test_pause_sends_nothing_and_resume_goes_on() -> None:
    run = Dialogue().began()
    run.tell(inp.Pause())
    assert types(run.says(PLANNER, "plan")) == ["messageReceived", "turnEnded"]
    told = run.tell(inp.Resume())
    assert types(told) == ["runResumed", "roundStarted", "promptRequested"]


def test_interrupt_pauses_and_resume_asks_to_go_on() -> None:
    run = Dialogue().began()
    told = run.tell(inp.Interrupt(None, {PLANNER: ("Escape",), EXECUTER: ("Escape",)}))
    keys = only(told, ev.KeysRequested)
    assert (keys.role, keys.keys, keys.purpose) == (PLANNER, ("Escape",), "interrupt")
    run.tell(inp.KeysDone(keys.keys_id, PLANNER, True))
    run.over(PLANNER, "interrupted")
    assert run.state.name == "paused"
    assert only(run.tell(inp.Resume()), ev.PromptRequested).origin == "recovery"


def test_plans_wait_for_approval_and_may_be_edited_or_sent_back() -> None:
    run = Dialogue(approve_plans="every").began()
    item = only(run.says(PLANNER, "plan", body="rm -rf"), ev.AttentionRaised)
    assert item.kind == "plan"
    told = run.tell(inp.AnswerGiven(item.attention_id, choice="sendback", text="gentler please"))
    assert "gentler please" in only(told, ev.PromptRequested).text
    run.taken(PLANNER)
    item = only(run.says(PLANNER, "plan", body="tidy up"), ev.AttentionRaised)
    told = run.tell(inp.AnswerGiven(item.attention_id, choice="approve", text="tidy up slowly"))
    assert only(told, ev.PlanEdited).body == "tidy up slowly"
    text = only(told, ev.PromptRequested).text
    assert "tidy up slowly" in text
    assert "rm -rf" not in text


def test_words_about_a_plan_without_a_choice_send_it_back() -> None:
    run = Dialogue(approve_plans="every").began()
    item = only(run.says(PLANNER, "plan", body="rm -rf"), ev.AttentionRaised)
    told = run.tell(inp.AnswerGiven(item.attention_id, text="gentler please"))
    assert only(told, ev.AttentionAnswered).choice == "sendback"
    prompt = only(told, ev.PromptRequested)
    assert (prompt.to, "gentler please" in prompt.text) == (PLANNER, True)


def test_a_dialog_is_asked_once_answered_once_and_nothing_is_pasted_meanwhile() -> None:
    run = Dialogue().began()
    seen = inp.DialogSeen(
        EXECUTER, "permission", "d1", "run ls?", (ev.Choice(id="allow", label="y"),), {"allow": ("y",)}
    )
    item = only(run.tell(seen, seen), ev.AttentionRaised)
    assert types(run.says(PLANNER, "plan")) == ["messageReceived", "turnEnded", "roundStarted"]
    told = run.tell(inp.AnswerGiven(item.attention_id, choice="allow"))
    assert only(told, ev.KeysRequested).guard == "d1"
    assert "promptRequested" in types(run.said)


@pytest.mark.parametrize("kind", ["question", "update"])
def test_whatever_a_dialog_is_about_it_holds_up_typing_and_is_answered_by_its_keys(kind: ev.AttentionKind) -> None:
    run = Dialogue().began()
    seen = inp.DialogSeen(EXECUTER, kind, "d1", "which?", (ev.Choice(id="first", label="1"),), {"first": ("1",)})
    item = only(run.tell(seen), ev.AttentionRaised)
    assert "promptRequested" not in types(run.says(PLANNER, "plan"))
    told = run.tell(inp.AnswerGiven(item.attention_id, choice="first"))
    assert only(told, ev.KeysRequested).keys == ("1",)
    assert only(told, ev.PromptRequested).to is EXECUTER, "the plan that waited; nothing is told to the agent beside"


def test_a_dialog_ends_with_the_program_that_showed_it() -> None:
    run = Dialogue().began()
    run.tell(inp.DialogSeen(PLANNER, "question", "d1", "which?", (), {"first": ("1",)}))
    run.tell(inp.AgentDown(PLANNER, 1, "gone"))
    assert not run.state.open_attention()


def test_a_dialog_that_the_person_answers_in_the_pane_is_closed() -> None:
    run = Dialogue().began()
    run.tell(inp.DialogSeen(PLANNER, "permission", "d1", "x", (), {}))
    assert only(run.tell(inp.DialogGone(PLANNER, "d1")), ev.AttentionAnswered).by == "pane"


def test_a_queued_run_begins_when_told() -> None:
    run = Dialogue()
    assert types(run.tell(inp.Start(spec(), queue=True))) == ["runQueued"]
    assert run.state.name == "queued"
    assert types(run.tell(inp.Begin()))[0] == "runStarted"


def test_stop_ends_at_any_moment() -> None:
    run = Dialogue().began()
    run.tell(inp.DialogSeen(PLANNER, "permission", "d1", "x", (), {}))
    told = run.tell(inp.Stop("enough"))
    assert types(told) == ["attentionAnswered", "runEnded"]
    assert run.state.outcome == "stopped"


def test_usage_is_summed_and_bounded() -> None:
    run = Dialogue(limits=ev.Limits(tokens=100)).began()
    run.tell(inp.UsageSeen(PLANNER, 40, 10, None, 0))
    run.tell(inp.UsageSeen(PLANNER, 40, 10, None, 0))
    assert run.state.role(PLANNER).usage.tokens_in == 40, "a report that is read again says nothing new"
    assert only(run.tell(inp.UsageSeen(PLANNER, 40, 10, 0.5, 1)), ev.RunEnded).outcome == "limit"


def test_state_changes_are_told_once() -> None:
    run = Dialogue().began()
    why = Why(source="screen", rule="spinner", evidence="1")
    assert types(run.tell(inp.StateSeen(PLANNER, AgentState.WORKING, why))) == ["agentStateChanged"]
    again = why.model_copy(update={"evidence": "2"})
    assert run.tell(inp.StateSeen(PLANNER, AgentState.WORKING, again)) == []


def test_roles_are_read_in_any_case() -> None:
    assert Role("planner") is PLANNER
    run = Dialogue().began()
    told = run.tell(run.block(PLANNER, "question", to="executer"))
    assert only(told, ev.MessageReceived).to is EXECUTER


def test_a_limit_that_is_changed_leaves_the_others_as_they_were() -> None:
    limits = ev.Limits(rounds=3, minutes=5, per_role={EXECUTER: ev.RoleLimits(idle_seconds=60, total_seconds=600)})
    d = Dialogue(limits=limits).began()
    wish = ev.Limits.model_validate({"minutes": 9, "perRole": {"executer": {"totalSeconds": 900}}})
    d.tell(inp.Configure(wish, None, None))
    changed = ev.RoleLimits(idle_seconds=60, total_seconds=900)
    assert d.state.limits == ev.Limits(rounds=3, minutes=9, per_role={EXECUTER: changed})


def test_words_for_now_that_come_while_a_prompt_is_on_its_way_steer_the_turn_that_it_begins() -> None:
    run = Dialogue()
    run.start()
    run.up()
    told = run.tell(inp.UserMessage(PLANNER, "use tabs", "now"))
    assert "promptRequested" not in types(told)
    steer = only(run.taken(PLANNER), ev.PromptRequested)
    assert steer.steer
    assert "use tabs" in steer.text
