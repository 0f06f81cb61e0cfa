"""The bytes of the protocol: every split, every broken header, and what is not JSON-RPC."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from politerm.core.wire import Role, Why
from politerm.lsp.framing import (
    INVALID_REQUEST,
    MAX_HEADER,
    PARSE_ERROR,
    Complaint,
    FrameReader,
    Notice,
    Reply,
    Request,
    decode,
    encode,
    read_message,
)


def frame(body: bytes, name: str = "Content-Length") -> bytes:
    return b"%b: %d\r\n\r\n%b" % (name.encode(), len(body), body)


def split_feed(data: bytes, cuts: list[int], limit: int = 1000) -> list[Any]:
    reader, found, last = FrameReader(limit), [], 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        found += reader.feed(data[last:cut])
        last = cut
    return found


def test_bodies_in_order() -> None:
    assert FrameReader().feed(frame(b"{}") + frame(b"[1]")) == [b"{}", b"[1]"]


@pytest.mark.parametrize("name", ["Content-Length", "content-length", "CONTENT-LENGTH", "cOnTeNt-LeNgTh"])
def test_header_names_in_any_case(name: str) -> None:
    assert FrameReader().feed(frame(b"{}", name)) == [b"{}"]


def test_other_headers_are_passed_over() -> None:
    data = b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\nX: y\r\n\r\n{}"
    assert FrameReader().feed(data) == [b"{}"]


def test_a_huge_length_is_refused_and_the_next_message_is_read() -> None:
    found = FrameReader().feed(b"Content-Length: 99000000000\r\n\r\n" + frame(b"{}"))
    assert isinstance(found[0], Complaint)
    assert "99000000000" in found[0].message
    assert "16 MB" in found[0].message
    assert found[1:] == [b"{}"]


def test_a_body_that_is_really_too_long_is_thrown_away_without_being_kept() -> None:
    reader = FrameReader(1000)
    found = reader.feed(b"Content-Length: 5000\r\n\r\n")
    for _ in range(50):
        found += reader.feed(b"x" * 100)
        assert len(reader._buffer) < 200
    found += reader.feed(frame(b"[]"))
    assert [type(item) for item in found] == [Complaint, bytes]


def test_the_length_itself_may_be_reached() -> None:
    body = b"x" * 1000
    assert FrameReader(1000).feed(frame(body)) == [body]


@pytest.mark.parametrize(
    "broken",
    [
        b"no header at all\r\n\r\n",
        b"Content-Length: abc\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"x" * (MAX_HEADER + 100),
        b'{"jsonrpc":"2.0"} and more than was said',
    ],
)
def test_one_complaint_for_a_broken_header_and_then_on(broken: bytes) -> None:
    found = FrameReader().feed(broken + frame(b"{}") + frame(b"[]"))
    assert [item.code if isinstance(item, Complaint) else item for item in found] == [PARSE_ERROR, b"{}", b"[]"]


def test_a_stray_line_before_a_header_is_forgiven() -> None:
    assert FrameReader().feed(b"a stray print\r\n" + frame(b"{}")) == [b"{}"]


PIECES = st.one_of(
    st.binary(max_size=40).map(frame),
    st.sampled_from([b"Content-Length: 99999\r\n\r\n", b"\r\n\r\n", b"garbage", b"Content-Length: x\r\n\r\n", b"\r"]),
    st.just(frame(b"y" * 1500)),
    st.just(b"z" * (MAX_HEADER + 10)),
    st.binary(max_size=20),
)


@given(st.lists(PIECES, max_size=8).map(b"".join), st.lists(st.integers(0, 10**6), max_size=12))
def test_the_same_for_every_split(data: bytes, cuts: list[int]) -> None:
    assert split_feed(data, cuts) == split_feed(data, [])


@given(st.lists(PIECES, max_size=6).map(b"".join))
def test_the_same_byte_by_byte(data: bytes) -> None:
    data = data[-3000:]
    assert split_feed(data, list(range(len(data)))) == split_feed(data, [])


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert decode(b'{"text": "a\\ud83d", "whole": "\\ud83d\\ude00"}') == {"text": "a\ufffd", "whole": "😀"}


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_not_json(body: bytes) -> None:
    found = decode(body)
    assert isinstance(found, Complaint)
    assert found.code == PARSE_ERROR


def test_encode_takes_models_dates_and_what_utf8_cannot_say() -> None:
    at = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    message = {"why": Why(source="screen", rule="r"), "at": at, "role": Role.PLANNER, "half": "a\ud83d", "big": 2**70}
    back = json.loads(encode(message))
    assert back["why"] == {"source": "screen", "rule": "r", "evidence": ""}
    assert back["at"] == "2026-01-02T00:00:00+00:00"
    assert back["role"] == "PLANNER"
    assert back["half"].startswith("a")
    assert back["big"] == 2**70


def message(**fields: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", **fields}


def test_what_a_message_is() -> None:
    assert read_message(message(id=1, method="m", params={})) == Request(1, "m", {})
    assert read_message(message(id="a", method="m")) == Request("a", "m", None)
    assert read_message(message(method="m", params=[1])) == Notice("m", [1])
    assert read_message(message(id=1, result=None)) == Reply(1, None, None)
    assert read_message(message(id=1, error={"code": 1})) == Reply(1, None, {"code": 1})


@pytest.mark.parametrize(
    ("value", "id"),
    [
        ([message(id=1, method="m")], None),
        ([], None),
        ("text", None),
        (7, None),
        (None, None),
        ({"id": 1, "method": "m"}, 1),
        ({"jsonrpc": "1.0", "id": 1, "method": "m"}, 1),
        (message(id=1), 1),
        (message(id=1, method=5), 1),
        (message(id=1, method="m", params="text"), 1),
        (message(id=None, method="m"), None),
        (message(id=True, method="m"), None),
        (message(id={}, method="m"), None),
        (message(id=1.5, method="m"), None),
        ({}, None),
    ],
)
def test_what_is_no_message(value: Any, id: Any) -> None:
    found = read_message(value)
    assert isinstance(found, Complaint)
    assert (found.code, found.id) == (INVALID_REQUEST, id)


KEYS = st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_reading_a_message_never_raises(value: Any) -> None:
    read_message(value)
