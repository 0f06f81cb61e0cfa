"""What tmux tells of a pane: the format that asks, and the reading of the answer. Pure but for one terminal question.

One line a pane, fields between `|`, the title last, because a program chooses it.
"""

from __future__ import annotations

import os
import re
import termios
from collections.abc import Sequence
from dataclasses import dataclass

from politerm.core.wire import Role
from politerm.engine.ports import PaneStatus, Screen
from politerm.tmux.lines import command, unmark

RUN_OPTION = "@poli_run"
ROLE_OPTION = "@poli_role"
INCARNATION_OPTION = "@poli_incarnation"
PASTED_OPTION = "@poli_pasted"
ENTERED_OPTION = "@poli_entered"
BRACKETED_OPTION = "@poli_bracketed"

_FIELDS = (
    "pane_id", "window_id", "pane_pid", "pane_tty", "pane_dead", "pane_dead_status", "pane_dead_signal", "pane_in_mode",
    "pane_input_off", "pane_synchronized", "alternate_on", "pane_width", "pane_height", "cursor_x", "cursor_y",
    "cursor_flag", RUN_OPTION, ROLE_OPTION, INCARNATION_OPTION, PASTED_OPTION, ENTERED_OPTION, BRACKETED_OPTION,
    "pane_title",
)  # fmt: skip
FORMAT = "|".join("#{" + name + "}" for name in _FIELDS)

BLOCKED_FORMAT = "#{||:#{pane_dead},#{||:#{pane_input_off},#{pane_synchronized}}}"
"""True for a pane that must not be typed into: dead (a paste can end the server), disabled, or tied to others."""


_ROWS_TOLD = 5
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78cDEHMN]|\][^\x07\x1b]*(?:\x07|\x1b\\))|[\x00-\x1f]"
)


@dataclass(frozen=True)
class Facts:
    """One pane as tmux has it. `ended`: its program is gone; `dead`: its terminal is closed as well, all is read."""

    pane: str
    window: str
    pid: int
    tty: str
    dead: bool
    exit_status: int | None
    signal: int | None
    in_mode: bool
    input_off: bool
    synchronized: bool
    alternate: bool
    columns: int
    rows: int
    cursor_x: int
    cursor_y: int
    cursor_shown: bool
    run: str
    role: str
    incarnation: int
    pasted: str
    entered: str
    bracketed: bool
    title: str

    @property
    def ended(self) -> bool:
        return self.dead or self.exit_status is not None or self.signal is not None

    def status(self, *, bracketed: bool | None, canonical: bool) -> PaneStatus:
        """With what only the stream (where that is newer than the mark) and the terminal itself can tell."""
        return PaneStatus(
            alive=not self.ended,
            exit_status=self.exit_status,
            signal=self.signal,
            in_mode=self.in_mode,
            input_off=self.input_off,
            alternate=self.alternate,
            columns=self.columns,
            rows=self.rows,
            cursor_x=self.cursor_x,
            cursor_y=self.cursor_y,
            title=self.title,
            pasted=self.pasted,
            entered=self.entered,
            bracketed=self.bracketed if bracketed is None else bracketed,
            canonical=not self.ended and canonical,
        )


def ask(pane: str) -> str:
    """A tmux command whose one line is this pane, and which fails if the pane is gone."""
    return command("list-panes", "-t", pane, "-f", "#{==:#{pane_id}," + pane + "}", "-F", FORMAT)


def ask_all() -> str:
    return command("list-panes", "-a", "-F", FORMAT)


def read(line: str) -> Facts:
    """One line of FORMAT. Raises ValueError for anything else."""
    (
        pane, window, pid, tty, dead, status, signal, in_mode, input_off, synchronized, alternate, columns, rows,
        cursor_x, cursor_y, cursor_shown, run, role, incarnation, pasted, entered, bracketed, title,
    ) = line.split("|", len(_FIELDS) - 1)  # fmt: skip
    return Facts(
        pane=pane,
        window=window,
        pid=int(pid or 0),
        tty=tty,
        dead=dead == "1",
        exit_status=_number(status),
        signal=_number(signal),
        in_mode=in_mode not in ("", "0"),
        input_off=input_off == "1",
        synchronized=synchronized == "1",
        alternate=alternate == "1",
        columns=int(columns),
        rows=int(rows),
        cursor_x=int(cursor_x or 0),
        cursor_y=int(cursor_y or 0),
        cursor_shown=cursor_shown != "0",
        run=unmark(run),
        role=unmark(role),
        incarnation=_number(incarnation) or 0,
        pasted=unmark(pasted),
        entered=unmark(entered),
        bracketed=bracketed == "1",
        title=title,
    )


def read_all(body: bytes) -> list[Facts]:
    """The panes of one `list-panes`; a line that does not fit (somebody else's options) is passed over."""
    facts = []
    for line in body.decode("utf-8", "replace").split("\n"):
        try:
            facts.append(read(line))
        except ValueError:
            continue
    return facts


def role_of(facts: Facts) -> Role | None:
    return Role.__members__.get(facts.role)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def open_terminal(tty: str) -> int | None:
    """A handle of this terminal that does not make it anybody's controlling terminal; None if it is gone."""
    try:
        return os.open(tty, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None


def is_canonical(terminal: int | None) -> bool:
    """Is this terminal in line mode, where the kernel gives a program whole lines of 4,095 bytes at most?"""
    try:
        return terminal is not None and bool(termios.tcgetattr(terminal)[3] & termios.ICANON)
    except termios.error:
        return False


def captures(pane: str, history: int) -> Sequence[str]:
    """The tmux commands of one look: the rows as drawn, the screen's logical lines, and those with history."""
    rows = command("capture-pane", "-p", "-t", pane)
    joined = command("capture-pane", "-p", "-J", "-t", pane)
    if history <= 0:
        return rows, joined
    return rows, joined, command("capture-pane", "-p", "-J", "-S", f"-{history}", "-t", pane)


def screen(status: PaneStatus, bodies: Sequence[bytes]) -> Screen:
    """The answers of `captures`. -J keeps blanks at a line's end, which no program meant; they are cut off.

    A line that began above the screen and goes on in it counts as the screen's: history is the number of lines that
    the long capture has more than the short one.
    """
    visible, joined, *longer = [body.decode("utf-8", "replace").split("\n") for body in bodies]
    lines = longer[0] if longer else joined
    return Screen(
        status=status,
        lines=tuple(line.rstrip(" ") for line in lines),
        history=len(lines) - len(joined),
        visible=tuple(line.rstrip(" ") for line in visible),
    )


def told(body: bytes, tail: bytes) -> bool:
    """Are the last rows of a screen (`capture-pane -p`) in the last bytes that came from its program? False also for a
    screen drawn in another order than it reads."""
    rows = [row.strip() for row in body.split(b"\n") if row.strip()][-_ROWS_TOLD:]
    text = _ESCAPES.sub(b"", tail)
    place = 0
    for row in rows:
        place = text.find(row, place)
        if place < 0:
            return False
        place += len(row)
    return True


def paint(facts: Facts, body: bytes) -> str:
    """`capture-pane -e` as text that draws that screen on an empty terminal of the same size."""
    rows = body.decode("utf-8", "replace").split("\n")
    cursor = f"\x1b[{facts.cursor_y + 1};{facts.cursor_x + 1}H" + ("\x1b[?25h" if facts.cursor_shown else "\x1b[?25l")
    return "\x1b[0m\x1b[H\x1b[2J" + "\r\n".join(rows) + "\x1b[0m" + cursor
