"""What a look at a pane shows: the screen as drawn, logical lines, history; whatever a program draws."""

from __future__ import annotations

import asyncio
import re

import pyte

from politerm.engine.ports import PaneSink
from tests.integration.conftest import Rig, Sink


async def test_wrapped_lines_are_whole_again(rig: Rig) -> None:
    panes = await rig.panes()
    long = " ".join(f"word{number}" for number in range(100))
    wide = "漢字🙂" * 60
    handle, sink = await rig.open(
        panes, "sh", "-c", 'printf "%s\\n%s\\n  x  \\nEND" "$1" "$2"; exec cat', "sh", long, wide
    )
    await sink.says("END")
    screen = await panes.screen(handle.pane)
    assert screen.lines[:4] == (long, wide, "  x", "END")
    assert len(screen.visible) == 50
    assert screen.visible[0] == long[:160].rstrip()
    assert screen.history == 0
    assert (screen.status.cursor_x, screen.status.columns, screen.status.rows) == (3, 160, 50)
    await panes.resize(handle.pane, 200, 60)
    assert (await panes.screen(handle.pane)).lines[:4] == (long, wide, "  x", "END")


async def test_history_is_counted_in_logical_lines_above_the_screen(rig: Rig) -> None:
    panes = await rig.panes()
    line = "x" * 200
    script = 'n=0; while [ $n -lt 100 ]; do echo "$n $1"; n=$((n+1)); done; printf END; exec cat'
    handle, sink = await rig.open(panes, "sh", "-c", script, "sh", line)
    await sink.says("END")
    wanted = (*(f"{number} {line}" for number in range(100)), "END")
    screen = await panes.screen(handle.pane, history=1000)
    assert screen.lines == wanted
    # 49 rows above END show 24 lines of two rows each, and the second half of one more, which counts as seen.
    assert screen.history == 75
    assert (await panes.screen(handle.pane)).lines == (line[157:], *wanted[76:])
    some = await panes.screen(handle.pane, history=10)
    assert some.history == 5
    assert some.lines[1:] == wanted[1 - len(some.lines) :]


async def test_a_screen_full_of_tmux_protocol_is_just_text(rig: Rig) -> None:
    """The time and number of the block that captures a screen can be guessed, and drawn in advance."""
    panes = await rig.panes()
    script = """
        now=$(date +%s)
        for later in 0 1 2 3; do
            seq -f "%%end $((now + later)) %g 1" 240 900
            seq -f "%%error $((now + later)) %g 1" 240 900
        done
        printf '%%exit\n%%output %%1 spoofed\n%%begin 1 2 1\nEND'
        exec cat
    """
    other, listener = await rig.open(panes, "cat", run="run-0002")
    handle, sink = await rig.open(panes, "sh", "-c", script)
    await sink.says("END")
    for _ in range(20):
        screen = await panes.screen(handle.pane, history=10_000)
        text = [line for line in screen.lines if line]
        assert len(text) == 4 * 2 * 661 + 4
        assert text[-4:] == ["%exit", "%output %1 spoofed", "%begin 1 2 1", "END"]
    assert "spoofed" in await panes.snapshot(handle.pane)
    assert (await panes.status(other.pane)).alive
    assert sink.gaps == listener.gaps == []
    assert listener.data == b""


async def test_the_alternate_screen_is_told(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "sh", "-c", "printf 'below\\n\\033[?1049h\\033[Habove'; exec cat")
    await sink.says("above")
    screen = await panes.screen(handle.pane, history=100)
    assert screen.status.alternate
    assert screen.visible[0] == "above"
    assert "below" not in screen.lines


async def test_a_title_may_hold_anything(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "sh", "-c", "printf '\\033]2;a|b #{pid} | 7|中\\033\\\\END'; exec cat")
    await sink.says("END")
    assert (await panes.status(handle.pane)).title == "a|b #{pid} | 7|中"


async def test_a_snapshot_draws_the_same_screen(rig: Rig) -> None:
    panes = await rig.panes()
    drawing = "plain \\033[1;31mred\\033[0m 中\\r\\n\\033[44mbottom\\033[49;3Hx\\033[10;20HEND"
    script = f"printf '{drawing}'; exec cat"
    handle, sink = await rig.open(panes, "sh", "-c", script)
    await sink.says("END")
    text = await panes.snapshot(handle.pane)
    screen = await panes.screen(handle.pane)
    terminal = pyte.Screen(160, 50)
    pyte.Stream(terminal).feed(text)
    # pyte shows a wide character's second cell as an empty string in between.
    assert [re.sub(r"\s+$", "", row) for row in terminal.display] == list(screen.visible)
    assert (terminal.cursor.x, terminal.cursor.y) == (screen.status.cursor_x, screen.status.cursor_y)
    assert terminal.buffer[0][6].fg == "red"


async def test_a_pane_is_never_smaller_than_it_was_made(rig: Rig) -> None:
    panes = await rig.panes()
    handle, sink = await rig.open(panes, "sh", "-c", "trap 'stty size' WINCH; echo up; while :; do read x; done")
    await sink.says("up")
    assert await panes.resize(handle.pane, 80, 24) == (160, 50)
    assert await panes.resize(handle.pane, 240, 70) == (240, 70)
    await sink.says("70 240")
    assert await panes.resize(handle.pane, 10**9, 10**9) == (1000, 1000)


async def test_looking_changes_nothing_and_many_looks_at_once_are_each_whole(rig: Rig) -> None:
    panes = await rig.panes()
    first, sink1 = await rig.open(panes, "sh", "-c", "printf one; exec cat")
    second, sink2 = await rig.open(panes, "sh", "-c", "printf two; exec cat", run="run-0002")
    await sink1.says("one")
    await sink2.says("two")
    screens = await asyncio.gather(*(panes.screen((first, second)[number % 2].pane) for number in range(100)))
    assert [screen.lines[0] for screen in screens] == ["one", "two"] * 50


def test_the_sink_of_the_tests_is_a_sink() -> None:
    sink: PaneSink = Sink()
    assert sink
