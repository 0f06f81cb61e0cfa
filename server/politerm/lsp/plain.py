"""PoliTerm for editors that know only LSP: progress per run, questions as message requests, a log line per event.

A part that the client claims (`initializationOptions.politerm.client`) is left to it. This module does not know who
answers commands; it is given one function for them and one for requests to the client.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from lsprotocol import types

from politerm.errors import PoliTermError

log = logging.getLogger(__name__)

Ask = Callable[[str, dict[str, Any]], Awaitable[Any]]
Notify = Callable[[str, dict[str, Any]], None]
Command = Callable[[str, dict[str, Any]], Awaitable[Any]]

_TROUBLE: Final = ("dead", "blocked", "limited", "uncertain")
LINE: Final = 120
"""Characters of a message that a log line or a title shows."""


@dataclass
class _Progress:
    token: str
    shown: bool = False
    """The client has agreed to show it and was sent `begin`."""
    text: str = ""


class PlainFront:
    """One client's progress, questions and log. The calls of a Sink arrive already merged (lsp/feed.py)."""

    def __init__(
        self,
        *,
        ask: Ask,
        notify: Notify,
        command: Command,
        congested: Callable[[], bool],
        progress: bool,
        attention: bool,
    ) -> None:
        self._ask, self._notify, self._command, self._congested = ask, notify, command, congested
        self._with_progress, self._with_attention = progress, attention
        self._runs: dict[str, _Progress] = {}
        self._put_off: set[str] = set()
        self._count = 0
        self._questions: dict[str, asyncio.Task[None]] = {}
        self._asked: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    # ---- progress

    def run_changed(self, view: dict[str, Any]) -> None:
        if not self._with_progress:
            return
        run, state = view["runId"], view["state"]
        current = self._runs.get(run)
        if state == "ended":
            self._put_off.discard(run)
            if current is not None:
                self._end(run, current, _ending(view))
        elif run in self._put_off:
            # The user closed it; it comes back when the run works again.
            if state == "paused":
                self._put_off.discard(run)
        elif current is None:
            if state in ("starting", "running"):
                self._count += 1
                self._runs[run] = fresh = _Progress(f"politerm/{run}/{self._count}", text=_standing(view))
                self._spawn(self._begin(fresh, view), f"lsp progress {run}")
        elif (text := _standing(view)) != current.text:
            current.text = text
            if current.shown and not self._congested():
                self._progress(current, {"kind": "report", "message": text})

    async def _begin(self, progress: _Progress, view: dict[str, Any]) -> None:
        try:
            await self._ask(types.WINDOW_WORK_DONE_PROGRESS_CREATE, {"token": progress.token})
        except Exception as error:
            # Also a client that refuses: it is asked again for the next run, never for this one.
            log.info("the client shows no progress: %s", error)
            return
        if self._runs.get(view["runId"]) is progress:
            progress.shown = True
            title = f"PoliTerm: {_line(view['task'], 60)}"
            begin = {"kind": "begin", "title": title, "cancellable": True, "message": progress.text}
            self._progress(progress, begin)

    def _end(self, run: str, progress: _Progress, message: str) -> None:
        del self._runs[run]
        if progress.shown:
            self._progress(progress, {"kind": "end", "message": message})

    def _progress(self, progress: _Progress, value: dict[str, Any]) -> None:
        self._notify(types.PROGRESS, {"token": progress.token, "value": value})

    def cancelled(self, token: str | int) -> None:
        """The user cancelled a progress: the agents' own interrupt key, the run paused."""
        for run, progress in list(self._runs.items()):
            if progress.token == token:
                self._end(run, progress, "interrupted")
                self._put_off.add(run)
                self._spawn(self._interrupt(run), f"lsp interrupt {run}")

    async def _interrupt(self, run: str) -> None:
        try:
            await self._command("politerm.run.interrupt", {"runId": run})
        except PoliTermError as error:
            self._show(types.MessageType.Warning, f"PoliTerm could not interrupt the run: {error}")

    # ---- questions

    def attention_changed(self, items: dict[str, Any]) -> None:
        if not self._with_attention:
            return
        waiting = {item["attentionId"]: item for item in items["items"] if not item.get("answered")}
        for id, question in list(self._questions.items()):
            if id not in waiting:
                question.cancel()
        for id, item in waiting.items():
            if id not in self._asked:
                self._asked.add(id)
                self._questions[id] = task = self._spawn(self._put(item), f"lsp question {id}")
                task.add_done_callback(lambda _, id=id: self._questions.pop(id, None))  # type: ignore[misc]

    async def _put(self, item: dict[str, Any]) -> None:
        text = item["title"] + (f"\n{item['text']}" if item.get("text") else "")
        choices = {choice["label"]: choice["id"] for choice in item.get("choices", ())}
        kind = types.MessageType.Warning if item["kind"] in ("uncertain", "budget", "login") else types.MessageType.Info
        if not choices:
            hint = f'Answer with politerm.attention.answer {{"attentionId": "{item["attentionId"]}", "text": ...}}.'
            self._show(kind, f"{text}\n{hint}" if item.get("freeText") else text)
            return
        params = {"type": kind.value, "message": text, "actions": [{"title": label} for label in choices]}
        try:
            answer = await self._ask(types.WINDOW_SHOW_MESSAGE_REQUEST, params)
        except Exception as error:
            log.info("the client shows no questions: %s", error)
            return
        choice = choices.get(answer.get("title")) if isinstance(answer, dict) else None
        if choice is None:
            return  # put away without an answer: it stays in the list
        try:
            await self._command("politerm.attention.answer", {"attentionId": item["attentionId"], "choice": choice})
        except PoliTermError as error:
            self._show(types.MessageType.Warning, f"PoliTerm: {error}")

    # ---- the log

    def event(self, envelope: dict[str, Any]) -> None:
        line = log_line(envelope["event"])
        if line is not None:
            kind, text = line
            run = envelope["runId"]
            self._notify(types.WINDOW_LOG_MESSAGE, {"type": kind.value, "message": f"[{run}] {text}"})

    def status(self, status: dict[str, Any]) -> None:
        if status.get("message"):
            kind = {"ok": types.MessageType.Info, "error": types.MessageType.Error}.get(
                status["health"], types.MessageType.Warning
            )
            self._notify(types.WINDOW_LOG_MESSAGE, {"type": kind.value, "message": f"PoliTerm: {status['message']}"})

    def pane_output(self, frame: dict[str, Any]) -> None:
        """Panes are for clients that know them."""

    def _show(self, kind: types.MessageType, text: str) -> None:
        self._notify(types.WINDOW_SHOW_MESSAGE, {"type": kind.value, "message": text})


def log_line(event: dict[str, Any]) -> tuple[types.MessageType, str] | None:
    """One line for `window/logMessage`, or None for what only programs want to know."""
    info, warning = types.MessageType.Info, types.MessageType.Warning
    match event:
        case {"type": "runStarted" | "runQueued" as type, "task": task}:
            return info, f"{'started' if type == 'runStarted' else 'queued'}: {_line(task)}"
        case {"type": "agentReady", "role": role}:
            return info, f"{role} is ready"
        case {"type": "roundStarted", "round": number}:
            return info, f"round {number}"
        case {"type": "messageReceived", "from": sender, "to": to, "kind": kind, "body": body}:
            return info, f"{sender} → {to}, {kind}: {_line(body)}"
        case {"type": "messageRefused", "from": sender, "reason": reason}:
            return warning, f"a message of {sender} was refused: {reason}"
        case {"type": "promptUncertain", "to": to, "reason": reason}:
            return warning, f"it is not known whether {to} has its prompt: {reason}"
        case {"type": "agentStateChanged", "role": role, "state": state} if state in _TROUBLE:
            return warning, f"{role} is {state}"
        case {"type": "attentionRaised", "title": title}:
            return warning, f"needs you: {title}"
        case {"type": "limitReached", "limit": limit}:
            return warning, f"limit reached: {limit} {event.get('detail', '')}".rstrip()
        case {"type": "gateFinished", "passed": passed}:
            return info, f"gate {'passed' if passed else 'failed'}"
        case {"type": "runPaused", "reason": reason}:
            return info, f"paused: {reason}"
        case {"type": "runResumed"}:
            return info, "resumed"
        case {"type": "recovered", "what": what}:
            return warning, f"recovered: {what} {event.get('detail', '')}".rstrip()
        case {"type": "runEnded", "outcome": outcome}:
            return info, _ending(event) if outcome == "completed" else f"ended ({outcome}): {event.get('reason', '')}"
        case _:
            return None


def _standing(view: dict[str, Any]) -> str:
    """Where a run stands, for a progress bar."""
    total = f" of {view['maxRounds']}" if view.get("maxRounds") else ""
    parts = [f"round {view['round']}{total}"] if view["round"] else []
    if view["state"] == "paused":
        parts.append("paused")
    busy = [role for role, seen in view["roles"].items() if seen["state"] in ("working", "blocked", "limited")]
    parts += [f"{role} {view['roles'][role]['state']}" for role in busy]
    if view.get("attention"):
        parts.append("needs you")
    return ", ".join(parts) or view["state"]


def _ending(view: dict[str, Any]) -> str:
    text = view.get("summary") or view.get("reason") or ""
    return f"{view.get('outcome', 'ended')}: {_line(text)}" if text else str(view.get("outcome", "ended"))


def _line(text: str, limit: int = LINE) -> str:
    """The first line that says something, shortened."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first if len(first) <= limit else first[: limit - 1] + "…"
