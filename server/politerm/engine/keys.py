"""Keys for an agent: those that answer a dialog go out only while that same dialog stands there.

It does not know what the keys mean, or who asked for them.
"""

from __future__ import annotations

import asyncio
from typing import Final

from politerm.core import inputs as inp
from politerm.core.events import KeysRequested
from politerm.engine.watched import Watched
from politerm.errors import PoliTermError

APART: Final = 0.2
"""Seconds between the keys of an interrupt: programs that want two Escapes take two at once for one Alt-Escape."""


async def press(session: Watched, request: KeysRequested) -> inp.KeysDone:
    def done(sent: bool, detail: str = "") -> inp.KeysDone:
        return inp.KeysDone(request.keys_id, session.role, sent, detail)

    if session.handle is None or session.dead:
        return done(False, "the agent is not there")
    panes = session.around.panes
    try:
        if request.guard is not None:
            session.judge(await panes.screen(session.handle.pane))
            if session.dialog is None or session.dialog.fingerprint != request.guard:
                return done(False, "the dialog is no longer on the screen")
        if request.purpose == "interrupt":
            for number, key in enumerate(request.keys):
                await asyncio.sleep(APART if number else 0)
                await panes.keys(session.handle.pane, (key,))
            session.idleness.interrupted()
        else:
            await panes.keys(session.handle.pane, request.keys)
        if request.guard is not None:
            session.dialogs.answered()
    except PoliTermError as error:
        return done(False, str(error))
    return done(True)
