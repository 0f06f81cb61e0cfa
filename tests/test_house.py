"""The rules of the house, proved over the source as it stands: who imports whom, what is where, what is fresh."""

from __future__ import annotations

import ast
import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from scripts import generate

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "server/politerm"

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "environment", "settings", "private", "__init__"),
    ("core",),
    ("agents",),
    ("engine.ports",),
    ("eventlog", "tmux", "supervisor", "git", "witness", "gate", "primers", "logs"),
    ("workspace",),
    ("engine",),
    ("lsp", "web"),
    ("app",),
    ("cli", "__main__"),
)
"""From the ground up. A module imports from its own room and from lower floors, not from a neighbour or from above."""

NEIGHBOURS = {("settings", "environment"), ("private", "errors"), ("__main__", "cli")}
"""Within one floor, who may lean on whom."""

ALONE = "scripted"
"""The demonstration agents: programs of their own, which nobody imports and which import nobody."""

PURE = ("core/", "agents/", "tmux/control.py")
WORLDLY = {"asyncio", "time", "os", "pathlib", "subprocess", "socket", "random", "libtmux", "httpx", "pygls"}
ONLY_IN = {
    "pygls": ("lsp/",),
    "lsprotocol": ("lsp/",),
    "libtmux": ("tmux/",),
    "httpx": ("supervisor/",),
    "sqlite3": ("eventlog/",),
    "click": ("cli/",),
    "rich": ("cli/",),
    "pyte": ("tmux/", "engine/", "core/"),
}
ADAPTERS = {"tmux", "supervisor", "witness", "gate", "git", "eventlog"}
LONGEST = 500


@dataclass(frozen=True)
class Module:
    path: Path
    source: str
    tree: ast.Module

    @property
    def place(self) -> str:
        """Its path in the package: `core/run.py`."""
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def room(self) -> str:
        return self.place.split("/")[0].removesuffix(".py")

    def imports(self, *, running: bool = True) -> Iterator[str]:
        """Dotted names; with `running`, without those that only a type checker follows."""
        skipped = {id(inner) for inner in self._for_types()} if running else set()
        for node in ast.walk(self.tree):
            if id(node) in skipped:
                continue
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.place}: relative import"
                name = node.module or ""
                # `from politerm import app` and `from politerm.engine import ports` name modules, too.
                yield from (f"{name}.{alias.name}" if name.startswith("politerm") else name for alias in node.names)

    def names(self) -> list[str]:
        defined = [n.name for n in ast.walk(self.tree) if isinstance(n, ast.ClassDef | ast.FunctionDef)]
        return [self.path.stem, *defined]

    def _for_types(self) -> Iterator[ast.AST]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                for child in node.body:
                    yield from ast.walk(child)


def modules() -> list[Module]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return [Module(path, text := path.read_text("utf-8"), ast.parse(text)) for path in paths]


MODULES = modules()


def room_of(dotted: str) -> str | None:
    """The room that an import leads to; `engine.ports` is one of its own. None for what is not ours."""
    parts = dotted.split(".")
    if parts[0] != "politerm":
        return None
    if parts[1:3] == ["engine", "ports"]:
        return "engine.ports"
    name = parts[1] if len(parts) > 1 else "__init__"
    return name if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file() else "__init__"


def floor_of(room: str) -> int:
    found = [number for number, rooms in enumerate(FLOORS) if room in rooms]
    assert found, f"{room} has no floor; give it one in FLOORS"
    return found[0]


def may_import(own: str, room: str) -> bool:
    if ALONE in (own, room):
        return own == ALONE and room == "__init__"
    return floor_of(room) < floor_of(own) or (own, room) in NEIGHBOURS


def test_imports_only_point_down() -> None:
    wrong = []
    for module in MODULES:
        own = "engine.ports" if module.place == "engine/ports.py" else module.room
        for name in module.imports(running=False):
            room = room_of(name)
            if room is None or room == own or {own, room} == {"engine", "engine.ports"}:
                continue
            if not may_import(own, room):
                wrong.append(f"{module.place} imports {name}")
    assert not wrong


def test_what_is_pure_touches_nothing() -> None:
    wrong = [
        f"{module.place} imports {name}"
        for module in MODULES
        if module.place.startswith(PURE)
        for name in module.imports()
        if name.split(".")[0] in WORLDLY
    ]
    assert not wrong


def test_each_library_has_its_one_place() -> None:
    wrong = [
        f"{module.place} imports {name}"
        for module in MODULES
        for name in module.imports()
        if not module.place.startswith(ONLY_IN.get(name.split(".")[0], ("",)))
    ]
    assert not wrong


def test_the_adapters_are_named_by_the_composition_root_alone() -> None:
    wrong = [
        f"{module.place} imports {name}"
        for module in MODULES
        if module.room in {"engine", "lsp", "web", "cli"}
        for name in module.imports(running=False)
        if room_of(name) in ADAPTERS
    ]
    assert not wrong


def test_every_module_says_what_it_is_and_is_short_enough_to_read() -> None:
    silent = [module.place for module in MODULES if module.tree.body and not ast.get_docstring(module.tree)]
    assert not silent
    lengths = {module.place: len(module.source.splitlines()) for module in MODULES}
    assert {place: length for place, length in lengths.items() if length > LONGEST} == {}


def test_no_module_of_an_editor_is_too_long_to_read() -> None:
    ours = {path: text for path, text in texts() if path.endswith((".ts", ".tsx", ".mjs", ".css", ".lua"))}
    written = {path: len(text.splitlines()) for path, text in ours.items() if not path.endswith("generated.ts")}
    assert written
    assert {path: length for path, length in written.items() if length > LONGEST} == {}


def test_names_are_of_the_glossary() -> None:
    vague = [
        f"{module.place}: {name}"
        for module in MODULES
        for name in module.names()
        if re.search(r"manager|helper|utils?$|_v\d", name, re.IGNORECASE)
    ]
    assert not vague


def test_nothing_is_printed_to_standard_output_which_is_the_protocols() -> None:
    wrong = []
    for module in MODULES:
        if module.room in {"cli", ALONE} or module.place == "tmux/launcher.py":
            continue  # programs of their own: a person's terminal, or a pane
        calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
        prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
        wrong += [f"{module.place}:{call.lineno}" for call in prints if "file" not in {k.arg for k in call.keywords}]
    assert not wrong


@pytest.mark.parametrize("page", generate.pages(), ids=lambda path: path.name)
def test_generated_pages_are_what_the_generator_writes_today(page: Path) -> None:
    assert page.is_file(), f"{page.name} is missing: make generate"
    assert page.read_text("utf-8") == generate.pages()[page], f"{page.name} is stale: make generate"


KINDS = {".py", ".md", ".toml", ".sh", ".json", ".ts", ".tsx", ".mjs", ".css", ".lua", ".yml", ".yaml", ""}
SKIPPED = {"artefacts", "node_modules", "__pycache__", "dist", "build", "htmlcov"}


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the project that a person wrote: its path and its content."""
    for parent, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in SKIPPED and (not name.startswith(".") or name == ".ci")]
        for name in names:
            path = Path(parent, name)
            # In a second worktree `.git` is a file, and git's own.
            if path.suffix in KINDS and name != ".git" and not name.startswith(".coverage"):
                with contextlib.suppress(UnicodeDecodeError, FileNotFoundError):
                    yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


# Put together here, so that this file does not hold what it forbids.
FORBIDDEN = {
    "the host of a package registry": re.compile(
        "|".join(
            re.escape(".".join(host))
            for host in (
                ("pypi", "org"),
                ("pythonhosted", "org"),
                ("npmjs", "org"),
                ("npmjs", "com"),
                ("yarnpkg", "com"),
            )
        )
    ),
    "a path of one machine": re.compile("/" + "(?:work|root|Users)" + "/[a-z]|/" + "home/(?!(?:me|user|you)\\b)[a-z]"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_text_names(what: str) -> None:
    found = [
        f"{path}:{number}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert not found, f"{what}: {found}"
