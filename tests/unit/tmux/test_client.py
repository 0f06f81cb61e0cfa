"""The control client against a program that speaks the protocol and misbehaves on request."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from politerm.errors import TmuxError, TmuxMissing, TmuxTimeout
from politerm.tmux import control
from politerm.tmux.client import ConnectionLost, ControlClient

FAKE = r"""
import os, shlex, sys, time

number = 100
late = b""

def say(data):
    while data:
        data = data[os.write(1, data):]

def block(body, how=b"end", flags=1):
    global number
    number += 1
    guard = b"%d %d %d\n" % (1700000000, number, flags)
    return b"%begin " + guard + body + b"%" + how + b" " + guard

say(b"some warning\n")
say(block(b"", flags=0) if sys.argv[1] == "agree" else block(b"no sessions\n", b"error", 0))
if sys.argv[1] != "agree":
    sys.exit(1)
for line in sys.stdin.buffer:
    for command in line.decode().strip().split(" ; "):
        name, *words = shlex.split(command)
        if name == "echo":
            say(block(" ".join(words).encode() + b"\n"))
        elif name == "display-message":
            say(block(words[-1].encode() + b"\n"))
        elif name == "refuse":
            say(block(b"can't do that\n", b"error"))
            break
        elif name == "hold":
            late += block(b"late\n")
        elif name == "slow":
            time.sleep(0.5)
            say(block(b"slow\n"))
        elif name == "release":
            say(late + block(b"released\n"))
        elif name == "tell":
            say(b"%output %1 before\n" + block(b"told\n") + b"%output %1 after\n%window-close @1\n")
        elif name == "strange":
            say(block(b"nobody asked\n", flags=0) + block(b"known\n"))
        elif name == "flood":
            say(b"x" * int(words[0]))
        elif name == "half":
            say(b"%begin 1700000000 999 1\nhalf a screen\n")
        elif name == "deaf":
            import signal
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            time.sleep(600)
        elif name == "leave":
            say(b"%exit too far behind\n")
            sys.exit(0)
"""


class Client:
    """A control client with what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: list[object] = []
        self.lost = asyncio.Event()
        self.inner = ControlClient(self._output, self._notice, self._lost)

    def _output(self, pane: str, data: bytes) -> None:
        self.heard.append((pane, data))

    def _notice(self, name: str, text: str) -> None:
        self.heard.append((name, text))

    def _lost(self, words: str) -> None:
        self.heard.append(words)
        self.lost.set()

    async def start(self, mood: str = "agree", deadline: float = 10) -> ControlClient:
        argv = (sys.executable, "-I", "-S", "-c", FAKE, mood)
        await self.inner.start(argv, env=dict(os.environ), cwd=self.folder, blocks=1, deadline=deadline)
        return self.inner


Start = Callable[[], Awaitable[tuple[ControlClient, Client]]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    made: list[Client] = []

    async def start() -> tuple[ControlClient, Client]:
        client = Client(tmp_path)
        made.append(client)
        return await client.start(), client

    yield start
    for client in made:
        pid = client.inner.pid
        await client.inner.close()
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_answers_find_their_callers_in_order(start: Start) -> None:
    client, _ = await start()
    answers = await asyncio.gather(*(client.call(f"echo {number}") for number in range(200)))
    assert answers == [[str(number).encode()] for number in range(200)]


async def test_lists_answer_as_a_whole_and_end_with_the_first_refusal(start: Start) -> None:
    client, _ = await start()
    assert await client.call("echo a ; echo b", blocks=2) == [b"a", b"b"]
    with pytest.raises(TmuxError, match="can't do that") as refusal:
        await client.call("echo a ; refuse ; echo c", blocks=3)
    assert refusal.value.data["words"] == "can't do that"
    assert await client.call("echo a ; echo b ; echo poli:done", until="poli:") == [b"a", b"b", b"poli:done"]
    assert await client.call("echo next") == [b"next"]


async def test_an_answer_that_comes_too_late_is_nobody_elses(start: Start) -> None:
    client, _ = await start()
    with pytest.raises(TmuxTimeout):
        await client.call("hold", deadline=0.05)
    assert await client.call("release") == [b"released"]
    assert await client.call("echo next") == [b"next"]


async def test_a_caller_that_went_away_leaves_its_place(start: Start) -> None:
    client, _ = await start()
    caller = asyncio.create_task(client.call("hold"))
    await asyncio.sleep(0)
    caller.cancel()
    assert await client.call("release") == [b"released"]


async def test_what_is_done_with_an_answer_is_done_before_later_output(start: Start) -> None:
    client, told = await start()
    await client.call("tell", then=told.heard.append)
    await client.call("echo over")
    assert told.heard == [("%1", b"before"), [b"told"], ("%1", b"after"), ("window-close", "@1")]


async def test_posted_lines_may_be_refused_without_anybody_minding(start: Start) -> None:
    client, _ = await start()
    client.post("refuse")
    assert await client.call("echo next") == [b"next"]


async def test_blocks_that_nobody_asked_for_are_passed_over(start: Start) -> None:
    client, _ = await start()
    assert await client.call("strange") == [b"known"]


async def test_the_end_is_told_once_with_the_last_words(start: Start) -> None:
    client, told = await start()
    calls = [asyncio.create_task(client.call(line)) for line in ("hold", "leave", "echo never")]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionLost] * 3
    await told.lost.wait()
    assert told.heard == ["some warning\nexit too far behind"]
    with pytest.raises(ConnectionLost):
        await client.call("echo x")
    client.post("echo x")


async def test_a_stream_without_an_end_is_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control.Decoder.__init__, "__kwdefaults__", {"limit": 1000})
    client, told = await start()
    with pytest.raises(ConnectionLost):
        await client.call("flood 1001")
    await told.lost.wait()
    assert "without an end" in str(told.heard[-1])


async def test_a_look_that_never_ends_gives_the_stream_up(start: Start) -> None:
    """The decoder stands within a sealed block: nothing that comes later could be told from pane text."""
    client, told = await start()
    with pytest.raises(TmuxTimeout):
        await client.look("echo fields", ["half"], deadline=0.2)
    await told.lost.wait()
    assert not client.up


async def test_a_look_that_is_only_late_keeps_the_stream(start: Start) -> None:
    client, told = await start()
    with pytest.raises(TmuxTimeout):
        await client.look("slow", ["echo %end 1700000000 103 1"], deadline=0.1)
    with pytest.raises(TmuxError):
        await client.look("refuse", ["echo screen"])
    assert await client.look("echo fields", ["echo screen"]) == [b"fields", b"screen"]
    assert told.heard == []


async def test_tmuxs_own_words_are_the_error_of_a_start_that_failed(tmp_path: Path) -> None:
    client = Client(tmp_path)
    with pytest.raises(TmuxError, match="no sessions"):
        await client.start("disagree")
    assert not client.inner.up
    assert client.heard == []


async def test_a_start_that_never_answers_is_ended(tmp_path: Path) -> None:
    inner = ControlClient(lambda *_: None, lambda *_: None, lambda *_: None)
    argv = (sys.executable, "-c", "import time; time.sleep(600)")
    with pytest.raises(TmuxTimeout):
        await inner.start(argv, env={}, cwd=tmp_path, blocks=1, deadline=0.2)
    assert inner.pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(inner.pid, signal.SIGKILL)


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    inner = ControlClient(lambda *_: None, lambda *_: None, lambda *_: None)
    with pytest.raises(TmuxMissing):
        await inner.start(("no-such-tmux",), env={}, cwd=tmp_path, blocks=1)


async def test_a_client_that_does_not_leave_is_ended(start: Start) -> None:
    client, told = await start()
    client.post("deaf")
    await client.close()
    assert told.heard == []
