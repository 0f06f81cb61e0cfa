"""Lines of tmux commands: no argument ever becomes a command."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from politerm.errors import TmuxError
from politerm.tmux import lines
from politerm.tmux.modes import PasteMode
from politerm.tmux.versions import QUIRKS, parse

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")))


@given(TEXT)
def test_a_quoted_argument_is_one_word(text: str) -> None:
    # Within single quotes, and beside them a backslash, tmux and the shell read alike.
    assert shlex.split(lines.quote(text), comments=True) == [text]


@pytest.mark.parametrize("word", ["%if", "@x", "~", "~root", "$HOME", "{", "}", ";", "a;", "#x", "=x", "-x", "", "\t"])
def test_words_that_mean_something_to_tmux_are_quoted(word: str) -> None:
    assert lines.quote(word) == f"'{word}'"


@pytest.mark.parametrize("text", ["a\nkill-server", "\r", "\x00", "\x1b", "\x7f"])
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(TmuxError, match="control characters"):
        lines.quote(text)


def test_conditions_nest_their_quotes() -> None:
    inner = lines.command("display-message", "-p", "it's; #{x}")
    line = lines.unless("#{pane_dead}", "%1", then=inner, otherwise="kill-pane")
    words = shlex.split(line)
    assert words == ["if-shell", "-F", "-t", "%1", "#{pane_dead}", "kill-pane", inner]
    assert shlex.split(words[-1]) == ["display-message", "-p", "it's; #{x}"]


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_marks_hold_any_text_in_one_plain_word(text: str) -> None:
    word = lines.mark(text)
    assert lines.unmark(word) == text
    assert not set(word) & set(" |#'\"\\$;\n\t")


def test_a_word_of_the_command_line_keeps_its_last_semicolon() -> None:
    assert lines.argv_words("a;", ";", "b;c") == ("a\\;", "\\;", "b;c")


PIECES = st.lists(
    st.sampled_from([b"\x1b[?2004h", b"\x1b[?2004l", b"\x1b[?1049;2004h", b"\x1bc", b"x", b"\x1b[?", b"2004", b"h"]),
    max_size=12,
)


@given(PIECES, st.lists(st.integers(1, 5), min_size=1))
def test_paste_mode_is_learnt_in_any_split(pieces: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(pieces)
    whole = PasteMode()
    whole.feed(stream)
    split = PasteMode()
    place = turn = 0
    while place < len(stream):
        size = sizes[turn % len(sizes)]
        split.feed(stream[place : place + size])
        place, turn = place + size, turn + 1
    assert split.on == whole.on


def test_paste_mode_tells_when_it_changes() -> None:
    mode = PasteMode()
    assert not mode.feed(b"hello \x1b[?20")
    assert mode.feed(b"04h$ ")
    assert not mode.feed(b"\x1b[?2004h")
    assert mode.on
    assert mode.feed(b"\x1bc")
    assert mode.on is False


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("tmux 3.3a\n", (3, 3, "a")),
        ("tmux 3.2a", (3, 2, "a")),
        ("tmux 3.4", (3, 4, "")),
        ("tmux next-3.6", (3, 6, "")),
        ("tmux 3.6-rc2", (3, 6, "")),
        ("tmux master", (99, 0, "")),
        ("tmux openbsd-7.5", (99, 0, "")),
    ],
)
def test_versions(answer: str, number: tuple[int, int, str]) -> None:
    assert parse(answer).number == number


@pytest.mark.parametrize("answer", ["tmux 3.2", "tmux 2.9a", "tmux 1.8", "screen 4", "tmux", ""])
def test_versions_that_cannot_serve(answer: str) -> None:
    with pytest.raises(TmuxError):
        parse(answer)


def test_quirks_go_by_version() -> None:
    assert parse("tmux 3.3a").has("paste-into-dead-crashes")
    assert not parse("tmux 3.4").has("paste-into-dead-crashes")
    assert parse("tmux 3.2a").has("no-dead-signal")
    assert not parse("tmux 3.3").has("no-dead-signal")
    assert not parse("tmux 3.6a").has("paste-is-escaped")
    assert parse("tmux 3.7").has("paste-is-escaped")
    with pytest.raises(KeyError):
        parse("tmux 3.4").has("no such quirk")
    assert {quirk.name for quirk in parse("tmux 3.3a").quirks()} < {quirk.name for quirk in QUIRKS}
