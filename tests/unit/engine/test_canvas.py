"""Canvas: the text of a full-screen program that was there before we came."""

from __future__ import annotations

from politerm.engine.canvas import Canvas
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
