"""The answer of every command that answers more than one view, one frozen model each."""

from __future__ import annotations

from politerm.core.events import Envelope
from politerm.core.views import Attention, RunView
from politerm.core.wire import PromptId, RunId, Wire
from politerm.engine.api import AgentView


class Done(Wire):
    """It is done, and there is nothing else to say."""


class RunStarting(Wire):
    """Given at once, before any agent is up."""

    run_id: RunId


class RunList(Wire):
    """Newest first."""

    runs: tuple[RunView, ...]


class EventPage(Wire):
    """`last` is the newest number of the run; there are more pages while it is greater than the last event's."""

    events: tuple[Envelope, ...]
    last: int


class Exported(Wire):
    text: str


class SearchHit(Wire):
    run_id: RunId
    seq: int
    excerpt: str


class SearchHits(Wire):
    hits: tuple[SearchHit, ...]


class PromptSent(Wire):
    prompt_id: PromptId


class AttentionItems(Wire):
    """What waits for a person now."""

    items: tuple[Attention, ...]


class AttachCommand(Wire):
    """What a person's terminal runs to be in the pane."""

    command: tuple[str, ...]


class AgentList(Wire):
    agents: tuple[AgentView, ...]
