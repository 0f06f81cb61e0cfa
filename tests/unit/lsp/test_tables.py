"""Tables that must agree: announced names and handlers; the converter and what pygls stumbles over."""

from __future__ import annotations

import datetime
import subprocess
import sys

import pytest
from lsprotocol import types

from politerm.core.wire import Role, Why
from politerm.engine import requests as rq
from politerm.errors import InvalidParams
from politerm.lsp.catalog import COMMAND_NAMES, ONCE, REPEATABLE
from politerm.lsp.commands import COMMANDS
from politerm.lsp.converter import converter, message_type
from politerm.lsp.explain import read_arguments
from politerm.lsp.server import folders_of, path_of


def test_every_announced_command_has_a_handler_and_the_other_way_round() -> None:
    assert sorted(COMMAND_NAMES) == sorted(COMMANDS)
    assert not set(REPEATABLE) & set(ONCE)


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("politerm.lsp.client", ["lsprotocol", "pygls", "pydantic"]),
        ("politerm.lsp.serve", ["lsprotocol", "pygls", "pydantic"]),
        ("politerm.lsp.server", ["pydantic", "politerm.core.events", "politerm.lsp.commands"]),
    ],
)
def test_what_is_not_loaded_before_it_is_needed(module: str, unwanted: list[str]) -> None:
    """A verb that only asks the holder, and an editor that waits for `initialize`, wait for none of these."""
    script = f"import sys, {module}; print([name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_models_and_dates_through_the_converter() -> None:
    model = converter().structure({"runId": "run-00001", "role": "planner"}, rq.PaneRef)
    assert model == rq.PaneRef(run_id="run-00001", role=Role.PLANNER)  # type: ignore[arg-type]
    assert converter().unstructure(Why(source="a", rule="b")) == {"source": "a", "rule": "b", "evidence": ""}
    assert converter().unstructure(datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)).startswith("2026-01-02T")


@pytest.mark.parametrize("method", ["politerm/paneCredit", "unknown/method"])
def test_params_without_a_type_stay_what_they_were(method: str) -> None:
    from pygls.protocol import JsonRPCNotification

    params = {"type_name": "x", "for": 1, "nested": {"jsonrpc": "2.0", "id": 1}}
    cls = message_type(method) or JsonRPCNotification
    assert converter().structure({"jsonrpc": "2.0", "method": method, "params": params}, cls).params == params
    assert converter().structure({"jsonrpc": "2.0", "method": method}, cls).params is None


def test_types_of_the_protocol_itself() -> None:
    assert message_type(types.INITIALIZE) is types.InitializeRequest


def test_defaults_of_the_models_are_used() -> None:
    request = read_arguments("politerm.run.start", rq.StartRun, {"task": "x"})
    assert (request.mode, request.approve_plans, request.queue) == ("dual", "off", False)


@pytest.mark.parametrize("role", ["planner", "Planner", "PLANNER"])
def test_roles_in_any_case(role: str) -> None:
    assert read_arguments("x", rq.PaneRef, {"runId": "r", "role": role}).role is Role.PLANNER


def test_a_sentence_names_at_most_three_fields_and_shows_no_long_value() -> None:
    arguments = {"task": "x", "mode": "y" * 1000, "order": 1, "isolate": 1, "queue": [], "approvePlans": 3}
    with pytest.raises(InvalidParams) as caught:
        read_arguments("politerm.run.start", rq.StartRun, arguments)
    assert len(caught.value.message) < 500
    assert len(caught.value.data["fields"]) == 5


def test_nested_fields_are_named_by_their_path() -> None:
    arguments = {"task": "x", "context": [{"uri": "file:///a"}, {"url": "b"}], "limits": {"rounds": "many"}}
    with pytest.raises(InvalidParams) as caught:
        read_arguments("politerm.run.start", rq.StartRun, arguments)
    assert caught.value.data["fields"] == ["limits.rounds", "context.1.uri", "context.1.url"]
    assert "a whole number" in caught.value.message


def test_folders_of_initialize() -> None:
    assert folders_of({"workspaceFolders": [{"uri": "file:///a%20b"}, {"uri": "untitled:x"}]}) == ("/a b",)
    assert folders_of({"workspaceFolders": None, "rootUri": "file:///r", "rootPath": "/p"}) == ("/r",)
    assert folders_of({"rootUri": None, "rootPath": "/p"}) == ("/p",)
    assert folders_of({}) == ()
    assert path_of("file://host/a") is None
    assert path_of("file://localhost/a") == "/a"
    assert path_of("https://example.org/a") is None
