"""The OpenAI Chat Completions API: `POST .../chat/completions`, streamed or whole, with tool calls and usage.

Many agents speak it, and they differ in what they ask for themselves (titles, summaries). The test chooses the name of
the model, so the name says it: one that ends in `-side` is asked for the agent's own purposes, and one that ends in
`-bare` is asked by an agent that never offers tools. Otherwise a request without tools is the agent's own.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from tests.model_server.dialect import Plain
from tests.model_server.scenario import Ask

_NUMBERS = count(1)
_WRAPPING = re.compile(
    r"<(system-reminder|environment_details|current_datetime|reminder|system_notification)>.*?</\1>\s*", re.DOTALL
)
_OWN = re.compile(
    r"I have \*added these files|I am not sharing any files|I updated the files\.|I committed the changes|"
    r"I added these files|Here are (?:summaries of|some READ ONLY)|\^C KeyboardInterrupt|"
    r"This is the Qwen Code\. We are setting up the context for our chat\."
)
"""What agents say in their user's name."""
_ERRORS = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 500: "server_error"}
SIDE, BARE = "-side", "-bare"


class Chat:
    name = "chat"

    def read(self, method: str, path: str, body: Mapping[str, Any]) -> Ask | Plain | None:
        if path.endswith("/models") and method == "GET":
            return Plain({"object": "list", "data": []})
        if not path.endswith("/chat/completions") or method != "POST":
            return None
        messages = list(body.get("messages", []))
        prompts = [(at, text) for at, message in enumerate(messages) if (text := _said(message))]
        last = prompts[-1][0] if prompts else 0
        model = str(body.get("model", ""))
        return Ask(
            prompt=prompts[-1][1] if prompts else "",
            conversation="\n".join(text for _, text in prompts),
            turn=len(prompts),
            leg=sum(message["role"] == "assistant" for message in messages[last:]),
            side=model.endswith(SIDE) or not (body.get("tools") or model.endswith(BARE)),
            stream=bool(body.get("stream")),
            model=model,
            results=tuple(_results(messages)),
        )

    def speech(self, ask: Ask, tokens: tuple[int, int]) -> ChatSpeech:
        return ChatSpeech(ask.model, tokens)

    def failure(self, status: int, message: str) -> Mapping[str, Any]:
        kind = _ERRORS.get(status, "server_error")
        return {"error": {"message": message, "type": kind, "param": None, "code": kind}}


class ChatSpeech:
    def __init__(self, model: str, tokens: tuple[int, int]) -> None:
        self._head = {"id": f"chatcmpl-{next(_NUMBERS):08d}", "created": int(time.time()), "model": model}
        self._usage = {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        }
        self._text = ""
        self._thought = ""
        self._calls: list[dict[str, Any]] = []

    def begin(self) -> bytes:
        return self._delta({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        self._text += text
        return self._delta({"content": text})

    def think(self, text: str) -> bytes:
        self._thought += text
        return self._delta({"reasoning_content": text})

    def tool(self, name: str, arguments: Mapping[str, Any]) -> bytes:
        at, text = len(self._calls), json.dumps(arguments)
        call = {"id": f"call_{next(_NUMBERS):08d}", "type": "function", "function": {"name": name, "arguments": text}}
        self._calls.append(call)
        # As the service does it: the name first, its arguments in pieces after it.
        begun = {**call, "index": at, "function": {"name": name, "arguments": ""}}
        sent = self._delta({"tool_calls": [begun]})
        for start in range(0, len(text), 200):
            piece = {"index": at, "function": {"arguments": text[start : start + 200]}}
            sent += self._delta({"tool_calls": [piece]})
        return sent

    def end(self) -> bytes:
        return self._delta({}, self._reason) + self._event(choices=[], usage=self._usage) + b"data: [DONE]\n\n"

    def whole(self) -> Mapping[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self._text or None}
        if self._thought:
            message["reasoning_content"] = self._thought
        if self._calls:
            message["tool_calls"] = self._calls
        choice = {"index": 0, "message": message, "finish_reason": self._reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage}

    @property
    def _reason(self) -> str:
        return "tool_calls" if self._calls else "stop"

    def _delta(self, delta: Mapping[str, Any], reason: str | None = None) -> bytes:
        return self._event(choices=[{"index": 0, "delta": delta, "finish_reason": reason}])

    def _event(self, **fields: Any) -> bytes:
        return f"data: {json.dumps({**self._head, 'object': 'chat.completion.chunk', **fields})}\n\n".encode()


def _said(message: Mapping[str, Any]) -> str:
    """What a person said in this message: its texts without the agent's own wrapping."""
    text = _WRAPPING.sub("", _text(message)).strip() if message["role"] == "user" else ""
    return "" if _OWN.match(text) else text


def _results(messages: list[Mapping[str, Any]]) -> Iterator[str]:
    """What the tools gave that the model called last."""
    last = max((at for at, message in enumerate(messages) if message["role"] == "assistant"), default=len(messages))
    return (_text(message) for message in messages[last:] if message["role"] == "tool")


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
