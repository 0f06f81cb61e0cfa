"""Canvas: the text of a full-screen program, painted at once or there before we came."""

from __future__ import annotations

from politerm.core.glyphs import GAP
from politerm.engine.canvas import LIMIT, Canvas
from politerm.engine.ports import PaneStatus, Screen


def screen(*rows: str, alternate: bool = True) -> Screen:
    return Screen(PaneStatus(alive=True, alternate=alternate), rows, 0, rows)


def test_what_stood_there_before_the_first_byte_is_text_too() -> None:
    canvas = Canvas(20, 3)
    assert canvas.text(screen("one", "two", "three")) == "one\ntwo\nthree"


def test_what_is_drawn_later_joins_it() -> None:
    canvas = Canvas(20, 3)
    canvas.text(screen("one", "two", "three"))
    canvas.keep(b"\x1b[H\x1b[2Ktwo\r\n\x1b[2Kthree\r\n\x1b[2Kfour")
    assert canvas.text(screen("two", "three", "four")) == "one\ntwo\nthree\nfour"


def test_a_program_on_the_normal_screen_has_none() -> None:
    canvas = Canvas(20, 3)
    canvas.keep(b"one\r\n")
    assert canvas.text(screen("one", alternate=False)) is None


def frames(lines: list[str], rows: int = 24) -> bytes:
    """A viewport that follows the end, painted afresh for every line."""
    painted = (lines[max(0, at - rows) : at] for at in range(1, len(lines) + 1))
    return (
        b"\x1b[?1049h" + "".join("\x1b[H" + "\r\n".join(f"\x1b[2K{row}" for row in view) for view in painted).encode()
    )


async def test_a_long_answer_painted_at_once_is_whole() -> None:
    canvas = Canvas(160, 24)
    lines = [f"line {number} " + "x" * 100 for number in range(200)]
    painted = frames(lines)
    assert len(painted) > 400_000
    canvas.keep(painted)
    await canvas.catch_up()
    assert canvas.text(screen(*lines[-24:])) == "\n".join(lines)


async def test_a_flood_is_looked_at_instead_and_leaves_a_gap() -> None:
    canvas = Canvas(160, 24)
    canvas.keep(frames(["first", "second", "third", "fourth", "fifth"]))
    assert canvas.text(screen()) is not None
    canvas.keep(b"\x1b[Hx" * (LIMIT // 4 + 1))
    await canvas.catch_up()
    rows = [f"something else {number}" for number in range(24)]
    text = canvas.text(screen(*rows))
    assert text is not None
    assert text.split("\n") == ["first", "second", "third", "fourth", GAP, *rows]
