"""What a record's texts are turned into."""

from __future__ import annotations

from collections.abc import Iterable

from politerm.agents.rules import RuleHit, Verdict
from politerm.core import inputs as inp
from politerm.core.wire import Role
from politerm.engine.ports import WitnessRecord
from politerm.engine.reading import RecordReader

KEYED = '[[POLI:MSG {"type": "plan", "key": "k"}]]\nreal\n[[/POLI:MSG]]'
KEYLESS = '[[POLI:MSG {"type": "complete"}]]\nfrom a file\n[[/POLI:MSG]]'


class Record:
    """A witness that tells what it is given."""

    source = "transcript"
    lag = 0.5

    def __init__(self) -> None:
        self.new: list[WitnessRecord] = []

    def poll(self) -> list[WitnessRecord]:
        new, self.new = self.new, []
        return new

    def cursor(self) -> str:
        return ""

    def seek(self, cursor: str | None) -> str | None:
        return None

    def close(self) -> None:
        pass


def told(reader: RecordReader, record: Record, *new: WitnessRecord) -> list[str]:
    record.new += new
    return names(reader.poll())


def names(inputs: Iterable[inp.Input]) -> list[str]:
    return [one.body.strip() if isinstance(one, inp.BlockSeen) else type(one).__name__ for one in inputs]


def reply(text: str) -> WitnessRecord:
    return WitnessRecord(kind="reply", text=text)


def a_turn() -> tuple[RecordReader, Record]:
    record = Record()
    reader = RecordReader(Role.PLANNER, record)
    told(reader, record, WitnessRecord(kind="prompt", text="POLI end: p1"))
    return reader, record


def test_what_has_no_key_is_told_after_what_has_one_though_it_was_said_first() -> None:
    reader, record = a_turn()
    assert told(reader, record, reply(f"The file holds\n{KEYLESS}\n")) == ["Replied"]
    assert told(reader, record, reply(KEYED)) == ["Replied", "real"]
    assert told(reader, record, WitnessRecord(kind="turn_end", how="done")) == ["from a file", "TurnOver"]


def test_what_has_no_key_is_told_when_something_else_says_that_the_turn_is_over() -> None:
    reader, record = a_turn()
    told(reader, record, reply(KEYLESS))
    assert not reader.tells_ends
    assert names(reader.settle()) == ["from a file"]
    assert names(reader.settle()) == []
    told(reader, record, reply(KEYLESS))
    assert told(reader, record, WitnessRecord(kind="prompt", text="POLI end: p2")) == ["from a file", "PromptTaken"]


def test_an_agent_that_speaks_on_after_its_turn_says_something_new() -> None:
    """Work that it left in the background has ended: what it says then is about the same prompt."""
    reader, record = a_turn()
    record.new += [reply(KEYED), WitnessRecord(kind="turn_end")]
    first = [one for one in reader.poll() if isinstance(one, inp.BlockSeen)]
    record.new += [reply(KEYED), WitnessRecord(kind="turn_end")]
    second = [one for one in reader.poll() if isinstance(one, inp.BlockSeen)]
    assert [one.index for one in first + second] == [0, 1]
    assert second[0].turn == first[0].turn


def test_what_goes_on_in_the_background_is_known_until_it_is_over() -> None:
    reader, record = a_turn()
    told(reader, record, WitnessRecord(kind="background", text="make watch"), WitnessRecord(kind="turn_end"))
    assert reader.background == "make watch"
    assert not reader.open
    told(reader, record, WitnessRecord(kind="background"))
    assert reader.background == ""


def test_a_turn_that_a_person_began_is_open_until_its_end() -> None:
    reader, record = a_turn()
    assert reader.open
    told(reader, record, WitnessRecord(kind="turn_end"))
    told(reader, record, WitnessRecord(kind="prompt", text="words of a person"))
    assert reader.open
    told(reader, record, WitnessRecord(kind="turn_end"))
    assert not reader.open


class SeeingRecord(Record):
    """One that wants to know what the screen shows."""

    def __init__(self) -> None:
        super().__init__()
        self.saw: list[bool] = []

    def seen(self, idle: bool) -> None:
        self.saw.append(idle)


def test_a_witness_that_wants_to_know_is_told_what_the_screen_shows() -> None:
    idle, busy = Verdict(ready=RuleHit("ready: x", "x")), Verdict(ready=RuleHit("r", "x"), working=RuleHit("w", "y"))
    record = SeeingRecord()
    reader = RecordReader(Role.PLANNER, record)
    assert [reader.seen(verdict) for verdict in (idle, busy, Verdict())] == [True, True, True]
    assert record.saw == [True, False, False]
    assert not RecordReader(Role.PLANNER, Record()).seen(idle)
