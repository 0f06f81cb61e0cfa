"""One connection of the language server, from `initialize` to its end, as a pygls server.

It joins the transport, the protocol, what the client is told (feed, plain front) and the way to the engine (link). It
does not know whether the engine is in this process, nor over what kind of stream the client came.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from politerm import __version__
from politerm.errors import InvalidParams, Untrusted
from politerm.lsp.catalog import PANE_CREDIT, TRUST_CHANGED
from politerm.lsp.converter import converter
from politerm.lsp.feed import Feed
from politerm.lsp.plain import PlainFront
from politerm.lsp.protocol import Answer, PoliTermProtocol
from politerm.lsp.proxy import Connect, Link, Opening
from politerm.lsp.transport import Connection

log = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 2.0
"""How long the last answers may take to be read when a session ends."""
GRACE_SECONDS: Final = 2.0
"""How long requests may still work when the input has ended but somebody reads the output."""

_OPTION_KEYS: Final = frozenset({"trusted", "client", "settings", "token"})
_CLIENT_KEYS: Final = frozenset({"attention", "progress"})


class BadToken(Untrusted):
    """A TCP client without the token that was printed at start."""

    code = "badToken"


class PoliTermServer(LanguageServer):
    """`ended` is done when the session is over, with the exit code that LSP gives it."""

    protocol: PoliTermProtocol

    def __init__(
        self, connect: Connect, *, token: str | None = None, on_parent: Callable[[int], None] | None = None
    ) -> None:
        super().__init__(
            "politerm",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.None_,
            protocol_cls=PoliTermProtocol,
            converter_factory=converter,
        )
        self._connect, self._token, self._on_parent = connect, token, on_parent
        self.connection = Connection(self.protocol.receive, self.protocol.complain, self._input_ended)
        self.protocol.connection = self.connection
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ending: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._feed: Feed | None = None
        self._plain: PlainFront | None = None
        self._opening = Opening()
        self._claims: dict[str, bool] = {}
        self._warnings: list[str] = []
        for method, handler in _NOTIFICATIONS.items():
            self.feature(method)(handler)

    # ---- the session's life, as the protocol tells it

    def on_initialize(self, params: dict[str, Any]) -> None:
        """Look at `initialize`. Raises BadToken, after which the connection is closed."""
        given = params.get("initializationOptions")
        given = given.get("politerm") if isinstance(given, dict) else None
        options, self._warnings = read_options(given)
        if self._token is not None and not _same_token(options.get("token"), self._token):
            asyncio.get_running_loop().call_soon(self.end, 1)
            raise BadToken(
                "The token is missing or wrong.",
                hint="Send the one that `politerm serve --tcp` printed as initializationOptions.politerm.token.",
            )
        self._claims = options["client"]
        name = params.get("clientInfo")
        self._opening = Opening(
            folders=folders_of(params),
            trusted=options["trusted"],
            options={key: value for key, value in options.items() if key != "token"},
            settings=options["settings"],
            client=str(name.get("name", "")) if isinstance(name, dict) else "",
        )
        pid = params.get("processId")
        if isinstance(pid, int) and pid > 0 and self._on_parent is not None:
            self._on_parent(pid)

    def on_ready(self) -> None:
        """`initialize` has been answered: now the engine may take its time."""
        window = self.client_capabilities.window
        self._plain = PlainFront(
            ask=self.protocol.ask,
            notify=self._notify,
            command=self._command,
            congested=lambda: self.connection.congested,
            progress=bool(window and window.work_done_progress) and not self._claims["progress"],
            attention=not self._claims["attention"],
        )
        self._feed = Feed(self.connection, self._plain)
        self._link = Link(self._connect, self._opening, self._feed, lambda: self.connection.congested)
        self.connection.on_calm(self._link.calm)
        for warning in self._warnings:
            self._notify(types.WINDOW_LOG_MESSAGE, {"type": types.MessageType.Warning.value, "message": warning})
        self._link.start()

    def on_exit(self, code: int) -> None:
        self.end(code)

    def _input_ended(self, reason: str) -> None:
        log.info("session over: %s", reason)
        self.end(0 if self.protocol.stage == "closing" else 1, grace=0 if self.connection.deaf else GRACE_SECONDS)

    def end(self, code: int, *, grace: float = 0) -> None:
        """Finish: let go of what is under way, send what is queued, close. `ended` gets the code."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(code, grace), name="lsp session end")

    async def _end(self, code: int, grace: float) -> None:
        try:
            await self.protocol.settle(grace)
            if self._plain is not None:
                self._plain.close()
            if self._feed is not None:
                self._feed.close()
            if self._link is not None:
                await self._link.close()
            await self.connection.flush(FLUSH_SECONDS)
        except Exception:
            log.exception("ending a session failed")
        finally:
            self.connection.close()
            if not self.ended.done():
                self.ended.set_result(code)

    # ---- what the client asks

    async def execute(self, name: str, arguments: dict[str, Any]) -> Answer:
        link = self._link
        assert link is not None
        try:
            result = await link.command(name, arguments)
        except BaseException:
            link.answered(name, arguments)
            raise
        return Answer(result, lambda: link.answered(name, arguments))

    async def _command(self, name: str, arguments: dict[str, Any]) -> Any:
        assert self._link is not None
        return await self._link.command(name, arguments)

    def on_progress_cancel(self, token: int | str) -> None:
        if self._plain is not None:
            self._plain.cancelled(token)

    def on_pane_credit(self, params: Any) -> None:
        if self._link is not None:
            self._link.credit(params)

    async def on_trust_changed(self, params: Any) -> None:
        trusted = params.get("trusted") if isinstance(params, dict) else None
        if not isinstance(trusted, bool):
            raise InvalidParams("politerm/trustChanged: `trusted` must be true or false.")
        if self._link is not None:
            await self._link.trust(trusted)

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        self.connection.send({"jsonrpc": "2.0", "method": method, "params": params})

    def report_server_error(self, error: Exception, source: Any) -> None:
        """To the log; pygls would show every client the exception's text."""
        log.error("%s", error)


# pygls marks the functions it registers, which bound methods do not allow; `ls` is the name it looks for.


def _pane_credit(ls: PoliTermServer, params: Any) -> None:
    ls.on_pane_credit(params)


async def _trust_changed(ls: PoliTermServer, params: Any) -> None:
    await ls.on_trust_changed(params)


def _tolerated(params: Any) -> None:
    """Settings may change at any time; a run keeps what it was started with."""


_NOTIFICATIONS: Final[dict[str, Callable[..., Any]]] = {
    PANE_CREDIT: _pane_credit,
    TRUST_CHANGED: _trust_changed,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: _tolerated,
}


def _same_token(given: Any, token: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), token.encode())


def read_options(given: Any) -> tuple[dict[str, Any], list[str]]:
    """initializationOptions.politerm, checked, and a warning for each part that is not understood.

    Done by hand: no model needs to be loaded before `initialize` is answered. A `trusted` that is no boolean is a no.
    """
    warnings: list[str] = []
    options: dict[str, Any] = {"trusted": None, "client": {"attention": False, "progress": False}, "settings": {}}
    if given is None:
        return options, warnings
    if not isinstance(given, dict):
        return options, ["PoliTerm: initializationOptions.politerm must be an object; it is ignored."]
    where = "PoliTerm: initializationOptions.politerm"
    for key in given.keys() - _OPTION_KEYS:
        warnings.append(f"{where}.{key} is not known; accepted: {_listed(_OPTION_KEYS)}.")
    trusted = given.get("trusted")
    if trusted is not None and not isinstance(trusted, bool):
        warnings.append(f"{where}.trusted must be true or false; it counts as false.")
        trusted = False
    options["trusted"] = trusted
    client = given.get("client")
    if isinstance(client, dict):
        for key, value in client.items():
            if key not in _CLIENT_KEYS:
                warnings.append(f"{where}.client.{key} is not known; accepted: {_listed(_CLIENT_KEYS)}.")
            elif not isinstance(value, bool):
                warnings.append(f"{where}.client.{key} must be true or false; it counts as false.")
            else:
                options["client"][key] = value
    elif client is not None:
        warnings.append(f"{where}.client must be an object; it is ignored.")
    settings = given.get("settings")
    if isinstance(settings, dict):
        options["settings"] = settings
    elif settings is not None:
        warnings.append(f"{where}.settings must be an object; it is ignored.")
    if "token" in given:
        options["token"] = given["token"]
    return options, warnings


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def folders_of(params: dict[str, Any]) -> tuple[str, ...]:
    """The workspace folders of `initialize` as paths: workspaceFolders, else rootUri, else rootPath."""
    found = params.get("workspaceFolders")
    uris = [folder.get("uri") for folder in found if isinstance(folder, dict)] if isinstance(found, list) else []
    paths = [path for uri in uris if (path := path_of(uri)) is not None]
    if not paths and (root := path_of(params.get("rootUri"))) is not None:
        paths = [root]
    if not paths and isinstance(params.get("rootPath"), str):
        paths = [params["rootPath"]]
    return tuple(paths)


def path_of(uri: Any) -> str | None:
    """The path of a file URI on this machine, else None."""
    if not isinstance(uri, str):
        return None
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    return unquote(parts.path) or None
