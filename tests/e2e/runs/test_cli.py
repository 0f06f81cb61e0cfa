"""What the command line tells of a run afterwards, and how it says that a run did not complete."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.runs.house import House
from tests.e2e.runs.test_several_processes import verb

AGENTS = ("--planner", "p", "--executer", "e", "--trust")


async def test_a_run_that_does_not_complete_is_1_with_the_reason_and_its_history_is_there(house: House) -> None:
    house.agents("raw")
    code, out, err = await verb(house, "run", "count; the 'steps'", *AGENTS, "--max-rounds", "1", "--json")
    assert code == 1, err
    envelopes = [json.loads(line) for line in out.splitlines()]
    end = envelopes[-1]["event"]
    assert (end["type"], end["outcome"]) == ("runEnded", "limit")
    assert "limit of 1 rounds" in end["reason"]
    assert house.processes() == []

    code, replayed, _ = await verb(house, "replay", "last", "--speed", "1000", "--json")
    assert (code, replayed) == (0, out)
    code, cast, _ = await verb(house, "export", "last", "--format", "cast")
    assert code == 0
    head = json.loads(cast.splitlines()[0])
    assert (head["version"], head["width"] >= 160) == (2, True)
    assert "Step 1 of 2." in cast
    code, shown, _ = await verb(house, "show", "last")
    assert code == 0
    assert "count; the 'steps'" in shown
    assert "limit of 1 rounds" in shown
    assert "\x1b" not in shown


async def test_a_task_from_a_file_with_an_odd_name_in_another_folder(house: House) -> None:
    house.agents("raw", rounds=1)
    folder = house.root / "an 'odd' \"folder\" $(x) #{y}"
    folder.mkdir()
    task = folder / "-task file.md"
    task.write_text("first line\n\n  second, indented\n")
    where = ("--workspace", str(folder))
    code, out, err = await verb(
        house, "run", "--task-file", str(task), *where, *AGENTS, "--json", "--id", "odd-names-1"
    )
    assert code == 0, err
    start = json.loads(out.splitlines()[0])["event"]
    assert start["task"].strip() == "first line\n\n  second, indented"
    assert Path(start["cwd"]) == folder
    prompts = [each["text"] for each in house.ledger("planner") if each["event"] == "prompt"]
    assert "first line\n\n  second, indented\n" in prompts[0]
    code, out, _ = await verb(house, "runs", *where, "--json")
    assert [json.loads(line)["runId"] for line in out.splitlines()] == ["odd-names-1"]
    assert (await verb(house, "runs", "--json"))[1] == ""
