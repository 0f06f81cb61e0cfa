"""Draft: the events that one input gives rise to, and the state as it will be after them.

`decide` works on a draft so that each step sees what the steps before it have decided. The runner stores the events and
folds them again with their real stamps; nothing else of a draft is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from politerm.core import events as ev
from politerm.core import wording
from politerm.core.prompt import derive_key, frame
from politerm.core.state import PEER, Pending, RoleState, RunState, evolve
from politerm.core.wire import AttentionId, MessageId, PromptId, Role


class Draft:
    def __init__(self, state: RunState, now: float) -> None:
        self.state = state
        self.now = now
        self.events: list[ev.Event] = []

    def emit(self, event: ev.Event) -> None:
        self.events.append(event)
        seq = self.state.last_seq + 1
        self.state = evolve(
            self.state, ev.Envelope(run_id=self.state.run_id, seq=seq, at="", clock=self.now, event=event)
        )

    def role(self, role: Role) -> RoleState:
        return self.state.roles[role]

    @property
    def spec(self) -> ev.RunSpec:
        assert self.state.spec is not None, "a run is decided about only after its start"
        return self.state.spec

    def next_prompt_id(self) -> PromptId:
        return PromptId(f"{self.state.run_id}.p{self.state.prompts + 1}")

    # ---- prompts -----------------------------------------------------------------------------------------------------

    def prompt(
        self,
        to: Role,
        origin: ev.Origin,
        *,
        extra: Sequence[str] = (),
        waiting: Sequence[Pending] = (),
        again: Sequence[MessageId] = (),
        steer: bool = False,
    ) -> PromptId:
        """Ask for a prompt: what the role must know first, then messages it had before (`again`), then those that wait
        for it, then `extra`."""
        promised = next((p.promised for p in waiting if p.promised), None)
        prompt_id = promised or self.next_prompt_id()
        told = [m for m in self.state.messages if m.message_id in again]
        messages = [*told, *(p.message for p in waiting)]
        sections = [wording.message(self.state, m) for m in messages]
        self._request(prompt_id, to, origin, [*sections, *extra], tuple(m.message_id for m in messages), steer=steer)
        return prompt_id

    def prompt_again(self, to: Role) -> None:
        """The same prompt once more, under the same id, to an agent that is known not to have it."""
        prompt = self.role(to).prompt
        assert prompt is not None
        old = prompt.request
        role = self.role(to)
        if role.primed or role.incarnation == old.incarnation:
            update = {"attempt": old.attempt + 1, "incarnation": role.incarnation, "cursor": None}
            self.emit(old.model_copy(update=update))
            return
        told = {m.message_id: m for m in self.state.messages}
        sections = [wording.message(self.state, told[mid]) for mid in old.messages if mid in told]
        if not sections and old.origin != "task":
            sections = [wording.go_on(to, resumed=False)]
        self._request(old.prompt_id, to, old.origin, sections, old.messages, steer=False, attempt=old.attempt + 1)

    def _request(
        self,
        prompt_id: PromptId,
        to: Role,
        origin: ev.Origin,
        sections: Sequence[str],
        messages: tuple[MessageId, ...],
        *,
        steer: bool,
        attempt: int = 1,
    ) -> None:
        role = self.role(to)
        spec = self.spec
        primer = spec.primers.get(to)
        first = not role.primed
        before: list[str] = []
        if first and to is Role.PLANNER:
            before += wording.task(self.state)
        if role.lost:
            before += wording.lost_context(self.state, to, messages)
        if role.peer_lost and to in PEER:
            before.append(wording.peer_lost(to))
        key = derive_key(spec.seed, prompt_id)
        text = frame(
            prompt_id=prompt_id,
            key=key,
            task_id=self.state.run_id if first else None,
            primer=primer.text if primer and (first or origin == "primer") else None,
            sections=[*before, *sections],
        )
        self.emit(
            ev.PromptRequested(
                prompt_id=prompt_id,
                to=to,
                text=text,
                origin=origin,
                key=key,
                incarnation=role.incarnation,
                attempt=attempt,
                messages=messages,
                steer=steer,
            )
        )

    # ---- people ------------------------------------------------------------------------------------------------------

    def ask(
        self,
        kind: ev.AttentionKind,
        title: str,
        *,
        role: Role | None = None,
        text: str = "",
        choices: Sequence[ev.Choice] = (),
        free_text: bool = False,
        about: str | None = None,
        keys: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Raise an attention item, once: an open item about the same thing is not raised again."""
        for item in self.state.open_attention():
            same = (item.kind, item.role, self.state.about.get(item.attention_id)) == (kind, role, about)
            if same:
                return
        self.emit(
            ev.AttentionRaised(
                attention_id=AttentionId(f"{self.state.run_id}.a{len(self.state.attention) + 1}"),
                role=role,
                kind=kind,
                title=title,
                text=text,
                choices=tuple(choices),
                free_text=free_text,
                about=about,
                keys=dict(keys or {}),
            )
        )

    def withdraw(self, *, role: Role | None, kinds: Sequence[str] = (), about: str | None = None) -> None:
        """Close what no longer waits for anybody."""
        for item in self.state.open_attention():
            fits = (role is None or item.role is role) and (not kinds or item.kind in kinds)
            if fits and (about is None or self.state.about.get(item.attention_id) == about):
                self.emit(ev.AttentionAnswered(attention_id=item.attention_id, by="run"))

    def pause(self, reason: str) -> None:
        if self.state.live and not self.state.paused:
            self.emit(ev.RunPaused(reason=reason, by="run"))

    def end(self, outcome: ev.Outcome, *, reason: str | None = None, summary: str | None = None) -> None:
        if self.state.name == "ended":
            return
        self.withdraw(role=None)
        self.emit(ev.RunEnded(outcome=outcome, reason=reason, summary=summary))
