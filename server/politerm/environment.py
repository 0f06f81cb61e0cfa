"""Every environment name PoliTerm reads, and every one of the two older systems: what it sets, or why it sets nothing.

The table is data: settings.py reads values by it, doctor lists what is set by it, and docs/environment.md is written
from it. This module does not know what a setting is worth or where else its value may come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

System = Literal["PoliTerm", "older PoliTerm", "go-orchestrator"]


@dataclass(frozen=True)
class EnvName:
    """One name. `setting` is the dotted path of the setting it gives, None where it gives none; `note` says the rest.

    Of two names for one setting the earlier in the table wins.
    """

    name: str
    system: System
    setting: str | None
    note: str


_OWN_PANES = "Every run has panes of its own, found by id; there is no session to name."
_NO_POLLING = "Panes are streamed, not polled."
_AUTONOMOUS = "Belongs to autonomous runs, which this version does not have."
_CHAT = "Belongs to the single-agent modes, which this version does not have."
_DASHBOARD = "Belongs to the dashboard, which this version does not have."

NAMES: tuple[EnvName, ...] = (
    EnvName("POLITERM_CONFIG_DIR", "PoliTerm", None, "The folder of `config.toml`, `agents/` and `primers/`."),
    EnvName("POLITERM_STATE_DIR", "PoliTerm", None, "The folder of logs, recordings and sockets."),
    EnvName(
        "POLITERM_SCRIPTED_PACE",
        "PoliTerm",
        None,
        "Read by the built-in demo agents: seconds between the steps they show.",
    ),
    EnvName("POLITERM_RUN", "PoliTerm", None, "Set for every agent: the id of its run. Not read."),
    EnvName("POLITERM_ROLE", "PoliTerm", None, "Set for every agent: its role. Not read."),
    EnvName("POLITERM_PANES", "PoliTerm", None, "Set for every agent: which tmux server it belongs to. Not read."),
    EnvName("POLITERM_WITNESS", "PoliTerm", None, "Set for an agent that keeps a record for us: its path. Not read."),
    EnvName(
        "POLITERM_HOOK", "PoliTerm", None, "Set for an agent that reports by hooks: our program for that. Not read."
    ),
    EnvName("POLITERM_HOOKS", "PoliTerm", None, "Set for an agent that reports by hooks: where to. Not read."),
    EnvName("POLITERM_PYTHON", "PoliTerm", None, "Set for an agent that reports by hooks: what runs it. Not read."),
    EnvName("PROJECT_DIR", "older PoliTerm", "workspace", "Used by command-line verbs without `--workspace`."),
    EnvName(
        "PLANNER_CMD",
        "older PoliTerm",
        "planner.command",
        "Split as a shell would, never run by one. The name of a known agent alone chooses that agent.",
    ),
    EnvName("EXECUTER_CMD", "older PoliTerm", "executer.command", "As `PLANNER_CMD`."),
    EnvName("PLANNER_CWD", "older PoliTerm", "planner.cwd", "An absolute path, or one that begins with `~`."),
    EnvName("EXECUTER_CWD", "older PoliTerm", "executer.cwd", "As `PLANNER_CWD`."),
    EnvName("POLI_PLAN_TIMEOUT", "older PoliTerm", "planner.totalSeconds", "Seconds of one turn; 0 lifts this limit."),
    EnvName("POLI_EXEC_TIMEOUT", "older PoliTerm", "executer.totalSeconds", "Seconds of one turn; 0 lifts this limit."),
    EnvName("POLI_MAX_ROUNDS", "older PoliTerm", "limits.rounds", "0 lifts this limit, and no other."),
    EnvName("POLI_TMUX_SOCKET", "older PoliTerm", "tmux.socket", "A name, or an absolute path."),
    EnvName("POLI_LOG_LEVEL", "older PoliTerm", "log.level", "`DEBUG`, `INFO`, `WARNING` or `ERROR`."),
    EnvName(
        "POLI_LOG_FILE",
        "older PoliTerm",
        "log.file",
        "JSON lines, secrets out. A relative path starts at the state folder.",
    ),
    EnvName("POLI_DEBUG", "older PoliTerm", None, "Say `POLI_LOG_LEVEL=DEBUG`."),
    EnvName("POLI_DRY_RUN", "older PoliTerm", None, "`politerm demo` is a whole run without a key and without cost."),
    EnvName("POLI_MAX_RETRIES", "older PoliTerm", None, "An agent that dies is started three times, then asked about."),
    EnvName("POLI_RETRY_DELAY", "older PoliTerm", None, "The next try comes as soon as the last one has failed."),
    EnvName("POLI_POLL_INTERVAL", "older PoliTerm", None, _NO_POLLING),
    EnvName("POLI_CAPTURE_LINES", "older PoliTerm", None, _NO_POLLING),
    EnvName("POLI_TMUX_SESSION", "older PoliTerm", None, _OWN_PANES),
    EnvName("POLI_TMUX_PLANNER_SESSION", "older PoliTerm", None, _OWN_PANES),
    EnvName("POLI_TMUX_EXECUTER_SESSION", "older PoliTerm", None, _OWN_PANES),
    EnvName("POLI_TMUX_ROLE_WINDOW", "older PoliTerm", None, _OWN_PANES),
    EnvName("POLI_PLANNER_TARGET", "older PoliTerm", None, _OWN_PANES),
    EnvName("POLI_EXECUTER_TARGET", "older PoliTerm", None, _OWN_PANES),
    EnvName("CLAUDE_TMUX_SOCKET", "go-orchestrator", "tmux.socket", "As `POLI_TMUX_SOCKET`, which wins over it."),
    EnvName("CLAUDE_TMUX_SESSION", "go-orchestrator", None, _OWN_PANES),
    EnvName("CLAUDE_CMD", "go-orchestrator", None, f"{_CHAT} In a dual run `PLANNER_CMD` and `EXECUTER_CMD` do it."),
    EnvName("DEFAULT_MODEL", "go-orchestrator", None, f"{_CHAT} Choose agents with `--planner` and `--executer`."),
    EnvName(
        "TERMINATE_WHEN_QUIT",
        "go-orchestrator",
        None,
        "`politerm run` always ends its agents on Ctrl-C; `politerm serve` always leaves them, to go on later.",
    ),
    EnvName("AUTONOMOUS_MODE", "go-orchestrator", None, f"{_AUTONOMOUS} Every run is a dual one."),
    EnvName("MAX_ITERATIONS", "go-orchestrator", None, f"{_AUTONOMOUS} In a dual run `POLI_MAX_ROUNDS` does it."),
    EnvName(
        "OPENROUTER_API_KEY", "go-orchestrator", None, f"{_AUTONOMOUS} Its value is kept out of all that is stored."
    ),
    EnvName("OPENROUTER_BASE_URL", "go-orchestrator", None, _AUTONOMOUS),
    EnvName("OPENROUTER_MODEL", "go-orchestrator", None, _AUTONOMOUS),
    EnvName("DASHBOARD_ENABLED", "go-orchestrator", None, _DASHBOARD),
    EnvName("DASHBOARD_PORT", "go-orchestrator", None, _DASHBOARD),
    EnvName("DASHBOARD_OPEN", "go-orchestrator", None, _DASHBOARD),
    EnvName("MEMORY_MAX_FACTS", "go-orchestrator", None, f"{_AUTONOMOUS} It bounds their memory."),
)

_KNOWN = {entry.name for entry in NAMES}


def values(env: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Setting -> (name, value) for every mapped name that is set and not empty."""
    found: dict[str, tuple[str, str]] = {}
    for entry in NAMES:
        value = env.get(entry.name, "")
        if entry.setting is not None and value.strip():
            found.setdefault(entry.setting, (entry.name, value))
    return found


def unknown(env: Mapping[str, str]) -> list[str]:
    """A sentence for every name with our prefixes that nobody reads."""
    sentences = []
    for name in sorted(env):
        if name.startswith(("POLI_", "POLITERM_")) and name not in _KNOWN:
            near = get_close_matches(name, _KNOWN, n=1)
            sentences.append(f"The environment's {name} is not known.{f' Is {near[0]} meant?' if near else ''}")
    return sentences


def without_effect(env: Mapping[str, str]) -> dict[str, str]:
    """Names of the older systems that are set and give nothing, with the reason."""
    return {e.name: e.note for e in NAMES if e.system != "PoliTerm" and e.setting is None and env.get(e.name)}


def config_folder(env: Mapping[str, str]) -> Path:
    """Where the user's configuration lives: POLITERM_CONFIG_DIR, else politerm in the XDG configuration folder."""
    return _folder(env, "POLITERM_CONFIG_DIR", "XDG_CONFIG_HOME", ".config")


def state_folder(env: Mapping[str, str]) -> Path:
    """Where state lives: POLITERM_STATE_DIR, else politerm in the XDG state folder."""
    return _folder(env, "POLITERM_STATE_DIR", "XDG_STATE_HOME", ".local/state")


def _folder(env: Mapping[str, str], own: str, xdg: str, below_home: str) -> Path:
    if env.get(own):
        return Path(env[own]).expanduser().absolute()
    base = Path(env.get(xdg, ""))
    if base.is_absolute():  # the XDG specification tells readers to ignore relative values
        return base / "politerm"
    home = Path(env["HOME"]) if env.get("HOME") else Path.home()
    return home / below_home / "politerm"
