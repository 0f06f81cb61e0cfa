"""Which reply a request gets. Stateless: the answer follows from the request alone, so that retries, resumed
conversations, and two agents on one server need no bookkeeping. Knows nothing of HTTP or of any API's form.

A conversation is a list of prompts; the model's answer to one prompt is a list of *legs*, cut where the agent runs a
tool: the first leg ends with a tool call, the second is spoken when its result comes back, and so on.

JSON form of a rule:

    {"when": {"text": "regex", "conversation": "regex", "turn": 2, "side": false}, "times": 1,
     "legs": [[{"text": "Hm.", "chunk": 8, "every": 0.05}, {"tool": "Write", "input": {...}}], [{"text": "Done."}]],
     "tokens": [120, 34]}

Steps: text, think, silence (seconds), gate (wait until the test opens it), tool, fail (HTTP status), cut.
In every string `@KEY@` is the prompt's own `POLI key:`, `@TASK_ID@` its task id, `@FILE@` the file it says to read,
`@PROMPT@` the whole prompt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Text:
    """`chunk` characters an event, one event each `every` seconds."""

    text: str
    chunk: int = 40
    every: float = 0.0


@dataclass(frozen=True)
class Think:
    text: str


@dataclass(frozen=True)
class Silence:
    """Nothing at all is sent for so long; the connection stays open."""

    seconds: float


@dataclass(frozen=True)
class Gate:
    """Nothing is sent until the test calls `server.open_gate(name)`."""

    name: str


@dataclass(frozen=True)
class Tool:
    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True)
class Fail:
    """Instead of a reply, an HTTP error (only as the first step of a leg)."""

    status: int
    message: str = "scripted failure"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """The connection is dropped in mid-stream."""


Step = Text | Think | Silence | Gate | Tool | Fail | Cut


@dataclass(frozen=True)
class Ask:
    """A request, whatever its API.

    `prompt`: the last thing a person (or PoliTerm) said, without what the agent wraps around it. `conversation`: all
    such texts, joined. `turn`: how many of them, from 1. `leg`: how often the model has spoken since the prompt.
    `side`: the agent asks something for itself (a title, a quota probe), not for the user.
    """

    prompt: str
    conversation: str
    turn: int
    leg: int
    side: bool
    stream: bool
    model: str
    results: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The prompt's own POLI key, as an obedient model would read it; of one that has none (the agent's own word
        that something in the background is over) the last one before it; empty when there is none at all."""
        key = re.compile(r"^[ \t]*POLI key:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
        found = key.findall(self.prompt) or key.findall(self.conversation)
        return found[-1] if found else ""

    @property
    def file(self) -> str:
        """The file that the prompt says to read; empty when there is none."""
        found = re.search(r"^Read the file (.+) now\b", self.prompt, re.MULTILINE)
        return found[1] if found else ""

    @property
    def task_id(self) -> str:
        found = re.search(r"\bTASK_ID=(\S+)", self.conversation)
        return found[1] if found else ""


@dataclass(frozen=True)
class Rule:
    """Answers a request that fits everything given here. `times`: how often in all; None: always."""

    legs: tuple[tuple[Step, ...], ...]
    text: str | None = None
    conversation: str | None = None
    turn: int | None = None
    side: bool = False
    times: int | None = None
    tokens: tuple[int, int] = (100, 20)

    def fits(self, ask: Ask) -> bool:
        return (
            ask.side == self.side
            and ask.leg < len(self.legs)
            and (self.turn is None or ask.turn == self.turn)
            and (self.text is None or re.search(self.text, ask.prompt, re.MULTILINE) is not None)
            and (self.conversation is None or re.search(self.conversation, ask.conversation, re.MULTILINE) is not None)
        )


def say(answer: str, **fits: Any) -> Rule:
    """A rule that answers with one text."""
    return Rule(legs=((Text(answer),),), **fits)


def act(*steps: Step, **fits: Any) -> Rule:
    """A rule for a turn with tools: after each tool call its result is waited for."""
    legs: list[tuple[Step, ...]] = []
    leg: list[Step] = []
    for step in steps:
        leg.append(step)
        if isinstance(step, Tool):
            legs.append(tuple(leg))
            leg = []
    return Rule(legs=(*legs, tuple(leg)) if leg else tuple(legs), **fits)


@dataclass(frozen=True)
class Scenario:
    """The first rule that fits and is not used up answers; nothing fits: `otherwise`."""

    rules: tuple[Rule, ...]
    otherwise: str = "(the scenario has no answer to this)"

    @classmethod
    def load(cls, path: Path) -> Scenario:
        return cls.parse(json.loads(path.read_text("utf-8")))

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Scenario:
        return cls(tuple(_rule(entry) for entry in data["rules"]), data.get("otherwise", cls.otherwise))


def _rule(data: Mapping[str, Any]) -> Rule:
    legs = tuple(tuple(_step(step) for step in leg) for leg in data["legs"])
    tokens = data.get("tokens", Rule.tokens)
    return Rule(legs, times=data.get("times"), tokens=(tokens[0], tokens[1]), **data.get("when", {}))


def _step(data: Mapping[str, Any]) -> Step:
    match data:
        case {"text": text}:
            return Text(text, int(data.get("chunk", Text.chunk)), float(data.get("every", Text.every)))
        case {"think": text}:
            return Think(text)
        case {"silence": seconds}:
            return Silence(float(seconds))
        case {"gate": name}:
            return Gate(name)
        case {"tool": name}:
            return Tool(name, data.get("input", {}))
        case {"fail": status}:
            return Fail(int(status), data.get("message", Fail.message), data.get("headers", {}))
        case {"cut": _}:
            return Cut()
    raise ValueError(f"not a step: {data!r}")


def filled(steps: Sequence[Step], ask: Ask) -> Iterator[Step]:
    """The steps with what the model read in its prompt put in."""
    for step in steps:
        match step:
            case Text():
                yield Text(_fill(step.text, ask), step.chunk, step.every)
            case Tool():
                yield Tool(step.name, _fill(step.input, ask))
            case _:
                yield step


def _fill(value: Any, ask: Ask) -> Any:
    if isinstance(value, str):
        marks = {"@KEY@": ask.key, "@TASK_ID@": ask.task_id, "@FILE@": ask.file, "@PROMPT@": ask.prompt}
        for mark, text in marks.items():
            value = value.replace(mark, text)
        return value
    if isinstance(value, Mapping):
        return {key: _fill(entry, ask) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(entry, ask) for entry in value]
    return value
