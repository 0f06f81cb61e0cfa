"""From TOML text to a profile: what a user may write, what is wrong with it in a sentence, a user's file over ours.

It does not know where the text comes from; the folders are read by workspace/agents_folder.py.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from politerm.agents.profile import AgentProfile, BlockedRule, Rule, WitnessSpec
from politerm.core.wire import Wire
from politerm.errors import InvalidParams

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""An agent's name is also its file's name, so nothing that could lead out of the folder."""

_MERGED = ("env", "files", "overlay", "usage", "presets", "quirks", "witness")
"""Tables of which a user's file may change a single entry."""

_RULES: Mapping[str, type[Wire]] = {
    "blocked": BlockedRule,
    "ready": Rule,
    "working": Rule,
    "draft": Rule,
    "conversation": Rule,
    "background": Rule,
}


@dataclass(frozen=True)
class Parsed:
    """One profile file. `source` is `built-in`, `user`, or `command`; `fields` is what the file itself says."""

    profile: AgentProfile
    source: str
    warnings: tuple[str, ...]
    fields: Mapping[str, Any]


def check_name(name: str) -> str:
    """Raises InvalidParams for a name that no profile can have."""
    if not NAME.fullmatch(name):
        raise InvalidParams(
            f"{name!r} is not an agent's name.",
            hint="A name has 1 to 64 of the characters a-z 0-9 . _ - and begins with a letter or a digit.",
            field="name",
        )
    return name


def parse_profile(toml_text: str, name: str, source: str, *, base: Parsed | None = None) -> Parsed:
    """Read one profile file; with a `base`, what the file does not say is the base's.

    Raises InvalidParams (data: `field`, `agent`) for what cannot be understood. Names that we do not know become
    warnings: a file written for a newer version of ours must still work.
    """
    check_name(name)
    try:
        raw = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidParams(f"agents/{name}.toml is not valid TOML: {error}.", field="", agent=name) from None
    warnings: list[str] = []
    fields = _known(AgentProfile, raw, f"agents/{name}.toml", "", warnings)
    if fields.pop("name", name) != name:
        warnings.append(f"agents/{name}.toml: `name` is ignored, a profile is called like its file.")
    merged = _over(base.fields, fields) if base is not None else fields
    if "command" not in merged:
        raise InvalidParams(
            f"agents/{name}.toml has no `command`.",
            hint='Add a line such as command = ["my-agent", "--flag"].',
            field="command",
            agent=name,
        )
    try:
        profile = AgentProfile.model_validate({**merged, "name": name})
    except ValidationError as error:
        raise _sentence(error, name) from None
    return Parsed(profile, source, tuple(warnings), merged)


def unknown_agent(name: str, known: Mapping[str, object]) -> tuple[str, str]:
    """The sentence and the hint for a name that nobody has."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    hint += f"Known: {', '.join(sorted(known)) or 'none'}. Add your own as agents/{name}.toml in the config folder."
    return f"There is no agent called {name!r}.", hint


def _known(model: type[Wire], raw: Mapping[str, Any], file: str, path: str, warnings: list[str]) -> dict[str, Any]:
    """What `model` has fields for, each under its name in files; for the rest a warning each."""
    names: dict[str, str] = {}
    for field, info in model.model_fields.items():
        names[field] = names[info.alias or field] = info.alias or field
    result: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            meant = f" Did you mean `{names[near[0]]}`?" if near else ""
            warnings.append(f"{file}: `{path}{key}` is not known and does nothing.{meant}")
        else:
            result[names[key]] = _inner(names[key], value, file, f"{path}{key}", warnings)
    return result


def _inner(field: str, value: Any, file: str, path: str, warnings: list[str]) -> Any:
    if field == "witness" and isinstance(value, dict):
        return _known(WitnessSpec, value, file, f"{path}.", warnings)
    if field not in _RULES:
        return value
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return value
    return [
        _known(_RULES[field], one, file, f"{path}[{index}].", warnings) if isinstance(one, dict) else one
        for index, one in enumerate(value)
    ]


def _over(base: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Field by field; a table entry by entry. A witness of another kind shares nothing with the one it replaces."""
    merged = {**base, **fields}
    for table in _MERGED:
        old, new = base.get(table), fields.get(table)
        if isinstance(old, dict) and isinstance(new, dict):
            replaced = table == "witness" and new.get("kind", old.get("kind")) != old.get("kind")
            merged[table] = new if replaced else {**old, **new}
    return merged


def _sentence(error: ValidationError, name: str) -> InvalidParams:
    """The first thing that is wrong, named as it is written in the file."""
    first = error.errors(include_url=False)[0]
    where = ""
    for part in first["loc"]:
        if isinstance(part, int):
            where += f"[{part}]"
        else:
            where += f".{part}" if where else part
    what = first["msg"].removeprefix("Value error, ")
    shape = ' Write it as a list, for example ["my-agent", "--flag"].' if where == "command" else ""
    return InvalidParams(
        f"agents/{name}.toml: `{where}` is wrong: {what}; it was {_short(first['input'])}.{shape}",
        field=where,
        agent=name,
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
