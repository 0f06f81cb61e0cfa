"""Rules on screens: where they look, which of two wins, and what is no dialog although it looks like one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from politerm.agents.profile import AgentProfile
from politerm.agents.rules import Dialog, look
from politerm.core.wire import AgentState

ASKS = {"match": r"Allow (?P<what>.+)\?", "choices": {"allow": "y", "deny": ["n", "Enter"]}}


def profile(**fields: Any) -> AgentProfile:
    return AgentProfile.model_validate({"command": ["x"], **fields})


def dialog(rows: list[str], pasted: str = "", **fields: Any) -> Dialog | None:
    return look(profile(**{"ready": "^mine> ?$", "blocked": [ASKS], **fields}), rows, pasted=pasted).dialog


def test_ready_is_the_last_line_that_is_not_empty() -> None:
    mine = profile(ready="^mine> ?$")
    hit = look(mine, ["hello", "mine>", "", ""]).ready
    assert hit is not None
    assert (hit.rule, hit.evidence) == ("ready: ^mine> ?$", "mine>")
    assert look(mine, ["mine>", "still going"]).ready is None
    assert look(mine, []).ready is None


def test_a_conversation_is_named_by_the_title_as_far_as_it_shows() -> None:
    mine = profile(conversation=r"^\S+ (?P<session>[0-9a-f-]{8,})")
    assert look(mine, ["idle 0123456789"], "busy 01a1fdd6-5107...").session == "01a1fdd6-5107"
    assert look(mine, ["idle 0123456789"], "starting").session is None
    on_screen = profile(conversation=[{"match": "^session (?P<session>.+)$", "where": "last-line"}])
    assert look(on_screen, ["session abc", ""]).session == "abc"


def test_what_goes_on_in_the_background_is_no_turn_at_work() -> None:
    mine = profile(ready="^mine> ?$", background=r"^\d+ jobs? running")
    seen = look(mine, ["Well.", "2 jobs running", "mine>"])
    assert seen.background is not None
    assert (seen.background.evidence, seen.working, seen.ready is not None) == ("2 jobs running", None, True)
    assert look(mine, ["2 jobs running", *["text"] * 20, "mine>"]).background is None


def test_a_blank_that_the_screen_lost_is_no_matter() -> None:
    assert look(profile(ready="^mine> $"), ["mine>"]).ready is not None
    assert look(profile(ready="^mine>$"), ["mine>     ", "     "]).ready is not None


def test_no_rule_no_claim() -> None:
    assert look(profile(), ["mine>"]).ready is None


def test_an_input_box_above_a_status_row() -> None:
    rows = ["hello", "────", "❯", "────", "? for help"]
    assert look(profile(ready="^❯$"), rows).ready is None
    assert look(profile(ready=[{"match": "^❯$", "where": "bottom"}]), rows).ready is not None


def test_working_is_seen_from_below() -> None:
    hit = look(profile(working=r"Thinking \d+"), ["Thinking 1", "", "Thinking 2", "text"]).working
    assert hit is not None
    assert hit.evidence == "Thinking 2"


def test_a_word_of_work_that_was_left_standing_is_none() -> None:
    mine = profile(ready="^mine> ?$", working="Thinking")
    assert look(mine, ["Thinking...", "one", "two", "", "three", "mine>"]).working is None
    assert look(mine, ["Thinking...", "one", "two", "mine>"]).working is not None
    assert look(mine, ["Thinking...", "one", "two", "three"]).working is not None


def test_a_box_that_is_always_there_hides_no_work() -> None:
    boxed = profile(ready=[{"match": "^❯$", "where": "bottom"}], working="esc to interrupt")
    verdict = look(boxed, ["esc to interrupt", *["todo"] * 5, "────", "❯", "────"])
    assert verdict.ready is not None
    assert verdict.working is not None


def test_a_place_of_its_own_is_kept() -> None:
    mine = profile(ready="^mine> ?$", working=[{"match": "Thinking", "where": "screen"}])
    assert look(mine, ["Thinking...", *["text"] * 30, "mine>"]).working is not None


def test_a_title_says_it_too() -> None:
    titled = profile(ready=[{"match": "^idle", "where": "title"}], working=[{"match": "^busy", "where": "title"}])
    assert look(titled, ["busy"], "idle").ready is not None
    assert look(titled, ["busy"], "idle").working is None
    assert look(titled, ["idle"], "busy").working is not None


def test_a_dialog() -> None:
    seen = dialog(["rm -rf build", "Allow running it?", "  [y/n]"])
    assert seen is not None
    assert (seen.what, seen.kind, seen.state) == ("running it", "permission", AgentState.BLOCKED)
    assert seen.choices == {"allow": ("y",), "deny": ("n", "Enter")}
    assert seen.evidence == "Allow running it?"
    assert seen.rule == r"blocked: Allow (?P<what>.+)\?"


def test_the_lowest_dialog_counts() -> None:
    seen = dialog(["Allow one?", "Allow two?", ""])
    assert seen is not None
    assert seen.what == "two"


def test_of_two_rules_for_one_row_the_first() -> None:
    rules = [{"match": "Allow", "kind": "trust"}, ASKS]
    seen = dialog(["Allow one?"], blocked=rules)
    assert seen is not None
    assert seen.kind == "trust"


def test_a_limit_has_its_own_state() -> None:
    seen = dialog(["Usage limit reached"], blocked=[{"match": "limit reached", "state": "limited", "kind": "budget"}])
    assert seen is not None
    assert seen.state is AgentState.LIMITED


def test_a_dialog_in_a_long_scroll_does_not_count() -> None:
    assert dialog(["Allow one?", *["text"] * 15]) is None
    assert dialog(["Allow one?", *["text"] * 14]) is not None
    assert dialog(["Allow one?", *["text"] * 15], blocked=[{**ASKS, "where": "screen"}]) is not None


def test_an_answered_dialog_above_the_prompt_does_not_count() -> None:
    assert dialog(["Allow one? y", "done", "mine>"]) is None


def test_a_question_in_the_row_of_the_prompt_counts() -> None:
    assert dialog(["Allow one? >"], ready=">$") is not None


PROMPT = "Do it.\nPOLI key: abc\nPOLI end: run-0001.p1"


@pytest.mark.parametrize(
    "rows",
    [
        ["Allow rm?", "[y/n] y", "mine> Do it.", "POLI key: abc", "POLI end: run-0001.p1"],
        ["Allow rm?", "❯ 1. Yes", "mine> [Pasted text +2 lines]"],
        ["Allow rm?", "> POLI end: run-0001.p1", "working"],
    ],
    ids=["in full", "folded", "echoed"],
)
def test_a_dialog_above_our_own_prompt_was_answered_before_that(rows: list[str]) -> None:
    assert dialog(rows, PROMPT) is None
    assert dialog([*rows, "Allow cp?"], PROMPT) is not None
    assert dialog(rows, PROMPT.replace("p1", "p")) is not None or "Pasted" in rows[-1]


def test_an_idle_title_does_not_hide_a_dialog() -> None:
    assert look(profile(ready=[{"match": "idle", "where": "title"}], blocked=[ASKS]), ["Allow one?"], "idle").dialog


PASTED = "Please do this.\nAllow one?\nIt is fine.\nPOLI end: p1"


def test_our_own_prompt_on_the_screen_is_no_dialog() -> None:
    shown = ["> Please do this.", "  Allow one?", "  It is fine.", "  POLI end: p1", "", "* working"]
    assert dialog(shown, PASTED) is None
    assert dialog(shown) is not None


def test_our_own_prompt_in_a_box_is_no_dialog() -> None:
    assert dialog(["│ Please do this. │", "│ Allow one?      │", "│ It is fine.     │"], PASTED) is None


def test_a_real_question_in_the_words_of_the_prompt_counts() -> None:
    assert dialog(["I want to go on.", "Allow one?", "❯ 1. Yes"], PASTED) is not None
    assert dialog(["I want to go on.", "Allow one?"], PASTED) is not None


def fingerprint(*rows: str, **fields: Any) -> str:
    seen = dialog(list(rows), **fields)
    assert seen is not None
    return seen.fingerprint


CALM = ("╭────╮", "│ rm -rf a-b │", "│ Allow shell? │", "│ ❯ 1. Yes │", "│   2. No │")


@pytest.mark.parametrize(
    "rows",
    [
        ("╭──────╮", "│ rm -rf a-b   │", "│ Allow shell?   │", "│ ❯ 1. Yes   │", "│   2. No   │"),
        ("╭────╮", "│ rm -rf a-b │", "│ Allow shell? │", "│   1. Yes │", "│ ❯ 2. No │"),
        ("⠋ 12s", "╭────╮", "│ rm -rf a-b │", "│ Allow shell? │", "│ ❯ 1. Yes │", "│   2. No │"),
        ("rm -rf a-b", "Allow shell?", "> 1. Yes", "2. No"),
        ("Thinking of 3 birds", *CALM),
    ],
)
def test_what_moves_does_not_make_it_another_dialog(rows: tuple[str, ...]) -> None:
    assert fingerprint(*rows, working="^Thinking") == fingerprint(*CALM, working="^Thinking")


@pytest.mark.parametrize(
    "rows",
    [
        ("╭────╮", "│ rm -rf / │", "│ Allow shell? │", "│ ❯ 1. Yes │", "│   2. No │"),
        ("╭────╮", "│ rm rf a-b │", "│ Allow shell? │", "│ ❯ 1. Yes │", "│   2. No │"),
        ("╭────╮", "│ rm -rf a-b │", "│ Allow python? │", "│ ❯ 1. Yes │", "│   2. No │"),
        ("╭────╮", "│ rm -rf a-b │", "│ Allow shell? │", "│ ❯ 1. Yes, always │", "│   2. No │"),
    ],
)
def test_another_subject_makes_another_dialog(rows: tuple[str, ...]) -> None:
    assert fingerprint(*rows) != fingerprint(*CALM)


def test_a_command_well_above_its_question_belongs_to_it() -> None:
    assert fingerprint("rm a", "", "", "Allow shell?") != fingerprint("rm b", "", "", "Allow shell?")


def test_a_row_is_cut_before_it_is_searched() -> None:
    assert look(profile(working="y$"), ["x" * 499 + "y"]).working is not None
    assert look(profile(working="y$"), ["x" * 500 + "y"]).working is None


@given(st.lists(st.text(max_size=600), max_size=60), st.text(max_size=600), st.text(max_size=2000))
def test_no_screen_raises(rows: list[str], title: str, pasted: str) -> None:
    hostile = profile(ready="", working=".", blocked=[{"match": "(?P<what>.)?", "where": "screen"}])
    seen = look(hostile, [*rows, "\ud800"], title, pasted=pasted)
    assert seen == look(hostile, [*rows, "\ud800"], title, pasted=pasted)
