"""GitHub Copilot CLI against the scripted model: the Chat Completions API of a provider of its user's own, offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.model_server.scenario import Step, Tool
from tests.real_agents.install import AGENTS
from tests.real_agents.rigs import KEY, Rig, Scene, write_json


class Copilot(Rig):
    name = "copilot"

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        known = {"trustedFolders": [str(path) for path in trusted], "appTipShown": True}
        write_json(home / ".copilot/config.json", known)
        settings = {"defaultPermissionMode": "allow-all" if allowed else "manual", "showTipsOnStartup": False}
        write_json(home / ".copilot/settings.json", settings)

    def env(self, home: Path, url: str) -> dict[str, str]:
        return {
            "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
            "COPILOT_PROVIDER_TYPE": "openai",
            "COPILOT_PROVIDER_API_KEY": KEY,
            "COPILOT_PROVIDER_MAX_PROMPT_TOKENS": "1000000",
            "COPILOT_PROVIDER_MAX_OUTPUT_TOKENS": "32000",
            "COPILOT_MODEL": "scripted-1",
            "COPILOT_OFFLINE": "true",
            # It unpacks 240 MB of itself, once for all homes.
            "XDG_CACHE_HOME": str(AGENTS / "copilot-cache"),
        }

    def write(self, path: Path, text: str) -> Step:
        return Tool("create", {"path": str(path), "file_text": text})

    def run(self, command: str) -> Step:
        return Tool("bash", {"command": command, "description": "Run it"})

    def read(self, path: Path | str) -> Step:
        return Tool("view", {"path": str(path)})

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        return {"shell": Scene((self.run("touch made.txt"),), "blocked permission")}
