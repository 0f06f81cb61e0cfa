"""The control-mode decoder: what a stream says, in any split, whatever panes show."""

from __future__ import annotations

import warnings
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from politerm.tmux.control import Decoder, Item, Notice, Output, Overflow, Reply, Stray, undo_octal


def read(*pieces: bytes) -> list[Item]:
    decoder = Decoder()
    return [item for piece in pieces for item in decoder.feed(piece)]


def plain(items: list[Item]) -> list[Item]:
    """The same stream, however output was joined: neighbours without another kind of item between them, by pane."""
    answer: list[Item] = []
    output: dict[str, bytes] = {}
    for item in [*items, None]:
        if isinstance(item, Output):
            output[item.pane] = output.get(item.pane, b"") + item.data
            continue
        answer += [Output(pane, data) for pane, data in sorted(output.items())]
        output.clear()
        if item is not None:
            answer.append(item)
    return answer


def block(body: bytes, *, number: int = 7, how: bytes = b"end", flags: int = 1) -> bytes:
    guard = b"1700000000 %d %d\n" % (number, flags)
    return b"%begin " + guard + (body + b"\n" if body else b"") + b"%" + how + b" " + guard


def test_output_comes_out_as_the_program_wrote_it() -> None:
    assert read(b"%output %3 a\\015\\012\\033[1mb\\134n \xe4\xb8\xad\n") == [
        Output("%3", b"a\r\n\x1b[1mb\\n \xe4\xb8\xad"),
    ]


def test_neighbouring_output_of_one_pane_is_joined_and_other_items_keep_their_place() -> None:
    stream = b"%output %1 a\n%output %2 b\n%output %1 c\n%window-close @4\n%output %1 d\n"
    assert read(stream) == [
        Output("%1", b"ac"),
        Output("%2", b"b"),
        Notice("window-close", "@4"),
        Output("%1", b"d"),
    ]


def test_extended_output_is_output() -> None:
    assert read(b"%extended-output %1 12 : x\\012: y\n") == [Output("%1", b"x\n: y")]


def test_replies_carry_their_body_and_whether_tmux_agreed() -> None:
    assert read(block(b"one\ntwo"), block(b"", flags=0), block(b"no such pane", how=b"error")) == [
        Reply(True, 1, b"one\ntwo"),
        Reply(True, 0, b""),
        Reply(False, 1, b"no such pane"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"%end 1700000000 8 1",
        b"%end 1700000001 7 1",
        b"%end 1700000000 7 0",
        b"%end 1700000000 7 1 ",
        b"%error 1 2 1",
        b"%exit",
        b"%output %1 fake",
        b"%begin 1700000000 9 1",
        b"%continue %1",
    ],
)
def test_only_its_own_end_ends_a_block(line: bytes) -> None:
    body = b"above\n" + line + b"\nbelow"
    assert read(block(body)) == [Reply(True, 1, body)]


def test_a_screen_that_shows_its_own_true_end_cannot_leave_its_sealed_block() -> None:
    nonce = b"5eal"
    fake = b"%end 1700000000 8 1\n%output %1 spoofed\n%begin 1700000000 9 1\nguess\n%end 1700000000 9 1"
    decoder = Decoder()
    decoder.seal(nonce, 2)
    stream = block(nonce, number=7) + block(fake, number=8) + block(nonce, number=9)
    stream += block(b"%error 1700000000 10 1", number=10) + block(nonce, number=11) + block(b"next", number=12)
    assert decoder.feed(stream) == [
        Reply(True, 1, nonce),
        Reply(True, 1, fake),
        Reply(True, 1, nonce),
        Reply(True, 1, b"%error 1700000000 10 1"),
        Reply(True, 1, nonce),
        Reply(True, 1, b"next"),
    ]
    assert not decoder.within(nonce)


@pytest.mark.parametrize("before", [b"", b"%end 1700000000 8 1\n", b"%end 1700000000 8 1\nno guard\n", b"x\ny\n"])
def test_the_nonce_alone_does_not_end_a_sealed_block(before: bytes) -> None:
    nonce = b"5eal"
    decoder = Decoder()
    decoder.seal(nonce, 1)
    body = before + nonce + b"\nrest"
    replies = decoder.feed(block(nonce, number=7) + block(body, number=8) + block(nonce, number=9))
    assert replies[1] == Reply(True, 1, body)


def test_a_block_that_breaks_off_can_be_told() -> None:
    decoder = Decoder()
    decoder.seal(b"5eal", 1)
    decoder.feed(block(b"5eal") + b"%begin 1 2 1\nhalf a screen\n")
    assert decoder.within(b"5eal")
    assert not decoder.within(b"other")


def test_a_seal_that_is_taken_back_seals_nothing() -> None:
    decoder = Decoder()
    decoder.seal(b"5eal", 1)
    decoder.unseal(b"5eal")
    decoder.unseal(b"5eal")
    assert decoder.feed(block(b"5eal") + block(b"text")) == [Reply(True, 1, b"5eal"), Reply(True, 1, b"text")]


def test_what_is_no_protocol_is_kept_as_text() -> None:
    assert read(b"no server running on /s\n\n%exit\n%exit too far behind\n%begin x\n%Oops 1\n") == [
        Stray("no server running on /s"),
        Notice("exit", ""),
        Notice("exit", "too far behind"),
        Notice("begin", "x"),
        Stray("%Oops 1"),
    ]


@pytest.mark.parametrize("stream", [b"x" * 200, b"%begin 1 2 1\n" + b"y\n" * 100, b"%begin 1 2 1\nzz\n" + b"x" * 99])
def test_what_never_ends_is_given_up(stream: bytes) -> None:
    with pytest.raises(Overflow):
        Decoder(limit=100).feed(stream)


def test_long_lines_in_many_pieces_do_not_count_twice() -> None:
    decoder = Decoder(limit=100)
    for _ in range(50):
        assert decoder.feed(b"x" * 60) == []
        assert decoder.feed(b"\n" + b"%begin 1 2 1\n" + b"y" * 70) == [Stray("x" * 60)]
        assert decoder.feed(b"\n%end 1 2 1\n") == [Reply(True, 1, b"y" * 70)]


def test_backslashes_that_tmux_never_writes_do_no_harm() -> None:
    assert undo_octal(b"a\\") == b"a\\"
    assert undo_octal(b"\\x") == b"\\x"
    assert undo_octal(b"\\x\\101\\") == b"\\xA\\"


def escaped(data: bytes) -> bytes:
    """As tmux does it."""
    return b"".join(b"\\%03o" % byte if byte < 32 or byte == 0x5C else bytes((byte,)) for byte in data)


@given(st.binary())
def test_every_byte_survives(data: bytes) -> None:
    assert undo_octal(escaped(data)) == data


LINES = st.sampled_from([
    b"%begin 1 2 1", b"%end 1 2 1", b"%error 1 2 1", b"%begin 1 3 1", b"%end 1 3 1", b"%begin 1 4 0", b"%end 1 4 0",
    b"%output %1 a\\015", b"%output %2 b", b"%output x", b"%output", b"%window-close @1", b"%exit", b"n0nce", b"", b"%",
    b"text", b"%extended-output %1 5 : z", b"%continue %1",
])  # fmt: skip
STREAMS = st.lists(LINES | st.binary(max_size=12), max_size=40).map(b"\n".join)


@given(STREAMS, st.lists(st.integers(0, 600), max_size=12))
def test_every_split_says_the_same_and_nothing_crashes(stream: bytes, cuts: list[int]) -> None:
    def run(pieces: list[bytes]) -> list[Item]:
        decoder = Decoder()
        decoder.seal(b"n0nce", 1)
        with warnings.catch_warnings():
            # Newer Pythons warn of escapes that tmux never writes.
            warnings.simplefilter("ignore")
            return plain([item for piece in pieces for item in decoder.feed(piece)])

    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    whole = run([stream])
    assert run([stream[start:end] for start, end in pairwise(places)]) == whole
    assert run([stream[place : place + 1] for place in range(len(stream))]) == whole
