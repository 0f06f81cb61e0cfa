"""Kind `aider`: what aider writes into files of the run's own, by settings that the profile makes.

    input       what was typed: every prompt, and every answer to a question, each line behind a `+`
    llm         what went to the model and what came back, each line behind the name of its speaker; between them our
                own line `WAITING`, written by the notification command when aider wants something typed
    analytics   one JSON object an event, here without being sent anywhere: tokens and money
    chat        the history as Markdown, which is read for nothing but its notes on interrupts and errors

WAITING comes once after the model spoke, be it for a question or for the next prompt. So it ends a turn only where the
screen shows no question. This module does not know runs, roles, or prompts' ids.
"""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from politerm.engine.ports import WitnessRecord
from politerm.witness.entry import inner, number, parsed
from politerm.witness.lines import LineFile
from politerm.witness.resting import Resting

RESTED: Final = 0.3
"""Seconds that the screen must have shown it idle: between two questions its last line is never the prompt."""
WRITTEN: Final = 0.05
"""Seconds without more of it after which what was typed is all there: a long prompt is written in pieces."""
FILES: Final = ("llm", "analytics", "chat", "input")
"""In the order in which they are read: what was typed comes last, so that it is never known after its consequence."""

_ANSWER: Final = re.compile(r"\s*(?:y|yes|n|no|a|all|s|skip|d|don't)?\s*", re.IGNORECASE)
_HEADER: Final = re.compile(rb"(?:TO LLM|LLM RESPONSE) \d{4}-\d\d-\d\dT[\d:]+")
_SPOKEN: Final = b"ASSISTANT "
_NOTE: Final = b"> "
_STOPPED: Final = b"> ^C again to exit"
_ERROR: Final = re.compile(rb"> (?:litellm\.\w+|The chat session is larger than the context window)")


class AiderWitness:
    """Implements `engine.ports.SeeingWitness`. `folder`: where the files are, each called `aider.<what>`."""

    def __init__(self, folder: Path, *, lag: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._files = {name: LineFile(folder / f"aider.{name}") for name in FILES}
        self._lag = lag
        self._clock = clock
        self._resting = Resting(RESTED, clock)
        self._forget()

    def _forget(self) -> None:
        self._open = False
        self._waiting = False
        self._speaking = False
        self._sent = False
        """What the model said has been counted, so that it came to its end."""
        self._how, self._why = "failed", ""
        self._reply: list[str] = []
        self._typing: list[str] | None = None
        self._typed: deque[str] = deque()
        self._typed_at = self._clock()

    @property
    def source(self) -> str:
        return "history"

    @property
    def lag(self) -> float:
        return self._lag

    def cursor(self) -> str:
        places = {name: file.cursor() for name, file in self._files.items()}
        turn = [self._open, self._waiting, self._speaking, self._sent, self._how, self._why]
        return json.dumps(
            {**places, "turn": turn, "reply": self._reply, "typing": self._typing, "typed": [*self._typed]}
        )

    def seek(self, cursor: str | None) -> str | None:
        self._forget()
        self._resting.spoke()
        if cursor is None:
            return next(filter(None, [file.seek(None) for file in self._files.values()]), None)
        try:
            data: dict[str, Any] = json.loads(cursor)
            self._open, self._waiting, self._speaking, self._sent, self._how, self._why = data["turn"]
            self._reply, self._typing, self._typed = data["reply"], data["typing"], deque(data["typed"])
            places = [(file, str(data[name])) for name, file in self._files.items()]
        except (ValueError, KeyError, TypeError):
            return "its cursor cannot be read"
        return next(filter(None, [file.seek(place) for file, place in places]), None)

    def seen(self, idle: bool) -> None:
        self._resting.seen(idle)

    def poll(self) -> list[WitnessRecord]:
        records: list[WitnessRecord] = []
        lines = {name: file.poll() for name, file in self._files.items()}
        events = [entry for line in lines["analytics"] if (entry := parsed(line)) is not None]
        if any(entry.get("event") == "launched" for entry in events):
            # Whatever turn was open died with the process before this one. The history file is the conversation.
            self._open = self._waiting = False
            records.append(WitnessRecord("session", "aider.chat"))
        for line in lines["input"]:
            self._input(line)
        if lines["input"]:
            self._typed_at = self._clock()
        elif self._clock() - self._typed_at > WRITTEN:
            self._entered()
        for line in lines["llm"]:
            self._said(line, records)
        for line in lines["chat"]:
            self._note(line)
        for entry in events:
            self._counted(entry, records)
        if self._waiting and self._resting.over:
            self._end(records)
        self._begin(records)
        return records

    def close(self) -> None:
        """Nothing is kept open between two polls."""

    # ---- what was typed ----------------------------------------------------------------------------------------------

    def _input(self, line: bytes) -> None:
        if line.startswith(b"# "):
            self._entered()
            self._typing = []
        elif line.startswith(b"+") and self._typing is not None:
            self._typing.append(line[1:].decode("utf-8", "replace"))

    def _entered(self) -> None:
        if self._typing:
            self._typed.append("\n".join(self._typing))
        self._typing = None

    def _begin(self, records: list[WitnessRecord]) -> None:
        """A prompt opens a turn; within one, an answer is none, and anything else begins the next."""
        while self._typed:
            text = self._typed.popleft()
            if _ANSWER.fullmatch(text):
                self._resting.spoke()
                continue
            if self._open:
                self._end(records)
            records.append(WitnessRecord("prompt", text))
            self._open, self._waiting, self._sent = True, False, False
            self._how, self._why = "failed", ""

    # ---- what was said -----------------------------------------------------------------------------------------------

    def _said(self, line: bytes, records: list[WitnessRecord]) -> None:
        if line == b"WAITING":
            self._flush(records)
            self._waiting = self._open
            self._resting.spoke()
        elif _HEADER.fullmatch(line):
            self._flush(records)
            self._speaking = line.startswith(b"LLM RESPONSE")
            if not self._speaking:
                self._entered()
                self._begin(records)
                self._waiting = self._sent = False
                self._how, self._why = "failed", ""
        elif self._speaking and line.startswith(_SPOKEN):
            self._reply.append(line.removeprefix(_SPOKEN).decode("utf-8", "replace"))

    def _flush(self, records: list[WitnessRecord]) -> None:
        text, self._reply, self._speaking = "\n".join(self._reply), [], False
        if text:
            records.append(WitnessRecord("reply", text))

    def _counted(self, entry: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        if entry.get("event") != "message_send":
            return
        self._sent = True
        spent = inner(entry, "properties")
        into, out, money = number(spent, "prompt_tokens"), number(spent, "completion_tokens"), spent.get("cost")
        if into or out:
            usd = money if isinstance(money, float) and money > 0 else None
            records.append(WitnessRecord("usage", tokens_in=into, tokens_out=out, usd=usd))

    def _note(self, line: bytes) -> None:
        if line.startswith(_STOPPED):
            self._how, self._why = "interrupted", ""
        elif _ERROR.match(line):
            self._how, self._why = "failed", line.removeprefix(_NOTE).decode("utf-8", "replace").strip()

    def _end(self, records: list[WitnessRecord]) -> None:
        self._flush(records)
        if self._open:
            done = self._sent and self._how != "interrupted"
            records.append(WitnessRecord("turn_end", "" if done else self._why, how="done" if done else self._how))
        self._open = self._waiting = self._sent = False
