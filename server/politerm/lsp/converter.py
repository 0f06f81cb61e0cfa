"""From the wire to types and back: lsprotocol's classes, our pydantic models, dates, plain JSON for what has no type.

pygls makes namedtuples of parameters it has no type for, which loses keys; here they stay the JSON that came.
"""

from __future__ import annotations

import datetime
import functools
from typing import Any

import attrs
from cattrs import Converter
from lsprotocol import converters, types
from pygls.protocol import JsonRPCNotification, JsonRPCRequestMessage, JsonRPCResponseMessage


@functools.cache
def converter() -> Converter:
    """One for all connections: it keeps nothing about any of them, and making it takes 10 ms."""
    made = converters.get_converter()
    for plain in (JsonRPCRequestMessage, JsonRPCResponseMessage, JsonRPCNotification):
        made.register_structure_hook(plain, lambda value, cls: cls(**{"params": None, **value}))
    made.register_structure_hook(JsonRPCResponseMessage, lambda value, cls: cls(**value))
    made.register_structure_hook_func(_is_model, lambda value, cls: cls.model_validate(value))
    made.register_unstructure_hook_func(_is_model, lambda value: value.to_json())
    made.register_unstructure_hook(datetime.datetime, lambda value: value.isoformat())
    return made


def _is_model(cls: Any) -> bool:
    """A pydantic model, asked without importing pydantic, which `initialize` need not wait for."""
    return hasattr(cls, "model_validate") and hasattr(cls, "to_json")


@attrs.define
class OpenNotification:
    """A notification of ours: its parameters are checked by who handles them, so that the sentence names the field."""

    params: Any = None
    method: str = ""
    jsonrpc: str = "2.0"


def message_type(method: str) -> type[Any] | None:
    """The class of a message by its method; None: plain JSON will do."""
    if method.startswith("politerm/"):
        return OpenNotification
    found: type[Any] | None = types.METHOD_TO_TYPES.get(method, (None,))[0]
    return found


def result_type(method: str) -> type[Any] | None:
    known = types.METHOD_TO_TYPES.get(method)
    found: type[Any] | None = known[1] if known is not None else None
    return found
