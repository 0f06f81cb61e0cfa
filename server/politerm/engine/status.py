"""The state that is told of an agent, and why: from the dialog that stands there, its screen's verdict, and its turn.

This module does not look at anything itself.
"""

from __future__ import annotations

from politerm.agents.rules import Dialog, Verdict
from politerm.core.wire import AgentState, Why


def shown_state(dialog: Dialog | None, verdict: Verdict, turn: Why | None) -> tuple[AgentState, Why]:
    """`turn`: who says that a turn is open; None when none is."""
    if dialog is not None:
        return dialog.state, Why(source="screen", rule=dialog.rule, evidence=dialog.evidence)
    if (hit := verdict.working) is not None:
        return AgentState.WORKING, Why(source="screen", rule=hit.rule, evidence=hit.evidence)
    if turn is not None:
        return AgentState.WORKING, turn
    if (hit := verdict.ready) is not None:
        return AgentState.READY, Why(source="screen", rule=hit.rule, evidence=hit.evidence)
    return AgentState.READY, Why(source="run", rule="idle", evidence="no turn is open")
