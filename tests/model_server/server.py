"""The HTTP side of the scripted model: loopback only, one thread a request, and a log of what really left.

The log is the ground truth of a test: which requests came, what they held, when the last byte of each answer left, and
whether the agent hung up before the end.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal

from tests.model_server.anthropic import Anthropic
from tests.model_server.chat import Chat
from tests.model_server.dialect import Dialect, Plain
from tests.model_server.gemini import Gemini
from tests.model_server.responses import Responses
from tests.model_server.scenario import Ask, Cut, Fail, Gate, Rule, Scenario, Silence, Step, Text, Think, Tool, filled

DIALECTS: tuple[Dialect, ...] = (Anthropic(), Chat(), Gemini(), Responses())
Ending = Literal["done", "failed", "cut", "hung up"]


@dataclass
class Exchange:
    """One request and what became of it. Times are `time.time()`; `ended` stays None while the answer is on its way."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    came: float
    ask: Ask | None = None
    rule: int | None = None
    status: int = 0
    ended: Ending | None = None
    last_byte: float = 0.0


class HungUp(Exception):
    """The agent closed the connection: an interrupt, or its death."""


class CutOff(Exception):
    """The scenario closes the connection."""


@dataclass
class ModelServer:
    """`with ModelServer(scenario) as server:` ... `server.url`. The scenario may be replaced at any time."""

    scenario: Scenario
    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._gates: set[str] = set()
        self._used: Counter[int] = Counter()
        self._closing = threading.Event()
        owner = self

        class Handler(_Handler):
            model = owner

        self._http = _Http(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, name="model-server", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._http.shutdown()
        self._http.server_close()

    def play(self, scenario: Scenario) -> None:
        """From the next request on, this scenario; its rules start unused."""
        with self._changed:
            self.scenario = scenario
            self._used.clear()

    def open_gate(self, name: str) -> None:
        with self._changed:
            self._gates.add(name)
            self._changed.notify_all()

    def asked(self) -> list[Exchange]:
        """The users' own turns, without the agent's side requests."""
        with self._changed:
            return [exchange for exchange in self.exchanges if exchange.ask is not None and not exchange.ask.side]

    def wait(self, fits: Callable[[Exchange], bool], *, seconds: float = 30.0) -> Exchange:
        """The first exchange of a user's turn that fits, now or later. Raises TimeoutError with what was seen."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for exchange in self.exchanges:
                    if exchange.ask is not None and not exchange.ask.side and fits(exchange):
                        return exchange
                left = deadline - time.monotonic()
                if left <= 0:
                    seen = [(e.method, e.path, e.ask and e.ask.prompt[:60], e.ended) for e in self.exchanges]
                    raise TimeoutError(f"no such exchange within {seconds} s; seen: {seen}")
                self._changed.wait(left)

    # ---- what the handler threads call --------------------------------------------------------------------------

    def began(self, exchange: Exchange) -> None:
        with self._changed:
            self.exchanges.append(exchange)
            self._changed.notify_all()

    def over(self, exchange: Exchange, how: Ending) -> None:
        with self._changed:
            exchange.last_byte = time.time()
            exchange.ended = how
            self._changed.notify_all()

    def choose(self, ask: Ask) -> tuple[int | None, Rule]:
        with self._changed:
            for number, rule in enumerate(self.scenario.rules):
                if rule.fits(ask) and (rule.times is None or self._used[number] < rule.times):
                    self._used[number] += 1
                    return number, rule
        return None, Rule(legs=((Text("ok" if ask.side else self.scenario.otherwise),),))

    def pause(self, seconds: float, gone: Callable[[], bool]) -> None:
        """Silence; ends early with HungUp when the agent closes the connection."""
        self._until(lambda: False, seconds, gone)

    def pass_gate(self, name: str, gone: Callable[[], bool]) -> None:
        self._until(lambda: name in self._gates, 600.0, gone)

    def _until(self, done: Callable[[], bool], seconds: float, gone: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while not self._closing.is_set() and (left := deadline - time.monotonic()) > 0:
            if gone():
                raise HungUp
            with self._changed:
                if done():
                    return
                self._changed.wait(min(left, 0.1))


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An agent that hangs up between two requests (it was killed, it is done) is no error of the server's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ModelServer

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """The log of a test is `exchanges`, not stderr."""

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = {}
        body = body if isinstance(body, dict) else {"": body}
        exchange = Exchange(self.command, self.path, dict(self.headers), body, time.time())
        for dialect in DIALECTS:
            ask = dialect.read(self.command, self.path.partition("?")[0], body)
            if ask is not None:
                break
        else:
            # A probe of the agent's own (HEAD /, feature flags): it must be answered, with nothing.
            dialect, ask = DIALECTS[0], Plain({})
        exchange.ask = ask if isinstance(ask, Ask) else None
        self.model.began(exchange)
        try:
            if isinstance(ask, Plain):
                self._plain(exchange, ask.status, ask.body)
                self.model.over(exchange, "done")
            else:
                self._reply(exchange, dialect, ask)
        except CutOff:
            self.model.over(exchange, "cut")
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        except (HungUp, ConnectionError):
            self.model.over(exchange, "hung up")
            self.close_connection = True

    def _reply(self, exchange: Exchange, dialect: Dialect, ask: Ask) -> None:
        exchange.rule, rule = self.model.choose(ask)
        steps = list(filled(rule.legs[min(ask.leg, len(rule.legs) - 1)], ask))
        if steps and isinstance(steps[0], Fail):
            fail = steps[0]
            self._plain(exchange, fail.status, dialect.failure(fail.status, fail.message), fail.headers)
            self.model.over(exchange, "failed")
            return
        speech = dialect.speech(ask, rule.tokens)
        if not ask.stream:
            for _ in self._spoken(speech, steps):
                pass
            self._plain(exchange, 200, speech.whole())
        else:
            exchange.status = 200
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            # An empty chunk would be the end of it all.
            for data in filter(None, self._spoken(speech, steps)):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")
        self.model.over(exchange, "done")

    def _spoken(self, speech: Any, steps: Sequence[Step]) -> Iterator[bytes]:
        yield speech.begin()
        for step in steps:
            match step:
                case Text():
                    for at in range(0, len(step.text), max(1, step.chunk)):
                        if at and step.every:
                            self.model.pause(step.every, self._gone)
                        yield speech.text(step.text[at : at + step.chunk])
                case Think():
                    yield speech.think(step.text)
                case Silence():
                    self.model.pause(step.seconds, self._gone)
                case Gate():
                    self.model.pass_gate(step.name, self._gone)
                case Tool():
                    yield speech.tool(step.name, step.input)
                case Cut():
                    raise CutOff
                case Fail():
                    raise ValueError("a failure can only be the first step of a leg")
        yield speech.end()

    def _gone(self) -> bool:
        """Has the other side closed? It sends nothing while it waits, so anything to read is the end."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def _plain(
        self, exchange: Exchange, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        data = json.dumps(body).encode()
        exchange.status = status
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
