"""The last thing a run shows: how it ended, what it took, what it changed, and where to look further."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from politerm.cli import words
from politerm.cli.changes import Change
from politerm.cli.clients import Json
from politerm.cli.display import OUTCOME_STYLES, prose
from politerm.cli.world import World, program

MARKS = {"added": ("A", "green"), "modified": ("M", "yellow"), "deleted": ("D", "red")}
MOST_FILES = 15
SUMMARY_LINES = 30


def print_summary(world: World, view: Json, changed: list[Change] | None) -> None:
    console, more = world.console, further(world, view)
    if console.is_terminal:
        console.print(_panel(view, changed, more))
    else:
        for line in _plain(view, changed, more):
            console.print(Text(line), soft_wrap=True)


def facts(view: Json) -> list[str]:
    took = words.duration(words.between(view["startedAt"], view.get("endedAt"), datetime.now(UTC)))
    said = [words.plural(view["round"], "round"), took]
    return said + ([cost] if (cost := words.money(view["usage"])) else [])


def headline(view: Json) -> str:
    reason = f": {words.one_line(view['reason'], 300)}" if view.get("reason") else ""
    return f"{view.get('outcome') or view['state']}{reason}"


def further(world: World, view: Json) -> str:
    """The command that shows more of it, as it works from here."""
    verb = "show" if view["state"] == "ended" else "watch"
    return f"{program()} {verb} {view['runId']}{world.reach(view['cwd'])}"


def _counts(change: Change) -> tuple[str, str]:
    return (
        f"+{change.added}" if change.added is not None else "",
        f"-{change.removed}" if change.removed else "",
    )


def _panel(view: Json, changed: list[Change] | None, more: str) -> RenderableType:
    parts: list[RenderableType] = []
    if view.get("summary"):
        kept, left = words.trim(words.body(view["summary"]), SUMMARY_LINES)
        parts += [
            prose(kept),
            *([Text(f"… {words.plural(left, 'more line')}", style="dim")] if left else []),
            Text(),
        ]
    if changed:
        table = Table.grid(padding=(0, 1))
        for change in changed[:MOST_FILES]:
            mark, style = MARKS[change.kind]
            added, removed = _counts(change)
            table.add_row(Text(mark, style=style), words.safe(change.path), Text(added, "green"), Text(removed, "red"))
        parts.append(table)
        if len(changed) > MOST_FILES:
            parts.append(Text(f"… and {words.plural(len(changed) - MOST_FILES, 'more file')}", style="dim"))
    elif changed is not None:
        parts.append(Text("no file was changed", style="dim"))
    parts += [Text(), Text(more, style="dim")]
    style = OUTCOME_STYLES.get(view.get("outcome") or "", "yellow")
    title = Text.assemble((headline(view), f"{style} bold"), "  ", (" · ".join(facts(view)), "bold"))
    return Panel(Group(*parts), title=title, title_align="left", border_style=style)


def _plain(view: Json, changed: list[Change] | None, more: str) -> list[str]:
    lines = ["", f"{headline(view)} ({', '.join(facts(view))})"]
    if view.get("summary"):
        kept, left = words.trim(words.body(view["summary"]), SUMMARY_LINES)
        lines += [f"  {line}".rstrip() for line in kept.split("\n")]
        lines += [f"  ... {words.plural(left, 'more line')}"] if left else []
    for change in (changed or [])[:MOST_FILES]:
        counts = " ".join(count for count in _counts(change) if count)
        lines.append(f"  {MARKS[change.kind][0]} {words.safe(change.path)} {counts}".rstrip())
    if changed and len(changed) > MOST_FILES:
        lines.append(f"  ... and {words.plural(len(changed) - MOST_FILES, 'more file')}")
    if changed == []:
        lines.append("  no file was changed")
    return [*lines, more]
