"""Following one run in a terminal: events go to a display, what needs a person is asked for, Ctrl-C is one wish.

The loop of `run`, `demo` and `watch`. It does not know how a run came to be, and prints nothing itself.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from politerm.cli import ask
from politerm.cli.clients import Json, Steady
from politerm.cli.display import Display
from politerm.cli.follow import Follower
from politerm.cli.world import World
from politerm.errors import PoliTermError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Watching:
    """Shows one run to its end; answers the `runEnded` event."""

    def __init__(self, world: World, client: Steady, follower: Follower, display: Display, *, asks: bool) -> None:
        self._world = world
        self._client = client
        self._follower = follower
        self._display = display
        self._lines = ask.Lines(world.stdin) if asks else None
        self._waiting: dict[str, Json] = {}
        self._asking: asyncio.Task[None] | None = None
        self._asked: str | None = None

    async def follow(self, run_id: str, *, after: int = 0) -> Json | None:
        """Until the run ends. Questions that were answered before we looked are not asked."""
        view = await self._client.command("politerm.run.get", {"runId": run_id})
        self._display.update(view)
        self._follower.on_changed(lambda changed: self._update(run_id, changed))
        end: Json | None = None
        try:
            async for envelope in self._follower.envelopes(run_id, after=after):
                event = envelope["event"]
                self._display.show(envelope)
                self._heed(event)
                if envelope["seq"] >= view["lastSeq"]:
                    self._ask_next(run_id)
                if event["type"] == "runEnded":
                    end = event
        finally:
            await self._leave_question()
        return end

    def _update(self, run_id: str, view: Json) -> None:
        if view["runId"] == run_id:
            self._display.update(view)

    def _heed(self, event: Json) -> None:
        if event["type"] == "attentionRaised":
            self._waiting[event["attentionId"]] = event
        elif event["type"] == "attentionAnswered":
            self._waiting.pop(event["attentionId"], None)
            if self._asked == event["attentionId"] and self._asking is not None:
                self._asking.cancel()  # answered elsewhere, or by ourselves

    def _ask_next(self, run_id: str) -> None:
        if self._waiting and self._asked is None:
            item = next(iter(self._waiting.values()))
            if self._lines is None:
                self._display.note(how_to_answer(item))
                self._waiting.pop(item["attentionId"])
                self._ask_next(run_id)
                return
            self._asked = item["attentionId"]
            self._asking = asyncio.create_task(self._ask(item, self._lines), name=f"ask {self._asked}")
            self._asking.add_done_callback(lambda _: self._asked_done(run_id))

    def _asked_done(self, run_id: str) -> None:
        self._asked = self._asking = None
        self._ask_next(run_id)

    async def _ask(self, item: Json, lines: ask.Lines) -> None:
        """Ask until it is answered, by us or by anybody else (then this task is cancelled)."""
        role = f"{item['role']} · " if item.get("role") else ""
        self._display.hold(True)
        try:
            while True:
                self._world.console.print(ask.question(item, f"needs you · {role}{item['title']}"), end="")
                line = await lines.next()
                if line is None:
                    self._lines = None  # nobody types any more
                    return
                answer = ask.parse(line, item)
                if answer is None:
                    continue
                try:
                    await self._client.command(
                        "politerm.attention.answer", {"attentionId": item["attentionId"], **answer}
                    )
                except PoliTermError as error:
                    self._world.console.print(str(error), style="red")
                    continue
                self._waiting.pop(item["attentionId"], None)
                return
        finally:
            self._display.hold(False)

    async def _leave_question(self) -> None:
        if self._asking is not None:
            self._waiting.clear()
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking


def how_to_answer(item: Json) -> str:
    """For where nobody can be asked: the command that answers."""
    choices = " | ".join(choice["id"] for choice in item.get("choices") or ())
    words = " --text '...'" if item.get("freeText") else ""
    return f"answer it: politerm answer {item['attentionId']}{f' {choices}' if choices else ''}{words}"


@contextmanager
def on_signals(first: Callable[[], Awaitable[None]], again: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C, and what a closing terminal sends: `first` once, as a task; `again` for every further one."""
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Future[None]] = []

    def heed() -> None:
        if tasks:
            again()
        else:
            tasks.append(asyncio.ensure_future(first()))

    for number in SIGNALS:
        loop.add_signal_handler(number, heed)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
        for task in tasks:
            task.cancel()
