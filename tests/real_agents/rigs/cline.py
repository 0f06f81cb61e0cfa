"""Cline against the scripted model: the Chat Completions API of a compatible provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.model_server.scenario import Fail, Step, Tool
from tests.real_agents.rigs import KEY, Rig, Scene, write_json


class Cline(Rig):
    name = "cline"

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        settings = home / ".cline/data/settings"
        provider = {"provider": "openai-compatible", "apiKey": KEY, "model": "scripted-1", "baseUrl": f"{url}/v1"}
        entry = {"settings": provider, "updatedAt": "2026-01-01T00:00:00.000Z", "tokenSource": "manual"}
        write_json(
            settings / "providers.json",
            {
                "version": 1,
                "lastUsedProvider": "openai-compatible",
                "modes": {},
                "providers": {"openai-compatible": entry},
            },
        )
        # Its advertisements have been seen.
        shown = {"cline-cli-cline-pass-intro": True, "cline-cli-desktop-launch": True}
        write_json(settings / "cli-notices.json", {"shown": shown})
        chosen = {"telemetryOptOut": True, "autoUpdateEnabled": False, "toolAutoApprove": allowed}
        write_json(settings / "global-settings.json", chosen)

    def write(self, path: Path, text: str) -> Step:
        return Tool("editor", {"path": str(path), "new_text": text})

    def run(self, command: str) -> Step:
        return Tool("run_commands", {"commands": [command]})

    def read(self, path: Path | str) -> Step:
        return Tool("read_files", {"files": [{"path": str(path)}]})

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        shell = Scene((self.run("touch made.txt"),), "blocked permission")
        # Of an error that may pass it tries again for minutes.
        error = Scene((Fail(401, "bad key"),), "ready")
        return {"shell": shell, "error": error, "trust": Scene((), "")}
