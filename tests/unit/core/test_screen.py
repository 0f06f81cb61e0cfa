"""Screens as text: boundaries, and a full-screen program that draws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from politerm.core.blocks import Block, Broken, read_blocks
from politerm.core.glyphs import GAP
from politerm.core.screen import AltScreen, after_boundary, text_of


def test_text_of() -> None:
    assert text_of(["a  ", "  b", "", "   ", ""]) == "a\n  b"
    assert text_of([]) == ""


# ---- the boundary ----------------------------------------------------------------------------------------------------


def test_after_boundary() -> None:
    text = "old\nPOLI end: p-1\nmiddle\n> POLI end: p-1 │\n● answer\nmore"
    assert after_boundary(text, "p-1") == "● answer\nmore"
    assert after_boundary(text, "p-2") is None
    assert after_boundary("POLI end: p-12\nx", "p-1") is None
    assert after_boundary("POLI end: p-1-2\nx", "p-1") is None
    assert after_boundary("POLI end: p-1", "p-1") == ""
    assert after_boundary("POLI end: a.b\nx", "aXb") is None


@pytest.mark.parametrize("width", [6, 7, 9, 11, 13, 20])
def test_a_boundary_that_is_wrapped_in_a_frame(width: int) -> None:
    line = "POLI end: p-0123456789ab"
    rows = [line[at : at + width].strip() for at in range(0, len(line), width)]
    drawn = "\n".join(f"│ {row:{width}} │" for row in rows)
    assert after_boundary(f"x\n{drawn}\n╰──╯\nanswer", "p-0123456789ab") == "╰──╯\nanswer"


# ---- a full-screen program -------------------------------------------------------------------------------------------

PLAN = "\n".join(f"{number:03}. do what is to be done" if number % 9 else "" for number in range(1, 201))
MESSAGE = f'[[POLI:MSG {{"type":"plan","key":"abc"}}]]\n<PLAN>\n{PLAN}\n</PLAN>\n[[/POLI:MSG]]'


class Program:
    """Draws a window that follows the end of its text, above an input box, as full-screen programs do."""

    def __init__(self, columns: int = 60, rows: int = 24, head: tuple[str, ...] = ()) -> None:
        self.columns, self.rows, self.head = columns, rows, head
        self.lines: list[str] = []
        self.beat = 0

    def say(self, text: str) -> bytes:
        out = []
        for line in text.split("\n"):
            self.lines.append(line)
            out.append(self.draw())
        return "".join(out).encode()

    def view(self) -> list[str]:
        self.beat += 1
        wrapped = [row[at : at + self.columns] for row in self.lines for at in range(0, len(row) or 1, self.columns)]
        room = self.rows - 4 - len(self.head)
        view = wrapped[-room:] + [""] * (room - len(wrapped[-room:]))
        rule = "─" * self.columns
        return [*self.head, *view, rule, "> ", rule, f"{'⠋⠙⠸'[self.beat % 3]} working ({self.beat} s)"]

    def draw(self) -> str:
        """Everything anew, from the top."""
        return "\x1b[H" + "\r\n".join(f"{row}\x1b[K" for row in self.view()) + f"\x1b[{self.rows - 2};3H"


class Careful(Program):
    """Draws only what changed, each row at its place."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = [""] * self.rows

    def draw(self) -> str:
        rows = self.view()
        out = [f"\x1b[{at + 1};1H\x1b[2K{row}" for at, row in enumerate(rows) if row != self.drawn[at]]
        self.drawn = rows
        return "".join(out) + f"\x1b[{self.rows - 2};3H"


class Clearing(Program):
    """Clears the screen for each picture."""

    def draw(self) -> str:
        return "\x1b[2J\x1b[H" + "\r\n".join(self.view())


def message_in(screen: AltScreen) -> str:
    (block,) = read_blocks(screen.text(), screen=True)
    assert isinstance(block, Block)
    return block.body


@pytest.mark.parametrize("size", [1, 999, 1 << 20])
@pytest.mark.parametrize("program", [Program, Careful, Clearing])
def test_a_plan_of_200_lines_comes_out_of_24_rows(program: type[Program], size: int) -> None:
    one = program()
    data = b"\x1b[?1049h" + one.say(f"> the prompt\n\n{MESSAGE}\n")
    screen = AltScreen(60, 24)
    for at in range(0, len(data), size):
        screen.feed(data[at : at + size])
    assert message_in(screen) == f"<PLAN>\n{PLAN}\n</PLAN>"
    assert screen.alternate
    assert not screen.gap


def test_a_title_that_changes_stays_out_of_the_text() -> None:
    one = Program(head=("Session one", ""))
    screen = AltScreen(60, 24)
    screen.feed(b"\x1b[?1049h")
    for number, line in enumerate(MESSAGE.split("\n")):
        one.head = (f"Session one, {number} tokens", "")
        screen.feed(one.say(line))
    assert message_in(screen) == f"<PLAN>\n{PLAN}\n</PLAN>"


def test_a_program_that_lets_the_terminal_scroll() -> None:
    screen = AltScreen(60, 10)
    screen.feed(f"\x1b[?1049h\x1b[H{MESSAGE}\n".replace("\n", "\r\n").encode())
    assert message_in(screen) == f"<PLAN>\n{PLAN}\n</PLAN>"
    screen = AltScreen(60, 10)
    screen.feed(b"\x1b[?1049h\x1b[HTitle\x1b[10;1H> input\x1b[2;9r\x1b[2;1H")
    screen.feed(f"{MESSAGE}\n".replace("\n", "\r\n").encode())
    assert message_in(screen) == f"<PLAN>\n{PLAN}\n</PLAN>"


def test_what_is_on_the_normal_screen_does_not_count() -> None:
    screen = AltScreen(60, 5)
    screen.feed(b"$ program\r\n" * 20 + b"\x1b[H\x1b[?1049h\x1b[Hinside\x1b[?1049lafter\r\n\x1b[Hmore\r\n")
    assert screen.text() == "inside"
    assert not screen.alternate
    screen.feed(b"\x1b[?1049h\x1b[Hinside\r\nagain")
    assert screen.text() == "inside\nagain"
    assert screen.lines()[:2] == ["inside", "again"]


def test_a_message_with_a_hole_in_it_is_none() -> None:
    one = Program()
    screen = AltScreen(60, 24)
    screen.feed(b"\x1b[?1049h" + one.say(MESSAGE[: len(MESSAGE) // 3]))
    one.lines += ["unseen"] * 40
    screen.feed(one.say(MESSAGE[len(MESSAGE) // 2 :]))
    assert screen.gap
    (broken,) = read_blocks(screen.text(), screen=True)
    assert isinstance(broken, Broken)
    assert broken.reason == "gap"


def test_bytes_that_were_not_drawn_are_skipped_to_the_screen_after_them() -> None:
    one = Program()
    screen = AltScreen(60, 24)
    screen.feed(b"\x1b[?1049h" + one.say("first\nsecond"))
    one.lines.append("third")
    screen.skip(b"\x1b[5;5Hunseen\x1b[", one.view())
    screen.feed(b"H" + one.say("fourth"))
    assert screen.text().split("\n")[:4] == ["first", "second", "third", "fourth"]
    assert not screen.gap
    screen.reset([f"something else {number}" for number in range(24)])
    assert GAP in screen.text().split("\n")


PIECES = st.sampled_from(
    [
        b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[H", b"\x1b[2J", b"a\r\n", b"b" * 30, b"\x1b[3S", b"\x1b[3T", b"\xff",
        b"\x1b[5;1Hc", b"\n" * 9, b"\x1bc",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30))
def test_nothing_breaks_it(parts: list[bytes]) -> None:
    screen = AltScreen(20, 6)
    for part in parts:
        screen.feed(part)
        screen.text()
    assert len(screen.lines()) == 6
