"""The role instructions an agent reads first: ours, shipped as Markdown, or the user's own in their place.

It does not know when a primer is sent or how it is framed.
"""

from __future__ import annotations

import re
from pathlib import Path

from politerm.core.blocks import shows_block
from politerm.core.events import Primer
from politerm.core.wire import Role
from politerm.errors import InvalidParams, PoliTermError

PRIMER_CAP = 64 * 1024
"""Characters of a primer that are sent: it is pasted into a terminal with every task."""

_VERSION = re.compile(r"<!--\s*version:\s*([^\s>]+)\s*-->\s*")


def load(role: Role, config_dir: Path) -> Primer:
    """The primer of a role: `<config dir>/primers/<role>.md` where the user has one, else ours.

    The first line `<!-- version: N -->` names its version and is not sent; a user's primer without one has the version
    `user`. Raises InvalidParams for one that cannot be read, is too long, or holds a whole message: an agent's echo of
    it would be taken for words of the agent.
    """
    name = f"{role.value.lower()}.md"
    own = config_dir / "primers" / name
    if own.is_file():
        return parse(_text(own), name=str(own), version="user")
    for folder in _folders():
        path = folder / name
        if path.is_file():
            return parse(_text(path), name=name, version="0")
    raise PoliTermError(
        f"There is no primer for {role.value}.", hint="The installation is incomplete: install it again."
    )


def parse(text: str, *, name: str, version: str) -> Primer:
    """A primer from its text; `version` is what an unversioned one is called."""
    found = _VERSION.match(text)
    if found:
        version, text = found[1], text[found.end() :]
    text = text.strip()
    if not text:
        raise InvalidParams(f"The primer {name} is empty.", hint="Delete the file to use the built-in one.")
    if len(text) > PRIMER_CAP:
        raise InvalidParams(f"The primer {name} has {len(text)} characters; at most {PRIMER_CAP} are sent.")
    if shows_block(text):
        raise InvalidParams(
            f"The primer {name} shows a whole POLI message, which an agent's echo would turn into a real one.",
            hint="Describe the opening line in words, as the built-in primer does.",
        )
    return Primer(name=name, version=version, text=text)


def _folders() -> tuple[Path, Path]:
    """In an installed package the primers lie beside this file, in a source checkout in the folder at its root."""
    here = Path(__file__).resolve().parent
    return here / "shipped", here.parents[2] / "primers"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParams(f"The primer {path} cannot be read: {error}.") from None
