"""Kind `gemini`: the conversation's own JSONL file of Gemini CLI.

The file holds every prompt and every message of the model as they are, tokens, errors and cancellations, but nothing
tells a message that is followed by a tool, or by a question about one, from the last of a turn: the calls are added
once they are done. The screen and its title say whether the program is idle. Only where both agree is a turn over.

Hooks would say more, but this program takes them from nobody but the user, the project, and root.

After a refused permission the whole history is written once more, under new ids: such a copy begins with the context of
the session and ends with a `$set` of all messages. This module does not know runs, roles, or prompts' ids.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from politerm.engine.ports import WitnessRecord
from politerm.witness.entry import clean, inner, number, parsed
from politerm.witness.lines import NEW, LineFile
from politerm.witness.resting import Resting

RESTED: Final = 0.4
"""Seconds that the screen must have shown it idle. Between a message and its tool it was never seen to."""
SEARCH: Final = 0.25
"""Seconds between two searches for the file, which comes with the first prompt."""
_CONTEXT: Final = "<session_context>"
_CANCELLED: Final = "Request cancelled."


class GeminiWitness:
    """Implements `engine.ports.SeeingWitness`. `config`: the program's own folder. A conversation that is resumed goes
    on in its first file, and leaves an empty one beside it."""

    def __init__(
        self, config: Path, session: str | None, *, lag: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._session = session or ""
        self._lag = lag
        self._clock = clock
        self._lines: LineFile | None = None
        self._searched = -SEARCH
        self._resting = Resting(RESTED, clock)
        self._open = False
        self._last = False
        """The last thing in this turn is a message of the model, perhaps its last."""
        self._copy = False
        self._known: list[str] = []
        """Messages of the model that were told: each comes again when its tools are done."""

    @property
    def source(self) -> str:
        return "transcript"

    @property
    def lag(self) -> float:
        return self._lag

    def cursor(self) -> str:
        place = [str(self._lines.path), self._lines.cursor()] if self._lines is not None else None
        state = {"open": self._open, "last": self._last, "copy": self._copy, "known": self._known}
        return json.dumps({"at": place, **state})

    def seek(self, cursor: str | None) -> str | None:
        self._open = self._last = self._copy = False
        self._known.clear()
        self._resting.spoke()
        if cursor is None:
            return self._lines.seek(None) if self._lines is not None else None
        try:
            data = json.loads(cursor)
            self._open, self._last, self._copy = bool(data["open"]), bool(data["last"]), bool(data["copy"])
            self._known = [str(name) for name in data["known"]]
            place = data["at"]
            if place is None:
                return self._lines.seek(NEW) if self._lines is not None else None
            self._lines = LineFile(Path(place[0]))
            return self._lines.seek(place[1])
        except (ValueError, KeyError, TypeError, IndexError):
            return "its cursor cannot be read"

    def seen(self, idle: bool) -> None:
        self._resting.seen(idle)

    def poll(self) -> list[WitnessRecord]:
        records: list[WitnessRecord] = []
        if self._lines is None:
            self._search(self._clock(), records)
        for line in self._lines.poll() if self._lines is not None else ():
            if (entry := parsed(line)) is not None:
                self._read(entry, records)
        if self._last and self._lines is not None and not self._lines.behind and self._resting.over:
            self._end("done", "", records)
        return records

    def close(self) -> None:
        """Nothing is kept open between two polls."""

    def _search(self, now: float, records: list[WitnessRecord]) -> None:
        if now - self._searched < SEARCH or not self._session:
            return
        self._searched = now
        found = sorted(self._config.glob(f"tmp/*/chats/session-*-{self._session[:8]}.jsonl"))
        for path in found:
            with path.open("rb") as file:
                head = parsed(file.readline())
            if head is not None and head.get("sessionId") == self._session:
                self._lines = LineFile(path)
                records.append(WitnessRecord("session", self._session))
                return

    def _read(self, entry: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        kind, said = entry.get("type"), "\n".join(_texts(entry))
        if "messages" in inner(entry, "$set"):
            self._copy = False
        elif kind == "user" and said.startswith(_CONTEXT):
            self._copy = True
        elif self._copy:
            return
        elif kind == "user" and said:
            self._open, self._last = True, False
            records.append(WitnessRecord("prompt", said))
        elif kind == "user":
            # What a tool gave: the model speaks next.
            self._last = False
        elif kind == "gemini":
            self._spoke(entry, said, records)
        elif kind == "error":
            self._end("failed", said, records)
        elif kind == "info" and said == _CANCELLED:
            self._end("interrupted", "", records)

    def _spoke(self, entry: Mapping[str, Any], said: str, records: list[WitnessRecord]) -> None:
        name = str(entry.get("id"))
        self._last = self._open and not entry.get("toolCalls")
        self._resting.spoke()
        if name in self._known:
            return
        self._known = [*self._known[-7:], name]
        if said:
            records.append(WitnessRecord("reply", said))
        tokens = inner(entry, "tokens")
        into, out = number(tokens, "input"), number(tokens, "output") + number(tokens, "thoughts")
        if into or out:
            records.append(WitnessRecord("usage", tokens_in=into, tokens_out=out))

    def _end(self, how: str, why: str, records: list[WitnessRecord]) -> None:
        if self._open:
            records.append(WitnessRecord("turn_end", why, how=how))
        self._open = self._last = False


def _texts(entry: Mapping[str, Any]) -> Iterator[str]:
    """A message's text, or the texts of its parts."""
    content = entry.get("content")
    for part in content if isinstance(content, list) else [{"text": content}]:
        if isinstance(part, dict) and (text := clean(part.get("text"))):
            yield text
