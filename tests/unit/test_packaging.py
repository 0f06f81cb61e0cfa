"""The wheel: everything that a run needs is in it, and nothing else is. Built without a network."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling import build; build.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, timeout=60)
    (path,) = folder.glob("politerm-*.whl")
    return zipfile.ZipFile(path)


def test_it_has_all_code_and_all_data(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    code = {f"politerm/{p.relative_to(ROOT / 'server/politerm')}" for p in (ROOT / "server/politerm").rglob("*.py")}
    assert code <= names
    profiles = {f"politerm/agents/{path.name}" for path in (ROOT / "server/politerm/agents").glob("*.toml")}
    assert {"politerm/agents/scripted-planner.toml", "politerm/agents/scripted-executer.toml"} <= profiles <= names
    primers = {f"politerm/primers/shipped/{path.name}" for path in (ROOT / "primers").glob("*.md")}
    assert {"politerm/primers/shipped/planner.md", "politerm/primers/shipped/executer.md"} <= primers <= names
    assert "politerm/py.typed" in names


def test_it_has_nothing_else(wheel: zipfile.ZipFile) -> None:
    foreign = [n for n in wheel.namelist() if not n.startswith(("politerm/", "politerm-"))]
    assert foreign == []
    assert [n for n in wheel.namelist() if "__pycache__" in n or n.endswith(".pyc")] == []


def test_it_brings_the_console_script_and_the_licence(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert b"politerm = politerm.cli:main" in wheel.read(f"{info}/entry_points.txt")
    assert b"Permission is hereby granted" in wheel.read(f"{info}/licenses/LICENSE")


def test_the_agents_and_primers_are_found_in_what_was_installed(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """An unpacked wheel stands for an installation; nothing of this checkout is on its path."""
    wheel.extractall(tmp_path)
    look = """
import politerm, sys
from pathlib import Path
from politerm import primers
from politerm.core.wire import Role
from politerm.workspace.agents_folder import AgentsFolder
assert Path(politerm.__file__).is_relative_to(sys.argv[1]), politerm.__file__
assert "scripted-planner" in AgentsFolder(Path(sys.argv[1]) / "none", {}).profiles()
assert "PLANNER" in primers.load(Role.PLANNER, Path(sys.argv[1]) / "none").text
"""
    command = [sys.executable, "-P", "-c", look, str(tmp_path)]
    subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=True, timeout=60)
