"""The scripted model's Responses API: what is read out of a request, and what is said over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.model_server.responses import Responses
from tests.model_server.scenario import Ask


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def assistant(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def read(*items: Mapping[str, Any], **body: Any) -> Ask:
    asked = {"stream": True, "model": "m", "input": list(items), **body}
    ask = Responses().read("POST", "/v1/responses", asked)
    assert isinstance(ask, Ask)
    return ask


def events(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(part.split(b"data: ", 1)[1]) for part in data.split(b"\n\n") if part]


def test_prompts_are_told_from_what_the_agent_says_in_the_users_name() -> None:
    ask = read(
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be good."}]},
        user("<environment_context>\n<cwd>/x</cwd>\n</environment_context>"),
        user("First."),
        assistant("Half."),
        user("<turn_aborted>\nThe user interrupted.\n</turn_aborted>"),
        user("Second."),
    )
    assert (ask.prompt, ask.turn, ask.leg) == ("Second.", 2, 0)
    assert ask.conversation == "First.\nSecond."


def test_a_leg_is_whatever_the_model_said_in_one_piece() -> None:
    ask = read(
        user("Do it."),
        {"type": "reasoning", "summary": []},
        assistant("I write."),
        {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": "..."},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "Success."},
        {"type": "function_call", "call_id": "c2", "name": "exec_command", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "ok"}]},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "By the way."}]},
    )
    assert (ask.leg, ask.results) == (2, ("Success.", "ok"))


def test_what_is_asked_for_in_a_form_of_its_own_is_no_turn_of_the_users() -> None:
    assert read(user("Make a title."), text={"format": {"type": "json_schema"}}).side
    assert not read(user("Work."), text={"verbosity": "low"}).side


def test_other_paths_are_left_to_others() -> None:
    assert Responses().read("GET", "/v1/models", {}) is None
    assert Responses().read("POST", "/v1/chat/completions", {}) is None


def test_a_reply_is_streamed_piece_by_piece_and_ends_with_its_usage() -> None:
    speech = Responses().speech(read(user("Hi.")), (12, 3))
    sent = speech.begin() + speech.think("Hm.") + speech.text("Hel") + speech.text("lo.")
    sent += speech.tool("exec_command", {"cmd": "id"}) + speech.tool("apply_patch", {"freeform": "*** Begin"})
    told = events(sent + speech.end())
    assert told[0]["type"] == "response.created"
    done = [event["item"] for event in told if event["type"] == "response.output_item.done"]
    assert [item["type"] for item in done] == ["reasoning", "message", "function_call", "custom_tool_call"]
    assert done[1]["content"][0]["text"] == "Hello."
    assert json.loads(done[2]["arguments"]) == {"cmd": "id"}
    assert done[3]["input"] == "*** Begin"
    deltas = [event["delta"] for event in told if event["type"] == "response.output_text.delta"]
    assert deltas == ["Hel", "lo."]
    ended = told[-1]
    assert ended["type"] == "response.completed"
    assert (ended["response"]["usage"]["input_tokens"], ended["response"]["usage"]["output_tokens"]) == (12, 3)
    assert speech.whole()["output"] == done


def test_a_failure_has_the_form_of_the_api() -> None:
    error = Responses().failure(401, "bad key")["error"]
    assert (error["message"], error["code"]) == ("bad key", "invalid_api_key")
    assert Responses().failure(429, '{"type": "usage_limit_reached"}') == {"error": {"type": "usage_limit_reached"}}
