"""Keys for an agent: those that answer a dialog go out only while that same dialog stands there.

It does not know what the keys mean, or who asked for them.
"""

from __future__ import annotations

from politerm.core import inputs as inp
from politerm.core.events import KeysRequested
from politerm.engine.watched import Watched
from politerm.errors import PoliTermError


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
        await panes.keys(session.handle.pane, request.keys)
        if request.guard is not None:
            session.dialogs.answered()
        if request.purpose == "interrupt":
            session.idleness.interrupted()
    except PoliTermError as error:
        return done(False, str(error))
    return done(True)
