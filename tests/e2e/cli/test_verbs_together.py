"""The real command line, several processes at once, on real panes: what each prints, how each ends, what is left."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import select
import shlex
import signal
import sys
import termios
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from politerm.core.events import Envelope
from tests.e2e.runs.house import House

SCRIPTED = ("--planner", "scripted-planner", "--executer", "scripted-executer", "--trust")
TASK = "Write a small module slugify.py with a test, then fix what the test finds"
DEADLINE = 40.0


class Verb:
    """A running `politerm`, its lines as they come."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.errors = ""

    async def until(self, there: Callable[[str], bool]) -> str:
        """The next line that is wanted."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line)
                if there(line):
                    return line
        raise AssertionError(f"it ended before: {''.join(self.lines)}{await self.said()}")

    async def said(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    async def end(self) -> int:
        async with asyncio.timeout(DEADLINE):
            out, err = await self.process.communicate()
        self.lines += out.decode().splitlines(keepends=True)
        self.errors = err.decode()
        return self.process.returncode or 0

    @property
    def out(self) -> str:
        return "".join(self.lines)

    def envelopes(self) -> list[Envelope]:
        return [Envelope.model_validate_json(line) for line in self.lines]


@contextlib.asynccontextmanager
async def politerm(house: House, *arguments: str, **env: str) -> AsyncIterator[Verb]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "politerm", *arguments),
        cwd=house.workspace,
        env={**os.environ, **house.env, **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    try:
        yield Verb(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ran(house: House, *arguments: str, **env: str) -> Verb:
    async with politerm(house, *arguments, **env) as verb:
        await verb.end()
        return verb


def event(kind: str) -> Callable[[str], bool]:
    return lambda line: bool(json.loads(line)["event"]["type"] == kind)


async def gone(house: House, *, within: float) -> list[Any]:
    """What still lives of this house after the time in which everything should have ended."""
    await asyncio.to_thread(psutil.wait_procs, house.processes(), within)
    return house.processes()


async def test_the_demo_on_a_fresh_home_in_a_hostile_path(house: House) -> None:
    place = house.root / 'it\'s "another" one'
    verb = await ran(house, "demo", str(place))
    assert verb.process.returncode == 0, verb.errors
    assert "\x1b" not in verb.out
    for text in (
        "PLANNER → EXECUTER plan",
        "PLANNER → EXECUTER revision",
        "completed (2 rounds",
        "FAILED (failures=1)",
    ):
        assert text in verb.out
    assert verb.out.index("FAILED (failures=1)") < verb.out.rindex("\nOK\n")
    assert sorted(path.name for path in place.iterdir() if path.suffix) == ["slugify.py", "test_slugify.py"]
    assert str(place) in verb.out
    assert await gone(house, within=5) == []
    again = await ran(house, "demo", str(place))
    assert (again.process.returncode, again.out) == (2, "")


async def test_a_run_for_programs_is_the_whole_log_and_nothing_else(house: House) -> None:
    verb = await ran(house, "run", TASK, *SCRIPTED, "--json", "--id", "my-run-0001")
    assert verb.process.returncode == 0, verb.errors
    envelopes = verb.envelopes()
    assert [e.seq for e in envelopes] == list(range(1, len(envelopes) + 1))
    assert {e.run_id for e in envelopes} == {"my-run-0001"}
    kinds = [e.event.type for e in envelopes]
    assert (kinds[0], kinds[-1]) == ("runStarted", "runEnded")
    assert (house.workspace / "slugify.py").is_file()
    shown = await ran(house, "show", "my-run", "--json")
    assert shown.lines == verb.lines, "whoever comes later reads the same"
    found = await ran(house, "search", "slugify", "--json")
    assert {json.loads(line)["runId"] for line in found.lines} == {"my-run-0001"}
    exported = await ran(house, "export", "last")
    assert TASK in exported.out


async def test_ctrl_c_stops_everything_and_is_130(house: House) -> None:
    async with politerm(house, "run", TASK, *SCRIPTED, "--json", POLITERM_SCRIPTED_PACE="1") as verb:
        await verb.until(event("promptDelivered"))
        assert house.agents_of(json.loads(verb.lines[0])["runId"])
        verb.process.send_signal(signal.SIGINT)
        assert await verb.end() == 130, verb.errors
    assert await gone(house, within=3) == []
    assert verb.envelopes()[-1].event.type == "runEnded"
    listed = await ran(house, "runs", "--json")
    assert [json.loads(line)["outcome"] for line in listed.lines] == ["stopped"]


async def test_a_second_terminal_watches_sends_and_stops(house: House) -> None:
    async with (
        politerm(house, "run", TASK, *SCRIPTED, "--json", POLITERM_SCRIPTED_PACE="1") as runs,
        politerm(house, "watch", "watched-1", "--json") as early,
    ):
        assert await early.end() == 2, "there is no such run yet"
        await runs.until(event("promptDelivered"))
        async with politerm(house, "watch", "last", "--json") as watches:
            await watches.until(event("promptDelivered"))
            command = json.loads((await ran(house, "attach", "last", "planner", "--json")).out)["command"]
            assert "tmux" in Path(command[0]).name
            sent = await ran(house, "send", "last", "planner", "a word from outside", "--queue", "--json")
            assert sent.process.returncode == 0, sent.errors
            stopped = await ran(house, "stop", "--all")
            assert stopped.process.returncode == 0, stopped.errors
            assert await runs.end() == 1
            assert await watches.end() == 0
        assert watches.lines == runs.lines
    assert await gone(house, within=3) == []


async def test_who_watches_takes_over_when_the_running_process_is_killed(messy_house: House) -> None:
    house = messy_house
    async with politerm(house, "run", TASK, *SCRIPTED, "--json", POLITERM_SCRIPTED_PACE="0.5") as runs:
        await runs.until(event("promptDelivered"))
        async with politerm(house, "watch", "last", "--json") as watches:
            await watches.until(event("promptDelivered"))
            runs.process.kill()
            assert await watches.end() == 0, watches.errors
        envelopes = watches.envelopes()
        assert [e.seq for e in envelopes] == list(range(1, len(envelopes) + 1))
        assert envelopes[-1].event.model_dump()["outcome"] == "completed"
        bodies = [e.event.body for e in envelopes if e.event.type == "messageReceived"]
        assert len(bodies) == len(set(bodies)) == 5, "each message once"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", TASK, "--planner", "nobody-has-this", "--trust"), "scripted-planner"),
        (("run", TASK, *SCRIPTED[:-1]), "--trust"),
        (("run", TASK, "--mode", "autonomous", "--trust"), "autonomous"),
        (("run", TASK, "--id", "NOT AN ID", "--trust"), "runId"),
        (("show", "nothing"), "politerm runs"),
        (("serve", "--tcp", "0.0.0.0:0"), "0.0.0.0"),
    ],
)
async def test_what_cannot_be_is_2_with_a_sentence_and_starts_nothing(
    house: House, arguments: tuple[str, ...], said: str
) -> None:
    verb = await ran(house, *arguments)
    assert (verb.process.returncode, verb.out) == (2, ""), verb.errors
    assert said in verb.errors
    assert "Traceback" not in verb.errors
    assert not house.paths.tmux_socket.exists()


async def test_an_agent_that_is_not_installed_is_2_before_tmux_is_touched(house: House) -> None:
    (house.config / "agents").mkdir(parents=True, exist_ok=True)
    (house.config / "agents/ghost.toml").write_text('command = ["no-such-program-anywhere"]\n')
    verb = await ran(house, "run", TASK, "--planner", "scripted-planner", "--executer", "ghost", "--trust")
    assert (verb.process.returncode, verb.out) == (2, "")
    assert "no-such-program-anywhere" in verb.errors
    assert not house.paths.tmux_socket.exists()


async def test_doctor_and_agents_work_on_a_machine_that_has_only_us(house: House) -> None:
    report = json.loads((await ran(house, "doctor", "--json")).out)
    (problem,) = report["problems"]
    assert "POLITERM_TEST_HOUSE is not known" in problem
    listed = [json.loads(line) for line in (await ran(house, "agents", "--json")).lines]
    assert {"scripted-planner", "scripted-executer"} <= {agent["name"] for agent in listed if agent["available"]}
    checked = json.loads((await ran(house, "doctor", "scripted-planner", "--trust", "--json")).out)
    assert (checked["agent"]["ok"], checked["agent"]["state"]) == (True, "ready")
    assert await gone(house, within=3) == []


def own_terminal() -> None:
    """Make standard input the terminal that a key such as Ctrl-C makes a signal of."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


async def test_in_a_terminal_the_run_is_live_and_ctrl_c_leaves_the_terminal_as_it_was(house: House) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "politerm", "run", TASK, *SCRIPTED),
        cwd=house.workspace,
        env={**os.environ, **house.env, "POLITERM_SCRIPTED_PACE": "1", "TERM": "xterm-256color", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=own_terminal,
    )
    shown, interrupted = "", False
    try:
        async with asyncio.timeout(DEADLINE):
            while process.returncode is None:
                await asyncio.to_thread(select.select, [ours], [], [], 0.1)
                if select.select([ours], [], [], 0)[0]:
                    shown += os.read(ours, 65536).decode("utf-8", "replace")
                if "plan" in shown and "round 1" in shown and not interrupted:
                    interrupted = True
                    os.write(ours, b"\x03")  # the key itself: the terminal makes the signal of it
        assert process.returncode == 130, shown
        assert termios.tcgetattr(theirs) == before
    finally:
        if process.returncode is None:
            process.kill()
        os.close(ours)
        os.close(theirs)
    for text in ("PLANNER", "EXECUTER", "working", "Ctrl-C stops the run", "stopped: Ctrl-C"):
        assert text in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is there again"
    assert await gone(house, within=3) == []


LINES = """
import json, sys
kinds, key = iter(sys.argv[1:]), ""
for line in sys.stdin:
    if line.startswith("POLI key: "):
        key = line.split(": ", 1)[1].strip()
    if line.startswith("POLI end:"):
        kind = next(kinds)
        header = json.dumps({"type": kind, "key": key})
        print(f"[[POLI:MSG {header}]]\\nmy {kind}\\n[[/POLI:MSG]]", flush=True)
"""


async def test_the_older_systems_environment_makes_a_run_of_two_plain_programs(house: House) -> None:
    program = house.root / "it's a program.py"
    program.write_text(LINES)
    command = shlex.join([sys.executable, str(program)])
    env = {"PLANNER_CMD": f"{command} plan complete", "EXECUTER_CMD": f"{command} result", "POLI_MAX_ROUNDS": "5"}
    verb = await ran(house, "run", "anything", "--trust", "--json", **env)
    assert verb.process.returncode == 0, verb.out + verb.errors
    started, *_, end = [envelope.event.model_dump() for envelope in verb.envelopes()]
    assert started["limits"]["rounds"] == 5
    assert end["summary"] == "my complete"


async def test_a_name_as_the_older_systems_command_chooses_the_agent_of_that_name(house: House) -> None:
    env = {"PLANNER_CMD": "scripted-planner", "EXECUTER_CMD": "scripted-executer"}
    verb = await ran(house, "run", TASK, "--trust", "--json", **env)
    assert verb.process.returncode == 0, verb.out + verb.errors
    agents = verb.envelopes()[0].event.model_dump()["agents"]
    assert {spec["name"] for spec in agents.values()} == {"scripted-planner", "scripted-executer"}
