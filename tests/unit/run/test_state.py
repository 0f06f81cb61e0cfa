"""The state of a run: how it is copied."""

from __future__ import annotations

import dataclasses

import pytest

from politerm.core.state import RoleState, RunState, replace
from tests.unit.run.dialogue import Dialogue


def test_a_copy_is_what_the_library_makes_of_it() -> None:
    old = Dialogue().began().state
    assert replace(old, round=7, name="paused") == dataclasses.replace(old, round=7, name="paused")
    assert old.round == 0


def test_only_fields_can_be_changed() -> None:
    with pytest.raises(TypeError, match="rounds"):
        replace(Dialogue().began().state, rounds=7)


@pytest.mark.parametrize("kind", [RunState, RoleState])
def test_nothing_is_made_after_the_fact(kind: type) -> None:
    """What a copy would leave out: a `__post_init__`, slots, fields that are no arguments."""
    assert not hasattr(kind, "__post_init__")
    assert not hasattr(kind, "__slots__")
    assert all(each.init for each in dataclasses.fields(kind))
