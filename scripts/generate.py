"""Writes what says again what the code declares: pages of docs/, and the extension's wire types and settings.

`python -m scripts.generate` writes them; tests/test_house.py fails when they are not what would be written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from scripts import wire_types
from scripts.editor_settings import package_json

from politerm import environment
from politerm.settings import LEAVES, Leaf

ROOT = Path(__file__).resolve().parent.parent
KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list of words, or one line",
}
NOTICE = "<!-- Written by `make generate` from {source}. Change that, not this. -->"

SETTINGS = """\
# Settings

{notice}

Every setting has one name, in `config.toml` as a dotted key or in a table, in an editor below `politerm.`:

```toml
# ~/.config/politerm/config.toml
[planner]
agent = "claude"

[limits]
rounds = 10
```

Sources, the weakest first: the defaults below, your own `config.toml`, the `.politerm.toml` of a workspace that you
trust, the [environment](environment.md), your editor, the command's own argument. A name or a value that is not
understood is reported and changes nothing. A `.env` file is never read.

**Who**: `machine` settings name programs, arguments and paths, and are taken from you alone; `user` settings are a
matter of taste; `workspace` settings may also stand in the `.politerm.toml` of a trusted workspace, which cannot lift a
limit and can choose an agent only by the name of one that you have.

{table}
"""

ENVIRONMENT = """\
# Environment

{notice}

PoliTerm follows two older systems, and honours the names of their environments where it has what they steer. Unset, its
own [settings](settings.md) rule. An empty value counts as unset. 0 lifts the one limit that it is given for.

## Names that set something

{mapped}

## PoliTerm's own names

{own}

## Names of the older systems without effect

Setting one of these does no harm and changes nothing; `politerm doctor` lists those that are set.

{ignored}
"""


def shape(leaf: Leaf) -> str:
    """What may stand there, as a person would write it."""
    schema = leaf.schema()
    schema = next((part for part in schema.get("anyOf", ()) if part.get("type") != "null"), schema)
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    kind = KINDS[schema["type"]]
    return f"{kind}, {schema['minimum']} or more" if schema.get("minimum") else kind


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines)


def default(leaf: Leaf) -> str:
    value = leaf.info.default
    return "none" if value is None else f"`{json.dumps(value)}`"


def settings_page() -> str:
    rows = [
        (f"`{leaf.name}`", shape(leaf), default(leaf), leaf.scope, leaf.info.description or "")
        for leaf in LEAVES.values()
    ]
    head = ("Setting", "Value", "Default", "Who", "What it does")
    return SETTINGS.format(notice=NOTICE.format(source="server/politerm/settings.py"), table=table(head, rows))


def environment_page() -> str:
    older = [entry for entry in environment.NAMES if entry.system != "PoliTerm"]
    mapped = [(f"`{e.name}`", e.system, f"`{e.setting}`", e.note) for e in older if e.setting]
    ignored = [(f"`{e.name}`", e.system, e.note) for e in older if not e.setting]
    own = [(f"`{e.name}`", e.note) for e in environment.NAMES if e.system == "PoliTerm"]
    return ENVIRONMENT.format(
        notice=NOTICE.format(source="server/politerm/environment.py"),
        mapped=table(("Name", "From", "Setting", "What it does"), mapped),
        ignored=table(("Name", "From", "Why"), ignored),
        own=table(("Name", "What it does"), own),
    )


def pages() -> dict[Path, str]:
    """Path -> what belongs there today."""
    return {
        ROOT / "docs/settings.md": settings_page(),
        ROOT / "docs/environment.md": environment_page(),
        ROOT / "vscode-extension/src/protocol/generated.ts": wire_types.written(),
        ROOT / "vscode-extension/package.json": package_json(ROOT / "vscode-extension/package.json"),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        print(path.relative_to(ROOT), file=sys.stderr)
