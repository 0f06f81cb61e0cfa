"""Where the log of a verb goes: by the settings, else to standard error for the server, to the state folder for others.

A verb's standard error belongs to the person who reads it, and its live display; the server's is what editors show.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from politerm import environment, logs

if TYPE_CHECKING:
    from politerm.settings import Settings

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def _redact(env: Mapping[str, str]) -> logs.Redact:
    from politerm.core.redact import Redactor, secrets_in

    return Redactor(secrets_in(env)).shapes


def _file(env: Mapping[str, str], named: str | None) -> Path | None:
    """A relative path starts at the state folder: a workspace gets no files of ours."""
    return environment.state_folder(env) / Path(named).expanduser() if named else None


def _settings(env: Mapping[str, str]) -> Settings:
    from politerm.settings import load_settings

    config_dir = environment.config_folder(env)
    return load_settings(env=env, config_dir=config_dir, editor=None, workspace=None, trusted=False)[0]


def for_server(env: Mapping[str, str]) -> None:
    """By the environment alone: the settings' models take longer to load than `initialize` takes to answer."""
    named = environment.values(env)
    level = named.get("log.level", ("", "INFO"))[1].strip().upper()
    file = _file(env, named.get("log.file", ("", ""))[1] or None)
    logs.configure(level=level if level in LEVELS else "INFO", file=file, redact=_redact(env))


def for_server_by_settings(env: Mapping[str, str]) -> None:
    """The rest of what the user has set, once the settings' models are loaded."""
    settings = _settings(env)
    logs.configure(level=settings.log.level, file=_file(env, settings.log.file), redact=_redact(env))


def for_verb(env: Mapping[str, str], folder: Path) -> None:
    """By all of the user's settings; without a file, in the logs of this workspace's state."""
    from politerm.workspace.state import locate

    settings = _settings(env)
    file = _file(env, settings.log.file) or locate(folder, env).logs / "politerm.log"
    logs.configure(level=settings.log.level, file=file, redact=_redact(env))
