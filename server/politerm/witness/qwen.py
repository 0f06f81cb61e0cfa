"""Kind `qwen`: what Qwen Code records about itself.

    hooks        one JSON object a line, appended by the hooks that the profile brings along (WitnessSpec.path)
    transcript   the conversation's own JSONL file, which every hook names: prompts, replies, tokens, never a turn's end

The end comes from the hooks: `Stop` and `StopFailure`, and after an interrupt, of which neither tells, the notice that
the program waits for input. A Stop may be read sooner than the reply that it is about, so it waits for that.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from politerm.engine.ports import WitnessRecord
from politerm.witness.entry import clean, inner, number, parsed
from politerm.witness.lines import NEW, LineFile

PATIENCE: Final = 20.0
"""Seconds that the end of a turn waits for its last reply in the transcript. That is written on the side: on a loaded
machine it came 5 s after its own time stamp."""


class QwenWitness:
    """Implements `engine.ports.Witness`."""

    def __init__(self, hooks: Path, *, lag: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._hooks = LineFile(hooks)
        self._transcript: LineFile | None = None
        self._lag = lag
        self._clock = clock
        self._held: deque[tuple[float, Mapping[str, Any], str]] = deque()
        self._settled = NEW
        self._turn: str | None = None
        """When the prompt of the open turn was recorded, in the program's own words."""
        self._said = ""

    @property
    def source(self) -> str:
        return "transcript"

    @property
    def lag(self) -> float:
        return self._lag

    def cursor(self) -> str:
        place = self._transcript and [str(self._transcript.path), self._transcript.cursor()]
        saved = {"hooks": self._settled, "transcript": place, "turn": self._turn, "said": self._said}
        return json.dumps(saved, ensure_ascii=True)

    def seek(self, cursor: str | None) -> str | None:
        self._held.clear()
        self._transcript, self._turn, self._said, self._settled = None, None, "", NEW
        if cursor is None:
            return self._hooks.seek(None)
        try:
            saved = json.loads(cursor)
            wrong = [f"the hooks' record: {trouble}"] if (trouble := self._hooks.seek(saved["hooks"])) else []
            self._settled = self._hooks.cursor()
            if (place := saved["transcript"]) is not None:
                self._transcript = LineFile(Path(place[0]))
                wrong += [f"the transcript: {trouble}"] if (trouble := self._transcript.seek(place[1])) else []
            self._turn, self._said = saved["turn"], str(saved["said"])
        except (ValueError, KeyError, IndexError, TypeError):
            return "the cursor cannot be read"
        return "; ".join(wrong) or None

    def poll(self) -> list[WitnessRecord]:
        now = self._clock()
        records: list[WitnessRecord] = []
        for count, line in enumerate(self._hooks.poll(), 1):
            if (hook := parsed(line)) is not None:
                self._held.append((now, hook, self._hooks.cursor_behind(count)))
                path = clean(hook.get("transcript_path"))
                if path and (self._transcript is None or self._transcript.path != Path(path)):
                    self._transcript = LineFile(Path(path))
        if self._transcript is not None:
            for line in self._transcript.poll():
                if (entry := parsed(line)) is not None:
                    # Both files say when, so that what is read at once is told in its order.
                    while self._held and self._before(entry):
                        records += self._next()
                    records += self._entry(entry)
            if self._transcript.behind:
                return records
        while self._held and not (self._early(self._held[0][1]) and now - self._held[0][0] < PATIENCE):
            records += self._next()
        if not self._held:
            self._settled = self._hooks.cursor()
        return records

    def close(self) -> None:
        """Nothing is held open between two polls."""

    def _before(self, entry: Mapping[str, Any]) -> bool:
        """Does the next hook come before this entry? One that ends a turn comes behind the turn's last word."""
        hook = self._held[0][1]
        return _when(hook) < _when(entry) and (entry.get("type") == "user" or not self._early(hook))

    def _next(self) -> Iterator[WitnessRecord]:
        _, hook, self._settled = self._held.popleft()
        return self._hook(hook)

    def _entry(self, entry: Mapping[str, Any]) -> Iterator[WitnessRecord]:
        parts = inner(entry, "message").get("parts")
        whole = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        text = "".join(clean(part.get("text")) for part in whole if not part.get("thought"))
        match entry.get("type"):
            case "user" if text and not entry.get("subtype"):
                self._turn, self._said = _when(entry), ""
                yield WitnessRecord("prompt", text)
            case "assistant":
                usage = inner(entry, "usageMetadata")
                tokens = number(usage, "promptTokenCount"), number(usage, "candidatesTokenCount")
                if text:
                    self._said = text.strip()
                    yield WitnessRecord("reply", text)
                if any(tokens):
                    yield WitnessRecord("usage", tokens_in=tokens[0], tokens_out=tokens[1])

    def _early(self, hook: Mapping[str, Any]) -> bool:
        """Is this the end of a turn of which the transcript does not have the last word yet?"""
        if hook.get("hook_event_name") != "Stop":
            return False
        said = clean(hook.get("last_assistant_message")).strip()
        return self._turn is None or (bool(said) and said != self._said)

    def _hook(self, hook: Mapping[str, Any]) -> Iterator[WitnessRecord]:
        match hook.get("hook_event_name"):
            case "SessionStart":
                # Whatever turn was open died with the process before this one.
                self._turn = None
                if session := clean(hook.get("session_id")):
                    yield WitnessRecord("session", session)
            case "PermissionRequest":
                yield WitnessRecord("permission", _asked(hook))
            case "Stop":
                yield from self._end("done")
            case "StopFailure":
                yield from self._end("failed", clean(hook.get("error_details")) or clean(hook.get("error")))
            case "Notification" if hook.get("notification_type") == "idle_prompt" and self._turn is not None:
                # The one of the turn before may be told after the prompt of this one, but was made before it.
                if _when(hook) > self._turn:
                    yield from self._end("interrupted")

    def _end(self, how: str, why: str = "") -> Iterator[WitnessRecord]:
        if self._turn is not None:
            self._turn = None
            yield WitnessRecord("turn_end", why, how=how)


def _when(entry: Mapping[str, Any]) -> str:
    return clean(entry.get("timestamp"))


def _asked(hook: Mapping[str, Any]) -> str:
    """`run_shell_command: rm -rf build`: the tool, and of its input what matters to a person."""
    given = inner(hook, "tool_input")
    for name in ("command", "file_path", "path", "url", "query"):
        if about := clean(given.get(name)):
            return f"{clean(hook.get('tool_name'))}: {about}"
    return f"{clean(hook.get('tool_name'))}: {json.dumps(given)}"
