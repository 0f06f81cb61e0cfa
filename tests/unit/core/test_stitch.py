"""Pictures of a screen in, the document that scrolled through it out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from politerm.core.glyphs import GAP
from politerm.core.stitch import MAX_HEAD, MAX_LINES, MAX_RETURNS, Stitcher

FOOT = ["────────", "mine> ", "────────", "working"]


def window(lines: list[str], end: int, height: int, head: list[str], foot: list[str]) -> list[str]:
    """What a program shows that follows the end of its text."""
    room = height - len(head) - len(foot)
    view = lines[max(end - room, 0) : end]
    return [*head, *view, *[""] * (room - len(view)), *foot]


def numbered(count: int) -> list[str]:
    return [f"line {number:03}" if number % 7 else "" for number in range(1, count + 1)]


@pytest.mark.parametrize("step", [1, 3, 9, 12])
@pytest.mark.parametrize("head", [[], ["Title"], ["Title", ""], ["Title", "", "======"]])
@pytest.mark.parametrize("foot", [[], FOOT])
def test_a_long_text_is_recovered_from_a_small_window(step: int, head: list[str], foot: list[str]) -> None:
    lines = numbered(200)
    stitcher = Stitcher()
    for end in [*range(1, 201, step), 200]:
        assert stitcher.add(window(lines, end, 22, head, foot))
    assert not stitcher.gap
    text = stitcher.text().split("\n")
    start = text.index("line 001")
    assert text[start:] == [*lines, *foot][: len(text) - start]
    assert [row for row in text[:start] if row] == [row for row in head if row]
    assert text[-1] in ("line 200", "working")


def test_a_head_and_a_foot_that_change_all_the_time() -> None:
    lines = numbered(200)
    stitcher = Stitcher()
    for end in range(1, 201):
        head = [f"Title {end} tokens", "", "======"]
        stitcher.add(window(lines, end, 20, head, ["─" * 8, "mine>", f"{'|/-'[end % 3]} working {end} s"]))
    text = stitcher.text().split("\n")
    assert text[text.index("line 001") : text.index("─" * 8)] == lines
    assert text.count("mine>") == 1


def test_a_last_line_that_grows_word_by_word() -> None:
    words = [f"word{number}" for number in range(300)]
    lines, stitcher = [""], Stitcher()
    for at, word in enumerate(words):
        if len(lines[-1]) > 40:
            lines.append("")
        lines[-1] += f"{word} "
        stitcher.add(window([line.rstrip() for line in lines], len(lines), 14, [], [*FOOT[:3], f"working {at}"]))
    text = stitcher.text().split("\n")
    assert text[: len(lines)] == [line.rstrip() for line in lines]


def test_pictures_without_anything_in_common_are_a_gap() -> None:
    stitcher = Stitcher()
    assert stitcher.add([f"one {number}" for number in range(10)])
    assert not stitcher.add([f"two {number}" for number in range(10)])
    assert stitcher.gap
    lines = stitcher.text().split("\n")
    assert lines[10] == GAP
    assert (lines[0], lines[-1]) == ("one 0", "two 9")


def test_a_jump_of_more_than_the_window_is_a_gap_though_the_foot_stays() -> None:
    lines, stitcher = numbered(200), Stitcher()
    stitcher.add(window(lines, 30, 20, ["Title"], FOOT))
    assert not stitcher.add(window(lines, 80, 20, ["Title"], FOOT))


def test_after_an_interruption_it_goes_on_from_there() -> None:
    lines, stitcher = numbered(60), Stitcher()
    for end in range(1, 41):
        stitcher.add(window(lines, end, 20, [], FOOT))
    for number in range(MAX_RETURNS + 2):
        assert not stitcher.add([f"Dialog {number}.{row}: allow?" for row in range(20)])
        if number < MAX_RETURNS - 1:
            assert stitcher.gap
            assert stitcher.add(window(lines, 41 + number, 20, [], FOOT))
            assert not stitcher.gap
    assert not stitcher.add(window(lines, 60, 20, [], FOOT)[::-1])
    assert stitcher.text().count(GAP) >= 2


def test_scrolling_back_and_forth_changes_nothing() -> None:
    lines, stitcher = numbered(60), Stitcher()
    for end in [*range(1, 61), 58, 55, 52, 53, 56, 60]:
        assert stitcher.add(window(lines, end, 20, [], FOOT))
    assert stitcher.text() == "\n".join([*lines, *FOOT])


def test_scrolling_back_over_what_was_never_seen_is_a_gap() -> None:
    lines, stitcher = numbered(60), Stitcher()
    stitcher.add(window(lines, 60, 20, [], []))
    assert not stitcher.add(window(lines, 50, 20, [], []))
    assert stitcher.text().split("\n").count(GAP) == 1


def test_what_is_taken_out_of_the_middle_does_not_scroll() -> None:
    stitcher = Stitcher()
    stitcher.add(["one", *FOOT, *[""] * 7])
    stitcher.add(["one", "two", "thinking", "hard", "now", *FOOT, "", "", ""])
    assert stitcher.add(["one", "two", *FOOT, "", "", "", "", "", ""])
    assert stitcher.text() == "\n".join(["one", "two", *FOOT])
    many = [f"kept {number}" for number in range(MAX_HEAD + 4)]
    stitcher = Stitcher()
    stitcher.add([*many, "a", "b", "c", "one", "two", "three"])
    assert stitcher.add([*many, "one", "two", "three", "four", "five", "six"])
    assert stitcher.text().split("\n")[: len(many)] == many


def test_rows_that_change_places_one_by_one_are_no_scroll() -> None:
    before = [f"entry {number}" for number in range(12)]
    after = [f"other {number}" for number in range(12)]
    after[0], after[9], after[10], after[11] = before[1], before[10], before[8], before[9]
    stitcher = Stitcher()
    stitcher.add(before)
    assert not stitcher.add(after)


def test_what_the_terminal_scrolls_by_itself() -> None:
    stitcher = Stitcher()
    for number in range(50):
        stitcher.scrolled_off(0, 9, [f"line {number}"])
    stitcher.add([f"line {number}" for number in range(50, 60)])
    assert stitcher.text() == "\n".join(f"line {number}" for number in range(60))
    stitcher.scrolled_off(0, 9, ["line 50", "line 51"])
    assert stitcher.text([f"line {number}" for number in range(52, 62)]).endswith("line 60\nline 61")
    assert "line 49\nline 50\nline 51\nline 52\n" in stitcher.text()
    stitcher.scrolled_off(MAX_HEAD + 1, 9, ["not the document's"])
    assert "not the" not in stitcher.text()
    assert not stitcher.gap


def test_a_head_above_a_scrolled_region_is_not_repeated() -> None:
    stitcher = Stitcher()
    stitcher.add(["Title", "a", "b", "c", "foot"])
    stitcher.scrolled_off(1, 3, ["a"])
    stitcher.add(["Title", "b", "c", "d", "foot"])
    assert stitcher.text() == "a\nb\nc\nd\nfoot"


def test_a_picture_that_is_not_finished_can_be_looked_at() -> None:
    stitcher = Stitcher()
    stitcher.add(["a", "b", "c", "d"])
    assert stitcher.text(["b", "c", "d", "e"]) == "a\nb\nc\nd\ne"
    assert stitcher.text([""] * 4) == stitcher.text() == stitcher.text(["a", "b", "c", "d"]) == "a\nb\nc\nd"
    assert Stitcher().text() == Stitcher().text([]) == ""


def test_a_first_word_makes_no_gap() -> None:
    stitcher = Stitcher()
    stitcher.add(["loading", "", "", ""])
    assert stitcher.add(["Welcome", "to", "this", "program"])
    stitcher.add(["", "", "", ""])
    assert not stitcher.gap


def test_memory_is_bounded() -> None:
    stitcher = Stitcher()
    for number in range(MAX_LINES + MAX_LINES // 2):
        stitcher.scrolled_off(0, 9, [f"line {number}"])
    lines = stitcher.text().split("\n")
    assert MAX_LINES // 2 < len(lines) <= MAX_LINES
    assert lines[-1] == f"line {MAX_LINES + MAX_LINES // 2 - 1}"
    for number in range(MAX_LINES // 4):
        stitcher.add([f"{number} {row}" for row in range(10)])
    assert len(stitcher.text().split("\n")) <= MAX_LINES + 10
    assert stitcher.gap


ROWS = st.lists(st.sampled_from(["", "a", "b", "c", "d", "e", "foot", "1", "2", "3"]), min_size=5, max_size=5)


@settings(max_examples=300)
@given(st.lists(ROWS | st.tuples(st.integers(0, 4), ROWS), max_size=15))
def test_nothing_breaks_it(steps: list[list[str] | tuple[int, list[str]]]) -> None:
    stitcher = Stitcher()
    for step in steps:
        if isinstance(step, list):
            stitcher.add(step)
            assert any(step) is False or stitcher.text().endswith("\n".join(step[5:]).rstrip())
        else:
            stitcher.scrolled_off(step[0], 4, step[1][: 5 - step[0]])
        assert stitcher.gap == (GAP in stitcher.text())


@settings(max_examples=200)
@given(
    count=st.integers(1, 80),
    height=st.integers(6, 12),
    steps=st.lists(st.integers(1, 3), min_size=1, max_size=5),
    head=st.integers(0, 3),
)
def test_any_steps_within_the_window_lose_nothing(count: int, height: int, steps: list[int], head: int) -> None:
    lines = [f"line {number}" for number in range(count)]
    top = [f"head {number}" for number in range(head)]
    stitcher, end, turn = Stitcher(), 0, 0
    while end < count:
        end, turn = min(end + steps[turn % len(steps)], count), turn + 1
        stitcher.add(window(lines, end, height + head, top, []))
    text = stitcher.text().split("\n")
    assert text[-min(count, len(text)) :] == lines[-len(text) :]
    assert set(lines) <= set(text)


def test_a_footer_that_growing_text_pushes_down_takes_no_line_along() -> None:
    """A full-screen program that draws its input box right below a short conversation."""
    document = Stitcher()
    said: list[str] = []
    for row in ["> the prompt", "Here is my answer.", "header", "body", "end"]:
        said.append(row)
        picture = [*said, "", "working", "-----", "mine>"]
        document.add([*picture, *[""] * (20 - len(picture))])
    assert document.text().split("\n") == [*said, "", "working", "-----", "mine>"]
