"""opencode against the scripted model: Chat Completions, by the package for compatible services that it bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.model_server.chat import SIDE
from tests.model_server.scenario import Fail, Step, Text, Tool
from tests.real_agents.rigs import KEY, Rig, Scene, write_json


class Opencode(Rig):
    name = "opencode"

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        service = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
            "models": {"m": {"name": "M"}, f"m{SIDE}": {"name": "Side"}},
        }
        answer = "allow" if allowed else "ask"
        known = {
            "provider": {"scripted": service},
            "model": "scripted/m",
            "small_model": f"scripted/m{SIDE}",
            "share": "disabled",
            "permission": {"edit": answer, "bash": answer},
        }
        write_json(home / ".config" / "opencode" / "opencode.json", known)

    def env(self, home: Path, url: str) -> dict[str, str]:
        names = ("MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS", "SHARE")
        folders = {f"XDG_{name}_HOME": str(home / f".{name.lower()}") for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        return {**folders, **{f"OPENCODE_DISABLE_{name}": "1" for name in names}}

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        asked = {"question": "Which colour?", "header": "Colour", "options": [{"label": "Red", "description": "r"}]}
        return {
            "trust": Scene((), ""),
            "error": Scene((Fail(401, "bad key"),), "ready"),
            "retry": Scene((Fail(429, "too many", {"retry-after": "30"}),), "working"),
            "command": Scene((Text("I run."), self.run("touch made")), "blocked permission"),
            "question": Scene((Text("Hm."), Tool("question", {"questions": [asked]})), "blocked question"),
        }

    def write(self, path: Path, text: str) -> Step:
        return Tool("write", {"filePath": str(path), "content": text})

    def run(self, command: str) -> Step:
        return Tool("bash", {"command": command, "description": "Run it"})

    def read(self, path: Path | str) -> Step:
        return Tool("read", {"filePath": str(path)})
