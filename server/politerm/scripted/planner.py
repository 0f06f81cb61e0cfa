"""The scripted planner: a plan of two steps, a revision that names what the test found, and the end.

It decides from the prompt alone, so a restarted one goes on from what it is told. It never looks at a file.
"""

from __future__ import annotations

import re

from politerm.scripted.messages import AGAIN, Answer, heard

TASK = "The task, in the user's words:"
_MAKES = re.compile(r"\b(write|create|make|add|build|implement|develop|demo|show)", re.IGNORECASE)
_THING = re.compile(
    r"\b(module|function|file|script|test|slug|python|program|demo|library|tool|code|app)", re.IGNORECASE
)
_VERDICT = re.compile(r"(OK|FAILED \(.*\))(?: \(skipped=\d+\))?")
_FAILED_TEST = re.compile(r"(?:FAIL|ERROR): (\w+)")
_DIFFERENCE = re.compile(r"AssertionError: (.+)")
_MODULE = re.compile(r"\b(?!test_)([a-z][a-z0-9_]*)\.py\b")

PLAN = """\
1. Write `slugify.py` with a function `slugify(title)` that turns a title into the last part of a web address:
   lower case, words joined by single dashes, nothing else.
2. Write `test_slugify.py` with the cases "Hello World", "Chapter 12" and "Hello,  World!", run it with
   `python -m unittest`, and report its output as it is, also if it fails."""

LOOK = """\
1. Look at the folder: what kinds of files are there?
2. Report what you see. Change nothing."""

ONE_TASK = """\
Nothing was changed. This was the built-in demonstration pair, which has no model behind it and knows one task: write a
small module with a test, then fix what the test finds. For any other task choose agents that can think."""


class Planner:
    name = "planner"

    def __init__(self) -> None:
        self._last: Answer | None = None

    def answer(self, prompt: str) -> Answer:
        answer = self._decide(prompt)
        if answer.kind != "status":
            self._last = answer
        return answer

    def _decide(self, prompt: str) -> Answer:
        report = next((said for said in reversed(heard(prompt)) if said.sender == "EXECUTER"), None)
        if report is not None and report.kind == "result":
            return _judge(report.text)
        if report is not None and report.kind == "error":
            body = f"The executer could not do it: {report.text.strip()}\n\nShall I send the plan again?"
            return Answer("The executer is stuck.", "question", body, "USER")
        if TASK in prompt or "TASK_ID=" in prompt or self._last is None:
            return _plan(_task(prompt))
        if AGAIN.search(prompt):
            return self._last
        if self._last.kind == "question":
            return _plan("a demo of a module")
        return Answer("Noted.", "status", "I have read your note. I am a scripted planner and go on as planned.")


def _judge(report: str) -> Answer:
    """What the executer showed, not what it says about it."""
    lines = report.splitlines()
    verdict = next((line for line in reversed(lines) if _VERDICT.fullmatch(line)), None)
    if verdict is not None:
        return _finished(lines) if verdict.startswith("OK") else _revision(lines)
    if "Nothing was changed" in report:
        words = "The executer has looked, and that is all that we two can do with this task."
        return Answer(words, "complete", ONE_TASK, "USER")
    body = f"{report.strip()}\n\nThis is the executer's own word: a scripted planner cannot judge it."
    return Answer("The executer says that it is done.", "complete", body, "USER")


def _task(prompt: str) -> str:
    """The user's own words, without the primer before them and what is said of the project behind them."""
    rest = prompt.split(TASK)[-1]
    return next((said.text for said in heard(rest)), rest)


def _plan(task: str) -> Answer:
    if _MAKES.search(task) and _THING.search(task):
        return Answer("A small module with a test. This is how I would do it:", "plan", PLAN, "EXECUTER")
    words = "I am a scripted planner without a model, so I cannot work on this. I have the executer look around."
    return Answer(words, "plan", LOOK, "EXECUTER")


def _revision(lines: list[str]) -> Answer:
    test = _last(_FAILED_TEST, lines) or "a test"
    difference = _last(_DIFFERENCE, lines) or "see its output"
    module = _last(_MODULE, lines) or "slugify"
    body = (
        f"`{test}` fails: {difference}\n\n"
        f"Fix `{module}.py`: a run of other characters becomes one dash, and no dash stands at either end. "
        f"Leave the test as it is, run it again, and report its output."
    )
    return Answer(f"The test found something: {test}.", "revision", body, "EXECUTER")


def _finished(lines: list[str]) -> Answer:
    module = _last(_MODULE, lines) or "slugify"
    ran = next((line for line in reversed(lines) if line.startswith("Ran ")), "The test ran")
    return Answer(
        "All tests pass, so we are done.",
        "complete",
        f"`{module}.py` and `test_{module}.py` are written. {ran.split(' in ')[0]}, all of them pass.",
        "USER",
    )


def _last(pattern: re.Pattern[str], lines: list[str]) -> str | None:
    found = [match[1] for line in lines for match in pattern.finditer(line)]
    return found[-1] if found else None
