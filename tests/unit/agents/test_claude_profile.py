"""The shipped profile of Claude Code: what it says as data, and the hook program that it brings along."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import politerm.agents
from politerm.agents.profile import AgentProfile, expand
from politerm.agents.registry import parse_profile
from politerm.agents.rules import look


@pytest.fixture(scope="module")
def profile() -> AgentProfile:
    text = Path(politerm.agents.__file__).with_name("claude.toml").read_text("utf-8")
    parsed = parse_profile(text, "claude", "built-in")
    assert not parsed.warnings
    return parsed.profile


IDLE = ["❯\u00a0", "─" * 40]


@pytest.mark.parametrize(
    "footer",
    [
        "  ? for shortcuts · ← for agents                                       ● high · /effort",
        "  ⏸ manual mode on · ? for shortcuts · ← for agents",
        "  ⏸ manual mode on",
        "  ⏵⏵ accept edits on (shift+tab to cycle)",
        "  1 shell · ← for agents · ↓ to manage",
        "  ← for agents",
    ],
)
def test_footers_of_an_idle_agent(profile: AgentProfile, footer: str) -> None:
    seen = look(profile, [*IDLE, footer, "", ""])
    assert seen.ready is not None
    assert seen.working is None
    assert seen.dialog is None


@pytest.mark.parametrize(
    "footer",
    [
        "  esc to interrupt · ← for agents",
        "  ⏸ manual mode on · esc to interrupt · ← for agents",
        "  ⏵⏵ accept edits on (shift+tab to cycle) · esc to interrupt",
        "  1 shell · esc to interrupt",
    ],
)
def test_footers_of_an_agent_at_work(profile: AgentProfile, footer: str) -> None:
    seen = look(profile, [*IDLE, footer, "", ""])
    assert seen.working is not None
    assert seen.ready is None


def test_a_draft_is_told_from_an_earlier_prompt_above_the_box(profile: AgentProfile) -> None:
    assert look(profile, ["❯ an earlier prompt", *IDLE]).draft is None
    assert look(profile, ["❯ an earlier prompt", "❯\u00a0a draft", "─" * 40]).draft is not None


BASH = [
    "  Bash command",
    "   touch x",
    "   Make a file",
    " Do you want to proceed?",
    " ❯ 1. Yes",
    "   2. No",
    " Esc to cancel",
]
TRUST = [
    " Accessing workspace:",
    " ❯ 1. Yes, I trust this folder",
    "   2. No, exit",
    " Enter to confirm · Esc to cancel",
]
TRUST_NEWER = [
    " Accessing workspace:",
    " ❯ No, exit",
    "   Yes, I trust this folder",
    " Enter to confirm · Esc to cancel",
]
KEY = ["  Detected a custom API key in your environment", "    1. Yes", "  ❯ 2. No (recommended)", "  Enter to confirm"]
KEY_NEWER = [
    "  Do you want to use this API key?",
    "    Yes",
    "  ❯ No (recommended)",
    "  Enter to confirm · Esc to cancel",
]


def test_a_question_in_the_agents_own_words_is_no_dialog(profile: AgentProfile) -> None:
    reply = ["● I can do that.", "  Do you want to proceed?", "  1. Yes", "  2. No", "", "✻ Thinking…"]
    assert look(profile, [*reply, *IDLE, "  ⏸ manual mode on · esc to interrupt"]).dialog is None


def test_a_dialog_says_what_it_is_about(profile: AgentProfile) -> None:
    seen = look(profile, BASH).dialog
    assert seen is not None
    assert seen.what == "Do you want to proceed?"


QUESTION = [" ☐ Colour", "Which colour?", "❯ 1. Red", "  2. Blue", "Enter to select · ↑/↓ to navigate · Esc to cancel"]


@pytest.mark.parametrize(
    ("screen", "kind", "choices"),
    [
        (BASH, "permission", {"allow": ("1",), "deny": ("Escape",)}),
        (QUESTION, "question", {"first": ("1",), "cancel": ("Escape",)}),
        (TRUST, "trust", {"trust": ("1",), "exit": ("Escape",)}),
        (
            [TRUST[0], "   1. Yes, I trust this folder", " ❯ 2. No, exit"],
            "trust",
            {"trust": ("1",), "exit": ("Escape",)},
        ),
        (TRUST_NEWER, "trust", {"trust": ("Down", "Enter"), "exit": ("Escape",)}),
        (KEY, "login", {"useKey": ("1",), "ignoreKey": ("2",)}),
        (KEY_NEWER, "login", {"useKey": ("Up", "Enter"), "ignoreKey": ("Enter",)}),
    ],
)
def test_dialogs_and_the_keys_that_answer_them(
    profile: AgentProfile, screen: list[str], kind: str, choices: dict[str, tuple[str, ...]]
) -> None:
    seen = look(profile, screen)
    assert seen.dialog is not None
    assert (seen.dialog.kind, seen.dialog.choices) == (kind, choices)
    assert seen.ready is None


def test_the_hooks_command_holds_no_path(profile: AgentProfile) -> None:
    [text] = [text for path, text in profile.files.items() if path.endswith(".json")]
    commands = {hook["command"] for event in json.loads(text)["hooks"].values() for hook in event[0]["hooks"]}
    assert len(commands) == 1
    assert "{" not in commands.pop()


def test_hooks_that_run_at_once_write_whole_lines(profile: AgentProfile, tmp_path: Path) -> None:
    """As Claude Code runs them: by a shell, with the JSON on stdin, several at a time."""
    folder = tmp_path / 'it\'s a $(state) "dir"'
    folder.mkdir()
    filled = expand(profile, python=sys.executable, state_dir=str(folder), session="s")
    for path, text in filled.files.items():
        Path(path).write_text(text, "utf-8")
    settings = json.loads((folder / "claude-settings.json").read_text("utf-8"))
    command = settings["hooks"]["Stop"][0]["hooks"][0]["command"]

    def hook(number: int) -> None:
        told = json.dumps({"number": number, "text": f"{number}" * 200_000})
        subprocess.run(["/bin/sh", "-c", command], input=told.encode(), check=True, env={**os.environ, **filled.env})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hook, range(1, 9)))
    lines = (folder / "claude-hooks.jsonl").read_bytes().splitlines()
    told = sorted((json.loads(line) for line in lines), key=lambda one: int(one["number"]))
    assert told == [{"number": number, "text": f"{number}" * 200_000} for number in range(1, 9)]
    assert (folder / "claude-hooks.jsonl").stat().st_mode & 0o777 == 0o600
