"""A client that knows only LSP: progress per run, questions as message requests, a line of log for what matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from politerm.core.events import MessageReceived, RoundStarted, RunEnded, RunResumed
from politerm.core.views import RoleView
from politerm.core.wire import AgentState, AttentionId, MessageId, Role, RunId
from politerm.engine.requests import AnswerAttention
from politerm.lsp.control import ControlServer, serve_control
from politerm.lsp.transport import CONGESTED_BYTES
from tests.fake_engine import FakeEngine
from tests.rawlsp import LspError, RawLsp

RUN = "run-00001"
PROGRESS = {"window": {"workDoneProgress": True}}


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.run(RUN, task="write a test\nwith care", max_rounds=10)
    return engine


@pytest.fixture
async def control(engine: FakeEngine, tmp_path: Path) -> AsyncIterator[ControlServer]:
    control = await serve_control(tmp_path / "s", engine)
    yield control
    await control.close()


@pytest.fixture
async def editor(control: ControlServer, tmp_path: Path) -> AsyncIterator[RawLsp]:
    """Connected, not yet initialized; it agrees to every progress."""
    async with RawLsp.connect(path=str(tmp_path / "s")) as client:
        client.replies["window/workDoneProgress/create"] = lambda params: None
        yield client


def steps(editor: RawLsp) -> list[dict[str, Any]]:
    return [params["value"] for params in editor.of("$/progress")]


# ---- progress


async def test_progress_of_a_run_from_begin_to_end(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize(capabilities=PROGRESS)
    begin = await editor.wait_for("$/progress")
    assert begin["value"]["kind"] == "begin"
    assert begin["value"]["title"] == "PoliTerm: write a test"
    assert begin["value"]["cancellable"] is True
    assert begin["value"]["message"] == "round 1 of 10"
    created = await editor.wait_request("window/workDoneProgress/create")
    assert created["params"]["token"] == begin["token"]
    roles = {Role.PLANNER: RoleView(agent="fake", state=AgentState.WORKING)}
    engine.views[RunId(RUN)] = engine.views[RunId(RUN)].model_copy(update={"round": 2, "roles": roles})
    engine.emit(RUN, RoundStarted(round=2))
    await editor.wait_for("$/progress", lambda p: p["value"].get("message") == "round 2 of 10, PLANNER working")
    engine.emit(RUN, RunEnded(outcome="completed", summary="All done."))
    await editor.wait_for("$/progress", lambda p: p["value"]["kind"] == "end")
    assert steps(editor)[-1] == {"kind": "end", "message": "completed: All done."}
    assert {params["token"] for params in editor.of("$/progress")} == {begin["token"]}


async def test_cancelling_interrupts_and_resuming_shows_again(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize(capabilities=PROGRESS)
    begin = await editor.wait_for("$/progress")
    editor.notify("window/workDoneProgress/cancel", {"token": "nonsense"})
    editor.notify("window/workDoneProgress/cancel", {"token": begin["token"]})
    await editor.wait_for("politerm/runChanged", lambda view: view["state"] == "paused")
    assert [name for name, _ in engine.calls if name == "interrupt"] == ["interrupt"]
    assert steps(editor)[-1]["kind"] == "end"
    engine.emit(RUN, RunResumed())
    again = await editor.wait_for("$/progress", lambda p: p["token"] != begin["token"])
    assert again["value"]["kind"] == "begin"


async def test_a_cancelled_progress_does_not_come_back_before_the_run_has_stopped(
    editor: RawLsp, engine: FakeEngine
) -> None:
    engine.gates["interrupt"] = asyncio.Event()
    await editor.initialize(capabilities=PROGRESS)
    begin = await editor.wait_for("$/progress")
    editor.notify("window/workDoneProgress/cancel", {"token": begin["token"]})
    await editor.command("politerm.doctor")
    engine.emit(RUN, RoundStarted(round=2))
    await editor.wait_for("politerm/runChanged", lambda view: view["lastSeq"] == 1)
    engine.gates["interrupt"].set()
    await editor.wait_for("politerm/runChanged", lambda view: view["state"] == "paused")
    await editor.command("politerm.doctor")
    assert [step["kind"] for step in steps(editor)] == ["begin", "end"]
    assert len(editor.requests) == 1


async def test_no_progress_for_a_client_that_cannot_or_does_it_itself(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize({"client": {"progress": True}}, capabilities=PROGRESS)
    await editor.wait_for("politerm/runChanged")
    await editor.command("politerm.doctor")
    assert not editor.requests
    assert not editor.of("$/progress")


async def test_a_client_that_refuses_a_progress_is_left_alone(editor: RawLsp, engine: FakeEngine) -> None:
    del editor.replies["window/workDoneProgress/create"]
    await editor.initialize(capabilities=PROGRESS)
    asked = await editor.wait_request("window/workDoneProgress/create")
    editor.send({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32601, "message": "no"}})
    engine.emit(RUN, RoundStarted(round=2))
    engine.emit(RUN, RunEnded(outcome="stopped"))
    await editor.wait_for("politerm/runChanged", lambda view: view["state"] == "ended")
    assert not editor.of("$/progress")
    assert await editor.command("politerm.doctor")


# ---- questions


async def test_a_question_and_its_answer(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    await editor.command("politerm.doctor")
    id = engine.ask(RUN, "Allow", "Deny")
    asked = await editor.wait_request("window/showMessageRequest")
    assert asked["params"]["message"] == "May I?"
    assert [action["title"] for action in asked["params"]["actions"]] == ["Allow", "Deny"]
    editor.reply(asked["id"], {"title": "Allow"})
    await editor.wait_for("politerm/event", lambda params: params["event"]["type"] == "attentionAnswered")
    answered = engine.items[id].answered
    assert answered is not None
    assert answered.choice == "allow"
    engine.tell_attention()
    await editor.command("politerm.doctor")
    assert len(editor.requests) == 1


async def test_a_question_that_waited_before_the_client_came(editor: RawLsp, engine: FakeEngine) -> None:
    engine.ask(RUN, "Yes")
    await editor.initialize()
    await editor.wait_request("window/showMessageRequest")


async def test_a_question_answered_elsewhere_is_withdrawn(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    await editor.command("politerm.doctor")
    id = engine.ask(RUN, "Allow")
    asked = await editor.wait_request("window/showMessageRequest")
    await engine.answer(AnswerAttention(attention_id=AttentionId(id), choice="allow"))
    cancelled = await editor.wait_for("$/cancelRequest")
    assert cancelled == {"id": asked["id"]}
    # The late answer of a client that was faster than the withdrawal does nothing, and breaks nothing.
    editor.reply(asked["id"], {"title": "Allow"})
    assert await editor.command("politerm.doctor")
    assert len([name for name, _ in engine.calls if name == "answer"]) == 1


@pytest.mark.parametrize("answer", [None, {}, {"title": "Something else"}, "text", 5])
async def test_a_question_put_away_stays_open(editor: RawLsp, engine: FakeEngine, answer: Any) -> None:
    await editor.initialize()
    await editor.command("politerm.doctor")
    id = engine.ask(RUN, "Allow")
    asked = await editor.wait_request("window/showMessageRequest")
    editor.reply(asked["id"], answer)
    engine.tell_attention()
    await editor.command("politerm.doctor")
    assert engine.items[id].answered is None
    assert len(editor.requests) == 1


async def test_an_answer_that_comes_too_late_is_explained(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    await editor.command("politerm.doctor")
    id = engine.ask(RUN, "Allow")
    asked = await editor.wait_request("window/showMessageRequest")
    engine.items[id] = engine.items[id].model_copy(update={"answered": {"choice": "deny"}})
    editor.reply(asked["id"], {"title": "Allow"})
    shown = await editor.wait_for("window/showMessage")
    assert "It has been answered." in shown["message"]


async def test_a_question_without_choices_says_how_to_answer(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    await editor.command("politerm.doctor")
    id = engine.ask(RUN, free_text=True, kind="question")
    shown = await editor.wait_for("window/showMessage")
    assert id in shown["message"]
    assert "politerm.attention.answer" in shown["message"]


async def test_a_client_that_asks_itself_is_not_asked(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize({"client": {"attention": True}})
    engine.ask(RUN, "Allow")
    await editor.wait_for("politerm/attentionChanged", lambda params: bool(params["items"]))
    await editor.command("politerm.doctor")
    assert not editor.requests


# ---- the log, options, trust


async def test_what_happens_is_told_line_by_line(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    await editor.command("politerm.doctor")
    body = "\n  do this\nand that " + "x" * 500
    engine.emit(RUN, MessageReceived(message_id=MessageId("m"), sender=Role.PLANNER, to=Role.EXECUTER, kind="plan",
                                     body=body, source="t"))  # fmt: skip
    engine.emit(RUN, RunEnded(outcome="failed", reason="the agent died"))
    await editor.wait_for("window/logMessage", lambda params: "ended (failed): the agent died" in params["message"])
    lines = [params["message"] for params in editor.of("window/logMessage")]
    assert lines[0] == f"[{RUN}] PLANNER → EXECUTER, plan: do this"


async def test_options_that_are_not_understood_are_told_and_tolerated(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize({"trusted": "yes", "colour": 1, "client": {"attention": 5, "x": 1}, "settings": 7})
    await editor.command("politerm.doctor")
    told = "\n".join(params["message"] for params in editor.of("window/logMessage"))
    for word in ("trusted must be", "colour", "client.attention must be", "client.x", "settings must be"):
        assert word in told
    with pytest.raises(LspError) as caught:
        await editor.command("politerm.run.start", {"task": "x"})
    assert caught.value.data["code"] == "untrusted"


async def test_trust_is_the_clients_word_or_the_stored_one(editor: RawLsp, engine: FakeEngine) -> None:
    engine.stored_trust = None
    await editor.initialize()
    with pytest.raises(LspError):
        await editor.command("politerm.run.start", {"task": "x"})
    assert engine.trust_said[0] is None
    engine.stored_trust = True
    await editor.command("politerm.run.start", {"task": "x"})
    editor.notify("politerm/trustChanged", {"trusted": False})
    with pytest.raises(LspError):
        await editor.command("politerm.run.start", {"task": "x"})
    editor.notify("politerm/trustChanged", {"trusted": True})
    await editor.command("politerm.run.start", {"task": "x"})
    assert engine.trust_said[-1] is True


async def test_views_are_merged_and_the_last_one_arrives(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    await editor.command("politerm.doctor")
    for number in range(200):
        engine.emit(RUN, RoundStarted(round=number))
    await editor.wait_for("politerm/runChanged", lambda view: view["lastSeq"] == 200)
    await editor.wait_for("politerm/event", lambda params: params["seq"] == 200)
    assert len(editor.of("politerm/event")) == 200
    assert len(editor.of("politerm/runChanged")) < 20


async def test_status_is_told_when_it_changes(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    await editor.command("politerm.doctor")
    engine.set_status()
    engine.set_status(health="error", message="The disk is full.", read_only=True)
    told = await editor.wait_for("politerm/serverStatus", lambda params: params["health"] == "error")
    assert told == {"health": "error", "message": "The disk is full.", "holder": True, "readOnly": True}
    assert len(editor.of("politerm/serverStatus")) == 2


async def test_nothing_piles_up_for_a_client_that_does_not_read(
    editor: RawLsp, engine: FakeEngine, control: ControlServer
) -> None:
    """50 MB of events: the queue holds what makes it congested and no more, and all of them arrive in the end."""
    await editor.initialize()
    await editor.command("politerm.doctor")
    editor.stop_reading()
    for _ in range(1000):
        engine.say(RUN, "x" * 50_000)
        await asyncio.sleep(0)
    [session] = control._sessions
    assert session.connection.peak < 2 * CONGESTED_BYTES
    editor.read_again()
    await editor.wait_for("politerm/event", lambda params: params["seq"] == 1000)
    assert [params["seq"] for params in editor.of("politerm/event")] == list(range(1, 1001))
    await editor.wait_for("politerm/runChanged", lambda view: view["lastSeq"] == 1000)


# ---- panes


async def test_no_frame_overtakes_the_answer_to_open(editor: RawLsp, engine: FakeEngine) -> None:
    """The pane prints while it is opened; the answer is on the wire before the first frame."""
    await editor.initialize()
    order: list[str] = []
    got = editor._got

    async def note(message: dict[str, Any]) -> None:
        if message.get("method") == "politerm/paneOutput" or "snapshot" in (message.get("result") or {}):
            order.append(message.get("method", "answer"))
        await got(message)

    editor._got = note  # type: ignore[method-assign]
    opened = engine.open_pane

    async def open_pane(request: Any, viewer: Any) -> Any:
        result = await opened(request, viewer)
        engine.pane(RUN).feed(b"at once")
        await asyncio.sleep(0)
        return result

    engine.open_pane = open_pane  # type: ignore[method-assign]
    await editor.command("politerm.pane.open", {"runId": RUN, "role": "planner"})
    await editor.wait_for("politerm/paneOutput")
    assert order == ["answer", "politerm/paneOutput"]


async def test_a_clients_own_credit(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    await editor.command("politerm.pane.open", {"runId": RUN, "role": "Planner", "credit": 100})
    for _ in range(50):
        engine.pane(RUN).feed(b"x" * 30)
    await editor.until(lambda: sum(len(f["data"]) for f in editor.of("politerm/paneOutput")) == 100)
    await editor.command("politerm.doctor")
    assert sum(len(frame["data"]) for frame in editor.of("politerm/paneOutput")) == 100
    editor.notify("politerm/paneCredit", {"runId": RUN, "role": "planner", "bytes": 50})
    await editor.until(lambda: sum(len(f["data"]) for f in editor.of("politerm/paneOutput")) == 150)


async def test_a_client_without_credit_is_given_it_as_it_reads(editor: RawLsp, engine: FakeEngine) -> None:
    """Three megabytes in steps that a reading client keeps up with: nothing is replaced by a screen."""
    await editor.initialize()
    await editor.command("politerm.pane.open", {"runId": RUN, "role": "planner"})
    for number in range(60):
        engine.pane(RUN).feed(b"y" * 50_000)
        total = 50_000 * (number + 1)
        await editor.until(lambda total=total: sum(len(f["data"]) for f in editor.of("politerm/paneOutput")) == total)  # type: ignore[misc]
    assert not any(frame.get("reset") for frame in editor.of("politerm/paneOutput"))


async def test_closed_panes_are_silent_and_numbers_go_on(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    await editor.command("politerm.pane.open", {"runId": RUN, "role": "planner"})
    engine.pane(RUN).feed(b"a")
    await editor.wait_for("politerm/paneOutput")
    again = await editor.command("politerm.pane.open", {"runId": RUN, "role": "planner"})
    assert again["seq"] == 1
    await editor.command("politerm.pane.close", {"runId": RUN, "role": "planner"})
    engine.pane(RUN).feed(b"b")
    await editor.command("politerm.doctor")
    assert len(editor.of("politerm/paneOutput")) == 1


async def test_input_needs_the_pane_to_be_taken_over(editor: RawLsp, engine: FakeEngine) -> None:
    await editor.initialize()
    with pytest.raises(LspError) as caught:
        await editor.command("politerm.pane.input", {"runId": RUN, "role": "planner", "data": "x"})
    assert caught.value.data["code"] == "wrongState"
    size = await editor.command("politerm.pane.takeOver", {"runId": RUN, "role": "planner", "on": True})
    assert size == {"columns": 160, "rows": 50}
    await editor.command("politerm.pane.input", {"runId": RUN, "role": "planner", "data": "x"})
    assert engine.typed == ["x"]
