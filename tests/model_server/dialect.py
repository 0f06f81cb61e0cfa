"""What one model API must be able to do for the server: read a request, and speak a reply piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.model_server.scenario import Ask


@dataclass(frozen=True)
class Plain:
    """A whole answer that needs no scenario (probes, token counts)."""

    body: Mapping[str, Any]
    status: int = 200


class Speech(Protocol):
    """One reply on its way. Each call answers the bytes to send now; `whole` is the same as one JSON object."""

    def begin(self) -> bytes: ...

    def text(self, text: str) -> bytes: ...

    def think(self, text: str) -> bytes: ...

    def tool(self, name: str, arguments: Mapping[str, Any]) -> bytes: ...

    def end(self) -> bytes: ...

    def whole(self) -> Mapping[str, Any]: ...


class Dialect(Protocol):
    name: str

    def read(self, method: str, path: str, body: Mapping[str, Any]) -> Ask | Plain | None:
        """None: this path is not mine."""
        ...

    def speech(self, ask: Ask, tokens: tuple[int, int]) -> Speech: ...

    def failure(self, status: int, message: str) -> Mapping[str, Any]:
        """The body of an HTTP error in this API's form."""
        ...
