"""All names of our own on the wire, and which commands may be repeated when nobody can tell whether they happened.

It imports nothing: `initialize` is answered before any model of a command is loaded, and a client of a control socket
needs none of the protocol's types.
"""

from __future__ import annotations

from typing import Final

REPEATABLE: Final = (
    "politerm.run.start",  # by its run id, which lsp/proxy.py gives it where the client did not
    "politerm.run.list",
    "politerm.run.get",
    "politerm.run.events",
    "politerm.run.pause",
    "politerm.run.stop",
    "politerm.run.configure",
    "politerm.run.export",
    "politerm.search",
    "politerm.attention.list",
    "politerm.pane.open",
    "politerm.pane.close",
    "politerm.pane.takeOver",
    "politerm.pane.resize",
    "politerm.pane.attach",
    "politerm.agent.list",
    "politerm.agent.check",
    "politerm.doctor",
)
"""Asking twice gives what asking once gives."""

ONCE: Final = (
    "politerm.run.resume",
    "politerm.run.retry",
    "politerm.run.delete",
    "politerm.run.interrupt",
    "politerm.message.send",
    "politerm.attention.answer",
    "politerm.pane.input",
    "politerm.primer.resend",
)

COMMAND_NAMES: Final = (*REPEATABLE, *ONCE)

FEATURES: Final = ("events", "panes", "paneCredit", "attention", "trust", "search", "export", "severalProcesses")
"""What `capabilities.experimental.politerm.features` lists."""

PROTOCOL_VERSION: Final = 1

PANE_CREDIT: Final = "politerm/paneCredit"
TRUST_CHANGED: Final = "politerm/trustChanged"
EVENT: Final = "politerm/event"
PANE_OUTPUT: Final = "politerm/paneOutput"
RUN_CHANGED: Final = "politerm/runChanged"
ATTENTION_CHANGED: Final = "politerm/attentionChanged"
SERVER_STATUS: Final = "politerm/serverStatus"
