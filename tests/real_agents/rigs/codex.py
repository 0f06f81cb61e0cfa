"""Codex against the scripted model: the Responses API as a provider of the user's own, one folder that is trusted."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.model_server.scenario import Fail, Step, Text, Tool
from tests.real_agents.rigs import KEY, Rig, Scene

CONFIG = """\
model = {model}
model_provider = "scripted"

[model_providers.scripted]
name = "scripted"
base_url = {url}
wire_api = "responses"
env_key = "SCRIPTED_KEY"
# Errors are to show at once.
request_max_retries = 1
stream_max_retries = 1

[analytics]
enabled = false

# A user who has seen what is said about other models. This one gets its tools one by one.
[notice]
hide_rate_limit_model_nudge = true

[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"
"""


class Codex(Rig):
    name = "codex"
    model = "gpt-5.5"

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        """Files of the project and commands in the sandbox are never asked about, so `allowed` changes nothing."""
        own = home / ".codex"
        own.mkdir(parents=True, exist_ok=True)
        config = CONFIG.format(model=json.dumps(self.model), url=json.dumps(f"{url}/v1"))
        (own / "config.toml").write_text(config + "".join(map(trust, trusted)), "utf-8")
        (home / "tmp").mkdir(exist_ok=True)

    def env(self, home: Path, url: str) -> dict[str, str]:
        # It makes no programs of its own in a home that lies in the folder for temporary files.
        return {"SCRIPTED_KEY": KEY, "TMPDIR": str(home / "tmp")}

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        left = Tool("exec_command", {"cmd": "sleep 1000", "yield_time_ms": 250})
        config = ".codex/config.toml"
        told = CONFIG.format(model='"gpt-5.5"', url='"http://127.0.0.1:9/v1"') + trust(project.resolve())
        return {
            "error-401": Scene((Fail(401, "bad key"),), "ready"),
            "limited": Scene((used_up(),), "limited"),
            "background": Scene((Text("I start it."), left), "background"),
            "login": Scene((), "blocked login", files={config: ""}),
            "newer-model": Scene((), "blocked update", files={config: told.replace('"gpt-5.5" = ', '"gpt-0" = ')}),
        }

    def write(self, path: Path, text: str) -> Step:
        return Tool("apply_patch", {"freeform": _patch(path, text)})

    def run(self, command: str) -> Step:
        return Tool("exec_command", {"cmd": command})

    def read(self, path: Path | str) -> Step:
        # The model fills in the path, which may hold any quote.
        return Tool("exec_command", {"cmd": f"cat -n \"$(cat <<'END'\n{path}\nEND\n)\""})

    def asks(self, path: Path) -> Step:
        return Tool("exec_command", _escalated(path))


class CodexOfCodeMode(Codex):
    """With a model of the kind that is the program's own choice: its one tool runs JavaScript."""

    model = "gpt-6.1-sol"

    def write(self, path: Path, text: str) -> Step:
        return self._exec("apply_patch", _patch(path, text))

    def run(self, command: str) -> Step:
        return self._exec("exec_command", {"cmd": command})

    def asks(self, path: Path) -> Step:
        return self._exec("exec_command", _escalated(path))

    def _exec(self, tool: str, given: object) -> Step:
        return Tool("exec", {"freeform": f"text(JSON.stringify(await tools.{tool}({json.dumps(given)})))"})


def trust(folder: Path) -> str:
    return f'\n[projects.{json.dumps(str(folder))}]\ntrust_level = "trusted"\n'


def used_up(seconds: int = 7200) -> Fail:
    """What the service answers a subscriber who has used up what the last hours allow."""
    error = {"type": "usage_limit_reached", "plan_type": "plus", "resets_at": int(time.time()) + seconds}
    return Fail(429, json.dumps(error))


def _patch(path: Path, text: str) -> str:
    added = "".join(f"+{line}\n" for line in text.splitlines())
    return f"*** Begin Patch\n*** Add File: {path}\n{added}*** End Patch\n"


def _escalated(path: Path) -> dict[str, str]:
    command = f"touch {shlex.quote(str(path))}"
    return {"cmd": command, "sandbox_permissions": "require_escalated", "justification": "May I?"}
