"""The Anthropic Messages API, as Claude Code uses it: `POST /v1/messages` with `stream: true`, token counts, probes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from tests.model_server.dialect import Plain
from tests.model_server.scenario import Ask

_NUMBERS = count(1)
_WRAPPING = re.compile(r"<(system-reminder|command-[a-z]+|local-command-[a-z]+)>.*?</\1>\s*", re.DOTALL)
_PASTED = re.compile(r'(?:\n\n)?<pasted_content id="([0-9a-f]+)">\n(.*?)\n</pasted_content id="\1">\n?', re.DOTALL)
_ERRORS = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}


class Anthropic:
    name = "anthropic"

    def read(self, method: str, path: str, body: Mapping[str, Any]) -> Ask | Plain | None:
        if path.endswith("/v1/messages/count_tokens"):
            return Plain({"input_tokens": len(json.dumps(body)) // 4})
        if not path.endswith("/v1/messages") or method != "POST":
            return None
        messages = list(body.get("messages", []))
        # After a failed or interrupted turn several prompts travel in one message, one text block each.
        prompts = [(at, text) for at, message in enumerate(messages) for text in _said(message)]
        last = prompts[-1][0] if prompts else 0
        return Ask(
            prompt=prompts[-1][1] if prompts else "",
            conversation="\n".join(text for _, text in prompts),
            turn=len(prompts),
            leg=sum(message["role"] == "assistant" for message in messages[last:]),
            # The user's own turns always offer tools; titles, topics and probes never do.
            side=not body.get("tools"),
            stream=bool(body.get("stream")),
            model=str(body.get("model", "")),
            results=tuple(_results(messages[-1])) if messages else (),
        )

    def speech(self, ask: Ask, tokens: tuple[int, int]) -> AnthropicSpeech:
        return AnthropicSpeech(ask.model, tokens)

    def failure(self, status: int, message: str) -> Mapping[str, Any]:
        return {"type": "error", "error": {"type": _ERRORS.get(status, "api_error"), "message": message}}


class AnthropicSpeech:
    def __init__(self, model: str, tokens: tuple[int, int]) -> None:
        self._message: dict[str, Any] = {
            "id": f"msg_{next(_NUMBERS):08d}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": tokens[0], "output_tokens": 1},
        }
        self._tokens = tokens
        self._open: dict[str, Any] | None = None

    def begin(self) -> bytes:
        return _event("message_start", message=self._message)

    def text(self, text: str) -> bytes:
        return self._piece("text", "text", {"type": "text_delta", "text": text})

    def think(self, text: str) -> bytes:
        return self._piece("thinking", "thinking", {"type": "thinking_delta", "thinking": text})

    def tool(self, name: str, arguments: Mapping[str, Any]) -> bytes:
        ident = f"toolu_{next(_NUMBERS):08d}"
        sent = self._shut() + self._start({"type": "tool_use", "id": ident, "name": name, "input": {}})
        text = json.dumps(arguments)
        for at in range(0, len(text), 200):
            sent += self._delta({"type": "input_json_delta", "partial_json": text[at : at + 200]})
        self._message["content"][-1]["input"] = dict(arguments)
        self._message["stop_reason"] = "tool_use"
        return sent + self._shut()

    def end(self) -> bytes:
        self._message["stop_reason"] = self._message["stop_reason"] or "end_turn"
        self._message["usage"]["output_tokens"] = self._tokens[1]
        ending = {"stop_reason": self._message["stop_reason"], "stop_sequence": None}
        usage = {"output_tokens": self._tokens[1]}
        return self._shut() + _event("message_delta", delta=ending, usage=usage) + _event("message_stop")

    def whole(self) -> Mapping[str, Any]:
        return self._message

    def _piece(self, kind: str, part: str, delta: dict[str, Any]) -> bytes:
        sent = b""
        if self._open is None or self._open["type"] != kind:
            sent = self._shut() + self._start({"type": kind, part: ""})
        assert self._open is not None
        self._open[part] += delta[part]
        return sent + self._delta(delta)

    def _start(self, block: dict[str, Any]) -> bytes:
        # What goes over the wire is the empty block; the kept one fills up for `whole`.
        sent = _event("content_block_start", index=len(self._message["content"]), content_block=dict(block))
        self._open = block
        self._message["content"].append(block)
        return sent

    def _delta(self, delta: Mapping[str, Any]) -> bytes:
        return _event("content_block_delta", index=len(self._message["content"]) - 1, delta=delta)

    def _shut(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", index=len(self._message["content"]) - 1)


def _said(message: Mapping[str, Any]) -> Iterator[str]:
    """What a person said in this message: its texts without the agent's own wrapping."""
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if message["role"] != "user":
        return
    for block in blocks:
        text = _PASTED.sub(r"\2", _WRAPPING.sub("", block.get("text", ""))).strip()
        if text and not text.startswith("[Request interrupted by user"):
            yield text


def _results(message: Mapping[str, Any]) -> Iterator[str]:
    for block in message["content"] if isinstance(message["content"], list) else []:
        if block["type"] == "tool_result":
            inner = block.get("content", "")
            yield inner if isinstance(inner, str) else "".join(part.get("text", "") for part in inner)


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
