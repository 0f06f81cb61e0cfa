"""The text-only screen: examples, and that nothing can break it. (tests/integration/core compares it with tmux.)"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from politerm.core.grid import Grid, cell_width
from politerm.core.terminal import TerminalFilter


def shown(text: str, columns: int = 8, rows: int = 3) -> list[str]:
    grid = Grid(columns, rows)
    grid.feed(TerminalFilter().feed(text.encode()))
    return grid.lines()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("ab\r\ncd", ["ab", "cd", ""]),
        ("12345678", ["12345678", "", ""]),
        ("123456789", ["12345678", "9", ""]),
        ("12345678\x1b[Kx", ["12345678", "x", ""]),
        ("12345678\x1b[J\x1b[X\x1b[P\x1b[@", ["12345678", "", ""]),
        ("a\r\nb\r\nc\r\nd", ["b", "c", "d"]),
        ("\x1b[?7l123456789abc", ["1234567c", "", ""]),
        ("12345678\x1b[?7lab", ["1234567b", "", ""]),
        ("\x1b[?7l1234567漢x", ["1234567x", "", ""]),
        ("\x1b[?7l12345678漢é", ["1234567é", "", ""]),
        ("ab\x1b[1;1H\x1b[4hx\x1b[4ly", ["xyb", "", ""]),
        ("漢字漢字漢", ["漢字漢字", "漢", ""]),
        ("1234567漢", ["1234567", "漢", ""]),
        ("漢字\x1b[1;2Hx", [" x字", "", ""]),
        ("漢字\x1b[1;1Hx", ["x 字", "", ""]),
        ("漢字\x1b[1;2H\x1b[X", ["  字", "", ""]),
        ("漢字\x1b[1;1H\x1b[X", ["  字", "", ""]),
        ("e\u0301x\r\n漢\u0300\r\n1234567e\u0301", ["e\u0301x", "漢\u0300", "1234567e\u0301"]),
        ("\u0301a" + "\u0301" * 40, ["a" + "\u0301" * 15, "", ""]),
        ("a\tb\bc\x1b[Zd", ["d      c", "", ""]),
        ("\x1b[1;3H\x1bH\r\tx\x1b[g\r\x1b[3g\ty", ["  x    y", "", ""]),
        ("\x1b(0lqk\x1b(B l\x1b)0\x0ex\x0fx", ["┌─┐ l│x", "", ""]),
        ("a\x1b7\x1b[3;3Hb\x1b8c\x1b[s\x1b[3;1Hd\x1b[ue", ["ace", "", "d b"]),
        ("abc\x1b[1;2H\x1b[2b\x1b[Hx\x1b[2b", ["xxx", "", ""]),
        ("\x1b[2b", ["", "", ""]),
        ("a\r\nb\r\nc\x1b[2;1H\x1b[L", ["a", "", "b"]),
        ("a\r\nb\r\nc\x1b[1;1H\x1b[2M", ["c", "", ""]),
        ("a\r\nb\r\nc\x1b[S", ["b", "c", ""]),
        ("a\r\nb\r\nc\x1b[T", ["", "a", "b"]),
        ("a\r\nb\r\nc\x1b[H\x1bM", ["", "a", "b"]),
        ("a\x1bMb\x1b[3;1H\x1bMc", [" b", "c", ""]),
        ("\x1b[2;3ra\r\nb\r\nc\r\nd", ["a", "c", "d"]),
        ("\x1b[2;3r\x1b[?6hx\x1b[9;1Hy\x1b[?6l\x1b[dz\x1b[9;9r", ["z", "x", "y"]),
        ("\x1bDa\x1bEb", ["", "a", "b"]),
        ("abc\x1b[1;2H\x1b[P\x1b[@x", ["axc", "", ""]),
        ("abc\x1b[2D\x1b[1Kx\x1b[2Ky", ["  y", "", ""]),
        ("ab\r\ncd\x1b[1J\x1b[H\x1b[A\x1b[Fx\x1b[9B\x1b[9Ey\x1b[9Cz", ["x", "", "y      z"]),
        ("ab\x1b[G1\x1b[`2\x1b[3G3", ["2b3", "", ""]),
        ("ab\x1b[2Jc\x1b[3J", ["  c", "", ""]),
        ("ab\x1b[Hx\x1bcy", ["y", "", ""]),
        ("a\x1b#8\x1b[2Kb", [" b", "EEEEEEEE", "EEEEEEEE"]),
        ("\x1b[2;3r\x1b[4h\x1b[!pab\x1b[Hx\x1b[2 q", ["xb", "", ""]),
        ("main\x1b[?1049halt\x1b[?1049l!", ["main   !", "", ""]),
        ("main\x1b[?47h\x1b[Halt\x1b[?1047h", ["alt", "", ""]),
        ("a\x1b[I\x1b[2ab", ["ab", "", ""]),
        ("a\x1b[?25l\x1b[?1hb", ["ab", "", ""]),
    ],
)  # fmt: skip
def test_what_is_drawn(text: str, rows: list[str]) -> None:
    assert shown(text) == rows


def test_widths() -> None:
    assert [cell_width(ch) for ch in "a漢é─🎉\u0301\u200d"] == [1, 2, 1, 1, 2, 0, 0]


class Owner:
    def __init__(self) -> None:
        self.pictures: list[list[str]] = []
        self.gone: list[tuple[int, int, list[str]]] = []
        self.grid = Grid(8, 3, on_picture=self.picture, on_scrolled_off=lambda *what: self.gone.append(what))

    def picture(self) -> None:
        self.pictures.append(self.grid.lines())
        self.grid.dirty.clear()


def test_a_picture_is_whole_when_the_program_goes_back_up() -> None:
    owner = Owner()
    owner.grid.feed("\x1b[Ha\r\nb\r\nc\x1b[1;1H")
    assert owner.pictures == [["a", "b", "c"]]
    owner.grid.feed("\x1b[2;1H\x1b[1;1H")
    assert len(owner.pictures) == 1
    owner.grid.feed("x\x1b[2J")
    owner.grid.feed("y\x1b[?1049h")
    owner.grid.feed("z\x1bc")
    assert owner.pictures[1:] == [["x", "b", "c"], [" y", "", ""], ["  z", "", ""]]


def test_rows_that_scroll_off_are_told() -> None:
    owner = Owner()
    owner.grid.feed("a\r\nb\r\nc\r\nd")
    assert owner.gone == [(0, 2, ["a"])]
    owner.grid.feed("\x1b[2;3r\x1b[2S")
    assert owner.gone[1:] == [(1, 2, ["c", "d"])]


def test_rows_can_be_loaded() -> None:
    grid = Grid(4, 2)
    grid.feed("xx\r\nyy")
    grid.load(["abcdef", "", "more"], alternate=True)
    assert grid.lines() == ["abcf", ""]
    assert grid.alternate


FINALS = st.sampled_from(list("ABCDEFGHJKLMPSTXZ@`abdfghlrsu")).map(lambda final: f"\x1b[{final}")
PIECES = FINALS | st.sampled_from(
    [
        "\x1b[", ";", "0", "1", "2", "9999", "H", "?", "4h", "6", "7l", "?1049h", " q", "!p", "\x1b7", "\x1b8", "\x1bD",
        "\x1bE", "\x1bH", "\x1bM", "\x1bc", "\x1b#8", "\x1b(0", "\x1b(B", "\x1b)0", "\x0e", "\x0f", "\r", "\n", "\b",
        "\t", "\v", "x", "hello", "漢", "e\u0301", "\u0301", "\x1b[31m", "\x1b[?6h", "\x1b[2;3r", "\x1b[?7l",
    ]
)  # fmt: skip


@settings(max_examples=400)
@given(text=st.lists(PIECES, max_size=40).map("".join), columns=st.integers(2, 9), rows=st.integers(1, 5))
def test_nothing_breaks_it(text: str, columns: int, rows: int) -> None:
    grid = Grid(columns, rows)
    grid.feed(TerminalFilter().feed(text.encode()))
    lines = grid.lines()
    assert len(lines) == rows
    assert all(sum(cell_width(ch) for ch in line) <= columns for line in lines)
    assert [len(row) for row in grid._cells] == [columns] * rows
