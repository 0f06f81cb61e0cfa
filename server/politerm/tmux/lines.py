"""Control-mode lines: tmux commands as text that no argument can break out of. Pure.

tmux reads a line like a small shell: it knows quotes, `;`, `#` comments, `$NAME`, `~`, `{}` and `%if`. Between single
quotes it knows nothing at all, so every argument goes there; only a newline could still end the line, and that is
refused. What a tmux command itself does with an argument (formats, key names) is another matter.
This module does not know which tmux commands exist.
"""

from __future__ import annotations

import re
from urllib.parse import quote as percent
from urllib.parse import unquote

from politerm.errors import TmuxError

_PLAIN = re.compile(r"[A-Za-z0-9@%/_.:=+-]+")
_REFUSED = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def quote(argument: str) -> str:
    """One argument. Raises TmuxError for control characters other than TAB."""
    if _REFUSED.search(argument):
        raise TmuxError("A tmux command cannot hold control characters.", argument=argument)
    if _PLAIN.fullmatch(argument) and argument[0] not in "%@=+-":
        return argument
    return "'" + argument.replace("'", "'\\''") + "'"


def command(*words: str) -> str:
    """One tmux command with its arguments."""
    return " ".join(map(quote, words))


def chain(*commands: str) -> str:
    """Several tmux commands in one list: the first that fails ends it."""
    return " ; ".join(commands)


def unless(condition: str, pane: str, *, then: str, otherwise: str) -> str:
    """`then` where the format `condition` is false (empty or 0) for the pane, else `otherwise`; both are chains."""
    return command("if-shell", "-F", "-t", pane, condition, otherwise, then)


def argv_words(*words: str) -> tuple[str, ...]:
    """Arguments for tmux's own command line, where a word that ends in `;` would end the command."""
    return tuple(word[:-1] + "\\;" if word.endswith(";") else word for word in words)


def mark(text: str) -> str:
    """Any text as a word for a pane option: no blanks, no separators, nothing a format would expand."""
    return percent(text, safe=":@+=,")


def unmark(word: str) -> str:
    return unquote(word)
