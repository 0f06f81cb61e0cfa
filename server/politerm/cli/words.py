"""Events as words for people: pure text work, shared by plain lines, the live display and the stored timeline.

Works on wire JSON, so that a reader of an older version still shows what a newer one says. Knows no terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# C0 without newline and tab, DEL, C1, and the marks that reorder or hide what stands around them.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])"
)
_TAG = re.compile(r"^\s*</?(?:PLAN|CONTINUE|REVISION|COMPLETE|STATUS|RESULT)>\s*$\n?", re.MULTILINE)


def safe(text: str) -> str:
    """What an agent wrote, without anything that could steer a terminal."""
    return _UNSAFE.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def body(text: str) -> str:
    """A message's body for reading: safe, without the tags that only programs need."""
    return _TAG.sub("", safe(text)).strip("\n")


def trim(text: str, lines: int) -> tuple[str, int]:
    """The first `lines` lines and how many were left out; a code fence that was cut open is closed."""
    every = text.split("\n")
    if len(every) <= lines:
        return text, 0
    kept = every[:lines]
    if sum(line.lstrip().startswith("```") for line in kept) % 2:
        kept.append("```")
    return "\n".join(kept).rstrip("\n"), len(every) - lines


def one_line(text: str, width: int = 100) -> str:
    words = " ".join(safe(text).split())
    return words if len(words) <= width else words[: width - 1].rstrip() + "…"


def duration(seconds: float) -> str:
    """0.4s, 12s, 3:05, 2:03:05."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{max(0.0, int(seconds * 10) / 10)}s" if seconds < 10 else f"{whole}s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def instant(stamp: str) -> datetime:
    """A stamp of the wire (ISO 8601, UTC) as an aware time."""
    return datetime.fromisoformat(stamp).astimezone(UTC)


def between(start: str, end: str | None, now: datetime) -> float:
    return ((instant(end) if end else now) - instant(start)).total_seconds()


def money(usage: Mapping[str, Any]) -> str:
    """$0.42 · 12.3k tokens; empty where nothing was reported."""
    tokens = int(usage.get("tokensIn", 0)) + int(usage.get("tokensOut", 0))
    said = [f"${usage['usd']:.2f}"] if usage.get("usd") is not None else []
    if tokens:
        said.append(f"{tokens / 1000:.1f}k tokens" if tokens >= 1000 else f"{tokens} tokens")
    return " · ".join(said)


def plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


@dataclass(frozen=True)
class Line:
    """One event for people. `weight`: trace (only where everything is shown), detail (also in plain lines), note,
    message, alert."""

    weight: str
    head: str
    body: str = ""
    role: str = ""


def describe(event: Mapping[str, Any]) -> Line | None:
    """What is worth saying about an event; None for what the state of the run already shows."""
    kind = event["type"]
    role = str(event.get("role") or event.get("to") or "")
    match kind:
        case "runQueued":
            return Line("note", "waits for its turn")
        case "runStarted":
            agents = ", ".join(f"{name} {spec['name']}" for name, spec in event["agents"].items())
            return Line("note", f"started: {agents}", body(event["task"]))
        case "agentStarting":
            again = f" (start {event['incarnation']})" if event["incarnation"] > 1 else ""
            return Line("detail", f"{role} starts {event['agent']}{again}", role=role)
        case "agentReady":
            return Line("detail", f"{role} is up in pane {event['pane']}", role=role)
        case "agentStateChanged":
            weight = "trace" if event["state"] in ("starting", "ready", "working") else "alert"
            why = event["why"]
            return Line(weight, f"{role} is {event['state']} ({why['source']}: {why['rule']})", role=role)
        case "agentReplied":
            return Line("trace", f"{role} says", body(event["text"]), role)
        case "roundStarted":
            return Line("note", f"round {event['round']}")
        case "promptRequested":
            return Line("trace", f"{role} is sent a prompt ({event['origin']})", role=role)
        case "promptUncertain":
            return Line(
                "alert", f"It is not certain that {role} has its prompt: {one_line(event['reason'])}", role=role
            )
        case "messageReceived":
            return Line(
                "message", f"{event['from']} → {event['to']} {event['kind']}", body(event["body"]), event["from"]
            )
        case "messageRefused":
            excerpt = one_line(event["excerpt"], 60)
            return Line(
                "note", f"{event['from']}: not taken, {one_line(event['reason'])}: {excerpt}", role=event["from"]
            )
        case "nudged":
            return Line("note", f"{role} is reminded ({event['count']}): {one_line(event['reason'])}", role=role)
        case "planEdited":
            return Line("note", "the plan was edited by hand", body(event["body"]))
        case "attentionRaised":
            who = f"{event['role']}: " if event.get("role") else ""
            return Line("alert", f"needs you: {who}{one_line(event['title'])}", body(event.get("text", "")), role)
        case "attentionAnswered":
            said = event.get("choice") or one_line(event.get("text") or "", 60)
            return Line("note", f"answered by the {event.get('by', 'user')}: {said}" if said else "no longer asked")
        case "limitReached":
            who = f" of {event['role']}" if event.get("role") else ""
            return Line("alert", f"limit reached: {event['limit']}{who} {event.get('detail', '')}".rstrip())
        case "runPaused":
            return Line("alert", f"paused: {one_line(event['reason'])}")
        case "runResumed":
            return Line("note", "goes on")
        case "recovered":
            lost = ", its conversation is lost" if event.get("contextLost") else ""
            who = f" of {event['role']}" if event.get("role") else ""
            return Line("alert", f"recovered from the death of the {event['what']}{who}{lost}", role=role)
        case "outputGap":
            return Line("note", f"some output of {role} was not recorded: {one_line(event['reason'])}", role=role)
        case "runEnded":
            return None  # told by the summary, which knows more
    return None
