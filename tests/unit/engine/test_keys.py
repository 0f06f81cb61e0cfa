"""Keys that are pressed for somebody: how they go out to the pane."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from politerm.core.events import KeysPurpose, KeysRequested
from politerm.core.wire import Role
from politerm.engine.keys import APART, press


class Pane:
    """Takes keys, and is as much of a session as pressing them needs."""

    def __init__(self) -> None:
        self.came: list[tuple[float, tuple[str, ...]]] = []
        self.stopped = False
        self.role = Role.EXECUTER
        self.dead = False
        self.handle = SimpleNamespace(pane="%1")
        self.around = SimpleNamespace(panes=self)
        self.idleness = SimpleNamespace(interrupted=lambda: setattr(self, "stopped", True))

    async def keys(self, pane: str, keys: tuple[str, ...]) -> None:
        self.came.append((time.monotonic(), tuple(keys)))


async def pressed(purpose: KeysPurpose, *keys: str) -> Pane:
    pane: Any = Pane()
    done = await press(pane, KeysRequested(keys_id="k1", role=Role.EXECUTER, keys=keys, purpose=purpose))
    assert done.sent
    assert isinstance(pane, Pane)
    return pane


async def test_an_interrupt_of_two_keys_is_two_presses() -> None:
    pane = await pressed("interrupt", "Escape", "Escape")
    [(first, one), (second, other)] = pane.came
    assert (one, other) == (("Escape",), ("Escape",))
    assert second - first >= APART
    assert pane.stopped


async def test_an_answer_goes_out_at_once() -> None:
    pane = await pressed("answer", "1", "Enter")
    assert [keys for _, keys in pane.came] == [("1", "Enter")]
    assert not pane.stopped
