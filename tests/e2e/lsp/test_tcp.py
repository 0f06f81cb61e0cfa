"""TCP: loopback only, a token always, many clients at once, and one client's end is nobody else's."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from politerm.errors import InvalidParams, OutsideError
from politerm.lsp.serve import loopback, serve_tcp
from tests.fake_engine import FakeEngine, answering
from tests.rawlsp import LspError, RawLsp

SERVER = (sys.executable, str(Path(__file__).with_name("serve_fake.py")), "--tcp", "0")


class Serving:
    def __init__(self, process: asyncio.subprocess.Process, port: int, token: str) -> None:
        self.process, self.port, self.token = process, port, token

    def client(self) -> AbstractAsyncContextManager[RawLsp]:
        return RawLsp.connect(host="127.0.0.1", port=self.port)


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    process = await asyncio.create_subprocess_exec(*SERVER, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(20):
        while "token" not in said:
            said += (await process.stderr.readline()).decode()
    port, token = re.search(r"127\.0\.0\.1:(\d+)\ntoken: (\S+)", said).groups()  # type: ignore[union-attr]
    yield Serving(process, int(port), token)
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_the_token_opens_the_door(serving: Serving) -> None:
    assert len(serving.token) >= 40
    async with serving.client() as client:
        await client.initialize({"token": serving.token, "trusted": True})
        assert "runId" in await client.command("politerm.run.start", {"task": "x"})


@pytest.mark.parametrize("options", [None, {}, {"token": ""}, {"token": "wrong"}, {"token": 5}, {"token": "ä"}])
async def test_without_it_the_door_is_closed(serving: Serving, options: object) -> None:
    async with serving.client() as client:
        with pytest.raises(LspError) as caught:
            await client.initialize(options)
        assert caught.value.data["code"] == "badToken"
        assert serving.token not in caught.value.message
        await client.wait_end()
    async with serving.client() as client:
        await client.initialize({"token": serving.token})


async def test_nothing_is_answered_before_initialize(serving: Serving) -> None:
    async with serving.client() as client:
        with pytest.raises(LspError) as caught:
            await client.command("politerm.doctor")
        assert caught.value.code == -32002


async def test_many_clients_share_one_engine(serving: Serving) -> None:
    async with serving.client() as first, serving.client() as second:
        for client in (first, second):
            await client.initialize({"token": serving.token, "trusted": True})
        await first.command("politerm.run.start", {"task": "x", "runId": "shared-01"})
        await first.command("politerm.message.send", {"runId": "shared-01", "to": "planner", "text": "say 1 5"})
        assert (await second.wait_for("politerm/event"))["runId"] == "shared-01"
        await first.request("shutdown")
        first.notify("exit")
        await first.wait_end()
        assert await second.command("politerm.doctor")
    async with serving.client() as third:
        await third.initialize({"token": serving.token})


async def test_a_dead_parent_ends_its_own_session_only(serving: Serving) -> None:
    parent = await asyncio.create_subprocess_exec("sleep", "60")
    async with serving.client() as orphan, serving.client() as other:
        await orphan.initialize({"token": serving.token}, processId=parent.pid)
        await other.initialize({"token": serving.token}, processId=os.getpid())
        parent.kill()
        await parent.wait()
        await orphan.wait_end(5)
        assert await other.command("politerm.doctor")


async def test_sigterm_ends_the_server(serving: Serving) -> None:
    async with serving.client() as client:
        await client.initialize({"token": serving.token})
        serving.process.send_signal(signal.SIGTERM)
        await client.wait_end()
        assert await asyncio.wait_for(serving.process.wait(), 20) == 143


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.org", "127.0.0.1.example.org"])
def test_other_addresses_are_refused(host: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        loopback(host)
    assert host in caught.value.message


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1", ""])
def test_this_machine(host: str) -> None:
    assert loopback(host)


async def test_a_port_that_is_taken() -> None:
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    with pytest.raises(OutsideError) as caught:
        await serve_tcp(answering(FakeEngine()), "127.0.0.1", port)
    assert str(port) in caught.value.message
    taken.close()
