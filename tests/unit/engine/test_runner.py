"""The runner: what is performed when events are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from politerm.core import events as ev
from politerm.core import inputs as inp
from politerm.core.redact import Redactor
from politerm.core.state import RunState
from politerm.core.wire import PromptId, RunId
from politerm.engine import runner as runner_module
from politerm.engine.runner import Runner, World, _Letter
from tests.unit.run.dialogue import EXECUTER, PLANNER, Dialogue


class Clock:
    def monotonic(self) -> float:
        return 0.0

    def stamp(self) -> str:
        return "2026-01-01T00:00:00.000Z"


class Log:
    def __init__(self, last: int) -> None:
        self._last = last
        self.stored: list[ev.Event] = []
        self.calls = 0

    async def append(self, run_id: RunId, events: Sequence[ev.Event], **stamps: Any) -> list[ev.Envelope]:
        stored = []
        self.calls += 1
        self.stored += events
        for event in events:
            self._last += 1
            stored.append(ev.Envelope(run_id=run_id, seq=self._last, at=stamps["at"], clock=0.0, event=event))
        return stored


class Session:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.had: list[PromptId] = []

    def cursor(self) -> None:
        return None

    def deliver(self, request: ev.PromptRequested) -> None:
        self.had.append(request.prompt_id)

    def proven(self, prompt_id: PromptId) -> None:
        self.had.append(prompt_id)


def a_runner(run: Dialogue) -> tuple[Log, Runner]:
    nothing = cast(Any, None)
    log = Log(run.state.last_seq)
    world = World(log, nothing, nothing, Clock(), nothing, Redactor(()), changed=lambda state, stored: None)  # type: ignore[arg-type]
    runner = Runner(world, run.state.run_id)
    runner.state = run.state
    return log, runner


async def test_a_session_learns_that_its_agent_has_a_prompt_when_a_person_says_so() -> None:
    run = Dialogue()
    run.start()
    run.up()
    prompt = run.prompt(PLANNER)
    run.tell(inp.PromptUnclear(prompt.prompt_id, "nothing shows it"))
    item = run.state.open_attention()[0]
    _, runner = a_runner(run)
    session = Session()
    runner.sessions[PLANNER] = session  # type: ignore[assignment]

    await runner._step([_Letter(inp.AnswerGiven(item.attention_id, "arrived"))])

    assert runner.state.role(PLANNER).turn == prompt.prompt_id
    assert session.had == [prompt.prompt_id]


async def test_an_answer_that_comes_in_pieces_is_stored_at_once_and_as_it_would_be_piece_by_piece() -> None:
    run = Dialogue().began()
    alone = Dialogue().began()
    pieces = [run.block(PLANNER, "status", "on it"), run.block(PLANNER, "plan", "do it", index=1)]
    over = inp.TurnOver(PLANNER, run.turn(PLANNER), "done", "transcript")
    log, runner = a_runner(run)
    runner.sessions[EXECUTER] = Session()  # type: ignore[assignment]

    await runner._step([_Letter(each) for each in (*pieces, over)])

    assert log.stored == alone.tell(*pieces, over)
    assert log.calls == 1


async def test_a_defect_costs_only_the_input_that_brought_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Dialogue().began()
    log, runner = a_runner(run)
    real = runner_module.draft_of

    def broken(state: RunState, happened: inp.Input, now: float) -> Any:
        if isinstance(happened, inp.Retry):
            raise ValueError("a defect")
        return real(state, happened, now)

    monkeypatch.setattr(runner_module, "draft_of", broken)
    reply: asyncio.Future[list[ev.Event]] = asyncio.get_running_loop().create_future()

    await runner._step([_Letter(inp.Retry(), reply), _Letter(inp.Pause("a break"))])

    assert isinstance(reply.exception(), ValueError)
    assert [event.type for event in log.stored] == ["runPaused"]
