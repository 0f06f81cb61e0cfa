"""An agent's own folder laid over with one of the run's: what is the user's, what is the run's."""

from __future__ import annotations

from pathlib import Path

import pytest

from politerm.agents.profile import AgentProfile, Overlay
from politerm.workspace.overlay import lay_over

PROFILE = AgentProfile(command=("x",), overlay={"MINE_DIR": Overlay(of="~/.mine", own=("sessions",))})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / ".mine" / "sessions").mkdir(parents=True)
    (home / ".mine" / "sessions" / "old.json").write_text("old")
    (home / ".mine" / "config").write_text("theirs")
    return home


def laid(home: Path, tmp_path: Path, **environment: str) -> Path:
    told = lay_over(PROFILE, tmp_path / "state", home, environment)
    assert list(told) == ["MINE_DIR"]
    return Path(told["MINE_DIR"])


def test_all_is_the_users_but_what_is_named(home: Path, tmp_path: Path) -> None:
    folder = laid(home, tmp_path)
    assert {path.name for path in folder.iterdir()} == {"config"}
    (folder / "config").write_text("changed by the program")
    assert (home / ".mine" / "config").read_text() == "changed by the program"
    (folder / "sessions").mkdir()
    assert not list((folder / "sessions").iterdir())


def test_what_the_run_has_stays_at_the_next_start_and_what_is_new_comes_in(home: Path, tmp_path: Path) -> None:
    folder = laid(home, tmp_path)
    (folder / "sessions").mkdir()
    (folder / "sessions" / "mine.json").write_text("mine")
    (home / ".mine" / "later").write_text("later")
    assert laid(home, tmp_path) == folder
    assert (folder / "sessions" / "mine.json").read_text() == "mine"
    assert (folder / "later").read_text() == "later"


def test_a_folder_that_the_user_has_put_elsewhere_is_laid_over_there(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "settings").write_text("there")
    assert {path.name for path in laid(home, tmp_path, MINE_DIR=str(elsewhere)).iterdir()} == {"settings"}


def test_a_folder_that_is_not_there_begins_empty(tmp_path: Path) -> None:
    assert list(laid(tmp_path / "nobody", tmp_path).iterdir()) == []
