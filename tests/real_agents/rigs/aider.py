"""aider against the scripted model: Chat Completions without tools, files as search-and-replace blocks, no git."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.model_server.chat import BARE, SIDE
from tests.model_server.scenario import Fail, Step, Text
from tests.real_agents.rigs import KEY, Rig, Scene, write_json

MODEL = f"openai/m{BARE}"


class Aider(Rig):
    name = "aider"
    lacks: ClassVar[Mapping[str, str]] = {
        "usage": "it counts tokens by itself while it streams, and never asks the service"
    }

    def prepare(self, home: Path, url: str, *, trusted: Sequence[Path], allowed: bool) -> None:
        settings, prices = home / "models.yml", home / "models.json"
        # JSON is YAML. Prompts go out as they are: what aider adds to them stands in the system's own message.
        model = {
            "name": MODEL,
            "edit_format": "diff",
            "use_repo_map": False,
            "weak_model_name": f"openai/m{SIDE}",
            "examples_as_sys_msg": True,
            "reminder": "sys",
            "streaming": True,
        }
        settings.write_text(json.dumps([model]), "utf-8")
        price = {
            "max_input_tokens": 1_000_000,
            "max_output_tokens": 100_000,
            "mode": "chat",
            "litellm_provider": "openai",
        }
        write_json(prices, {MODEL: {**price, "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}})
        known = {
            "model": MODEL,
            "model-settings-file": str(settings),
            "model-metadata-file": str(prices),
            "openai-api-base": f"{url}/v1",
            "openai-api-key": KEY,
            "analytics-disable": True,
            "show-model-warnings": False,
            "git": False,
            **({"yes-always": True} if allowed else {}),
        }
        lines = [f"{name}: {json.dumps(value)}" for name, value in known.items()]
        (home / ".aider.conf.yml").write_text("\n".join(lines) + "\n", "utf-8")

    def env(self, home: Path, url: str) -> dict[str, str]:
        return {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    def scenes(self, project: Path) -> Mapping[str, Scene]:
        return {
            "trust": Scene((), ""),
            "error": Scene((Fail(401, "bad key"),), "ready"),
            "command": Scene((Text("I run."), self.run("touch made")), "blocked permission"),
        }

    def write(self, path: Path, text: str) -> Step:
        return Text(f"\n\n{path.name}\n```\n<<<<<<< SEARCH\n=======\n{text}>>>>>>> REPLACE\n```\n\n")

    def run(self, command: str) -> Step:
        return Text(f"\n\n```bash\n{command}\n```\n\n")

    def read(self, path: Path | str) -> Step:
        return Text(f"Please add {path} to the chat.")
