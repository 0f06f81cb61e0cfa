"""Claude Code against the scripted model: the Messages API, a key that is approved, one folder that is trusted."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.model_server.scenario import Fail, Step, Text, Tool
from tests.real_agents.rigs import KEY, Rig, Scene, write_json

SUBSCRIPTION = {
    "accessToken": "access-of-nobody",
    "refreshToken": "refresh-of-nobody",
    "expiresAt": 4102444800000,
    "scopes": ["user:inference", "user:profile"],
    "subscriptionType": "max",
}
"""With this instead of a key Claude Code takes its user for a subscriber, whose allowance may be used up."""


def used_up(seconds: int = 3 * 3600) -> Fail:
    """What the service answers a subscriber who has used up what the last five hours allow."""
    until = str(int(time.time()) + seconds)
    headers = {
        "status": "rejected",
        "reset": until,
        "representative-claim": "five_hour",
        "5h-status": "rejected",
        "5h-reset": until,
        "5h-utilization": "1.0",
        "overage-status": "rejected",
        "overage-disabled-reason": "org_level_disabled",
    }
    sent = {f"anthropic-ratelimit-unified-{name}": value for name, value in headers.items()}
    return Fail(429, "This request would exceed your account's rate limit.", {**sent, "x-should-retry": "false"})


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

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        subscriber = {".claude/.credentials.json": json.dumps({"claudeAiOauth": SUBSCRIPTION})}
        known = {"hasCompletedOnboarding": True, "theme": "dark"}
        unknown_key = {**known, "projects": {str(project.resolve()): {"hasTrustDialogAccepted": True}}}
        return {
            "limited": Scene((used_up(),), "limited", env={"ANTHROPIC_API_KEY": None}, files=subscriber),
            "error-401": Scene((Fail(401, "bad key"),), "ready"),
            "command": Scene((Text("I run."), self.run("touch made")), "blocked permission"),
            "key": Scene((), "blocked login", files={".claude.json": json.dumps(unknown_key)}),
        }

    def write(self, path: Path, text: str) -> Step:
        return Tool("Write", {"file_path": str(path), "content": text})

    def run(self, command: str) -> Step:
        return Tool("Bash", {"command": command, "description": "Run it"})

    def read(self, path: Path | str) -> Step:
        return Tool("Read", {"file_path": str(path)})
