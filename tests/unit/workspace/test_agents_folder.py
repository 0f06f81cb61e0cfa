"""Profiles on disk: built-in and own, broken ones, programs found, versions asked for."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from politerm.errors import AgentNotFound, InvalidParams
from politerm.workspace import agents_folder
from politerm.workspace.agents_folder import AgentsFolder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config" / "agents").mkdir(parents=True)
    return tmp_path / "config"


def folder(config: Path, path: str = "/usr/bin:/bin") -> AgentsFolder:
    return AgentsFolder(config, {"PATH": path})


def write(config: Path, name: str, text: str) -> None:
    (config / "agents" / f"{name}.toml").write_text(text, encoding="utf-8")


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_built_in_ones_are_there_without_a_folder(tmp_path: Path) -> None:
    parsed, broken = folder(tmp_path / "nowhere").read()
    assert {"scripted-planner", "scripted-executer"} <= set(parsed)
    assert broken == {}
    assert {one.source for one in parsed.values()} == {"built-in"}
    assert [one.warnings for one in parsed.values() if one.warnings] == []


def test_a_users_own_is_added_and_an_override_changes_fields(config: Path) -> None:
    write(config, "mine", 'command = ["cat"]')
    write(config, "scripted-planner", "pasteLimit = 5000")
    parsed, _ = folder(config).read()
    assert (parsed["mine"].source, parsed["mine"].profile.command) == ("user", ("cat",))
    assert parsed["scripted-planner"].source == "user"
    assert parsed["scripted-planner"].profile.paste_limit == 5000
    assert parsed["scripted-planner"].profile.witness is not None


def test_a_link_of_the_users_is_followed(config: Path, tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text('command = ["cat"]')
    (config / "agents" / "mine.toml").symlink_to(tmp_path / "real.toml")
    assert folder(config).get("mine").command == ("cat",)


def test_one_broken_file_breaks_no_other(config: Path) -> None:
    write(config, "good", 'command = ["cat"]')
    write(config, "bad", "command = [")
    write(config, "scripted-planner", "pasteLimit = 'many'")
    agents = folder(config)
    assert {"good", "scripted-executer"} <= set(agents.profiles())
    assert {"bad", "scripted-planner"}.isdisjoint(agents.profiles())
    with pytest.raises(InvalidParams, match="not valid TOML"):
        agents.get("bad")
    with pytest.raises(InvalidParams, match="pasteLimit"):
        agents.get("scripted-planner")


@pytest.mark.parametrize("name", ["Mine", ".hidden", "with space"])
def test_a_file_with_a_name_that_none_can_have_is_left_alone(config: Path, name: str) -> None:
    write(config, name, 'command = ["cat"]')
    assert name not in folder(config).profiles()


def test_a_file_that_is_no_text_and_one_that_is_no_file(config: Path) -> None:
    (config / "agents" / "bytes.toml").write_bytes(b"\xff")
    (config / "agents" / "dir.toml").mkdir()
    (config / "agents" / "gone.toml").symlink_to(config / "nowhere")
    (config / "agents" / "huge.toml").write_bytes(b"#" * (agents_folder.PROFILE_CAP + 1))
    assert set(folder(config).read()[1]) == {"bytes", "dir", "gone", "huge"}


def test_an_edited_file_counts_at_once(config: Path) -> None:
    agents = folder(config)
    write(config, "mine", 'command = ["a"]')
    assert agents.get("mine").command == ("a",)
    write(config, "mine", 'command = ["b"]')
    assert agents.get("mine").command == ("b",)


def test_an_unknown_name_is_answered_with_the_known_ones(config: Path) -> None:
    with pytest.raises(AgentNotFound) as caught:
        folder(config).get("scripted-planer")
    assert "Did you mean scripted-planner?" in str(caught.value)
    assert "scripted-executer" in caught.value.data["known"]


def test_a_command_line_makes_a_profile(config: Path) -> None:
    profile = folder(config).from_command("claude --model 'x y' $(id) ; z", "planner-cmd")
    assert profile.name == "planner-cmd"
    assert profile.command == ("claude", "--model", "x y", "$(id)", ";", "z")


@pytest.mark.parametrize("line", ["", "   ", "'open"])
def test_a_command_line_that_is_none(config: Path, line: str) -> None:
    with pytest.raises(InvalidParams):
        folder(config).from_command(line, "planner-cmd")


def test_programs_are_found_on_the_given_path_alone(config: Path, tmp_path: Path) -> None:
    path = program(tmp_path / "it's bin" / "my-agent", "exit 0")
    agents = folder(config)
    mine = agents.from_command("my-agent", "mine")
    assert agents.locate(mine) is None
    assert folder(config, str(path.parent)).locate(mine) == str(path)
    assert agents.locate(agents.from_command(f'"{path}"', "mine")) == str(path)
    path.chmod(0o644)
    assert folder(config, str(path.parent)).locate(mine) is None


def test_nothing_is_found_by_where_we_stand(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace that holds a program of the agent's name must not get it started."""
    program(tmp_path / "work" / "my-agent", "exit 0")
    program(tmp_path / "work" / "bin" / "my-agent", "exit 0")
    monkeypatch.chdir(tmp_path / "work")
    agents = folder(config, os.pathsep.join([".", "", "bin", "/usr/bin"]))
    for line in ("my-agent", "./my-agent", "bin/my-agent"):
        assert agents.locate(agents.from_command(line, "mine")) is None
    own = program(config / "agents" / "bin" / "my-agent", "exit 0")
    assert agents.locate(agents.from_command("bin/my-agent", "mine")) == str(own)


def test_the_interpreter_is_our_own(config: Path) -> None:
    agents = folder(config, "")
    assert agents.locate(agents.get("scripted-planner")) == sys.executable


def test_what_is_missing_is_said_with_the_next_step(config: Path) -> None:
    agents = folder(config)
    error = agents.missing(agents.from_command("my-agent --x", "mine"))
    assert "'my-agent'" in error.message
    assert str(config / "agents" / "mine.toml") in str(error)


async def asked(config: Path, tmp_path: Path, script: str) -> str | None:
    path = program(tmp_path / "bin" / "my-agent", script)
    write(config, "mine", f"command = ['{path}', 'serve']\nversion = '--version'\nenv = {{ MINE = 'yes' }}")
    agents = folder(config)
    return await agents.version(agents.get("mine"))


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo my-agent 1.2.3", "my-agent 1.2.3"),
        ("echo Welcome; echo; echo 'v2.0 (build 7)'", "v2.0 (build 7)"),
        ("printf '\\033[1mv3\\033[0m\\r\\n' >&2; exit 3", "v3"),
        ("echo only words", "only words"),
        ("exit 1", None),
        ('echo "$* $MINE" 1', "serve --version yes 1"),
        ("pwd; echo 1", "1"),
        ("head -c 100000 /dev/zero | tr '\\0' 7", "7" * 200),
    ],
)
async def test_versions(config: Path, tmp_path: Path, script: str, version: str | None) -> None:
    assert await asked(config, tmp_path, script) == version


async def test_the_built_in_agents_have_a_version(config: Path) -> None:
    agents = AgentsFolder(config, os.environ)
    version = await agents.version(agents.get("scripted-executer"))
    assert version is not None
    assert version.startswith("politerm scripted agent ")


async def test_a_program_that_hangs_is_ended_with_its_children(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents_folder, "VERSION_SECONDS", 1.0)
    pids = tmp_path / "pids"
    assert await asked(config, tmp_path, f"sleep 600 & echo $! $$ > '{pids}'; wait") is None
    until = time.monotonic() + 10
    for pid in map(int, pids.read_text().split()):
        while _lives(pid):
            assert time.monotonic() < until


def _lives(pid: int) -> bool:
    """A zombie whose new parent has not come round to it yet is dead for us."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_no_program_no_version(config: Path) -> None:
    agents = folder(config)
    assert await agents.version(agents.from_command("cat", "mine")) is None
    write(config, "mine", "command = ['/nowhere/x']\nversion = '-v'")
    assert await agents.version(agents.get("mine")) is None
