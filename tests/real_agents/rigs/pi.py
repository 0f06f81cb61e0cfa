"""pi against the scripted model: the Chat Completions API, one provider of its own. It never asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.model_server.scenario import Step, Tool
from tests.real_agents.rigs import KEY, Rig, Scene, write_json


class Pi(Rig):
    name = "pi"
    lacks: ClassVar[Mapping[str, str]] = {
        "permission dialog": "it asks for no permission; what it may do is what its user may do"
    }

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        model = {"id": "scripted-1", "contextWindow": 1_000_000}
        scripted = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": KEY, "models": [model]}
        write_json(home / ".pi/agent/models.json", {"providers": {"scripted": scripted}})
        settings = {"defaultProvider": "scripted", "defaultModel": "scripted-1", "enableInstallTelemetry": False}
        write_json(home / ".pi/agent/settings.json", settings)

    def env(self, home: Path, url: str) -> dict[str, str]:
        return {"PI_OFFLINE": "1", "PI_TELEMETRY": "0"}

    def write(self, path: Path, text: str) -> Step:
        return Tool("write", {"path": str(path), "content": text})

    def run(self, command: str) -> Step:
        return Tool("bash", {"command": command})

    def read(self, path: Path | str) -> Step:
        return Tool("read", {"path": str(path)})

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        never = Scene((), "")
        return {"permission": never, "trust": never}
