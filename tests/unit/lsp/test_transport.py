"""One connection over a socket: threads, back-pressure in both directions, and its end."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from politerm.lsp.framing import Complaint
from politerm.lsp.transport import CONGESTED_BYTES, MESSAGES_A_TURN, Connection, SocketSide, _ThreadIn, _ThreadOut
from tests.rawlsp import RawLsp


class Peer:
    """Our end, with what it got."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.complaints: list[Complaint] = []
        self.closed: list[str] = []
        self.calm = 0
        self.connection = Connection(self.messages.append, self.complaints.append, self.closed.append)
        self.connection.on_calm(self.grow_calm)

    def grow_calm(self) -> None:
        self.calm += 1


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Peer, RawLsp]]:
    ours, theirs = socket.socketpair()
    peer = Peer()
    await asyncio.get_running_loop().create_unix_connection(lambda: SocketSide(lambda _: peer.connection), sock=ours)
    client = RawLsp(*await asyncio.open_unix_connection(sock=theirs))
    yield peer, client
    peer.connection.close()
    await client.close()


def note(number: int, size: int = 10) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "note", "params": {"number": number, "fill": "x" * size}}


async def test_writing_from_many_threads(ends: tuple[Peer, RawLsp]) -> None:
    """Messages far above the 4 KiB that a pipe takes in one piece arrive whole, each thread's own in order."""
    peer, client = ends
    touched: set[int] = set()
    enqueue = peer.connection._enqueue

    def note_thread(frame: bytes) -> None:
        touched.add(threading.get_ident())
        enqueue(frame)

    peer.connection._enqueue = note_thread  # type: ignore[method-assign]

    def write(start: int) -> None:
        for number in range(start, start + 50):
            peer.connection.send(note(number, 20_000))

    threads = [threading.Thread(target=write, args=(1000 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    await client.until(lambda: len(client.of("note")) == 200)
    for thread in threads:
        thread.join()
    assert touched == {threading.get_ident()}
    numbers = [params["number"] for params in client.of("note")]
    for index in range(4):
        assert [n for n in numbers if n // 1000 == index] == list(range(1000 * index, 1000 * index + 50))


async def test_congestion_is_seen_and_ends(ends: tuple[Peer, RawLsp]) -> None:
    peer, client = ends
    client.stop_reading()
    number = 0
    while not peer.connection.congested:
        peer.connection.send(note(number, 50_000))
        number += 1
        assert number < 200
    assert peer.connection.queued >= CONGESTED_BYTES
    assert peer.calm == 0
    client.read_again()
    await client.until(lambda: len(client.of("note")) == number)
    assert not peer.connection.congested
    assert peer.calm == 1
    assert [params["number"] for params in client.of("note")] == list(range(number))


async def test_who_asks_must_also_read(ends: tuple[Peer, RawLsp]) -> None:
    """Requests are not read while 8 MB of answers wait; nothing is lost when the client reads again."""
    peer, client = ends

    def answer(message: Any) -> None:
        peer.messages.append(message)
        peer.connection.send({"jsonrpc": "2.0", "id": message["id"], "result": "y" * 100_000})

    peer.connection._on_message = answer
    client.stop_reading()
    for _ in range(1000):
        client.post("ask", {"fill": "x" * 1000})
    for _ in range(300):
        await asyncio.sleep(0.001)
    assert len(peer.messages) < 200
    assert peer.connection.peak < 10_000_000
    client.read_again()
    await client.until(lambda: len(client.answers) == 1000)


async def test_many_small_messages_leave_the_loop_its_turns(ends: tuple[Peer, RawLsp]) -> None:
    peer, client = ends
    longest = turns = 0

    def count(message: Any) -> None:
        nonlocal turns
        turns += 1
        peer.messages.append(message)

    async def tick() -> None:
        nonlocal longest, turns
        while len(peer.messages) < 2000:
            turns = 0
            await asyncio.sleep(0)
            longest = max(longest, turns)

    peer.connection._on_message = count
    for number in range(2000):
        client.notify("n", number)
    await asyncio.wait_for(tick(), 20)
    assert longest <= 2 * MESSAGES_A_TURN
    assert [message["params"] for message in peer.messages] == list(range(2000))


async def test_held_messages_wait(ends: tuple[Peer, RawLsp]) -> None:
    peer, client = ends
    peer.connection.hold()
    client.notify("one", {})
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert peer.messages == []
    peer.connection.release()
    async with asyncio.timeout(10):
        while not peer.messages:  # noqa: ASYNC110 - a plain list
            await asyncio.sleep(0.001)


async def test_the_end_is_told_once_and_after_the_last_message(ends: tuple[Peer, RawLsp]) -> None:
    peer, client = ends
    for number in range(500):
        client.notify("n", number)
    await client.close()
    async with asyncio.timeout(10):
        while not peer.closed:  # noqa: ASYNC110 - a plain list
            await asyncio.sleep(0.001)
    assert len(peer.messages) == 500
    peer.connection.send(note(1))
    await asyncio.sleep(0.01)
    peer.connection.close()
    peer.connection.close()
    assert len(peer.closed) == 1


async def test_the_end_of_a_file_comes_after_its_last_message(tmp_path: Path) -> None:
    """The thread that reads it is done long before the loop has handled what it read."""
    bodies = [b'{"n":%d}' % number for number in range(1000)]
    (tmp_path / "in").write_bytes(b"".join(b"Content-Length: %d\r\n\r\n%b" % (len(body), body) for body in bodies))
    peer = Peer()
    fd = os.open(tmp_path / "in", os.O_RDONLY)
    peer.connection.read_side(_ThreadIn(fd, peer.connection))
    async with asyncio.timeout(10):
        while not peer.closed:  # noqa: ASYNC110 - a plain list
            await asyncio.sleep(0.001)
    assert len(peer.messages) == 1000
    peer.connection.close()
    os.close(fd)


async def test_flush_waits_for_the_reader_and_gives_up_in_time(ends: tuple[Peer, RawLsp]) -> None:
    peer, client = ends
    client.stop_reading()
    for number in range(40):
        peer.connection.send(note(number, 50_000))
    assert await peer.connection.flush(0.05) is False
    client.read_again()
    assert await peer.connection.flush(10) is True
    await client.until(lambda: len(client.of("note")) == 40)


async def test_files_and_terminals_by_threads() -> None:
    """What no event loop can wait for: in order, whole, with the same signs of congestion and of the end."""
    read_end, write_end = os.pipe()
    peer = Peer()
    out = _ThreadOut(write_end, peer.connection)
    peer.connection.write_side(out)
    for number in range(100):
        peer.connection.send(note(number, 50_000))
    assert peer.connection.congested
    other = Peer()
    _ThreadIn(read_end, other.connection)
    async with asyncio.timeout(10):
        while len(other.messages) < 100:  # noqa: ASYNC110 - a plain list
            await asyncio.sleep(0.001)
    assert [message["params"]["number"] for message in other.messages] == list(range(100))
    assert await peer.connection.flush(10)
    assert not peer.connection.congested
    peer.connection.close()
    out._writer.join(10)
    os.close(write_end)
    async with asyncio.timeout(10):
        while not other.closed:  # noqa: ASYNC110 - a plain list
            await asyncio.sleep(0.001)
    os.close(read_end)
