"""What arrives when something is pasted, pressed or typed: every byte, once, or nothing and an error."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from politerm.errors import TmuxError, TmuxGone, TmuxTimeout
from politerm.tmux import TmuxPanes
from politerm.tmux.client import ConnectionLost
from tests.integration.conftest import Rig, Sink, eventually

FULL_SCREEN = """
import os, sys, tty
# A program in raw mode that asks for bracketed paste and keeps every byte it reads; ^D ends it.
tty.setraw(0)
with open(sys.argv[1], "wb", buffering=0) as file:
    os.write(1, b"\\x1b[?2004hREADY")
    while True:
        data = os.read(0, 65536)
        file.write(data)
        if data.endswith(b"\\x04"):
            break
os.write(1, b"\\x1b[?2004lDONE")
os.read(0, 1)
"""

HOSTILE = [
    "-x", "/x", "a;", "a \\;", ";", "Enter", "C-c", "F1", "'single' \"double\"", "$(touch oops) `touch oops` $HOME",
    "#(touch oops) #{pane_id} #[fg=red] ##", "%H %end 1 2 1", "~ {} %if", "中文 漢字 ひらがな", "👩‍👩‍👧‍👦 🇩🇪 e\u0301",
    "tab\there", " leading and trailing ", "two\nlines\n", "\n\n", "[200~ without its escape",
    "%exit\n%output %0 x\nkill-server",
]  # fmt: skip


async def full_screen(rig: Rig, panes: TmuxPanes) -> tuple[str, Sink, Path]:
    kept = rig.work / "kept"
    handle, sink = await rig.open(panes, *rig.python(FULL_SCREEN, str(kept)))
    await sink.says("READY")
    return handle.pane, sink, kept


async def test_every_line_arrives_byte_for_byte_between_its_brackets(rig: Rig) -> None:
    panes = await rig.panes()
    pane, sink, kept = await full_screen(rig, panes)
    expected = b""
    for number, text in enumerate(HOSTILE):
        await panes.paste(pane, text, mark=f"mark {number}")
        await panes.keys(pane, ["Enter"], mark=f"enter {number}")
        expected += b"\x1b[200~" + text.encode() + b"\x1b[201~\r"
        status = await panes.status(pane)
        assert (status.pasted, status.entered) == (f"mark {number}", f"enter {number}")
    await panes.keys(pane, ["C-d"])
    await sink.says("DONE")
    assert kept.read_bytes() == expected + b"\x04"
    assert not list(rig.work.rglob("oops"))
    assert not list(rig.runtime.iterdir())
    assert await rig.tmux("list-buffers") == ""


async def test_a_megabyte_arrives(rig: Rig) -> None:
    panes = await rig.panes()
    pane, sink, kept = await full_screen(rig, panes)
    text = "".join(f"{number} ünï 中 'quote' #(x) $(y);\n" for number in range(30_000))
    assert len(text.encode()) > 1_000_000
    await panes.paste(pane, text, mark="big")
    await panes.keys(pane, ["C-d"])
    await sink.says("DONE", 60)
    assert kept.read_bytes() == b"\x1b[200~" + text.encode() + b"\x1b[201~\x04"


async def test_a_reader_of_lines_gets_lines(rig: Rig) -> None:
    panes = await rig.panes()
    kept = rig.work / "kept"
    handle, _ = await rig.open(panes, "sh", "-c", 'stty -echo; echo up; exec cat > "$1"', "sh", str(kept))
    await eventually(kept.exists)
    status = await panes.status(handle.pane)
    assert status.canonical
    assert not status.bracketed
    await panes.paste(handle.pane, "one\n-x\n#(y)\n", mark="m")
    await eventually(lambda: kept.read_bytes() == b"one\n-x\n#(y)\n")


async def test_bracketed_and_canonical_follow_the_program(rig: Rig) -> None:
    panes = await rig.panes()
    pane, sink, _ = await full_screen(rig, panes)
    status = await panes.status(pane)
    assert status.bracketed
    assert not status.canonical
    await panes.keys(pane, ["C-d"])
    await sink.says("DONE")
    assert not (await panes.status(pane)).bracketed


async def test_copy_mode_is_left_first(rig: Rig) -> None:
    panes = await rig.panes()
    pane, sink, kept = await full_screen(rig, panes)
    await rig.tmux("copy-mode", "-t", pane)
    assert (await panes.status(pane)).in_mode
    await panes.paste(pane, "text", mark="m")
    await rig.tmux("copy-mode", "-t", pane)
    await panes.keys(pane, ["Enter"])
    await rig.tmux("clock-mode", "-t", pane)
    await panes.type(pane, "é\x04")
    await sink.says("DONE")
    assert kept.read_bytes() == b"\x1b[200~text\x1b[201~\r" + "é\x04".encode()


async def test_typing_sends_raw_bytes(rig: Rig) -> None:
    panes = await rig.panes()
    pane, sink, kept = await full_screen(rig, panes)
    every = bytes(range(128)).replace(b"\x04", b"").decode() + "ÿ中👍" + "long " * 2000
    await panes.type(pane, every)
    await panes.type(pane, "\x04")
    await sink.says("DONE")
    assert kept.read_bytes() == every.encode() + b"\x04"


async def refused(panes: TmuxPanes, pane: str, error: type[TmuxError]) -> None:
    """All three ways to type fail alike."""
    with pytest.raises(error):
        await panes.paste(pane, "text", mark="never")
    with pytest.raises(error):
        await panes.keys(pane, ["Enter"], mark="never")
    with pytest.raises(error):
        await panes.type(pane, "x")


async def test_a_disabled_pane_gets_nothing_and_keeps_its_marks(rig: Rig) -> None:
    panes = await rig.panes()
    pane, sink, kept = await full_screen(rig, panes)
    await rig.tmux("select-pane", "-d", "-t", pane)
    await refused(panes, pane, TmuxError)
    status = await panes.status(pane)
    assert status.input_off
    assert (status.pasted, status.entered) == ("", "")
    await rig.tmux("select-pane", "-e", "-t", pane)
    await panes.type(pane, "\x04")
    await sink.says("DONE")
    assert kept.read_bytes() == b"\x04"
    assert await rig.tmux("list-buffers") == ""


async def test_a_synchronised_pane_is_not_typed_into(rig: Rig) -> None:
    panes = await rig.panes()
    pane, _, kept = await full_screen(rig, panes)
    await rig.tmux("set-option", "-w", "-t", pane, "synchronize-panes", "on")
    await refused(panes, pane, TmuxError)
    assert kept.read_bytes() == b""


async def test_a_dead_pane_is_not_typed_into(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "sh", "-c", "exit 0")
    await rig.open(panes, "cat", run="run-0002")
    await sink.dies()
    await refused(panes, handle.pane, TmuxGone)
    status = await panes.status(handle.pane)
    assert not status.alive
    assert (status.exit_status, status.pasted, status.entered) == (0, "", "")


async def test_a_pane_that_dies_at_any_moment_never_takes_the_server_along(rig: Rig) -> None:
    """A paste into a dead pane can end a tmux of 3.3a: the guard stands in the same tmux command."""
    panes = await rig.panes()
    keeper, _ = await rig.open(panes, "cat", run="run-keep")
    for number in range(40):
        handle, sink = await rig.open(panes, "cat")
        # What the sink would forbid is let through, so that the guard alone stands in the way.
        held = panes._watch.live[handle.pane]
        os.kill(handle.pid, signal.SIGKILL)
        if number % 2:
            await sink.dies()
            panes._watch.live[handle.pane] = held
        try:
            await panes.paste(handle.pane, "text\n", mark="m")
        except TmuxGone:
            assert (await panes.status(handle.pane)).pasted == ""
        panes._watch.live.pop(handle.pane, None)
    assert (await panes.status(keeper.pane)).alive


async def test_a_pane_that_is_not_there_or_not_held_is_gone(rig: Rig) -> None:
    panes = await rig.panes()
    await rig.open(panes, "cat")
    await refused(panes, "%77", TmuxGone)
    with pytest.raises(TmuxGone):
        await panes.resize("%77", 200, 60)
    strange = await rig.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", "=politerm:", "--", "cat")
    await refused(panes, strange, TmuxGone)
    await rig.tmux("kill-pane", "-t", strange)


async def test_a_server_that_stands_still_pastes_nothing_later(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("politerm.tmux.panes.PASTE_DEADLINE", 0.3)
    panes = await rig.panes()
    pane, sink, kept = await full_screen(rig, panes)
    server = (await panes.report())["serverPid"]
    assert isinstance(server, int)
    os.kill(server, signal.SIGSTOP)
    try:
        with pytest.raises(TmuxTimeout):
            await panes.paste(pane, "text", mark="never")
    finally:
        os.kill(server, signal.SIGCONT)
    await panes.type(pane, "\x04")
    await sink.says("DONE")
    assert kept.read_bytes() == b"\x04"
    assert (await panes.status(pane)).pasted == ""
    assert sink.deaths == []


async def test_a_call_that_loses_its_connection_says_so_and_the_mark_tells_the_rest(rig: Rig) -> None:
    panes = await rig.panes()
    pane, sink, kept = await full_screen(rig, panes)
    server = (await panes.report())["serverPid"]
    client = panes._connection.client_pid
    assert isinstance(server, int)
    assert client is not None
    os.kill(server, signal.SIGSTOP)
    call = asyncio.create_task(panes.keys(pane, ["x"], mark="m"))
    await asyncio.sleep(0)
    os.kill(client, signal.SIGKILL)
    os.kill(server, signal.SIGCONT)
    with contextlib.suppress(ConnectionLost):
        await call
    await sink.until(lambda: sink.gaps)
    await panes.type(pane, "\x04")
    await sink.says("DONE")
    arrived = (await panes.status(pane)).entered == "m"
    assert kept.read_bytes() == (b"x\x04" if arrived else b"\x04")
