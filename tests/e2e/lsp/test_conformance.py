"""What pygls leaves open, row by row, against a real server process: lifecycle, errors, framing, cancellation, end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.rawlsp import LspError, RawLsp

SERVER = (sys.executable, str(Path(__file__).with_name("serve_fake.py")))
RUN = "run-00001"


@pytest.fixture
async def client() -> AsyncIterator[RawLsp]:
    async with RawLsp.spawn(*SERVER) as client:
        yield client


@pytest.fixture
async def ready(client: RawLsp) -> RawLsp:
    await client.initialize({"trusted": True, "client": {"attention": True, "progress": True}})
    await client.command("politerm.run.start", {"task": "a", "runId": RUN})
    return client


async def refused(client: RawLsp, method: str, params: Any = None) -> LspError:
    with pytest.raises(LspError) as caught:
        await client.request(method, params)
    return caught.value


async def stderr_of(client: RawLsp) -> str:
    assert client.stderr is not None
    return (await asyncio.wait_for(client.stderr.read(), 20)).decode()


# ---- the end of a session


async def test_exit_after_shutdown_is_0(ready: RawLsp) -> None:
    assert await ready.leave() == 0
    assert "cleaned up" in await stderr_of(ready)


async def test_exit_without_shutdown_is_1(ready: RawLsp) -> None:
    ready.notify("exit")
    assert await ready.exit_code() == 1
    assert "cleaned up" in await stderr_of(ready)


async def test_exit_before_initialize_is_1(client: RawLsp) -> None:
    client.notify("exit")
    assert await client.exit_code() == 1


async def test_end_of_input_is_1_and_0_after_shutdown(client: RawLsp) -> None:
    await client.initialize()
    client._writer.write_eof()
    assert await client.exit_code() == 1
    assert "cleaned up" in await stderr_of(client)
    async with RawLsp.spawn(*SERVER) as second:
        await second.initialize()
        await second.request("shutdown")
        second._writer.write_eof()
        assert await second.exit_code() == 0


async def test_what_came_before_the_end_of_input_is_answered(ready: RawLsp) -> None:
    """Also what takes many turns of the loop: somebody still reads the answers."""
    params = {"command": "politerm.message.send", "arguments": [{"runId": RUN, "to": "planner", "text": "say 500 10"}]}
    slow = ready.post("workspace/executeCommand", params)
    quick = [ready.post("workspace/executeCommand", {"command": "politerm.doctor"}) for _ in range(20)]
    ready._writer.write_eof()
    await ready.wait_end()
    assert ready.answers[slow][0]["result"] == {"promptId": "prompt-1"}
    assert all(ready.answers[id][0]["result"] == {"tmux": "3.3a"} for id in quick)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_signals_end_in_order(ready: RawLsp, number: signal.Signals) -> None:
    ready.signal(number)
    assert await ready.exit_code() == 128 + number
    assert "cleaned up" in await stderr_of(ready)


async def test_a_signal_before_initialize(client: RawLsp) -> None:
    await refused(client, "politerm/nothing")
    client.signal(signal.SIGTERM)
    assert await client.exit_code() == 143


@pytest.mark.parametrize("how", ["processId", "--client-pid"])
async def test_the_death_of_the_parent_is_seen_with_stdin_open(how: str) -> None:
    parent = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        argv = (*SERVER, "--client-pid", str(parent.pid)) if how == "--client-pid" else SERVER
        async with RawLsp.spawn(*argv) as client:
            await client.initialize(processId=parent.pid if how == "processId" else None)
            parent.kill()
            assert await client.exit_code(deadline=5) == 1
            assert "cleaned up" in await stderr_of(client)
    finally:
        with contextlib.suppress(ProcessLookupError):
            parent.kill()
        await parent.wait()


# ---- lifecycle errors


async def test_a_request_before_initialize(client: RawLsp) -> None:
    assert (await refused(client, "workspace/executeCommand", {"command": "politerm.doctor"})).code == -32002
    assert (await refused(client, "shutdown")).code == -32002
    await client.initialize()
    assert await client.command("politerm.doctor") == {"tmux": "3.3a"}


async def test_a_second_initialize(ready: RawLsp) -> None:
    assert (await refused(ready, "initialize", {"processId": None, "capabilities": {}})).code == -32600
    assert await ready.command("politerm.doctor")


async def test_a_request_after_shutdown(ready: RawLsp) -> None:
    await ready.request("shutdown")
    error = await refused(ready, "workspace/executeCommand", {"command": "politerm.doctor"})
    assert error.code == -32600
    assert "shutdown" in error.message
    assert (await refused(ready, "shutdown")).code == -32600
    ready.notify("exit")
    assert await ready.exit_code() == 0


async def test_shutdown_answers_what_is_under_way(ready: RawLsp) -> None:
    id = ready.post("workspace/executeCommand", {"command": "politerm.run.start", "arguments": [{"task": "wait"}]})
    await ready.request("shutdown")
    assert (await ready.answer(id))["error"]["code"] == -32800


async def test_initialize_with_odd_params_is_answered(client: RawLsp) -> None:
    for params in (None, [], {"capabilities": {}, "processId": "x"}, {"capabilities": {}, "workspaceFolders": 5}):
        error = await refused(client, "initialize", params)
        assert error.code == -32602
        assert "initialize" in error.message
    await client.request("initialize", {"capabilities": 5})
    assert await client.command("politerm.doctor")


async def test_capabilities_from_the_future(client: RawLsp) -> None:
    kinds = {"textDocument": {"completion": {"completionItemKind": {"valueSet": [1, 999]}}}, "newThing": {"a": 1}}
    result = await client.initialize(capabilities=kinds)
    assert "politerm.run.start" in result["capabilities"]["executeCommandProvider"]["commands"]


async def test_what_initialize_announces(client: RawLsp) -> None:
    result = await client.initialize()
    ours = result["capabilities"]["experimental"]["politerm"]
    assert ours["protocolVersion"] == 1
    assert "events" in ours["features"]
    assert result["serverInfo"]["name"] == "politerm"
    sync = result["capabilities"].get("textDocumentSync", {})
    assert not sync.get("openClose")


# ---- wrong arguments


WRONG: list[tuple[Any, list[str]]] = [
    (None, ["object"]),
    ([], ["object"]),
    ({}, ["`command`", "string"]),
    ({"command": 5}, ["`command`", "string"]),
    ({"command": "politerm.nothing"}, ["politerm.nothing", "politerm.run.start"]),
    ({"command": "politerm.run.get"}, ["`runId`", "missing"]),
    ({"command": "politerm.run.get", "arguments": None}, ["`runId`"]),
    ({"command": "politerm.run.get", "arguments": {}}, ["`arguments`", "array"]),
    ({"command": "politerm.run.get", "arguments": [{}, {}]}, ["`arguments`", "one object"]),
    ({"command": "politerm.run.get", "arguments": ["x"]}, ["object", "a string"]),
    ({"command": "politerm.run.get", "arguments": [{"runId": 7}]}, ["`runId`", "7", "a string"]),
    ({"command": "politerm.run.get", "arguments": [{"runId": "x", "y": 1}]}, ["`y`", "accepted: `runId`"]),
    (
        {"command": "politerm.run.start", "arguments": [{"task": "x", "mode": "foo"}]},
        ["`mode`", "'foo'", "`dual`", "`monitor`"],
    ),
    ({"command": "politerm.run.start", "arguments": [{"task": ""}]}, ["`task`", "not empty"]),
    ({"command": "politerm.run.list", "arguments": [{"limit": 0}]}, ["`limit`", "0", "at least 1"]),
    (
        {"command": "politerm.pane.open", "arguments": [{"runId": "x", "role": "boss"}]},
        ["`role`", "'boss'", "PLANNER"],
    ),
    (
        {"command": "politerm.run.start", "arguments": [{"task": "x", "runId": "UPPER CASE"}]},
        ["`runId`", "^[a-z0-9-]{8,40}$"],
    ),
    (
        {"command": "politerm.run.start", "arguments": [{"task": "x", "gate": {"commands": "make"}}]},
        ["`gate.commands`", "an array"],
    ),
]


async def test_wrong_arguments_get_a_sentence(ready: RawLsp) -> None:
    for params, says in WRONG:
        error = await refused(ready, "workspace/executeCommand", params)
        assert (params, error.code) == (params, -32602)
        assert [part for part in says if part not in error.message] == []
        assert error.message.endswith(".")
    assert await ready.command("politerm.doctor")


async def test_the_engines_own_errors_have_a_code(ready: RawLsp) -> None:
    error = await refused(
        ready, "workspace/executeCommand", {"command": "politerm.run.get", "arguments": [{"runId": "no"}]}
    )
    assert error.code == -32803
    assert error.data["code"] == "runNotFound"
    assert "politerm.run.list" in error.message


async def test_a_handler_that_raises(ready: RawLsp) -> None:
    params = {"command": "politerm.run.start", "arguments": [{"task": "boom"}]}
    error = await refused(ready, "workspace/executeCommand", params)
    assert error.code == -32603
    incident = error.data["incident"]
    assert incident in error.message
    assert "secret" not in json.dumps([error.message, error.data])
    assert "Traceback" not in json.dumps([error.message, error.data])
    assert await ready.command("politerm.doctor")
    await ready.leave()
    assert incident in await stderr_of(ready)


async def test_unknown_methods(ready: RawLsp) -> None:
    assert (await refused(ready, "politerm/unknown", {"a": 1})).code == -32601
    assert (await refused(ready, "politerm/unknown")).code == -32601
    assert (await refused(ready, "textDocument/hover", {"nonsense": 1})).code == -32601
    assert (await refused(ready, "$/unknown")).code == -32601
    ready.notify("politerm/unknown", {"type_name": "x"})
    ready.notify("$/unknown")
    ready.notify("textDocument/didOpen", {"nonsense": 1})
    ready.notify("workspace/didChangeConfiguration", {"settings": {"politerm": {}}})
    ready.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": []}})
    ready.notify("workspace/didChangeWorkspaceFolders", {"event": "wrong"})
    assert await ready.command("politerm.doctor")


# ---- framing


async def test_malformed_json(ready: RawLsp) -> None:
    ready.send_body(b'{"jsonrpc": "2.0", "id": 77, "meth')
    assert (await ready.answer(None))["error"]["code"] == -32700
    assert await ready.command("politerm.doctor")


async def test_a_batch_and_a_wrong_version(ready: RawLsp) -> None:
    ready.send([{"jsonrpc": "2.0", "id": 78, "method": "shutdown"}])
    assert (await ready.answer(None))["error"]["code"] == -32600
    ready.send({"jsonrpc": "1.0", "id": 79, "method": "shutdown"})
    assert (await ready.answer(79))["error"]["code"] == -32600
    ready.send({"id": 80, "method": "shutdown"})
    assert (await ready.answer(80))["error"]["code"] == -32600
    assert await ready.command("politerm.doctor")


async def test_a_header_in_lower_case(ready: RawLsp) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": "low", "method": "politerm/unknown"}).encode()
    ready.send_bytes(b"content-length: %d\r\ncontent-type: application/vscode-jsonrpc\r\n\r\n" % len(body) + body)
    assert (await ready.answer("low"))["error"]["code"] == -32601


async def test_99_gigabytes(ready: RawLsp) -> None:
    ready.send_bytes(b"Content-Length: 99000000000\r\n\r\n")
    error = (await ready.answer(None))["error"]
    assert "99000000000" in error["message"]
    assert "16 MB" in error["message"]
    assert await ready.command("politerm.doctor")


async def test_a_message_really_above_16_megabytes(ready: RawLsp) -> None:
    ready.send_body(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (17 * 1024 * 1024) + b'"}')
    assert "16 MB" in (await ready.answer(None))["error"]["message"]
    assert await ready.command("politerm.doctor")


async def test_ten_megabytes_are_taken_in_any_pieces(ready: RawLsp) -> None:
    task = "x" * 10_000_000
    params = {"command": "politerm.run.start", "arguments": [{"task": task}]}
    message = {"jsonrpc": "2.0", "id": "big", "method": "workspace/executeCommand", "params": params}
    body = json.dumps(message).encode()
    data = b"Content-Length: %d\r\n\r\n" % len(body) + body
    for start in range(0, len(data), 777_777):
        ready.send_bytes(data[start : start + 777_777])
        await ready._writer.drain()
    assert "runId" in (await ready.answer("big"))["result"]


async def test_every_byte_by_itself(client: RawLsp) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}).encode()
    for byte in b"Content-Length: %d\r\n\r\n" % len(body) + body:
        client.send_bytes(bytes([byte]))
        await client._writer.drain()
    assert "result" in await client.answer(1)


async def test_a_nested_key_jsonrpc_and_a_key_type_name(ready: RawLsp) -> None:
    for extra in ({"jsonrpc": "2.0", "method": "x", "id": 5}, {"type_name": "y"}):
        params = {"command": "politerm.run.get", "arguments": [{"runId": RUN, "why": extra}]}
        assert "`why`" in (await refused(ready, "workspace/executeCommand", params)).message
    ready.notify("politerm/paneCredit", {"runId": RUN, "role": "planner", "bytes": 5, "type_name": "x"})
    ready.notify("politerm/paneCredit", {"runId": RUN, "role": "planner", "bytes": -5})
    ready.notify("politerm/paneCredit")
    ready.notify("politerm/trustChanged", {"trusted": "yes"})
    ready.notify("politerm/trustChanged")
    assert await ready.command("politerm.doctor")


async def test_half_a_surrogate_pair_in_a_task(ready: RawLsp) -> None:
    ready.send_body(
        b'{"jsonrpc":"2.0","id":"half","method":"workspace/executeCommand","params":'
        b'{"command":"politerm.run.start","arguments":[{"task":"cut \\ud83d","runId":"half-0001"}]}}'
    )
    assert (await ready.answer("half"))["result"] == {"runId": "half-0001"}
    view = await ready.command("politerm.run.get", {"runId": "half-0001"})
    assert view["task"] == "cut \ufffd"


async def test_a_stray_print_does_not_reach_the_stream(ready: RawLsp) -> None:
    await ready.command("politerm.run.start", {"task": "print"})
    assert await ready.command("politerm.doctor")
    await ready.leave()
    assert "a stray print" in await stderr_of(ready)


# ---- cancellation


async def test_cancelling_ends_the_work_and_answers(ready: RawLsp) -> None:
    id = ready.post("workspace/executeCommand", {"command": "politerm.run.start", "arguments": [{"task": "wait"}]})
    await ready.command("politerm.doctor")
    ready.notify("$/cancelRequest", {"id": id})
    assert (await ready.answer(id))["error"]["code"] == -32800
    hits = await ready.command("politerm.search", {"text": "stats"})
    assert "'cancelled': ['start']" in hits["hits"][0]["excerpt"]
    assert len(ready.answers[id]) == 1


async def test_a_request_cancelled_in_the_same_breath(ready: RawLsp) -> None:
    ready.send_bytes(b"")
    for number in range(50):
        params = {"command": "politerm.run.start", "arguments": [{"task": "x", "runId": f"breath-{number:04}"}]}
        id = ready.post("workspace/executeCommand", params)
        ready.notify("$/cancelRequest", {"id": id})
        answer = await ready.answer(id)
        assert answer.get("error", {}).get("code") == -32800 or "result" in answer
    for odd in (None, {"id": 12345}, {"id": None}, {"id": []}, [], {"id": "x"}):
        ready.notify("$/cancelRequest", odd)
    assert await ready.command("politerm.doctor")
    assert all(len(answers) == 1 for answers in ready.answers.values())


async def test_an_id_that_is_still_in_use(ready: RawLsp) -> None:
    body = {"jsonrpc": "2.0", "id": "twice", "method": "workspace/executeCommand",
            "params": {"command": "politerm.run.start", "arguments": [{"task": "wait"}]}}  # fmt: skip
    ready.send(body)
    ready.send(body)
    await ready.until(lambda: "twice" in ready.answers)
    assert ready.answers["twice"][0]["error"]["code"] == -32600
    ready.notify("$/cancelRequest", {"id": "twice"})
    await ready.until(lambda: len(ready.answers["twice"]) == 2)
    assert ready.answers["twice"][1]["error"]["code"] == -32800


async def test_answers_to_nobody_are_dropped(ready: RawLsp) -> None:
    for reply in (
        {"id": 999, "result": 1},
        {"id": "x", "error": {"code": 1, "message": "m"}},
        {"id": None, "error": 5},
    ):
        ready.send({"jsonrpc": "2.0", **reply})
    assert await ready.command("politerm.doctor")
    assert None not in ready.answers


# ---- mutations


def command(name: str, **arguments: Any) -> dict[str, Any]:
    return {"method": "workspace/executeCommand", "params": {"command": name, "arguments": [arguments]}}


SEEDS: list[dict[str, Any]] = [
    command("politerm.run.list", limit=5),
    command("politerm.run.get", runId=RUN),
    command("politerm.message.send", runId=RUN, to="planner", text="t"),
    command("politerm.pane.open", runId=RUN, role="planner", credit=10),
    command("politerm.run.configure", runId=RUN, limits={"rounds": 3, "perRole": {"planner": {"idleSeconds": 5}}}),
    {"method": "politerm/unknown", "params": {"a": [1, {"b": None}]}},
    {"method": "textDocument/completion", "params": {}},
    {"method": "initialize", "params": {"capabilities": {}}},
]
JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "x",
    "\ud83d",
    "\x00",
    [],
    {},
    [[]],
    {"jsonrpc": "2.0"},
    "A" * 5000,
]


def mutate(chance: random.Random, value: Any) -> Any:
    """The value with something in it replaced, dropped, doubled, or renamed."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        match chance.randrange(4):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {**value, chance.choice(["x", "type_name", "jsonrpc", "id", "method"]): chance.choice(JUNK)}
            case _:
                return {**value, key: mutate(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        if chance.random() < 0.3:
            return [*value, value[place]]
        return [*value[:place], mutate(chance, value[place]), *value[place + 1 :]]
    return chance.choice(JUNK)


async def test_two_thousand_mutated_requests_get_one_answer_each(ready: RawLsp) -> None:
    chance = random.Random(1)
    sent: list[str] = []
    while len(sent) < 2000:
        body = mutate(chance, {"jsonrpc": "2.0", **chance.choice(SEEDS)})
        if len(sent) % 2:
            body = {"jsonrpc": "2.0", **SEEDS[1], "params": mutate(chance, SEEDS[1]["params"])}
        is_reply = isinstance(body, dict) and "method" not in body and ("result" in body or "error" in body)
        if not isinstance(body, dict) or is_reply or body.get("method") == "shutdown":
            continue
        sent.append(f"m{len(sent)}")
        ready.send({**body, "id": sent[-1]})
        if len(sent) % 100 == 0:
            await ready._writer.drain()
    assert await ready.command("politerm.doctor")
    await ready.until(lambda: all(id in ready.answers for id in sent), what="all answers")
    answers = [ready.answers[id] for id in sent]
    assert [len(answer) for answer in answers] == [1] * 2000
    codes = {answer[0]["error"]["code"] for answer in answers if "error" in answer[0]}
    assert codes <= {-32600, -32601, -32602, -32803}
    assert len(codes) == 4


# ---- a client that does not read


async def stats(client: RawLsp) -> dict[str, Any]:
    hits = await client.command("politerm.search", {"text": "stats"})
    found: dict[str, Any] = eval(hits["hits"][0]["excerpt"])
    return found


def resident(pid: int) -> int:
    """Bytes of memory of a process."""
    import psutil

    return int(psutil.Process(pid).memory_info().rss)


async def test_a_client_that_stops_reading(ready: RawLsp) -> None:
    """30 MB of events and 40 MB of pane output while the client reads nothing: the server's memory and its loop do not
    notice, and when the client reads again it has every event and the right screen."""
    assert ready.process is not None
    await ready.command("politerm.pane.open", {"runId": RUN, "role": "planner"})
    await ready.command("politerm.message.send", {"runId": RUN, "to": "planner", "text": "say 5 1000"})
    before = resident(ready.process.pid)
    ready.stop_reading()
    busy = [
        ready.post("workspace/executeCommand", {"command": "politerm.message.send", "arguments": [
            {"runId": RUN, "to": "planner", "text": text}]})
        for text in ("pane 4000 10000", "say 3000 10000")
    ]  # fmt: skip
    # The fake engine's own log of events is part of the memory: 30 MB.
    started = time.monotonic()
    while time.monotonic() - started < 20:
        await asyncio.sleep(0.2)
        if resident(ready.process.pid) - before > 32_000_000:
            await asyncio.sleep(1)
            break
    grown = resident(ready.process.pid) - before
    ready.read_again()
    for id in busy:
        await ready.answer(id)
    await ready.wait_for("politerm/event", lambda params: params["seq"] == 3005)
    seqs = [params["seq"] for params in ready.of("politerm/event")]
    assert seqs == list(range(1, 3006))
    await ready.wait_for("politerm/paneOutput", lambda params: params.get("reset") is True)
    frames = ready.of("politerm/paneOutput")
    assert [params["seq"] for params in frames] == list(range(1, len(frames) + 1))
    assert grown < 80_000_000
    assert (await stats(ready))["lag"] < 2


# ---- odd streams


async def test_stdin_and_stdout_may_be_files(tmp_path: Path) -> None:
    bodies = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"jsonrpc": "2.0", "id": 2, "method": "workspace/executeCommand", "params": {"command": "politerm.doctor"}},
        {"jsonrpc": "2.0", "id": 3, "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "exit"},
    ]
    data = b""
    for body in bodies:
        raw = json.dumps(body).encode()
        data += b"Content-Length: %d\r\n\r\n%b" % (len(raw), raw)
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as target:
        process = await asyncio.create_subprocess_exec(*SERVER, stdin=source, stdout=target)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    written = (tmp_path / "out").read_bytes()
    assert b'"id":1,"result"' in written
    assert b'"id":3,"result":null' in written


async def test_stdout_that_is_also_stderr_stays_blocking() -> None:
    """Somebody else writes to the same pipe: it must not find it non-blocking, not even while we serve."""
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb"))
    process = await asyncio.create_subprocess_exec(
        *SERVER, stdin=asyncio.subprocess.PIPE, stdout=write_end, stderr=write_end
    )
    try:
        assert process.stdin is not None
        process.stdin.write(b"Content-Length: 2\r\n\r\n{}")
        async with asyncio.timeout(20):
            assert b"-32600" in await reader.readuntil(b"-32600")
        assert os.get_blocking(write_end)
        process.stdin.write_eof()
        async with asyncio.timeout(20):
            assert await process.wait() == 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        os.close(write_end)
        transport.close()
