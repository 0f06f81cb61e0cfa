"""The Gemini API: `POST .../models/NAME:streamGenerateContent` (SSE), `:generateContent`, token counts.

The name of the model stands in the path, and so does whether the reply is streamed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from tests.model_server.dialect import Plain
from tests.model_server.scenario import Ask

_NUMBERS = count(1)
_PATH = re.compile(r"/models/([^/:]+):(streamGenerateContent|generateContent|countTokens)$")
_WRAPPING = re.compile(r"<(session_context|hook_context|system-reminder)>.*?</\1>\s*", re.DOTALL)
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}


class Gemini:
    name = "gemini"

    def read(self, method: str, path: str, body: Mapping[str, Any]) -> Ask | Plain | None:
        found = _PATH.search(path)
        if found is None or method != "POST":
            return None
        if found[2] == "countTokens":
            return Plain({"totalTokens": len(json.dumps(body)) // 4})
        contents = list(body.get("contents", []))
        # After a failed or interrupted turn several prompts travel in one content, one part each.
        prompts = [(at, text) for at, content in enumerate(contents) for text in _said(content)]
        last = prompts[-1][0] if prompts else 0
        return Ask(
            prompt=prompts[-1][1] if prompts else "",
            conversation="\n".join(text for _, text in prompts),
            turn=len(prompts),
            leg=sum(content.get("role") == "model" for content in contents[last:]),
            # Which model to take, who speaks next, what the talk was about: asked without tools.
            side=not body.get("tools"),
            stream=found[2] == "streamGenerateContent",
            model=found[1],
            results=tuple(_results(contents[-1])) if contents else (),
        )

    def speech(self, ask: Ask, tokens: tuple[int, int]) -> GeminiSpeech:
        return GeminiSpeech(ask.model, tokens)

    def failure(self, status: int, message: str) -> Mapping[str, Any]:
        return {"error": {"code": status, "message": message, "status": _STATUSES.get(status, "UNAVAILABLE")}}


class GeminiSpeech:
    def __init__(self, model: str, tokens: tuple[int, int]) -> None:
        self._head = {"responseId": f"response-{next(_NUMBERS):08d}", "modelVersion": model}
        self._tokens = tokens
        self._parts: list[dict[str, Any]] = []

    def begin(self) -> bytes:
        """The API has no event of its own for this: the first piece is the beginning."""
        return b""

    def text(self, text: str) -> bytes:
        return self._part({"text": text})

    def think(self, text: str) -> bytes:
        return self._part({"text": text, "thought": True})

    def tool(self, name: str, arguments: Mapping[str, Any]) -> bytes:
        return self._part({"functionCall": {"name": name, "args": dict(arguments)}})

    def end(self) -> bytes:
        return _event(self._answer([{"text": ""}], "STOP"))

    def whole(self) -> Mapping[str, Any]:
        return self._answer(self._parts, "STOP")

    def _part(self, part: dict[str, Any]) -> bytes:
        self._parts.append(part)
        return _event(self._answer([part], None))

    def _answer(self, parts: list[dict[str, Any]], reason: str | None) -> Mapping[str, Any]:
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
        usage = {"promptTokenCount": self._tokens[0], "totalTokenCount": self._tokens[0]}
        if reason is not None:
            candidate["finishReason"] = reason
            usage = {**usage, "candidatesTokenCount": self._tokens[1], "totalTokenCount": sum(self._tokens)}
        return {**self._head, "candidates": [candidate], "usageMetadata": usage}


def _said(content: Mapping[str, Any]) -> Iterator[str]:
    """What a person said in this content: its texts without the agent's own wrapping."""
    if content.get("role") == "model":
        return
    for part in content.get("parts", ()):
        if text := _WRAPPING.sub("", part.get("text") or "").strip():
            yield text


def _results(content: Mapping[str, Any]) -> Iterator[str]:
    for part in content.get("parts", ()):
        if answer := part.get("functionResponse", {}).get("response"):
            yield str(answer.get("output") or json.dumps(answer))


def _event(answer: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(answer)}\r\n\r\n".encode()
