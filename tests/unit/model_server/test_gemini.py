"""The scripted model in the form of the Gemini API, put together again as a client would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.model_server.dialect import Plain
from tests.model_server.gemini import Gemini
from tests.model_server.scenario import Ask

STREAM = "/v1beta/models/some-model:streamGenerateContent"
TOOLS = [{"functionDeclarations": [{"name": "write_file"}]}]


def ask(*contents: Mapping[str, Any], path: str = STREAM, **more: Any) -> Ask:
    read = Gemini().read("POST", path, {"contents": list(contents), **more})
    assert isinstance(read, Ask)
    return read


def user(*texts: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text} for text in texts]}


def test_a_turn_is_counted_from_what_people_said_and_a_leg_from_what_the_model_answered_since() -> None:
    called = {"role": "model", "parts": [{"functionCall": {"name": "write_file", "args": {}}}]}
    given = {"functionResponse": {"name": "write_file", "response": {"output": "it is done"}}}
    seen = ask(
        user("<session_context>\nToday.\n</session_context>"),
        user("Please greet."),
        {"role": "model", "parts": [{"text": "Hello."}]},
        user("Write."),
        called,
        {"role": "user", "parts": [given]},
        tools=TOOLS,
    )
    assert (seen.prompt, seen.turn, seen.leg, seen.results) == ("Write.", 2, 1, ("it is done",))
    assert (seen.conversation, seen.model, seen.stream) == ("Please greet.\nWrite.", "some-model", True)
    assert not seen.side


def test_a_request_without_tools_is_the_agents_own_and_one_for_a_count_needs_no_scenario() -> None:
    assert ask(user("x"), path="/v1beta/models/m:generateContent").side is True
    assert isinstance(Gemini().read("POST", "/v1beta/models/m:countTokens", {}), Plain)
    assert Gemini().read("POST", "/v1/chat/completions", {}) is None


def test_a_streamed_reply_is_the_whole_one_in_pieces() -> None:
    speech = Gemini().speech(ask(user("x")), (12, 3))
    data = speech.begin() + speech.think("Hm.") + speech.text("One, ") + speech.text("two.")
    data += speech.tool("write_file", {"content": "ä"}) + speech.end()
    events = [json.loads(event.removeprefix("data: ")) for event in data.decode().split("\r\n\r\n") if event]
    parts = [part for event in events for part in event["candidates"][0]["content"]["parts"]]
    assert "".join(part.get("text", "") for part in parts if not part.get("thought")) == "One, two."
    assert [part["functionCall"]["args"] for part in parts if "functionCall" in part] == [{"content": "ä"}]
    assert ["finishReason" in event["candidates"][0] for event in events].index(True) == len(events) - 1
    used = events[-1]["usageMetadata"]
    assert (used["promptTokenCount"], used["candidatesTokenCount"]) == (12, 3)
    whole = speech.whole()
    assert whole["candidates"][0]["content"]["parts"] == parts[:-1]
    assert whole["usageMetadata"] == used
