"""Kind `claude`: what Claude Code records about itself.

Three sources, none of them the user's to change:

    hooks        one JSON object a line, appended by the hooks that the profile brings along (WitnessSpec.path)
    transcript   the conversation's own JSONL file, which the hooks name: every prompt, every assistant message, whole
    status       sessions/<pid>.json beside it: idle, busy, waiting (undocumented, so only ever a second opinion)

Prompts, replies, usage and the end of a turn are read from the transcript: it holds all texts of a turn, while the Stop
hook holds only the last. An interrupt stands there too, except one before the first token, of which no source but the
status says anything. Permissions and failures come from the hooks. Where there is no transcript (a user may turn it
off) the hooks alone are taken. This module does not know runs, roles, or prompts' ids.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from politerm.engine.ports import WitnessRecord
from politerm.witness.claude_entry import (
    asked,
    blocks,
    calls,
    failure,
    human,
    running,
    seconds,
    texts,
    unfolded,
)
from politerm.witness.claude_order import InOrder
from politerm.witness.entry import clean, inner, number, parsed
from politerm.witness.lines import NEW, LineFile

QUIET: Final = 1.0
"""Seconds without a new record after which a Stop hook alone ends a turn. It may come 0.2 s before the last record."""
IDLE: Final = 5.0
"""Seconds that the status alone must say idle: on a loaded machine it did so for 2 s in the middle of a turn."""
UNSEEN: Final = 15.0
"""The same where it was never seen busy in this turn."""
PATIENCE: Final = 10.0
"""Seconds to wait for a transcript before the hooks alone are believed. It came within 0.3 s of the first prompt, and
after 5 s on a machine under load; what it tells then is known from the hooks already, by the prompt's id."""
ASKED: Final = 3.0
"""Seconds that a permission is kept back until the transcript shows the tool it is for, so that what the agent said
before it is told before it; that took up to 0.4 s, and over 1 s on a loaded machine."""
PAST: Final = 64
"""Finished calls that are remembered: the permission for one of them has been answered long ago."""
SEARCH: Final = 2.0
"""Seconds between two searches for a file whose place is not known yet."""

_WANTED: Final = (b'"user"', b'"assistant"', b'"turn_duration"', b'"queue-operation"', b'"queued_command"')
"""A line without one of these holds nothing for us; most of a transcript's bytes are in such lines."""
_INTERRUPTED: Final = "[Request interrupted by user"
_FILLERS: Final = ("No response requested.", "(no content)")
_NOTICE: Final = "<task-notification>"
_LOCAL: Final = ("<command-", "<local-command-", "<bash-")
"""What a slash command or a `!` line leaves behind: the model is not asked, so no turn begins."""
_STATES: Final = {"idle": "ready", "busy": "working", "shell": "working", "waiting": "blocked"}


class ClaudeWitness:
    """Implements `engine.ports.Witness`.

    `config`: the agent's own configuration folder, where a transcript is searched for as long as no hook has named it.
    """

    def __init__(
        self,
        hooks: Path,
        *,
        session: str | None,
        config: Path | None,
        lag: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hooks = LineFile(hooks)
        self._transcript: LineFile | None = None
        self._order = InOrder(whole=True)
        self._told_to = ""
        """How far the transcript has been told; behind this stands a line that waits for the one it follows."""
        self._session = session
        self._config = config
        self._lag = lag
        self._clock = clock
        self._status_file: Path | None = None
        self._status_seen = -1
        self._status: Mapping[str, Any] = {}
        self._state = ""
        self._searched = -SEARCH
        self._moved = clock()
        self._held: deque[tuple[float, Mapping[str, Any], str]] = deque()
        self._queued: list[str] = []
        self._calls: dict[str, Any] = {}
        self._past_calls: deque[Any] = deque(maxlen=PAST)
        self._changed = clock()
        self._turn = _Turn()
        self._settled = self._hooks.cursor()
        self._background = self._background_told = ""

    @property
    def source(self) -> str:
        return "transcript"

    @property
    def lag(self) -> float:
        return self._lag

    def cursor(self) -> str:
        told = self._told_to if self._order.waits else None
        place = self._transcript and [str(self._transcript.path), told or self._transcript.cursor()]
        turn = self._turn
        return json.dumps(
            {
                "hooks": self._settled,
                "transcript": place,
                "turn": [turn.open, turn.since, turn.how, turn.why, turn.prompt, turn.busy],
                "usage": turn.usage,
                "queued": self._queued,
                "waits": self._order.waits,
                "background": self._background,
            },
            ensure_ascii=True,
        )

    def seek(self, cursor: str | None) -> str | None:
        self._held.clear()
        self._queued.clear()
        self._turn = _Turn()
        self._order = InOrder(whole=True)
        self._background = self._background_told = ""
        self._moved = self._clock()
        if cursor is None:
            self._transcript = None
            self._settled = NEW
            return self._hooks.seek(None)
        try:
            data = json.loads(cursor)
            place, turn = data["transcript"], data["turn"]
            self._turn = _Turn(turn[0], turn[1], turn[2], turn[3], self._moved, data["usage"], turn[4], turn[5])
            self._queued = [str(text) for text in data["queued"]]
            self._background = str(data.get("background", ""))
            trouble = self._hooks.seek(data["hooks"])
            self._settled = self._hooks.cursor()
            wrong = [f"the hooks' record: {trouble}"] if trouble else []
            if place is not None:
                self._transcript = LineFile(Path(place[0]))
                trouble = self._transcript.seek(place[1])
                self._order = InOrder(whole=place[1] == NEW or bool(data.get("waits")))
                wrong += [f"the transcript: {trouble}"] if trouble else []
        except (ValueError, KeyError, IndexError, TypeError):
            return "the cursor cannot be read"
        return "; ".join(wrong) or None

    def poll(self) -> list[WitnessRecord]:
        now = self._clock()
        records: list[WitnessRecord] = []
        for count, line in enumerate(self._hooks.poll(), 1):
            self._moved = now
            if hook := parsed(line):
                self._hook(hook, now, self._hooks.cursor_behind(count), records)
        if self._background != self._background_told:
            self._background_told = self._background
            records.append(WitnessRecord("background", self._background))
        self._search(now)
        if self._transcript is not None:
            for line in self._lines(self._transcript, now):
                self._moved = now
                if any(mark in line for mark in _WANTED) and (entry := parsed(line)):
                    self._entry(entry, records)
            if self._transcript.behind or self._order.waits:
                # What the hooks say about the turn may only be believed when its texts have all been read.
                return records
        self._settle(now, records)
        if not self._held:
            self._settled = self._hooks.cursor()
        self._look(now, records)
        return records

    def close(self) -> None:
        """Nothing is held open between two polls."""

    def _lines(self, transcript: LineFile, now: float) -> Iterator[bytes]:
        before = transcript.cursor()
        for count, line in enumerate(transcript.poll()):
            waited = self._order.waits
            yield from self._order.add(line, now)
            if self._order.waits and not waited:
                self._told_to = transcript.cursor_behind(count) if count else before
        yield from self._order.overdue(now)

    # ---- hooks -------------------------------------------------------------------------------------------------------

    def _hook(self, hook: Mapping[str, Any], now: float, place: str, records: list[WitnessRecord]) -> None:
        match hook.get("hook_event_name"):
            case "SessionStart" if not self._held:
                self._began(hook, records)
            case "SessionStart" | "UserPromptSubmit" | "Stop" | "StopFailure" | "PermissionRequest":
                if hook["hook_event_name"] == "Stop":
                    # Known before the turn's end is: it tells whether that leaves the agent idle.
                    self._background = ", ".join(running(hook))
                if self._transcript is None and isinstance(path := hook.get("transcript_path"), str):
                    self._transcript = LineFile(Path(path))
                self._held.append((now, hook, place))

    def _began(self, hook: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        session, path = str(hook.get("session_id", "")), hook.get("transcript_path")
        if isinstance(path, str) and (self._transcript is None or self._transcript.path != Path(path)):
            follows = self._transcript is not None
            self._transcript = LineFile(Path(path))
            if follows and hook.get("source") != "startup":
                # A resumed conversation may have been copied into a new file: what it holds now is not new.
                self._transcript.poll()
                while self._transcript.behind:
                    self._transcript.poll()
            self._order = InOrder(whole=not follows)
        if hook.get("source") != "compact":
            # Whatever turn was open died with the process before this one.
            self._turn = _Turn()
            self._background = ""
        if session:
            self._session = session
            self._status_file = None
            self._status = {}
            records.append(WitnessRecord("session", session))

    def _settle(self, now: float, records: list[WitnessRecord]) -> None:
        """What the hooks said, now that the transcript has been read as far as it goes."""
        there = self._transcript is not None and self._transcript.found
        while self._held:
            at, hook, place = self._held[0]
            event = hook["hook_event_name"]
            if event == "SessionStart":
                self._began(hook, records)
            elif event == "PermissionRequest":
                call = [hook.get("tool_name"), hook.get("tool_input")]
                waits = call in self._calls.values()
                if not waits and now - at < ASKED:
                    return
                if waits or call not in self._past_calls:
                    records.append(WitnessRecord("permission", asked(hook)))
            elif there:
                self._heard(event, hook, now)
            elif now - at < PATIENCE:
                return
            else:
                self._alone(event, hook, records)
            self._held.popleft()
            self._settled = place
        turn = self._turn
        if turn.open and turn.how and now - max(turn.heard, self._moved) > QUIET and not self._busy():
            self._end(turn.how, turn.why, records)

    def _heard(self, event: str, hook: Mapping[str, Any], now: float) -> None:
        """The transcript tells prompts and ends itself, in order; a hook is kept in case that it does not."""
        if not self._turn.open or hook.get("prompt_id", self._turn.prompt) != self._turn.prompt:
            return
        if event == "Stop":
            self._turn.how, self._turn.heard = "done", now
        elif event == "StopFailure":
            self._turn.how, self._turn.why, self._turn.heard = "failed", failure(hook), now

    def _alone(self, event: str, hook: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        prompt = str(hook.get("prompt_id", ""))
        if event == "UserPromptSubmit":
            records.append(WitnessRecord("prompt", unfolded(clean(hook.get("prompt")))))
            self._turn = _Turn(open=True, prompt=prompt)
            return
        if event == "Stop":
            records.append(WitnessRecord("reply", clean(hook.get("last_assistant_message"))))
            self._end("done", "", records)
        else:
            self._end("failed", failure(hook), records)
        self._turn.prompt = prompt

    # ---- transcript --------------------------------------------------------------------------------------------------

    def _entry(self, entry: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        if entry.get("isSidechain") or entry.get("isMeta"):
            return
        match entry.get("type"):
            case "user":
                self._user(entry, records)
            case "assistant":
                self._assistant(entry, records)
            case "system" if entry.get("subtype") == "turn_duration" and self._turn.open:
                self._end(self._turn.how or "done", self._turn.why, records)
            case "queue-operation" if entry.get("operation") == "enqueue":
                self._enqueued(entry, records)
            case "queue-operation" if entry.get("operation") == "popAll":
                # An interrupt puts waiting prompts back into the input box: should they be sent again, they are new.
                self._queued.clear()
            case "attachment":
                attachment = inner(entry, "attachment")
                if attachment.get("type") == "queued_command":
                    self._taken(unfolded(clean(attachment.get("prompt"))))

    def _user(self, entry: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        for block in blocks(inner(entry, "message")):
            if block.get("type") == "tool_result" and (call := self._calls.pop(str(block.get("tool_use_id")), None)):
                self._past_calls.append(call)
        if entry.get("isCompactSummary") or entry.get("isVisibleInTranscriptOnly") or "toolUseResult" in entry:
            return
        said = [unfolded(text) for text in texts(entry)]
        if not said or said[0].startswith(_LOCAL):
            return
        if said[0].startswith(_INTERRUPTED):
            self._end("interrupted", "", records)
            return
        prompt = str(entry.get("promptId", ""))
        if prompt and prompt == self._turn.prompt:
            # The hooks told this prompt already. Was its turn over before the transcript came, so is all of that turn.
            self._turn.since, self._turn.past = seconds(entry), not self._turn.open
            return
        text = "\n".join(said)
        known = self._taken(text)
        if self._turn.open and not known and human(entry):
            # There is never more than one turn, so the last one is over, whatever was not written about it.
            self._end(self._turn.how or "interrupted", self._turn.why, records)
        self._turn = _Turn(open=True, since=seconds(entry), usage=self._turn.usage, prompt=prompt)
        if human(entry) and not known:
            records.append(WitnessRecord("prompt", text))

    def _assistant(self, entry: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        message = inner(entry, "message")
        said = [text for text in texts(entry) if text]
        if entry.get("isApiErrorMessage"):
            self._end("failed", " ".join(said), records)
            return
        if not blocks(message) or self._turn.past:
            return
        self._turn.open = True
        self._calls |= {str(call.get("id")): [call.get("name"), call.get("input")] for call in calls(message)}
        self._count(message, records)
        for text in said:
            if not (message.get("model") == "<synthetic>" and text in _FILLERS):
                records.append(WitnessRecord("reply", text))

    def _count(self, message: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        """Each record of a message repeats its usage so far, so a message counts when the next one begins."""
        usage, name = inner(message, "usage"), str(message.get("id", ""))
        into = sum(number(usage, f"{kind}input_tokens") for kind in ("", "cache_creation_", "cache_read_"))
        if self._turn.usage is not None and self._turn.usage[0] != name:
            self._report(records)
        self._turn.usage = [name, into, number(usage, "output_tokens")]

    def _enqueued(self, entry: Mapping[str, Any], records: list[WitnessRecord]) -> None:
        """Typed while the agent was at work: it has the text now, and gives it to the model when it sees fit."""
        text = unfolded(clean(entry.get("content")))
        if text and not text.startswith(_NOTICE):
            self._queued.append(text)
            records.append(WitnessRecord("prompt", text))

    def _taken(self, text: str) -> bool:
        """Was this text reported already, when it was queued?"""
        if text in self._queued:
            self._queued.remove(text)
            return True
        return False

    def _end(self, how: str, why: str, records: list[WitnessRecord]) -> None:
        self._report(records)
        records.append(WitnessRecord("turn_end", why, how=how))
        self._turn = _Turn()

    def _report(self, records: list[WitnessRecord]) -> None:
        if self._turn.usage is not None:
            _, into, out = self._turn.usage
            if into or out:
                records.append(WitnessRecord("usage", tokens_in=into, tokens_out=out))
            self._turn.usage = None

    # ---- status ------------------------------------------------------------------------------------------------------

    def _look(self, now: float, records: list[WitnessRecord]) -> None:
        self._read_status(now)
        state = _STATES.get(str(self._status.get("status")), "")
        if state and state != self._state:
            self._state = state
            records.append(WitnessRecord("state", state))
        turn = self._turn
        if turn.open and self._changed_in(turn):
            turn.busy = turn.busy or self._status.get("status") in ("busy", "waiting")
        quiet = now - max(self._moved, self._changed) > (IDLE if turn.busy else UNSEEN)
        if turn.open and not turn.how and quiet and self._status.get("status") == "idle" and self._changed_in(turn):
            # Idle, and nothing was written: interrupted before the first token. The prompt is back in the input box.
            self._end("interrupted", "the agent is idle and recorded no end", records)

    def _busy(self) -> bool:
        """A Stop hook of the user's own may still run, or may have sent the agent on."""
        return self._status.get("status") == "busy"

    def _changed_in(self, turn: _Turn) -> bool:
        changed = self._status.get("statusUpdatedAt")
        return isinstance(changed, int) and changed / 1000 > turn.since > 0

    def _read_status(self, now: float) -> None:
        if self._status_file is None:
            return
        try:
            seen = os.stat(self._status_file).st_mtime_ns  # noqa: PTH116 (once a poll)
            if seen != self._status_seen:
                self._status = parsed(self._status_file.read_bytes()) or self._status
                self._status_seen, self._changed = seen, now
        except OSError:
            self._status_file, self._status = None, {}

    def _search(self, now: float) -> None:
        """Files that no hook has named: the transcript when hooks are turned off, the status by its session."""
        if now - self._searched < SEARCH or (self._transcript is not None and self._status_file is not None):
            return
        self._searched = now
        if self._transcript is not None:
            self._config = self._transcript.path.parent.parent.parent
        if self._config is None or not self._session:
            return
        if self._transcript is None:
            found = next(self._config.glob(f"projects/*/{self._session}.jsonl"), None)
            self._transcript = LineFile(found) if found else None
        for path in self._config.glob("sessions/*.json"):
            try:
                known = parsed(path.read_bytes())
            except OSError:
                continue
            if known and known.get("sessionId") == self._session and _lives(known.get("pid")):
                self._status_file, self._status_seen = path, -1


@dataclass
class _Turn:
    """The turn that is being read. `since`: the wall time of its prompt, in seconds; `how` and `why`: what a hook said
    of its end, at `heard`; `usage`: id, tokens in, tokens out of the message that was read last; `prompt`: its id;
    `busy`: the status said so in this turn; `past`: all of it has been told."""

    open: bool = False
    since: float = 0.0
    how: str = ""
    why: str = ""
    heard: float = 0.0
    usage: list[Any] | None = None
    prompt: str = ""
    busy: bool = False
    past: bool = False


def _lives(pid: Any) -> bool:
    """A status outlives a killed program; that of a dead one would say `busy` for ever."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, TypeError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True
