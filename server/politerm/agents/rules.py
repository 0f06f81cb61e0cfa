"""A profile's rules applied to a screen: is the agent ready, is it at work, does it ask for something?

Pure and total: whatever an agent draws, the answer is a Verdict and never an exception. What the three findings mean
together (an input box under a spinner, say) is not decided here; each comes with the rule and the text that gave it.

A program that prints `Thinking` and goes on leaves the word standing. So where the last line shows the agent ready, a
working rule without a place of its own sees only the rows next to it, where spinners are drawn.

A dialog is easily faked by text: the prompt we pasted may quote one, an old one may still stand above the prompt. So
one counts only where its rule looks, not above a row that shows the agent ready or our own paste, and not as a row of
that paste.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from politerm.agents.profile import AgentProfile, BlockedRule, Place, Rule
from politerm.core.events import AttentionKind
from politerm.core.wire import AgentState

LINE_CAP = 500
"""Characters of a row that rules see: a bound on the time of a backtracking pattern."""
ROWS_CAP = 500
"""Rows that rules see, counted from the lowest: no terminal is taller."""
BOTTOM_ROWS = 15
NEAR_ROWS = 3
"""Rows above a ready prompt in the last line where the agent may still say that it is at work."""
DIALOG_ROWS = 12
"""Rows around the matched one that make up a dialog: what is asked about often stands well above the question."""


@dataclass(frozen=True)
class RuleHit:
    rule: str
    evidence: str


@dataclass(frozen=True)
class Dialog:
    """Something that the agent asks on its screen.

    `what`: the rule's group of that name, or the line. `choices`: id -> tmux keys. `fingerprint`: the same for the same
    dialog however its spinner, clock, or selection mark move; another for another question or another subject.
    """

    rule: str
    what: str
    kind: AttentionKind
    fingerprint: str
    state: AgentState = AgentState.BLOCKED
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: str = ""
    below: int = 0
    """How many rows that are not blank stand under the matched one."""


@dataclass(frozen=True)
class Limit:
    """The allowance of the agent's user is used up. `until`: when there will be more, in the agent's own words."""

    rule: str
    evidence: str
    until: str = ""


@dataclass(frozen=True)
class Verdict:
    ready: RuleHit | None = None
    working: RuleHit | None = None
    dialog: Dialog | None = None
    draft: RuleHit | None = None
    background: RuleHit | None = None
    limited: Limit | None = None
    session: str | None = None
    """The beginning of the name of its conversation."""

    @property
    def idle(self) -> bool:
        return self.ready is not None and self.working is None and self.dialog is None


def look(profile: AgentProfile, visible: Sequence[str], title: str = "", *, pasted: str = "") -> Verdict:
    """What the rules say of these rows (`visible`: the physical rows, top first) and this pane title.

    `pasted` is the prompt that we typed last: rows that merely show it again are no dialog, and those above it are
    older than it.
    """
    rows = [row[:LINE_CAP].rstrip() for row in visible[-ROWS_CAP:]]
    title = title[:LINE_CAP]
    ready = _first(profile.ready, "ready", "last-line", rows, title)
    ready_row = ready[1] if ready and ready[1] < len(rows) else -1
    working = _first(profile.working, "working", "near" if ready and ready[2] else "screen", rows, title)
    dialog = limited = None
    below = _pasted_row(profile, rows, pasted) if profile.blocked or profile.limited else -1
    if profile.blocked:
        dialog = _dialog(profile, rows, title, max(ready_row, below), _squeezed(pasted))
    if profile.limited:
        # What was said before the last prompt is over.
        limited = _limit(profile, (_places(rule.where or "bottom", rows, title) for rule in profile.limited), below)
    draft = _first(profile.draft, "draft", "bottom", rows, title)
    background = _first(profile.background, "background", "bottom", rows, title)
    hits = [found[0] if found else None for found in (ready, working, draft, background)]
    return Verdict(hits[0], hits[1], dialog, hits[2], hits[3], limited, _session(profile, rows, title))


def limit_in(profile: AgentProfile, text: str) -> Limit | None:
    """What the rules for limits find in the words with which a turn failed."""
    lines = [line[:LINE_CAP] for line in text.splitlines()[-BOTTOM_ROWS:]]
    return _limit(profile, (enumerate(lines) for _ in profile.limited), -1)


def _limit(profile: AgentProfile, places: Iterable[Iterable[tuple[int, str]]], below: int) -> Limit | None:
    for rule, rows in zip(profile.limited, places, strict=True):
        for index, text in rows:
            if index > below and (found := _search(rule.match, text)):
                until = (found.groupdict().get("until") or "").strip()
                return Limit(f"limited: {rule.match}", text.strip(), until)
    return None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _places(where: Place | Literal["near"], rows: Sequence[str], title: str) -> Iterator[tuple[int, str]]:
    """Row numbers and texts, the lowest row first; the title counts as the row below all others."""
    if where == "title":
        if title:
            yield len(rows), title
        return
    most = {"last-line": 1, "near": 1 + NEAR_ROWS, "bottom": BOTTOM_ROWS, "screen": len(rows)}[where]
    for index in range(len(rows) - 1, -1, -1):
        if not rows[index]:
            continue
        if most == 0:
            return
        most -= 1
        yield index, rows[index]


def _search(pattern: str, text: str) -> re.Match[str] | None:
    compiled = _compiled(pattern)
    return compiled.search(text) or compiled.search(text + " ")


def _first(
    rules: Iterable[Rule], name: str, usual: Place | Literal["near"], rows: Sequence[str], title: str
) -> tuple[RuleHit, int, bool] | None:
    """The first rule that hits: with what, in which row, and whether it looked at the last line alone."""
    for rule in rules:
        where = rule.where or usual
        for index, text in _places(where, rows, title):
            if _search(rule.match, text):
                return RuleHit(f"{name}: {rule.match}", text.strip()), index, where == "last-line"
    return None


def _session(profile: AgentProfile, rows: Sequence[str], title: str) -> str | None:
    for rule in profile.conversation:
        for _, text in _places(rule.where or "title", rows, title):
            if found := _search(rule.match, text):
                return found.groupdict().get("session")
    return None


def _pasted_row(profile: AgentProfile, rows: Sequence[str], pasted: str) -> int:
    """The lowest row that shows where our prompt ends, in full or folded; -1: none. It was pasted when no dialog stood
    there, so whatever stands above it was answered before."""
    last = next((line.strip() for line in reversed(pasted.splitlines()) if line.strip()), None)
    if last is None:
        return -1
    signs = [re.escape(last[:LINE_CAP]) + r"(?!\w)", *profile.placeholder]
    return max((index for index, row in enumerate(rows) if any(_search(sign, row) for sign in signs)), default=-1)


def _dialog(profile: AgentProfile, rows: Sequence[str], title: str, past: int, pasted: frozenset[str]) -> Dialog | None:
    """The lowest dialog; of two rules that see the same row the first. `past`: what stands above this row is over. A
    question in that row counts: many programs ask `Sure? > ` with the mark of their prompt."""
    best: tuple[int, BlockedRule, re.Match[str]] | None = None
    for rule in profile.blocked:
        for index, text in _places(rule.where, rows, title):
            if index < past:
                break
            found = _search(rule.match, text)
            if found and not _echo(rows, index, pasted):
                if best is None or index > best[0]:
                    best = index, rule, found
                break
    if best is None:
        return None
    index, rule, found = best
    line = found.string.strip()
    what = (found.groupdict().get("what") or _about(rule, rows[max(0, index - DIALOG_ROWS) : index]) or line).strip()
    return Dialog(
        rule=f"blocked: {rule.match}",
        what=what,
        kind=rule.kind,
        fingerprint=_fingerprint(rule, what, rows, index, profile),
        state=rule.state,
        choices=dict(rule.choices),
        evidence=line,
        below=sum(bool(row) for row in rows[index + 1 :]),
    )


def _about(rule: BlockedRule, above: Sequence[str]) -> str | None:
    if rule.about is None:
        return None
    found = next((hit for row in reversed(above) if (hit := _search(rule.about, row))), None)
    return found and (found.groupdict().get("what") or found.string)


_GLYPHS = re.compile(r"[\u2500-\u25ff\u2720-\u2767\u2800-\u28ff\u00b7\u2022\u203a\u276f]+")
"""Boxes, bullets, pointers and the glyphs that spinners run through: they move or are redrawn while a dialog stands."""
_EDGES = re.compile(r"^(?:[\s>*|+=-]+|[|/\\-]\s)|[\s|+=-]+$")
"""The same drawn in ASCII; only at a row's ends, because inside it `rm -rf` is not `rm rf`."""
_CLOCK = re.compile(r"\b\d+(?:[.:]\d+)*\s?(?:ms|s|sec|secs|seconds|m|min|h|%)(?!\w)")
_DOTS = re.compile(r"(?:\.{2,}|\u2026)")


def _fingerprint(rule: BlockedRule, what: str, rows: Sequence[str], index: int, profile: AgentProfile) -> str:
    """Rows that show the agent at work are left out: they are animated, and the question is not in them."""
    around = rows[max(0, index - DIALOG_ROWS) : index + DIALOG_ROWS + 1]
    still = [row for row in around if not any(_search(one.match, row) for one in profile.working if _on_screen(one))]
    text = "\n".join([rule.match, _still(what), *filter(None, map(_still, still))])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _on_screen(rule: Rule) -> bool:
    return rule.where != "title"


def _still(text: str) -> str:
    for moving in (_CLOCK, _DOTS, _GLYPHS, _EDGES):
        text = moving.sub(" ", text)
    return " ".join(text.split())


@lru_cache(maxsize=64)
def _squeezed(pasted: str) -> frozenset[str]:
    """Of each line. Kept, because every look at a screen asks for the same few prompts."""
    return frozenset(still for line in pasted.splitlines() if (still := _still(line[:LINE_CAP])))


def _echo(rows: Sequence[str], index: int, pasted: frozenset[str]) -> bool:
    """The row stands in the middle of our own prompt as the agent shows it: it and the rows next to it are ours.

    A real question that happens to be worded as a line of the prompt has other neighbours, and is not hidden by this.
    """
    if not pasted or index >= len(rows) or _still(rows[index]) not in pasted:
        return False
    above = next((still for row in reversed(rows[:index]) if (still := _still(row))), None)
    below = next((still for row in rows[index + 1 :] if (still := _still(row))), None)
    return below in pasted or (below is None and above in pasted)
