"""`agents`: what is installed. `doctor`: everything a person pastes into a bug report, with the secrets out."""

from __future__ import annotations

import getpass
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from politerm import __version__, environment
from politerm.cli import trust as trusting
from politerm.cli.clients import Json
from politerm.cli.world import Call, verb
from politerm.errors import PoliTermError

LIBRARIES = ("click", "libtmux", "lsprotocol", "psutil", "pydantic", "pygls", "rich")


@click.command()
@verb
async def agents(call: Call) -> int:
    """The agents that can be chosen, whether they are installed, and which version."""
    async with call.client() as client:
        found = (await client.command("politerm.agent.list", {}))["agents"]
    if call.json:
        for agent in found:
            call.world.print_json(agent)
        return 0
    from rich.table import Table
    from rich.text import Text

    from politerm.cli import words

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("AGENT", "INSTALLED", "VERSION", "PERMISSIONS", "RECORD", "FROM", "COMMAND"):
        table.add_column(name, no_wrap=name not in ("VERSION", "COMMAND"))
    for agent in sorted(found, key=lambda agent: (not agent["available"], agent["name"])):
        there = agent["available"]
        table.add_row(
            agent["name"],
            Text("yes", style="green") if there else Text("no", style="dim"),
            agent.get("version") or "",
            agent.get("permissionMode") or "its own",
            agent.get("witness") or "screen only",
            agent["source"],
            Text(words.one_line(" ".join(agent["command"]), 60), style="dim"),
        )
    call.world.print_table(table)
    return 0


@click.command()
@click.argument("agent", required=False)
@click.option(
    "--save-screen",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep what AGENT shows in this file, with what its rules say of it: for a test of them.",
)
@trusting.option
@verb
async def doctor(call: Call, *, agent: str | None, save_screen: Path | None, trust: bool) -> int:
    """What is here, what works, and which rule gave which state.

    With AGENT it is started, given nothing to do, and looked at. Secrets are left out.
    Exits with 1 when something does not work.
    """
    if save_screen is not None and agent is None:
        raise click.UsageError("--save-screen wants the AGENT whose screen it is.")
    if trust:
        await trusting.keep_yes(call)
    report = await examine(call, agent, trust=trust)
    clean = _redacted(call, report)
    golden = clean.get("agent", {}).pop("golden", None)
    if save_screen is not None and golden is not None:
        save_screen.write_text(_nobodys(golden), "utf-8")
    if call.json:
        call.world.print_json(clean)
    else:
        _print(call, clean)
    return 1 if report["problems"] else 0


async def examine(call: Call, agent: str | None, *, trust: bool) -> Json:
    """The whole report. Nothing that is broken keeps the rest from being looked at."""
    settings, warnings = call.world.settings()
    problems: list[str] = list(warnings)
    report: Json = {
        "politerm": _versions(),
        "tmux": _tmux(problems),
        "folders": {
            "workspace": str(call.folder),
            "configuration": str(environment.config_folder(call.world.env)),
            "state": str(environment.state_folder(call.world.env)),
        },
        "settings": settings.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "environment": _environment(call),
    }
    try:
        async with call.client(trusted=True if trust else None) as client:
            report["workspace"] = await client.command("politerm.doctor", {})
            if agent is not None:
                report["agent"] = await trusting.trusted_command(call, client, "politerm.agent.check", {"agent": agent})
    except PoliTermError as error:
        problems.append(str(error))
    if agent is not None and report.get("agent", {}).get("ok") is False:
        problems.append(f"{agent} does not work.")
    return report | {"problems": problems}


def _nobodys(screen: str) -> str:
    """Without the names of this user and this machine."""
    for name, stands_for in ((str(Path.home()), "~"), (getpass.getuser(), "user"), (platform.node(), "host")):
        if len(name) > 1:
            screen = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", stands_for, screen)
    return screen


def _versions() -> Json:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": platform.platform(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }


def _tmux(problems: list[str]) -> Json:
    path = shutil.which("tmux")
    if path is None:
        problems.append("tmux is not installed.")
        return {"path": None}
    try:
        done = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        problems.append(f"tmux does not run: {error}")
        return {"path": path}
    return {"path": path, "version": done.stdout.strip()}


def _environment(call: Call) -> Json:
    """Names only: values may be secrets."""
    env = call.world.env
    return {
        "set": sorted(entry.name for entry in environment.NAMES if env.get(entry.name)),
        "without effect": environment.without_effect(env),
        "terminal": {name: env[name] for name in ("TERM", "LANG", "LC_ALL", "SHELL", "COLORTERM") if name in env},
        "inside tmux": "TMUX" in env,
    }


def _redacted(call: Call, value: Any) -> Any:
    from politerm.core.redact import Redactor, secrets_in

    redactor = Redactor(secrets_in(call.world.env))

    def clean(part: Any) -> Any:
        if isinstance(part, dict):
            return {clean(str(name)): clean(inner) for name, inner in part.items()}
        if isinstance(part, list | tuple):
            return [clean(inner) for inner in part]
        return redactor.shapes(part) if isinstance(part, str) else part

    return clean(value)


def _scalar(value: Any) -> str:
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _print(call: Call, report: Json) -> None:
    from rich.text import Text

    from politerm.cli import words

    def say(text: str, style: str = "") -> None:
        call.world.console.print(Text(words.safe(text), style=style), soft_wrap=True)

    def walk(name: str, value: Any, depth: int) -> None:
        pad = "  " * depth
        if isinstance(value, dict) and value:
            say(f"{pad}{name}", "bold" if depth == 0 else "")
            for inner, part in value.items():
                walk(inner, part, depth + 1)
        elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
            for number, part in enumerate(value, 1):
                walk(f"{name} {number}", part, depth)
        else:
            lines = _scalar(value).split("\n")
            say(f"{pad}{name}: {lines[0]}")
            for line in lines[1:]:
                say(f"{pad}  {line}")

    problems = report.pop("problems")
    for name, value in report.items():
        walk(name, value, 0)
    for problem in problems:
        say(f"problem: {problem}", "red")
    if not problems:
        say("No problem was found.", "green")
