"""The terminal filter: what a viewer may see comes through, whatever else there is does not, in every split."""

from __future__ import annotations

import random
import re
import time

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from politerm.core.terminal import MAX_PAYLOAD, MAX_STATES, MAX_TITLE, TerminalFilter


def through(data: bytes | str) -> str:
    """What comes out, the same however it is cut."""
    data = data.encode() if isinstance(data, str) else data
    whole = TerminalFilter().feed(data)
    for size in (1, 2, 3, 7):
        one = TerminalFilter()
        assert "".join(one.feed(data[at : at + size]) for at in range(0, len(data), size)) == whole
    return whole


def after(data: str) -> TerminalFilter:
    one = TerminalFilter()
    for ch in data:
        one.feed(ch.encode())
    return one


@pytest.mark.parametrize(
    "text",
    [
        "plain text\r\n\ttabs\b\v\f",
        "漢字 é 🎉 \u2028 │╭─╮",
        "\x1b[m\x1b[0m\x1b[1;31mred\x1b[38;5;200m\x1b[38:2::1:2:3m\x1b[48;2;1;2;3m\x1b[4:3m",
        "\x1b[A\x1b[10B\x1b[C\x1b[2D\x1b[E\x1b[F\x1b[5G\x1b[3;4H\x1b[3;4f\x1b[2d\x1b[2a\x1b[2e\x1b[2`\x1b[I\x1b[Z",
        "\x1b[J\x1b[2J\x1b[3J\x1b[K\x1b[1K\x1b[?J\x1b[?2K\x1b[X\x1b[3@\x1b[2P\x1b[L\x1b[M\x1b[S\x1b[2T\x1b[9b\x1b[3g",
        "\x1b[2;20r\x1b[s\x1b[u\x1b7\x1b8\x1bD\x1bE\x1bH\x1bM\x1bc\x1b#8\x1b(0lqk\x1b(B\x1b)0\x0e\x0f\x1b(A",
        "\x1b[?25l\x1b[?25h\x1b[?1049h\x1b[?1049l\x1b[?47h\x1b[?7l\x1b[?1h\x1b[?6h\x1b[?12;25h\x1b[4h\x1b[4l",
        "\x1b[2 q\x1b[ q\x1b[!p",
        "\x1b]8;;https://example.org/a?b=c\x1b\\link\x1b]8;;\x1b\\",
        "\x1b]8;id=x-1.2_;http://localhost:1/\x1b\\link\x1b]8;;\x1b\\",
    ],
)
def test_what_a_viewer_may_see_comes_through(text: str) -> None:
    assert through(text) == text


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("device attributes", "\x1b[c\x1b[0c\x1b[>c\x1b[=c\x1bZ"),
        ("status reports", "\x1b[5n\x1b[6n\x1b[?6n\x1b[?15n\x1b[?996n"),
        ("mode reports", "\x1b[?2026$p\x1b[4$p"),
        ("versions", "\x1b[>q\x1b[>0q"),
        ("window operations", "\x1b[14t\x1b[8;1;1t\x1b[22;0t"),
        ("keyboard protocols", "\x1b[?u\x1b[>1u\x1b[<u\x1b[=1;1u\x1b[>4;2m\x1b[?4m"),
        ("answerback", "\x05"),
        ("checksums and presentation", "\x1b[1;1;1;1;1;1*y\x1b[1$w\x1b[1;1;1;1$z"),
        ("left and right margins", "\x1b[3;5s\x1b[?69h"),
        ("printing", "\x1b[5i\x1b[?5i"),
        ("mouse and focus", "\x1b[?1000h\x1b[?1002;1003;1006h\x1b[?1004h\x1b[?9l"),
        ("bracketed paste", "\x1b[?2004h\x1b[?2004l"),
        ("synchronised output", "\x1b[?2026h\x1b[?2026l"),
        ("keyboard lock and keypad", "\x1b[2h\x1b[12l\x1b=\x1b>"),
        ("saved modes", "\x1b[?1049s\x1b[?1049r"),
        ("mouse highlight", "\x1b[1;2;3;4;5T"),
        ("huge numbers", "\x1b[99999b\x1b[10000L\x1b[1;100000S"),
        ("clipboard", "\x1b]52;c;YWJj\x07\x1b]52;c;?\x1b\\"),
        ("colours", "\x1b]10;?\x07\x1b]4;1;?\x1b\\\x1b]11;rgb:0/0/0\x9c"),
        ("titles", "\x1b]0;t\x07\x1b]2;t\x1b\\\x1bkname\x1b\\\x1b]1;icon\x07"),
        ("other commands", "\x1b]9;x\x07\x1b]777;notify;a;b\x07\x1b]133;A\x07\x1b]1337;File=:abc\x07\x1b]\x07"),
        ("device control", "\x1bP+q544e\x1b\\\x1bPtmux;\x1b\x1b\\\x1bP$qm\x1b\\\x1bPq#0~\x07~\x1b\\"),
        ("other strings", "\x1b_Gf=100;AAAA\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\"),
        ("cancelled strings", "\x1b]0;a\x18\x1bPq\x1a"),
        ("C1", "\x80\x85\x90\x9b\x9d\x9f"),
        ("controls", "\x00\x01\x07\x10\x18\x1a\x1c\x7f"),
        ("coding systems and shifts", "\x1b%@\x1b%G\x1b F\x1b G\x1bN\x1bO\x1bn\x1b|\x1b(K\x1b*0"),
        ("rectangles and protection", '\x1b[1;1;2;2$x\x1b[1"q\x1b[#{\x1b[1\'}'),
        ("a stray terminator", "\x1b\\"),
    ],
)  # fmt: skip
def test_what_would_harm_is_dropped(what: str, data: str) -> None:
    assert through(f"a{data}b") == "ab", what


def test_modes_that_may_be_shown_are_kept_among_others() -> None:
    assert through("\x1b[?1049;1000;2004;25h") == "\x1b[?1049;25h"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\x1b]8;;javascript:x\x07a\x1b]8;;\x07", "\x1b]8;;\x1b\\a\x1b]8;;\x1b\\"),
        ("\x1b]8;;file:///etc/passwd\x07a", "\x1b]8;;\x1b\\a"),
        ("\x1b]8;;command:x\x1b\\a", "\x1b]8;;\x1b\\a"),
        ("\x1b]8;;https://a b\x07a", "\x1b]8;;\x1b\\a"),
        ("\x1b]8;;https://ä\x07a", "\x1b]8;;\x1b\\a"),
        ("\x1b]8;x=y:id=1:z;https://a/\x07a", "\x1b]8;id=1;https://a/\x1b\\a"),
        ("\x1b]8;id=é\x07a", "\x1b]8;;\x1b\\a"),
        ("\x1b]8;;https://" + "a" * MAX_PAYLOAD + "\x07a", "\x1b]8;;\x1b\\a"),
    ],
)
def test_links_that_do_not_lead_to_the_web_are_no_links(data: str, text: str) -> None:
    assert through(data) == text


def test_what_is_no_sequence_becomes_text() -> None:
    assert through("\x1b[6\nn") == "[6\nn"
    assert through("\x1b\x1b\x1b[31mx") == "\x1b[31mx"
    assert through("\x1b漢") == "漢"
    assert through("\x1b[漢") == "[漢"
    assert through("\x1b" + "[" + "1;" * 150 + "mx") == "[" + "1;" * 150 + "mx"
    assert through("\x1b          x") == "          x"
    assert through("\x1b[1" + " " * 9 + "q") == "[1" + " " * 9 + "q"


def test_a_string_is_ended_by_any_other_escape() -> None:
    assert through("\x1b]0;title\x1b[31mred") == "\x1b[31mred"
    assert through("\x1b]0;title\x1b]2;other\x07x") == "x"
    assert after("\x1b]0;title\x1b[31m").title == ""


def test_an_unfinished_string_shows_nothing_and_takes_no_room() -> None:
    one = TerminalFilter()
    for _ in range(100):
        assert one.feed(b"\x1b]52;c;" + b"A" * 100_000) == ""
    assert one.feed(b"\x07after") == "after"


def test_text_that_is_not_utf_8() -> None:
    assert through(b"a\xffb\x9b31m\xe6\xbc") == "a\ufffdb\ufffd31m"
    assert through("漢".encode()[:2] + b"x") == "\ufffdx"


def test_bracketed_paste_and_the_alternate_screen_are_seen() -> None:
    assert after("\x1b[?2004h").bracketed_paste
    assert not after("\x1b[?2004h\x1b[?25;2004l").bracketed_paste
    assert not after("\x1b[2004h").bracketed_paste
    assert after("\x1b[?1049h").alternate
    assert after("\x1b[?47h").alternate
    assert not after("\x1b[?1049h\x1b[?1049l").alternate
    reset = after("\x1b[?1049h\x1b[?2004h\x1bc")
    assert (reset.bracketed_paste, reset.alternate) == (False, False)


def test_titles() -> None:
    assert after("\x1b]0;⠂ busy\x07").title == "⠂ busy"
    assert after("\x1b]0;one\x07\x1b]2;two; three\x1b\\").title == "two; three"
    assert after("\x1b]2;a\r\n\tb\x85c\x07").title == "a b c"
    assert after("\x1b]2;" + "x" * 10_000 + "\x07").title == "x" * MAX_TITLE
    assert after("\x1b]1;icon\x07").title == ""


def test_states_that_an_agent_tells() -> None:
    one = after("\x1b]7501;state=working\x07text\x1b]7501;state=blocked;kind=permission\x1b\\")
    assert one.osc_states == ["state=working", "state=blocked;kind=permission"]
    one.feed("".join(f"\x1b]7501;state={i}\x07" for i in range(1000)).encode())
    assert one.osc_states == [f"state={i}" for i in range(1000 - MAX_STATES, 1000)]


ALLOWED = re.compile(
    r"""[^\x00-\x07\x0e-\x1f\x7f-\x9f]|[\x0e\x0f]
    |\x1b\[\d{0,4}([;:]\d{0,4}){0,40}[A-MPSXZ@`abdefgmr]|\x1b\[\d{0,4}T|\x1b\[[su]|\x1b\[4[hl]|\x1b\[[0-6]?\ q|\x1b\[!p
    |\x1b\[\?[012]?[JK]|\x1b\[\?(1|5|6|7|12|25|45|47|104[789])(;(1|5|6|7|12|25|45|47|104[789]))*[hl]
    |\x1b[78DEHMc]|\x1b\#8|\x1b[()][0AB]|\x1b\]8;;\x1b\\|\x1b\]8;(id=[\w.\-]+)?;https?://[!-~]+\x1b\\""",
    re.VERBOSE | re.IGNORECASE,
)
PIECES = st.sampled_from(
    [
        "\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1bk", "\x1b\\", "\x07", "\x18", "\x9b", "\x9c", "[", "]",
        "?", ";", ":", "0", "1", "25", "2004", "1049", "8;", "0;", "7501;", "52;c;?", "https://a/", "id=1", "h", "l",
        "m", "n", "c", "t", "u", "q", "p", "$", " ", "!", ">", "x", "漢", "\r\n", "\x1b[31m", "\x1b[6n", "\x1b[?25l",
        "T", "\x1b(0", "\x00",
    ]
)  # fmt: skip
STREAMS = st.lists(PIECES, max_size=40).map(lambda parts: "".join(parts).encode()) | st.binary(max_size=80)


@settings(max_examples=500)
@given(data=STREAMS, cuts=st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_every_split_gives_the_same_and_nothing_but_what_is_allowed(data: bytes, cuts: list[int]) -> None:
    whole, one = TerminalFilter(), TerminalFilter()
    text = whole.feed(data)
    pieces: list[str] = []
    at = 0
    while at < len(data):
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(one.feed(data[at : at + size]))
        at += size
    assert "".join(pieces) == text
    assert (one.title, one.alternate, one.bracketed_paste, one.osc_states) == (
        whole.title, whole.alternate, whole.bracketed_paste, whole.osc_states,
    )  # fmt: skip
    assert re.fullmatch(f"(?:{ALLOWED.pattern})*", text, ALLOWED.flags)


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from(["text ", "é", "\r\n", "\x1b[2;3H", "\x1b[K", "\x1b[2J", "\x1b[31m", "\x1b[0m", "\b", "\t"])
    )
)
def test_a_screen_looks_the_same_with_it(parts: list[str]) -> None:
    data = "".join(parts)
    with_filter, without = pyte.Screen(20, 5), pyte.Screen(20, 5)
    pyte.Stream(with_filter).feed(through(data))
    pyte.Stream(without).feed(data)
    assert with_filter.display == without.display


@pytest.mark.parametrize(
    "unit",
    [b"\x1b", b"\x1b[6n", b"\x1b]0;a\x07", b"\x07", b"\x1b]0;\x1b", b"\x1b[" + b"1;" * 300, b"\x1bP", b"x", b"\x1b[1"],
)
def test_hostile_output_takes_linear_time(unit: bytes) -> None:
    data = unit * (1_000_000 // len(unit))
    started = time.perf_counter()
    one = TerminalFilter()
    for at in range(0, len(data), 4096):
        one.feed(data[at : at + 4096])
    assert time.perf_counter() - started < 10


def test_random_bytes_do_no_harm() -> None:
    data = random.Random(7).randbytes(200_000)
    assert re.fullmatch(f"(?:{ALLOWED.pattern})*+", TerminalFilter().feed(data), ALLOWED.flags)
