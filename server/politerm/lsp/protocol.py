"""pygls's protocol with one answer for every request, whatever the request, its handler, or its cancellation does.

    new --initialize--> ready --shutdown--> closing --exit--> (ended)
     \\_______________________exit________________________________/

Kept from pygls: the feature table, the types, the built-in features, requests to the client. Ours: reading messages
(lsp/framing.py), the writer (lsp/transport.py), tasks that are really cancelled, and errors that say what to do.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from cattrs import Converter, transform_error
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams, JsonRpcMethodNotFound
from pygls.protocol import LanguageServerProtocol, lsp_method

from politerm.errors import InvalidParams, PoliTermError
from politerm.lsp import framing
from politerm.lsp.catalog import COMMAND_NAMES, FEATURES, PROTOCOL_VERSION
from politerm.lsp.converter import message_type, result_type
from politerm.lsp.framing import Complaint, Id, Notice, Reply, Request

if TYPE_CHECKING:
    from politerm.lsp.transport import Connection

log = logging.getLogger(__name__)

MAX_UNDER_WAY: Final = 1000
"""Requests that are worked on at once; further ones wait unread."""

# Documents are not read yet. Announcing them would make editors send every text, and us keep it.
UNUSED_FEATURES: Final = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
)


class Session(Protocol):
    """What a connection's server is told of its life, and asked to do (lsp/server.py)."""

    def on_initialize(self, params: dict[str, Any]) -> None: ...

    def on_ready(self) -> None: ...

    def on_exit(self, code: int) -> None: ...

    def execute(self, name: str, arguments: dict[str, Any]) -> Coroutine[Any, Any, Answer]: ...

    def on_progress_cancel(self, token: int | str) -> None: ...


class PoliTermProtocol(LanguageServerProtocol):
    """One connection's state. `receive` is called on the loop, once per message."""

    def __init__(self, server: Any, converter: Converter) -> None:
        super().__init__(server, converter)
        self._session: Session = server
        for name in UNUSED_FEATURES:
            self.fm.builtin_features.pop(name, None)
        self.connection: Connection | None = None
        self.stage: Literal["new", "ready", "closing"] = "new"
        self._tasks: dict[Id, asyncio.Task[None]] = {}
        self._notices: set[asyncio.Task[None]] = set()
        self._holding = False
        self.raw_initialize: dict[str, Any] = {}

    # ---- what pygls asks for

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        # Not cached as in pygls: its cache would keep every closed connection alive.
        return message_type(method)

    def get_result_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        return result_type(method)

    def _send_data(self, data: Any) -> None:
        if self.connection is None:
            log.error("nothing is connected; a message was not sent")
            return
        self.connection.send(self._converter.unstructure(data) if hasattr(data, "__attrs_attrs__") else data)

    # ---- messages in

    def receive(self, value: Any) -> None:
        """One decoded JSON value from the client. Never raises."""
        match framing.read_message(value):
            case Complaint() as complaint:
                self.complain(complaint)
            case Request(id, method, params):
                self._request(id, method, params)
            case Notice(method, params):
                self._notice(method, params)
            case Reply(id, result, error):
                self._reply(id, result, error)

    def complain(self, complaint: Complaint) -> None:
        self._fail(complaint.id, complaint.code, complaint.message)

    def _request(self, id: Id, method: str, params: Any) -> None:
        refusal = self._out_of_order(method)
        if refusal is not None:
            self._fail(id, *refusal)
            return
        if id in self._tasks:
            self._fail(id, framing.INVALID_REQUEST, f"The id {id!r} is still in use by a request without an answer.")
            return
        try:
            handler = self._get_handler(method)
            outcome = handler(self._structure(id, method, params))
            if inspect.isgenerator(outcome):
                outcome = self._drive(outcome)
        except JsonRpcMethodNotFound:
            self._fail(id, framing.METHOD_NOT_FOUND, f"The method {method!r} is not known to this server.")
        except Exception as error:
            self._answer_error(id, error)
        else:
            if inspect.iscoroutine(outcome):
                self._start(id, outcome)
            else:
                self._answer(id, outcome)
                if method == types.INITIALIZE:
                    self.stage = "ready"
                    self._session.on_ready()

    def _out_of_order(self, method: str) -> tuple[int, str] | None:
        match self.stage:
            case "new" if method != types.INITIALIZE:
                return framing.NOT_INITIALIZED, f"{method!r} came before `initialize`."
            case "ready" if method == types.INITIALIZE:
                return framing.INVALID_REQUEST, "`initialize` came a second time; one connection has one session."
            case "closing":
                return framing.INVALID_REQUEST, f"{method!r} came after `shutdown`; only `exit` may follow."
            case _:
                return None

    def _structure(self, id: Id | None, method: str, params: Any) -> Any:
        """Parameters as the handler wants them. Raises InvalidParams with what was wrong where."""
        if method == types.WORKSPACE_EXECUTE_COMMAND:
            return read_command(params)
        if method == types.INITIALIZE:
            if not isinstance(params, dict):
                raise InvalidParams("`initialize` needs an object of parameters.")
            self.raw_initialize = params
            params = known_part(params)
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        if id is not None:
            message["id"] = id
        cls = self.get_message_type(method)
        if cls is None:
            return params
        try:
            return getattr(self._converter.structure(message, cls), "params", None)
        except Exception as error:
            raise InvalidParams(f"{method}: {'; '.join(transform_error(error, path='params')[:3])}.") from error

    def _drive(self, steps: Generator[Any, Any, Any]) -> Any:
        """Run one of pygls's built-in features, with the handler of ours that it asks for in between."""
        answer: Any = None
        try:
            while True:
                handler, args, kwargs = steps.send(answer)
                answer = handler(*args, **(kwargs or {}))
        except StopIteration as end:
            return end.value

    # ---- requests under way

    def _start(self, id: Id, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(self._work(id, work), name=f"lsp request {id}")
        self._tasks[id] = task
        task.add_done_callback(lambda done: self._done(id, done, work))
        if len(self._tasks) >= MAX_UNDER_WAY and not self._holding and self.connection is not None:
            self._holding = True
            self.connection.hold()

    async def _work(self, id: Id, work: Coroutine[Any, Any, Any]) -> None:
        try:
            result = await work
        except Exception as error:
            self._answer_error(id, error)
        else:
            if isinstance(result, Answer):
                self._answer(id, result.value)
                result.then()
            else:
                self._answer(id, result)

    def _done(self, id: Id, task: asyncio.Task[None], work: Coroutine[Any, Any, Any]) -> None:
        """The one place that knows of a cancellation, also of one that came before the task's first step."""
        del self._tasks[id]
        work.close()
        if task.cancelled():
            self._fail(id, framing.REQUEST_CANCELLED, "The request was cancelled.")
        elif (error := task.exception()) is not None:
            log.error("answering request %r failed", id, exc_info=error)
        if self._holding and len(self._tasks) < MAX_UNDER_WAY // 2 and self.connection is not None:
            self._holding = False
            self.connection.release()

    def cancel_all(self) -> None:
        for task in (*self._tasks.values(), *self._notices):
            task.cancel()

    async def settle(self, seconds: float) -> None:
        """Let what is under way finish, at most so long, then cancel it. Every request has its answer afterwards."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=seconds)
        self.cancel_all()
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))
            await asyncio.sleep(0)  # the done callbacks, which answer, come after the wait

    # ---- answers out

    def _answer(self, id: Id, result: Any) -> None:
        if result is not None and hasattr(result, "__attrs_attrs__"):
            result = self._converter.unstructure(result)
        message = {"jsonrpc": "2.0", "id": id, "result": result}
        try:
            body = framing.encode(message)
        except Exception as error:
            self._answer_error(id, error)
            return
        if self.connection is not None:
            self.connection.send_body(body)

    def _answer_error(self, id: Id, error: Exception) -> None:
        match error:
            case PoliTermError():
                code = framing.INVALID_PARAMS if isinstance(error, InvalidParams) else framing.REQUEST_FAILED
                self._fail(id, code, str(error), error_data(error))
            case JsonRpcException() if not isinstance(error, JsonRpcInternalError):
                self._fail(id, error.code, error.message, error.data)
            case _:
                incident = secrets.token_hex(4)
                log.error("incident %s: request %r failed", incident, id, exc_info=error)
                self._fail(
                    id,
                    framing.INTERNAL_ERROR,
                    f"Something inside PoliTerm failed; its log has the details under incident {incident}.",
                    {"code": "internal", "incident": incident},
                )

    def _fail(self, id: Id | None, code: int, message: str, data: Any = None) -> None:
        error = {"code": code, "message": message}
        if data is not None:
            error["data"] = data
        if self.connection is not None:
            self.connection.send({"jsonrpc": "2.0", "id": id, "error": error})

    # ---- notifications and replies

    def _notice(self, method: str, params: Any) -> None:
        if method == types.EXIT:
            self._session.on_exit(0 if self.stage == "closing" else 1)
            return
        if method == types.CANCEL_REQUEST:
            id = params.get("id") if isinstance(params, dict) else None
            if isinstance(id, (int, str)) and (task := self._tasks.get(id)) is not None:
                task.cancel()
            return
        if self.stage != "ready":
            log.info("notification %r ignored: the session is not open", method)
            return
        try:
            handler = self._get_handler(method)
            outcome = handler(self._structure(None, method, params))
            if inspect.isgenerator(outcome):
                outcome = self._drive(outcome)
            if inspect.iscoroutine(outcome):
                task = asyncio.create_task(self._notice_work(method, outcome), name=f"lsp notification {method}")
                self._notices.add(task)
                task.add_done_callback(self._notices.discard)
        except JsonRpcMethodNotFound:
            log.debug("notification %r is not known", method)
        except PoliTermError as error:
            log.warning("notification %r ignored: %s", method, error)
        except Exception:
            log.exception("notification %r failed", method)

    async def _notice_work(self, method: str, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except PoliTermError as error:
            log.warning("notification %r ignored: %s", method, error)
        except Exception:
            log.exception("notification %r failed", method)

    def _reply(self, id: Id | None, result: Any, error: Any) -> None:
        """The client's answer to a request of ours. One that nobody waits for any more is dropped."""
        future: Future[Any] | None = self._request_futures.pop(id, None) if id is not None else None
        wanted = self._result_types.pop(id, None) if id is not None else None
        if future is None or future.done():
            return
        if error is not None:
            code = error.get("code") if isinstance(error, dict) else None
            text = error.get("message") if isinstance(error, dict) else None
            future.set_exception(JsonRpcException(str(text or "failed"), code=code if isinstance(code, int) else None))
            return
        try:
            if wanted is not None:
                result = self._converter.structure({"jsonrpc": "2.0", "id": id, "result": result}, wanted).result
        except Exception:
            future.set_exception(JsonRpcInvalidParams("the client's answer does not have the shape LSP gives it"))
            return
        future.set_result(result)

    async def ask(self, method: str, params: dict[str, Any]) -> Any:
        """A request to the client, its answer as plain JSON. Cancelling it withdraws the question at the client."""
        id = f"politerm-{secrets.token_hex(6)}"
        future: Future[Any] = Future()
        self._request_futures[id] = future
        if self.connection is not None:
            self.connection.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if self._request_futures.pop(id, None) is not None and self.connection is not None:
                notice = {"jsonrpc": "2.0", "method": types.CANCEL_REQUEST, "params": {"id": id}}
                self.connection.send(notice)
            raise

    # ---- built-in features with something of ours

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        self._session.on_initialize(self.raw_initialize)
        result: types.InitializeResult = yield from super().lsp_initialize(params)
        result.capabilities.execute_command_provider = types.ExecuteCommandOptions(commands=list(COMMAND_NAMES))
        result.capabilities.experimental = {
            "politerm": {"protocolVersion": PROTOCOL_VERSION, "features": list(FEATURES)}
        }
        return result

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> None:  # type: ignore[override]
        self.stage = "closing"
        self._shutdown = True
        self.cancel_all()

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: types.ExecuteCommandParams
    ) -> Coroutine[Any, Any, Any]:
        arguments: Any = params.arguments[0] if params.arguments else {}
        return self._session.execute(params.command, arguments)

    @lsp_method(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def lsp_work_done_progress_cancel(self, params: types.WorkDoneProgressCancelParams) -> None:
        self._session.on_progress_cancel(params.token)


class Answer:
    """A result with something to be done once it is on its way: what must not overtake it."""

    def __init__(self, value: Any, then: Callable[[], None]) -> None:
        self.value, self.then = value, then


def error_data(error: PoliTermError) -> dict[str, Any]:
    """`data` of the wire error: the code, the next step, and what else the error carries."""
    data = {"code": error.code, **error.data}
    if error.hint:
        data["hint"] = error.hint
    return data


def read_command(params: Any) -> types.ExecuteCommandParams:
    """`workspace/executeCommand` by hand: its errors must name the field, what was wrong, and what is accepted."""
    if not isinstance(params, dict):
        raise InvalidParams("workspace/executeCommand needs an object `{command, arguments}`.")
    command = params.get("command")
    if not isinstance(command, str):
        raise InvalidParams("`command` must be a string: the name of one of the commands announced by `initialize`.")
    arguments = params.get("arguments")
    if command not in COMMAND_NAMES:
        raise InvalidParams(f"`command` was {command[:80]!r}; accepted: {', '.join(COMMAND_NAMES)}.")
    if arguments is None:
        arguments = []
    if not isinstance(arguments, list) or len(arguments) > 1:
        raise InvalidParams(f"{command}: `arguments` must be an array with one object at most.")
    if arguments == [None]:
        arguments = []
    if arguments and not isinstance(arguments[0], dict):
        kind = type(arguments[0]).__name__
        raise InvalidParams(f"{command}: the argument must be an object of named fields, not {_JSON_NAMES[kind]}.")
    return types.ExecuteCommandParams(command=command, arguments=arguments)


_JSON_NAMES: Final = {
    "str": "a string",
    "int": "a number",
    "float": "a number",
    "bool": "a boolean",
    "list": "an array",
}


def known_part(params: dict[str, Any]) -> dict[str, Any]:
    """`initialize` without what we never look at. Newer clients put values there that lsprotocol does not know yet."""
    capabilities = params.get("capabilities")
    known = capabilities if isinstance(capabilities, dict) else {}
    kept = {name: known[name] for name in ("general", "window") if name in known}
    wanted = ("processId", "clientInfo", "locale", "rootPath", "rootUri", "workspaceFolders", "initializationOptions")
    return {**{k: params[k] for k in wanted if k in params}, "capabilities": kept}
