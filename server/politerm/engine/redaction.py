"""The one point where secrets are taken out: every input passes here before a run decides about it.

So what is stored is what is pasted and what is compared. Bytes of panes have a door of their own (engine/output.py).
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from politerm.core.inputs import Input
from politerm.core.redact import Redactor
from politerm.core.wire import Wire


def redacted(happened: Input, redactor: Redactor) -> Input:
    """The same input with every known secret value out of every text in it."""
    clean: Input = _clean(happened, redactor)
    return clean


def _clean(value: Any, redactor: Redactor) -> Any:
    match value:
        case str() if type(value) is str:
            return redactor.known(value)
        case Wire():
            update = {name: _clean(getattr(value, name), redactor) for name in type(value).model_fields}
            return value.model_copy(update=update)
        case dict():
            return {key: _clean(each, redactor) for key, each in value.items()}
        case tuple():
            return tuple(_clean(each, redactor) for each in value)
        case list():
            return [_clean(each, redactor) for each in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: _clean(getattr(value, f.name), redactor) for f in fields(value)})
        case _:
            return value
