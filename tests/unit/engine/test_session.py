"""A role's session: how it is ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from politerm.agents.profile import AgentProfile
from politerm.agents.rules import Verdict
from politerm.core.wire import PromptId, Role, RunId
from politerm.engine.session import RoleSession
from politerm.engine.surroundings import Surroundings
from tests.unit.engine.test_runner import Clock


def a_session() -> RoleSession:
    nothing = cast(Any, None)
    around = Surroundings(RunId("run-0001"), {}, nothing, nothing, Clock(), nothing, tell=lambda told: None)
    return RoleSession(around, Role.PLANNER, AgentProfile(command=("cat",)))


async def test_after_a_delivery_that_others_proved_the_screen_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The turn may have ended while the delivery was still under way, and nothing moves any more."""

    class Proven:
        def __init__(self, *given: object) -> None:
            pass

        async def run(self) -> None:
            return None

    monkeypatch.setattr("politerm.engine.session.Delivery", Proven)
    session = a_session()
    session.deliver(cast(Any, SimpleNamespace(prompt_id="p1", key="k")))
    session._wake.clear()
    async with asyncio.timeout(5):
        await session._wake.wait()
    assert session._output


@pytest.mark.parametrize("turns", range(5))
async def test_a_session_ends_also_while_its_pane_prints(turns: int) -> None:
    """However many turns of the loop lie between the output and the end."""
    session = a_session()
    session._ready = True
    session._spawn_watcher(resumed=False)
    await asyncio.sleep(0.01)
    session.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    ending = asyncio.create_task(session.end())
    done, _ = await asyncio.wait([ending], timeout=5)
    assert done


async def test_a_session_whose_watcher_failed_ends_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    session = a_session()

    async def broken(resumed: bool) -> None:
        raise ValueError("a defect")

    session._watch = broken  # type: ignore[method-assign]
    session._spawn_watcher(resumed=False)
    await asyncio.sleep(0)
    await session.end()
    assert "a defect" in caplog.text


async def test_the_record_of_the_conversation_that_the_screen_names_is_read_on_from_where_it_stood() -> None:
    """A program that names its conversation itself tells it late, and a person may change to another one."""
    opened: list[str | None] = []

    class Agents:
        def witness(self, *given: object, session: str | None, **more: object) -> Any:
            opened.append(session)
            cursor = SimpleNamespace(at="new")
            return SimpleNamespace(
                cursor=lambda: f"{session} {cursor.at}",
                seek=lambda at: setattr(cursor, "at", f"after {at}"),
                close=lambda: None,
            )

    session = a_session()
    session.around = replace(session.around, agents=cast(Any, Agents()), cwds={Role.PLANNER: "/"})
    session._open_record(None)
    assert session.record is not None
    session.record.turn = PromptId("p1")
    for shown, now in ((None, [None]), ("abc", [None, "abc"]), ("abc", [None, "abc"]), (None, [None, "abc"])):
        session.verdict = Verdict(session=shown)
        session._follow_session()
        assert opened == now
    assert session.record.witness.cursor() == "abc after None new"
    assert session.record.turn == "p1", "what is known of the turn stays known"
