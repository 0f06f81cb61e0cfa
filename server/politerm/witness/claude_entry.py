"""What stands in one record of Claude Code, a line of its transcript or a hook's JSON: pure functions over parsed JSON.

Whatever a record holds instead of what is expected, the answer is empty and never an exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from politerm.witness.entry import clean, inner

_PASTED: Final = re.compile(
    r'(?:\n\n)?<pasted_content id="([0-9a-f]+)">\n(.*?)\n</pasted_content id="\1">\n?', re.DOTALL
)
"""What 2.1.329 puts around a paste that it folds (over 3 lines or 800 characters); the text inside is ours."""


def unfolded(text: str) -> str:
    return _PASTED.sub(r"\2", text)


def blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def texts(entry: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a message; none when it carries the results of tools."""
    parts = blocks(inner(entry, "message"))
    if not any(part.get("type") == "tool_result" for part in parts):
        yield from (clean(part.get("text")) for part in parts if part.get("type") == "text")


def calls(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tools that the model calls in this message."""
    return (block for block in blocks(message) if block.get("type") == "tool_use")


def human(entry: Mapping[str, Any]) -> bool:
    """Typed or pasted, not made by the program itself (the end of a background task, say)."""
    origin = entry.get("origin")
    return not isinstance(origin, dict) or origin.get("kind", "human") == "human"


def seconds(entry: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(entry.get("timestamp"))).timestamp()
    except ValueError:
        return 0.0


def asked(hook: Mapping[str, Any]) -> str:
    """`Bash: rm -rf build` from a permission record: the tool, and of its input what matters to a person."""
    given = hook.get("tool_input")
    fields: Mapping[str, Any] = given if isinstance(given, dict) else {}
    for name in ("command", "file_path", "notebook_path", "url", "query", "plan"):
        if isinstance(fields.get(name), str):
            return f"{hook.get('tool_name')}: {clean(fields[name])}"
    return f"{hook.get('tool_name')}: {json.dumps(fields)}"


def running(hook: Mapping[str, Any]) -> Iterator[str]:
    """What goes on in the background after a turn: commands, agents of its own."""
    tasks = hook.get("background_tasks")
    for task in tasks if isinstance(tasks, list) else ():
        if isinstance(task, dict) and task.get("status", "running") == "running":
            yield clean(task.get("command") or task.get("description") or task.get("type") or "a task")


def failure(hook: Mapping[str, Any]) -> str:
    return f"{hook.get('error', 'error')}: {clean(hook.get('last_assistant_message', ''))}"
