"""AgentProfile: everything known about one CLI, as data (contract section 6).

This module does not know how a profile is read (agents/registry.py), where profiles lie (workspace/agents_folder.py),
how the rules are applied to a screen (agents/rules.py), or what is done about it (engine/).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.alias_generators import to_camel

from politerm.core.events import AgentSpec, AttentionKind
from politerm.core.wire import AgentState, Wire


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    return text


def _many(value: Any) -> Any:
    """A single string stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _rules(value: Any) -> Any:
    """A pattern, a table, or a list of both: a bare pattern stands for a rule in its usual place."""
    many = value if isinstance(value, list | tuple) else [value]
    return [{"match": one} if isinstance(one, str) else one for one in many]


Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_many)]
Keys = Annotated[tuple[str, ...], BeforeValidator(_many)]
Place = Literal["last-line", "screen", "title", "bottom"]
"""Where a rule looks: the last non-empty line, the whole visible screen, the pane's title, the lowest 15 rows that are
not empty."""


class Rule(Wire):
    """A pattern and where it is searched, line by line; without `where` the place that its list is usually about."""

    match: Pattern
    where: Place | None = None


Rules = Annotated[tuple[Rule, ...], BeforeValidator(_rules)]


class BlockedRule(Wire):
    """A dialog. `match` is searched line by line; a group `what` names what is asked, or else the nearest row above it
    that `about` matches does. `choices`: id -> tmux keys."""

    match: Pattern
    about: Pattern | None = None
    kind: AttentionKind = "permission"
    where: Place = "bottom"
    choices: dict[str, Keys] = Field(default_factory=dict)
    state: AgentState = AgentState.BLOCKED


class WitnessSpec(Wire):
    """The agent's own record. `{stateDir}`: a folder of this run and role alone; `{session}`: the conversation's id."""

    kind: str
    path: str | None = None
    lag: float = Field(default=0.5, ge=0)
    turn_end: bool | None = None
    """Does the record say when a turn ends? Absent: learnt from the first one."""
    permission: bool = False
    """Does the record say what permission is asked for?"""


class Overlay(Wire):
    """A folder of the agent's own, laid over with one of the run's: links to all that is in it, but for the names in
    `own`, which begin empty. For programs that let nothing but this folder be chosen, records and all."""

    of: str
    own: tuple[str, ...]


class AgentProfile(Wire):
    name: str = ""
    command: Annotated[tuple[str, ...], Field(min_length=1)]
    env: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)
    """Files of the run's own, written before the start with mode 0600: path (under `{stateDir}`) -> text."""
    overlay: dict[str, Overlay] = Field(default_factory=dict)
    """By the variable that tells the program where its folder is; what its user has set there is what is laid over.
    The run's folder has the variable's name in small letters, under `{stateDir}`."""
    version: Keys = ()
    """Arguments that, put after the command, make the program print its version and end; empty: none."""
    ready: Rules = ()
    """How an idle agent shows; a pattern alone is searched in the last non-empty line. Empty: ready as soon as it runs.
    A screen loses the blanks at a line's end, so a pattern is tried on the line with one blank more as well."""
    working: Rules = ()
    """How a busy agent shows; a pattern alone is searched on the whole screen, from its lowest row up, but only in the
    three rows above where a ready rule holds for the last line: what stands farther up is then left from before."""
    background: Rules = ()
    """How it shows that something of its own goes on after its turn; a pattern alone is searched in the lowest rows."""
    wakes: bool = True
    """Does it go on by itself when what it left running ends? Else it must be asked although something goes on."""
    limited: Rules = ()
    """How it says that its user's allowance is used up: on its screen below the last prompt (a pattern alone is looked
    for in the lowest rows), in the text of a turn that failed. A group `until` is when there will be more."""
    blocked: tuple[BlockedRule, ...] = ()
    conversation: Rules = ()
    """How the program names its conversation while it runs, for a record that is found by that name: a group `session`,
    of which the beginning is enough. A pattern alone is searched in the title."""
    dialog_seconds: float = Field(default=0.1, ge=0, le=10)
    """How long a dialog must have stood before it takes keys, and before it is told: one that is still being drawn
    looks like another one at every look."""
    submit: Keys = ("Enter",)
    submit_delay: float | None = Field(default=None, ge=0, le=5)
    """Seconds between paste and submit; absent: 0.3 with bracketed paste, none without."""
    interrupt: Keys = ("Escape",)
    exit: Keys = ()
    clear: Keys = ()
    """Keys that empty the input box of a draft; empty: not known."""
    draft: Rules = ()
    """How an input box with something in it shows, for programs where `clear` does harm to an empty one; a pattern
    alone is searched in the lowest rows. Empty: `clear` goes before every prompt."""
    paste_limit: int = Field(default=100_000, ge=1000)
    """Characters of the longest prompt that may be pasted; a longer one goes to a file."""
    keeps_tabs: bool = True
    """Does a pasted tab arrive as one? Where it does not, a prompt with a tab goes to a file."""
    placeholder: Patterns = (r"\[Pasted [^\]]*\]",)
    """How a folded paste shows in the input box."""
    witness: WitnessSpec | None = None
    resume: Keys = ()
    """Arguments that resume a conversation, with `{session}`; empty: it cannot."""
    session: Keys = ()
    """Arguments of a new conversation. Where `{session}` (a UUID) is among them they name it beforehand."""
    permission_mode: str | None = None
    legacy: bool = False
    start_seconds: float = Field(default=60, gt=0)
    """How long it may take from start to ready."""
    usage: dict[str, Any] = Field(default_factory=dict)
    """What the reader of this agent's record must know to count its tokens and money."""
    presets: dict[str, Any] = Field(default_factory=dict)
    quirks: dict[str, Any] = Field(default_factory=dict)

    @property
    def names_session(self) -> bool:
        """Is a new conversation called as we say?"""
        return any("{session}" in argument for argument in self.session)

    def spec(self) -> AgentSpec:
        """What the run's logic is told."""
        if self.witness is not None and self.witness.turn_end is True:
            turn_end: Literal["never", "unsure", "known"] = "known"
        elif self.ready or self.witness is not None:
            turn_end = "unsure"
        else:
            turn_end = "never"
        return AgentSpec(
            name=self.name, legacy=self.legacy, resumable=bool(self.resume), turn_end=turn_end, wakes=self.wakes
        )


_PLACEHOLDER = re.compile(r"\{([a-zA-Z]+)\}")


def fill(text: str, **values: str | None) -> str:
    """Replace `{name}` by its value, in one pass, so that a value which itself holds `{...}` stays as it is.

    Names are written in snake_case here and in camelCase in the text. A name that is unknown, or whose value is None,
    stays: braces mean something else to many programs (JSON, shell patterns).
    """
    known = {to_camel(name): value for name, value in values.items() if value is not None}
    return _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), text)


def expand(profile: AgentProfile, **values: str | None) -> AgentProfile:
    """The profile with its placeholders filled: `python` (our own interpreter), `state_dir`, `session`, whichever are
    known. They may stand in command, version, env, files, session, resume, and the witness's path.

    `{stateUrl}` is the folder as a file URL, which needs no quotes in JSON, whatever the folder is called.
    """
    if state_dir := values.get("state_dir"):
        values["state_url"] = f"file://{quote(state_dir)}"

    def one(text: str) -> str:
        return fill(text, **values)

    def many(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one(text) for text in texts)

    witness = profile.witness
    if witness is not None and witness.path is not None:
        witness = witness.model_copy(update={"path": one(witness.path)})
    return profile.model_copy(
        update={
            "command": many(profile.command),
            "version": many(profile.version),
            "env": {name: one(value) for name, value in profile.env.items()},
            "files": {one(path): one(text) for path, text in profile.files.items()},
            "session": many(profile.session),
            "resume": many(profile.resume),
            "witness": witness,
        }
    )
