"""How a run is shown: JSON lines for programs, a live picture in a terminal, plain lines everywhere else.

A display is told of every envelope in order; it knows nothing of clients, questions, or how a run is steered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from politerm.cli import words

if TYPE_CHECKING:
    from politerm.cli.clients import Json
    from politerm.cli.world import World

ROLE_STYLES = {"PLANNER": "cyan", "EXECUTER": "green", "AGENT": "green", "USER": "yellow", "ORCHESTRATOR": "magenta"}
STATE_STYLES = {"ready": "green", "working": "cyan", "starting": "dim", "dead": "red bold"}
OUTCOME_STYLES = {"completed": "green", "stopped": "yellow", "limit": "yellow", "failed": "red"}
HEADING = re.compile(r"#{1,6} ")
CODE = r"`[^`\n]+`"
STRONG = r"\*\*[^*\n]+\*\*"
MARKER = r"^\s*(?:[-*+]|\d{1,3}[.)])(?= )"
PLAIN_LINES = 12
LIVE_LINES = 16
"""Lines of a message that are shown; all of it is in `politerm show`."""


class Display(Protocol):
    """Used as a context manager; `hold` keeps everything back while a person is asked something."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any, /) -> None: ...

    def show(self, envelope: Json) -> None: ...

    def update(self, view: Json) -> None: ...

    def note(self, text: str) -> None: ...

    def hold(self, held: bool) -> None: ...


def display_for(world: World, *, as_json: bool, hint: str = "", still: bool = False) -> Display:
    """`hint` stands below the live part; `still`: what is shown is over, so there is no live part."""
    if as_json:
        return JsonDisplay(world)
    if world.console.is_terminal and not world.console.is_dumb_terminal:
        return LiveDisplay(world.console, None if still else Status(hint))
    return PlainDisplay(world.console)


class JsonDisplay:
    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, envelope: Json) -> None:
        self._world.print_json(envelope)

    def update(self, view: Json) -> None:
        pass

    def note(self, text: str) -> None:
        self._world.errors.print(text)

    def hold(self, held: bool) -> None:
        pass


class PlainDisplay:
    """One line an event, with the time since the run began, and the message below it. No colours, no movement."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, envelope: Json) -> None:
        at = words.instant(envelope["at"])
        self._began = self._began or at
        line = words.describe(envelope["event"])
        if line is None or line.weight == "trace":
            return
        self._print(f"{words.duration((at - self._began).total_seconds()):>6}  {line.head}")
        if line.body:
            text, more = words.trim(line.body, PLAIN_LINES)
            for row in text.split("\n"):
                self._print(f"        | {row}".rstrip())
            if more:
                self._print(f"        | ... {words.plural(more, 'more line')}")

    def update(self, view: Json) -> None:
        pass

    def note(self, text: str) -> None:
        self._print(f"        {text}")

    def hold(self, held: bool) -> None:
        pass

    def _print(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


class LiveDisplay:
    """The conversation scrolls by and stays; below it, who is doing what and since when."""

    def __init__(self, console: Console, status: Status | None) -> None:
        self._console = console
        self._status = status
        self._live: Live | None = None
        self._held: list[RenderableType] | None = None
        self._began: datetime | None = None

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._halt()

    def _start(self) -> None:
        if self._status is None:
            return
        self._live = Live(
            self._status, console=self._console, refresh_per_second=8, transient=True, redirect_stderr=False
        )
        self._live.start(refresh=True)

    def _halt(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, envelope: Json) -> None:
        at = words.instant(envelope["at"])
        self._began = self._began or at
        line = words.describe(envelope["event"])
        if line is not None and line.weight not in ("trace", "detail"):
            since = words.duration((at - self._began).total_seconds())
            self._print(timeline(line, since, LIVE_LINES))

    def update(self, view: Json) -> None:
        if self._status is not None:
            self._status.view = view
        if self._live is not None:
            self._live.refresh()

    def note(self, text: str) -> None:
        self._print(Text(text, style="yellow"))

    def hold(self, held: bool) -> None:
        if held and self._held is None:
            self._halt()
            self._held = []
        elif not held and self._held is not None:
            late, self._held = self._held, None
            self._start()
            for renderable in late:
                self._print(renderable)

    def _print(self, renderable: RenderableType) -> None:
        if self._held is not None:
            self._held.append(renderable)
        else:
            self._console.print(renderable)


def timeline(line: words.Line, since: str, lines: int | None) -> RenderableType:
    """One event as it stands in the conversation."""
    style = ROLE_STYLES.get(line.role, "")
    if line.weight == "message":
        who, _, kind = line.head.rpartition(" ")
        head = Text.assemble(("● ", style), (who, f"{style} bold"), "  ", (kind, "bold"), (f"  {since}", "dim"))
        return Group(head, Padding(_body(line.body, lines), (0, 2, 1, 2)))
    if line.head.startswith("round "):
        return Rule(Text(line.head, style="dim"), style="dim", align="left")
    mark, tone = ("▲ ", "yellow bold") if line.weight == "alert" else ("· ", "dim")
    head = Text.assemble((mark, tone), (line.head, tone), (f"  {since}", "dim"))
    if line.body:
        return Group(head, Padding(_body(line.body, lines), (0, 2, 1, 2)))
    return head


def _body(text: str, lines: int | None) -> RenderableType:
    kept, more = words.trim(text, lines) if lines is not None else (text, 0)
    if not more:
        return prose(kept)
    return Group(prose(kept), Text(f"… {words.plural(more, 'more line')}", style="dim"))


def prose(text: str) -> Text:
    """What agents write, with its Markdown lit up but every line as it is: half of it is output of programs, which a
    real Markdown renderer would flow together."""
    shown = Text()
    fenced = False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        if fence or fenced:
            shown.append(line + "\n", "dim" if fence else "cyan")
            fenced = fenced != fence
            continue
        piece = Text(line + "\n", "bold" if HEADING.match(line) else "")
        piece.highlight_regex(CODE, "cyan")
        piece.highlight_regex(STRONG, "bold")
        piece.highlight_regex(MARKER, "bold")
        shown.append_text(piece)
    shown.right_crop(1)
    return shown


class Status:
    """The lower part of the live display: drawn anew several times a second, from the newest RunView."""

    def __init__(self, hint: str) -> None:
        self.view: Json | None = None
        self._hint = hint
        self._spinner = Spinner("dots", style="cyan")

    def __rich__(self) -> RenderableType:
        if self.view is None:
            return Text("starting …", style="dim")
        view, now = self.view, datetime.now(UTC)
        roles = Table.grid(padding=(0, 2))
        for role, seen in view["roles"].items():
            roles.add_row(*self._role(role, seen, now))
        limit = f"/{view['maxRounds']}" if view.get("maxRounds") else ""
        facts = [view["state"], f"round {view['round']}{limit}"]
        facts.append(words.duration(words.between(view["startedAt"], view.get("endedAt"), now)))
        facts += [cost] if (cost := words.money(view["usage"])) else []
        facts += [f"{view['attention']} waiting for you"] if view["attention"] else []
        return Panel(
            Group(roles, Text(" · ".join(facts), style="bold")),
            title=Text(words.one_line(view["task"], 60)),
            title_align="left",
            subtitle=Text(self._hint, style="dim"),
            subtitle_align="right",
            border_style="dim",
        )

    def _role(self, role: str, seen: Json, now: datetime) -> Iterable[RenderableType]:
        state = seen["state"]
        style = STATE_STYLES.get(state, "yellow bold")
        since = words.duration(words.between(seen["since"], None, now)) if seen.get("since") else ""
        why = seen.get("why") or {}
        reason = words.one_line(f"{why.get('source', '')} {why.get('evidence') or why.get('rule', '')}", 48)
        mark: RenderableType = self._spinner if state in ("working", "starting") else Text("●", style=style)
        yield Text(role, style=f"{ROLE_STYLES.get(role, '')} bold")
        yield Text(seen["agent"])
        yield mark
        yield Text(f"{state} {since}".rstrip(), style=style)
        yield Text(reason, style="dim", overflow="ellipsis", no_wrap=True)
