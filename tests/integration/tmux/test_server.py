"""The server itself: private, configured by us alone, whatever surrounds it; and people who attach to it."""

from __future__ import annotations

import asyncio
import os
import pty
import stat
import struct
import sys
import tempfile
import termios
from collections.abc import Awaitable, Callable
from fcntl import ioctl
from pathlib import Path
from typing import TypeVar

import pytest

from politerm.core.wire import Role
from politerm.errors import TmuxError, TmuxMissing
from politerm.tmux import TmuxPanes
from tests.integration.conftest import Rig, eventually

T = TypeVar("T")


async def test_tmux_that_is_not_there_is_named(rig: Rig) -> None:
    panes = TmuxPanes(socket=rig.socket, runtime=rig.runtime, workspace_key="k", command=("no-such-tmux",))
    with pytest.raises(TmuxMissing, match="no-such-tmux is not installed"):
        await panes.start()


@pytest.mark.parametrize("answer", ["tmux 2.9a", "something else"])
async def test_tmux_that_is_too_old_or_none_at_all_is_refused(rig: Rig, answer: str) -> None:
    program = rig.work / "tmux"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    panes = TmuxPanes(socket=rig.socket, runtime=rig.runtime, workspace_key="k", command=(str(program),))
    with pytest.raises(TmuxError):
        await panes.start()


async def test_starting_starts_no_server(rig: Rig) -> None:
    panes = await rig.panes()
    assert not rig.socket.exists()
    assert (await panes.report())["connected"] is False


async def test_a_configuration_of_the_user_changes_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    home = rig.work / "home"
    home.mkdir()
    hostile = f"run-shell 'touch {rig.work}/oops'\nset-hook -g session-created kill-server\nset -g prefix C-a\n"
    (home / ".tmux.conf").write_text(hostile)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMUX", "/tmp/other,1,0")
    monkeypatch.setenv("TMUX_TMPDIR", "/nonexistent")
    monkeypatch.setenv("TERM", "no-such-terminal")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("SHELL", "nonsense")
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "sh", "-c", 'echo "$TERM $LANG 漢字"; exec cat')
    await sink.says(" C.UTF-8 漢字".encode())
    assert b"no-such-terminal" not in sink.data
    assert (await panes.screen(handle.pane)).lines[0].endswith("漢字")
    assert not (rig.work / "oops").exists()


async def test_an_environment_without_anything_will_do(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "TERM", "LANG", "SHELL", "USER"):
        monkeypatch.delenv(name, raising=False)
    panes = await rig.panes()
    _, sink = await rig.open(panes, "sh", "-c", 'echo "[$HOME] [$TERM]"; exec cat')
    await sink.says("[/")
    assert b"[]" not in sink.data


async def test_an_open_socket_folder_is_closed(rig: Rig) -> None:
    rig.socket.parent.mkdir(mode=0o755)
    panes = await rig.panes()
    await rig.open(panes, "cat")
    assert stat.S_IMODE(rig.socket.parent.stat().st_mode) == 0o700
    assert panes.socket == rig.socket


@pytest.mark.parametrize("trouble", ["long", "link", "control"])
async def test_a_socket_that_cannot_be_has_a_short_place_of_ours(
    rig: Rig, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = rig.folder / "xdg"
    short.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    wanted = rig.folder / "s" / "tmux"
    if trouble == "long":
        wanted = rig.folder / ("x" * 120) / "tmux"
    elif trouble == "control":
        wanted = rig.folder / "a\nb" / "tmux"
    else:
        (rig.folder / "s").symlink_to(rig.work)
    first = await rig.panes(socket=wanted)
    assert first.socket.parent == short / "politerm"
    assert stat.S_IMODE(first.socket.parent.stat().st_mode) == 0o700
    assert len(os.fsencode(first.socket)) < 100
    handle, sink = await rig.open(first, "cat")
    await first.shutdown()
    second = await rig.panes(socket=wanted)
    assert second.socket == first.socket
    assert await second.adopt(handle.run_id, handle.role, sink) == handle


async def test_without_a_place_of_the_system_the_temporary_folder_serves(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    monkeypatch.setattr(tempfile, "tempdir", str(rig.folder))
    panes = await rig.panes(socket=rig.folder / ("x" * 120) / "tmux")
    assert panes.socket.parent == rig.folder / f"politerm-{os.getuid()}"


class Person:
    """Somebody's terminal of 80 x 24 with tmux attached in it."""

    def __init__(self, argv: tuple[str, ...]) -> None:
        self._argv = argv
        self.seen = b""

    async def __aenter__(self) -> Person:
        self._handle, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.set_blocking(self._handle, False)
        self.process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)
        asyncio.get_running_loop().add_reader(self._handle, self._read)
        return self

    def _read(self) -> None:
        try:
            self.seen += os.read(self._handle, 65536)
        except OSError:
            asyncio.get_running_loop().remove_reader(self._handle)

    def types(self, data: bytes) -> None:
        os.write(self._handle, data)

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        async with asyncio.timeout(10):
            await self.process.wait()


async def test_a_person_with_a_small_terminal_changes_nothing(rig: Rig) -> None:
    panes = await rig.panes()
    planner, _ = await rig.open(panes, "sh", "-c", "echo the planner; exec cat")
    executer, sink = await rig.open(panes, "sh", "-c", "echo the executer; exec cat", role=Role.EXECUTER)
    async with (
        Person(await panes.attach_command(planner.pane, read_only=True)) as reader,
        Person(await panes.attach_command(executer.pane, read_only=False)) as writer,
    ):
        await eventually(lambda: b"the planner" in reader.seen)
        await eventually(lambda: b"the executer" in writer.seen)
        assert b"the executer" not in reader.seen
        reader.types(b"not allowed\r")
        writer.types(b"typed by hand\r")
        await sink.says("typed by hand")
        status = await panes.status(executer.pane)
        assert (status.columns, status.rows) == (160, 50)
        # Copy mode by hand, then a paste of ours: it arrives all the same.
        await prefix(rig, writer)
        writer.types(b"[")
        await until(panes.status, executer.pane, lambda status: status.in_mode)
        await panes.paste(executer.pane, "pasted\n", mark="m")
        await sink.says("pasted")
        # A pane made while people watch has its full size too.
        third, sink3 = await rig.open(panes, "sh", "-c", "stty size; exec cat", run="run-0002")
        await sink3.says("50 160")
        assert (await panes.status(third.pane)).columns == 160
        await prefix(rig, writer)
        writer.types(b"d")
        await asyncio.wait_for(writer.process.wait(), 10)
        assert "not allowed" not in "".join((await panes.screen(planner.pane)).lines)
    # The sessions of people who left are gone.
    await until(rig.tmux, "list-sessions", lambda answer: answer.count("\n") == 0)
    assert sink.deaths == []


async def until(ask: Callable[[str], Awaitable[T]], about: str, question: Callable[[T], bool]) -> None:
    """Ask until the answer fits."""
    async with asyncio.timeout(10):
        while not question(await ask(about)):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def prefix(rig: Rig, person: Person) -> None:
    """Keys that come within a millisecond count as pasted: no person types so, and no key follows the prefix before it
    was understood."""
    await asyncio.sleep(0.05)
    person.types(b"\x1d")
    await until(lambda _: rig.tmux("list-clients", "-F", "#{client_prefix}"), "", lambda answer: "1" in answer)


async def test_a_person_watching_does_not_keep_the_server(rig: Rig) -> None:
    panes = await rig.panes()
    handle, _ = await rig.open(panes, "sh", "-c", "echo up; exec cat")
    async with Person(await panes.attach_command(handle.pane, read_only=False)) as person:
        await eventually(lambda: b"up" in person.seen)
        await panes.close(handle.run_id)
        await asyncio.wait_for(person.process.wait(), 10)
    assert rig.left() == []


async def test_people_come_and_go_and_the_server_stays(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "sh", "-c", "echo up; exec cat")
    argv = await panes.attach_command(handle.pane, read_only=False)
    for number in range(12):
        async with Person(argv) as person:
            await eventually(lambda person=person: b"up" in person.seen)
            if number % 2:
                await prefix(rig, person)
                person.types(b"d")
                await asyncio.wait_for(person.process.wait(), 10)
    await until(rig.tmux, "list-sessions", lambda answer: answer.count("\n") == 0)
    assert (await panes.status(handle.pane)).alive
    assert sink.gaps == []


async def test_doctor_is_told_what_there_is(rig: Rig) -> None:
    panes = await rig.panes()
    handle, _ = await rig.open(panes, "cat")
    report = await panes.report()
    assert report["socket"] == str(rig.socket)
    assert report["connected"] is True
    (pane,) = report["panes"]  # type: ignore[misc]
    assert (pane["pane"], pane["pid"], pane["dead"]) == (handle.pane, str(handle.pid), "0")  # type: ignore[index]


async def test_libtmux_is_not_loaded_before_it_is_asked(rig: Rig) -> None:
    code = "import sys, politerm.tmux; print([n for n in ('libtmux', 'pytest') if n in sys.modules])"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    answer, _ = await process.communicate()
    assert answer == b"[]\n"


async def test_nothing_of_ours_is_inherited_by_the_server(rig: Rig) -> None:
    held = os.open(rig.work, os.O_RDONLY)
    os.set_inheritable(held, True)
    try:
        panes = await rig.panes()
        await rig.open(panes, "cat")
        server = (await panes.report())["serverPid"]
        folder = Path(f"/proc/{server}/fd")
        if folder.exists():
            assert str(rig.work) not in [str(entry.readlink()) for entry in folder.iterdir()]
    finally:
        os.close(held)
