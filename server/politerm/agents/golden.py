"""Golden screens: what an agent showed once, kept as a file with the verdict that its rules must give for it.

    title: ✳ Claude Code
    expect: blocked permission allow deny
    what: Do you want to create new.txt?
    ---
    (the rows of the screen)

`expect` is `ready`, `working`, `background`, `limited`, `nothing` (no rule matches), or a dialog: its state, its kind,
and the ids of its choices. `what`, for a dialog: what it asks; for a limit: when it ends. It does not know who
records a screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from politerm.agents.profile import AgentProfile
from politerm.agents.rules import Verdict, look

RULE = "---"


@dataclass(frozen=True)
class GoldenScreen:
    title: str
    expect: str
    what: str
    rows: tuple[str, ...]

    @classmethod
    def of(cls, profile: AgentProfile, rows: Sequence[str], title: str) -> GoldenScreen:
        """A screen as it stands, with what the rules say of it now."""
        expect, what = judged(look(profile, rows, title))
        kept = [row.rstrip() for row in rows]
        while kept and not kept[-1]:
            kept.pop()
        return cls(title, expect, what, tuple(kept))

    @classmethod
    def parse(cls, text: str) -> GoldenScreen:
        """Raises ValueError for a text that is not in this form."""
        head, found, screen = text.partition(f"\n{RULE}\n")
        fields = {name.rstrip(":"): value for name, _, value in (line.partition(": ") for line in head.splitlines())}
        if not found or set(fields) != {"title", "expect", "what"}:
            raise ValueError(
                f"a golden screen begins with title, expect and what, and then {RULE} on a line of its own"
            )
        return cls(fields["title"], fields["expect"], fields["what"], tuple(screen.splitlines()))

    def text(self) -> str:
        head = (("title", self.title), ("expect", self.expect), ("what", self.what))
        lines = [f"{name}: {value}".rstrip() for name, value in head]
        return "\n".join([*lines, RULE, *self.rows, ""])


def judged(verdict: Verdict) -> tuple[str, str]:
    """`expect` and `what` of a verdict: what stands in front of everything else is what it is about."""
    if (dialog := verdict.dialog) is not None:
        return " ".join([dialog.state.value, dialog.kind, *sorted(dialog.choices)]), dialog.what
    if verdict.working is not None:
        return "working", ""
    if (left := verdict.background) is not None:
        return "background", left.evidence
    if (limit := verdict.limited) is not None:
        return "limited", limit.until
    return ("ready" if verdict.ready is not None else "nothing"), ""
