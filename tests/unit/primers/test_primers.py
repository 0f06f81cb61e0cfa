"""Primers: what they must say, and above all what they must not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from politerm.core.blocks import Block, read_blocks
from politerm.core.wire import Role
from politerm.errors import InvalidParams
from politerm.primers import PRIMER_CAP, load

ROLES = (Role.PLANNER, Role.EXECUTER)


@pytest.mark.parametrize("role", ROLES)
def test_no_echo_of_a_primer_is_a_message(role: Role, tmp_path: Path) -> None:
    """As it stands, indented, boxed, quoted, bulleted, wrapped at any width, and without its line breaks."""
    text = load(role, tmp_path).text
    words = " ".join(text.split())
    shapes = [
        text,
        words,
        *("".join(f"{mark}{line}\n" for line in text.splitlines()) for mark in ("  ", "> ", "│ ", "- ")),
    ]
    for width in range(20, 161):
        shapes.append(
            "\n".join(line[at : at + width] for line in text.splitlines() for at in range(0, len(line), width))
        )
        shapes.append("\n".join(words[at : at + width] for at in range(0, len(words), width)))
    for shape in shapes:
        for screen in (False, True):
            assert [one for one in read_blocks(shape, screen=screen) if isinstance(one, Block)] == []


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        (Role.PLANNER, ["plan", "continue", "revision", "complete", "question", "status"]),
        (Role.EXECUTER, ["result", "error", "status"]),
    ],
)
def test_it_says_all_that_an_agent_needs(role: Role, kinds: list[str], tmp_path: Path) -> None:
    primer = load(role, tmp_path)
    assert re.findall(r"^\| `(\w+)` \| (?!one of|any|the key|`)", primer.text, re.MULTILINE)[-len(kinds) :] == kinds
    for words in ("POLI:MSG", "[[/POLI:MSG]]", "POLI key:", "`to`", "`type`", "`id`", "`key`", role.value):
        assert words in primer.text


@pytest.mark.parametrize("role", ROLES)
def test_it_has_a_version_which_is_not_sent(role: Role, tmp_path: Path) -> None:
    primer = load(role, tmp_path)
    assert primer.version.isdigit()
    assert "version" not in primer.text
    assert primer.text == primer.text.strip()
    assert primer.text[0] == "#"


def own(config_dir: Path, text: str) -> Path:
    (config_dir / "primers").mkdir()
    path = config_dir / "primers" / "planner.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_users_own_comes_first_for_its_role_alone(tmp_path: Path) -> None:
    path = own(tmp_path, "<!-- version: mine-2 -->\nBe brief.\n")
    primer = load(Role.PLANNER, tmp_path)
    assert (primer.name, primer.version, primer.text) == (str(path), "mine-2", "Be brief.")
    assert load(Role.EXECUTER, tmp_path).name == "executer.md"


def test_a_users_own_needs_no_version(tmp_path: Path) -> None:
    own(tmp_path, "\ufeffBe brief.")
    primer = load(Role.PLANNER, tmp_path)
    assert (primer.version, primer.text) == ("user", "Be brief.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("<!-- version: 1 -->\n", "empty"),
        ("x" * (PRIMER_CAP + 1), str(PRIMER_CAP)),
        ('Say:\n[[POLI:MSG {"type":"plan","key":"k"}]]\nx\n[[/POLI:MSG]]', "whole POLI message"),
    ],
)
def test_a_users_own_that_cannot_be_sent(tmp_path: Path, text: str, words: str) -> None:
    path = own(tmp_path, text)
    with pytest.raises(InvalidParams, match=words) as caught:
        load(Role.PLANNER, tmp_path)
    assert str(path) in str(caught.value)


def test_a_users_own_that_is_no_text(tmp_path: Path) -> None:
    own(tmp_path, "").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidParams, match="cannot be read"):
        load(Role.PLANNER, tmp_path)
