"""The OpenAI Responses API, as Codex uses it: `POST /v1/responses` with `stream: true`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from tests.model_server.dialect import Plain
from tests.model_server.scenario import Ask

_NUMBERS = count(1)
_WRAPPING = re.compile(r"^<(environment_context|user_instructions|turn_aborted|permissions instructions)>", re.DOTALL)
"""What the agent itself says in the user's name."""
_ERRORS = {401: "invalid_api_key", 429: "rate_limit_exceeded"}


class Responses:
    name = "responses"

    def read(self, method: str, path: str, body: Mapping[str, Any]) -> Ask | Plain | None:
        if not path.endswith("/v1/responses") or method != "POST":
            return None
        items = [item for item in body.get("input", []) if isinstance(item, dict)]
        prompts = [(at, text) for at, item in enumerate(items) for text in _said(item)]
        last = prompts[-1][0] if prompts else 0
        return Ask(
            prompt=prompts[-1][1] if prompts else "",
            conversation="\n".join(text for _, text in prompts),
            turn=len(prompts),
            leg=_legs(items[last:]),
            # A title or a summary is asked for in a form of its own; the user's turns never are.
            side="format" in body.get("text", {}),
            stream=bool(body.get("stream")),
            model=str(body.get("model", "")),
            results=tuple(_results(items[last:])),
        )

    def speech(self, ask: Ask, tokens: tuple[int, int]) -> ResponsesSpeech:
        return ResponsesSpeech(ask.model, tokens)

    def failure(self, status: int, message: str) -> Mapping[str, Any]:
        """A message that is a JSON object is the error itself: some errors say more than a message can."""
        error = {"type": "api_error", "code": _ERRORS.get(status), "message": message, "param": None}
        return {"error": json.loads(message) if message.startswith("{") else error}


class ResponsesSpeech:
    def __init__(self, model: str, tokens: tuple[int, int]) -> None:
        self._tokens = tokens
        self._response: dict[str, Any] = {
            "id": f"resp_{next(_NUMBERS):08d}",
            "object": "response",
            "model": model,
            "status": "in_progress",
            "output": [],
        }
        self._open: dict[str, Any] | None = None

    def begin(self) -> bytes:
        return self._event("response.created", response=self._response)

    def text(self, text: str) -> bytes:
        sent = b""
        if self._open is None or self._open["type"] != "message":
            part = {"type": "output_text", "text": "", "annotations": []}
            sent = self._shut() + self._start({"type": "message", "role": "assistant", "content": [part]}, "msg")
        assert self._open is not None
        self._open["content"][0]["text"] += text
        return sent + self._delta("response.output_text.delta", content_index=0, delta=text)

    def think(self, text: str) -> bytes:
        sent = b""
        if self._open is None or self._open["type"] != "reasoning":
            part = {"type": "summary_text", "text": ""}
            sent = self._shut() + self._start({"type": "reasoning", "summary": [part]}, "rs")
            sent += self._delta("response.reasoning_summary_part.added", summary_index=0, part=part)
        assert self._open is not None
        self._open["summary"][0]["text"] += text
        return sent + self._delta("response.reasoning_summary_text.delta", summary_index=0, delta=text)

    def tool(self, name: str, arguments: Mapping[str, Any]) -> bytes:
        """A tool with one argument called `freeform` takes it as it is; any other gets JSON."""
        call = {"call_id": f"call_{next(_NUMBERS):08d}", "name": name}
        if list(arguments) == ["freeform"]:
            text, field, kind = str(arguments["freeform"]), "input", "custom_tool_call"
            delta = "response.custom_tool_call_input.delta"
        else:
            text, field, kind = json.dumps(arguments), "arguments", "function_call"
            delta = "response.function_call_arguments.delta"
        sent = self._shut() + self._start({"type": kind, **call, field: ""}, "fc")
        assert self._open is not None
        for at in range(0, len(text), 200):
            sent += self._delta(delta, delta=text[at : at + 200])
        self._open[field] = text
        return sent + self._shut()

    def end(self) -> bytes:
        sent = self._shut()
        into, out = self._tokens
        self._response["status"] = "completed"
        self._response["usage"] = {
            "input_tokens": into,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": out,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": into + out,
        }
        return sent + self._event("response.completed", response=self._response)

    def whole(self) -> Mapping[str, Any]:
        return self._response

    def _start(self, item: dict[str, Any], prefix: str) -> bytes:
        self._open = {"id": f"{prefix}_{next(_NUMBERS):08d}", "status": "in_progress", **item}
        self._response["output"].append(self._open)
        return self._delta("response.output_item.added", item=self._open)

    def _delta(self, kind: str, **fields: Any) -> bytes:
        assert self._open is not None
        place = {"output_index": len(self._response["output"]) - 1, "item_id": self._open["id"]}
        return self._event(kind, **place, **fields)

    def _shut(self) -> bytes:
        if self._open is None:
            return b""
        self._open["status"] = "completed"
        sent = self._delta("response.output_item.done", item=self._open)
        self._open = None
        return sent

    def _event(self, kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _said(item: Mapping[str, Any]) -> Iterator[str]:
    """What a person said in this item: its texts without the agent's own."""
    if item.get("type", "message") != "message" or item.get("role") != "user":
        return
    content = item.get("content")
    parts = [{"text": content}] if isinstance(content, str) else content or []
    for part in parts:
        text = str(part.get("text", "")).strip()
        if text and not _WRAPPING.match(text):
            yield text


def _legs(items: list[dict[str, Any]]) -> int:
    """How often the model has spoken: what it said at once (thoughts, texts, calls) stands there in one piece."""
    kinds = [str(item.get("type", "message")) for item in items]
    spoken = [
        kind == "reasoning" or kind.endswith("_call") or item.get("role") == "assistant"
        for kind, item in zip(kinds, items, strict=True)
    ]
    return sum(now and not before for before, now in zip([False, *spoken], spoken, strict=False))


def _results(items: list[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        if item.get("type", "").endswith("_call_output"):
            output = item.get("output", "")
            yield output if isinstance(output, str) else "".join(str(part.get("text", "")) for part in output)
