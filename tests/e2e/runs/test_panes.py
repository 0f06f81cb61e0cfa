"""Panes as a client sees them: the same screen as tmux has, typed into only by who took over, and no harm done by a
client that does not read."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pyte
import pytest

from politerm.lsp.sockets import short_path
from tests.e2e.runs.house import DEADLINE, Editor, House, until
from tests.e2e.runs.programs import FLOOD, install_lines
from tests.rawlsp import LspError, RawLsp

MEGABYTES = 16
SCENARIO = [[{"type": "plan", "body": "Flood, please."}], [{"type": "complete", "body": "Dry again."}]]


class View:
    """What a person sees who draws the snapshot and every frame after it."""

    def __init__(self, editor: Editor, run: str, role: str, opened: dict[str, Any]) -> None:
        self._screen = pyte.Screen(opened["columns"], opened["rows"])
        self._stream = pyte.Stream(self._screen)
        self._stream.feed(opened["snapshot"])
        self._editor, self._run, self._role = editor, run, role
        self.first = opened["seq"]
        self._drawn = 0

    @property
    def frames(self) -> list[dict[str, Any]]:
        told = self._editor.client.of("politerm/paneOutput")
        mine = [frame for frame in told if (frame["runId"], frame["role"]) == (self._run, self._role)]
        return [frame for frame in mine if frame["seq"] > self.first]

    def rows(self) -> list[str]:
        for frame in self.frames[self._drawn :]:
            self._drawn += 1
            assert frame["seq"] == self.first + self._drawn
            if frame.get("reset"):
                self._screen.reset()
            self._stream.feed(frame["data"])
        return "\n".join(row.rstrip() for row in self._screen.display).rstrip().split("\n")

    @property
    def text(self) -> str:
        return "\n".join(self.rows())


async def view(editor: Editor, run: str, role: str, **more: Any) -> View:
    return View(editor, run, role, await editor.command("pane.open", runId=run, role=role, **more))


def captured(house: House, pane: str) -> list[str]:
    rows = house.tmux("capture-pane", "-p", "-t", pane).split("\n")
    return "\n".join(row.rstrip() for row in rows).rstrip().split("\n")


def held(house: House) -> Path:
    path = house.root / "hold"
    path.touch()
    return path


async def pane_of(editor: Editor, run: str, role: str) -> str:
    await editor.event(run, "agentReady", lambda event: event["role"] == role)
    return str((await editor.command("run.get", runId=run))["roles"][role]["pane"])


@contextlib.asynccontextmanager
async def beside(house: House) -> AsyncIterator[Editor]:
    """Another client of the same server, at its control socket."""
    await until(house.paths.control_socket.exists, what="the control socket")
    with short_path(house.paths.control_socket) as path:
        async with RawLsp.connect(path=str(path)) as client:
            other = Editor(client, house)
            await other.open()
            yield other


@pytest.mark.parametrize("kind", ["raw", "long", "boxed", "restless"])
async def test_a_view_is_the_screen_that_tmux_has(house: House, kind: str) -> None:
    hold = held(house)
    house.agents("raw", planner=kind, p_hold=hold, e_hold=house.root / "second hold", rounds=1)
    (house.root / "second hold").touch()
    async with house.serve() as editor:
        run = await editor.start()
        pane = await pane_of(editor, run, "PLANNER")
        seen = await view(editor, run, "PLANNER")
        late = seen.first
        hold.unlink()
        await editor.event(run, "promptDelivered", lambda event: event["to"] == "EXECUTER")
        if kind == "restless":
            await until(lambda: "Step 1 of 1." in seen.text, what="the plan in the view")
        else:
            await until(lambda: seen.rows() == captured(house, pane), what="the same screen")
            assert "[[/POLI:MSG]]" in seen.text
        assert late == 0
        again = await view(editor, run, "PLANNER")
        assert "[[/POLI:MSG]]" in again.text, "whoever comes late has the whole screen"
        await editor.command("pane.close", runId=run, role="PLANNER")
        count = len(seen.frames)
        (house.root / "second hold").unlink()
        await editor.ended(run)
        assert len(seen.frames) == count


async def test_a_person_takes_over_a_pane_and_the_run_waits(house: House) -> None:
    hold = held(house)
    house.agents("raw", p_hold=hold, rounds=1)
    async with house.serve() as editor, beside(house) as other:
        run = await editor.start()
        await pane_of(editor, run, "EXECUTER")
        where = {"runId": run, "role": "EXECUTER"}
        seen = await view(editor, run, "EXECUTER")
        with pytest.raises(LspError) as early:
            await editor.command("pane.input", **where, data="hello\r")
        assert early.value.data["code"] == "wrongState"
        size = await editor.command("pane.takeOver", **where, on=True)
        assert size["columns"] >= 160
        assert size["rows"] >= 50
        with pytest.raises(LspError) as second:
            await other.command("pane.takeOver", **where, on=True)
        assert second.value.data["code"] == "wrongState"

        hold.unlink()
        await editor.event(run, "promptRequested", lambda event: event["to"] == "EXECUTER")
        for word in ("hello", "there"):
            await editor.command("pane.input", **where, data=f"{word}\r")
            await until(lambda word=word: f"You said: {word}" in seen.text, what="the agent's answer")
        heard = [each["text"] for each in house.ledger("executer") if each["event"] == "prompt"]
        assert heard == ["hello", "there"]
        assert (await editor.command("pane.resize", **where, columns=100, rows=20)) == size

        await editor.command("pane.takeOver", **where, on=False)
        assert (await editor.ended(run))["outcome"] == "completed"
        heard = [each["text"] for each in house.ledger("executer") if each["event"] == "prompt"]
        assert len(heard) == 3
        assert "Step 1 of 1." in heard[2]


async def test_who_leaves_gives_the_pane_back(house: House) -> None:
    hold = held(house)
    house.agents("raw", p_hold=hold, rounds=1)
    async with house.serve() as editor:
        run = await editor.start()
        await pane_of(editor, run, "EXECUTER")
        async with beside(house) as other:
            await other.command("pane.takeOver", runId=run, role="EXECUTER", on=True)
            hold.unlink()
            await editor.event(run, "promptRequested", lambda event: event["to"] == "EXECUTER")
        assert (await editor.ended(run))["outcome"] == "completed"


async def test_frames_stay_within_the_credit(house: House) -> None:
    hold = held(house)
    house.agents("raw", planner="long", p_hold=hold, rounds=1)
    async with house.serve() as editor:
        run = await editor.start(approvePlans="first")
        await pane_of(editor, run, "PLANNER")
        seen = await view(editor, run, "PLANNER", credit=100)
        hold.unlink()
        await editor.event(run, "attentionRaised")
        await until(lambda: sum(len(frame["data"].encode()) for frame in seen.frames) == 100, what="100 bytes")
        editor.client.notify("politerm/paneCredit", {"runId": run, "role": "PLANNER", "bytes": 1_000_000})
        await until(lambda: "[[/POLI:MSG]]" in seen.text, what="the rest")
        await editor.command("run.stop", runId=run)


@pytest.mark.timeout(180)
async def test_a_client_that_does_not_read_holds_up_nobody_and_misses_nothing(house: House) -> None:
    hold = held(house)
    house.agents("raw", planner="raw", p_scenario=SCENARIO, p_hold=hold)
    install_lines(house, "e", FLOOD, megabytes=MEGABYTES)
    async with house.serve() as sleeper, beside(house) as other:
        assert sleeper.client.process is not None
        server = psutil.Process(sleeper.client.process.pid)
        run = await sleeper.start()
        pane = await pane_of(sleeper, run, "EXECUTER")
        seen = await view(sleeper, run, "EXECUTER")
        before = server.memory_info().rss
        sleeper.client.stop_reading()
        hold.unlink()
        await other.event(run, "promptDelivered", lambda event: event["to"] == "EXECUTER")
        hold.touch()
        slowest, most, asked = 0.0, 0, 0
        over = asyncio.create_task(other.event(run, "messageReceived", is_result, deadline=4 * DEADLINE))
        while not over.done():
            began = time.monotonic()
            await other.command("run.get", runId=run)
            slowest, asked = max(slowest, time.monotonic() - began), asked + 1
            most = max(most, server.memory_info().rss - before)
            await asyncio.wait([over], timeout=0.05)
        assert (await over)["body"].strip() == "The flood is over."
        assert asked > 5
        assert slowest < 3, "others are answered meanwhile"
        assert most < 64_000_000, f"{most / 1e6:.0f} MB more"

        sleeper.client.read_again()
        await until(lambda: seen.rows() == captured(house, pane), what="the same screen")
        assert any(frame.get("reset") for frame in seen.frames)
        assert sum(len(frame["data"]) for frame in seen.frames) < MEGABYTES * 1_000_000 / 4, "a screen, not a backlog"
        hold.unlink()
        assert (await sleeper.ended(run))["outcome"] == "completed"
        numbers = [envelope["seq"] for envelope in sleeper.events(run)]
        assert numbers == list(range(1, numbers[-1] + 1))


def is_result(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == "result")
