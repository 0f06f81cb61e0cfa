"""Every death is found, named, and told once; what is no death is not told as one."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from politerm.core.wire import Role
from politerm.errors import TmuxGone, TmuxTimeout
from politerm.tmux import watch
from tests.integration.conftest import Rig, Sink, eventually, gone

STUBBORN = ("sh", "-c", "trap '' HUP; echo up; while :; do sleep 0.2; done")


async def server_of(panes: object) -> int:
    pid = (await panes.report())["serverPid"]  # type: ignore[attr-defined]
    assert isinstance(pid, int)
    return pid


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("exit 0", (0, None, "the program ended with status 0")),
        ("exit 7", (7, None, "the program ended with status 7")),
        ("kill -9 $$", (None, 9, "the program was ended by signal 9")),
        ("kill -15 $$", (None, 15, "the program was ended by signal 15")),
        ("sleep 60 & exit 5", (5, None, "the program ended with status 5")),
    ],
)
async def test_the_end_of_a_program(rig: Rig, script: str, told: tuple[int | None, int | None, str]) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "sh", "-c", script)
    assert await sink.dies() == told
    status = await panes.status(handle.pane)
    assert (status.alive, status.exit_status, status.signal) == (False, *told[:2])


async def test_without_pidfd_the_end_is_found_by_looking(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "HAS_PIDFD", False)
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.1)
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "cat")
    assert sink.deaths == []
    os.kill(handle.pid, signal.SIGKILL)
    assert await sink.dies() == (None, 9, "the program was ended by signal 9")


async def test_death_is_found_within_a_second(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "cat")
    before = time.monotonic()
    os.kill(handle.pid, signal.SIGKILL)
    await sink.dies()
    assert time.monotonic() - before < 1


async def test_a_killed_pane_whose_program_lives_on(rig: Rig) -> None:
    panes = await rig.panes()
    await rig.open(panes, "cat", role=Role.EXECUTER)
    handle, sink = await rig.open(panes, *STUBBORN)
    await sink.says("up")
    await rig.tmux("kill-pane", "-t", handle.pane)
    assert await sink.dies(2) == (None, None, "the pane was closed")
    assert not gone(handle.pid)
    with pytest.raises(TmuxGone):
        await panes.screen(handle.pane)
    assert await panes.close(handle.run_id, Role.PLANNER) >= 1
    assert gone(handle.pid)


async def test_a_killed_session(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, *STUBBORN)
    _, other = await rig.open(panes, "cat", role=Role.EXECUTER)
    await sink.says("up")
    await rig.tmux("kill-session", "-t", "=politerm")
    for each in (sink, other):
        await each.dies(2)
        assert len(each.deaths) == 1
    assert "tmux" in sink.deaths[0][2]
    assert await panes.close(handle.run_id) >= 1
    assert gone(handle.pid)


async def test_a_killed_session_beside_another_one(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "cat")
    await rig.tmux("new-session", "-d", "-s", "strange", "--", "sleep", "600")
    await rig.tmux("kill-session", "-t", "=politerm")
    _, _, reason = await sink.dies(2)
    assert "session" in reason or "pane" in reason
    server = await rig.tmux("display-message", "-p", "#{pid}")
    assert await panes.close(handle.run_id) == 0
    again, sink = await rig.open(panes, "sh", "-c", "echo again; exec cat", incarnation=2)
    await sink.says("again")
    assert (await panes.status(again.pane)).alive
    assert await rig.tmux("display-message", "-p", "-t", "=strange:", "#{pid}") == server
    await rig.tmux("kill-session", "-t", "=strange")


async def test_a_killed_server(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, *STUBBORN)
    _, other = await rig.open(panes, "cat", role=Role.EXECUTER)
    await sink.says("up")
    os.kill(await server_of(panes), signal.SIGKILL)
    for each in (sink, other):
        exit_status, number, reason = await each.dies(2)
        assert (exit_status, number) == (None, None)
        assert reason.startswith("the tmux server is gone")
    with pytest.raises(TmuxGone):
        await panes.status(handle.pane)
    # The stubborn program lives on without a terminal; closing finds it by its marks.
    assert not gone(handle.pid)
    assert await panes.close(handle.run_id) >= 1
    assert gone(handle.pid)
    assert len(sink.deaths) == len(other.deaths) == 1


async def test_after_a_killed_server_a_new_one_is_started(rig: Rig) -> None:
    panes = await rig.panes()
    first, sink = await rig.open(panes, *STUBBORN)
    await sink.says("up")
    os.kill(await server_of(panes), signal.SIGKILL)
    second, again = await rig.open(panes, "sh", "-c", "echo again; exec cat", incarnation=2)
    await again.says("again")
    assert len(sink.deaths) <= 1
    assert again.deaths == []
    assert gone(first.pid)
    assert (await panes.status(second.pane)).alive


async def test_a_removed_socket_comes_back_and_nobody_dies(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "cat")
    server = await server_of(panes)
    rig.socket.unlink()
    await eventually(rig.socket.exists, 3)
    assert await rig.tmux("display-message", "-p", "#{pid}") == str(server)
    await panes.paste(handle.pane, "still here\n", mark="m")
    await sink.says("still here")
    assert sink.deaths == []


async def test_a_socket_that_was_removed_while_nobody_looked_leads_to_the_old_server(rig: Rig) -> None:
    first = await rig.panes()
    handle, _ = await rig.open(first, "cat")
    server = await server_of(first)
    await first.shutdown()
    rig.socket.unlink()
    second = await rig.panes()
    assert await server_of(second) == server
    sink = Sink()
    assert await second.adopt(handle.run_id, handle.role, sink) == handle
    other, _ = await rig.open(second, "cat", role=Role.EXECUTER)
    assert await server_of(second) == server
    assert other.pane != handle.pane


async def test_a_removed_folder_of_the_socket_is_made_again(rig: Rig) -> None:
    panes = await rig.panes()
    _, sink = await rig.open(panes, "cat")
    server = await server_of(panes)
    for entry in rig.socket.parent.iterdir():
        entry.unlink()
    rig.socket.parent.rmdir()
    await eventually(rig.socket.exists, 3)
    assert await rig.tmux("display-message", "-p", "#{pid}") == str(server)
    assert sink.deaths == []


async def test_a_killed_control_client_is_replaced_and_the_gap_is_told(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "cat")
    for number in range(1, 6):
        client = panes._connection.client_pid
        assert client is not None
        os.kill(client, signal.SIGKILL)
        await sink.until(lambda number=number: len(sink.gaps) == number, 5)
        await panes.paste(handle.pane, f"after gap {number}\n", mark="m")
        await sink.says(f"after gap {number}")
    assert sink.deaths == []


async def test_a_detached_control_client_is_replaced(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "cat")
    # A person, or another tool, may do this at any time.
    await rig.tmux("detach-client", "-s", "=politerm")
    await sink.until(lambda: sink.gaps, 5)
    await panes.paste(handle.pane, "hello\n", mark="m")
    await sink.says("hello")
    assert sink.deaths == []


async def test_a_pane_that_died_while_the_client_was_gone(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "HAS_PIDFD", False)
    panes = await rig.panes()
    await rig.open(panes, "cat", role=Role.EXECUTER)
    handle, sink = await rig.open(panes, "cat")
    server = await server_of(panes)
    client = panes._connection.client_pid
    assert client is not None
    os.kill(server, signal.SIGSTOP)
    os.kill(client, signal.SIGKILL)
    os.kill(handle.pid, signal.SIGKILL)
    os.kill(server, signal.SIGCONT)
    assert await sink.dies(5) == (None, 9, "the program was ended by signal 9")


async def test_a_stopped_server_times_out_and_kills_nobody(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "cat")
    server = await server_of(panes)
    os.kill(server, signal.SIGSTOP)
    try:
        before = time.monotonic()
        late = rig.work / "late"
        spec = rig.spec("touch", str(late), run="run-0002")
        answers = await asyncio.gather(
            panes.status(handle.pane),
            panes.screen(handle.pane),
            panes.keys(handle.pane, ["x"]),
            panes.open(spec, Sink()),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [TmuxTimeout] * 4
        assert 4 < time.monotonic() - before < 9
        assert sink.deaths == []
    finally:
        os.kill(server, signal.SIGCONT)
    assert (await panes.status(handle.pane)).alive
    assert sink.deaths == []
    # What timed out is not started behind our back once the server goes on.
    (pane,) = set((await rig.tmux("list-panes", "-a", "-F", "#{pane_id}")).split()) - {handle.pane}
    # A pane is dead when its terminal is closed; how its program ended, tmux learns a moment later.
    while (await panes.status(pane)).exit_status is None:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    assert (await panes.status(pane)).exit_status == 127
    assert not late.exists()


async def test_a_program_that_cannot_be_watched_has_ended_already(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone_already(pid: int) -> int:
        raise ProcessLookupError

    monkeypatch.setattr(os, "pidfd_open", gone_already, raising=False)
    monkeypatch.setattr(watch, "HAS_PIDFD", True)
    panes = await rig.panes()
    _, sink = await rig.open(panes, "sh", "-c", "exit 4")
    assert await sink.dies() == (4, None, "the program ended with status 4")


async def test_a_program_that_ends_under_a_stopped_server_is_told_all_the_same(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "cat")
    server = await server_of(panes)
    os.kill(server, signal.SIGSTOP)
    try:
        os.kill(handle.pid, signal.SIGKILL)
        assert (await sink.dies(3))[2] == "the program ended; tmux could not say how"
    finally:
        os.kill(server, signal.SIGCONT)


async def test_a_reader_that_fails_takes_nobody_along(rig: Rig) -> None:
    panes = await rig.panes()

    class Failing:
        def on_output(self, data: bytes) -> None:
            raise RuntimeError("reader")

        def on_gap(self, reason: str) -> None:
            raise RuntimeError("reader")

        def on_death(self, exit_status: int | None, signal: int | None, reason: str) -> None:
            raise RuntimeError("reader")

    await panes.open(rig.spec("sh", "-c", "echo x; exit 1", role=Role.EXECUTER), Failing())
    handle, sink = await rig.open(panes, "sh", "-c", "sleep 0.3; echo on; exec cat")
    await sink.says("on")
    assert (await panes.status(handle.pane)).alive
