"""Kind `cline`: what Cline keeps of a conversation, in a data folder of the run's own.

    cache/user_input_history.jsonl             every prompt as soon as it is submitted, a long paste in it folded; the
                                               file is written anew each time, with other times in its old lines
    sessions/<id>/<id>.messages.json           the conversation, written anew when a message is whole
    sessions/<id>/<id>.json                    its state: running, pending (it asks for something), idle

A prompt with a folded paste is told when the conversation has it, which is when its first answer is whole. A turn is
over when the state, written after the prompt, says neither running nor pending; how it ended the last message tells.
What was streamed before an interrupt is not recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from politerm.engine.ports import WitnessRecord
from politerm.witness.entry import clean, inner, number
from politerm.witness.snapshot import Snapshot, objects

BUSY: Final = ("running", "pending")
_FOLDED: Final = re.compile(r"\[[^\n]*\.\.\. Pasted \+\d+ lines\]")
_TYPED: Final = re.compile(r'\A<user_input mode="\w+">(.*)</user_input>\Z', re.DOTALL)
"""How the conversation holds what was typed; results of tools go without it."""


class ClineWitness:
    """Implements `engine.ports.Witness`. `folder`: nobody else's conversations are in it."""

    def __init__(self, folder: Path, *, lag: float = 0.5) -> None:
        self._folder = folder
        self._lag = lag
        self._history = Snapshot(folder / "cache" / "user_input_history.jsonl", lines=True)
        self._typed = 0
        """How many prompts of that file have been seen."""
        self._state: Snapshot | None = None
        self._messages: Snapshot | None = None
        self._session = ""
        self._told = 0
        self._since: int | None = None
        """When the prompt of the open turn was written, in nanoseconds."""
        self._last = ("interrupted", "")
        """How the open turn has ended, should it be over now, and why."""
        self._early: list[str] = []
        """Prompts that were told before the conversation had them."""
        self._begun = False
        """The state has been busy since the prompt, or there is an answer to it."""

    @property
    def source(self) -> str:
        return "transcript"

    @property
    def lag(self) -> float:
        return self._lag

    def cursor(self) -> str:
        place = {"typed": self._typed, "session": self._session, "told": self._told}
        turn = {"since": self._since, "last": self._last, "early": self._early, "begun": self._begun}
        return json.dumps({**place, **turn})

    def seek(self, cursor: str | None) -> str | None:
        self._typed, self._session, self._told, self._since, self._last = 0, "", 0, None, ("interrupted", "")
        self._state = self._messages = None
        self._early, self._begun = [], False
        self._history = Snapshot(self._history.path, lines=True)
        if cursor is None:
            return None
        try:
            saved = json.loads(cursor)
            self._typed = int(saved["typed"])
            if session := str(saved["session"]):
                self._open(session)
            self._told, self._since = int(saved["told"]), saved["since"]
            self._last = (str(saved["last"][0]), str(saved["last"][1]))
            self._early, self._begun = [str(text) for text in saved["early"]], bool(saved["begun"])
        except (ValueError, KeyError, IndexError, TypeError):
            return "the cursor cannot be read"
        return None

    def poll(self) -> list[WitnessRecord]:
        records: list[WitnessRecord] = []
        self._find(records)
        if self._state is not None:
            # Before the messages: what they hold is then as new as the state, or newer.
            self._state.look()
        if self._history.look():
            typed = [clean(entry.get("prompt")) for entry in objects(self._history.data, "lines")]
            for text in typed[self._typed :]:
                self._since, self._last, self._begun = self._history.changed, ("interrupted", ""), False
                if not _FOLDED.search(text):
                    self._early.append(text)
                    records.append(WitnessRecord("prompt", text))
            self._typed = len(typed)
        if self._messages is not None and self._messages.look():
            messages = objects(self._messages.data, "messages")
            for message in messages[self._told :]:
                records += self._message(message)
            self._told = len(messages)
        if self._over():
            records.append(WitnessRecord("turn_end", self._last[1], how=self._last[0]))
            self._since = None
        return records

    def close(self) -> None:
        """Nothing is held open between two polls."""

    def _over(self) -> bool:
        state = self._state
        if self._since is None or state is None:
            return False
        busy = state.data.get("status") in BUSY
        if state.changed > self._since:
            self._begun = self._begun or busy
            return self._begun and not busy
        # A prompt is written down on the side: the whole turn may be quicker than that.
        if self._messages is None or self._last[0] == "interrupted":
            return False
        return not busy and state.changed >= self._messages.changed

    def _find(self, records: list[WitnessRecord]) -> None:
        """The conversation: the one of this folder that was begun last, for its user may begin another."""
        try:
            names = [path.name for path in (self._folder / "sessions").iterdir() if re.fullmatch(r"\d+_\w+", path.name)]
        except OSError:
            return
        newest = max(names, default="")
        if newest and newest != self._session:
            self._open(newest)
            self._told = 0
            records.append(WitnessRecord("session", newest))

    def _open(self, session: str) -> None:
        folder = self._folder / "sessions" / session
        self._session = session
        self._state, self._messages = (
            Snapshot(folder / f"{session}.json"),
            Snapshot(folder / f"{session}.messages.json"),
        )

    def _message(self, message: Mapping[str, Any]) -> Iterator[WitnessRecord]:
        parts = objects(message, "content")
        text = "".join(clean(part.get("text")) for part in parts if part.get("type") == "text")
        if message.get("role") != "assistant":
            if (typed := _TYPED.match(text)) is not None:
                yield from self._prompt(typed[1])
            return
        self._begun = True
        if inner(message, "metadata").get("displayRole") == "error":
            self._last = ("failed", text)
            return
        called = any(part.get("type") == "tool_use" for part in parts)
        self._last = ("interrupted", "") if called else ("done", "")
        if text:
            yield WitnessRecord("reply", text)
        metrics = inner(message, "metrics")
        tokens = number(metrics, "inputTokens"), number(metrics, "outputTokens")
        if any(tokens):
            cost = metrics.get("cost")
            usd = float(cost) if isinstance(cost, int | float) and cost > 0 else None
            yield WitnessRecord("usage", tokens_in=tokens[0], tokens_out=tokens[1], usd=usd)

    def _prompt(self, text: str) -> Iterator[WitnessRecord]:
        if text in self._early:
            self._early.remove(text)
        else:
            yield WitnessRecord("prompt", text)
