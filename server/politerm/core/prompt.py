"""What may be pasted into an agent, and how it is laid out.

Three steps, in this order: `sanitise` takes out what a terminal would act upon, `escape_markers` what the block reader
or an agent could take for our own lines, `frame` puts the parts together. No prompt holds a valid block: the text that
the reader sees when a terminal echoes a prompt is never a message.

It does not know when a prompt is due (core/run.py) or how it gets into a pane (tmux/).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

from politerm.core.blocks import shows_block
from politerm.core.glyphs import GLYPHS
from politerm.core.wire import Role

KEY_LINE = "POLI key:"
END_LINE = "POLI end:"
TASK_LINE = "TASK_ID="

KEY_LENGTH = 12
"""Characters of a key, each one of 32: 60 bits, more than can be guessed within a run."""

_NEWLINE = re.compile("\r\n?")
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MARKER = re.compile(r"(\[/?)POLI:MSG")
_CONTROL = re.compile(r"(POLI)(\s+)(?=(?:key|end)\s*:)", re.IGNORECASE)
_TASK = re.compile(rf"^([{GLYPHS}]*TASK_ID)(?==)", re.MULTILINE)
_FRAME = re.compile(
    rf"^([{GLYPHS}]*(?:Message|End))( +)(?=from +(?:{'|'.join(Role)})\b|of +message\.)", re.MULTILINE | re.IGNORECASE
)
_TYPE = re.compile(r'("type"\s*:\s*)("[^"\n]*")')


_IN_FILE = re.compile(r"^Read the file (.+) now: it holds your next prompt\.$", re.MULTILINE)


def in_file(path: str, key: str, prompt_id: str) -> str:
    """What is typed instead of a prompt that cannot be."""
    return f"Read the file {path} now: it holds your next prompt.\n{KEY_LINE} {key}\n{END_LINE} {prompt_id}"


def file_in(text: str) -> str | None:
    """The file that this prompt says to read; None for one that says all itself."""
    found = _IN_FILE.match(text)
    return found[1] if found else None


def sanitise(text: str) -> str:
    """The text without anything that a terminal or a line editor would act upon.

    ESC, the C0 controls but LF and TAB, DEL, the C1 controls, and halves of surrogate pairs are dropped; CRLF and CR
    become LF. An end-of-paste sequence is harmless without its ESC. The same for every version of tmux: some pass these
    bytes on, some rewrite them. Idempotent.
    """
    return _UNSAFE.sub("", _NEWLINE.sub("\n", text))


def escape_markers(body: str) -> str:
    """Relayed text in which nothing forms or ends a block, or looks like a line of ours; all else is unchanged.

    `[[POLI:MSG` and `[[/POLI:MSG]]` become `[[POLI-MSG` and `[[/POLI-MSG]]`; `POLI key:` and `POLI end:` become
    `POLI-key:` and `POLI-end:`; `TASK_ID=` at the start of a line becomes `TASK_ID =`. No backslash, because a Markdown
    renderer would eat it. Idempotent, and not undone anywhere: the receiver reads it as it is.
    """
    body = _MARKER.sub(r"\1POLI-MSG", body)
    body = _CONTROL.sub(_hyphen, body)
    return _TASK.sub(r"\1 ", body)


def _hyphen(match: re.Match[str]) -> str:
    """A hyphen for the blanks between two words; a line break among them stays."""
    return f"{match[1]}-{match[2].strip(' ')}"


def relayed(sender: Role, kind: str, body: str) -> str:
    """Another role's message as plain lines, for `frame`. Not a block, so that its echo cannot become one."""
    return f"Message from {sender} ({kind}):\n{_quoted(body)}\nEnd of message."


def from_user(text: str) -> str:
    """A person's words as plain lines, for `frame`."""
    return f"Message from {Role.USER}:\n{_quoted(text)}\nEnd of message."


def frame(*, prompt_id: str, key: str, task_id: str | None, primer: str | None, sections: Sequence[str]) -> str:
    """A whole prompt: the task's id, the primer, the sections, the key on a line of its own, and the end line.

    It begins with a plain word, because a leading `!`, `/`, `#`, `@` or `-` is a command in agent programs, and it ends
    without a line break. Sections are cleaned here as well, so that no caller can forget it.
    """
    parts = [] if primer is None else [_primer(primer).strip("\n")]
    parts += [_clean(section).strip("\n") for section in sections]
    text = "\n\n".join(part for part in parts if part.strip())
    if task_id is not None:
        text = f"{TASK_LINE}{' '.join(_clean(task_id).split())}\n{text}"
    if not text[:1].isalnum():
        text = f"Note:\n{text}"
    return f"{text}\n\n{KEY_LINE} {key}\n{END_LINE} {prompt_id}"


def derive_key(seed: str, prompt_id: str) -> str:
    """The prompt's key: 12 characters of `a-z2-7`, from SHA-256 over the run's secret seed and the prompt's id."""
    digest = hashlib.sha256(f"{seed}\0{prompt_id}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:KEY_LENGTH]


def long_lines(text: str, limit_bytes: int = 1000) -> bool:
    """Is there a line that a terminal in line mode might cut? (In UTF-8; the kernel keeps 4,096 bytes of a line.)"""
    return any(4 * len(line) > limit_bytes and len(line.encode()) > limit_bytes for line in text.split("\n"))


def _clean(text: str) -> str:
    return escape_markers(sanitise(text))


def _quoted(text: str) -> str:
    """A body that cannot end its own frame and go on in somebody else's name."""
    return _FRAME.sub(_hyphen, _clean(text))


def _primer(text: str) -> str:
    """A primer shows what a block looks like. One that holds a valid block, a user's own perhaps, gets its types turned
    into placeholders, as a primer should have written them."""
    text = sanitise(text)
    if shows_block(text):
        text = _TYPE.sub(r"\1<\2>", text)
    return escape_markers(text) if shows_block(text) else text
