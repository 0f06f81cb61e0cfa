"""A sentence for arguments that do not fit: the field, what was wrong with it, and what is accepted."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from politerm.core.wire import Role, Wire
from politerm.errors import InvalidParams

T = TypeVar("T", bound=Wire)

_SHOWN: Final = 3
"""Complaints in one sentence; more help nobody."""

_KINDS: Final = {
    "string": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": "an array",
    "list": "an array",
    "dict": "an object",
    "model": "an object",
    "model_attributes": "an object",
}


def read_arguments(command: str, model: type[T], arguments: dict[str, Any]) -> T:
    """The command's argument as its model. Raises InvalidParams with `data.fields`, the paths that were wrong."""
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        details = _worth_telling(error)
        sentence = "; ".join(_complaint(model, detail) for detail in details[:_SHOWN])
        raise InvalidParams(f"{command}: {sentence}.", fields=[_path(model, detail) for detail in details]) from error


def _worth_telling(error: ValidationError) -> list[ErrorDetails]:
    """One complaint a field: a union complains once for each of its members."""
    seen: dict[tuple[int | str, ...], ErrorDetails] = {}
    for detail in error.errors(include_url=False, include_context=True):
        seen.setdefault(detail["loc"][:1] if detail["type"].endswith("_type") else detail["loc"], detail)
    return list(seen.values())


def _path(model: type[Wire], detail: ErrorDetails) -> str:
    names = []
    for part in detail["loc"]:
        # A union's member shows up as a step of its own, named after its type.
        if isinstance(part, int) or (part.isidentifier() and part not in ("str", "tuple", "[key]")):
            names.append(str(part))
    return ".".join(names) or "argument"


def _complaint(model: type[Wire], detail: ErrorDetails) -> str:
    path, kind, context = _path(model, detail), detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return f"`{path}` is missing; it is required"
    if kind == "extra_forbidden":
        return f"`{path}` is not a field of this command; accepted: {_fields(model, detail)}"
    accepted = _accepted(kind, context, detail["msg"])
    return f"`{path}` was {_shown(detail['input'])}; accepted: {accepted}"


def _fields(model: type[Wire], detail: ErrorDetails) -> str:
    if len(detail["loc"]) > 1:
        return "the fields that the documentation names"
    names = [field.alias or name for name, field in model.model_fields.items()]
    return ", ".join(f"`{name}`" for name in names) or "no field at all"


def _accepted(kind: str, context: dict[str, Any], message: str) -> str:
    match kind:
        case "literal_error":
            return str(context["expected"]).replace("'", "`")
        case "enum":
            return ", ".join(role.value for role in Role) + ", in any case" if "PLANNER" in message else message
        case "string_pattern_mismatch":
            return f"text that matches {context['pattern']}"
        case "string_too_short":
            return "text that is not empty"
        case "greater_than_equal":
            return f"a number of at least {context['ge']}"
        case "less_than_equal":
            return f"a number of at most {context['le']}"
        case _:
            for suffix in ("_type", "_parsing", "_from_float"):
                if kind.endswith(suffix) and (known := _KINDS.get(kind.removesuffix(suffix))):
                    return known
            return message[:1].lower() + message[1:]


def _shown(value: Any) -> str:
    """The value, short: it may be a long text, and it goes into logs."""
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    if value is None:
        text = "null"
    return text if len(text) <= 60 else text[:57] + "..."
