"""Screens that published agents really showed, and what the rules of their profiles say of them today.

A file lies at tests/golden/AGENT/VERSION/NAME.txt; its form is that of politerm.agents.golden. Record one with
`politerm doctor AGENT --save-screen FILE`, or those of a pinned program with `python -m tests.real_agents.record`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import politerm.agents
from politerm.agents.golden import GoldenScreen, judged
from politerm.agents.registry import parse_profile
from politerm.agents.rules import look
from politerm.core.redact import Redactor
from tests.real_agents.install import pins

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
SCREENS = sorted(GOLDEN.rglob("*.txt"))


def named(path: Path) -> str:
    return "/".join(path.relative_to(GOLDEN).with_suffix("").parts)


@pytest.mark.parametrize("path", SCREENS, ids=named)
def test_the_rules_say_of_a_recorded_screen_what_was_seen_there(path: Path) -> None:
    screen = GoldenScreen.parse(path.read_text("utf-8"))
    name = path.relative_to(GOLDEN).parts[0]
    text = Path(politerm.agents.__file__).with_name(f"{name}.toml").read_text("utf-8")
    profile = parse_profile(text, name, "built-in").profile
    assert judged(look(profile, screen.rows, screen.title)) == (screen.expect, screen.what)


def test_recorded_screens_are_of_pinned_programs_and_hold_no_secret() -> None:
    known = {(pin.name, pin.version) for pin in pins()}
    assert SCREENS
    for path in SCREENS:
        assert path.relative_to(GOLDEN).parts[:2] in known, path
        text = path.read_text("utf-8")
        assert Redactor([]).shapes(text) == text, path


def test_a_screen_is_the_same_when_it_is_read_again() -> None:
    profile = parse_profile(
        "command = ['x']\nready = '^> $'\nlimited = 'over until (?P<until>.*)'", "x", "user"
    ).profile
    screen = GoldenScreen.of(profile, ["a: b", "---", "over until noon", "", "> ", "", ""], "a title: with a colon")
    assert (screen.expect, screen.what) == ("limited", "noon")
    assert screen.rows == ("a: b", "---", "over until noon", "", ">")
    assert GoldenScreen.parse(screen.text()) == screen
    assert GoldenScreen.of(profile, [">"], "").expect == "ready"
    assert GoldenScreen.of(profile, ["?"], "").expect == "nothing"


@pytest.mark.parametrize("text", ["", "title: x\nexpect: ready\n", "expect: ready\nwhat:\n---\n>\n"])
def test_what_is_no_golden_screen_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="golden screen"):
        GoldenScreen.parse(text)
