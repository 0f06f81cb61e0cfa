"""Kind `codex`: the rollout, a JSONL file that Codex writes of each conversation as it goes.

    <CODEX_HOME>/sessions/2026/11/21/rollout-<local time>-<conversation>.jsonl

It holds whole messages only, in order: prompts as they were taken, replies as the model wrote them, the usage of each
answer, and how a turn ended: `task_complete`, with an `error` where it failed, or `turn_aborted`. A turn that died with
its program has no end. A conversation that was resumed goes on in the same file. The file comes into being with the
first prompt, and many conversations may go on in one folder at once, so it is found by the conversation's name alone.

Side conversations of the program (titles, summaries) have no file. This module does not know runs, roles, or prompts'
ids, nor how the name of a conversation is learnt.
"""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from politerm.engine.ports import WitnessRecord
from politerm.witness.entry import clean, inner, number, parsed
from politerm.witness.lines import LineFile

SEARCH: Final = 0.1
"""Seconds between two searches for the file: a handful of calls, and only until it is found."""
_WANTED: Final = (
    b'"session_meta"',
    b'"task_started"',
    b'"task_complete"',
    b'"turn_aborted"',
    b'"item_completed"',
    b'"token_usage_record"',
    b'_call"',
    b'_call_output"',
)
"""A line without one of these holds nothing for us."""
_PATCHED: Final = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)


class CodexWitness:
    """Implements `engine.ports.Witness`.

    `session`: the conversation's name, or its beginning; None: it is not known, and nothing is read. `home`: the
    program's own folder.
    """

    def __init__(
        self,
        home: Path,
        *,
        session: str | None,
        lag: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._session = session
        self._lag = lag
        self._clock = clock
        self._rollout: LineFile | None = None
        self._searched = -SEARCH
        self._asks: dict[str, str] = {}
        self._another = False
        """The conversation is another one than before: of its file only the last turn is new."""

    @property
    def source(self) -> str:
        return "transcript"

    @property
    def lag(self) -> float:
        return self._lag

    def cursor(self) -> str:
        place = self._rollout and [str(self._rollout.path), self._rollout.cursor()]
        return json.dumps({"session": self._session, "rollout": place, "asks": self._asks}, ensure_ascii=True)

    def seek(self, cursor: str | None) -> str | None:
        self._rollout, self._another = None, False
        self._asks.clear()
        if cursor is None:
            return None
        try:
            data = json.loads(cursor)
            place, self._session = data["rollout"], self._session or data["session"]
            if place is None:
                return None
            if not _is_of(Path(place[0]).name, self._session):
                self._another = True
                return None
            self._asks = {str(call): str(what) for call, what in data["asks"].items()}
            self._rollout = LineFile(Path(place[0]))
            trouble = self._rollout.seek(place[1])
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            return "the cursor cannot be read"
        return f"the rollout: {trouble}" if trouble else None

    def poll(self) -> list[WitnessRecord]:
        if self._rollout is None:
            self._search()
        if self._rollout is None:
            return []
        records: list[WitnessRecord] = []
        while True:
            for line in self._rollout.poll():
                if any(mark in line for mark in _WANTED) and (entry := parsed(line)):
                    if self._another and inner(entry, "payload").get("type") == "task_started":
                        records = [record for record in records if record.kind == "session"]
                    self._entry(entry, records)
            if not (self._another and self._rollout.behind):
                break
        self._another = False
        return records

    def close(self) -> None:
        """Nothing is held open between two polls."""

    # ---- the file ----------------------------------------------------------------------------------------------------

    def _search(self) -> None:
        now = self._clock()
        if self._session is None or now - self._searched < SEARCH:
            return
        self._searched = now
        for folder in _folders(self._home / "sessions", self._session):
            for path in folder.glob("rollout-*.jsonl"):
                if _is_of(path.name, self._session):
                    self._rollout = LineFile(path)
                    return

    # ---- its lines ---------------------------------------------------------------------------------------------------

    def _entry(self, entry: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        payload = inner(entry, "payload")
        match entry.get("type"):
            case "session_meta":
                self._session = str(payload.get("id"))
                records.append(WitnessRecord("session", self._session))
            case "event_msg":
                self._event(payload, records)
            case "response_item":
                self._call(payload, records)
            case "token_usage_record":
                usage = inner(payload, "usage")
                into, out = number(usage, "input_tokens"), number(usage, "output_tokens")
                records.append(WitnessRecord("usage", tokens_in=into, tokens_out=out))
            case _:
                pass

    def _event(self, event: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        match event.get("type"):
            case "item_completed":
                self._item(inner(event, "item"), records)
            case "task_complete" if isinstance(error := event.get("error"), dict):
                self._end("failed", clean(error.get("message")), records)
            case "task_complete":
                self._end("done", "", records)
            case "turn_aborted":
                self._end("interrupted", "", records)
            case _:
                pass

    def _item(self, item: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        match item.get("type"):
            case "UserMessage":
                records.append(WitnessRecord("prompt", _text(item)))
            case "AgentMessage":
                records.append(WitnessRecord("reply", _text(item)))
            case _:
                pass

    def _end(self, how: str, why: str, records: list[WitnessRecord]) -> None:
        self._asks.clear()
        records.append(WitnessRecord("turn_end", why, how=how))

    def _call(self, item: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        """A call that may have to be asked about, until its result is there. That it is asked about says the screen."""
        kind, call = str(item.get("type")), str(item.get("call_id"))
        if kind.endswith("_call") and (what := _asked(item)):
            self._asks[call] = what
        elif not (kind.endswith("_call_output") and self._asks.pop(call, "")):
            return
        # Of several calls nothing here says which one is asked about; a person must never answer for another one.
        asked = list(self._asks.values())
        records.append(WitnessRecord("permission", asked[0] if len(asked) == 1 else ""))


def _is_of(name: str, session: str | None) -> bool:
    """Is this the rollout of the conversation that begins so? Without one, of whichever."""
    return session is None or name.rpartition(".")[0][-36:].startswith(session)


def _folders(sessions: Path, session: str) -> Iterator[Path]:
    """Where the file may lie: by the day on which the conversation began, which its name tells (UUID version 7), and
    which may be another one in another time zone."""
    try:
        began = datetime.datetime.fromtimestamp(int(session.replace("-", "")[:12], 16) / 1000)
    except (ValueError, OverflowError, OSError):
        yield from sessions.glob("*/*/*")
        return
    for days in (0, -1, 1):
        yield sessions / (began + datetime.timedelta(days=days)).strftime("%Y/%m/%d")


def _text(item: Mapping[str, Any]) -> str:
    content = item.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return "".join(clean(part.get("text")) for part in parts)


def _asked(item: Mapping[str, Any]) -> str:
    """`exec_command: touch /etc/x`: the tool, and of its input what matters to a person."""
    name = item.get("name")
    if name == "apply_patch":
        return f"{name}: {', '.join(_PATCHED.findall(clean(item.get('input'))))}"
    given = parsed(clean(item.get("arguments")).encode()) or {}
    if given.get("sandbox_permissions") not in (None, "use_default"):
        return f"{name}: {clean(given.get('cmd'))}"
    return ""
