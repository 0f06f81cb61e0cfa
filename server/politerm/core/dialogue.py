"""How a block becomes a message, and what a finished turn leads to. One role owes an answer at a time:

    planner: plan, continue, revision  -> a round begins, the executer is prompted
    planner: question                  -> the user is asked, the answer goes back to the planner
    planner: complete                  -> the run ends with it, unless words of the user still wait for somebody
    executer: result, error, question  -> the planner is prompted
    a turn that ends with none of them -> a nudge, then a person is asked

This module does not know where blocks come from (an agent's record or its screen), nor how prompts are typed.
"""

from __future__ import annotations

from typing import get_args

from politerm.core import events as ev
from politerm.core import wording
from politerm.core.draft import Draft
from politerm.core.inputs import BlockBroken, BlockSeen, TurnOver
from politerm.core.state import DUTY_ENDING, PEER, Pending, RoleState, content_mark
from politerm.core.wire import AgentState, MessageId, Role

KINDS: dict[Role, frozenset[str]] = {role: kinds | {"status"} for role, kinds in DUTY_ENDING.items()}
EXCERPT = 200


def block_seen(draft: Draft, block: BlockSeen) -> None:
    role = draft.role(block.role)
    kind = str(block.header.get("type", ""))
    index = -1 if block.index is None else block.index
    mark: tuple[object, ...] = ("at", block.turn, index) if index >= 0 else ("is", kind, content_mark(block.body))
    refused = ("refused", _excerpt(block))
    if mark in role.seen or _shown_again(draft, block, kind):
        return
    reason = _refusal(role, block, kind)
    if reason is not None:
        if index >= 0 or refused not in role.seen:
            _refuse(draft, block, reason, index)
        return
    if (
        role.prompt is not None
        and role.prompt.stage != "delivered"
        and block.header.get("key") == role.prompt.request.key
    ):
        # Nobody can answer with the key of a prompt that did not arrive.
        draft.emit(ev.PromptDelivered(prompt_id=role.prompt.id, to=block.role, source="block"))
        draft.withdraw(role=block.role, kinds=("uncertain",))
    message = ev.MessageReceived(
        message_id=MessageId(f"m{len(draft.state.messages) + 1}"),
        sender=block.role,
        to=_receiver(block.role, kind, block.header.get("to")),
        kind=next(k for k in get_args(ev.MessageKind) if k == kind),
        body=block.body,
        source=block.source,
        round=draft.state.round,
        turn=block.turn,
        index=index,
        header=dict(block.header),
    )
    draft.emit(message)
    role = draft.role(block.role)
    if role.duty == "answered" and not role.over and not role.relayed and role.spec.turn_end == "never":
        draft.emit(ev.TurnEnded(role=block.role, how="done", source="message", turn=role.turn))


def _shown_again(draft: Draft, block: BlockSeen, kind: str) -> bool:
    """A screen that hides prompts shows the messages of earlier turns below this one's prompt."""
    if block.index is not None:
        return False
    key, mark = block.header.get("key"), content_mark(block.body)
    return key is not None and any(
        said.sender is block.role
        and said.turn != block.turn
        and said.kind == kind
        and said.header.get("key") == key
        and content_mark(said.body) == mark
        for said in draft.state.messages
    )


def block_broken(draft: Draft, broken: BlockBroken) -> None:
    role = draft.role(broken.role)
    excerpt = broken.excerpt[:EXCERPT]
    if ("refused", excerpt) in role.seen:
        return
    draft.emit(
        ev.MessageRefused(
            sender=broken.role,
            reason=broken.reason,
            excerpt=excerpt,
            turn=broken.turn,
            index=-1 if broken.index is None else broken.index,
        )
    )


def _excerpt(block: BlockSeen) -> str:
    return f"{block.header.get('type', '?')}: {block.body.strip()}"[:EXCERPT]


def _refuse(draft: Draft, block: BlockSeen, reason: str, index: int) -> None:
    refused = ev.MessageRefused(sender=block.role, reason=reason, excerpt=_excerpt(block), turn=block.turn, index=index)
    draft.emit(refused)


def _refusal(role: RoleState, block: BlockSeen, kind: str) -> str | None:
    """Why this block is not a message of the role, or None when it is one."""
    if role.turn is None and role.prompt is None:
        return "nothing was asked of this agent yet"
    if kind not in KINDS[block.role]:
        allowed = ", ".join(sorted(KINDS[block.role]))
        return f"type {kind!r} is not one that a {block.role.value} sends ({allowed})"
    key = block.header.get("key")
    if key is not None:
        return None if key in role.keys else "its key is not the one of the current prompt"
    if block.quoted:
        return "it has no key and stands in a quotation"
    if block.proven:
        if role.duty == "none":
            return "it has no key and no answer is due"
        if any(said.keyed for said in role.said):
            return "it has no key, and others of this turn have: taken as a quotation"
        return None
    if role.spec.legacy:
        return None
    return "it has no key and is seen on the screen only: taken as a quotation"


def _receiver(sender: Role, kind: str, hint: object) -> Role:
    if kind == "complete":
        return Role.ORCHESTRATOR
    wish = Role._missing_(hint)
    if kind == "question":
        if sender is Role.PLANNER:
            return PEER[sender] if wish is PEER[sender] else Role.USER
        return Role.USER if wish is Role.USER else PEER[sender]
    return PEER[sender]


def turn_over(draft: Draft, over: TurnOver) -> None:
    role = draft.role(over.role)
    if role.over or (role.turn is not None and over.turn != role.turn):
        return
    detail = " ".join(over.detail.split())[:EXCERPT] or None
    draft.emit(ev.TurnEnded(role=over.role, how=over.how, source=over.source, turn=over.turn, detail=detail))


def advance(draft: Draft) -> None:
    """Do whatever has become possible: settle turns that are over, then prompt roles that are free."""
    if not draft.state.live or draft.state.paused:
        return
    for who in (Role.PLANNER, Role.EXECUTER):
        if who in draft.state.roles and draft.state.live and not draft.state.paused:
            _settle(draft, who)
    if draft.state.live and not draft.state.paused:
        _prompt_free(draft)


def _settle(draft: Draft, who: Role) -> None:
    role = draft.role(who)
    if not role.over or role.stuck or role.turn is None:
        return
    if role.prompt is not None and role.prompt.stage != "delivered":
        return
    if role.duty == "owed":
        _unanswered(draft, who, role)
        return
    if role.duty != "answered" or role.settled or role.relayed:
        return
    last = role.last_duty
    if last is None:
        return
    if last.kind == "complete":
        _complete(draft, who)
    elif last.to is Role.USER:
        body = next(m.body for m in draft.state.messages if m.message_id == last.id)
        draft.ask("question", f"The {who.value} asks", role=who, text=body, free_text=True, about=last.id)
    elif who is Role.PLANNER and not _other_owes(draft, who):
        _new_round(draft, who)


def _complete(draft: Draft, who: Role) -> None:
    if _peer_hears_user(draft, PEER[who]):
        return
    waiting = draft.state.pending.get(who, ())
    if any(_triggers(draft, who, p) for p in waiting):
        # What was said before the end must be heard before the end.
        draft.prompt(who, "relay", waiting=waiting)
        return
    body = next(m.body for m in reversed(draft.state.messages) if m.sender is who and m.kind == "complete")
    draft.end("completed", summary=body)


def _from_user(draft: Draft, who: Role) -> list[Pending]:
    return [p for p in draft.state.pending.get(who, ()) if p.message.sender is Role.USER]


def _peer_hears_user(draft: Draft, peer: Role) -> bool:
    """Words of the user wait for the peer, or it has just been given them: the end waits for its turn."""
    role = draft.state.roles.get(peer)
    if role is None or not role.up or role.stuck:
        return False
    if role.free and (words := _from_user(draft, peer)):
        draft.prompt(peer, "user", waiting=words)
        return True
    given = role.prompt is not None and role.prompt.request.origin == "user"
    busy = not role.over or (role.prompt is not None and role.prompt.stage != "delivered")
    return bool(_from_user(draft, peer)) or (given and busy)


def _new_round(draft: Draft, who: Role) -> None:
    plans = [p for p in draft.state.pending.get(PEER[who], ()) if p.message.sender is who]
    if not plans:
        return
    mode = draft.state.approve_plans
    if mode == "every" or (mode == "first" and draft.state.round == 0):
        last = plans[-1].message
        choices = (wording.CHOICE_APPROVE, wording.CHOICE_SENDBACK, wording.CHOICE_STOP)
        title = f"The {who.value}'s {last.kind} waits for your approval"
        draft.ask("plan", title, role=who, text=last.body, choices=choices, free_text=True, about=last.message_id)
        return
    begin_round(draft)


def begin_round(draft: Draft) -> None:
    limit = draft.state.limits.rounds
    if limit and draft.state.round >= limit:
        draft.emit(ev.LimitReached(limit="rounds", detail=f"{limit} rounds"))
        draft.end("limit", reason=f"the limit of {limit} rounds is reached")
        return
    draft.emit(ev.RoundStarted(round=draft.state.round + 1))


def _unanswered(draft: Draft, who: Role, role: RoleState) -> None:
    """The turn is over and what was due was not said."""
    if not role.up or role.state is AgentState.BLOCKED or (role.state is AgentState.WORKING and role.spec.wakes):
        return
    if role.how == "interrupted":
        draft.pause(f"the {who.value} was interrupted")
        return
    if role.state is AgentState.LIMITED:
        _out_of_allowance(draft, who, role)
        return
    if role.how == "done" and role.nudges < draft.spec.nudges:
        reason = role.complaint or "the turn ended without a message"
        draft.emit(ev.Nudged(role=who, count=role.nudges + 1, reason=reason))
        draft.prompt(who, "nudge", extra=[wording.nudge(who, role)])
        return
    what = f"the {who.value} does not answer with a message"
    if role.how == "failed":
        what = f"the {who.value}'s turn failed" + (f": {role.failure}" if role.failure else "")
    give_up(draft, who, "nudges", what)


def _out_of_allowance(draft: Draft, who: Role, role: RoleState) -> None:
    """Nothing is tried until somebody says so; some agents go on by themselves when there is more."""
    if role.dialog:
        return
    why = role.why
    until = f"; it resets {why.until}" if why is not None and why.until else ""
    title = f"The {who.value} has reached a usage limit{until}"
    text = why.evidence if why is not None else ""
    choices = (wording.CHOICE_RETRY, wording.CHOICE_STOP)
    draft.ask("budget", title, role=who, text=text, choices=choices, free_text=True, about=f"stuck:{who}")


def give_up(draft: Draft, who: Role, limit: str, what: str) -> None:
    """Nothing more is tried by itself: say so once and wait for a person."""
    name = "restarts" if limit == "restarts" else "nudges"
    draft.emit(ev.LimitReached(limit=name, role=who, detail=what))
    choices = (wording.CHOICE_RETRY, wording.CHOICE_STOP)
    draft.ask("question", what[0].upper() + what[1:], role=who, choices=choices, free_text=True, about=f"stuck:{who}")
    draft.pause(what)


def _other_owes(draft: Draft, who: Role) -> bool:
    peer = PEER.get(who)
    if peer is None or peer not in draft.state.roles:
        return False
    other = draft.role(peer)
    on_its_way = other.prompt is not None and other.prompt.stage != "delivered"
    return on_its_way or not other.over or other.duty == "owed"


def _prompt_free(draft: Draft) -> None:
    for listener, its in draft.state.roles.items():
        words = _from_user(draft, listener)
        at_once = any(p.message.header.get("when") == "now" for p in words)
        if at_once and its.free and not its.stuck and its.duty != "owed" and its.turn is not None:
            # It could not be given them when they were said; now it can, before anything else.
            draft.prompt(listener, "user", waiting=words)
            return
        on_its_way = its.prompt is not None and its.prompt.stage != "delivered"
        if at_once and its.up and not its.over and not on_its_way and not its.dialog:
            # They were said while it was being given a prompt, or while it asked something: now it works on that.
            draft.prompt(listener, "user", waiting=words, steer=True)
            return
    for who in (Role.PLANNER, Role.EXECUTER):
        role = draft.state.roles.get(who)
        if role is None or not role.free or role.stuck or role.duty == "owed" or _other_owes(draft, who):
            continue
        if who is Role.PLANNER and role.turn is None:
            draft.prompt(who, "task", waiting=draft.state.pending.get(who, ()))
            return
        waiting = draft.state.pending.get(who, ())
        if any(_triggers(draft, who, p) for p in waiting):
            draft.prompt(who, "relay", waiting=waiting)
            return


def _triggers(draft: Draft, who: Role, waiting: Pending) -> bool:
    sender = waiting.message.sender
    if sender is Role.USER:
        return True
    if waiting.late or waiting.message.kind not in DUTY_ENDING.get(sender, ()):
        return False
    said_by = draft.role(sender)
    return said_by.over and (sender is not Role.PLANNER or said_by.released)
