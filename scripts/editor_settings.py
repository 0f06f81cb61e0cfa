"""The extension's package.json with the settings block that the server's settings give it.

Only that block, the version and the list of restricted settings are written; all else in the file is a person's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from politerm import __version__
from politerm.settings import LEAVES, Leaf

Json = dict[str, Any]

SECTION: Final = "Agents and runs"
"""The title of the block that belongs to the server."""
SCOPES: Final = {"machine": "machine", "user": "application", "workspace": "window"}
NOT_OF_EDITORS: Final = frozenset({"workspace"})
"""Settings of the command line alone."""


def package_json(path: Path) -> str:
    """The file as it should be."""
    package: Json = json.loads(path.read_text("utf-8"))
    package["version"] = __version__
    blocks = {block["title"]: block for block in package["contributes"]["configuration"]}
    blocks[SECTION]["properties"] = {f"politerm.{name}": _property(leaf) for name, leaf in editors_leaves().items()}
    every = {name: shape for block in blocks.values() for name, shape in block["properties"].items()}
    restricted = sorted(name for name, shape in every.items() if shape.get("scope") == "machine")
    package["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = restricted
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def editors_leaves() -> dict[str, Leaf]:
    """Name -> setting, for those that an editor may send."""
    return {name: leaf for name, leaf in LEAVES.items() if name not in NOT_OF_EDITORS}


def _property(leaf: Leaf) -> Json:
    """One setting as VS Code shows it. What has no default is null, which the server takes as not set."""
    schema = leaf.schema()
    parts = schema.get("anyOf", [schema])
    shape: Json = {"type": [part["type"] for part in parts] if len(parts) > 1 else parts[0]["type"]}
    for part in parts:
        shape |= {key: part[key] for key in ("items", "enum", "minimum", "maximum", "pattern") if key in part}
    default = leaf.info.default
    return {
        **shape,
        "default": list(default) if isinstance(default, tuple) else default,
        "scope": SCOPES[leaf.scope],
        "markdownDescription": leaf.info.description or "",
    }
