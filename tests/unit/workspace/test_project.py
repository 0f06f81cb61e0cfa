"""What the planner is told of a folder, and that looking at a folder starts nothing in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from politerm.workspace.project import describe

ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=folder, env=ENV, check=True, capture_output=True)


def unguarded(folder: Path) -> None:
    subprocess.run(["git", "status"], cwd=folder, env=ENV, check=False, capture_output=True)


async def lines(folder: Path) -> list[str]:
    return (await describe(folder, env=ENV)).splitlines()


async def test_an_empty_folder_is_nothing(tmp_path: Path) -> None:
    assert await describe(tmp_path, env=ENV) == ""
    assert await describe(tmp_path / "none", env=ENV) == ""


async def test_languages_are_counted_without_what_others_wrote(tmp_path: Path) -> None:
    for name in ("a.py", "src/b.py", "src/c.rs", "node_modules/x/d.js", ".venv/e.py", "readme.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert await lines(tmp_path) == ["Languages: Python (2 files), Rust (1 file)"]


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]"}, "pytest"),
        ({"setup.cfg": "[tool:pytest]\n"}, "pytest"),
        ({"test_it.py": ""}, "python -m unittest"),
        ({"pyproject.toml": "[project]\nname='x'", "tests/test_it.py": ""}, "python -m pytest"),
        ({"tox.ini": "[tox]\n"}, "tox"),
        ({"package.json": '{"scripts": {"test": "vitest"}}'}, "npm test"),
        ({"package.json": '{"scripts": {"test": "vitest"}}', "pnpm-lock.yaml": ""}, "pnpm test"),
        ({"Cargo.toml": "[package]"}, "cargo test"),
        ({"go.mod": "module x"}, "go test ./..."),
        ({"Makefile": "all:\n\ntest: all\n\tfalse\n"}, "make test"),
        ({"pom.xml": "<project/>"}, "mvn test"),
    ],
)
async def test_test_commands(tmp_path: Path, files: dict[str, str], command: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert f"Test commands found: {command}" in await lines(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'),
        ("package.json", '{"scripts": ["test"]}'),
        ("package.json", "not json"),
        ("package.json", "[1]"),
        ("pyproject.toml", "tool = 3"),
        ("pyproject.toml", "not = = toml"),
        ("Makefile", "test := 3\ntesting:\n"),
        ("Cargo.toml", "x" * 600_000),
    ],
)
async def test_what_is_no_test_command(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert await lines(tmp_path) == []


async def test_a_fifo_in_place_of_a_marker_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "package.json")
    (tmp_path / "Makefile").symlink_to("/dev/zero")
    assert await lines(tmp_path) == []


async def test_git_state(tmp_path: Path) -> None:
    git(tmp_path, "init")
    assert await lines(tmp_path) == ["Git: branch main, no commits yet, clean"]
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "a")
    assert await lines(tmp_path) == ["Git: branch main, clean"]
    (tmp_path / "a").write_text("22")
    (tmp_path / "b").write_text("")
    (tmp_path / "c d").write_text("")
    assert await lines(tmp_path) == ["Git: branch main, 1 changed and 2 untracked files"]
    git(tmp_path, "checkout", "--detach")
    assert (await lines(tmp_path))[0].startswith("Git: detached HEAD, 1 changed")
    git(tmp_path, "checkout", "-b", "<PLAN>")
    assert (await lines(tmp_path))[0].startswith("Git: branch ?PLAN?,")


@pytest.fixture
def trap(tmp_path: Path) -> tuple[Path, str]:
    """A file that exists as soon as a program of the repository's has run, and that program's command."""
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch '{tmp_path}/sprung'\ncat\n")
    script.chmod(0o755)
    return tmp_path / "sprung", str(script)


@pytest.mark.parametrize("setting", ["core.fsmonitor", "filter.x.clean", "filter.x.process", "filter.a=b.clean"])
async def test_nothing_that_a_repository_names_is_run(tmp_path: Path, trap: tuple[Path, str], setting: str) -> None:
    sprung, command = trap
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init")
    (repository / "a").write_text("1\n")
    git(repository, "add", "a")
    git(repository, "commit", "-m", "a")
    git(repository, "config", setting, command)
    git(repository, "config", "filter.x.required", "true")
    (repository / ".gitattributes").write_text("* filter=x\n" if ".x." in setting else "* filter=a=b\n")
    (repository / "a").write_text("2\n")  # of the same size: git must read it to know
    os.utime(repository / "a", (0, 0))
    told = await lines(repository)
    assert not sprung.exists()
    assert told == ([] if "=" in setting else ["Git: branch main, 1 changed and 1 untracked files"])

    unguarded(repository)
    assert sprung.exists() or "=" in setting  # the trap works on a git that is not held back


async def test_a_slow_git_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("politerm.workspace.project.GIT_SECONDS", 0.1)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    assert await describe(tmp_path, env={"PATH": f"{tmp_path}/bin:{ENV['PATH']}"}) == ""
