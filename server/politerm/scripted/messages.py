"""How the demonstration agents read a prompt and word a message. It does not know what either of them decides."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_KEY = re.compile(r"^[ \t]*POLI key:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_HEARD = re.compile(r"^Message from (\w+)(?: \((\w+)\))?:\n(.*?)\nEnd of message\.$", re.MULTILINE | re.DOTALL)
AGAIN = re.compile(r"without a message|send one now|^Go on\b|taken up again", re.IGNORECASE | re.MULTILINE)
"""Words of a prompt that asks for the last message once more."""
TAGGED = ("plan", "continue", "revision", "complete", "status", "result")


@dataclass(frozen=True)
class Answer:
    """What an agent says in one turn: `words` for people, and one message, unless `kind` is empty."""

    words: str
    kind: str = ""
    body: str = ""
    to: str = ""

    def text(self, key: str | None, number: int) -> str:
        """The reply as it is printed and recorded. Without a key there is nobody to send a message to."""
        if not self.kind or key is None:
            return self.words
        header = json.dumps({"to": self.to, "type": self.kind, "id": f"{self.kind}-{number}", "key": key})
        body = self.body
        if self.kind in TAGGED:
            tag = self.kind.upper()
            body = f"<{tag}>\n{body}\n</{tag}>"
        return f"{self.words}\n\n[[POLI:MSG {header}]]\n{body}\n[[/POLI:MSG]]"


def key_of(prompt: str) -> str | None:
    """The prompt's own key: the last one, as whatever is quoted in a prompt stands above it."""
    found = _KEY.findall(prompt)
    return found[-1] if found else None


@dataclass(frozen=True)
class Said:
    """What a prompt relays: who said it, as which kind of message (empty for a person's words), and the words."""

    sender: str
    kind: str
    text: str


def heard(prompt: str) -> list[Said]:
    """Everything that is relayed in a prompt, in its order."""
    return [Said(*found.groups("")) for found in _HEARD.finditer(prompt)]
