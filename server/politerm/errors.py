"""The one error tree. Every error carries a stable code, a sentence, and what to do next.

    PoliTermError
    ├── UsageError            the caller asked for something that does not exist or does not fit
    │   ├── InvalidParams     a field of a request is wrong (LSP -32602)
    │   └── WrongState        right request, wrong moment
    ├── NotFound              no such run, attention item, agent, pane
    ├── Untrusted             the workspace has not been trusted
    ├── ReadOnly              the state folder cannot be written
    └── OutsideError          the world did not do its part
        ├── TmuxError         tmux is missing, gone, or does not answer
        ├── HolderGone        the process that holds the workspace ended before it answered
        └── LogError          the event log cannot be read or written

Nothing an agent prints is ever one of these: what an agent writes is data.
"""

from __future__ import annotations

from typing import Any, ClassVar


class PoliTermError(Exception):
    """Base of the tree. `code` is the wire's `data.code`; `hint` names the next step."""

    code: ClassVar[str] = "failed"

    def __init__(self, message: str, *, hint: str | None = None, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.data = data

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class UsageError(PoliTermError):
    code = "usage"


class InvalidParams(UsageError):
    code = "invalidParams"


class WrongState(UsageError):
    code = "wrongState"


class NotFound(PoliTermError):
    code = "notFound"


class RunNotFound(NotFound):
    code = "runNotFound"


class AgentNotFound(NotFound):
    code = "agentNotFound"


class AttentionNotFound(NotFound):
    code = "attentionNotFound"


class Untrusted(PoliTermError):
    code = "untrusted"


class ReadOnly(PoliTermError):
    code = "readOnly"


class OutsideError(PoliTermError):
    code = "outside"


class TmuxError(OutsideError):
    code = "tmuxFailed"


class TmuxMissing(TmuxError):
    code = "tmuxMissing"


class TmuxGone(TmuxError):
    """The server, the session, or the pane that a call was meant for is no longer there."""

    code = "tmuxGone"


class TmuxTimeout(TmuxError):
    """tmux did not answer within the call's deadline (a stopped server hangs every call)."""

    code = "tmuxTimeout"


class LogError(OutsideError):
    code = "logFailed"


class HolderGone(OutsideError):
    """Whether what was asked of the holder has happened is not known."""

    code = "holderGone"
