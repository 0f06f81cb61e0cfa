"""The scripted executer: writes a module whose first version has a bug, runs a test that finds it, and fixes it.

All it remembers is in the files: it goes by the prompt and by what it finds in its folder. It touches no file that it
did not write itself.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from politerm.scripted.messages import AGAIN, Answer, heard

MARK = "Written by PoliTerm's scripted executer."
BUG = 're.sub(r"[^a-z0-9]", "-", title.lower())'
FIXED = 're.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")'

MODULE = '''\
"""{name}: a title as the last part of a web address. {mark}"""

import re


def {name}(title: str) -> str:
    return {body}
'''

TEST = '''\
"""{mark}"""

import unittest

from {name} import {name}


class Test(unittest.TestCase):
    def test_words(self) -> None:
        self.assertEqual({name}("Hello World"), "hello-world")

    def test_digits(self) -> None:
        self.assertEqual({name}("Chapter 12"), "chapter-12")

    def test_punctuation(self) -> None:
        self.assertEqual({name}("Hello,  World!"), "hello-world")


if __name__ == "__main__":
    unittest.main()
'''

_MODULE = re.compile(r"\b(?!test_)([a-z][a-z0-9_]*)\.py\b")
_FIX = re.compile(r"^Fix `", re.MULTILINE)
_WRITE = re.compile(r"^1\. Write `", re.MULTILINE)
_OURS = re.compile(r"slug|last part of a web address", re.IGNORECASE)

Run = Callable[[list[str], dict[str, str]], str]
"""Runs a program in the agent's folder and answers all that it printed."""
Say = Callable[[str], None]


class Refusal(Exception):
    """Something that the executer will not do; the text says what and why."""


class Executer:
    name = "executer"

    def __init__(self, folder: Path, run: Run, say: Say) -> None:
        self._folder = folder
        self._run = run
        self._say = say
        self._last: Answer | None = None

    def answer(self, prompt: str) -> Answer:
        said = heard(prompt)
        asked = [one.text for one in said if one.sender == "PLANNER"]
        if not asked and self._last is not None:
            if AGAIN.search(prompt):
                return self._last
            return Answer("Noted.", "status", "I have read your note. I am a scripted executer and do what I know.")
        try:
            self._last = self._act("\n".join(asked) if said else prompt)
        except (OSError, Refusal) as error:
            self._last = Answer("That did not work.", "error", str(error), "PLANNER")
        return self._last

    def _act(self, text: str) -> Answer:
        fix = max((found.start() for found in _FIX.finditer(text)), default=-1)
        write = max((found.start() for found in _WRITE.finditer(text)), default=-1)
        named = _MODULE.search(text, max(fix, write, 0))
        if named is None or not _OURS.search(text):
            return self._look_around()
        if fix > write:
            return self._fix(named[1])
        return self._write(named[1])

    def _write(self, name: str) -> Answer:
        if not name.isidentifier() or keyword.iskeyword(name) or name in sys.stdlib_module_names:
            raise Refusal(f"{name}.py would get in the way of Python's own {name}. Name another file.")
        module = self._put(f"{name}.py", MODULE.format(name=name, mark=MARK, body=BUG))
        test = self._put(f"test_{name}.py", TEST.format(name=name, mark=MARK))
        wrote = [file for file, new in ((f"{name}.py", module), (f"test_{name}.py", test)) if new]
        did = f"Wrote {' and '.join(wrote)}." if wrote else f"{name}.py and its test were already there."
        return self._tested(name, did)

    def _fix(self, name: str) -> Answer:
        path = self._folder / f"{name}.py"
        if not path.exists():
            self._put(f"{name}.py", MODULE.format(name=name, mark=MARK, body=FIXED))
        else:
            self._own(path)
            source = path.read_text(encoding="utf-8")
            path.write_text(source.replace(BUG, FIXED), encoding="utf-8")
        self._put(f"test_{name}.py", TEST.format(name=name, mark=MARK))
        self._say(f"Fixed {name}.py")
        return self._tested(name, f"Changed one line of {name}.py.")

    def _tested(self, name: str, did: str) -> Answer:
        self._say(f"Running test_{name}")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
        output = self._run([sys.executable, "-B", "-m", "unittest", f"test_{name}"], environment).strip()
        passed = output.endswith("OK")
        words = "The tests pass." if passed else "A test fails."
        return Answer(words, "result", f"{did}\n\n$ python -m unittest test_{name}\n{output}", "PLANNER")

    def _look_around(self) -> Answer:
        kinds: dict[str, int] = {}
        for entry in self._folder.iterdir():
            if not entry.name.startswith("."):
                kind = "folder" if entry.is_dir() else entry.suffix or "no suffix"
                kinds[kind] = kinds.get(kind, 0) + 1
        seen = ", ".join(f"{count} x {kind}" for kind, count in sorted(kinds.items())) or "nothing"
        body = f"In the folder I see: {seen}.\nNothing was changed: I am a scripted executer without a model."
        return Answer("I have looked around.", "result", body, "PLANNER")

    def _put(self, file: str, text: str) -> bool:
        """Write a file, unless an earlier turn of ours already did: a restarted agent is given its plan again."""
        path = self._folder / file
        if path.is_symlink() or path.exists():
            self._own(path)
            return False
        path.write_text(text, encoding="utf-8")
        self._say(f"Wrote {file}, {len(text.splitlines())} lines")
        return True

    def _own(self, path: Path) -> None:
        if path.is_symlink() or not path.is_file() or MARK not in path.read_text(encoding="utf-8", errors="replace"):
            raise Refusal(f"{path.name} is already there and not mine. Name another file.")
