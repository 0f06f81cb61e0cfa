"""TypeScript for everything that travels: interfaces and unions from the models, one map of the commands.

What a model means in TypeScript: a field is optional when it may be absent on the wire, which is every field that may
be None (absent instead of null), and in an argument every field with a default. It does not know any single model: it
starts at the table of commands and the notifications and follows what they hold.
"""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

from pydantic.json_schema import models_json_schema
from scripts.editor_settings import editors_leaves

from politerm.cli import demo
from politerm.core.events import Envelope
from politerm.core.views import RunView
from politerm.core.wire import Role, RunId, Wire
from politerm.engine import answers, requests
from politerm.engine.api import Status
from politerm.lsp import catalog
from politerm.lsp.commands import COMMANDS

Json = dict[str, Any]


class PaneOutput(Wire):
    """`reset`: clear first, `data` is the whole screen. The server writes this one by hand: it comes often."""

    run_id: RunId
    role: Role
    seq: int
    data: str
    reset: bool | None = None


class TrustChanged(Wire):
    """The server reads this one by hand: it may come before any model is loaded."""

    trusted: bool


SERVER_NOTIFICATIONS: dict[str, type[Wire]] = {
    catalog.EVENT: Envelope,
    catalog.PANE_OUTPUT: PaneOutput,
    catalog.RUN_CHANGED: RunView,
    catalog.ATTENTION_CHANGED: answers.AttentionItems,
    catalog.SERVER_STATUS: Status,
}
CLIENT_NOTIFICATIONS: dict[str, type[Wire]] = {
    catalog.PANE_CREDIT: requests.PaneCredit,
    catalog.TRUST_CHANGED: TrustChanged,
}
WIDTH = 120

NOTICE = """\
// Written by `make generate` from the models of the server. Change those, not this.
// Fields that are absent on the wire are absent here; nothing is ever null.
"""


def written() -> str:
    """The whole file."""
    asked = {command.params for command in COMMANDS.values()} | set(CLIENT_NOTIFICATIONS.values())
    told = {command.answer for command in COMMANDS.values() if command.answer} | set(SERVER_NOTIFICATIONS.values())
    every = sorted(asked | told, key=lambda model: model.__name__)
    _, schema = models_json_schema([(model, "validation") for model in every], ref_template="{model}")
    definitions: dict[str, Json] = schema["$defs"]
    arguments = _reached({model.__name__ for model in asked}, definitions)
    parts = [NOTICE.rstrip()]
    parts += [_declaration(name, definitions[name], name in arguments) for name in sorted(definitions)]
    events = sorted(definitions["Envelope"]["properties"]["event"]["discriminator"]["mapping"].values())
    parts.append(_union("RunEvent", events))
    parts.append(f"export const PROTOCOL_VERSION = {catalog.PROTOCOL_VERSION};")
    parts.append(_settings())
    parts.append(_demo())
    parts.append(_commands())
    parts.append(_notifications("ServerNotifications", "What the server tells.", SERVER_NOTIFICATIONS))
    parts.append(_notifications("ClientNotifications", "What the server is told.", CLIENT_NOTIFICATIONS))
    return "\n\n".join(parts) + "\n"


def _reached(names: set[str], definitions: dict[str, Json]) -> set[str]:
    """These models and all that they hold."""
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += re.findall(r'"\$ref": "(\w+)"', json.dumps(definitions[name]))
    return found


def _declaration(name: str, schema: Json, argument: bool) -> str:
    words = _comment(schema.get("description"))
    if "properties" not in schema and schema.get("type") != "object":
        return f"{words}{_union(name, [json.dumps(value) for value in schema['enum']])}"
    lines = [f"{words}export interface {name} {{"]
    for field, inner in schema.get("properties", {}).items():
        absent = _nullable(inner) or (argument and field not in schema.get("required", ()))
        if absent and "const" in inner:
            absent = False
        lines.append(f"  {field}{'?' if absent else ''}: {_type(inner)};")
    lines.append("}")
    return "\n".join(lines) if len(lines) > 2 else f"{words}export type {name} = Record<string, never>;"


def _nullable(schema: Json) -> bool:
    return any(part.get("type") == "null" for part in schema.get("anyOf", ()))


def _type(schema: Json) -> str:
    match schema:
        case {"$ref": name}:
            return str(name)
        case {"discriminator": _, "oneOf": _}:
            return "RunEvent"
        case {"anyOf": parts}:
            return " | ".join(dict.fromkeys(_type(part) for part in parts if part.get("type") != "null"))
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(json.dumps(value) for value in values)
        case {"type": "array", "items": items}:
            inner = _type(items)
            return f"readonly ({inner})[]" if " " in inner else f"readonly {inner}[]"
        case {"type": "object", "propertyNames": {"$ref": key}, "additionalProperties": dict(values)}:
            return f"Partial<Record<{key}, {_type(values)}>>"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"Record<string, {_type(values)}>"
        case {"type": "object"}:
            return "Record<string, unknown>"
        case {"type": "integer" | "number"}:
            return "number"
        case {"type": "string" | "boolean" as kind}:
            return str(kind)
        case _:
            return "unknown"


def _union(name: str, members: list[str]) -> str:
    line = f"export type {name} = {' | '.join(members)};"
    if len(line) <= WIDTH:
        return line
    return f"export type {name} =\n" + "\n".join(f"  | {member}" for member in members) + ";"


def _settings() -> str:
    lines = [f"  {json.dumps(name)}," for name in editors_leaves()]
    return "\n".join(
        [
            "/** The settings that are the server's, below `politerm.` */",
            "export const SERVER_SETTINGS = [",
            *lines,
            "] as const;",
        ]
    )


def _demo() -> str:
    argument = {"task": demo.TASK, "planner": demo.PLANNER, "executer": demo.EXECUTER, "limits": demo.LIMITS}
    return f"/** What the demonstration is started with. */\nexport const DEMO = {json.dumps(argument, indent=2)};"


def _commands() -> str:
    lines = ["/** Every command: what it is given, and what it answers. */", "export interface Commands {"]
    for name in catalog.COMMAND_NAMES:
        command = COMMANDS[name]
        answer = command.answer.__name__ if command.answer else "Record<string, unknown>"
        lines.append(f'  "{name}": {{ argument: {command.params.__name__}; answer: {answer} }};')
    return "\n".join([*lines, "}"])


def _notifications(name: str, words: str, table: dict[str, type[Wire]]) -> str:
    lines = [f'  "{method}": {model.__name__};' for method, model in table.items()]
    return "\n".join([f"/** {words} */", f"export interface {name} {{", *lines, "}"])


def _comment(text: str | None) -> str:
    """The model's own first words, as a comment."""
    if not text:
        return ""
    words = textwrap.wrap(" ".join(text.split()), WIDTH - 3)
    if len(words) == 1 and len(words[0]) + 7 <= WIDTH:
        return f"/** {words[0]} */\n"
    return "/**\n" + "".join(f" * {line}\n" for line in words) + " */\n"
