"""What kind of project a folder is, in a few plain lines for the planner: languages, test commands, git's state.

Only for a trusted folder, and even then nothing in it may run: marker files are looked at, not executed, and git is
asked with everything switched off that a repository's own configuration could start. It does not judge what it finds.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

GIT_SECONDS = 5.0
"""For each of the two calls of git; a repository that takes longer is described without its state."""

LOOK_SECONDS = 2.0
LOOK_ENTRIES = 20_000
"""How long, and at how many directory entries, languages are counted; a larger tree is judged by what was seen."""

FILE_BYTES = 512 * 1024
"""A marker file larger than this is not read."""

LANGUAGES = {
    ".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++", ".hpp": "C++", ".cs": "C#", ".clj": "Clojure", ".dart": "Dart",
    ".ex": "Elixir", ".exs": "Elixir", ".elm": "Elm", ".erl": "Erlang", ".go": "Go", ".hs": "Haskell", ".java": "Java",
    ".js": "JavaScript", ".jsx": "JavaScript", ".mjs": "JavaScript", ".cjs": "JavaScript", ".jl": "Julia",
    ".kt": "Kotlin", ".kts": "Kotlin", ".lua": "Lua", ".ml": "OCaml", ".php": "PHP", ".pl": "Perl", ".py": "Python",
    ".r": "R", ".rb": "Ruby", ".rs": "Rust", ".scala": "Scala", ".sh": "Shell", ".swift": "Swift", ".ts": "TypeScript",
    ".tsx": "TypeScript", ".vue": "Vue", ".zig": "Zig",
}  # fmt: skip

SKIPPED = frozenset(
    {"node_modules", "target", "dist", "build", "vendor", "venv", "__pycache__", "site-packages", "third_party"}
)
"""Folders full of files that nobody here wrote; so are those whose name begins with a dot."""

SILENT_GIT = (
    "--no-pager",
    "--no-optional-locks",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.sshCommand=false"),
    *("-c", "core.askPass="),
    *("-c", "credential.helper="),
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "status.submoduleSummary=false"),
    *("-c", "protocol.allow=never"),
)
"""Stronger than the repository's configuration: no file monitor, no hooks, nothing fetched for a partial clone, no
repository that only pretends to be one by lying in a folder. git's own refusal of foreign folders stays in force."""


async def describe(folder: Path | str, *, env: Mapping[str, str]) -> str:
    """Lines such as `Languages: Python (12 files)`; "" where nothing is known. Never raises for what a folder holds.

    `env` is what git is found by and started with, but for its own variables.
    """
    path = Path(folder)
    return await asyncio.to_thread(lambda: "\n".join([*_files(path), *_git(path, env)]))


def _files(folder: Path) -> Iterator[str]:
    counts = _languages(folder)
    if counts:
        told = (f"{name} ({number} file{'s' if number > 1 else ''})" for name, number in counts.most_common(5))
        yield f"Languages: {', '.join(told)}"
    commands = list(dict.fromkeys(_test_commands(folder)))
    if commands:
        yield f"Test commands found: {', '.join(commands)}"


def _languages(folder: Path) -> Counter[str]:
    """Files by language, breadth first, links not followed."""
    counts: Counter[str] = Counter()
    until = time.monotonic() + LOOK_SECONDS
    seen = 0
    waiting = [folder]
    for place in waiting:
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    seen += 1
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith(".") and entry.name not in SKIPPED:
                            waiting.append(Path(entry.path))
                    elif language := LANGUAGES.get(Path(entry.name).suffix.lower()):
                        counts[language] += 1
        except OSError:
            continue
        if seen > LOOK_ENTRIES or time.monotonic() > until:
            break
    return counts


def _test_commands(folder: Path) -> Iterator[str]:
    """Words of ours for what the marker files mean; nothing of their text is passed on."""
    yield from _python(folder)
    yield from _node(folder)
    if _text(folder / "Cargo.toml"):
        yield "cargo test"
    if _text(folder / "go.mod"):
        yield "go test ./..."
    if _text(folder / "mix.exs"):
        yield "mix test"
    if _text(folder / "pom.xml"):
        yield "mvn test"
    if _text(folder / "build.gradle") or _text(folder / "build.gradle.kts"):
        yield "./gradlew test" if (folder / "gradlew").is_file() else "gradle test"
    for name in ("GNUmakefile", "makefile", "Makefile"):
        for target in ("test", "check"):
            if re.search(rf"^{target}\s*:(?!=)", _text(folder / name), re.MULTILINE):
                yield f"make {target}"
    if re.search(r"^test\b[^=\n]*:(?!=)", _text(folder / "justfile"), re.MULTILINE):
        yield "just test"


def _python(folder: Path) -> Iterator[str]:
    if re.search(r"^\[(tox|testenv)", _text(folder / "tox.ini"), re.MULTILINE):
        yield "tox"
    if _text(folder / "noxfile.py"):
        yield "nox"
    try:
        project = tomllib.loads(_text(folder / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        project = {}
    tools = project.get("tool")
    configured = (isinstance(tools, dict) and "pytest" in tools) or "[tool:pytest]" in _text(folder / "setup.cfg")
    if configured or any((folder / name).is_file() for name in ("pytest.ini", "conftest.py", "tests/conftest.py")):
        yield "pytest"
    elif any(_glob(folder / place, "test_*.py") for place in ("", "tests", "test")):
        yield "python -m pytest" if project else "python -m unittest"


def _node(folder: Path) -> Iterator[str]:
    try:
        package = orjson.loads(_text(folder / "package.json"))
    except orjson.JSONDecodeError:
        return
    scripts = package.get("scripts") if isinstance(package, dict) else None
    script = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(script, str) or "no test specified" in script:  # npm init's own placeholder
        return
    locks = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lockb": "bun run", "bun.lock": "bun run"}
    yield next((tool for lock, tool in locks.items() if (folder / lock).is_file()), "npm") + " test"


def _glob(folder: Path, pattern: str) -> bool:
    try:
        return any(folder.glob(pattern))
    except OSError:
        return False


def _text(file: Path) -> str:
    """A marker file's text; "" for what is not there, too large, or no regular file (a FIFO would keep us waiting)."""
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(opened, "rb") as stream:
            found = os.fstat(opened)
            if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_BYTES:
                return ""
            return stream.read(FILE_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _git(folder: Path, env: Mapping[str, str]) -> Iterator[str]:
    status = _ask_git(folder, env, "status", "--porcelain=v2", "--branch", "-z", "--ignore-submodules=all")
    if status is None:
        return
    lines = status.split("\0")
    branch = next((line[14:] for line in lines if line.startswith("# branch.head ")), "")
    fresh = "# branch.oid (initial)" in lines
    changed = sum(1 for line in lines if line[:2] in ("1 ", "2 ", "u "))
    new = sum(1 for line in lines if line.startswith("? "))
    where = "detached HEAD" if branch == "(detached)" else f"branch {_plain(branch)}"
    state = f"{changed} changed and {new} untracked files" if changed or new else "clean"
    yield f"Git: {where}, {'no commits yet, ' if fresh else ''}{state}"


def _ask_git(folder: Path, env: Mapping[str, str], *arguments: str) -> str | None:
    """git's answer; None when there is none in time, or no repository.

    A repository can name programs that git starts to compare a file's content (filters). Their names are asked for
    first, which starts none, and each is switched off.
    """
    names = _run_git(folder, env, "config", "--null", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process)$")
    if names is None:
        return None
    if "=" in names:
        return None  # `-c` cannot name such a filter, so it cannot be switched off either
    off = [part for name in names.split("\0") if name for part in ("-c", f"{name}=")]
    required = {f"{name.rpartition('.')[0]}.required=false" for name in names.split("\0") if name}
    off += [part for setting in sorted(required) for part in ("-c", setting)]
    return _run_git(folder, env, *off, *arguments)


def _run_git(folder: Path, env: Mapping[str, str], *arguments: str) -> str | None:
    scrubbed = {name: value for name, value in env.items() if not name.startswith("GIT_")}
    # Older versions do not know GIT_NO_LAZY_FETCH; protocol.allow=never stops them.
    scrubbed |= {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *SILENT_GIT, *arguments],
            cwd=folder,
            env=scrubbed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    # `config --get-regexp` answers 1 when nothing matches.
    if done.returncode != 0 and not (done.returncode == 1 and "config" in arguments):
        return None
    return done.stdout.decode(errors="replace")


def _plain(name: str) -> str:
    """A branch's name as a word that can stand in a prompt and form no tag there."""
    return re.sub(r"[^\w./+@#-]", "?", name)[:100]
