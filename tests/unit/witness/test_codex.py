"""The witness of Codex, over what it really wrote (data/, with paths and bulk taken out)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from politerm.agents.profile import WitnessSpec
from politerm.engine.ports import WitnessRecord
from politerm.witness import open_witness
from politerm.witness.codex import SEARCH, CodexWitness

LINES = (Path(__file__).parent / "data/codex-0.169.0-rollout.jsonl").read_bytes().splitlines(keepends=True)
SESSION = "01a1fdd6-5107-7621-820c-2458dbc30503"
OTHER = "01a1fdd6-8650-7862-bfd6-f8fd85ee3e68"
DAY = "2026/11/21"
PLAN = (
    'Here:\n\n[[POLI:MSG {"to":"EXECUTER","type":"plan","key":"k1"}]]\n<PLAN>\n'
    "path = 'C:\\new' \"q\" 漢字\n</PLAN>\n[[/POLI:MSG]]"
)
USAGE = WitnessRecord("usage", tokens_in=100, tokens_out=20)
DONE = WitnessRecord("turn_end", how="done")


def prompt(name: str) -> WitnessRecord:
    return WitnessRecord("prompt", f"The {name}.\nPOLI key: k1\n\nline 4\nPOLI end: {name}")


def reply(text: str) -> WitnessRecord:
    return WitnessRecord("reply", text)


EVERYTHING = [
    WitnessRecord("session", SESSION),
    prompt("first"),
    reply("I look."),
    WitnessRecord("usage", tokens_in=120, tokens_out=34),
    reply(PLAN),
    WitnessRecord("usage", tokens_in=120, tokens_out=34),
    DONE,
    prompt("second"),
    reply("I ask."),
    WitnessRecord("permission", "exec_command: touch made-by-shell"),
    USAGE,
    WitnessRecord("permission", ""),
    WitnessRecord("permission", "apply_patch: made.txt"),
    USAGE,
    WitnessRecord("permission", ""),
    reply("Done."),
    USAGE,
    DONE,
    prompt("third"),
    WitnessRecord("turn_end", how="interrupted"),
    prompt("fourth"),
    WitnessRecord(
        "turn_end", "unexpected status 401 Unauthorized: bad key, url: http://127.0.0.1:1/v1/responses", how="failed"
    ),
    prompt("fifth"),
    WitnessRecord("prompt", "Otherwise.\nPOLI end: steer"),
    reply("Steered."),
    USAGE,
    DONE,
    prompt("sixth"),  # Here the program was killed; it was started again, and went on in the same file.
    prompt("seventh"),
    reply("After all."),
    USAGE,
    DONE,
]


class Recorded:
    """The program's own folder as it grows. `now` is the witness's clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 100.0

    def open(self, session: str | None = SESSION) -> CodexWitness:
        return CodexWitness(self.folder, session=session, clock=lambda: self.now)

    def write(self, lines: Sequence[bytes], session: str = SESSION, day: str = DAY) -> Path:
        path = self.folder / "sessions" / day / f"rollout-2026-11-21T11-03-18-{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.writelines(lines)
        return path


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def test_all_that_was_recorded_is_told_in_order(recorded: Recorded) -> None:
    recorded.write(LINES)
    assert recorded.open().poll() == EVERYTHING


def test_the_record_grows_and_readers_come_and_go(recorded: Recorded) -> None:
    """However it is cut, and wherever another reader goes on, everything is told once."""
    told: list[WitnessRecord] = []
    whole = b"".join(LINES)
    cursor = None
    for at in range(0, len(whole), 1500):
        recorded.write([whole[at : at + 1500]])
        witness = recorded.open()
        assert witness.seek(cursor) is None
        told += witness.poll()
        cursor = witness.cursor()
    assert told == EVERYTHING


def test_of_several_calls_nobody_is_told_which_one_is_asked_about(recorded: Recorded) -> None:
    [call] = [line for line in LINES if b"require_escalated" in line]
    [done] = [line for line in LINES if b"_call_output" in line and b"call_00000012" in line]
    another = call.replace(b"call_00000012", b"call_x").replace(b"made-by-shell", b"other")
    recorded.write([call, another, done])
    assert [record.text for record in recorded.open().poll()] == [
        "exec_command: touch made-by-shell",
        "",
        "exec_command: touch other",
    ]


def test_the_file_is_found_once_it_is_there_by_the_beginning_of_its_name(recorded: Recorded) -> None:
    witness = recorded.open(SESSION[:29])
    assert witness.poll() == []
    recorded.write(LINES)
    assert witness.poll() == [], "it is not searched for at every look"
    recorded.now += 2 * SEARCH
    assert witness.poll() == EVERYTHING


def test_a_cursor_from_before_the_file_was_there_begins_with_it(recorded: Recorded) -> None:
    cursor = recorded.open(SESSION[:29]).cursor()
    recorded.write(LINES)
    later = recorded.open(None)
    later.seek(cursor)
    assert later.poll() == EVERYTHING


@pytest.mark.parametrize("day", ["2026/11/20", "2026/11/22"])
def test_the_day_of_the_file_may_be_another_one_where_its_program_runs(recorded: Recorded, day: str) -> None:
    recorded.write(LINES, day=day)
    assert recorded.open().poll() == EVERYTHING


def test_a_name_that_tells_no_day_is_searched_everywhere(recorded: Recorded) -> None:
    name = "zzzzzzzz" + SESSION[8:]
    recorded.write(LINES, session=name, day="2019/01/01")
    assert recorded.open(name).poll() == EVERYTHING


def test_another_conversation_in_the_same_folder_is_none_of_ours(recorded: Recorded) -> None:
    recorded.write(LINES, session=OTHER)
    assert recorded.open().poll() == []
    assert recorded.open(None).poll() == [], "without a name nothing is guessed"


def test_of_a_conversation_that_a_person_changed_to_only_the_last_turn_is_new(recorded: Recorded) -> None:
    recorded.write(LINES)
    witness = recorded.open()
    witness.poll()
    recorded.write(LINES, session=OTHER)
    changed = recorded.open(OTHER[:29])
    assert changed.seek(witness.cursor()) is None
    assert changed.poll() == [EVERYTHING[0], *EVERYTHING[-4:]]
    recorded.write(LINES[1:18], session=OTHER)
    assert changed.poll() == EVERYTHING[1:7]


def test_a_file_that_was_replaced_is_said(recorded: Recorded) -> None:
    path = recorded.write(LINES)
    witness = recorded.open()
    witness.poll()
    path.write_bytes(LINES[0])
    again = recorded.open()
    assert again.seek(witness.cursor()) is not None
    assert again.seek("no cursor") is not None


def test_it_is_opened_by_its_kind_in_the_home_of_the_agent(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODEX_HOME", raising=False)
    home = recorded.folder
    recorded.folder = home / ".codex"
    recorded.write(LINES)
    spec = WitnessSpec(kind="codex", lag=0.25)
    witness = open_witness(spec, state_dir=home, cwd="/", session=SESSION, home=home)
    assert witness is not None
    assert (witness.source, witness.lag) == ("transcript", 0.25)
    assert witness.poll() == EVERYTHING
    monkeypatch.setenv("CODEX_HOME", str(recorded.folder))
    moved = open_witness(spec, state_dir=home, cwd="/", session=SESSION, home=home / "elsewhere")
    assert moved is not None
    assert moved.poll() == EVERYTHING


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "item", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
NAMES = st.sampled_from(
    [
        "session_meta",
        "event_msg",
        "response_item",
        "token_usage_record",
        "item_completed",
        "task_complete",
        "id",
        "UserMessage",
        "AgentMessage",
        "function_call",
        "custom_tool_call",
        "apply_patch",
        "exec_command",
    ]
)
FIELDS = st.sampled_from(
    ["type", "payload", "item", "content", "error", "usage", "input", "arguments", "name", "call_id"]
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(FIELDS, st.recursive(NAMES | JSON, lambda one: st.dictionaries(FIELDS, one), max_leaves=8)))
def test_whatever_stands_in_a_line_it_is_no_exception(entry: dict[str, object]) -> None:
    CodexWitness(Path(), session=None)._entry(entry, [])
