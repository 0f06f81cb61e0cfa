"""Profiles: what a file may hold, what is said of a wrong one, a user's over a built-in, placeholders."""

from __future__ import annotations

import json

import pytest

from politerm.agents.profile import AgentProfile, Rule, expand, fill
from politerm.agents.registry import check_name, parse_profile, unknown_agent
from politerm.core.wire import AgentState
from politerm.errors import InvalidParams

CONTRACT = r"""
command = ["python3", "/opt/mine.py"]
ready = '^mine> ?$'
working = ['Thinking', 'esc to interrupt']
submit = "Enter"
interrupt = ["Escape"]
exit = ["/quit", "Enter"]
env = { LANG = "C.UTF-8" }
[[blocked]]
match = 'Allow (?P<what>.+)\?'
kind = "permission"
choices = { allow = "y", deny = "n" }
[witness]
kind = "jsonl"
path = "{stateDir}/mine.jsonl"
"""


def test_the_example_of_the_contract() -> None:
    parsed = parse_profile(CONTRACT, "mine", "user")
    profile = parsed.profile
    assert parsed.warnings == ()
    assert (profile.name, profile.command) == ("mine", ("python3", "/opt/mine.py"))
    assert profile.ready == (Rule(match="^mine> ?$"),)
    assert profile.working == (Rule(match="Thinking"), Rule(match="esc to interrupt"))
    assert (profile.submit, profile.exit) == (("Enter",), ("/quit", "Enter"))
    assert profile.blocked[0].choices == {"allow": ("y",), "deny": ("n",)}
    assert profile.blocked[0].state is AgentState.BLOCKED
    assert profile.witness is not None
    assert profile.witness.path == "{stateDir}/mine.jsonl"
    assert profile.spec().turn_end == "unsure"


def test_a_command_alone_is_enough() -> None:
    profile = parse_profile('command = ["cat"]', "mine", "user").profile
    assert profile == AgentProfile(name="mine", command=("cat",))
    assert profile.spec().turn_end == "never"


def test_a_record_that_ends_turns_makes_their_end_known() -> None:
    text = 'command = ["x"]\n[witness]\nkind = "jsonl"\nturnEnd = true'
    assert parse_profile(text, "mine", "user").profile.spec().turn_end == "known"


def test_a_conversation_is_named_beforehand_only_where_its_id_is_among_the_arguments() -> None:
    def profile(session: str) -> AgentProfile:
        return parse_profile(f"command = ['x']\nsession = {session}", "mine", "user").profile

    assert profile("['--session-id', '{session}']").names_session
    assert not profile("['-e', '{stateDir}/mine.ts']").names_session


def test_a_rule_may_name_its_place() -> None:
    text = "command = ['x']\nready = [{ match = '^>$', where = 'bottom' }, 'go']"
    assert parse_profile(text, "mine", "user").profile.ready == (Rule(match="^>$", where="bottom"), Rule(match="go"))


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("command = [", "", "not valid TOML"),
        ("ready = 'x'", "command", "no `command`"),
        ("command = []", "command", "`command` is wrong"),
        ("command = 'claude --x'", "command", "as a list"),
        ("command = ['x']\nready = '('", "ready[0].match", "not a regular expression"),
        ("command = ['x']\nready = [{ match = 'x', where = 'top' }]", "ready[0].where", "top"),
        ("command = ['x']\npasteLimit = 10", "pasteLimit", "greater than or equal to 1000"),
        ("command = ['x']\nsubmitDelay = -1", "submitDelay", "-1"),
        ("command = ['x']\nenv = { A = 1 }", "env.A", "valid string"),
        ("command = ['x']\n[[blocked]]\nkind = 'permission'", "blocked[0].match", "required"),
        ("command = ['x']\n[[blocked]]\nmatch = 'x'\nkind = 'odd'", "blocked[0].kind", "odd"),
        ("command = ['x']\nwitness = 'jsonl'", "witness", "jsonl"),
        ("command = ['x']\n[witness]\npath = 'x'", "witness.kind", "required"),
        ("command = ['x']\nblocked = 'x'", "blocked", "x"),
    ],
)
def test_what_is_wrong_is_named(text: str, field: str, words: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        parse_profile(text, "mine", "user")
    assert caught.value.data["field"] == field
    assert caught.value.data["agent"] == "mine"
    assert words.lower() in str(caught.value).lower()
    assert "agents/mine.toml" in str(caught.value)


def test_unknown_names_are_warned_about_and_do_nothing() -> None:
    text = """
    command = ["x"]
    name = "other"
    pasteLimt = 5000
    future = true
    [[blocked]]
    match = "x"
    choice = {}
    [witness]
    kind = "jsonl"
    pth = "x"
    """
    parsed = parse_profile(text, "mine", "user")
    assert parsed.profile.name == "mine"
    assert len(parsed.warnings) == 5
    joined = "\n".join(parsed.warnings)
    for words in ("`pasteLimt`", "Did you mean `pasteLimit`?", "`future`", "`blocked[0].choice`", "`witness.pth`"):
        assert words in joined


def test_both_spellings_of_a_field_are_the_same_field() -> None:
    parsed = parse_profile("command = ['x']\npaste_limit = 2000", "mine", "user")
    assert (parsed.profile.paste_limit, parsed.warnings) == (2000, ())


def test_a_users_file_changes_single_fields_of_a_built_in() -> None:
    base = parse_profile(CONTRACT, "mine", "built-in")
    over = parse_profile(
        'env = { TERM = "dumb" }\npasteLimit = 5000\nready = []\n[witness]\nlag = 2', "mine", "user", base=base
    )
    profile = over.profile
    assert over.source == "user"
    assert profile.command == base.profile.command
    assert profile.env == {"LANG": "C.UTF-8", "TERM": "dumb"}
    assert (profile.paste_limit, profile.ready) == (5000, ())
    assert profile.witness is not None
    assert (profile.witness.kind, profile.witness.lag, profile.witness.path) == ("jsonl", 2, "{stateDir}/mine.jsonl")
    assert profile.blocked == base.profile.blocked


def test_a_witness_of_another_kind_takes_nothing_over() -> None:
    base = parse_profile(CONTRACT, "mine", "built-in")
    over = parse_profile("[witness]\nkind = 'other'", "mine", "user", base=base).profile
    assert over.witness is not None
    assert over.witness.path is None


@pytest.mark.parametrize("name", ["a", "scripted-planner", "0.x_y", "a" * 64])
def test_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "../x", ".x", "-x", "a/b", "a b", "a\n", "a" * 65, "ä"])
def test_names_that_none_can_have(name: str) -> None:
    with pytest.raises(InvalidParams):
        check_name(name)


def test_an_unknown_agent_is_answered_with_the_known_ones() -> None:
    message, hint = unknown_agent("cluade", {"claude": 1, "aider": 1})
    assert "'cluade'" in message
    assert "Did you mean claude?" in hint
    assert "aider, claude" in hint


def test_placeholders_are_filled_once() -> None:
    assert fill("{python} {stateDir}/{session} {other} {}", python="{session}", state_dir="/s", session="id") == (
        "{session} /s/id {other} {}"
    )


def test_what_is_not_known_yet_stays() -> None:
    assert fill("{stateDir}/{session}", state_dir="/s", session=None) == "/s/{session}"


def test_expand_reaches_everything_that_is_used_outside() -> None:
    profile = parse_profile(
        """
        command = ["{python}", "-m", "x"]
        version = ["{python}"]
        env = { A = "{stateDir}" }
        files = { "{stateDir}/a.json" = '{"s": "{session}"}' }
        session = ["--session", "{session}"]
        resume = ["--resume", "{session}"]
        [witness]
        kind = "jsonl"
        path = "{stateDir}/{session}.jsonl"
        """,
        "mine",
        "user",
    ).profile
    full = expand(profile, python="/py", state_dir="/s", session="id")
    assert full.command[0] == full.version[0] == "/py"
    assert full.env == {"A": "/s"}
    assert full.files == {"/s/a.json": '{"s": "id"}'}
    assert (full.session, full.resume) == (("--session", "id"), ("--resume", "id"))
    assert full.witness is not None
    assert full.witness.path == "/s/id.jsonl"
    assert expand(profile).command == profile.command


def test_a_folder_of_any_name_is_a_url_that_json_holds_as_it_is() -> None:
    profile = AgentProfile(command=("x",), env={"A": '["{stateUrl}/plugin.js"]'})
    full = expand(profile, state_dir='/it\'s a/"b"/c\\d')
    assert json.loads(full.env["A"]) == ["file:///it%27s%20a/%22b%22/c%5Cd/plugin.js"]
    assert expand(profile).env == profile.env
