"""One pane, many viewers. The model: a pane's screen is all it ever printed; a viewer is right when it holds that."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from politerm.core.wire import Role, RunId
from politerm.engine.streams import MERGE_BYTES, PaneStream, split_at
from politerm.errors import TmuxGone
from tests.fake_engine import PlainDecoder

RUN, ROLE = RunId("run-00001"), Role.PLANNER


class Pane:
    """The terminal: `prints` is its screen. A capture takes as many turns of the loop as `slow` says."""

    def __init__(self) -> None:
        self.prints = b""
        self.slow = 0
        self.during: Callable[[], None] = lambda: None
        self.gone = False
        self.captures = 0
        self.stream = PaneStream(RUN, ROLE, self.capture, decoder=PlainDecoder)

    async def capture(self) -> str:
        self.captures += 1
        if self.gone:
            raise TmuxGone("The pane is gone.")
        for _ in range(self.slow):
            await asyncio.sleep(0)
        self.during()
        return self.prints.decode("utf-8", "ignore")

    def print(self, data: bytes | str) -> None:
        data = data.encode() if isinstance(data, str) else data
        self.prints += data
        self.stream.feed(data)


class Viewer:
    def __init__(self) -> None:
        self.text = ""
        self.frames: list[tuple[int, str, bool]] = []
        self.news = asyncio.Event()

    async def open(self, pane: Pane, credit: int | None = None) -> int:
        self.text, seq = await pane.stream.open(self, credit)
        return seq

    def on_pane(self, run_id: RunId, role: str, seq: int, data: str, reset: bool) -> None:
        assert (run_id, role) == (RUN, "PLANNER")
        self.frames.append((seq, data, reset))
        self.text = data if reset else self.text + data
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()

    @property
    def bytes(self) -> int:
        return sum(len(data.encode()) for _, data, _ in self.frames)


async def test_the_first_byte_goes_at_once_and_the_rest_together() -> None:
    pane, viewer = Pane(), Viewer()
    assert await viewer.open(pane) == 0
    pane.print("a")
    assert viewer.frames == [(1, "a", False)]
    for _ in range(100):
        pane.print("b")
    assert len(viewer.frames) == 1
    await viewer.until(lambda: len(viewer.frames) == 2)
    assert viewer.frames[1] == (2, "b" * 100, False)


async def test_a_large_amount_does_not_wait_for_the_clock() -> None:
    pane, viewer = Pane(), Viewer()
    await viewer.open(pane)
    pane.print("a")
    pane.print("b" * MERGE_BYTES)
    assert len(viewer.frames) == 2


async def test_a_character_in_two_pieces_arrives_whole() -> None:
    pane, viewer = Pane(), Viewer()
    await viewer.open(pane)
    for byte in "日本".encode():
        pane.print(bytes([byte]))
    await viewer.until(lambda: viewer.text == "日本")
    assert "\ufffd" not in viewer.text


async def test_a_viewer_who_comes_in_the_middle_of_a_character() -> None:
    pane, viewer = Pane(), Viewer()
    word = "日本".encode()
    pane.print(b"x" * 100 + word[:4])
    await viewer.open(pane)
    pane.print(word[4:])
    await viewer.until(lambda: bool(viewer.frames))
    assert viewer.frames[0][1] == "本"


async def test_numbers_go_on_when_opened_again() -> None:
    pane, viewer = Pane(), Viewer()
    await viewer.open(pane)
    pane.print("a")
    assert await viewer.open(pane) == 1
    pane.print("b")
    assert [seq for seq, _, _ in viewer.frames] == [1, 2]
    assert viewer.text == "ab"


async def test_credit_is_never_overdrawn_and_nothing_is_lost_with_it() -> None:
    pane, viewer = Pane(), Viewer()
    await viewer.open(pane, 10)
    pane.print("0123456")
    pane.print("789abcdef")
    pane.stream.credit(viewer, 0)
    await viewer.until(lambda: viewer.bytes == 10)
    assert viewer.text == "0123456789"
    pane.stream.credit(viewer, 3)
    await viewer.until(lambda: viewer.bytes == 13)
    pane.stream.credit(viewer, 100)
    await viewer.until(lambda: viewer.text == "0123456789abcdef")
    assert not any(reset for _, _, reset in viewer.frames)


async def test_a_slow_viewer_is_owed_one_screen() -> None:
    pane, slow, quick = Pane(), Viewer(), Viewer()
    await slow.open(pane, 10)
    await quick.open(pane, 10**7)
    for _ in range(100):
        pane.print("x" * 2000)
    assert slow.bytes <= 10
    assert len(slow.frames) <= 2
    pane.stream.credit(slow, 1)
    await slow.until(lambda: slow.text == pane.prints.decode())
    assert sum(reset for _, _, reset in slow.frames) == 1
    await quick.until(lambda: quick.text == pane.prints.decode())
    assert not any(reset for _, _, reset in quick.frames)
    assert [seq for seq, _, _ in slow.frames] == list(range(1, len(slow.frames) + 1))


async def test_a_slow_viewer_costs_no_memory() -> None:
    pane, slow = Pane(), Viewer()
    await slow.open(pane, 0)
    for _ in range(200):
        pane.stream.feed(b"y" * 10_000)
    [watching] = pane.stream._watching.values()
    assert watching.pending_bytes < MERGE_BYTES
    assert slow.frames == []


async def test_after_a_gap_everybody_gets_a_screen() -> None:
    pane, viewer = Pane(), Viewer()
    await viewer.open(pane)
    pane.print("a")
    pane.prints += b"lost"
    pane.stream.gap("the client was too far behind")
    await viewer.until(lambda: viewer.text == "alost")
    pane.print("b")
    await viewer.until(lambda: viewer.text == "alostb")


async def test_a_screen_taken_while_the_pane_prints_is_taken_again() -> None:
    pane, viewer = Pane(), Viewer()

    def once() -> None:
        pane.during = lambda: None
        pane.print("late")

    pane.print("early ")
    pane.during = once
    await viewer.open(pane)
    assert pane.captures == 2
    assert viewer.text == "early late"


async def test_a_screen_taken_in_a_flood_is_put_right_when_it_ends() -> None:
    """The capture answers with what was there before the print that it is mixed with: the worst order."""
    pane, viewer = Pane(), Viewer()
    captured = pane.capture

    async def capture() -> str:
        screen = await captured()
        if flooding:
            pane.print("more ")
        return screen

    pane.stream._snapshot = capture
    flooding = True
    await viewer.open(pane)
    flooding = False
    assert viewer.text != pane.prints.decode()
    await viewer.until(lambda: viewer.text == pane.prints.decode())
    assert viewer.frames[-1][2]


async def test_no_screen_while_the_pane_is_gone_and_one_when_it_is_back() -> None:
    pane, viewer = Pane(), Viewer()
    await viewer.open(pane, 100)
    pane.gone = True
    pane.stream.gap("tmux is gone")
    pane.print("unseen")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    pane.gone = False
    assert viewer.frames == []
    pane.stream.credit(viewer, 1)
    await viewer.until(lambda: viewer.text == "unseen")


async def test_open_says_why_it_cannot() -> None:
    pane, viewer = Pane(), Viewer()
    pane.gone = True
    with pytest.raises(TmuxGone):
        await pane.stream.open(viewer)
    pane.print("x")
    assert viewer.frames == []


async def test_nothing_after_close() -> None:
    pane, viewer = Pane(), Viewer()
    await viewer.open(pane)
    pane.print("a")
    pane.print("b")
    pane.stream.close(viewer)
    pane.stream.close(viewer)
    pane.print("c")
    await asyncio.sleep(0.05)
    assert viewer.text == "a"


async def test_the_last_words_are_sent() -> None:
    pane, viewer = Pane(), Viewer()
    await viewer.open(pane)
    pane.print("a")
    pane.print("b")
    pane.stream.end()
    assert viewer.text == "ab"


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_happens_a_viewer_at_rest_holds_the_screen(seed: int) -> None:
    chance = random.Random(seed)
    pane = Pane()
    pane.slow = chance.randrange(4)
    viewers = [Viewer() for _ in range(3)]
    opened: set[int] = set()
    opening: list[asyncio.Task[int]] = []
    for _ in range(200):
        match chance.randrange(8):
            case 0:
                number = chance.randrange(3)
                opening.append(asyncio.create_task(viewers[number].open(pane, chance.choice([0, 5, 1000, None]))))
                opened.add(number)
            case 1:
                pane.stream.credit(viewers[chance.randrange(3)], chance.randrange(100))
            case 2:
                pane.stream.gap("test")
            case 3:
                await asyncio.sleep(0)
            case 4:
                pane.print("z" * chance.choice([1, 1000, 70_000]))
            case _:
                pane.print(chance.choice(["a", "日", "line\r\n"]) * chance.randrange(1, 30))
    await asyncio.gather(*opening)
    for number in opened:
        pane.stream.credit(viewers[number], 10**7)
    for number in opened:
        await viewers[number].until(lambda number=number: viewers[number].text == pane.prints.decode())  # type: ignore[misc]


def test_split_at_never_cuts_a_character() -> None:
    assert split_at("abc", 2) == ("ab", "c")
    assert split_at("日本", 4) == ("日", "本")
    assert split_at("日本", 2) == ("", "日本")


async def test_a_gap_while_the_screen_is_taken_spoils_that_screen() -> None:
    pane, viewer = Pane(), Viewer()
    captured, gaps = pane.capture, [1]

    async def capture() -> str:
        screen = await captured()
        if gaps:
            gaps.pop()
            pane.prints += b"lost"
            pane.stream.gap("in the middle")
        return screen

    pane.stream._snapshot = capture
    await viewer.open(pane)
    assert viewer.text == "lost"


async def test_viewers_get_safe_terminal_text_and_nothing_else() -> None:
    pane, viewer = Pane(), Viewer()
    pane.stream = PaneStream(RUN, ROLE, pane.capture)
    pane.prints = b"\x1b]0;title\x07screen"
    await viewer.open(pane)
    assert viewer.text == "screen"
    pane.stream.feed(b"\x1b[31mred\x1b]52;c;c2Vj")
    pane.stream.feed(b"cmV0\x07\x1b[6n\x1bPq#0\x1b\\end")
    await viewer.until(lambda: viewer.text.endswith("end"))
    assert viewer.text == "screen\x1b[31mredend"
