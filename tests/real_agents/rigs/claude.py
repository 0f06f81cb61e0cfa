"""Claude Code against the scripted model: the Messages API, a key that is approved, one folder that is trusted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.model_server.scenario import Step, Tool
from tests.real_agents.rigs import KEY, Rig, write_json


class Claude(Rig):
    name = "claude"

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        known = {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
            "projects": {str(path): {"hasTrustDialogAccepted": True} for path in trusted},
        }
        write_json(home / ".claude.json", known)
        allow = ["Write", "Edit", "Bash"] if allowed else []
        write_json(home / ".claude" / "settings.json", {"permissions": {"allow": allow}})

    def env(self, home: Path, url: str) -> dict[str, str]:
        return {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            # Errors are to show at once.
            "CLAUDE_CODE_MAX_RETRIES": "1",
        }

    def write(self, path: Path, text: str) -> Step:
        return Tool("Write", {"file_path": str(path), "content": text})

    def run(self, command: str) -> Step:
        return Tool("Bash", {"command": command, "description": "Run it"})

    def read(self, path: Path | str) -> Step:
        return Tool("Read", {"file_path": str(path)})
