"""The matrix: which cell was proved for which agent program, by which version. A pytest plugin, and the page it writes.

    pytest -p tests.real_agents.matrix [--matrix docs/agents.md] tests/real_agents -m real_agents

A test says which cell it proves by `@pytest.mark.cell("long silence")` and for which program by its parameter `pin`. A
cell with several tests is proved when all of them passed. With `--matrix` the page is brought up to date: rows of
programs that did not run are kept as they are, with the day on which they were found so. For a new pin that has not run
yet, `python -m tests.real_agents.matrix` gives the page its empty row.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import pytest

from tests.real_agents.install import pins

COLUMNS = (
    "ready",
    "paste and submit",
    "verbatim block",
    "300-line message",
    "long silence",
    "permission dialog",
    "interrupt",
    "death and resume",
    "usage",
    "turn end",
    "dual run as planner",
    "dual run as executer",
)
Outcome = Literal["proven", "failed", "not run", "not possible"]
LEVELS: tuple[Outcome, ...] = get_args(Outcome)
STYLES: Mapping[str, str] = {"proven": "green", "failed": "bold red", "not run": "dim", "not possible": "dim"}
NEVER = "never"
PROPERTY, LACKING = "cell", "not possible: "

PAGE = """\
# Agents

<!-- The table is written by `make agents`. -->

Each cell is a test that drives the published program, at the version that is named, through its own terminal screen,
against a scripted model on this machine. *proven*: the test passed on the day that the row names. *failed*: it did not.
*not run*: the program was not installed, or there is no test. *not possible*: the program has nothing of the kind; the
reason stands below the table.

{table}
{reasons}
`make agents` runs every program that is installed in `.agents/` and writes this page; `make test-agents` installs
Claude Code and Codex and tests with them alone. How to add a program: CONTRIBUTING.md.
"""


@dataclass
class Row:
    """One program at one version. `day`: when its cells were found so."""

    name: str
    version: str
    day: str = NEVER
    cells: dict[str, Outcome] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def cell(self, column: str) -> Outcome:
        return self.cells.get(column, "not run")

    def add(self, column: str, outcome: Outcome) -> None:
        """What another test says of a cell: one that failed decides, then one that passed."""
        known = self.cells.get(column, outcome)
        worst: tuple[Outcome, ...] = ("failed", "proven", "not possible", "not run")
        self.cells[column] = min(known, outcome, key=worst.index)

    @property
    def ran(self) -> bool:
        return any(outcome in ("proven", "failed") for outcome in self.cells.values())


def table(rows: Iterable[Row]) -> str:
    head = ["agent", "version", "day", *COLUMNS]
    lines = [head, ["---"] * len(head)]
    lines += [[row.name, row.version, row.day, *map(row.cell, COLUMNS)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def reasons(rows: Iterable[Row]) -> str:
    return "".join(
        f"- {row.name} {row.version}, {column}: {why}\n" for row in rows for column, why in row.reasons.items()
    )


def page(rows: Iterable[Row]) -> str:
    rows = list(rows)
    told = reasons(rows)
    return PAGE.format(table=table(rows), reasons=f"\n{told}\n" if told else "")


def parse(text: str) -> list[Row]:
    """The rows of a page. Raises ValueError when its columns are not those of today."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]
    if not lines:
        return []
    if lines[0] != ["agent", "version", "day", *COLUMNS]:
        raise ValueError("the page has other columns than tests/real_agents/matrix.py")
    rows = []
    for name, version, day, *cells in lines[2:]:
        told = {column: level for column, cell in zip(COLUMNS, cells, strict=True) for level in LEVELS if level == cell}
        rows.append(Row(name, version, day, told))
    for name, version, column, why in re.findall(r"^- (\S+) (\S+), ([^:]+): (.*)$", text, re.MULTILINE):
        for row in rows:
            if (row.name, row.version) == (name, version):
                row.reasons[column] = why
    return rows


def merged(known: Iterable[Row], new: Mapping[tuple[str, str], Row], wanted: Iterable[tuple[str, str]]) -> list[Row]:
    """A row for each program that is wanted: of today, else as it is known, else empty."""
    old = {(row.name, row.version): row for row in known}
    rows = []
    for key in wanted:
        now = new.get(key)
        rows.append(now if now is not None and now.ran else old.get(key) or Row(*key))
    return rows


def programs() -> list[tuple[str, str]]:
    return [(pin.name, pin.version) for pin in pins()]


def update(path: Path, new: Mapping[tuple[str, str], Row], wanted: Iterable[tuple[str, str]]) -> None:
    known = parse(path.read_text("utf-8")) if path.is_file() else []
    path.write_text(page(merged(known, new, wanted)), "utf-8")


# ---- the plugin ------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--matrix", type=Path, help="bring this page of the matrix up to date")


def pytest_configure(config: pytest.Config) -> None:
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        config.pluginmanager.register(_Collector(config), "matrix-collector")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test proves travels with its report, also from another process."""
    for item in items:
        parameters = getattr(item, "callspec", None)
        pin = parameters.params.get("pin") if parameters is not None else None
        for mark in item.iter_markers("cell"):
            for column in mark.args:
                if column not in COLUMNS:
                    raise pytest.UsageError(f"{item.nodeid}: there is no column {column!r}")
                if pin is not None:
                    item.user_properties.append((PROPERTY, f"{pin.name}|{pin.version}|{column}"))


class _Collector:
    def __init__(self, config: pytest.Config) -> None:
        self._page: Path | None = config.getoption("--matrix")
        self._rows: dict[tuple[str, str], Row] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name != PROPERTY or report.outcome == "rerun":
                continue
            agent, version, column = str(value).split("|")
            day = datetime.datetime.now(datetime.UTC).date().isoformat()
            row = self._rows.setdefault((agent, version), Row(agent, version, day))
            if report.failed:
                row.add(column, "failed")
            elif report.passed and report.when == "call":
                row.add(column, "proven")
            elif report.skipped:
                why = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
                lacking = why.partition(LACKING)[2]
                row.add(column, "not possible" if lacking else "not run")
                if lacking:
                    row.reasons[column] = lacking

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        wanted = programs()
        if self._page is not None:
            update(self._page, self._rows, wanted)
        terminalreporter.section("matrix")
        terminalreporter.write(drawn(merged([], self._rows, wanted), colours=terminalreporter.hasmarkup))


def drawn(rows: Iterable[Row], *, colours: bool = True) -> str:
    """The table for a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(header_style="bold")
    for column in ("agent", *COLUMNS):
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(f"{row.name} {row.version}", *(Text(row.cell(each), STYLES[row.cell(each)]) for each in COLUMNS))
    console = Console(width=170, force_terminal=colours, color_system="standard" if colours else None)
    with console.capture() as capture:
        console.print(grid)
    return capture.get()


if __name__ == "__main__":
    update(Path(__file__).resolve().parents[2] / "docs/agents.md", {}, programs())
