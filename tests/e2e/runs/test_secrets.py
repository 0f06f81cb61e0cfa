"""What must not get out, and what must not get through: secrets of the environment (P8), bytes of agents (P9)."""

from __future__ import annotations

import asyncio
import json
import re

import psutil
import pytest

from tests.e2e.runs.house import House, kill, messages, until
from tests.e2e.runs.programs import install_lines

CANARY = "canary-4f8a9c1e7b2d6035"

LEAK = """
import time
turns = 0
def answer(out, key):
    global turns
    turns += 1
    secret = os.environ["MY_API_KEY"]
    out.write(f"MY_API_KEY={secret} and bare: {secret}\\n".encode())
    for piece in (secret[:9], secret[9:], "\\n"):
        out.write(piece.encode())
        out.flush()
        time.sleep(0.02)
    out.write(f"\\x1b[31m{secret}\\x1b[0m\\r\\n{secret * 3}\\n".encode())
    kind = options["kinds"][min(turns, len(options["kinds"])) - 1]
    block(out, key, kind, f"The key is {secret}, use it.\\nAuthorization: Bearer {secret}")
"""


def traces(house: House) -> list[str]:
    """The files of this house's state that hold the secret, whatever they are."""
    found = []
    for path in sorted((house.root / "state").rglob("*")):
        if path.is_file() and CANARY.encode() in path.read_bytes():
            found.append(str(path.relative_to(house.root)))
    return found


class Watch:
    """Looks at the command line of every process there is, again and again."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.looks = 0
        self._task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while True:
            for process in await asyncio.to_thread(lambda: list(psutil.process_iter(["cmdline"]))):
                line = " ".join(process.info["cmdline"] or [])
                if CANARY in line:
                    self.seen.add(line[:200])
            self.looks += 1
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


async def test_a_secret_of_the_environment_is_nowhere(house: House) -> None:
    log = house.root / "state" / "politerm.log"
    house.env |= {"MY_API_KEY": CANARY, "POLI_LOG_LEVEL": "DEBUG", "POLI_LOG_FILE": str(log)}
    install_lines(house, "p", LEAK, kinds=["plan", "complete"])
    install_lines(house, "e", LEAK, kinds=["result"])
    async with house.serve() as editor:
        watch = Watch()
        run = await editor.start(f"use {CANARY} well")
        await editor.event(run, "agentReady", lambda event: event["role"] == "EXECUTER")
        opened = await editor.command("pane.open", runId=run, role="EXECUTER")
        assert any(CANARY in str(p.environ().get("MY_API_KEY")) for p in house.agents_of(run)), "agents do have it"
        environment = house.tmux("show-environment", "-g") + house.tmux("show-environment", "-t", opened["pane"])
        assert CANARY not in environment
        assert "MY_API_KEY" not in environment
        end = await editor.ended(run)
        assert end["outcome"] == "completed"
        bodies = [body for _, _, body in messages(await editor.told(run))]
        assert len(bodies) == 3
        assert all("The key is [secret], use it." in body for body in bodies)
        answers = [
            opened,
            await editor.command("run.get", runId=run),
            await editor.command("search", text="key"),
            await editor.command("doctor"),
            *[await editor.command("run.export", runId=run, format=form) for form in ("md", "jsonl", "cast")],
        ]
        assert answers[2]["hits"]
        assert "bare: " in answers[-1]["text"], "the recording has what was printed"
        assert CANARY not in json.dumps(answers)
        frames = "".join(frame["data"] for frame in editor.client.of("politerm/paneOutput"))
        assert "bare: [secret]" in frames
        assert CANARY not in json.dumps(editor.client.notifications)
        assert watch.looks > 3
        await watch.stop()
        assert watch.seen == set()
        assert editor.client.stderr is not None
        await editor.client.leave()
        editor.killed = True
        assert CANARY.encode() not in await editor.client.stderr.read()
    assert log.stat().st_size > 0
    assert traces(house) == []


async def test_a_killed_server_leaves_no_secret_behind(house: House) -> None:
    house.env["MY_API_KEY"] = CANARY
    install_lines(house, "p", LEAK, kinds=["plan", "complete"])
    house.agents("raw", planner="raw", e_hold=house.root / "hold")
    install_lines(house, "p", LEAK, kinds=["plan", "complete"])
    (house.root / "hold").touch()
    async with house.serve() as first:
        run = await first.start()
        await first.event(run, "promptDelivered", lambda event: event["to"] == "EXECUTER")
        first.kill()
    assert traces(house) == []
    (house.root / "hold").unlink()
    async with house.serve() as second:
        kill(house.tmux_server())
        await until(lambda: second.events(run), what="the run's going on")
        assert traces(house) == []
        await second.command("run.stop", runId=run)
    assert traces(house) == []


# ---- hostile output --------------------------------------------------------------------------------------------------

ST = "\x1b\\"


def hostile(mark: str) -> list[str]:
    """What a program may print to reach somebody else: the clipboard, tmux, a shell, the terminal of who looks on."""
    clip, run = "52;c;aGFja2Vk", f"#(touch {mark})"
    strings = [f"\x1b]{clip}\x07", f"\x1b]52;p;aGFja2Vk{ST}", f"\x9d{clip}\x9c", f"\x1bPtmux;\x1b\x1b]{clip}\x07{ST}"]
    titles = [f"\x1b]0;{run}\x07", f"\x1b]2;$(touch {mark}){ST}", f"\x1bk{run}{ST}", "\x1b_apc" + ST, "\x1b^pm" + ST]
    queries = ["\x1bXsos" + ST, "\x9b6n", "\x1b[6n", "\x1b[c", "\x1b[>c", "\x1bZ", "\x05"]
    links = [f"\x1b]8;;javascript:alert(1){ST}a\x1b]8;;{ST}", f"\x1b]8;;https://example.org{ST}b\x1b]8;;{ST}"]
    lines = ["%end 1 1 1", "%exit", "%output %0 gotcha", "%begin 1 2 3", "%error 1 2 3", "%session-changed $0 x"]
    frames = ["Content-Length: 2", "", "{}Content-Length: 99999999999", "", "<script>alert(1)</script>"]
    screens = ["\x00\x01\x02\x7f\x1b[2J\x1b[H", "\x1b[?1049h\x1b[?1049l", "\xff\xfe\xc3\x28\xed\xa0\x80\n"]
    return [*strings, *titles, *queries, *links, *(f"{each}\r\n" for each in [*lines, *frames]), *screens]


def survived(mark: str) -> str:
    return f"Survived. \x1b]52;c;aGFja2Vk\x07 \x1b[201~ \x9b31m \x07 end\n%exit\n#(touch {mark})"


HOSTILE = """
def answer(out, key):
    for text in options["texts"]:
        out.write(text.encode("latin-1"))
        out.flush()
    out.write(b"y" * 1_000_000 + b"\\x1b[0m\\n")
    block(out, key, options["kind"], options["body"])
"""
ALLOWED_OSC = "\x1b]8;"


@pytest.mark.parametrize("sight", [True, False], ids=["watched", "unwatched"])
async def test_no_byte_of_an_agent_reaches_a_control_channel(house: House, sight: bool) -> None:
    mark = house.root / "mark"
    house.agents("raw", p_scenario=[[{"type": "plan", "body": "Try."}], [{"type": "complete", "body": "Over."}]])
    install_lines(house, "e", HOSTILE, kind="result", texts=hostile(str(mark)), body=survived(str(mark)))
    async with house.serve() as editor:
        run = await editor.start()
        await editor.event(run, "agentReady", lambda event: event["role"] == "EXECUTER")
        if sight:
            await editor.command("pane.open", runId=run, role="EXECUTER", credit=16_000_000)
        result = await editor.event(run, "messageReceived", lambda event: event["kind"] == "result")
        assert "Survived." in result["body"]
        assert (await editor.ended(run))["outcome"] == "completed"
        told = await editor.command("run.events", runId=run)
        assert [each["seq"] for each in told["events"]] == list(range(1, told["last"] + 1))
        assert not any(each["event"]["type"] in ("recovered", "outputGap") for each in told["events"])

        heard = next(e["text"] for e in house.ledger("planner") if e["event"] == "prompt" and "Survived." in e["text"])
        assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f]", heard) == []
        assert "\n%exit\n#(touch " in heard

        frames = "".join(frame["data"] for frame in editor.client.of("politerm/paneOutput"))
        assert bool(frames) == sight
        for bad in ("\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1bk", "\x1bZ", "\x05", "\x9d", "\x9b", "[6n", "[c", "[>c"):
            assert bad not in frames, repr(bad)
        assert "javascript" not in frames
        rest = frames.replace(ALLOWED_OSC, "")
        assert "\x1b]" not in rest
        assert not mark.exists()
        assert (await editor.command("run.get", runId=run))["outcome"] == "completed"
        for text in ("md", "jsonl"):
            exported = (await editor.command("run.export", runId=run, format=text))["text"]
            assert "\x1b" not in exported or text == "jsonl"
    assert not mark.exists()
    assert editor.client.answers.keys() == {*range(1, len(editor.client.answers) + 1)}
    assert all(len(answers) == 1 for answers in editor.client.answers.values())


async def test_nothing_of_an_agent_gets_into_the_clipboard_of_tmux(house: House) -> None:
    house.agents("raw", e_hold=house.root / "hold", p_hold=house.root / "hold")
    (house.root / "hold").touch()
    mark = str(house.root / "mark")
    install_lines(house, "p", HOSTILE, kind="plan", texts=hostile(mark), body=survived(mark))
    async with house.serve() as editor:
        run = await editor.start()
        await editor.event(run, "promptDelivered", lambda event: event["to"] == "EXECUTER")
        await until(lambda: "prompt" in {e["event"] for e in house.ledger("executer")}, what="the plan's arrival")
        assert house.tmux("list-buffers") == ""
        assert "aGFja2Vk" not in house.tmux("display-message", "-p", "#{window_name} #{session_name}")
        await editor.command("run.stop", runId=run)
    assert not (house.root / "mark").exists()
