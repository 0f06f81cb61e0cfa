"""Readers of an agent's own record, one module per kind of record.

A new kind is one module and one line in `KINDS`. Nothing here knows which agent uses which kind.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from politerm.agents.profile import WitnessSpec, fill
from politerm.engine.ports import Witness

DEFAULT_PATH = "{stateDir}/witness.jsonl"


@dataclass(frozen=True)
class Place:
    """Where one agent of one run keeps its record. `session`: its conversation's id, when it is known.

    `home`: the home folder the agent sees; `pid`: its process, for records that are named after it.
    """

    spec: WitnessSpec
    state_dir: Path
    cwd: str
    session: str | None = None
    home: Path | None = None
    pid: int | None = None

    @property
    def path(self) -> Path:
        """The record's file; a relative path lies in the folder of this run and role."""
        text = fill(self.spec.path or DEFAULT_PATH, state_dir=str(self.state_dir), session=self.session)
        return self.state_dir / Path(text).expanduser()


def _jsonl(place: Place) -> Witness:
    from politerm.witness.jsonl import JsonlWitness

    return JsonlWitness(place.path, lag=place.spec.lag)


def _claude(place: Place) -> Witness:
    from politerm.witness.claude import ClaudeWitness

    config = _config("CLAUDE_CONFIG_DIR", place, ".claude")
    return ClaudeWitness(place.path, session=place.session, config=config, lag=place.spec.lag)


def _codex(place: Place) -> Witness:
    from politerm.witness.codex import CodexWitness

    return CodexWitness(_config("CODEX_HOME", place, ".codex"), session=place.session, lag=place.spec.lag)


def _copilot(place: Place) -> Witness:
    from politerm.witness.copilot import CopilotReader
    from politerm.witness.journal import JournalWitness

    sessions = _config("COPILOT_HOME", place, ".copilot") / "session-state"
    return JournalWitness(sessions / (place.session or "unknown") / "events.jsonl", CopilotReader(), lag=place.spec.lag)


def _qwen(place: Place) -> Witness:
    from politerm.witness.qwen import QwenWitness

    return QwenWitness(place.path, lag=place.spec.lag)


def _cn(place: Place) -> Witness:
    from politerm.witness.cn import CnWitness

    return CnWitness(place.path, lag=place.spec.lag)


def _cline(place: Place) -> Witness:
    from politerm.witness.cline import ClineWitness

    return ClineWitness(place.path, lag=place.spec.lag)


def _config(variable: str, place: Place, usual: str) -> Path:
    """An agent's own folder: where its user put it, or the usual one in the home."""
    own = os.environ.get(variable)
    return Path(own) if own else (place.home or Path.home()) / usual


def _gemini(place: Place) -> Witness:
    from politerm.witness.gemini import GeminiWitness

    own = os.environ.get("GEMINI_CLI_HOME")
    home = Path(own) if own else place.home or Path.home()
    return GeminiWitness(home / ".gemini", place.session, lag=place.spec.lag)


def _aider(place: Place) -> Witness:
    from politerm.witness.aider import AiderWitness

    return AiderWitness(place.state_dir, lag=place.spec.lag)


KINDS: dict[str, Callable[[Place], Witness]] = {
    "jsonl": _jsonl,
    "claude": _claude,
    "codex": _codex,
    "copilot": _copilot,
    "gemini": _gemini,
    "aider": _aider,
    "qwen": _qwen,
    "cn": _cn,
    "cline": _cline,
}
"""Each opener imports its reader itself: a run with one kind of agent pays for one reader."""


def witness_path(spec: WitnessSpec, *, state_dir: Path, session: str | None = None) -> Path:
    """The file that a `jsonl` agent is to write, given to it as POLITERM_WITNESS."""
    return Place(spec, state_dir, "", session).path


def open_witness(
    spec: WitnessSpec,
    *,
    state_dir: Path,
    cwd: str,
    session: str | None = None,
    home: Path | None = None,
    pid: int | None = None,
) -> Witness | None:
    """The reader for this kind of record, standing at its beginning; None for a kind that we cannot read (the run then
    goes by the screen). The file need not exist yet."""
    opener = KINDS.get(spec.kind)
    return opener(Place(spec, state_dir, cwd, session, home, pid)) if opener else None
