"""The launcher: what it is given is what the program gets, byte for byte, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from politerm.tmux import launcher

FIELD = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
NAME = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0="), min_size=1)


@given(st.lists(FIELD, min_size=1), FIELD, st.dictionaries(NAME, FIELD))
def test_what_goes_in_comes_out(argv: list[str], cwd: str, env: dict[str, str]) -> None:
    content = launcher.encode(tuple(argv), cwd, env)
    assert launcher.decode(content) == (
        [os.fsencode(each) for each in argv],
        os.fsencode(cwd),
        {os.fsencode(name): os.fsencode(value) for name, value in env.items()},
    )


@pytest.mark.parametrize(
    ("argv", "cwd", "env"),
    [((), "/", {}), (("a\0b",), "/", {}), (("a",), "/\0", {}), (("a",), "/", {"x": "\0"}), (("a",), "/", {"x=y": "z"})],
)
def test_what_no_program_can_have_is_refused(argv: tuple[str, ...], cwd: str, env: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        launcher.encode(argv, cwd, env)


def launch(folder: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", "-S", launcher.__file__, "launch-1"]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=30)


def run(folder: Path, *, argv: tuple[str, ...], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    (folder / "launch-1").write_bytes(launcher.encode(argv, str(cwd), env))
    return launch(folder)


def test_the_program_replaces_the_launcher_and_the_file_is_gone(tmp_path: Path) -> None:
    place = tmp_path / "a 'place';"
    place.mkdir()
    done = run(
        tmp_path,
        argv=("sh", "-c", 'pwd; echo "$1"; env', "sh", "-x ; $HOME `id`"),
        cwd=place,
        env={"PATH": os.environ["PATH"], "KEY": "s3cret=x"},
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == [str(place.resolve()), "-x ; $HOME `id`"]
    assert "KEY=s3cret=x" in lines
    assert "HOME" not in {line.split("=")[0] for line in lines[2:]}
    assert not (tmp_path / "launch-1").exists()


@pytest.mark.parametrize(
    ("argv", "folder", "told"),
    [
        (("no-such-program",), ".", "politerm: cannot start no-such-program: No such file or directory"),
        (("/",), ".", "politerm: cannot start /: Permission denied"),
        (("sh",), "gone", "politerm: cannot enter "),
    ],
)
def test_what_cannot_be_started_is_one_line_and_127(
    tmp_path: Path, argv: tuple[str, ...], folder: str, told: str
) -> None:
    done = run(tmp_path, argv=argv, cwd=tmp_path / folder, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 127
    assert done.stdout.startswith(told)
    assert done.stdout.count("\n") == 1


def test_without_its_file_it_starts_nothing(tmp_path: Path) -> None:
    done = launch(tmp_path)
    assert done.returncode == 127
    assert done.stdout.startswith("politerm: the file that names the agent cannot be read: ")


def test_it_imports_next_to_nothing(tmp_path: Path) -> None:
    """What it loads is loaded by every start of every agent."""
    argv = [sys.executable, "-X", "importtime", "-I", "-S", launcher.__file__, "launch-1"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    loaded = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "signal" in loaded
    assert not loaded & {"json", "re", "pathlib", "subprocess", "asyncio", "politerm", "typing", "site"}
