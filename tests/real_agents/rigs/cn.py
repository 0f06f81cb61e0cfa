"""Continue's CLI against the scripted model: the Chat Completions API of an assistant its user wrote down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.model_server.scenario import Step, Tool
from tests.real_agents.rigs import KEY, Rig, Scene, write_json


class Cn(Rig):
    name = "cn"
    lacks: ClassVar[Mapping[str, str]] = {"interrupt": "its record says nothing of one; the screen ends the turn"}

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        model = {
            "name": "scripted",
            "provider": "openai",
            "model": "scripted-1",
            "apiBase": f"{url}/v1",
            "apiKey": KEY,
            "roles": ["chat"],
            "defaultCompletionOptions": {"contextLength": 1_000_000, "maxTokens": 32_000},
        }
        # JSON is YAML.
        write_json(
            home / ".continue/config.yaml", {"name": "Test", "version": "1.0.0", "schema": "v1", "models": [model]}
        )
        allow = json.dumps({"allow": ["Write", "Edit", "Bash"] if allowed else [], "ask": [], "exclude": []})
        (home / ".continue/permissions.yaml").write_text(allow, "utf-8")
        (home / ".continue/.onboarding_complete").write_text("2026-01-01T00:00:00.000Z", "utf-8")

    def write(self, path: Path, text: str) -> Step:
        return Tool("Write", {"filepath": str(path), "content": text})

    def run(self, command: str) -> Step:
        return Tool("Bash", {"command": command})

    def read(self, path: Path | str) -> Step:
        return Tool("Read", {"filepath": str(path)})

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        # Nothing but the screen says that a turn has failed.
        never = Scene((), "")
        return {"shell": Scene((self.run("touch made.txt"),), "blocked permission"), "error": never, "trust": never}
