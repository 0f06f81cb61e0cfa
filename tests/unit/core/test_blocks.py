"""The block reader as dialogues: a text goes in, what it finds is compared, in every split."""

from __future__ import annotations

import json
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from politerm.core.blocks import (
    MAX_BODY,
    MAX_DEPTH,
    MAX_FENCES,
    MAX_MARKERS,
    Block,
    BlockReader,
    Broken,
    Found,
    read_blocks,
    shows_block,
)
from politerm.core.header import MAX_HEADER, MAX_NESTING

CLOSE = "[[/POLI:MSG]]"


def opening(kind: str = "plan", **fields: object) -> str:
    return f"[[POLI:MSG {json.dumps({'type': kind, **fields})}]]"


OPEN = opening()


def in_pieces(text: str, size: int, *, screen: bool = False) -> list[Found]:
    reader = BlockReader(screen=screen)
    found: list[Found] = []
    for at in range(0, len(text), size):
        found += reader.feed(text[at : at + size])
    return found + reader.end()


def read(text: str, *, screen: bool = False) -> list[Found]:
    """What is in the text, the same for every way to feed it."""
    found = read_blocks(text, screen=screen)
    assert in_pieces(text, 1, screen=screen) == found
    assert in_pieces(text, 7, screen=screen) == found
    assert [one.index for one in found] == list(range(len(found)))
    return found


def told(text: str, *, screen: bool = False) -> list[tuple[str, str]]:
    """In short: (type, body) of each block, (reason, "") of each broken one."""
    return [(one.kind, one.body) if isinstance(one, Block) else (one.reason, "") for one in read(text, screen=screen)]


def bodies(text: str, *, screen: bool = False) -> list[str]:
    found = read(text, screen=screen)
    assert all(isinstance(one, Block) for one in found), found
    return [one.body for one in found if isinstance(one, Block)]


# ---- bodies are exact ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "",
        "one line",
        "<PLAN>\n1. do\n2. check\n</PLAN>",
        "  indented\n\tand with a tab  \n",
        'back\\slash \\n \\" C:\\new',
        "計画：漢字、絵文字 🎉 é",
        "\nblank lines around\n\n",
        "nul \x00 and escape \x1b[31m",
        "ends in a carriage return\rand more",
        "line separators \u2028 \u2029 \x85 \x0b \x0c are text",
        "a [[POLI:MSG in the middle of a line",
        "talk of [[/POLI:MSG]] in the middle",
        "talk of the marker [[/POLI:MSG]]\nat the end of a line",
        "```python\nprint()\n```",
        "an odd fence\n```",
        "I will not send TASK_COMPLETE yet",
    ],
)
def test_a_body_comes_out_as_it_was_written(body: str) -> None:
    assert bodies(f"before\n{OPEN}\n{body}\n{CLOSE}\nafter\n") == [body]


def test_a_megabyte_comes_out_as_it_was_written() -> None:
    body = "".join(f"{i} 漢字 -x /x a;\n" for i in range(50_000))
    assert len(body.encode()) > 1_000_000
    (block,) = in_pieces(f"{OPEN}\n{body}\n{CLOSE}", 4099)
    assert isinstance(block, Block)
    assert block.body == body


def test_the_line_break_before_the_end_marker_may_be_crlf() -> None:
    assert bodies(f"{OPEN}\r\na\r\nb\r\n{CLOSE}\r\n") == ["a\r\nb"]


def test_a_message_on_one_line() -> None:
    assert bodies(f"{opening('status')} working on it {CLOSE}") == ["working on it"]
    assert bodies(f"{opening('status')}{CLOSE}") == [""]


def test_the_body_may_begin_behind_the_opening() -> None:
    assert bodies(f"{OPEN}  <PLAN>\nx\n{CLOSE}") == ["<PLAN>\nx"]


def test_halves_of_characters_are_replaced() -> None:
    assert bodies(f"{OPEN}\na\ud83db\n{CLOSE}") == ["a\ufffdb"]


def test_offsets_and_header() -> None:
    text = f"é\n● {opening('PLAN', id='p1', to='EXECUTER', extra=[1, {'a': None}])}\nx\n{CLOSE}"
    assert read(text) == [
        Block(0, {"type": "plan", "id": "p1", "to": "EXECUTER", "extra": [1, {"a": None}]}, "x", False, 4)
    ]


# ---- where a marker counts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lead", ["", "  ", "● ", "• ", "✦ ", "⏺ ", "- ", "* ", "**", "❯ ", "› ", "│ ", "⎿  ", "⠋ ", "🤖 "]
)
@pytest.mark.parametrize("screen", [False, True])
def test_an_opening_counts_after_glyphs(lead: str, screen: bool) -> None:
    assert told(f"{lead}{OPEN}\nx\n{lead}{CLOSE}\n", screen=screen) == [("plan", "x")]


@pytest.mark.parametrize("lead", ["I will send ", "`", '"', "+ ", "1. ", "$ ", "# ", "// ", "x", "(", " " * 201])
@pytest.mark.parametrize("screen", [False, True])
def test_an_opening_in_prose_is_none(lead: str, screen: bool) -> None:
    assert told(f"{lead}{OPEN} later\nx\n{CLOSE}\n", screen=screen) == []


@pytest.mark.parametrize("line", ["[[POLI:MSGS {}]]", "[[POLI:MSG blocks are lines", "[[POLI:MSG", "[[ POLI:MSG {}]]"])
def test_things_that_look_like_an_opening(line: str) -> None:
    assert told(f"{line}\n{opening('result')}\nx\n{CLOSE}\n{line}") == [("result", "x")]


def test_an_opening_with_nothing_behind_it_is_prose() -> None:
    (block,) = read(f"[[POLI:MSG\nprose\n[[POLI:MSG\n```\n{OPEN}\nx\n{CLOSE}\n")
    assert isinstance(block, Block)
    assert block.quoted


def test_single_brackets_count_on_a_screen_only() -> None:
    text = f"[POLI:MSG {json.dumps({'type': 'plan', 'list': [{'a': 1}]})}]\nx\n[/POLI:MSG]\n"
    assert told(text, screen=True) == [("plan", "x")]
    assert told(text) == []


def test_after_an_end_marker_the_line_goes_on_as_a_new_one() -> None:
    text = f"{opening('status')} a {CLOSE} {opening('result')} b {CLOSE}\n"
    assert told(text) == told(text, screen=True) == [("status", "a"), ("result", "b")]
    assert told(f"{OPEN}\nx\n{CLOSE}. That was it") == [("plan", "x")]


def test_an_end_marker_joined_to_the_text_counts_on_a_screen() -> None:
    text = f"{OPEN}\na\nlast words {CLOSE}   \nmore prose\n"
    assert told(text, screen=True) == [("plan", "a\nlast words")]
    assert told(text) == [("unclosed", "")]


@pytest.mark.parametrize("after", ["", "\n", "\n\n  \n", "\n```\n"])
def test_an_end_marker_joined_to_the_last_line_of_all_counts(after: str) -> None:
    assert bodies(f"{OPEN}\na\nlast words{CLOSE}{after}") == ["a\nlast words"]


def test_an_end_marker_joined_to_the_last_line_before_the_next_opening_counts() -> None:
    assert bodies(f"{OPEN}\na{CLOSE}\n\n● {OPEN}\nb\n{CLOSE}") == ["a", "b"]
    assert told(f"{OPEN}\na{CLOSE}\nprose\n{OPEN}\nb\n{CLOSE}") == [("unclosed", ""), ("plan", "b")]


def test_a_stray_end_marker_means_nothing() -> None:
    assert told(f"{CLOSE}\n{OPEN}\nx\n{CLOSE}\n{CLOSE}\nx {CLOSE}\n") == [("plan", "x")]


# ---- headers ---------------------------------------------------------------------------------------------------------


def wrapped(text: str, width: int, first: str, rest: str) -> str:
    """Cut hard, as a terminal program does that knows nothing of words."""
    pieces = [text[at : at + width] for at in range(0, len(text), width)]
    return first + f"\n{rest}".join(pieces)


@pytest.mark.parametrize("width", [12, 17, 23, 38, 56])
@pytest.mark.parametrize("screen", [False, True])
def test_a_header_wrapped_anywhere(width: int, screen: bool) -> None:
    text = opening(to="EXECUTER", id="plan-000123456789", key="abcdefghijkl", n=12345)
    (block,) = read(f"{wrapped(text, width, '● ', '    ')}\nx\n  {CLOSE}\n", screen=screen)
    assert isinstance(block, Block)
    assert block.header == {
        "type": "plan", "to": "EXECUTER", "id": "plan-000123456789", "key": "abcdefghijkl", "n": 12345
    }  # fmt: skip


def test_a_header_that_begins_on_the_next_line() -> None:
    assert told(f"[[POLI:MSG\n  {{\n  'type': 1}}]]\nx\n{CLOSE}") == [("bad-header", "")]
    assert told(f'[[POLI:MSG  \n  {{\n  "type":\n  "plan"\n}}\n]\n]\nx\n{CLOSE}') == [("plan", "x")]


def test_a_header_in_a_quotation_goes_on_in_the_quotation() -> None:
    (block,) = read(f'> [[POLI:MSG {{"type":\n> "plan"}}]]\n> x\n> {CLOSE}')
    assert block == Block(0, {"type": "plan"}, "> x", True, 2)


def test_backslashes_that_a_renderer_ate() -> None:
    text = '[[POLI:MSG {"type": "plan", "note": "say "hi", C:new", "n": -3, "ok": true, "no": ""}]]\nx\n' + CLOSE
    (block,) = read(text, screen=True)
    assert isinstance(block, Block)
    assert block.header == {"type": "plan", "note": 'say "hi", C:new', "n": -3, "ok": True, "no": ""}
    assert told(text) == [("bad-header", "")]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("{}", "no-type"),
        ('{"to": "EXECUTER"}', "no-type"),
        ('{"type": "plans"}', "unknown-type"),
        ('{"type": null}', "unknown-type"),
        ('{"type": ["plan"]}', "unknown-type"),
        ("", "bad-header"),
        ("{...}", "bad-header"),
        ("{type: plan}", "bad-header"),
        ('{"type": <"plan">}', "bad-header"),
        ('{"type": "plan", "x": }', "bad-header"),
        ('{"type": "plan"} trailing', "bad-header"),
        ('{"type": "plan", "x": NaN}', "bad-header"),
        ('{"type": "plan", "x": "\\ud800"}', "bad-header"),
        ('{"type": "plan", "x": ' + "[" * 9 + "]" * 9 + "}", "bad-header"),
        ('{"type": "plan", "x": ' + '{"a":' * 9 + "1" + "}" * 9 + "}", "bad-header"),
        ('{"type": "plan", "x": ' + "[" * 2000 + "]" * 2000 + "}", "bad-header"),
        ('{"type": "plan", "x": "' + "x" * MAX_HEADER + '"}', "bad-header"),
    ],
)
@pytest.mark.parametrize("screen", [False, True])
def test_headers_that_are_refused(header: str, reason: str, screen: bool) -> None:
    text = f"[[POLI:MSG {header}]]\nx\n{CLOSE}\n{opening('result')}\ny\n{CLOSE}\n"
    assert told(text, screen=screen) == [(reason, ""), ("result", "y")]


def test_a_list_that_ends_a_row_does_not_end_the_header() -> None:
    text = f'[POLI:MSG {{"type": "plan", "list": [{{"a": 1}}]\n, "b": 2}}]\nx\n{CLOSE}'
    (block,) = read(text, screen=True)
    assert isinstance(block, Block)
    assert block.header == {"type": "plan", "list": [{"a": 1}], "b": 2}


def test_how_deep_a_header_may_be() -> None:
    for depth, kinds in ((MAX_NESTING - 1, ["plan"]), (MAX_NESTING, ["bad-header"])):
        for open_, close in ("[]", ('{"a":', "}")):
            value = open_ * depth + "1" * (open_ != "[") + close * depth
            assert [what for what, _ in told(f'[[POLI:MSG {{"type":"plan","x":{value}}}]]\nx\n{CLOSE}')] == kinds


def test_numbers_that_no_reader_could_hold_stay_text() -> None:
    (block,) = read(f'[[POLI:MSG {{"type":"plan","n":{"9" * 30},"m":{"9" * 15},"f":1e999,"g":1.5}}]]\n{CLOSE}')
    assert isinstance(block, Block)
    assert block.header == {"type": "plan", "n": "9" * 30, "m": 10**15 - 1, "f": "1e999", "g": 1.5}


@pytest.mark.parametrize(
    "text", ['[[POLI:MSG {"type":', '[[POLI:MSG {"type":\n', '[[POLI:MSG {\n"type\n' + OPEN + "\n" + CLOSE]
)
def test_a_header_that_never_ends(text: str) -> None:
    assert told(text)[0] == ("bad-header", "")


def test_a_header_is_looked_for_on_a_few_lines_only() -> None:
    assert told('[[POLI:MSG {"type":\n' + '"plan",\n' * 40 + f"]]\n{CLOSE}\n{OPEN}\nx\n{CLOSE}") == [
        ("bad-header", ""),
        ("plan", "x"),
    ]


def test_a_single_bracket_header_that_never_ends() -> None:
    text = "[POLI:MSG {x}]\n" + "y\n" * 30 + f'[/POLI:MSG]\n[POLI:MSG {{"type":"plan"}}]\nx\n{CLOSE}'
    assert told(text, screen=True) == [("bad-header", ""), ("plan", "x")]


# ---- unclosed, nested, oversized -------------------------------------------------------------------------------------


def test_an_unclosed_block_is_reported_and_the_next_one_counts() -> None:
    found = read(f"{OPEN}\nfirst\n{opening('result')}\nsecond\n{CLOSE}\n")
    assert found == [
        Broken(0, "unclosed", f"{OPEN} first {opening('result')} second {CLOSE}"),
        Block(1, {"type": "result"}, "second", False, len(OPEN) + 7),
    ]


def test_a_block_nested_in_a_closed_one_belongs_to_its_body() -> None:
    inner = f"{opening('result')}\nyour answer\n{CLOSE}"
    assert bodies(f"{OPEN}\nAnswer like this:\n{inner}\nthat is all\n{CLOSE}\n") == [
        f"Answer like this:\n{inner}\nthat is all"
    ]
    fenced = f"```\n{inner}\n```"
    assert bodies(f"{OPEN}\n{fenced}\n{CLOSE}\n{OPEN}\nnext\n{CLOSE}\n") == [fenced, "next"]


def test_several_blocks_inside_an_unclosed_one_all_count() -> None:
    assert told(f"{OPEN}\nlost\n{opening('status')}\na\n{CLOSE}\n{opening('result')}\nb\n{CLOSE}\n") == [
        ("unclosed", ""), ("status", "a"), ("result", "b")
    ]  # fmt: skip


def test_a_nested_broken_one_is_reported_only_if_the_outer_one_is_not_closed() -> None:
    broken = f"[[POLI:MSG {{...}}]]\nx\n{CLOSE}"
    assert told(f"{OPEN}\n{broken}\n{CLOSE}\n") == [("plan", broken)]
    assert told(f"{OPEN}\n{broken}\n{opening('result')}\ny\n{CLOSE}\n") == [
        ("unclosed", ""), ("bad-header", ""), ("result", "y")
    ]  # fmt: skip


def test_a_mention_does_not_take_the_end_marker_away() -> None:
    mention = "- [[POLI:MSG {...}]] opens a message"
    assert told(f"{OPEN}\n{mention}\nx\n{CLOSE}\n") == [("plan", f"{mention}\nx")]
    keyed, unkeyed = opening(key="k1"), opening("result")
    assert told(f"{keyed}\n{unkeyed}\nx\n{CLOSE}\nbye") == [("plan", f"{unkeyed}\nx")]
    assert told(f"{keyed}\n{mention}\n{mention}\nx\n{CLOSE}\n{mention}\n") == [
        ("plan", f"{mention}\n{mention}\nx"), ("bad-header", "")
    ]  # fmt: skip


def test_a_block_with_the_same_key_is_no_mention() -> None:
    assert told(f"{opening(key='k')}\nlost\n{opening('result', key='k')}\nx\n{CLOSE}\n") == [
        ("unclosed", ""), ("result", "x")
    ]  # fmt: skip
    assert told(f"{opening(key='k')}\n{opening('result', key='k')}\n{opening('status', key='k')}\n") == [
        ("unclosed", ""), ("unclosed", ""), ("unclosed", "")
    ]  # fmt: skip
    assert told(f"{opening(key='k')}\n{opening('result', key='k')}\n[[POLI:MSG {{}}]]\n") == [
        ("unclosed", ""), ("unclosed", ""), ("no-type", "")
    ]  # fmt: skip
    assert told(f"{opening(key='k')}\nx\n[[POLI:MSG {{}}]]\n") == [("unclosed", ""), ("no-type", "")]


def test_on_a_screen_the_same_opening_again_is_a_repaint() -> None:
    assert told(f"{OPEN}\nhalf\n{OPEN}\nwhole\n{CLOSE}\n", screen=True) == [("unclosed", ""), ("plan", "whole")]
    again = BlockReader(screen=True)
    assert [type(one) for one in again.feed(f"{OPEN}\nhalf\n{OPEN}\nwhole\n{CLOSE}\n")] == [Broken, Block]


def test_on_a_screen_a_broken_one_does_not_keep_a_good_one_waiting() -> None:
    reader = BlockReader(screen=True)
    assert [type(one) for one in reader.feed(f"[[POLI:MSG {{...}}]] opens\n{OPEN}\nx\n{CLOSE}\n")] == [Broken, Block]


def test_a_thousand_repaints() -> None:
    found = in_pieces(f"● {OPEN}\n  x\n  {CLOSE}\n\n" * 1000, 997, screen=True)
    assert len(found) == 1000
    assert {one.body for one in found if isinstance(one, Block)} == {"x"}


def test_an_oversized_body_is_refused_and_reading_goes_on() -> None:
    text = f"{OPEN}\n" + "line\n" * (MAX_BODY // 5 + 1) + f"{CLOSE}\n{opening('result')}\nx\n{CLOSE}\n"
    assert told_in(text) == [("oversized", ""), ("result", "x")]


def test_the_longest_body_is_accepted() -> None:
    assert MAX_BODY > 1 << 20
    text = f"{OPEN}\n" + "x" * (MAX_BODY - 1) + f"\n{CLOSE}\n"
    assert told_in(text) == [("plan", "x" * (MAX_BODY - 1))]
    text = f"{OPEN}\n" + "x" * MAX_BODY + f"\n{CLOSE}\n"
    assert told_in(text) == [("oversized", "")]


@pytest.mark.parametrize("before", ["", f"{OPEN}\n"])
def test_an_overlong_line(before: str) -> None:
    line = f"{opening('status')} a {CLOSE} {OPEN} " + "x" * (MAX_BODY + 200_000) + f" {CLOSE}\n"
    text = f"{before}{line}{opening('result')}\ny\n{CLOSE}\n"
    expected = [("status", "a"), ("oversized", ""), ("result", "y")]
    assert told_in(text) == ([("oversized", ""), *expected] if before else expected)


def test_what_was_complete_inside_an_oversized_block_counts() -> None:
    text = (
        f"{OPEN}\n{opening('status')}\na\n{CLOSE}\n" + "line\n" * (MAX_BODY // 5) + f"{opening('result')}\nb\n{CLOSE}"
    )
    assert told_in(text) == [("oversized", ""), ("status", "a"), ("result", "b")]


def told_in(text: str) -> list[tuple[str, str]]:
    """Like `told`, for texts too long to be fed by the character."""
    found = read_blocks(text)
    assert in_pieces(text, 65_537) == found
    assert in_pieces(text, 700_001) == found
    return [(one.kind, one.body) if isinstance(one, Block) else (one.reason, "") for one in found]


def test_deep_nesting_gives_up_the_outermost() -> None:
    text = "".join(f"{opening(id=i)}\n" for i in range(MAX_DEPTH + 1)) + f"x\n{CLOSE}\n" * MAX_DEPTH
    found = read(text)
    assert [type(one) for one in found] == [Broken, Block]
    assert isinstance(found[1], Block)
    assert found[1].header["id"] == 1


def test_reading_stops_after_too_many_markers() -> None:
    text = f"{opening('status')}x{CLOSE}\n" * MAX_MARKERS
    found = in_pieces(text, 50_000)
    assert found[-1] == Broken(len(found) - 1, "too-many", "")
    assert all(isinstance(one, Block) for one in found[:-1])
    open_ones = in_pieces(f"{opening('status')}\n" * MAX_MARKERS, 50_000)
    assert [one.reason for one in open_ones[-2:] if isinstance(one, Broken)] == ["unclosed", "too-many"]


def test_a_reader_that_has_ended_answers_nothing() -> None:
    reader = BlockReader()
    assert reader.end() == []
    assert reader.feed(f"{OPEN}\nx\n{CLOSE}\n") == []
    assert reader.end() == []


def test_a_text_that_still_grows_is_no_complaint() -> None:
    assert read_blocks(f"{OPEN}\nx", final=False) == []
    (block,) = read_blocks(f"{OPEN}\nx\n{CLOSE}", final=False)
    assert isinstance(block, Block)


def test_a_block_is_answered_as_soon_as_its_last_line_is_complete() -> None:
    reader = BlockReader()
    assert reader.feed(f"{OPEN}\nx\n{CLOSE}") == []
    assert len(reader.feed("\n")) == 1
    assert reader.end() == []


# ---- quotations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        (f"{OPEN}\nx\n{CLOSE}", False),
        (f"```\n{OPEN}\nx\n{CLOSE}\n```", True),
        (f"~~~~ text\n```\n{OPEN}\nx\n{CLOSE}\n~~~~", True),
        (f"```\ncode\n```\n{OPEN}\nx\n{CLOSE}", False),
        (f"```\ncode\n``` not the end\n{OPEN}\nx\n{CLOSE}", True),
        (f"````\ncode\n```\n{OPEN}\nx\n{CLOSE}", True),
        (f"```\n~~~\n{OPEN}\nx\n{CLOSE}", True),
        (f"```in a line``` of prose\n{OPEN}\nx\n{CLOSE}", False),
        (f"  - ```\n{OPEN}\nx\n{CLOSE}", True),
        (f"> {OPEN}\n> x\n> {CLOSE}", True),
        (f"{OPEN}\n```\n{CLOSE}\n", False),
    ],
)
def test_what_stands_in_a_fence_or_a_quotation_is_quoted(text: str, quoted: bool) -> None:
    (block,) = read(text)
    assert isinstance(block, Block)
    assert block.quoted is quoted
    (on_screen,) = read(text, screen=True)
    assert isinstance(on_screen, Block)
    assert not on_screen.quoted


def test_a_fence_inside_a_body_ends_with_the_body() -> None:
    found = read(f"{OPEN}\n```\nan odd fence\n{CLOSE}\n{OPEN}\nx\n{CLOSE}\n")
    assert [one.quoted for one in found if isinstance(one, Block)] == [False, False]


def test_with_too_many_fences_everything_is_quoted() -> None:
    (block,) = in_pieces("```\n" * (MAX_FENCES + 2) + f"{OPEN}\nx\n{CLOSE}\n", 10_000)
    assert isinstance(block, Block)
    assert block.quoted


# ---- what terminal programs do ---------------------------------------------------------------------------------------


def boxed(lines: list[str], width: int) -> str:
    """A frame around lines cut at its width, as full-screen programs draw it."""
    rows = [piece for line in lines for piece in ([line[at : at + width] for at in range(0, len(line), width)] or [""])]
    drawn = [f"│ {row}{' ' * (width - len(row))} │" for row in rows]
    return "\n".join([f"╭{'─' * (width + 2)}╮", *drawn, f"╰{'─' * (width + 2)}╯"])


def test_boxed_at_forty_columns() -> None:
    lines = [
        opening(to="EXECUTER", id="plan-000001", key="abcdefghijkl"),
        "<PLAN>",
        "  | a | b |",
        "x",
        "</PLAN>",
        CLOSE,
    ]
    (block,) = read(boxed(lines, 36), screen=True)
    assert isinstance(block, Block)
    assert block.header["key"] == "abcdefghijkl"
    assert block.body == "<PLAN>\n  | a | b |\nx\n</PLAN>"


def test_bulleted_and_indented() -> None:
    text = f"● {OPEN}\n  <PLAN>\n    deeper\n\n less\n  </PLAN>\n  {CLOSE}   \n"
    assert told(text, screen=True) == [("plan", "<PLAN>\n  deeper\n\nless\n</PLAN>")]


def test_a_frame_with_a_bullet_inside() -> None:
    text = f"│ ● {OPEN}  │\n│   <PLAN>  │\n│     x     │\n│   {CLOSE} │\n"
    assert told(text, screen=True) == [("plan", "<PLAN>\n  x")]


def test_rendered_markdown() -> None:
    text = f"Here it is:\n\n{OPEN} Do the first thing\nand the second. {CLOSE} {opening('status')} and so on {CLOSE}\n"
    assert told(text, screen=True) == [("plan", "Do the first thing\nand the second."), ("status", "and so on")]


def test_no_block_reaches_over_a_gap() -> None:
    text = f"{OPEN}\na\n{opening('status')}\nb\n{CLOSE}\n\f\nc\n{CLOSE}\n[[POLI:MSG {{\n\f\n{OPEN}\nd\n{CLOSE}"
    assert told(text, screen=True) == [("gap", ""), ("status", "b"), ("bad-header", ""), ("plan", "d")]
    assert bodies(f"{OPEN}\na\n\f\nb\n{CLOSE}") == ["a\n\f\nb"]


def test_shows_block() -> None:
    assert shows_block(f"x\n{OPEN}\n{CLOSE}")
    assert shows_block('[POLI:MSG {"type":"plan"}]\n[/POLI:MSG]')
    assert not shows_block(f"{OPEN}\n")
    assert not shows_block("nothing")


# ---- properties ------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        OPEN, CLOSE, opening("result", key="k"), opening("plan", key="k"), "[POLI:MSG ", "[[POLI:MSG", "[/POLI:MSG]",
        '{"type":"pl', 'an"}', "]]", "]", "{", "}", "\n", "\n", "\n", "\r\n", " ", "   ", "│", "> ", "● ", "```", "~~~",
        '"', "\\", "x", "POLI:MSG", "[[/POLI", ":MSG]]", "漢", "\ud800", '{"type":"plan"}', "[[POLI:MSG {}]]", ",", ":",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=60).map("".join)


@settings(max_examples=400)
@given(text=TEXTS, screen=st.booleans(), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_every_split_gives_the_same(text: str, screen: bool, cuts: list[int]) -> None:
    whole = read_blocks(text, screen=screen)
    reader = BlockReader(screen=screen)
    found: list[Found] = []
    at, turn = 0, 0
    while at < len(text):
        size = cuts[turn % len(cuts)]
        found += reader.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    assert found + reader.end() == whole
    assert [one.index for one in whole] == list(range(len(whole)))
    starts = [one.start for one in whole if isinstance(one, Block)]
    assert starts == sorted(set(starts))


@given(text=TEXTS, screen=st.booleans())
def test_what_is_certain_stays_true(text: str, screen: bool) -> None:
    early = read_blocks(text, screen=screen, final=False)
    later = read_blocks(f"{text}\n{OPEN}\nmore\n{CLOSE}\nand more", screen=screen)
    assert later[: len(early)] == early


@given(body=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200), screen=st.just(False))
def test_any_body_without_markers_comes_back(body: str, screen: bool) -> None:
    assert bodies(f"{OPEN}\n{body}\n{CLOSE}\n", screen=screen) == [body]


HOSTILE = {
    "openings": OPEN + "\n",
    "bare": "[[POLI:MSG\n",
    "braces": "[[POLI:MSG {\n",
    "names": "x POLI:MSG ",
    "named lines": "x POLI:MSG\n",
    "line breaks": "\n",
    "one line": "x",
    "blanks": " ",
    "fences": "```\n",
    "ends": CLOSE + "\n",
    "one long line of blocks": OPEN + CLOSE,
    "blocks": f"{OPEN}\n{CLOSE}\n",
    "joined": f"z{CLOSE}\n",
    "deep": '[[POLI:MSG {"a":' + "[" * 4000 + "\n",
    "quotes": '[[POLI:MSG {"a":"' + '",' * 2000 + "}]]\n",
    "commas": "[[POLI:MSG {" + "," * 4000 + "}]]\n",
    "wrapped": '[[POLI:MSG {"a":]\n' + '"]\n' * 30,
    "wide box": f"│ {OPEN}\n│" + " " * 900_000 + f"x\n{CLOSE}\n",
    "half ends": "[/POLI:MSG",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("screen", [False, True])
def test_hostile_text_takes_linear_time(unit: str, screen: bool) -> None:
    """Read anything but linearly, 1.5 MB of these would take minutes."""
    for before in ("", f"{OPEN}\n"):
        text = before + unit * (1_500_000 // len(unit))
        started = time.perf_counter()
        read_blocks(text, screen=screen)
        assert time.perf_counter() - started < 10


def test_memory_is_bounded() -> None:
    reader = BlockReader()
    chunk = f"{OPEN}\n" + "x" * 100_000
    tracemalloc.start()
    for _ in range(300):
        reader.feed(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12_000_000
