"""Gemini CLI against the scripted model: the Gemini API, a key from the environment, one folder that is trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.model_server.scenario import Fail, Step, Text, Tool
from tests.real_agents.rigs import KEY, Rig, Scene, write_json


class Gemini(Rig):
    name = "gemini"
    takes_quotes = False

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        known = {
            "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
            "security": {"auth": {"selectedType": "gemini-api-key"}},
            "privacy": {"usageStatisticsEnabled": False},
            "ide": {"hasSeenNudge": True},
            "model": {"name": "gemini-2.5-pro"},
        }
        if allowed:
            known["tools"] = {"allowed": ["write_file", "replace", "run_shell_command"]}
        write_json(home / ".gemini" / "settings.json", known)
        write_json(home / ".gemini" / "trustedFolders.json", {str(path): "TRUST_FOLDER" for path in trusted})

    def env(self, home: Path, url: str) -> dict[str, str]:
        return {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url}

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        return {
            "error": Scene((Fail(401, "bad key"),), "ready"),
            "command": Scene((Text("I run."), self.run("touch made")), "blocked permission"),
        }

    def write(self, path: Path, text: str) -> Step:
        return Tool("write_file", {"file_path": str(path), "content": text})

    def run(self, command: str) -> Step:
        return Tool("run_shell_command", {"command": command, "description": "Run it"})

    def read(self, path: Path | str) -> Step:
        return Tool("read_file", {"file_path": str(path)})
