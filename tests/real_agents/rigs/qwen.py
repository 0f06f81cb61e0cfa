"""Qwen Code against the scripted model: the Chat Completions API by a key of its user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.model_server.scenario import Fail, Step, Tool
from tests.real_agents.rigs import KEY, Rig, Scene, write_json


class Qwen(Rig):
    name = "qwen"

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        settings = {
            "privacy": {"usageStatisticsEnabled": False},
            "security": {"auth": {"selectedType": "openai"}},
            # What it asks the model for itself is no turn of its user's.
            "memory": {"enableManagedAutoMemory": False},
            "permissions": {"allow": ["Edit", "Bash", "Write"] if allowed else []},
        }
        write_json(home / ".qwen/settings.json", settings)

    def env(self, home: Path, url: str) -> dict[str, str]:
        return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": "scripted-1"}

    def write(self, path: Path, text: str) -> Step:
        return Tool("write_file", {"file_path": str(path), "content": text})

    def run(self, command: str) -> Step:
        return Tool("run_shell_command", {"command": command, "description": "Run it", "is_background": False})

    def read(self, path: Path | str) -> Step:
        return Tool("read_file", {"file_path": str(path)})

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        shell = Scene((self.run("touch made.txt"),), "blocked permission")
        # Of an error that may pass it tries again for minutes.
        error = Scene((Fail(401, "bad key"),), "ready")
        return {"shell": shell, "error": error, "trust": Scene((), "")}
