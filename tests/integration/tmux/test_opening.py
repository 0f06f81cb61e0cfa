"""Programs in panes: how they start, what they see, what is known of them, how they are found again."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from politerm.core.wire import Role, RunId
from politerm.errors import TmuxError, TmuxGone
from tests.integration.conftest import Rig, Sink, eventually


async def test_the_first_byte_of_a_program_reaches_its_sink(rig: Rig) -> None:
    panes = await rig.panes()
    for _ in range(12):
        _, sink = await rig.open(panes, "sh", "-c", "printf first; exec sleep 100")
        await sink.says("first")
        assert sink.data.startswith(b"first")


@pytest.mark.parametrize("before", ["", "seq 30000; "])
async def test_a_program_that_prints_and_ends_at_once_is_heard(rig: Rig, before: str) -> None:
    """tmux drops what it has not sent when a program ends; then the screen is given instead, and a gap is told."""
    panes = await rig.panes()
    for number in range(15):
        _, sink = await rig.open(panes, "sh", "-c", f"{before}echo last words {number}; exit 3")
        assert await sink.dies() == (3, None, "the program ended with status 3")
        assert len(sink.deaths) == 1
        if before:
            # Of a burst, tmux may not even have read the end: that is a gap, never silence.
            assert sink.gaps
        else:
            assert f"last words {number}".encode() in sink.data


@pytest.mark.parametrize(
    "name", ["#(touch oops)", 'it\'s a "folder"', "a;", "-x", "$HOME `id` %H", "ünïcödé 中", "a\nb"]
)
async def test_a_folder_may_be_called_anything(rig: Rig, name: str) -> None:
    folder = rig.work / name
    folder.mkdir()
    panes = await rig.panes()
    sink = Sink()
    argv = ("sh", "-c", 'pwd -P > "$1"; cat', "sh", str(rig.work / "answer"))
    await panes.open(rig.spec(*argv, cwd=folder), sink)
    sink2 = Sink()
    await panes.open(rig.spec("sh", "-c", 'printf "[%s]" "$1"; cat', "sh", name, cwd=folder, role=Role.EXECUTER), sink2)
    await sink2.says("]")
    assert sink2.data == f"[{name}]".replace("\n", "\r\n").encode()
    answer = rig.work / "answer"
    await eventually(lambda: answer.exists() and answer.read_text() == str(folder.resolve()) + "\n")
    assert not list(rig.work.rglob("oops"))
    assert not list(rig.runtime.iterdir())


async def test_hostile_runtime_and_socket_folders_are_just_names(rig: Rig) -> None:
    folder = rig.folder / "#(touch oops) 'q' %H $HOME;"
    panes = await rig.panes(socket=folder / "s;", runtime=folder / "run;")
    handle, sink = await rig.open(panes, "cat")
    await panes.paste(handle.pane, "hello\n", mark="m")
    await sink.says("hello\r\nhello")
    handle, sink = await rig.open(panes, "cat", role=Role.EXECUTER)
    await panes.paste(handle.pane, "hello\n", mark="m")
    await sink.says("hello\r\nhello")
    assert not list(rig.folder.rglob("oops"))


async def test_secrets_stay_in_the_environment_of_the_program_alone(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "s3cr3t-of-ours")
    monkeypatch.setenv("TMUX", "/elsewhere,1,0")
    monkeypatch.setenv("NVIM", "/elsewhere")
    panes = await rig.panes()
    sink = Sink()
    spec = rig.spec("sh", "-c", "env; echo over; cat", env={"AGENT_KEY": "s3cr3t-of-its", "SHELL": None})
    handle = await panes.open(spec, sink)
    await sink.says("over")
    seen = dict(line.split("=", 1) for line in sink.data.decode().splitlines() if "=" in line)
    assert seen["SOME_API_KEY"] == "s3cr3t-of-ours"
    assert seen["AGENT_KEY"] == "s3cr3t-of-its"
    assert seen["POLITERM_RUN"] == "run-0001"
    assert seen["POLITERM_ROLE"] == "PLANNER"
    assert seen["PWD"] == str(rig.work)
    assert not {"TMUX", "TMUX_PANE", "NVIM", "SHELL"} & set(seen)
    shown = await rig.tmux("show-environment", "-g") + await rig.tmux("show-environment", "-t", "=politerm")
    everything = shown + await rig.tmux("list-panes", "-a", "-F", "#{pane_start_command}")
    for process in rig.left():
        everything += " ".join(process.cmdline())
    assert "s3cr3t" not in everything
    server = (await panes.report())["serverPid"]
    assert "s3cr3t" not in Path(f"/proc/{server}/environ").read_text() if Path("/proc").exists() else True
    assert (await panes.status(handle.pane)).alive


async def test_a_program_that_cannot_start_says_why_and_ends_with_127(rig: Rig) -> None:
    panes = await rig.panes()
    _, sink = await rig.open(panes, "no-such-agent-anywhere")
    assert await sink.dies() == (127, None, "the program ended with status 127")
    assert b"politerm: cannot start no-such-agent-anywhere: No such file or directory" in sink.data
    sink = Sink()
    await panes.open(rig.spec("cat", cwd=rig.work / "gone", run="run-0002"), sink)
    assert (await sink.dies())[0] == 127
    assert b"politerm: cannot enter " in sink.data


async def test_arguments_that_no_program_can_have_are_refused_before_tmux_is_touched(rig: Rig) -> None:
    panes = await rig.panes()
    for spec in (rig.spec("a\0b"), rig.spec(), rig.spec("cat", env={"A=B": "x"})):
        with pytest.raises(TmuxError):
            await panes.open(spec, Sink())
    assert not rig.socket.exists()


async def test_signals_and_open_files_are_as_from_a_login_shell(rig: Rig) -> None:
    panes = await rig.panes()
    program = rig.python(
        """
        import os, signal
        ignored = [s.name for s in signal.valid_signals() if isinstance(s, signal.Signals)
                   and s not in (signal.SIGPIPE, signal.SIGXFSZ) and signal.getsignal(s) == signal.SIG_IGN]
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        print(ignored, mask, sorted(map(int, os.listdir("/dev/fd"))), "over")
        """
    )
    _, sink = await rig.open(panes, *program)
    await sink.dies()
    # The fourth descriptor is the one that lists the folder.
    assert b"[] set() [0, 1, 2, 3] over" in sink.data


async def test_size_and_marks_are_there_from_the_start(rig: Rig) -> None:
    panes = await rig.panes()
    for role in (Role.PLANNER, Role.EXECUTER):
        handle, sink = await rig.open(panes, "sh", "-c", "stty size; cat", role=role)
        await sink.says("50 160")
        assert (handle.columns, handle.rows, handle.role, handle.incarnation) == (160, 50, role, 1)
        row = await rig.tmux(
            "display-message", "-p", "-t", handle.pane, "#{@poli_run} #{@poli_role} #{@poli_incarnation}"
        )
        assert row == f"run-0001 {role} 1"
    assert await rig.tmux("show-options", "-gv", "history-limit") == "50000"
    assert await rig.tmux("show-options", "-gv", "status") == "off"
    assert await rig.tmux("show-options", "-wv", "-t", handle.pane, "window-size") == "manual"


async def test_another_process_of_ours_finds_the_living_pane_and_what_it_learnt(rig: Rig) -> None:
    first = await rig.panes()
    sink = Sink()
    handle, sink = await rig.open(first, "sh", "-c", "printf '\\033[?2004h'; echo up; cat")
    await sink.says("up")
    _, ended = await rig.open(first, "sh", "-c", "exit 0", role=Role.EXECUTER)
    await ended.dies()
    await first.paste(handle.pane, "text", mark="prompt 1|a")
    await first.keys(handle.pane, ["Enter"], mark="keys")
    await first.shutdown()
    second = await rig.panes()
    sink = Sink()
    again = await second.adopt(handle.run_id, Role.PLANNER, sink)
    assert again == handle
    status = await second.status(handle.pane)
    assert (status.pasted, status.entered, status.bracketed, status.alive) == ("prompt 1|a", "keys", True, True)
    await second.type(handle.pane, "more\r")
    await sink.says("more")
    assert await second.adopt(handle.run_id, Role.EXECUTER, Sink()) is None
    assert await second.adopt(RunId("run-none"), Role.PLANNER, Sink()) is None


async def test_adopting_where_there_is_no_server_finds_nothing_and_starts_nothing(rig: Rig) -> None:
    panes = await rig.panes()
    assert await panes.adopt(RunId("run-0001"), Role.PLANNER, Sink()) is None
    with pytest.raises(TmuxGone):
        await panes.status("%0")
    assert rig.left() == []


async def test_look_alike_workspaces_never_meet(rig: Rig) -> None:
    one = await rig.panes(key="abc", socket=rig.folder / "a" / "tmux", runtime=rig.folder / "ra")
    two = await rig.panes(key="abc-2", socket=rig.folder / "a-2" / "tmux", runtime=rig.folder / "ra2")
    first, sink1 = await rig.open(one, "cat")
    second, sink2 = await rig.open(two, "cat")
    assert first.pane == second.pane
    await one.paste(first.pane, "to the first\n", mark="1")
    await two.paste(second.pane, "to the second\n", mark="2")
    await sink1.says("first")
    await sink2.says("second")
    assert b"second" not in sink1.data
    assert b"first" not in sink2.data
    assert await one.close(first.run_id) == 1
    assert (await two.status(second.pane)).alive
    assert sink2.deaths == []


async def test_a_later_incarnation_ends_what_the_earlier_one_left(rig: Rig) -> None:
    panes = await rig.panes()
    stubborn = ("sh", "-c", "trap '' HUP TERM; echo up; while :; do sleep 1; done")
    first, sink = await rig.open(panes, *stubborn)
    await sink.says("up")
    second, sink2 = await rig.open(panes, *stubborn, incarnation=2)
    await sink2.says("up")
    assert second.pane != first.pane
    assert [process.pid for process in rig.left() if process.pid == first.pid] == []
    assert (await panes.status(second.pane)).alive
    assert await rig.tmux("list-panes", "-a", "-F", "#{pane_id}") == second.pane


async def test_files_of_launches_that_never_happened_are_swept_and_nothing_is_readable_by_others(rig: Rig) -> None:
    panes = await rig.panes()
    assert stat.S_IMODE(rig.runtime.stat().st_mode) == 0o700
    assert stat.S_IMODE(rig.socket.parent.stat().st_mode) == 0o700
    old = rig.runtime / "launch-old"
    old.write_text("secret")
    os.utime(old, (1, 1))
    new = rig.runtime / "launch-new"
    new.write_text("secret")
    await panes.shutdown()
    await rig.panes()
    assert not old.exists()
    assert new.exists()


async def test_many_panes_opened_at_once(rig: Rig) -> None:
    panes = await rig.panes()
    opened = await asyncio.gather(*(rig.open(panes, "sh", "-c", f"echo pane {number}; cat") for number in range(10)))
    assert len({handle.pane for handle, _ in opened}) == 10
    for number, (_, sink) in enumerate(opened):
        await sink.says(f"pane {number}\r\n")
