"""Settings: every source over the weaker ones, nothing taken on trust, no word lost."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from politerm import environment
from politerm.settings import LEAVES, Settings, load_settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / 'it\'s "a" project'
    folder.mkdir()
    return folder


def load(config: Path, **given: Any) -> tuple[Settings, list[str]]:
    arguments: dict[str, Any] = {"env": {}, "editor": None, "workspace": None, "trusted": False} | given
    return load_settings(config_dir=config, **arguments)


def test_without_any_source_every_limit_is_finite(config: Path) -> None:
    settings, warnings = load(config)
    assert warnings == []
    assert settings == Settings()
    bounds = (settings.limits.rounds, settings.limits.minutes, settings.limits.usd)
    turns = (settings.planner.idle_seconds, settings.planner.total_seconds)
    assert all(0 < bound < 10_000 for bound in (*bounds, *turns))
    assert settings.planner.idle_seconds > 60, "a minute of silence is no error"
    assert settings.planner.total_seconds > 600, "ten minutes of work are no error"


def test_each_source_beats_the_weaker_ones(config: Path, workspace: Path) -> None:
    (config / "config.toml").write_text("[limits]\nrounds = 1\nminutes = 1\nusd = 1\n[planner]\nagent = 'a1'\n")
    (workspace / ".politerm.toml").write_text("[limits]\nrounds = 2\nminutes = 2\n")
    settings, warnings = load(
        config,
        env={"POLI_MAX_ROUNDS": "3", "POLI_PLAN_TIMEOUT": "3"},
        editor={"planner": {"totalSeconds": 4}},
        workspace=workspace,
        trusted=True,
    )
    assert warnings == []
    assert (settings.limits.rounds, settings.limits.minutes, settings.limits.usd) == (3, 2, 1)
    assert settings.planner.total_seconds == 4
    assert settings.planner.agent == "a1"
    assert settings.executer.total_seconds == Settings().executer.total_seconds


def test_an_untrusted_workspace_is_not_read(config: Path, workspace: Path) -> None:
    (workspace / ".politerm.toml").write_text("this is not TOML")
    assert load(config, workspace=workspace, trusted=False) == (Settings(), [])
    assert load(config, workspace=workspace, trusted=True)[1] != []


@pytest.mark.parametrize(
    "line",
    [
        "planner.command = ['sh']",
        "planner.cwd = '/'",
        "tmux.socket = '/x'",
        "log.file = 'x'",
        "workspace = '/'",
        "runs.parallel = 60",
        "limits.rounds = 0",
        "executer.total_seconds = 0",
    ],
)
def test_a_trusted_workspace_names_no_program_no_path_and_lifts_no_limit(
    config: Path, workspace: Path, line: str
) -> None:
    (workspace / ".politerm.toml").write_text(line)
    settings, warnings = load(config, workspace=workspace, trusted=True)
    assert settings == Settings()
    assert len(warnings) == 1
    assert ".politerm.toml" in warnings[0]


@pytest.mark.parametrize("name", ["../evil", "./x", "sh -c x", "/bin/sh", "", "-x"])
def test_a_workspace_chooses_agents_by_plain_names_only(config: Path, workspace: Path, name: str) -> None:
    (workspace / ".politerm.toml").write_text(f"executer.agent = '{name}'\nplanner.agent = 'mine'\n")
    settings, warnings = load(config, workspace=workspace, trusted=True)
    assert settings.executer.agent == Settings().executer.agent
    assert settings.planner.agent == "mine"
    assert len(warnings) == 1


def test_a_workspace_file_that_is_a_link_is_not_followed(config: Path, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.toml").write_text("limits.rounds = 7")
    (workspace / ".politerm.toml").symlink_to(tmp_path / "elsewhere.toml")
    settings, warnings = load(config, workspace=workspace, trusted=True)
    assert settings == Settings()
    assert "link" in warnings[0]


def test_no_env_file_is_read(config: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / ".env").write_text("POLI_MAX_ROUNDS=1\nPLANNER_CMD=evil\n")
    (config / ".env").write_text("POLI_MAX_ROUNDS=1\n")
    monkeypatch.chdir(workspace)
    assert load(config, workspace=workspace, trusted=True) == (Settings(), [])


@pytest.mark.parametrize("name", ["POLI_MAX_ROUNDS", "POLI_PLAN_TIMEOUT", "POLI_EXEC_TIMEOUT"])
def test_zero_lifts_one_limit_and_no_other(config: Path, name: str) -> None:
    settings, _ = load(config, env={name: "0"})
    limits = {
        "POLI_MAX_ROUNDS": settings.limits.rounds,
        "POLI_PLAN_TIMEOUT": settings.planner.total_seconds,
        "POLI_EXEC_TIMEOUT": settings.executer.total_seconds,
    }
    assert limits.pop(name) == 0
    assert all(value > 0 for value in limits.values())
    assert settings.limits.minutes > 0


def test_every_mapped_name_of_the_environment_reaches_its_setting(config: Path) -> None:
    samples = {
        "PROJECT_DIR": ("/p", "/p"),
        "PLANNER_CMD": ("python3 'my plan.py'", ("python3", "my plan.py")),
        "EXECUTER_CMD": ("codex --flag", ("codex", "--flag")),
        "PLANNER_CWD": ("docs", "docs"),
        "EXECUTER_CWD": ("~/src", "~/src"),
        "POLI_PLAN_TIMEOUT": ("180", 180.0),
        "POLI_EXEC_TIMEOUT": ("900.5", 900.5),
        "POLI_MAX_ROUNDS": ("7", 7),
        "POLI_TMUX_SOCKET": ("poli", "poli"),
        "POLI_LOG_LEVEL": ("debug", "DEBUG"),
        "POLI_LOG_FILE": ("logs/p.log", "logs/p.log"),
        "CLAUDE_TMUX_SOCKET": ("loop", "loop"),
    }
    mapped = [entry for entry in environment.NAMES if entry.setting]
    assert {entry.name for entry in mapped} == set(samples)
    for entry in mapped:
        raw, wanted = samples[entry.name]
        settings, warnings = load(config, env={entry.name: raw})
        value: Any = settings.model_dump(by_alias=True)
        for part in str(entry.setting).split("."):
            value = value[part]
        assert (entry.name, value, warnings) == (entry.name, wanted, [])


def test_every_name_of_the_contract_is_in_the_table() -> None:
    names = [
        "PROJECT_DIR",
        "PLANNER_CMD",
        "EXECUTER_CMD",
        "PLANNER_CWD",
        "EXECUTER_CWD",
        "POLI_PLAN_TIMEOUT",
        "POLI_EXEC_TIMEOUT",
        "POLI_MAX_ROUNDS",
        "POLI_TMUX_SOCKET",
        "POLI_LOG_LEVEL",
        "POLI_LOG_FILE",
        "CLAUDE_CMD",
        "DEFAULT_MODEL",
        "AUTONOMOUS_MODE",
        "OPENROUTER_API_KEY",
        "OPENROUTER_MODEL",
        "OPENROUTER_BASE_URL",
        "MAX_ITERATIONS",
        "TERMINATE_WHEN_QUIT",
        "CLAUDE_TMUX_SESSION",
        "CLAUDE_TMUX_SOCKET",
        "DASHBOARD_ENABLED",
        "DASHBOARD_PORT",
        "DASHBOARD_OPEN",
        "MEMORY_MAX_FACTS",
    ]
    table = [entry.name for entry in environment.NAMES]
    assert set(names) <= set(table)
    assert len(table) == len(set(table))
    assert {e.setting for e in environment.NAMES if e.setting} <= set(LEAVES)
    assert all(entry.note for entry in environment.NAMES)


def test_the_older_socket_name_of_one_system_wins_over_the_others(config: Path) -> None:
    settings, _ = load(config, env={"CLAUDE_TMUX_SOCKET": "b", "POLI_TMUX_SOCKET": "a"})
    assert settings.tmux.socket == "a"


def test_what_does_not_fit_is_said_and_the_weaker_value_stays(config: Path) -> None:
    (config / "config.toml").write_text("limits.rounds = 4\nlimits.minuts = 4\n")
    settings, warnings = load(
        config,
        env={"POLI_MAX_ROUNDS": "many", "PLANNER_CMD": "python3 'open", "POLI_MAX_ROUND": "1", "POLI_LOG_LEVEL": ""},
        editor={"pane.rows": 3, "pane": {"columns": None}},
    )
    assert settings.limits.rounds == 4
    assert settings.planner.command is None
    assert settings.pane.rows == 50
    told = "\n".join(warnings)
    for word in ("limits.minutes meant", "POLI_MAX_ROUNDS is not taken", "PLANNER_CMD is not", "POLI_MAX_ROUND is not"):
        assert word in told
    assert "pane.rows is not taken" in told
    assert len(warnings) == 5


def test_a_broken_config_file_is_said_and_costs_nothing_else(config: Path) -> None:
    (config / "config.toml").write_bytes(b"limits = \xff")
    settings, warnings = load(config, env={"POLI_MAX_ROUNDS": "3"})
    assert settings.limits.rounds == 3
    assert len(warnings) == 1
    assert "config.toml" in warnings[0]


def test_an_agent_named_by_a_stronger_source_takes_the_place_of_a_command(config: Path) -> None:
    env = {"PLANNER_CMD": "prog"}
    assert load(config, env=env, editor={"planner.agent": "codex"})[0].planner.command is None
    (config / "config.toml").write_text("planner.agent = 'codex'\n")
    assert load(config, env=env)[0].planner.command == ("prog",)
    (config / "config.toml").write_text("[planner]\ncommand = 'prog x'\nagent = 'codex'\n")
    assert load(config)[0].planner.command == ("prog", "x")


def test_snake_case_and_dotted_spellings_are_the_same_setting(config: Path) -> None:
    (config / "config.toml").write_text("[planner]\nidle_seconds = 5\n[runs]\napprovePlans = 'first'\n")
    settings, warnings = load(config)
    assert (settings.planner.idle_seconds, settings.runs.approve_plans, warnings) == (5, "first", [])


def test_every_setting_that_names_a_program_or_a_place_is_machine_only() -> None:
    for name, leaf in LEAVES.items():
        if name.rsplit(".")[-1] in {"command", "cwd", "socket", "file", "workspace"}:
            assert leaf.scope == "machine", name
        assert leaf.info.description, name


def test_folders_follow_their_names_then_xdg_then_home(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert environment.config_folder(home) == tmp_path / ".config/politerm"
    assert environment.state_folder(home) == tmp_path / ".local/state/politerm"
    assert environment.state_folder(home | {"XDG_STATE_HOME": "relative"}) == tmp_path / ".local/state/politerm"
    assert environment.state_folder(home | {"XDG_STATE_HOME": "/x"}) == Path("/x/politerm")
    assert environment.config_folder(home | {"POLITERM_CONFIG_DIR": "/y", "XDG_CONFIG_HOME": "/x"}) == Path("/y")


def test_names_without_effect_are_listed_with_their_reason() -> None:
    found = environment.without_effect({"POLI_POLL_INTERVAL": "1", "POLI_MAX_ROUNDS": "3", "PATH": os.defpath})
    assert list(found) == ["POLI_POLL_INTERVAL"]
    assert found["POLI_POLL_INTERVAL"]


def test_every_name_of_our_own_that_the_source_uses_is_in_the_table() -> None:
    """A name that is read or set somewhere and missing here would be called a mistake of the user's."""
    package = Path(environment.__file__).parent
    files = [path for path in package.rglob("*") if path.suffix in {".py", ".toml"}]
    used = {name for path in files for name in re.findall(r"POLITERM_[A-Z_]*[A-Z]", path.read_text("utf-8"))}
    assert used <= {entry.name for entry in environment.NAMES}
