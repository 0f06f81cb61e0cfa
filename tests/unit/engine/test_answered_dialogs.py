"""A question that stays on the screen after it was answered, as programs in line mode leave it."""

from __future__ import annotations

from politerm.agents.profile import AgentProfile, BlockedRule
from politerm.agents.rules import look
from politerm.core import inputs as inp
from politerm.core.wire import Role
from politerm.engine.dialogs import DialogWatch

PROFILE = AgentProfile(
    command=("x",), blocked=(BlockedRule(match=r"Allow (?P<what>.+)\?", choices={"allow": ("y", "Enter")}),)
)
QUESTION = "Allow running make? (y/n)"


class Pane:
    def __init__(self) -> None:
        self.watch = DialogWatch(Role.EXECUTER, 0, recorded=False)

    def shows(self, *rows: str) -> list[str]:
        return [type(one).__name__ for one in self.watch.seen(look(PROFILE, rows).dialog, 0.0, None)]


def test_its_echoed_answer_and_what_follows_are_no_new_question() -> None:
    pane = Pane()
    assert pane.shows("hello", QUESTION) == ["DialogSeen"]
    pane.watch.answered()
    assert pane.shows("hello", f"{QUESTION} y") == []
    assert pane.shows("hello", f"{QUESTION} y", "running") == ["DialogGone"]
    assert pane.shows("hello", f"{QUESTION} y", "running", "done") == []
    assert pane.watch.standing is None


def test_the_same_question_once_more_is_asked_once_more() -> None:
    pane = Pane()
    pane.shows(QUESTION)
    pane.watch.answered()
    pane.shows(f"{QUESTION} y", "running")
    assert pane.shows(f"{QUESTION} y", "running", QUESTION) == ["DialogSeen"]


def test_it_is_asked_once_more_too_when_nobody_looked_in_between() -> None:
    pane = Pane()
    pane.shows("hello", QUESTION)
    pane.watch.answered()
    assert pane.shows("hello", f"{QUESTION} y", QUESTION) == ["DialogGone", "DialogSeen"]


def test_one_that_nobody_answered_still_asks_though_something_stands_below() -> None:
    pane = Pane()
    pane.shows(QUESTION)
    pane.shows(QUESTION, "press y or n")
    assert pane.watch.standing is not None
    assert {type(one) for one in pane.watch.seen(None, 1.0, None)} == {inp.DialogGone}


def test_its_choices_have_names_for_people() -> None:
    choices = {"allow": "y", "allowAlways": "a", "use_key": "k"}
    profile = AgentProfile(command=("x",), blocked=(BlockedRule(match=r"Allow it\?", choices=choices),))
    (seen,) = DialogWatch(Role.EXECUTER, 0, recorded=False).seen(look(profile, ["Allow it?"]).dialog, 0.0, None)
    assert isinstance(seen, inp.DialogSeen)
    assert [(choice.id, choice.label) for choice in seen.choices] == [
        ("allow", "Allow"),
        ("allowAlways", "Allow always"),
        ("use_key", "Use key"),
    ]
