"""What it takes to start one agent's program in a pane of its own. Opening the pane is engine/session.py's."""

from __future__ import annotations

from politerm.agents.profile import AgentProfile
from politerm.core.events import AgentStarting
from politerm.engine.ports import PaneSpec
from politerm.engine.surroundings import Surroundings
from politerm.errors import AgentNotFound


async def prepared(around: Surroundings, profile: AgentProfile, starting: AgentStarting) -> tuple[PaneSpec, str | None]:
    """The pane to open, and the name of a new conversation. Nothing of an earlier start is left when this returns.
    Raises AgentNotFound, ReadOnly, and tmux's errors."""
    if around.agents.locate(profile) is None:
        raise AgentNotFound(f"{profile.command[0]} is not installed.")
    role = starting.role
    await around.panes.close(around.run_id, role)
    launch = await around.agents.prepare(profile, around.run_id, role, session=starting.session, resume=starting.resume)
    spec = PaneSpec(
        run_id=around.run_id,
        role=role,
        incarnation=starting.incarnation,
        argv=launch.argv,
        cwd=around.cwds[role],
        env=launch.env,
        columns=around.columns,
        rows=around.rows,
    )
    return spec, launch.session
