"""The settings: one tree, declared once, and the rules by which its sources are laid over each other.

Sources, weakest first: defaults, the user's config.toml, the .politerm.toml of a trusted workspace, the environment,
the editor. The command's own argument is stronger than all of them and is applied by whoever has it. No `.env` is
ever read. A value that does not fit is reported and left out; the weaker source's value stays.

`scope` of a setting: machine (names a program, an argument, a path; never from a workspace), user (a taste), workspace
(a trusted workspace's own file may set it too). This module does not know which agents exist.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from politerm import environment

Scope = Literal["machine", "user", "workspace"]


class Tree(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


def _setting(default: Any, scope: Scope, words: str, **bounds: Any) -> Any:
    return Field(default=default, description=words, json_schema_extra={"scope": scope}, **bounds)


def _argv(value: Any) -> Any:
    """A single string is split as a shell would split it, and never given to one."""
    return tuple(shlex.split(value)) if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


Argv = Annotated[tuple[str, ...], BeforeValidator(_argv), Field(min_length=1)]
AgentName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PlannerSettings(Tree):
    agent: AgentName = _setting("claude", "workspace", "The agent that plans, by the name of its profile.")
    command: Argv | None = _setting(None, "machine", "A program to plan instead, without a profile of its own.")
    cwd: str | None = _setting(None, "machine", "Where the planner works; the workspace by default.")
    idle_seconds: Amount = _setting(900.0, "workspace", "How long a working planner may show no sign. 0: for ever.")
    total_seconds: Amount = _setting(3600.0, "workspace", "How long one turn of the planner may take. 0: for ever.")


class ExecuterSettings(Tree):
    agent: AgentName = _setting("claude", "workspace", "The agent that does the work, by the name of its profile.")
    command: Argv | None = _setting(None, "machine", "A program to execute instead, without a profile of its own.")
    cwd: str | None = _setting(None, "machine", "Where the executer works; the workspace by default.")
    idle_seconds: Amount = _setting(900.0, "workspace", "How long a working executer may show no sign. 0: for ever.")
    total_seconds: Amount = _setting(3600.0, "workspace", "How long one turn of the executer may take. 0: for ever.")


class LimitSettings(Tree):
    rounds: Count = _setting(20, "workspace", "Rounds of a run. 0 lifts this limit.")
    minutes: Amount = _setting(120.0, "workspace", "Minutes of a run. 0 lifts this limit.")
    usd: Amount = _setting(20.0, "workspace", "US dollars of a run, where agents report them. 0 lifts this limit.")
    tokens: Count = _setting(0, "workspace", "Tokens of a run, where agents report them. 0: no limit.")


class RunSettings(Tree):
    queue: bool = _setting(False, "workspace", "New runs wait for their turn.")
    parallel: Annotated[int, Field(ge=1, le=64)] = _setting(
        1, "user", "A waiting run begins when fewer runs than this are under way."
    )
    nudges: Annotated[int, Field(ge=0, le=20)] = _setting(
        2, "workspace", "How often an agent that is proven idle is reminded of the answer it owes. 0: never."
    )
    approve_plans: Literal["off", "first", "every"] = _setting(
        "off", "workspace", "Which plans wait for a person before the executer gets them."
    )


class PaneSettings(Tree):
    columns: Annotated[int, Field(ge=160, le=2000)] = _setting(160, "user", "Columns of a pane.")
    rows: Annotated[int, Field(ge=50, le=2000)] = _setting(50, "user", "Rows of a pane.")


class TmuxSettings(Tree):
    socket: str | None = _setting(
        None, "machine", "The tmux socket: a name in this workspace's own folder, or an absolute path."
    )


class LogSettings(Tree):
    level: Level = _setting("INFO", "user", "How much is logged.")
    file: str | None = _setting(None, "machine", "The log, as JSON lines. A relative path starts at the state folder.")


class Settings(Tree):
    """Everything that can be set. Paths may begin with `~`."""

    workspace: str | None = _setting(None, "machine", "The folder of command-line verbs; the current one by default.")
    planner: PlannerSettings = PlannerSettings()
    executer: ExecuterSettings = ExecuterSettings()
    limits: LimitSettings = LimitSettings()
    runs: RunSettings = RunSettings()
    pane: PaneSettings = PaneSettings()
    tmux: TmuxSettings = TmuxSettings()
    log: LogSettings = LogSettings()


@dataclass(frozen=True)
class Leaf:
    """One setting: its dotted camelCase name, what may stand there, and who may set it."""

    name: str
    info: FieldInfo
    scope: Scope

    def read(self, value: Any) -> Any:
        """The value as the tree holds it; pydantic's ValidationError where it does not fit."""
        return self._adapter().validate_python(value)

    def schema(self) -> dict[str, Any]:
        """What may stand there, as JSON schema; pages and editors' packages are written from it."""
        return self._adapter().json_schema()

    def _adapter(self) -> TypeAdapter[Any]:
        annotation: Any = self.info.annotation
        for extra in self.info.metadata:
            annotation = Annotated[annotation, extra]
        return TypeAdapter(annotation)


def leaves(tree: type[BaseModel] = Settings, prefix: str = "") -> Iterator[Leaf]:
    """Every setting in the order of its declaration."""
    for field, info in tree.model_fields.items():
        name = f"{prefix}{info.alias or field}"
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from leaves(info.annotation, f"{name}.")
        else:
            extra = info.json_schema_extra
            yield Leaf(name, info, extra["scope"] if isinstance(extra, dict) else "machine")  # type: ignore[arg-type]


LEAVES: dict[str, Leaf] = {leaf.name: leaf for leaf in leaves()}
_LIMITS = frozenset(
    {"limits.rounds", "limits.minutes", "limits.usd", "limits.tokens"}
    | {f"{role}.{limit}" for role in ("planner", "executer") for limit in ("idleSeconds", "totalSeconds")}
)
WORKSPACE_FILE = ".politerm.toml"
LARGEST_FILE = 256 * 1024
"""Bytes of a configuration file that are read at most; what is longer is not one."""


def load_settings(
    *, env: Mapping[str, str], config_dir: Path, editor: dict[str, Any] | None, workspace: Path | None, trusted: bool
) -> tuple[Settings, list[str]]:
    """The settings and a sentence for everything in their sources that was not taken.

    `config_dir` is the folder of config.toml. An untrusted `workspace` is not read at all.
    """
    chosen: dict[str, Any] = {}
    warnings: list[str] = []
    _lay(chosen, warnings, _file(config_dir / "config.toml", warnings), str(config_dir / "config.toml"))
    if workspace is not None and trusted:
        path = workspace / WORKSPACE_FILE
        _lay(chosen, warnings, _workspace(_file(path, warnings, follow=False), warnings), WORKSPACE_FILE)
    named = environment.values(env)
    for setting, (name, value) in named.items():
        _lay(chosen, warnings, {setting: value}, f"The environment's {name}", named=True)
    warnings += environment.unknown(env)
    _lay(chosen, warnings, dict(_flat(editor or {})), "The editor's settings")
    return Settings.model_validate(_nested(chosen)), warnings


def _lay(
    chosen: dict[str, Any], warnings: list[str], values: Mapping[str, Any], source: str, *, named: bool = False
) -> None:
    """Put one source's values over what weaker sources chose."""
    for raw, value in values.items():
        name = ".".join(to_camel(part) if "_" in part else part for part in raw.split("."))
        leaf = LEAVES.get(name)
        if leaf is None:
            near = get_close_matches(name, LEAVES, n=1)
            warnings.append(f"{source}: {raw} is not a setting.{f' Is {near[0]} meant?' if near else ''}")
            continue
        if value is None:  # editors send null for what the user has not set
            continue
        try:
            chosen[name] = leaf.read(value)
        except (ValidationError, ValueError) as error:
            what = source if named else f"{source}: {name}"
            warnings.append(f"{what} is not taken: {_reason(error)}.")
            continue
        # Of an agent and a bare command the one from the stronger source counts; from the same source, the command.
        if name.endswith(".agent") and name.replace(".agent", ".command") not in values:
            chosen.pop(name.replace(".agent", ".command"), None)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return error.errors(include_url=False)[0]["msg"].rstrip(".")
    return str(error).rstrip(".")


def _workspace(values: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """What a workspace's file may say: its own scope, and no limit lifted."""
    allowed = {}
    for name, value in values.items():
        leaf = LEAVES.get(".".join(to_camel(part) if "_" in part else part for part in name.split(".")))
        if leaf is not None and leaf.scope != "workspace":
            warnings.append(f"{WORKSPACE_FILE}: {name} cannot be set by a workspace; set it in your own config.toml.")
        elif leaf is not None and leaf.name in _LIMITS and value == 0:
            warnings.append(f"{WORKSPACE_FILE}: a workspace cannot lift the limit {name}.")
        else:
            allowed[name] = value
    return allowed


def _file(path: Path, warnings: list[str], *, follow: bool = True) -> dict[str, Any]:
    """The flat content of a TOML file; nothing where there is none."""
    try:
        if not follow and path.is_symlink():
            warnings.append(f"{path.name} is a link and is not read.")
            return {}
        if not path.is_file():
            return {}
        if path.stat().st_size > LARGEST_FILE:
            warnings.append(f"{path.name} is larger than {LARGEST_FILE // 1024} KiB and is not read.")
            return {}
        return dict(_flat(tomllib.loads(path.read_text("utf-8"))))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        warnings.append(f"{path} cannot be read: {error}.")
        return {}


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables and dotted keys, as editors send either, become dotted names."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *parents, last = name.split(".")
        place = tree
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return tree
