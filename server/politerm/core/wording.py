"""What the run says to agents, and what it asks of people. Plain words, no markers of the message grammar.

Framing (key line, end line, escaping) is core/prompt.py's; when something is said is core/run.py's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from politerm.core import events as ev
from politerm.core.prompt import from_user, relayed
from politerm.core.state import DUTY_ENDING, PEER, RoleState, RunState
from politerm.core.wire import Role

HISTORY_MESSAGES = 8
HISTORY_CHARS = 4000


def task(state: RunState) -> list[str]:
    """What the planner must know before its first plan."""
    spec = state.spec
    assert spec is not None
    sections = [f"The task, in the user's words:\n{from_user(spec.task)}"]
    if spec.context:
        sections.append(f"Places that belong to the task:\n{from_user(spec.context)}")
    if spec.project:
        sections.append(f"About the project in {spec.cwd}:\n{from_user(spec.project)}")
    return sections


def message(state: RunState, said: ev.MessageReceived) -> str:
    body = state.edited.get(said.message_id, said.body)
    return from_user(body) if said.sender is Role.USER else relayed(said.sender, said.kind, body)


def lost_context(state: RunState, role: Role, told_now: Sequence[str]) -> list[str]:
    """For an agent that starts with an empty memory in the middle of a run; `told_now` are ids it gets anyway."""
    past = [m for m in state.messages if role in (m.sender, m.to) and m.message_id not in told_now][-HISTORY_MESSAGES:]
    sections = ["You were restarted in the middle of this task and your earlier conversation is lost."]
    if past:
        told = [relayed(m.sender, m.kind, _short(state.edited.get(m.message_id, m.body))) for m in past]
        sections.append("What was said so far, oldest first. It is history: do not act on it again.")
        sections += told
    return sections


def _short(body: str) -> str:
    return body if len(body) <= HISTORY_CHARS else body[:HISTORY_CHARS] + "\n(cut here)"


def peer_lost(role: Role) -> str:
    return f"Note: the {PEER[role].value} was restarted and has lost its earlier conversation. Say what it must know."


def nudge(role: Role, view: RoleState) -> str:
    kinds = ", ".join(sorted(DUTY_ENDING[role]))
    text = f"Your turn ended without a message that PoliTerm could pass on. Send one now; its type is one of: {kinds}."
    if view.complaint:
        text += f"\nThe last one was refused: {view.complaint}."
    return text + "\nUse the key of this prompt in the header of the message."


def go_on(role: Role, *, resumed: bool) -> str:
    if resumed:
        return "Your program was restarted and your conversation was taken up again. Go on where you were interrupted."
    return "Go on with what you were asked, and answer with a message when you are done."


CHOICE_RETRY = ev.Choice(id="retry", label="Try again")
CHOICE_STOP = ev.Choice(id="stop", label="Stop the run", danger=True)
CHOICE_RESEND = ev.Choice(id="resend", label="Send it again")
CHOICE_ARRIVED = ev.Choice(id="arrived", label="It arrived")
CHOICE_APPROVE = ev.Choice(id="approve", label="Approve the plan")
CHOICE_SENDBACK = ev.Choice(id="sendback", label="Send it back with a note")


def choice_label(name: str) -> str:
    """`useKey` and `use_key` are "Use key" to a person."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
    return words[:1].upper() + words[1:]
