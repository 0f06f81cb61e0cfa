"""Agents for tests: real programs in real terminals, each with one of the habits that agent CLIs have.

    toml = profile_toml("full", rounds=2)          # for <config dir>/agents/NAME.toml

The programs know nothing of PoliTerm: tests/agents/program.py runs them with the interpreter's own library alone, from
one JSON argument. Their kinds and options are listed in `KINDS` and in `program.Options`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("program.py")

READY = {
    "line": "'^mine> ?$'",
    "raw": "'^mine> ?$'",
    "boxed": "'^mine> ?$'",
    "markdown": "'^mine> ?$'",
    "open": "'^mine> ?$'",
    "full": "[{ match = '^mine> ?$', where = 'bottom' }]",
}
WORKING = {"full": "'^working'", "raw": "'^working'", "boxed": "'^working'", "markdown": "'^working'"}

KINDS: dict[str, dict[str, Any]] = {
    "line": {"face": "line"},
    "bare": {"face": "bare"},
    "raw": {"face": "raw"},
    "full": {"face": "full"},
    "open": {"face": "open"},
    "late": {"face": "raw", "start_delay": 3.0},
    "long": {"face": "full", "plan_lines": 200},
    "boxed": {"face": "boxed"},
    "markdown": {"face": "markdown"},
    "slow": {"face": "line", "delay": 3.0},
    "spinner": {"face": "raw", "spin": 3600.0},
    "restless": {"face": "full", "restless": True},
    "silent": {"face": "raw", "silent": True},
    "dying": {"face": "raw", "die": "prompt", "code": 7},
    "asking": {"face": "raw", "ask": "prompt"},
    "distrustful": {"face": "raw", "ask": "start"},
    "spoofing": {"face": "line", "spoof": True},
    "disobedient": {"face": "line", "disobey": 1},
    "same-id": {"face": "line", "ids": "same"},
    "chatty": {"face": "line", "after": "status"},
    "swallowing": {"face": "raw", "swallow": 0.5},
    "stubborn": {"face": "raw", "stubborn": True},
    "daemon": {"face": "raw", "daemon": True},
}

DIALOGS = """
[[blocked]]
match = 'Allow writing (?P<what>\\S+)\\?'
kind = "permission"
choices = { allow = "y", deny = "n" }

[[blocked]]
match = 'Do you trust this folder\\?'
kind = "trust"
choices = { trust = "y", leave = "n" }
"""


def argv(kind: str, **options: Any) -> list[str]:
    """The command line of a test agent. `options` are those of `program.Options`, over those of the kind."""
    if kind == "cat":
        return ["cat"]
    merged = {**KINDS[kind], **options}
    # -S and -E: a start in some 15 ms, and nothing of the tests' own environment in it.
    return [sys.executable, "-S", "-E", str(PROGRAM), json.dumps(merged, default=str)]


def profile_toml(
    kind: str,
    *,
    witness: bool = True,
    ready: bool = True,
    turn_end: bool | None = None,
    extra: str = "",
    tables: str = "",
    **options: Any,
) -> str:
    """A whole profile for this kind of agent. `witness`: it keeps a record; `ready`: its profile has a ready rule;
    `turn_end`: what the profile says of the record; `extra` and `tables`: more lines of TOML, before and in tables."""
    face = options.get("face") or KINDS.get(kind, {}).get("face", "cat")
    # A JSON string is a TOML basic string too.
    lines = [f"command = {json.dumps(argv(kind, **options))}", extra.strip()]
    if ready and face in READY:
        lines.append(f"ready = {READY[face]}")
    if face in WORKING:
        lines.append(f"working = {WORKING[face]}")
    if face in ("line", "bare", "cat"):
        lines.append('interrupt = ["C-c"]')
    else:
        lines += ["submitDelay = 0", 'clear = ["C-u"]']
    lines.append('exit = ["/quit", "Enter"]')
    if "ask" in options or "ask" in KINDS.get(kind, {}):
        lines.append(DIALOGS)
    if witness and kind != "cat":
        lines += ["[witness]", 'kind = "jsonl"', 'path = "{stateDir}/agent.jsonl"', "lag = 0.2"]
        if turn_end is not None:
            lines.append(f"turnEnd = {json.dumps(turn_end)}")
    lines.append(tables)
    return "\n".join(line for line in lines if line) + "\n"


def install(config_dir: Path, name: str, kind: str, **options: Any) -> str:
    """Write the profile into the user's folder; answers its name."""
    folder = config_dir / "agents"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.toml").write_text(profile_toml(kind, **options), encoding="utf-8")
    return name


def ledger(memory: Path) -> list[dict[str, Any]]:
    """What agents with `memory=<this folder>` noted, in order: every start, prompt, reply, key, and stray text."""
    path = memory / "ledger.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
