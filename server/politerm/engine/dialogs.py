"""DialogWatch: the dialog that stands on an agent's screen, told once it can be answered.

A dialog stops all typing from its first sight. It is told a moment later, because some programs swallow keys that come
too soon, and because what it is about is recorded after it is drawn. What follows from one is the run's to decide.
"""

from __future__ import annotations

from dataclasses import replace

from politerm.agents.rules import Dialog
from politerm.core import inputs as inp
from politerm.core.events import Choice
from politerm.core.wire import Role
from politerm.core.wording import choice_label

RECORD_WITHIN = 5.0
"""Seconds between a dialog and its record: usually 0.3 s, 2 s and more on a machine under load."""


class DialogWatch:
    """`settle`: seconds that a dialog must have stood before it is told. `recorded`: the agent's record tells what it
    asks permission for, which is waited for a little longer: only that can be believed, an agent can draw anything."""

    def __init__(self, role: Role, settle: float, *, recorded: bool) -> None:
        self.standing: Dialog | None = None
        self._role = role
        self._settle = settle
        self._recorded = recorded
        self._since = 0.0
        self._told = False
        self._answered: Dialog | None = None

    @property
    def waits(self) -> bool:
        """A dialog stands that has not been told: look again soon."""
        return self.standing is not None and not self._told

    def forget(self) -> None:
        self.standing, self._told, self._answered = None, False, None

    def answered(self) -> None:
        """Keys went out for the dialog that stands: from here on its text may stay on the screen without asking."""
        self._answered = self.standing

    def _open(self, dialog: Dialog | None) -> Dialog | None:
        """The dialog, unless it is the one that was answered: a program in line mode leaves its question standing, with
        the answer behind it and what it says next below."""
        done = self._answered
        if done is None or dialog is None or dialog.rule != done.rule or not dialog.evidence.startswith(done.evidence):
            return dialog
        if dialog.below > done.below:
            return None
        if self.standing is not None and len(dialog.evidence) > len(done.evidence):
            return replace(dialog, fingerprint=self.standing.fingerprint)
        return dialog

    def seen(self, dialog: Dialog | None, now: float, asks: str | None) -> list[inp.Input]:
        """What a look at the screen found, and what is to be told of it. `asks`: what the agent's own record says that
        it asks for."""
        told: list[inp.Input] = []
        dialog = self._open(dialog)
        old = self.standing
        if (old.fingerprint if old else None) != (dialog.fingerprint if dialog else None):
            if old is not None and self._told:
                told.append(inp.DialogGone(self._role, old.fingerprint))
            self.standing, self._since, self._told = dialog, now, False
        if dialog is not None and not self._told and now - self._since >= self._patience(dialog, asks):
            self._told = True
            choices = tuple(Choice(id=name, label=choice_label(name)) for name in dialog.choices)
            told.append(
                inp.DialogSeen(
                    self._role, dialog.kind, dialog.fingerprint, asks or dialog.what, choices, dialog.choices
                )
            )
        return told

    def _patience(self, dialog: Dialog, asks: str | None) -> float:
        waits = self._recorded and dialog.kind == "permission" and asks is None
        return max(self._settle, RECORD_WITHIN) if waits else self._settle
