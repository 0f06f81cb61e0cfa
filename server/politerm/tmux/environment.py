"""Which environment the tmux server gets, and which an agent gets. Mappings in, mappings out.

The server's environment is shown to every pane by `show-environment -g`: it holds what tmux needs and nothing else. An
agent needs the user's own environment, without what belongs to the terminal or editor that PoliTerm was started from.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

RUN = "POLITERM_RUN"
ROLE = "POLITERM_ROLE"
PLACE = "POLITERM_PANES"
"""Set in every program of a pane: the run, the role, and which tmux server of ours it belongs to. With these a process
is found again when its pane is gone (processes.py)."""

_SERVER_KEEPS = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR")
_FOREIGN_PREFIXES = ("TMUX", "VSCODE_", "ELECTRON_", "NVIM", "KITTY_", "WEZTERM_", "ITERM_", "VTE_")
_FOREIGN = frozenset({
    RUN, ROLE, PLACE, "POLITERM_WITNESS",
    "STY", "WINDOW", "WINDOWID", "COLUMNS", "LINES", "TERMCAP", "TERM_PROGRAM", "TERM_PROGRAM_VERSION",
    "TERM_SESSION_ID", "WT_SESSION", "VIM", "VIMRUNTIME", "MYVIMRC", "GIT_ASKPASS", "INSIDE_EMACS",
    "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "PWD", "OLDPWD", "SHLVL", "_",
})  # fmt: skip
_TERMINFO = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo", "/usr/local/share/terminfo")
_PATH = "/usr/local/bin:/usr/bin:/bin"


def terminal_name() -> str:
    """What TERM is in a pane: tmux's own entry where the system has one. A name is filed under its first letter, or,
    on macOS, under that letter's code."""
    for base in (*_TERMINFO, "/opt/homebrew/share/terminfo"):
        for folder in ("t", "74"):
            if Path(base, folder, "tmux-256color").exists():
                return "tmux-256color"
    return "screen-256color"


def _person() -> dict[str, str]:
    """HOME, SHELL, USER from the user database, for an environment that lost them."""
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return {"HOME": "/", "SHELL": "/bin/sh", "USER": str(os.getuid())}
    return {"HOME": entry.pw_dir, "SHELL": entry.pw_shell or "/bin/sh", "USER": entry.pw_name}


def server_environment(own: Mapping[str, str]) -> dict[str, str]:
    """For the tmux server and its clients. tmux wants a UTF-8 locale and a terminal name, whatever we were given."""
    kept = {name: own[name] for name in _SERVER_KEEPS if own.get(name)}
    if not Path(kept.get("SHELL", "")).is_absolute():
        kept.pop("SHELL", None)
    return {"PATH": _PATH, **_person(), **kept, "LANG": "C.UTF-8", "TERM": "screen-256color"}


def agent_environment(
    own: Mapping[str, str], wanted: Mapping[str, str | None], marks: Mapping[str, str], *, term: str, cwd: str
) -> dict[str, str]:
    """For a program in a pane: ours, scrubbed; over it what the caller wants (None removes); over it our marks."""
    env = {
        name: value for name, value in own.items() if name not in _FOREIGN and not name.startswith(_FOREIGN_PREFIXES)
    }
    env = {"PATH": _PATH, **_person(), **env, "TERM": term, "PWD": cwd}
    if not _utf8(env):
        env.pop("LC_ALL", None)
        env.pop("LC_CTYPE", None)
        env["LANG"] = "C.UTF-8"
    for name, value in wanted.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return {**env, **marks}


def _utf8(env: Mapping[str, str]) -> bool:
    """Does the locale say UTF-8? The first that is set of these three rules."""
    locale = next((env[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if env.get(name)), "")
    return locale.upper().replace("-", "").endswith(("UTF8", "UTF8@EURO"))
