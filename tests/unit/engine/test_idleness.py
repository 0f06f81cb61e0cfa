"""When a ready mark on the screen ends a turn."""

from __future__ import annotations

import pytest

from politerm.agents.rules import RuleHit, Verdict
from politerm.core.wire import PromptId, Role
from politerm.engine.idleness import REST, REST_SPOKE, REST_STOPPED, Idleness
from politerm.engine.ports import PaneStatus, Screen
from politerm.engine.reading import ScreenReader

READY = Verdict(ready=RuleHit("ready: ^> ?$", ">"))
TURN = PromptId("p1")


def a_screen(*rows: str, canonical: bool = False) -> Screen:
    return Screen(lines=rows, history=0, visible=rows, status=PaneStatus(alive=True, canonical=canonical))


def missing(idleness: Idleness, screen: Screen, *, answered: bool = False, spoke: bool = False, quiet: float) -> float:
    return idleness.missing(screen, TURN, answered=answered, spoke=spoke, quiet=quiet)


def test_a_box_that_was_never_hidden_says_nothing_until_all_has_long_been_still() -> None:
    idleness = Idleness()
    idleness.begin()
    idleness.looked(READY, a_screen("> "), drafted=False, quiet=1)
    assert missing(idleness, a_screen("> "), quiet=REST - 1) == 1
    assert missing(idleness, a_screen("> "), quiet=REST) == 0
    assert missing(idleness, a_screen("> "), spoke=True, quiet=REST_SPOKE) == 0
    assert missing(idleness, a_screen("> "), answered=True, quiet=0) == 0


def test_after_its_interrupt_key_a_box_that_was_never_hidden_is_soon_believed() -> None:
    idleness = Idleness()
    idleness.begin()
    idleness.interrupted()
    assert missing(idleness, a_screen("> "), quiet=0) == REST_STOPPED
    assert missing(idleness, a_screen("> "), quiet=REST_STOPPED) == 0
    idleness.begin()
    assert missing(idleness, a_screen("> "), quiet=0) == REST


@pytest.mark.parametrize("drafted", [True, False])
def test_our_own_draft_in_the_box_is_not_work(drafted: bool) -> None:
    idleness = Idleness()
    idleness.begin()
    idleness.looked(Verdict(), a_screen("> text"), drafted=drafted, quiet=1)
    assert (missing(idleness, a_screen("> "), quiet=0) > 0) is drafted


def test_a_box_that_is_gone_while_the_program_draws_is_looked_for_once_more() -> None:
    idleness = Idleness()
    idleness.begin()
    idleness.looked(Verdict(), a_screen("text"), drafted=False, quiet=0.001)
    assert idleness.unsure
    idleness.looked(READY, a_screen("> "), drafted=False, quiet=0.05)
    assert not idleness.unsure
    assert missing(idleness, a_screen("> "), quiet=0.05) > 0


@pytest.mark.parametrize("canonical", [True, False])
def test_in_line_mode_a_mark_below_the_prompt_is_newer_than_it(canonical: bool) -> None:
    screen = a_screen("POLI end: p1", "I have nothing to say.", "> ", canonical=canonical)
    assert (missing(Idleness(), screen, quiet=0) == 0) is canonical


def test_a_record_is_given_the_time_that_it_lags() -> None:
    screen = a_screen("> ")
    assert Idleness().missing(screen, TURN, answered=True, spoke=False, quiet=0.2, lag=0.5) == pytest.approx(0.3)
    assert Idleness().missing(screen, TURN, answered=True, spoke=False, quiet=0.5, lag=0.5) == 0


@pytest.mark.parametrize(("key", "answers"), [("old", False), ("new", True)])
def test_an_old_answer_that_still_stands_there_does_not_answer_this_turn(key: str, answers: bool) -> None:
    """The program folds prompts, so that no boundary tells old from new."""
    reader = ScreenReader(Role.PLANNER)
    reader.keys |= {PromptId("p1"): "old", PromptId("p2"): "new"}
    reader.begin(PromptId("p2"))
    header = f'[[POLI:MSG {{"type": "plan", "key": "{key}"}}]]'
    screen = a_screen(header, "body", "[[/POLI:MSG]]", "> ")
    for _ in range(2):
        list(reader.read(screen, None, legacy=False, final=True))
    assert reader.has_duty is answers
    assert not reader.spoke


def test_a_block_without_a_key_below_the_prompt_is_something_that_was_said() -> None:
    reader = ScreenReader(Role.PLANNER)
    reader.begin(TURN)
    screen = a_screen("POLI end: p1", '[[POLI:MSG {"type": "plan"}]]', "body", "[[/POLI:MSG]]", "> ")
    for _ in range(2):
        list(reader.read(screen, None, legacy=False, final=True))
    assert (reader.has_duty, reader.spoke) == (False, True)
