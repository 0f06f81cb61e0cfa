"""Kind `copilot`: the events that GitHub Copilot's CLI keeps of a session, `session-state/<session>/events.jsonl`.

A turn of ours is one or more of theirs, one for each request to the model: `assistant.turn_end` ends it when the model
has spoken and called no tool. An interrupt (`abort`) and a failure (`session.error`) come after such an end that no
message went before. What was streamed before an interrupt is not recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from politerm.engine.ports import WitnessRecord
from politerm.witness.entry import clean, inner, number


class CopilotReader:
    def __init__(self) -> None:
        self.memory: dict[str, Any] = {"open": False, "last": False}
        """`open`: a turn is open; `last`: the model has spoken in this part of it, and asked for no tool."""

    def read(self, entry: Mapping[str, Any]) -> Iterator[WitnessRecord]:
        data = inner(entry, "data")
        if data.get("parentToolCallId") or entry.get("agentId"):
            return  # What an agent of the agent's own says and does.
        match entry.get("type"):
            case "session.start" | "session.resume":
                # Whatever turn was open died with the process before this one.
                self.memory |= {"open": False, "last": False}
                if session := clean(data.get("sessionId")):
                    yield WitnessRecord("session", session)
            case "user.message" if data.get("source") in (None, "user"):
                self.memory |= {"open": True, "last": False}
                yield WitnessRecord("prompt", clean(data.get("content")))
            case "assistant.turn_start":
                self.memory["last"] = False
            case "assistant.message":
                self.memory |= {"open": True, "last": not data.get("toolRequests")}
                if text := clean(data.get("content")):
                    yield WitnessRecord("reply", text)
            case "assistant.turn_end" if self.memory["last"]:
                yield from self._end("done")
            case "abort":
                yield from self._end("interrupted")
            case "session.error":
                yield from self._end("failed", clean(data.get("message")))
            case "permission.requested":
                yield WitnessRecord("permission", _asked(inner(data, "permissionRequest")))
            case "session.usage_record":
                usage = inner(data, "usage")
                tokens = number(usage, "inputTokens"), number(usage, "outputTokens")
                if any(tokens):
                    yield WitnessRecord("usage", tokens_in=tokens[0], tokens_out=tokens[1])

    def _end(self, how: str, why: str = "") -> Iterator[WitnessRecord]:
        if self.memory["open"]:
            self.memory |= {"open": False, "last": False}
            yield WitnessRecord("turn_end", why, how=how)


def _asked(request: Mapping[str, Any]) -> str:
    """`shell: rm -rf build`: the kind of permission, and of what it is about what matters to a person."""
    kind = clean(request.get("kind"))
    for name in ("fullCommandText", "fileName", "path", "url", "toolName", "intention"):
        if about := clean(request.get(name)):
            return f"{kind}: {about}"
    return kind
