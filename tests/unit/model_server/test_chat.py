"""The scripted model in the form of the Chat Completions API, put together again as a client would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.model_server.chat import Chat
from tests.model_server.scenario import Ask

PATH = "/v1/chat/completions"
TOOLS = [{"type": "function", "function": {"name": "write"}}]


def ask(*messages: Mapping[str, Any], model: str = "m", **more: Any) -> Ask:
    read = Chat().read("POST", PATH, {"model": model, "messages": list(messages), **more})
    assert isinstance(read, Ask)
    return read


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def spoken(data: bytes) -> list[dict[str, Any]]:
    events = [line.removeprefix("data: ") for line in data.decode().split("\n\n") if line]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


def test_a_turn_is_counted_from_what_people_said_and_a_leg_from_what_the_model_answered_since() -> None:
    called = {"role": "assistant", "tool_calls": [{"id": "c"}]}
    given = {"role": "tool", "tool_call_id": "c", "content": "it is\ndone"}
    seen = ask(
        {"role": "system", "content": "Be good."},
        user("Please greet."),
        {"role": "assistant", "content": "Hello."},
        user([{"type": "text", "text": "And now\nwrite.<system-reminder>the hour\n</system-reminder>"}]),
        called,
        given,
        tools=TOOLS,
    )
    assert (seen.prompt, seen.turn, seen.leg, seen.results) == ("And now\nwrite.", 2, 1, ("it is\ndone",))
    assert seen.conversation == "Please greet.\nAnd now\nwrite."
    assert not seen.side


def test_what_an_agent_says_in_its_users_name_is_no_prompt() -> None:
    files = user("I have *added these files to the chat* so you can go ahead and edit them.\n\na.txt")
    seen = ask(user("Please write."), {"role": "assistant", "content": "Ok."}, files, user("And now."), model="m-bare")
    assert (seen.turn, seen.conversation) == (2, "Please write.\nAnd now.")


def test_the_name_of_the_model_says_what_the_request_is_for_where_tools_do_not() -> None:
    assert ask(user("x"), tools=TOOLS).side is False
    assert ask(user("x")).side is True
    assert ask(user("x"), model="m-bare").side is False
    assert ask(user("x"), model="m-side", tools=TOOLS).side is True


def test_a_streamed_reply_holds_text_thought_calls_and_usage() -> None:
    speech = Chat().speech(ask(user("x")), (12, 3))
    wide = {"text": "ä" * 500}
    data = speech.begin() + speech.think("Hm.") + speech.text("One, ") + speech.text("two.")
    data += speech.tool("write", wide) + speech.tool("read", {}) + speech.end()
    *deltas, last = spoken(data)
    assert (last["choices"], last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == ([], 12, 3)
    parts = [event["choices"][0]["delta"] for event in deltas]
    assert "".join(part.get("content", "") for part in parts) == "One, two."
    assert "".join(part.get("reasoning_content", "") for part in parts) == "Hm."
    arguments = {0: "", 1: ""}
    for call in (call for part in parts for call in part.get("tool_calls", ())):
        arguments[call["index"]] += call["function"]["arguments"]
    assert [json.loads(text) for text in arguments.values()] == [wide, {}]
    assert deltas[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_the_whole_reply_is_the_streamed_one_in_one_object() -> None:
    speech = Chat().speech(ask(user("x")), (12, 3))
    for _ in (speech.begin(), speech.text("One, "), speech.text("two."), speech.end()):
        pass
    whole = speech.whole()
    assert whole["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "One, two."},
        "finish_reason": "stop",
    }
    assert whole["usage"]["total_tokens"] == 15


def test_a_path_of_another_api_is_left_to_others() -> None:
    assert Chat().read("POST", "/v1/messages", {}) is None
    assert Chat().read("GET", PATH, {}) is None
