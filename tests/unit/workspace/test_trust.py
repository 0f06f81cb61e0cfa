"""The user's answers: stored for the real folder, inherited downwards, never believed from a doubtful file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from politerm.errors import ReadOnly
from politerm.workspace.trust import TrustStore


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "code" / "project").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def store(tmp_path: Path, home: Path) -> TrustStore:
    return TrustStore(tmp_path / "config" / "trust.json", home=home)


def test_an_answer_is_kept_for_the_real_folder(store: TrustStore, home: Path, tmp_path: Path) -> None:
    project = home / "code" / "project"
    assert store.get(project) is None
    store.set(project, True)
    (tmp_path / "link").symlink_to(project)
    again = TrustStore(tmp_path / "config" / "trust.json", home=home)
    assert again.get(tmp_path / "link") is True
    again.set(project, False)
    assert store.get(project) is False
    assert (tmp_path / "config" / "trust.json").stat().st_mode & 0o777 == 0o600


def test_yes_is_inherited_no_is_asked_again(store: TrustStore, home: Path) -> None:
    store.set(home / "code", True)
    assert store.get(home / "code" / "project") is True
    assert store.get(home / "codex") is None
    store.set(home / "code" / "project", False)
    assert store.get(home / "code" / "project") is False
    assert store.get(home / "code" / "project" / "below") is None


def test_the_home_folder_and_above_speak_for_themselves_only(store: TrustStore, home: Path) -> None:
    store.set(home, True)
    store.set("/", True)
    assert store.get(home) is True
    assert store.get("/") is True
    assert store.get(home / "code") is None
    assert store.get(home.parent) is None


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"folders": 3}', b"\x00" * 100])
def test_a_damaged_file_is_no_answer_and_can_be_written_anew(
    store: TrustStore, home: Path, tmp_path: Path, content: bytes
) -> None:
    store.set(home / "code", True)
    (tmp_path / "config" / "trust.json").write_bytes(content)
    assert store.get(home / "code") is None
    store.set(home / "code", True)
    assert store.get(home / "code") is True


def test_a_file_that_others_may_write_or_a_link_is_not_believed(store: TrustStore, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "config" / "trust.json"
    store.set(home / "code", True)
    file.chmod(0o620)
    assert store.get(home / "code") is None
    file.chmod(0o600)
    assert store.get(home / "code") is True
    file.rename(tmp_path / "moved")
    file.symlink_to(tmp_path / "moved")
    assert store.get(home / "code") is None


def test_an_answer_that_cannot_be_stored_is_a_sentence(home: Path, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file")
    with pytest.raises(ReadOnly, match="cannot be stored"):
        TrustStore(tmp_path / "config" / "trust.json", home=home).set(home, True)


ANSWER = """
import pathlib, sys
from politerm.workspace.trust import TrustStore
path, home, start = sys.argv[1:]
store = TrustStore(pathlib.Path(path), home=pathlib.Path(home))
for number in range(int(start), int(start) + 20):
    store.set(f"{home}/{number}", True)
"""


def test_processes_that_answer_at_once_lose_nothing(store: TrustStore, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "config" / "trust.json"
    writers = [
        subprocess.Popen([sys.executable, "-c", ANSWER, str(path), str(home), start]) for start in ("0", "20", "40")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert all(store.get(home / str(number)) is True for number in range(60))
