"""From a start request to a RunSpec: agents found, folders checked, limits laid over the settings' own.

Everything that can be refused is refused here, before a run exists and before tmux is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from politerm.agents.profile import AgentProfile
from politerm.core.events import AgentSpec, Limits, RoleLimits, RunSpec
from politerm.core.wire import Role
from politerm.engine import requests as rq
from politerm.engine.ports import Agents, Briefing
from politerm.errors import AgentNotFound, InvalidParams
from politerm.settings import ExecuterSettings, PlannerSettings, Settings

CONTEXT_CHARS = 20_000


async def plan_run(
    request: rq.StartRun, *, folder: str, settings: Settings, agents: Agents, briefing: Briefing, seed: str
) -> RunSpec:
    """Raises InvalidParams and AgentNotFound, each with a sentence that says what would be accepted."""
    _refuse_later_parts(request)
    cwd = _folder(request.cwd, "cwd") if request.cwd else folder
    roles: dict[Role, PlannerSettings | ExecuterSettings] = {
        Role.PLANNER: settings.planner,
        Role.EXECUTER: settings.executer,
    }
    asked = {Role.PLANNER: request.planner, Role.EXECUTER: request.executer}
    cwds = {role: _folder(own.cwd, f"{role.value.lower()}.cwd") for role, own in roles.items() if own.cwd}
    cwds |= {role: _folder(path, f"cwds.{role.value}") for role, path in (request.cwds or {}).items()}
    return RunSpec(
        task=request.task,
        cwd=cwd,
        cwds=cwds,
        agents={role: agent_for(asked[role], role, settings, agents).spec() for role in roles},
        limits=_limits(request.limits, settings),
        primers=dict(briefing.primers()),
        project=await briefing.project(cwd),
        context=_context(request.context),
        approve_plans=request.approve_plans if request.approve_plans != "off" else settings.runs.approve_plans,
        nudges=settings.runs.nudges,
        seed=seed,
    )


def agent_for(name: str | None, role: Role, settings: Settings, agents: Agents) -> AgentProfile:
    """The profile that plays a role, by the request's word or else the settings', and only if its program is there."""
    own = settings.planner if role is Role.PLANNER else settings.executer
    wanted = name or (command_name(role) if own.command else own.agent)
    profile = agents.get(wanted)
    if agents.locate(profile) is None:
        raise AgentNotFound(
            f"The {role.value}'s agent {wanted} cannot be started: {profile.command[0]} is not installed.",
            hint=f"Install it, or choose another of: {', '.join(sorted(agents.profiles()))}.",
        )
    return profile


def command_name(role: Role) -> str:
    """The name of the profile that is made of PLANNER_CMD or EXECUTER_CMD."""
    return f"{role.value.lower()}-command"


def _refuse_later_parts(request: rq.StartRun) -> None:
    """What is asked for and not there is said, never silently left out."""
    for field, value, accepted in (
        ("mode", request.mode, "dual"),
        ("order", request.order, "dual"),
        ("isolate", request.isolate, "none"),
        ("gate", "given" if request.gate else "absent", "absent"),
    ):
        if value != accepted:
            raise InvalidParams(f"{field}: {value!r} is not supported by this version; accepted: {accepted!r}.")


def _folder(given: str, field: str) -> str:
    """An absolute path of an existing folder, from a path or a file URI."""
    path = given
    if given.startswith("file:"):
        parts = urlsplit(given)
        if parts.netloc not in ("", "localhost"):
            raise InvalidParams(f"{field}: {given} is not on this machine.")
        path = unquote(parts.path)
    folder = Path(path).expanduser()
    if not folder.is_absolute() or not folder.is_dir():
        raise InvalidParams(f"{field}: {given!r} is not an existing folder; an absolute path or file URI is accepted.")
    return str(folder.resolve())


def _limits(asked: Limits | None, settings: Settings) -> Limits:
    own = settings.limits
    per_role: dict[Role, RoleLimits] = {
        role: RoleLimits(idle_seconds=each.idle_seconds, total_seconds=each.total_seconds)
        for role, each in ((Role.PLANNER, settings.planner), (Role.EXECUTER, settings.executer))
    }
    limits = Limits(rounds=own.rounds, minutes=own.minutes, usd=own.usd, tokens=own.tokens, per_role=per_role)
    return limits if asked is None else limits.but(asked)


def _context(items: tuple[rq.ContextItem, ...]) -> str:
    parts: list[str] = []
    for item in items:
        where = item.uri
        start: Mapping[str, Any] = (item.range or {}).get("start", {})
        if "line" in start:
            where += f", line {int(start['line']) + 1}"
        parts.append(where)
        parts += [f"  {each.get('message', '')}" for each in item.diagnostics or ()]
        if item.text:
            parts.append(item.text)
    return "\n".join(parts)[:CONTEXT_CHARS]


def agent_specs(names: Mapping[Role, str], settings: Settings, agents: Agents) -> dict[Role, AgentSpec]:
    return {role: agent_for(name, role, settings, agents).spec() for role, name in names.items()}
