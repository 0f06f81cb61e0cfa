"""Reading an agent: from its own record where there is one, else from its screen, into inputs for the run.

A RecordReader and a ScreenReader each hold one turn's text at a time and know how far they have told it. They know
nothing of panes, prompts on their way, or time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

from politerm.agents.rules import Verdict
from politerm.core import inputs as inp
from politerm.core.blocks import Block, BlockReader, Broken, read_blocks
from politerm.core.events import TurnHow
from politerm.core.prompt import file_in
from politerm.core.screen import after_boundary, text_of
from politerm.core.wire import PromptId, Role
from politerm.engine.ports import Screen, SeeingWitness, Witness, WitnessRecord

BOUNDARY = "POLI end: "
HOLD = 5.0
"""Seconds of silence after which a record that has never told a turn's end is taken to be silent on it."""
HOWS: Mapping[str, TurnHow] = {how: how for how in get_args(TurnHow)}


def prompt_in(text: str) -> PromptId | None:
    """The id of the prompt that this text ends with, or None for words that are not ours."""
    at = text.rfind(BOUNDARY)
    if at < 0:
        return None
    words = text[at + len(BOUNDARY) :].split(maxsplit=1)
    return PromptId(words[0]) if words else None


class RecordReader:
    """Turns witness records into inputs. A block's place is its ordinal in the turn's text, so reading the same record
    twice tells the same places.

    A block without a key is told last, when its turn is over: an agent that writes the key has quoted those that lack
    it, also where the quotation comes first.
    """

    def __init__(self, role: Role, witness: Witness) -> None:
        self.role = role
        self.witness = witness
        self.turn: PromptId | None = None
        self.asks: str | None = None
        """What the record says the agent is asking permission for, until its dialog is gone or the turn is over."""
        self.open = False
        """A turn is open, also one that somebody else began."""
        self.background = ""
        """What the agent left running when its turn was over."""
        self.tells_ends = False
        """The record has told the end of a turn, so it will tell that of the next."""
        self.held: list[inp.BlockSeen] = []
        """Blocks of this turn without a key."""
        self._blocks = BlockReader()
        self._past = self._count = 0
        """Blocks that were told before the turn's last end, and in all."""
        self._replies = 0
        self._reports = 0

    def poll(self) -> Iterator[inp.Input]:
        for record in self.witness.poll():
            yield from self._told(record)

    def _told(self, record: WitnessRecord) -> Iterator[inp.Input]:
        source = self.witness.source
        match record.kind:
            case "prompt":
                self.open = True
                prompt_id = prompt_in(record.text)
                if prompt_id is not None:
                    yield from self.settle()
                    self._begin(prompt_id)
                    yield inp.PromptTaken(prompt_id, source, file_in(record.text))
            case "session":
                yield inp.SessionSeen(self.role, record.text)
            case "permission":
                self.asks = record.text
            case "background":
                self.background = record.text
            case "turn_end" if self.turn is None:
                self.open = False
            case "usage":
                yield inp.UsageSeen(self.role, record.tokens_in, record.tokens_out, record.usd, self._reports)
                self._reports += 1
            case "reply" if self.turn is not None:
                yield inp.Replied(self.role, self.turn, record.text, source, self._replies)
                self._replies += 1
                yield from self._blocks_in(self._blocks.feed(record.text + "\n"), self.turn)
            case "turn_end" if self.turn is not None:
                self.asks = None
                self.open = False
                yield from self._blocks_in(self._blocks.end(), self.turn)
                # Work that it left behind may end, and bring it to speak on about the same prompt.
                self._blocks, self._past = BlockReader(), self._count
                self.tells_ends = True
                yield from self.settle()
                yield inp.TurnOver(self.role, self.turn, HOWS.get(record.how, "done"), source, record.text)
            case _:
                pass

    def seen(self, verdict: Verdict) -> bool:
        """Tell the witness what the screen shows, where it wants to know that. Answers whether it does."""
        if not isinstance(self.witness, SeeingWitness):
            return False
        self.witness.seen(verdict.idle)
        return True

    def settle(self) -> Iterator[inp.Input]:
        """The turn is over, by whatever sign: what was held of it."""
        held, self.held = self.held, []
        yield from held

    def _begin(self, turn: PromptId) -> None:
        self.turn = turn
        self.asks = None
        self._blocks = BlockReader()
        self._past = self._count = 0
        self._replies = self._reports = 0

    def _blocks_in(self, found: list[Block | Broken], turn: PromptId) -> Iterator[inp.Input]:
        for one in found:
            index = self._past + one.index
            self._count = max(self._count, index + 1)
            if isinstance(one, Block):
                source = self.witness.source
                seen = inp.BlockSeen(self.role, turn, one.header, one.body, source, index, True, one.quoted)
                if "key" in one.header:
                    yield seen
                else:
                    self.held.append(seen)
            else:
                yield inp.BlockBroken(self.role, turn, one.reason, one.excerpt, index)


@dataclass
class ScreenReader:
    """Reads blocks off a screen, the whole turn at every look: what was read before is known by its content."""

    role: Role
    turn: PromptId | None = None
    has_duty: bool = False
    """A block that answers this turn's prompt, and is no status, was seen."""
    spoke: bool = False
    """Some block, perhaps one without a key, was seen below this turn's prompt."""
    keys: dict[PromptId, str] = field(default_factory=dict)
    """The key of every prompt, as far as this process knows: a screen that hides prompts shows old answers as well."""
    unsettled: bool = False
    """The last look found something that the look before had not: it may be half drawn, so look once more."""
    _before: frozenset[tuple[str, str]] = frozenset()

    def begin(self, turn: PromptId) -> None:
        self.turn = turn
        self.has_duty = self.spoke = False
        self.unsettled = False
        self._before = frozenset()

    def read(
        self, screen: Screen, drawn: str | None, *, legacy: bool, final: bool, dead: bool = False
    ) -> Iterator[inp.Input]:
        """`drawn`: the text of a full-screen program as far as it was ever drawn, which no screen holds at once.
        `final`: the agent is done with it, so that what is not closed by now never will be. A program that draws may
        be in the middle of it, so only what two looks have found alike is told, unless it is `dead`; lines of a
        program in line mode stay as they are."""
        self.unsettled = False
        if self.turn is None:
            return
        text = drawn if drawn is not None else text_of(screen.lines)
        after = after_boundary(text, self.turn)
        if after is None and legacy:
            return
        found = read_blocks(after if after is not None else text, screen=True, final=final)
        before, self._before = self._before, frozenset(map(_sight, found))
        for one in found:
            if not (dead or screen.status.canonical or _sight(one) in before):
                self.unsettled = True
                continue
            if isinstance(one, Block):
                key = one.header.get("key")
                self.spoke = self.spoke or after is not None
                if key == self.keys.get(self.turn, "") or (legacy and key is None):
                    self.has_duty = self.has_duty or one.kind != "status"
                yield inp.BlockSeen(self.role, self.turn, one.header, one.body, "screen", None, False, one.quoted)
            elif after is not None and one.reason != "unclosed":
                yield inp.BlockBroken(self.role, self.turn, one.reason, one.excerpt, None)


def _sight(one: Block | Broken) -> tuple[str, str]:
    return (one.kind, one.body) if isinstance(one, Block) else (one.reason, one.excerpt)
