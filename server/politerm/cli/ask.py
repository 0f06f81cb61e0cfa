"""Asking a person at the terminal, without ever blocking the loop: an attention item becomes a question with choices.

Knows lines, choices and free text; not what the answers mean.
"""

from __future__ import annotations

import asyncio
import os
from typing import TextIO

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from politerm.cli import words
from politerm.cli.clients import Json
from politerm.cli.display import prose


class Lines:
    """Lines that a person types, one awaited at a time. The terminal itself does the line editing."""

    def __init__(self, stdin: TextIO) -> None:
        self._fd = stdin.fileno()
        self._typed = b""
        self._ended = False

    async def next(self) -> str | None:
        """The next line without its end; None after the last one."""
        loop = asyncio.get_running_loop()
        while b"\n" not in self._typed and not self._ended:
            readable = asyncio.Event()
            loop.add_reader(self._fd, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(self._fd)
            chunk = os.read(self._fd, 4096)
            self._typed += chunk
            self._ended = not chunk
        line, newline, self._typed = self._typed.partition(b"\n")
        return line.decode("utf-8", "replace") if newline or line else None


def question(item: Json, title: str) -> Group:
    """An attention item with everything that may be answered and how."""
    choices = item.get("choices") or ()
    parts: list[Text] = []
    if item.get("text"):
        kept, more = words.trim(words.body(item["text"]), 40)
        parts.append(prose(kept))
        parts += [Text(f"… {words.plural(more, 'more line')}", style="dim")] if more else []
    for number, choice in enumerate(choices, 1):
        style = "red" if choice.get("danger") else "bold"
        parts.append(Text.assemble((f" {number}", "cyan bold"), "  ", (words.one_line(choice["label"]), style)))
    if item.get("freeText"):
        parts.append(Text(" or your own words" if choices else " answer in your own words", style="dim"))
    panel = Panel(Group(*parts), title=Text(title), title_align="left", border_style="yellow")
    return Group(panel, Text("> ", style="yellow bold", end=""))


def parse(line: str, item: Json) -> Json | None:
    """What a typed line answers: {choice?, text?}, or None when it answers nothing.

    A choice is named by its number, its id or its label; after a number or an id more words are a note.
    """
    text = line.strip()
    choices = list(item.get("choices") or ())
    free = bool(item.get("freeText"))
    if not text:
        return None
    for choice in choices:
        if text.casefold() in (choice["id"].casefold(), choice["label"].casefold()):
            return {"choice": choice["id"]}
    first, _, rest = text.partition(" ")
    named = {str(number): choice["id"] for number, choice in enumerate(choices, 1)}
    if first in named and (free or not rest.strip()):
        answer = {"choice": named[first]}
        return answer | {"text": rest.strip()} if rest.strip() else answer
    return {"text": text} if free else None


async def yes(console: Console, lines: Lines, text: str) -> bool:
    """A yes-or-no question; only a clear yes is one."""
    console.print(Text(f"{text} [y/N] "), end="")
    answer = await lines.next()
    return answer is not None and answer.strip().casefold() in ("y", "yes")
