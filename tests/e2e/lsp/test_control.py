"""The control socket and its client, and a second server that passes everything through until it takes over itself."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from politerm.core.wire import RunId
from politerm.engine.requests import RunAct
from politerm.errors import (
    AttentionNotFound,
    HolderGone,
    InvalidParams,
    OutsideError,
    PoliTermError,
    ReadOnly,
    RunNotFound,
    WrongState,
)
from politerm.lsp.client import Client, error_from_wire
from politerm.lsp.control import ControlServer, serve_control
from politerm.lsp.proxy import Opening
from politerm.lsp.server import PoliTermServer
from politerm.lsp.transport import Connection, SocketSide
from tests.fake_engine import FakeEngine
from tests.rawlsp import LspError, RawLsp

RUN = "run-00001"


async def soon(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Until a plain fact becomes true: for facts that nobody announces."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.005)


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.run(RUN)
    return engine


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
async def control(engine: FakeEngine, path: Path) -> AsyncIterator[ControlServer]:
    server = await serve_control(path, engine)
    yield server
    await server.close()


@pytest.fixture
async def client(control: ControlServer, path: Path) -> AsyncIterator[Client]:
    client = await Client.connect(path, options={"trusted": True})
    yield client
    await client.close()


# ---- the socket


async def test_the_socket_is_of_this_user_alone(control: ControlServer, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["control.sock"]


async def test_another_user_is_refused(control: ControlServer, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.getuid()
    monkeypatch.setattr("politerm.lsp.control.os.getuid", lambda: real + 1)
    with pytest.raises(HolderGone):
        await Client.connect(path)


async def test_a_stale_socket_is_replaced_and_a_foreign_one_left(engine: FakeEngine, path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    first = await serve_control(path, engine)
    second = await serve_control(path, engine)
    await first.close()
    client = await Client.connect(path)
    await client.close()
    await second.close()
    assert not path.exists()


async def test_a_path_longer_than_the_kernel_takes(engine: FakeEngine, tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 60) / ("y" * 60)
    folder.mkdir(parents=True)
    server = await serve_control(folder / "control.sock", engine)
    client = await Client.connect(folder / "control.sock")
    assert await client.command("politerm.doctor") == {"tmux": "3.3a"}
    await client.close()
    await server.close()


async def test_a_folder_that_is_not_there(engine: FakeEngine, tmp_path: Path) -> None:
    with pytest.raises(OutsideError):
        await serve_control(tmp_path / "nothing" / "control.sock", engine)


async def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(HolderGone):
        await Client.connect(tmp_path / "control.sock")


# ---- the client


async def test_commands_and_notifications(client: Client, engine: FakeEngine) -> None:
    events: list[Any] = []
    client.on("politerm/event", events.append)
    assert (await client.command("politerm.run.get", {"runId": RUN}))["task"] == "write a test"
    engine.say(RUN, "hello")
    await soon(lambda: bool(events))
    assert events[0]["event"]["body"] == "hello"
    assert client.status == {"health": "ok", "holder": True, "readOnly": False}


async def test_what_came_before_anybody_asked_is_kept(client: Client, engine: FakeEngine) -> None:
    await client.command("politerm.doctor")
    engine.say(RUN, "early")
    await client.command("politerm.doctor")
    events: list[Any] = []
    client.on("politerm/event", events.append)
    assert [event["event"]["body"] for event in events] == ["early"]


async def test_errors_are_the_holders_own(client: Client) -> None:
    with pytest.raises(RunNotFound) as caught:
        await client.command("politerm.run.get", {"runId": "none"})
    assert caught.value.hint == "politerm.run.list shows the runs."
    assert caught.value.data == {"runId": "none"}
    with pytest.raises(AttentionNotFound):
        await client.command("politerm.attention.answer", {"attentionId": "x"})
    with pytest.raises(InvalidParams) as wrong:
        await client.command("politerm.run.get", {})
    assert "`runId`" in wrong.value.message


def test_every_error_of_the_tree_survives_the_wire() -> None:
    for error in (ReadOnly("a.", hint="b."), WrongState("a.", x=1), HolderGone("a.")):
        data = {"code": error.code, "hint": error.hint, **error.data}
        back = error_from_wire({"code": -32803, "message": str(error), "data": data})
        assert (type(back), back.message, back.hint, back.data) == (type(error), error.message, error.hint, error.data)
    strange = error_from_wire({"code": -32803, "message": "m", "data": {"code": "fromTheFuture"}})
    assert (type(strange), strange.data["code"]) == (PoliTermError, "fromTheFuture")
    assert isinstance(error_from_wire("nonsense"), PoliTermError)


async def test_cancelling_reaches_the_engine(client: Client, engine: FakeEngine) -> None:
    engine.gates["doctor"] = asyncio.Event()
    task = asyncio.create_task(client.command("politerm.doctor"))
    await soon(lambda: ("doctor", None) in engine.calls)
    task.cancel()
    await soon(lambda: engine.cancelled == ["doctor"])


async def test_a_message_far_above_what_clients_may_send(client: Client, engine: FakeEngine) -> None:
    engine.views[RunId(RUN)] = engine.views[RunId(RUN)].model_copy(update={"task": "x" * 20_000_000})
    assert len((await client.command("politerm.run.export", {"runId": RUN}))["text"]) > 20_000_000


async def test_the_holder_ends(client: Client, control: ControlServer, engine: FakeEngine) -> None:
    engine.gates["doctor"] = asyncio.Event()
    task = asyncio.create_task(client.command("politerm.doctor"))
    await soon(lambda: ("doctor", None) in engine.calls)
    await control.close()
    await asyncio.wait_for(client.closed, 10)
    with pytest.raises(PoliTermError):
        await task
    with pytest.raises(HolderGone):
        await client.command("politerm.doctor")


async def test_a_client_that_leaves_takes_its_panes_along(client: Client, engine: FakeEngine) -> None:
    await client.command("politerm.pane.open", {"runId": RUN, "role": "planner"})
    await client.close()
    await soon(lambda: engine.dropped == 1 and not engine.listeners)
    assert not engine.pane(RUN)._watching


# ---- a second server


class Holder:
    """One process that holds the workspace. All of them share what a log on disk would keep."""

    def __init__(self, engine: FakeEngine, path: Path) -> None:
        self.engine, self.path = engine, path
        self.server: ControlServer | None = None

    async def start(self) -> None:
        self.server = await serve_control(self.path, self.engine)

    def die(self) -> None:
        """As SIGKILL does it: every connection is cut where it is."""
        assert self.server is not None
        assert self.server._server is not None
        self.server._server.close()
        for session in list(self.server._sessions):
            session.connection._reading.abort()  # type: ignore[union-attr]


def successor(old: FakeEngine) -> FakeEngine:
    """A new process's engine over the same log."""
    engine = FakeEngine()
    engine.logs, engine.views, engine.items = old.logs, old.views, old.items
    engine.screen = "screen after take-over"
    return engine


class Second:
    """The second server: what `connect` gives is set by the test."""

    def __init__(self) -> None:
        self.next: Any = None
        self.refuses: PoliTermError = HolderGone("Not yet.")
        self.asked: list[Opening] = []

    async def connect(self, opening: Opening) -> Any:
        self.asked.append(opening)
        if self.next is None:
            raise self.refuses
        if isinstance(self.next, Path):
            return await Client.connect(self.next, options={"trusted": True})
        return self.next


@pytest.fixture
async def second() -> Second:
    return Second()


@pytest.fixture
async def editor(second: Second, tmp_path: Path) -> AsyncIterator[RawLsp]:
    """An editor of the second server."""
    loop = asyncio.get_running_loop()
    sessions: list[PoliTermServer] = []

    def accept(transport: asyncio.Transport) -> Connection:
        sessions.append(PoliTermServer(second.connect))
        return sessions[-1].connection

    server = await loop.create_unix_server(lambda: SocketSide(accept), tmp_path / "editor.sock")
    async with RawLsp.connect(path=str(tmp_path / "editor.sock")) as client:
        yield client
    server.close()
    await asyncio.wait_for(asyncio.gather(*(session.ended for session in sessions)), 10)


CLAIMS = {"trusted": True, "client": {"attention": True, "progress": True}}


@pytest.fixture
async def passed(second: Second, editor: RawLsp, engine: FakeEngine, path: Path) -> AsyncIterator[Holder]:
    """The editor of a second server, connected through it to a holder."""
    holder = Holder(engine, path)
    await holder.start()
    second.next = path
    await editor.initialize(CLAIMS)
    await editor.command("politerm.doctor")
    yield holder
    assert holder.server is not None
    await holder.server.close()


async def test_everything_is_passed_through(editor: RawLsp, passed: Holder, engine: FakeEngine) -> None:
    assert (await editor.wait_for("politerm/serverStatus"))["holder"] is False
    assert (await editor.command("politerm.run.get", {"runId": RUN}))["runId"] == RUN
    engine.say(RUN, "hello")
    assert (await editor.wait_for("politerm/event"))["event"]["body"] == "hello"
    await editor.wait_for("politerm/runChanged")
    engine.ask(RUN, "Allow")
    await editor.wait_for("politerm/attentionChanged", lambda params: len(params["items"]) == 1)
    opened = await editor.command("politerm.pane.open", {"runId": RUN, "role": "planner"})
    assert (opened["snapshot"], opened["seq"]) == ("screen", 0)
    engine.pane(RUN).feed(b"output")
    frame = await editor.wait_for("politerm/paneOutput")
    assert frame == {"runId": RUN, "role": "PLANNER", "seq": 1, "data": "output"}
    with pytest.raises(LspError) as wrong:
        await editor.command("politerm.run.start", {"task": "x", "mode": "y"})
    assert wrong.value.code == -32602
    assert "`mode`" in wrong.value.message
    with pytest.raises(LspError) as missing:
        await editor.command("politerm.run.get", {"runId": "none"})
    assert (missing.value.code, missing.value.data["code"]) == (-32803, "runNotFound")


async def test_take_over_into_the_process_itself(
    editor: RawLsp, passed: Holder, second: Second, engine: FakeEngine
) -> None:
    """Events from before, in between and after arrive once each; a run that began in between is there as a whole."""
    for number in range(3):
        engine.say(RUN, f"before {number}")
    await editor.wait_for("politerm/event", lambda params: params["seq"] == 3)
    second.next = None
    passed.die()
    await editor.wait_for("politerm/serverStatus", lambda params: params["health"] == "warning")
    next_engine = successor(engine)
    next_engine.say(RUN, "between")
    next_engine.run("run-00002")
    next_engine.say("run-00002", "born between")
    second.next = next_engine
    await editor.wait_for("politerm/serverStatus", lambda params: params["holder"] is True)
    next_engine.say(RUN, "after")
    next_engine.say("run-00002", "after")
    await editor.wait_for("politerm/event", lambda params: params["runId"] == "run-00002" and params["seq"] == 2)
    await editor.wait_for("politerm/event", lambda params: params["runId"] == RUN and params["seq"] == 5)
    seen = [(params["runId"], params["seq"], params["event"]["body"]) for params in editor.of("politerm/event")]
    of = {run: [(seq, body) for id, seq, body in seen if id == run] for run in (RUN, "run-00002")}
    assert of[RUN] == [(1, "before 0"), (2, "before 1"), (3, "before 2"), (4, "between"), (5, "after")]
    assert of["run-00002"] == [(1, "born between"), (2, "after")]
    assert (await editor.command("politerm.run.get", {"runId": RUN}))["runId"] == RUN


async def test_a_run_that_nothing_was_seen_of_owes_only_what_is_new(
    editor: RawLsp, second: Second, engine: FakeEngine, path: Path
) -> None:
    for number in range(5):
        engine.say(RUN, f"old {number}")
    holder = Holder(engine, path)
    await holder.start()
    second.next = path
    await editor.initialize(CLAIMS)
    await editor.wait_for("politerm/runChanged")
    second.next = None
    holder.die()
    second.next = next_engine = successor(engine)
    next_engine.say(RUN, "new")
    await editor.wait_for("politerm/event", lambda params: params["seq"] == 6)
    assert [params["seq"] for params in editor.of("politerm/event")] == [6]


async def test_a_run_that_ended_in_between(editor: RawLsp, passed: Holder, second: Second, engine: FakeEngine) -> None:
    engine.say(RUN, "one")
    await editor.wait_for("politerm/event")
    second.next = None
    passed.die()
    next_engine = successor(engine)
    await next_engine.stop(RunAct(run_id=RunId(RUN)))
    second.next = next_engine
    await editor.wait_for("politerm/event", lambda params: params["event"]["type"] == "runEnded")
    await editor.wait_for("politerm/runChanged", lambda params: params["state"] == "ended")


async def test_take_over_by_another_process(
    editor: RawLsp, passed: Holder, second: Second, engine: FakeEngine, tmp_path: Path
) -> None:
    engine.say(RUN, "before")
    await editor.wait_for("politerm/event")
    passed.die()
    third = Holder(successor(engine), tmp_path / "third.sock")
    third.engine.say(RUN, "between")
    await third.start()
    second.next = third.path
    await editor.wait_for("politerm/event", lambda params: params["seq"] == 2)
    third.engine.say(RUN, "after")
    await editor.wait_for("politerm/event", lambda params: params["seq"] == 3)
    assert [params["seq"] for params in editor.of("politerm/event")] == [1, 2, 3]
    assert third.server is not None
    await third.server.close()


async def test_a_question_under_way_is_asked_again(
    editor: RawLsp, passed: Holder, second: Second, engine: FakeEngine
) -> None:
    engine.gates["list"] = asyncio.Event()
    id = editor.post("workspace/executeCommand", {"command": "politerm.run.list"})
    await soon(lambda: sum(name == "list" for name, _ in engine.calls) == 2)
    passed.die()
    second.next = successor(engine)
    answer = await editor.answer(id)
    assert [view["runId"] for view in answer["result"]["runs"]] == [RUN]


async def test_a_start_under_way_starts_one_run(
    editor: RawLsp, passed: Holder, second: Second, engine: FakeEngine
) -> None:
    """The holder has stored the run and dies before it says so: the same id is started again, which is the same run."""
    engine.gates["start"] = asyncio.Event()
    params = {"command": "politerm.run.start", "arguments": [{"task": "once"}]}
    id = editor.post("workspace/executeCommand", params)
    await soon(lambda: engine.calls[-1][0] == "start")
    given = engine.calls[-1][1].run_id
    assert given is not None
    engine.run(given, task="once")
    passed.die()
    second.next = successor(engine)
    assert (await editor.answer(id))["result"] == {"runId": given}
    assert sum(view.task == "once" for view in engine.views.values()) == 1


async def test_what_may_not_be_repeated_is_said_to_be_uncertain(
    editor: RawLsp, passed: Holder, second: Second, engine: FakeEngine
) -> None:
    engine.gates["send"] = asyncio.Event()
    params = {"command": "politerm.message.send", "arguments": [{"runId": RUN, "to": "planner", "text": "t"}]}
    id = editor.post("workspace/executeCommand", params)
    await soon(lambda: engine.calls[-1][0] == "send")
    passed.die()
    second.next = next_engine = successor(engine)
    error = (await editor.answer(id))["error"]
    assert (error["code"], error["data"]["code"]) == (-32803, "holderGone")
    assert "may or may not have happened" in error["message"]
    assert "politerm.run.events" in error["message"]
    assert not [name for name, _ in next_engine.calls if name == "send"]


async def test_commands_wait_for_the_next_holder(
    editor: RawLsp, passed: Holder, second: Second, engine: FakeEngine
) -> None:
    second.next = None
    passed.die()
    await editor.wait_for("politerm/serverStatus", lambda params: params["health"] == "warning")
    id = editor.post("workspace/executeCommand", {"command": "politerm.doctor"})
    await soon(lambda: len(second.asked) > 3)
    assert id not in editor.answers
    second.next = successor(engine)
    assert (await editor.answer(id))["result"] == {"tmux": "3.3a"}


async def test_a_workspace_that_cannot_be_opened_is_said_at_once(second: Second, editor: RawLsp) -> None:
    second.refuses = ReadOnly("The state folder cannot be written.")
    await editor.initialize(CLAIMS)
    await editor.wait_for("politerm/serverStatus", lambda params: params["health"] == "error")
    with pytest.raises(LspError) as caught:
        await editor.command("politerm.doctor")
    assert caught.value.data["code"] == "readOnly"
    second.next = FakeEngine()
    await editor.wait_for("politerm/serverStatus", lambda params: params["health"] == "ok")
    assert await editor.command("politerm.doctor")


async def test_open_panes_are_opened_again(editor: RawLsp, passed: Holder, second: Second, engine: FakeEngine) -> None:
    await editor.command("politerm.pane.open", {"runId": RUN, "role": "planner"})
    await editor.command("politerm.pane.takeOver", {"runId": RUN, "role": "planner", "on": True})
    engine.pane(RUN).feed(b"one")
    await editor.wait_for("politerm/paneOutput")
    passed.die()
    second.next = next_engine = successor(engine)
    frame = await editor.wait_for("politerm/paneOutput", lambda params: params.get("reset") is True)
    assert (frame["seq"], frame["data"]) == (2, "screen after take-over")
    next_engine.pane(RUN).feed(b"two")
    frame = await editor.wait_for("politerm/paneOutput", lambda params: params["seq"] == 3)
    assert frame["data"] == "two"
    await editor.command("politerm.pane.input", {"runId": RUN, "role": "planner", "data": "x"})
    assert next_engine.typed == ["x"]


async def test_a_slow_editor_of_a_second_server_gets_a_screen(
    editor: RawLsp, passed: Holder, engine: FakeEngine
) -> None:
    await editor.command("politerm.pane.open", {"runId": RUN, "role": "planner"})
    editor.stop_reading()
    for _ in range(400):
        engine.pane(RUN).feed(b"x" * 50_000)
        await asyncio.sleep(0)
    [watching] = engine.pane(RUN)._watching.values()
    assert watching.seq < 100
    editor.read_again()
    await editor.wait_for("politerm/paneOutput", lambda params: params.get("reset") is True)
    frames = editor.of("politerm/paneOutput")
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))


async def test_trust_is_passed_on(editor: RawLsp, passed: Holder, engine: FakeEngine) -> None:
    editor.notify("politerm/trustChanged", {"trusted": False})
    await soon(lambda: engine.trust_said[-1] is False)
    with pytest.raises(LspError) as caught:
        await editor.command("politerm.run.start", {"task": "x"})
    assert caught.value.data["code"] == "untrusted"
