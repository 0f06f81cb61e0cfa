"""Kind `cn`: the conversation as Continue's CLI keeps it, one JSON document in a folder of the run's own.

A prompt is there at once, an answer when it is whole. One that called no tool ends the turn. Of an interrupt or a
failure nothing is written: those, only the screen tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from politerm.engine.ports import WitnessRecord
from politerm.witness.entry import clean, inner, number
from politerm.witness.snapshot import Snapshot, objects

INDEX: Final = "sessions.json"


class CnWitness:
    """Implements `engine.ports.Witness`. `folder`: nobody else's conversations are in it."""

    def __init__(self, folder: Path, *, lag: float = 0.5) -> None:
        self._folder = folder
        self._lag = lag
        self._file: Snapshot | None = None
        self._told = 0
        self._named = ""

    @property
    def source(self) -> str:
        return "transcript"

    @property
    def lag(self) -> float:
        return self._lag

    def cursor(self) -> str:
        return json.dumps({"session": self._named, "told": self._told})

    def seek(self, cursor: str | None) -> str | None:
        self._file, self._told, self._named = None, 0, ""
        if cursor is None:
            return None
        try:
            saved = json.loads(cursor)
            self._named, self._told = str(saved["session"]), int(saved["told"])
        except (ValueError, KeyError, TypeError):
            return "the cursor cannot be read"
        if self._named:
            self._file = Snapshot(self._folder / f"{self._named}.json")
        return None

    def poll(self) -> list[WitnessRecord]:
        records: list[WitnessRecord] = []
        newest = self._newest()
        if newest is not None and (self._file is None or self._file.path != newest):
            # Its user may have begun another conversation in it.
            if self._named != newest.stem:
                self._told, self._named = 0, newest.stem
                records.append(WitnessRecord("session", newest.stem))
            self._file = Snapshot(newest)
        if self._file is not None and self._file.look():
            history = objects(self._file.data, "history")
            for item in history[self._told :]:
                records += _told(inner(item, "message"))
            self._told = len(history)
        return records

    def close(self) -> None:
        """Nothing is held open between two polls."""

    def _newest(self) -> Path | None:
        try:
            found = [(path.stat().st_mtime_ns, path) for path in self._folder.glob("*.json") if path.name != INDEX]
        except OSError:
            return None
        return max(found)[1] if found else None


def _told(message: Mapping[str, Any]) -> Iterator[WitnessRecord]:
    text = _text(message.get("content"))
    match message.get("role"):
        case "user":
            yield WitnessRecord("prompt", text)
        case "assistant":
            usage = inner(message, "usage")
            tokens = number(usage, "prompt_tokens"), number(usage, "completion_tokens")
            if text:
                yield WitnessRecord("reply", text)
            if any(tokens):
                yield WitnessRecord("usage", tokens_in=tokens[0], tokens_out=tokens[1])
            if not message.get("toolCalls"):
                yield WitnessRecord("turn_end", how="done")


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(clean(part.get("text")) for part in content if isinstance(part, dict))
    return clean(content)
