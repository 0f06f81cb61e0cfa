"""After a run is closed nothing of it runs any more, and nothing else was touched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

import pytest

from politerm.core.wire import Role
from tests.integration.conftest import Rig, eventually, gone

DAEMON = """
import os, signal, sys, time
# Ignores every signal that can be ignored, leaves its session, is orphaned: what a careless tool starts.
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open(sys.argv[1] + ".new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        time.sleep(600)
    os._exit(0)
time.sleep(600)
"""


async def test_what_ignores_signals_or_hides_is_ended_within_three_seconds(rig: Rig) -> None:
    panes = await rig.panes()
    note = rig.work / "daemon"
    handle, _ = await rig.open(panes, *rig.python(DAEMON, str(note)))
    await eventually(note.exists)
    daemon = int(note.read_text())
    before = time.monotonic()
    assert await panes.close(handle.run_id) == 2
    assert time.monotonic() - before < 3
    assert gone(daemon)
    assert gone(handle.pid)
    assert await panes.close(handle.run_id) == 0


async def test_children_with_an_empty_environment_are_found_by_their_family(rig: Rig) -> None:
    panes = await rig.panes()
    note = rig.work / "child"
    stay = 'trap "" HUP; echo $$ > "$0"; while :; do sleep 0.2; done'
    script = f"trap '' HUP; env -i sh -c '{stay}' \"$1\" & while :; do sleep 0.2; done"
    handle, _ = await rig.open(panes, "sh", "-c", script, "sh", str(note))
    await eventually(lambda: note.exists() and note.read_text().strip())
    child = int(note.read_text())
    os.kill(handle.pid, signal.SIGKILL)
    await eventually(lambda: gone(handle.pid))
    assert not gone(child)
    assert await panes.close(handle.run_id) >= 1
    assert gone(child)


async def test_a_stopped_program_is_ended(rig: Rig) -> None:
    panes = await rig.panes()
    handle, _ = await rig.open(panes, "cat")
    os.kill(handle.pid, signal.SIGSTOP)
    assert await panes.close(handle.run_id) == 1
    assert gone(handle.pid)


async def test_a_program_that_says_goodbye_may_do_so(rig: Rig) -> None:
    panes = await rig.panes()
    note = rig.work / "goodbye"
    handle, sink = await rig.open(
        panes, "sh", "-c", "trap 'echo bye > \"$1\"; exit 0' HUP; echo up; while :; do sleep 0.1; done", "sh", str(note)
    )
    await sink.says("up")
    await panes.close(handle.run_id)
    assert note.read_text() == "bye\n"


async def test_closing_tells_no_death(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "cat")
    await panes.close(handle.run_id)
    assert sink.deaths == []


async def test_one_role_is_closed_and_the_other_stays(rig: Rig) -> None:
    panes = await rig.panes()
    planner, _ = await rig.open(panes, "cat", role=Role.PLANNER)
    executer, sink = await rig.open(panes, "cat", role=Role.EXECUTER)
    assert await panes.close(planner.run_id, Role.PLANNER) == 1
    assert gone(planner.pid)
    assert (await panes.status(executer.pane)).alive
    assert await rig.tmux("list-panes", "-a", "-F", "#{pane_id}") == executer.pane
    await panes.paste(executer.pane, "still\n", mark="m")
    await sink.says("still")


async def test_with_the_last_pane_the_server_ends_and_the_next_start_is_clean(rig: Rig) -> None:
    """`kill-server` and `new-session` at once fail in a quarter of all tries; here every one must hold."""
    panes = await rig.panes()
    servers = set()
    for number in range(20):
        handle, sink = await rig.open(panes, "sh", "-c", f"echo up {number}; exec cat", run=f"run-{number:04}")
        await sink.says(f"up {number}")
        server = (await panes.report())["serverPid"]
        assert isinstance(server, int)
        servers.add(server)
        await panes.close(handle.run_id)
        assert gone(server)
        assert not rig.socket.exists()
        assert rig.left() == []
    assert len(servers) == 20


async def test_a_server_ended_by_others_and_a_start_at_once(rig: Rig) -> None:
    panes = await rig.panes()
    for number in range(1, 21):
        handle, sink = await rig.open(panes, "sh", "-c", "echo up; exec cat", incarnation=number)
        await sink.says("up")
        await rig.tmux("kill-server")
    await sink.dies(2)
    assert gone(handle.pid)


async def test_a_server_that_cannot_end_does_not_stand_in_the_way(rig: Rig) -> None:
    """A server that was told to end waits for ever for a client that has output to read and does not."""
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "sh", "-c", "echo up; exec yes")
    await sink.says("up")
    server = (await panes.report())["serverPid"]
    assert isinstance(server, int)
    unread, end = os.pipe()
    deaf = await asyncio.create_subprocess_exec(
        *("tmux", "-S", str(rig.socket), "-C", "attach-session", "-t", "=politerm"),
        stdin=asyncio.subprocess.PIPE,
        stdout=end,
    )
    os.close(end)
    os.read(unread, 1)
    try:
        await sink.until(lambda: len(sink.data) > 500_000)
        os.kill(server, signal.SIGTERM)
        await sink.dies(5)
        again, sink = await rig.open(panes, "sh", "-c", "echo again; exec cat", incarnation=2)
        await sink.says("again")
        assert gone(server)
        assert gone(handle.pid)
        assert (await panes.status(again.pane)).alive
    finally:
        with contextlib.suppress(ProcessLookupError):
            deaf.kill()
        await deaf.wait()
        os.close(unread)


async def test_closing_under_a_stopped_server(rig: Rig) -> None:
    panes = await rig.panes()
    handle, _ = await rig.open(panes, "sh", "-c", "trap '' HUP; while :; do sleep 0.2; done")
    server = (await panes.report())["serverPid"]
    assert isinstance(server, int)
    os.kill(server, signal.SIGSTOP)
    try:
        before = time.monotonic()
        assert await panes.close(handle.run_id) >= 1
        assert time.monotonic() - before < 4
        assert gone(handle.pid)
    finally:
        os.kill(server, signal.SIGCONT)
    # The server was told to drop the pane, its last one, and heeds that when it wakes.
    await eventually(lambda: gone(server))


@pytest.mark.parametrize("marks", [{"POLITERM_RUN": "run-0001", "POLITERM_ROLE": "PLANNER"}, {"POLITERM_PANES": "x"}])
async def test_processes_of_others_are_left_alone(rig: Rig, marks: dict[str, str]) -> None:
    """Somebody else's run of the same name, in another workspace: its marks are alike but for the place."""
    stranger = await asyncio.create_subprocess_exec("sleep", "600", env={**os.environ, **marks})
    try:
        panes = await rig.panes()
        handle, _ = await rig.open(panes, "cat")
        assert await panes.close(handle.run_id) == 1
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_closing_what_never_was_starts_nothing(rig: Rig) -> None:
    panes = await rig.panes()
    rig.spec("cat")
    (run,) = rig.runs
    assert await panes.close(run) == 0
    assert not rig.socket.exists()
