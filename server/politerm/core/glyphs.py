"""What terminal programs draw around text: bullets, prompt signs, and the bars of frames.

It does not know what the text says. The signs are those of agents that were watched, and the Unicode
blocks they come from.
"""

from __future__ import annotations

import re

BARS = "│┃║|▌▐▎▏▍▕┆┇┊┋╎╏"
"""Vertical lines that terminal programs draw beside text."""

GLYPHS = (
    r" \t\r\u00a0*>|\-\u00b7\u00bb\u2022\u2023\u203a\u2190-\u21ff\u2219\u22c5\u2300-\u23ff\u2500-\u27bf\u2800-\u28ff"
    r"\u2b00-\u2bff\ufe0f\U0001f300-\U0001faff"
)
"""What may stand before a marker on its line, as the inside of a regular expression's character class: blanks, bullets,
quotation and prompt signs, arrows, frames, geometric shapes, dingbats, spinners, and emoji."""

BLANK = " \t\r"
EDGE = BLANK + "\u00a0" + BARS
"""What may fill a row to its end without saying anything."""

GAP = "\f"
"""A line of its own in the text of a screen: here something is missing. No row of a screen can hold a form feed."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_LEFT = re.compile(rf"[ \t]*[{BARS}] ?")


def whole_characters(text: str) -> str:
    """The text with a replacement character for each half of a character: those can neither be stored nor sent."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def is_framed(lead: str) -> bool:
    """Is there a bar in what stands before a text on its line?"""
    return any(bar in lead for bar in BARS)


def without_bar(line: str) -> str:
    """The line without the right side of its frame, and without the blanks before that."""
    line = line.rstrip(BLANK)
    return line[:-1].rstrip(BLANK) if line.endswith(tuple(BARS)) else line


def without_frame(text: str, lead: str) -> str:
    """Lines read from a screen, without the frame and the indentation that `lead`, the beginning of the line above
    them, shows, and without the blanks that fill a row."""
    left = _LEFT.match(lead)
    indent = len(lead) - (left.end() if left else 0)
    lines = []
    for line in text.split("\n"):
        if left:
            line = without_bar(_LEFT.sub("", line, count=1))
        line = line.rstrip()
        lines.append(line[min(indent, len(line) - len(line.lstrip())) :])
    return "\n".join(lines)
