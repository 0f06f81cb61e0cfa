"""The matrix of agents: how outcomes become cells, and the committed page is one of today's code."""

from __future__ import annotations

from pathlib import Path

from tests.real_agents.install import pins
from tests.real_agents.matrix import COLUMNS, Row, merged, page, parse
from tests.real_agents.rigs import RIGS, rig_of

PAGE = Path(__file__).resolve().parents[3] / "docs/agents.md"


def test_the_committed_page_has_the_columns_and_the_programs_of_the_code() -> None:
    rows = parse(PAGE.read_text("utf-8"))
    assert [(row.name, row.version) for row in rows] == [(pin.name, pin.version) for pin in pins()], "make agents"
    assert PAGE.read_text("utf-8") == page(rows), "it is not what would be written: make agents"


def test_every_rig_can_be_had_and_lacks_only_what_is_a_column() -> None:
    for name in RIGS:
        rig = rig_of(name)
        assert rig.name == name
        assert rig.profile.name in ("", name)
        assert set(rig.lacks) <= set(COLUMNS)
        assert name in {pin.name for pin in pins()}


def test_a_cell_of_several_tests_is_proved_when_all_of_them_passed() -> None:
    row = Row("a", "1")
    row.add("ready", "proven")
    row.add("ready", "not run")
    assert row.cell("ready") == "proven"
    row.add("ready", "failed")
    row.add("ready", "proven")
    assert row.cell("ready") == "failed"
    assert row.cell("usage") == "not run"


def test_rows_that_did_not_run_are_kept_and_those_of_no_program_are_not() -> None:
    known = [Row("a", "1", "2026-01-01", {"ready": "proven"}), Row("gone", "1", "2026-01-01", {"ready": "proven"})]
    new = {("b", "1"): Row("b", "1", "2026-02-02", {"ready": "failed"}), ("a", "1"): Row("a", "1", "2026-02-02")}
    rows = merged(known, new, [("a", "1"), ("b", "1"), ("c", "1")])
    assert [(row.name, row.day, row.cell("ready")) for row in rows] == [
        ("a", "2026-01-01", "proven"),
        ("b", "2026-02-02", "failed"),
        ("c", "never", "not run"),
    ]


def test_a_page_can_be_read_again() -> None:
    row = Row("a", "1", "2026-01-01", dict.fromkeys(COLUMNS, "proven"))
    row.cells["usage"] = "not possible"
    row.reasons["usage"] = "it counts nothing"
    [again] = parse(page([row]))
    assert again == row
