"""The witness of Claude Code, over what two of its versions really wrote (data/, with paths and bulk taken out)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from politerm.agents.profile import WitnessSpec
from politerm.engine.ports import WitnessRecord
from politerm.witness import open_witness
from politerm.witness.claude import ASKED, IDLE, PATIENCE, QUIET, SEARCH, UNSEEN, ClaudeWitness
from politerm.witness.claude_order import LATE

DATA = Path(__file__).parent / "data"
VERSIONS = ("claude-2.1.197", "claude-2.1.329")
SESSION = "11111111-2222-4333-8444-555555555555"
PLAN = (
    'Here:\n\n[[POLI:MSG {"to":"EXECUTER","type":"plan","key":"k1"}]]\n<PLAN>\n'
    "path = 'C:\\new' \"q\" 漢字\n</PLAN>\n[[/POLI:MSG]]"
)


class Recorded:
    """A session's files as they grow. `now` is the witness's clock."""

    def __init__(self, folder: Path, version: str) -> None:
        self.hook_lines = self._lines(version, "hooks")
        self.lines = self._lines(version, "transcript")
        self.config = folder / ".claude"
        self.transcript = self.config / "projects" / "-home-user-p" / f"{SESSION}.jsonl"
        self.status = self.config / "sessions" / "4711.json"
        self.hooks = folder / "hooks.jsonl"
        self.now = 100.0
        self.transcript.parent.mkdir(parents=True)
        self.status.parent.mkdir()

    @staticmethod
    def _lines(version: str, what: str) -> list[bytes]:
        return (DATA / f"{version}-{what}.jsonl").read_bytes().splitlines(keepends=True)

    def open(self) -> ClaudeWitness:
        return ClaudeWitness(self.hooks, session=SESSION, config=self.config, clock=lambda: self.now)

    def hook(self, *lines: bytes) -> None:
        with self.hooks.open("ab") as file:
            file.writelines(line.replace(b"@TRANSCRIPT@", str(self.transcript).encode()) for line in lines)

    def write(self, *lines: bytes) -> None:
        with self.transcript.open("ab") as file:
            file.writelines(lines)

    def says(self, status: str, at: float) -> None:
        """The program's own status, changed at this wall time."""
        told = {"pid": os.getpid(), "sessionId": SESSION, "status": status, "statusUpdatedAt": int(at * 1000)}
        self.status.write_text(json.dumps(told), "utf-8")


@pytest.fixture(params=VERSIONS)
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Recorded:
    return Recorded(tmp_path, request.param)


def brief(records: list[WitnessRecord]) -> list[tuple[str, ...]]:
    """Without usage, state and background work, which have tests of their own."""
    return [
        (record.kind, record.text if record.kind != "turn_end" else record.how)
        for record in records
        if record.kind not in ("usage", "state", "background")
    ]


def drain(witness: ClaudeWitness) -> Iterator[WitnessRecord]:
    while records := witness.poll():
        yield from records


WHOLE = [
    ("session", SESSION),
    ("prompt", "The first.\nPOLI key: k1\n\nline 4\nline 5\nPOLI end: p1"),
    ("reply", PLAN),
    ("turn_end", "done"),
    ("prompt", "The second.\nPOLI end: p2"),
    ("reply", "I write."),
    ("reply", "Done writing."),
    ("turn_end", "done"),
    ("prompt", "The third.\nPOLI end: p3"),
    ("reply", "Half of it.\n\n"),
    ("turn_end", "interrupted"),
    ("prompt", "The fourth.\nPOLI end: p4"),
    ("turn_end", "interrupted"),
    ("prompt", "The fifth.\nPOLI end: p5"),
    ("turn_end", "failed"),
    ("prompt", "The sixth.\nPOLI end: p6"),
    ("reply", "I wait."),
    ("prompt", "Otherwise.\nPOLI end: s6"),
    ("reply", "Over."),
    ("turn_end", "done"),
    ("prompt", "The seventh.\nPOLI end: p7"),
    ("reply", "I leave."),
    ("reply", "It runs."),
    ("turn_end", "done"),
    ("reply", "Noted."),
    ("turn_end", "done"),
]
"""A plan; a tool with a permission; an interrupt; one before the first token; a 429; a prompt given in mid-turn; a task
left in the background, whose end starts a turn of its own."""
PERMISSION = ("permission", "Write: /home/user/p/n.txt")


def test_a_whole_session_is_told_in_order(recorded: Recorded) -> None:
    recorded.hook(*recorded.hook_lines)
    recorded.write(*recorded.lines)
    witness = recorded.open()
    assert brief(list(drain(witness))) == WHOLE
    recorded.now += ASKED
    assert brief(list(drain(witness))) == [], "a permission that was given is not asked for again"


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.large_base_example])
@given(data=st.data())
def test_however_the_files_grow_and_whoever_reads_on_the_same_is_told(
    version: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    recorded = Recorded(tmp_path_factory.mktemp("session"), version)
    recorded.hook(*recorded.hook_lines)
    recorded.hooks.rename(recorded.hooks.with_suffix(".whole"))
    hooks = recorded.hooks.with_suffix(".whole").read_bytes()
    texts = b"".join(recorded.lines)
    witness = recorded.open()
    told: list[WitnessRecord] = []
    while hooks or texts:
        # A hook is never written long before what it is about, so both files grow in step.
        part = data.draw(st.integers(1, 40_000))
        size = len(texts)
        with recorded.transcript.open("ab") as file:
            file.write(texts[:part])
        texts = texts[part:]
        share = part * len(hooks) // size + 1 if size else len(hooks)
        with recorded.hooks.open("ab") as file:
            file.write(hooks[:share])
        hooks = hooks[share:]
        told += witness.poll()
        if data.draw(st.booleans()):
            cursor = witness.cursor()
            witness = recorded.open()
            assert witness.seek(cursor) is None
    told += drain(witness)
    recorded.now += ASKED
    told += drain(witness)
    # A reader that follows another may be told once more what no turn depends on.
    assert brief([one for one in told if one.kind not in ("permission", "session")]) == WHOLE[1:]


def test_a_permission_is_told_after_the_words_that_lead_to_it(recorded: Recorded) -> None:
    asks = next(line for line in recorded.hook_lines if b'"PermissionRequest"' in line)
    call = next(at for at, line in enumerate(recorded.lines) if b'"name": "Write"' in line)
    witness = recorded.open()
    recorded.hook(recorded.hook_lines[0], asks)
    recorded.write(*recorded.lines[: call - 1])
    assert PERMISSION not in brief(witness.poll())
    recorded.write(*recorded.lines[call - 1 : call + 1])
    assert brief(witness.poll()) == [("reply", "I write."), PERMISSION]


def test_a_permission_is_told_though_the_transcript_says_nothing_of_it(recorded: Recorded) -> None:
    asks = next(line for line in recorded.hook_lines if b'"PermissionRequest"' in line)
    witness = recorded.open()
    recorded.hook(asks)
    assert witness.poll() == []
    recorded.now += ASKED
    assert brief(witness.poll()) == [PERMISSION]


def test_tokens_are_counted_once_a_message(recorded: Recorded) -> None:
    recorded.hook(*recorded.hook_lines)
    recorded.write(*recorded.lines)
    used = [record for record in drain(recorded.open()) if record.kind == "usage"]
    # Two messages in the turn with the tool, though one of them stands there in two records.
    assert [(one.tokens_in, one.tokens_out) for one in used if one.tokens_in == 70] == [(70, 30)] * 2


def test_an_interrupt_before_the_first_token_is_known_by_the_status_alone(recorded: Recorded) -> None:
    fourth = next(at for at, line in enumerate(recorded.lines) if b"The fourth." in line)
    since = 1_795_243_639.0
    recorded.hook(recorded.hook_lines[0])
    recorded.write(*recorded.lines[: fourth + 1])
    recorded.says("busy", since)
    witness = recorded.open()
    list(drain(witness))
    recorded.now += SEARCH
    recorded.says("busy", 4e9)
    assert brief(witness.poll()) == []
    recorded.says("idle", 4e9)
    recorded.now += 10 * IDLE
    assert brief(witness.poll()) == [], "the transcript may be written a moment after the status"
    recorded.now += IDLE / 2
    assert brief(witness.poll()) == []
    recorded.now += IDLE
    assert brief(witness.poll()) == [("turn_end", "interrupted")]


def test_an_idle_status_that_was_never_busy_in_this_turn_is_believed_late(recorded: Recorded) -> None:
    fourth = next(at for at, line in enumerate(recorded.lines) if b"The fourth." in line)
    recorded.hook(recorded.hook_lines[0])
    recorded.write(*recorded.lines[: fourth + 1])
    recorded.says("idle", 4e9)
    witness = recorded.open()
    list(drain(witness))
    recorded.now += UNSEEN - 1
    assert brief(list(drain(witness))) == [], "a program under load may still be about to say that it is busy"
    recorded.now += 2
    assert brief(list(drain(witness))) == [("turn_end", "interrupted")]


def test_an_idle_status_from_before_the_prompt_ends_nothing(recorded: Recorded) -> None:
    recorded.hook(recorded.hook_lines[0])
    fourth = next(at for at, line in enumerate(recorded.lines) if b"The fourth." in line)
    recorded.write(*recorded.lines[: fourth + 1])
    recorded.says("idle", 1.0)
    witness = recorded.open()
    list(drain(witness))
    for _ in range(10):
        recorded.now += SEARCH
        assert brief(witness.poll()) == []


def test_without_a_transcript_the_hooks_tell_what_they_know(recorded: Recorded) -> None:
    recorded.hook(*recorded.hook_lines[:3])
    witness = recorded.open()
    assert brief(witness.poll()) == WHOLE[:1]
    recorded.now += PATIENCE
    assert brief(witness.poll()) == WHOLE[1:4]


@pytest.mark.parametrize("hooks", [2, 3], ids=["before the answer", "after it"])
def test_a_transcript_that_comes_late_does_not_tell_again_what_the_hooks_told(recorded: Recorded, hooks: int) -> None:
    recorded.hook(*recorded.hook_lines[:hooks])
    witness = recorded.open()
    told = list(drain(witness))
    recorded.now += PATIENCE
    told += drain(witness)
    assert brief(told) == WHOLE[: [0, 0, 2, 4][hooks]]
    recorded.hook(*recorded.hook_lines[hooks:])
    recorded.write(*recorded.lines)
    told += drain(witness)
    assert brief(told) == WHOLE


def test_without_hooks_the_transcript_is_found_by_its_session(recorded: Recorded) -> None:
    witness = recorded.open()
    assert witness.poll() == []
    recorded.write(*recorded.lines)
    recorded.now += SEARCH
    assert brief(list(drain(witness))) == WHOLE[1:]


def test_a_stop_whose_turn_is_not_closed_in_the_transcript_closes_it_after_a_pause(recorded: Recorded) -> None:
    stop = next(line for line in recorded.hook_lines if b'"Stop"' in line)
    end = next(at for at, line in enumerate(recorded.lines) if b"turn_duration" in line)
    recorded.write(*(line for line in recorded.lines[:end] if b'"type": "system"' not in line))
    recorded.hook(recorded.hook_lines[0])
    witness = recorded.open()
    assert brief(list(drain(witness))) == WHOLE[:3]
    recorded.hook(stop)
    assert brief(witness.poll()) == []
    recorded.now += QUIET / 2
    assert brief(witness.poll()) == []
    recorded.now += QUIET
    assert brief(witness.poll()) == WHOLE[3:4]


def test_a_conversation_that_is_resumed_in_a_new_file_does_not_tell_the_old_one_again(recorded: Recorded) -> None:
    recorded.hook(recorded.hook_lines[0])
    recorded.write(*recorded.lines)
    witness = recorded.open()
    list(drain(witness))
    copy = recorded.transcript.with_name("other.jsonl")
    copy.write_bytes(b"".join(recorded.lines))
    start = json.loads(recorded.hook_lines[0]) | {"source": "resume", "transcript_path": str(copy), "session_id": "s2"}
    recorded.hook(json.dumps(start).encode() + b"\n")
    assert brief(list(drain(witness))) == [("session", "s2")]


def test_a_transcript_that_was_cut_is_said_and_not_read_again(recorded: Recorded) -> None:
    recorded.hook(recorded.hook_lines[0])
    recorded.write(*recorded.lines)
    witness = recorded.open()
    list(drain(witness))
    cursor = witness.cursor()
    recorded.transcript.write_bytes(b"".join(recorded.lines[:5]))
    again = recorded.open()
    assert "transcript" in (again.seek(cursor) or "")
    assert brief(list(drain(again))) == []


@pytest.mark.parametrize("cursor", ["", "{}", "null", '{"hooks": 1}', "\x00"])
def test_a_cursor_that_is_none_is_said(recorded: Recorded, cursor: str) -> None:
    assert recorded.open().seek(cursor)


def test_half_a_surrogate_pair_can_be_stored(recorded: Recorded) -> None:
    end = next(at for at, line in enumerate(recorded.lines) if PLAN.splitlines()[0].encode() in line)
    recorded.hook(recorded.hook_lines[0])
    recorded.write(*recorded.lines[:end], recorded.lines[end].replace(b"Here:", b"Here \\ud83d:"))
    said = [record.text for record in drain(recorded.open()) if record.kind == "reply"]
    assert len(said) == 1
    assert said[0].encode().startswith("Here \ufffd:".encode())


def test_garbage_between_the_lines_is_passed_over(recorded: Recorded) -> None:
    noise = [b'not json "user"\n', b'["user"]\n', b'{"type": "user"}\n', b'{"type":"assistant","message":7}\n', b"\n"]
    recorded.hook(b"{}\n", b"[]\n", b'{"hook_event_name": 3}\n', *recorded.hook_lines)
    recorded.write(*noise, *recorded.lines, *noise)
    assert brief(list(drain(recorded.open()))) == WHOLE


def test_it_is_opened_by_its_kind(tmp_path: Path) -> None:
    spec = WitnessSpec(kind="claude", path="{stateDir}/claude-hooks.jsonl", lag=1.5)
    witness = open_witness(spec, state_dir=tmp_path, cwd="/", session=SESSION, home=tmp_path)
    assert isinstance(witness, ClaudeWitness)
    assert (witness.source, witness.lag) == ("transcript", 1.5)
    assert witness.poll() == []


def linked(*names: str) -> list[bytes]:
    """A prompt, what the program attaches to it, and the answer, each of which names the one before it."""
    entries = {
        "mode": {"type": "mode"},
        "prompt": {"type": "user", "uuid": "u1", "parentUuid": None, "message": {"content": "Hello"}},
        "attachment": {"type": "attachment", "uuid": "u2", "parentUuid": "u1", "attachment": {"type": "skills"}},
        "answer": {
            "type": "assistant",
            "uuid": "u3",
            "parentUuid": "u2",
            "message": {"id": "m1", "content": [{"type": "text", "text": PLAN}], "usage": {"input_tokens": 7}},
        },
        "end": {"type": "system", "subtype": "turn_duration", "uuid": "u4", "parentUuid": "u3"},
    }
    return [json.dumps(entries[name], separators=(",", ":")).encode() + b"\n" for name in names]


@pytest.mark.parametrize("at_once", [True, False], ids=["in one go", "line by line"])
def test_an_answer_that_is_written_before_its_prompt_is_told_after_it(recorded: Recorded, at_once: bool) -> None:
    lines = linked("mode", "answer", "prompt", "attachment", "end")
    witness = recorded.open()
    records: list[WitnessRecord] = []
    for some in [lines] if at_once else [[line] for line in lines]:
        recorded.write(*some)
        recorded.now += SEARCH
        records += drain(witness)
    assert brief(records) == [("prompt", "Hello"), ("reply", PLAN), ("turn_end", "done")]
    assert [record.tokens_in for record in records if record.kind == "usage"] == [7]


def test_an_answer_whose_prompt_has_not_come_is_read_again_by_the_next_reader(recorded: Recorded) -> None:
    first = recorded.open()
    recorded.write(*linked("mode", "answer"))
    assert brief(list(drain(first))) == []
    second = recorded.open()
    assert second.seek(first.cursor()) is None
    recorded.write(*linked("prompt", "attachment", "end"))
    recorded.now += SEARCH
    assert brief(list(drain(second))) == [("prompt", "Hello"), ("reply", PLAN), ("turn_end", "done")]


def test_an_answer_whose_prompt_never_comes_is_told_in_the_end(recorded: Recorded) -> None:
    witness = recorded.open()
    recorded.write(*linked("mode", "answer"))
    assert brief(list(drain(witness))) == []
    recorded.now += LATE + 0.1
    assert brief(list(drain(witness))) == [("reply", PLAN)]


def stop(*running: str) -> bytes:
    tasks = [{"id": "b1", "type": "shell", "status": "running", "command": command} for command in running]
    told = {"hook_event_name": "Stop", "session_id": SESSION, "background_tasks": tasks}
    return json.dumps(told).encode() + b"\n"


def test_what_it_leaves_running_is_told_before_the_end_of_its_turn(recorded: Recorded) -> None:
    first = recorded.open()
    recorded.write(*linked("prompt", "attachment", "answer", "end"))
    recorded.hook(stop("make watch"))
    recorded.now += SEARCH
    kinds = [(record.kind, record.text) for record in drain(first)]
    assert kinds.index(("background", "make watch")) < kinds.index(("turn_end", ""))
    # A reader that goes on from there knows it too.
    second = recorded.open()
    assert second.seek(first.cursor()) is None
    assert [record.text for record in drain(second) if record.kind == "background"] == ["make watch"]
    recorded.hook(stop())
    assert [record.text for record in drain(second) if record.kind == "background"] == [""]
