"""One test agent. Run as a program; its one argument is the JSON object of `Options`.

Role, record, and run are taken from POLITERM_ROLE, POLITERM_WITNESS and POLITERM_RUN, as any agent is given them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from faces import FACES, Closed, Interrupted, Line, die
from mind import END, Mind


@dataclass
class Options:
    """The habits of an agent; tests/agents/__init__.py names the usual sets."""

    face: str = "line"
    role: str = ""
    """planner or executer; empty: POLITERM_ROLE."""
    memory: str = ""
    """A folder that outlives the process: the ledger, and how often it died or spoke."""
    rounds: int = 2
    plan_lines: int = 0
    scenario: Any = None
    """A list of turns, each a list of {type, body, to?, key?} or plain words; or the path of such a JSON file."""
    ids: str = "fresh"
    after: str = ""
    before: str = ""
    disobey: int = 0
    spoof: bool = False
    keyed: bool = True
    tags: bool = True
    delay: float = 0.0
    hold: str = ""
    """A file: while it is there, no turn goes beyond its beginning."""
    start_delay: float = 0.0
    spin: float = 0.0
    silent: bool = False
    restless: bool = False
    swallow: float = 0.0
    ask: str = ""
    """start or prompt: when a dialog stands in the way."""
    die: str = ""
    """start, prompt (taken, nothing said), mid (half of the reply shown), reply (all of it shown)."""
    code: int = 7
    times: int = 1_000_000
    """How many of its lives end so; counted in `memory`."""
    stubborn: bool = False
    daemon: bool = False
    record: bool = True


class Agent:
    def __init__(self, options: Options) -> None:
        self._options = options
        role = (options.role or os.environ.get("POLITERM_ROLE", "executer")).lower()
        self._role = role
        scenario = options.scenario
        if isinstance(scenario, str):
            with open(scenario, encoding="utf-8") as file:
                scenario = json.load(file)
        self._mind = Mind(
            role,
            rounds=options.rounds,
            plan_lines=options.plan_lines,
            ids=options.ids,
            after=options.after,
            before=options.before,
            disobey=options.disobey,
            spoof=options.spoof,
            keyed=options.keyed,
            tags=options.tags,
            scenario=scenario,
            turn=self._counter("turns"),
        )
        self._face: Line = FACES[options.face](options.swallow, options.restless)

    def run(self) -> int:
        options = self._options
        self._note("start", pid=os.getpid())
        if options.daemon:
            self._note("daemon", pid=_daemon())
        if options.stubborn:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(options.start_delay)
        self._die("start")
        self._face.start()
        try:
            if options.ask == "start" and not self._ask("Do you trust this folder?"):
                return 1
            while (prompt := self._face.read()).strip() != "/quit":
                self._turn(prompt)
        except Closed:
            while options.stubborn:
                signal.pause()
            return 1
        finally:
            with suppress(OSError):
                self._face.stop()
        return 0

    def _turn(self, prompt: str) -> None:
        options = self._options
        self._note("prompt", text=prompt, end=(END.findall(prompt) or [""])[-1])
        self._record(type="prompt", text=prompt)
        self._die("prompt")
        self._face.busy()
        how = "done"
        try:
            if options.silent:
                self._face.wait(1e9)
            if options.spin:
                self._face.wait(options.spin, spin=True)
            self._face.wait(options.delay)
            while options.hold and os.path.exists(options.hold):
                self._face.wait(0.02)
            if options.ask == "prompt" and not self._ask("Allow writing allowed.txt?"):
                text = self._mind.refusal(prompt)
            else:
                if options.ask == "prompt":
                    with open("allowed.txt", "a", encoding="utf-8") as file:
                        file.write("yes\n")
                text = self._mind.reply(prompt)
            if self._doomed("mid"):
                self._face.show(text[: len(text) // 2])
                self._die("mid")
            self._face.show(text)
            self._record(type="reply", text=text)
            self._note("reply", text=text)
            self._counter("turns", self._mind.turn)
            self._die("reply")
        except (Interrupted, KeyboardInterrupt):
            how = "interrupted"
            self._face.show("Interrupted.")
            self._note("interrupted")
        self._record(type="turnEnd", how=how)

    def _ask(self, question: str) -> bool:
        answer = self._face.ask(question)
        self._note("asked", question=question, answer=answer, stray=self._face.stray())
        return answer

    # ---- what outlives it --------------------------------------------------------------------------------------------

    def _record(self, **fields: Any) -> None:
        path = os.environ.get("POLITERM_WITNESS")
        if path and self._options.record:
            _append(path, fields)

    def _note(self, event: str, **fields: Any) -> None:
        if self._options.memory:
            path = os.path.join(self._options.memory, "ledger.jsonl")
            _append(path, {"event": event, "role": self._role, "run": os.environ.get("POLITERM_RUN", ""), **fields})

    def _counter(self, name: str, value: int | None = None) -> int:
        """A number of this role that outlives the process: read, or set."""
        if not self._options.memory:
            return 0
        path = os.path.join(self._options.memory, f"{self._role}.{name}")
        if value is not None:
            with open(path, "w", encoding="ascii") as file:
                file.write(str(value))
            return value
        try:
            with open(path, encoding="ascii") as file:
                return int(file.read() or 0)
        except FileNotFoundError:
            return 0

    def _doomed(self, moment: str) -> bool:
        return self._options.die == moment and self._counter("deaths") < self._options.times

    def _die(self, moment: str) -> None:
        if self._doomed(moment):
            self._counter("deaths", self._counter("deaths") + 1)
            self._note("death", moment=moment)
            die(self._options.code)


def _append(path: str, fields: dict[str, Any]) -> None:
    """One write for each line, so that two processes never mix theirs."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, json.dumps(fields).encode() + b"\n")
    finally:
        os.close(file)


def _daemon() -> int:
    """A child that belongs to nobody: its own session, deaf to SIGHUP, no terminal. Answers its pid."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        pid = os.fork()
        if pid:
            os.write(writer, str(pid).encode())
            os._exit(0)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        null = os.open(os.devnull, os.O_RDWR)
        for file in (0, 1, 2):
            os.dup2(null, file)
        os.closerange(3, 64)
        while True:
            signal.pause()
    os.close(writer)
    os.wait()
    return int(os.read(reader, 32))


def main() -> int:
    options = Options(**json.loads(sys.argv[1])) if len(sys.argv) > 1 else Options()
    return Agent(options).run()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
