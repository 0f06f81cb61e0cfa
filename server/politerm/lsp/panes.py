"""The panes one client has open: numbering that survives a change of backend, and credit for clients that give none.

Credit counts bytes of `data` in UTF-8. The backend sends only what it has credit for, so a client that gives none is
given some here as its connection drains: what waits for it is never more than one window a pane.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from politerm.errors import PoliTermError
from politerm.lsp.backend import Backend

log = logging.getLogger(__name__)

WINDOW_BYTES: Final = 256 * 1024
"""Credit of a pane whose client gives none: four frames of the largest size."""

Key = tuple[str, str]


@dataclass
class _Open:
    arguments: dict[str, Any]
    own_credit: bool
    """The client gives credit itself."""
    balance: int
    """Credit that is left, as far as this side knows."""
    unpaid: int = 0
    offset: int = 0
    """The client's number minus the backend's."""
    last: int = 0
    taken: bool = False
    opened: bool = False
    held: list[dict[str, Any]] | None = field(default_factory=list)
    """Frames that must not overtake the answer to `open`."""


class PaneBook:
    def __init__(self, forward: Callable[[dict[str, Any]], None], congested: Callable[[], bool]) -> None:
        self._forward, self._congested = forward, congested
        self._open: dict[Key, _Open] = {}
        self._backend: Backend | None = None

    def use(self, backend: Backend | None) -> None:
        self._backend = backend

    # ---- around the commands

    def before(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments to pass on."""
        if name != "politerm.pane.open" or (key := key_of(arguments)) is None:
            return arguments
        credit = arguments.get("credit")
        own = isinstance(credit, int) and not isinstance(credit, bool) and credit >= 0
        if credit is not None and not own:
            return arguments  # wrong, and the backend says so
        given = {**arguments, "credit": credit if own else WINDOW_BYTES}
        pane = self._open.get(key)
        if pane is None:
            self._open[key] = _Open(given, own, given["credit"])
        else:
            pane.arguments, pane.own_credit, pane.balance, pane.unpaid = given, own, given["credit"], 0
            pane.held = pane.held if pane.held is not None else []
        return given

    def after(self, name: str, arguments: dict[str, Any], result: Any) -> Any:
        """The result to answer with. `answered` must follow once it is on its way."""
        key = key_of(arguments)
        pane = self._open.get(key) if key is not None else None
        if pane is None or key is None:
            return result
        if name == "politerm.pane.open":
            pane.opened = True
            pane.last = max(pane.last, result["seq"] + pane.offset)
            return {**result, "seq": result["seq"] + pane.offset}
        if name == "politerm.pane.close":
            del self._open[key]
        elif name == "politerm.pane.takeOver":
            pane.taken = bool(arguments.get("on"))
        return result

    def answered(self, name: str, arguments: dict[str, Any]) -> None:
        """The answer to `open` is on its way, or it failed: what was held may follow."""
        key = key_of(arguments) if name == "politerm.pane.open" else None
        pane = self._open.get(key) if key is not None else None
        if pane is None or key is None:
            return
        if not pane.opened:
            del self._open[key]
            return
        self._release(pane)

    def _release(self, pane: _Open) -> None:
        held, pane.held = pane.held or [], None
        for frame in held:
            self._send(pane, frame)

    # ---- frames and credit

    def frame(self, frame: dict[str, Any]) -> None:
        pane = self._open.get((frame["runId"], frame["role"]))
        if pane is None:
            return
        if pane.held is not None:
            pane.held.append(frame)
        else:
            self._send(pane, frame)

    def _send(self, pane: _Open, frame: dict[str, Any]) -> None:
        pane.last = frame["seq"] + pane.offset
        cost = cost_of(frame["data"])
        pane.balance -= cost
        self._forward({**frame, "seq": pane.last} if pane.offset else frame)
        if not pane.own_credit:
            pane.unpaid += cost
            if pane.unpaid >= WINDOW_BYTES // 4 and not self._congested():
                self._pay(pane)

    def _pay(self, pane: _Open) -> None:
        if self._backend is not None and pane.unpaid:
            run, role = pane.arguments["runId"], pane.arguments["role"]
            paid, pane.unpaid = pane.unpaid, 0
            pane.balance += paid
            self._backend.credit({"runId": run, "role": role, "bytes": paid})

    def calm(self) -> None:
        """The client reads again."""
        for pane in self._open.values():
            if not pane.own_credit:
                self._pay(pane)

    def credit(self, params: Any) -> None:
        """`politerm/paneCredit` of the client."""
        key = key_of(params)
        pane = self._open.get(key) if key is not None else None
        amount = params.get("bytes") if isinstance(params, dict) else None
        if pane is not None and isinstance(amount, int) and amount >= 0:
            pane.balance += amount
            pane.own_credit = True
        if self._backend is not None and isinstance(params, dict):
            self._backend.credit(params)

    # ---- another backend

    async def reopen(self, backend: Backend) -> None:
        """Open everything again at a backend that has just come. The client sees one frame with `reset`."""
        for key, pane in list(self._open.items()):
            if not pane.opened:
                continue
            pane.held = []
            pane.unpaid = 0
            if not pane.own_credit:
                pane.balance = WINDOW_BYTES
            try:
                arguments = {**pane.arguments, "credit": max(0, pane.balance)}
                result = await backend.command("politerm.pane.open", arguments)
                if pane.taken:
                    await backend.command(
                        "politerm.pane.takeOver", {"runId": key[0], "role": pane.arguments["role"], "on": True}
                    )
            except PoliTermError as error:
                log.info("pane %s %s could not be opened again: %s", *key, error)
                self._open.pop(key, None)
                continue
            pane.offset = pane.last + 1 - result["seq"]
            frame = {"runId": key[0], "role": key[1], "seq": result["seq"], "data": result["snapshot"], "reset": True}
            self._send(pane, frame)
            self._release(pane)


def key_of(params: Any) -> Key | None:
    """Run and role of a pane command, the role in its wire spelling; None where they are not even strings."""
    if not isinstance(params, dict):
        return None
    run, role = params.get("runId"), params.get("role")
    return (run, role.upper()) if isinstance(run, str) and isinstance(role, str) else None


def cost_of(data: str) -> int:
    """Bytes of a frame's data in UTF-8."""
    return len(data) if data.isascii() else len(data.encode("utf-8", "replace"))
