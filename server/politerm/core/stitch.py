"""Joins successive pictures of a screen into the document that scrolled through it.

A picture is a screen's rows, top to bottom. What moved up between two pictures and left at the top is settled; the last
picture follows it. Rows that stay where they are while others move are a head (a title bar): it is text until it is
known, and then no more. What stays at the bottom (an input box, a spinner) never leaves at the top, so it is only ever
seen once, at the end. Where two pictures have nothing in common, the document gets a gap: a line of GAP (glyphs.py)
alone, which no block is read across. A picture that continues an earlier one (a dialog went away) goes on from there.

It does not know how the rows were drawn, or when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from politerm.core.glyphs import GAP

MAX_HEAD = 8
"""Most rows of a head. When more stay in place, something within the picture was taken out, and nothing scrolled."""

MAX_LINES = 20_000
"""Most settled lines that are kept; a body of 1 MiB has about 7,000 at 160 columns."""

MAX_RETURNS = 4
"""Most interruptions that can be gone back over."""


@dataclass(frozen=True)
class _State:
    """`settled` lines of the document, then `picture` from row `head` on. `gaps`: how many gaps are in there. `footed`:
    the lowest rows were the same in the picture before, whatever came above them."""

    settled: int = 0
    picture: tuple[str, ...] = ()
    head: int = 0
    gaps: int = 0
    footed: bool = False


@dataclass(frozen=True)
class _Step:
    """What a new picture means: the document keeps its first `keeps` lines, then `settles`, then the picture."""

    keeps: int
    settles: Sequence[str]
    head: int
    gap: bool = False


class Stitcher:
    """The document so far. `add` a picture when it is whole, `scrolled_off` what a terminal scrolled by itself."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._state = _State()
        self._returns: list[_State] = []  # what was interrupted by a gap, newest last

    @property
    def gap(self) -> bool:
        """Is there a place in the document where two pictures could not be joined?"""
        return self._state.gaps > 0

    def add(self, rows: Sequence[str]) -> bool:
        """The next picture. Answers whether it could be joined to what was there."""
        picture = tuple(rows)
        if picture == self._state.picture or not any(picture):
            return True
        step, base = self._step(picture)
        if step.gap:
            self._returns = [*self._returns[1 - MAX_RETURNS :], self._state]
        elif base is not self._state:
            self._returns = self._returns[: self._returns.index(base)]
        del self._lines[step.keeps :]
        self._lines += step.settles
        footed = any(one == other for one, other in zip(_lowest(self._state.picture), _lowest(picture), strict=False))
        self._state = _State(len(self._lines), picture, step.head, base.gaps + step.gap, footed)
        self._trim()
        return not step.gap

    def scrolled_off(self, top: int, bottom: int, rows: Sequence[str]) -> None:
        """The terminal itself scrolled the region of rows `top` to `bottom`, and these rows left it."""
        if top > MAX_HEAD:
            return
        picture = list(self._state.picture)
        if picture:
            picture[top : bottom + 1] = [*picture[top + len(rows) : bottom + 1], *[""] * len(rows)]
        self._lines += rows
        self._state = _State(len(self._lines), tuple(picture), top, self._state.gaps)
        self._trim()

    def text(self, rows: Sequence[str] | None = None) -> str:
        """The document; with rows, as if they were the next picture, which may still be unfinished."""
        picture = self._state.picture if rows is None else tuple(rows)
        if picture == self._state.picture or not any(picture):
            lines = [*self._lines, *self._state.picture[self._state.head :]]
        else:
            step, _ = self._step(picture)
            lines = [*self._lines[: step.keeps], *step.settles, *picture[step.head :]]
        return "\n".join(_without_end(lines))

    def _step(self, picture: tuple[str, ...]) -> tuple[_Step, _State]:
        """What the picture means, and which state it continues."""
        for base in (self._state, *reversed(self._returns)):
            step = self._continue(base, picture, again=base is not self._state)
            if step is not None:
                return step, base
        old = self._state
        return _Step(old.settled, [*_without_end(old.picture[old.head :]), GAP], 0, gap=True), old

    def _continue(self, base: _State, picture: tuple[str, ...], *, again: bool) -> _Step | None:
        """The step from one picture to another, if they have enough in common. `again`: the first is long gone, so that
        it takes more to believe it."""
        before = base.picture
        if not any(before):
            return None if again else _Step(base.settled, (), base.head)
        places = _unique(before)
        moves = {at: places[row] - at for row, at in _unique(picture).items() if row in places}
        votes = Counter(moves.values())
        still = votes.pop(0, 0)
        for shift, count in votes.most_common(3):
            head = _head(before, picture, shift, [at for at, move in moves.items() if move == shift])
            if head is None or count * 3 < still or count < (3 if again or shift < 0 else min(still + 1, 2)):
                continue
            if base.footed and 0 < head != base.head and len(_without_end(picture)) < len(_without_end(before)):
                # The picture got shorter: something was taken out of its middle, and the rest moved up.
                continue
            if shift > 0:
                # A head that was taken for text until now is settled once; what was settled is not shown again.
                return _Step(base.settled, before[base.head : head + shift], max(head, base.head - shift))
            # What came back at the top must be what was settled last, or rows were put in above what moved down. As
            # many rows come back as the picture moved, or more where its head became shorter.
            back = max(base.head - head, 0) - shift
            keeps = base.settled - back
            if keeps >= 0 and self._lines[keeps : base.settled] == list(picture[head : head + back]):
                return _Step(keeps, (), head)
        # Nothing moved. Then most of what was there should still be there, unless that was hardly anything: a spinner,
        # or the first words of something that is drawn afresh.
        said = [at for at, row in enumerate(before[: len(picture)]) if row]
        lost = sum(before[at] not in picture and not picture[at].startswith(before[at]) for at in said)
        if lost * (4 if again else 2) <= len(said) or (len(said) <= 2 and not again):
            return _Step(base.settled, (), base.head)
        return None

    def _trim(self) -> None:
        """Forget the oldest lines, a quarter at a time."""
        if len(self._lines) > MAX_LINES:
            del self._lines[: len(self._lines) - MAX_LINES * 3 // 4]
            state = self._state
            self._state = _State(len(self._lines), state.picture, state.head, self._lines.count(GAP))
            self._returns = []


def _unique(rows: Sequence[str]) -> dict[str, int]:
    """Rows that stand in the picture once, with their places; blank ones say nothing."""
    counts = Counter(rows)
    return {row: at for at, row in enumerate(rows) if row and counts[row] == 1}


def _head(before: tuple[str, ...], picture: tuple[str, ...], shift: int, moved: list[int]) -> int | None:
    """How many rows at the top stay where they are while those below move up by `shift` (down, if it is negative), as
    the rows `moved` of the picture did; None: that is not what happened."""
    first, last = moved[0], moved[-1]
    inside = range(first, last + 1)
    if sum(picture[at] == before[at + shift] for at in inside) * 5 < len(inside) * 3:
        return None
    head = first
    while head > max(-shift, 0) and picture[head - 1] == before[head - 1 + shift]:
        head -= 1
    if shift < 0:
        head += shift
    while head < first and picture[head] == before[head]:
        head += 1
    return head if 0 <= head <= MAX_HEAD else None


def _lowest(rows: Sequence[str]) -> list[str]:
    """The four lowest rows that are not blank, lowest first."""
    return [row for row in reversed(rows) if row][:4]


def _without_end(rows: Sequence[str]) -> list[str]:
    """Without the blank rows at the end."""
    end = len(rows)
    while end and not rows[end - 1]:
        end -= 1
    return list(rows[:end])
