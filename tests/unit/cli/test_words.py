"""Words for people: every event has some or needs none, and nothing an agent wrote can steer a terminal."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from politerm.cli import words
from politerm.core.events import Event

ESC = "\x1b"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SAMPLES: dict[str, Any] = {
    "prompt_id": "p", "message_id": "m", "attention_id": "a", "keys_id": "k", "to": "PLANNER", "from": "EXECUTER",
    "role": "EXECUTER", "agent": "x", "incarnation": 2, "pane": "%1", "state": "dead", "text": "t", "source": "s",
    "round": 3, "origin": "task", "key": "k", "reason": "because", "kind": "question", "body": "b", "excerpt": "e",
    "how": "done", "count": 1, "title": "t", "keys": ["C-c"], "purpose": "interrupt", "sent": True, "limit": "rounds",
    "what": "agent", "outcome": "failed", "task": "t", "cwd": "/", "seed": "s",
    "agents": {"PLANNER": {"name": "p"}, "EXECUTER": {"name": "e"}},
    "why": {"source": "screen", "rule": "r"},
}  # fmt: skip
EVENTS = get_args(get_args(Event)[0])


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_can_be_described(kind: Any) -> None:
    needed = {
        field.alias or name: SAMPLES.get(name) or SAMPLES.get(field.alias, "x")
        for name, field in kind.model_fields.items()
        if field.is_required()
    }
    event = kind.model_validate(needed).to_json()
    line = words.describe(event)
    if line is not None:
        assert line.head
        assert not CONTROL.search(line.head)


def test_an_event_of_a_newer_version_is_passed_over() -> None:
    assert words.describe({"type": "somethingNew", "much": 1}) is None


@given(st.text())
def test_safe_text_has_no_controls(text: str) -> None:
    assert not CONTROL.search(words.safe(text))


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cf", "Cs"])))
def test_ordinary_text_is_kept_as_it_is(text: str) -> None:
    assert words.safe(text) == text


@pytest.mark.parametrize(
    "hostile",
    [
        f"a{ESC}]0;title\x07b",
        f"a{ESC}]8;;http://x{ESC}\\b",
        f"a{ESC}[2Jb",
        f"a{ESC}P1$r{ESC}\\b",
        f"a{ESC}cb",
        "a\x9bb",
    ],
)
def test_escape_sequences_leave_nothing_behind(hostile: str) -> None:
    assert words.safe(hostile) == "ab"


def test_a_trimmed_message_says_how_much_is_missing_and_closes_its_fence() -> None:
    assert words.trim("a\nb", 2) == ("a\nb", 0)
    assert words.trim("```\na\nb\n```\nc", 2) == ("```\na\n```", 3)
    assert words.trim("a\n```\nb\n```\nc", 4) == ("a\n```\nb\n```", 1)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0.0s"),
        (0.99, "0.9s"),
        (9.99, "9.9s"),
        (12.3, "12s"),
        (59.9, "59s"),
        (60, "1:00"),
        (185, "3:05"),
        (7385, "2:03:05"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_money_is_said_only_where_it_is_known() -> None:
    assert words.money({"tokensIn": 0, "tokensOut": 0}) == ""
    assert words.money({"tokensIn": 900, "tokensOut": 50}) == "950 tokens"
    assert words.money({"tokensIn": 12000, "tokensOut": 345, "usd": 0.5}) == "$0.50 · 12.3k tokens"


def test_only_tags_that_stand_alone_are_left_out_of_a_body() -> None:
    assert words.body("<PLAN>\nSay <PLAN> here\n</PLAN>\n") == "Say <PLAN> here"
