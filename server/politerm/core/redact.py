"""Secrets are taken out before an event is made, so that what is stored, pasted, and compared is the same text.

Two measures: values that are known (from the environment and the settings) are replaced wherever a text or a recording
holds them; what merely looks like a secret is replaced in logs, panels, and reports, where a mistake costs little.

It does not know where texts go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

REPLACEMENT = "[secret]"

MIN_LENGTH = 6
"""Shortest secret that is looked for, in characters; anything shorter would tear ordinary words apart."""

MIN_LINE = 16
"""Shortest line of a secret of several lines (a private key, say) that is looked for by itself."""

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:API)?(?:KEY|TOKEN|SECRET|PASSWD|PASSPHRASE|CREDENTIALS?|PASS|APIKEY|APITOKEN)(?:$|_)|PASSWORD|SECRET",
    re.IGNORECASE,
)
_PLACE_NAME = re.compile(r"_(?:PATH|FILE|DIR|SOCK|SOCKET|HOST|PORT|USER|NAME|LIMIT|TIMEOUT)$", re.IGNORECASE)
_PLACE = re.compile(r"(?:~|\.{0,2})/[\w.\-/ ]*\.\w{1,5}")
_NO_SECRETS = frozenset({"password", "secret", "default", "enabled", "disabled", "required", "optional", "changeme"})
_URL_PASSWORD = re.compile(r"://[^\s/:@]{0,100}:([^\s/@]{1,200})@")

_VALUE = r"""(?:["'][^\s"']{6,}+["']|(?=[^\s"',;()]*\d)[^\s"',;()]{6,}+(?!\())"""
_GIVEN = rf"""[\w\-]{{4,60}}+(?:=(?![\w.]+[(),])(?P<v>[^\s"',;&]{{6,}}+)|["']?\s{{0,3}}[:=]\s{{0,3}}(?P<q>{_VALUE}))"""
_NAMED = re.compile(_GIVEN)
_TOKEN = re.compile(rf"""(?![\w\-]{{4,60}}+["']?\s{{0,3}}[:=]\s{{0,3}}\d+(?!\w)){_GIVEN}""")  # a number counts tokens
_PEM = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[\w+/=\s:,.\\]|-(?!----)){0,16384}+(?:-----END [A-Z ]{0,40}-----)?"
)
_WEB_TOKEN = re.compile(r"(?<![\w\-])eyJ[\w\-]{8,}+\.eyJ[\w\-]{8,}+\.[\w\-]{8,}+", re.ASCII)


def _key(prefix: str, rest: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w\-]){prefix}{rest}", re.ASCII)


_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    *((word, _NAMED) for word in ("password", "passwd", "passphrase", "secret")),
    ("token", _TOKEN),
    *((f"{word}{mark}key", _NAMED) for word in ("api", "access", "private") for mark in ("", "_", "-")),
    ("bearer ", re.compile(r"bearer {1,4}(?P<v>[\w.~+/\-]{16,}+=*)", re.IGNORECASE)),
    ("://", re.compile(r"://[^\s/:@]{0,100}:(?P<v>[^\s/@]{1,200})@")),
    ("-----begin", _PEM),
    ("eyj", _WEB_TOKEN),
    ("sk-", _key("sk-", r"[\w\-]{16,}+")),  # OpenAI, Anthropic, OpenRouter
    *((f"gh{kind}_", _key(f"gh{kind}_", r"\w{20,}+")) for kind in "pousr"),  # GitHub
    ("github_pat_", _key("github_pat_", r"\w{20,}+")),
    ("glpat-", _key("glpat-", r"[\w\-]{20,}+")),  # GitLab
    *((kind, _key(kind.upper(), "[0-9A-Z]{16}")) for kind in ("akia", "asia")),  # AWS
    ("xox", _key("xox[abeoprs]-", r"[\w\-]{10,}+")),  # Slack
    ("aiza", _key("AIza", r"[\w\-]{30,}+")),  # Google
    ("npm_", _key("npm_", r"\w{30,}+")),
    ("pypi-", _key("pypi-", r"[\w\-]{30,}+")),
    ("hf_", _key("hf_", r"\w{30,}+")),
)
"""How a secret begins, in lower case, and what it looks like from there on; a group, where there is one, is the secret
itself. Beginnings are found by a plain search, because one expression for all of them costs thirty times as much."""


class Redactor:
    """Replaces secrets by `[secret]`. Known values shorter than MIN_LENGTH are ignored. Linear in the text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._values = _values(secrets)
        self._known = re.compile("|".join(map(re.escape, self._values))) if self._values else None

    def known(self, text: str) -> str:
        """The text without the values that are known."""
        return self._known.sub(REPLACEMENT, text) if self._known else text

    def shapes(self, text: str) -> str:
        """The text without known values and without whatever looks like a secret: keys of well-known services, tokens,
        private keys, passwords in addresses, and values given to a name such as `password`."""
        text = self.known(text)
        lower = text.lower()
        if len(lower) != len(text):
            # One of the few characters whose small form is longer: offsets would not fit.
            lower = text
        hits = sorted(hit for begin, shape in _SHAPES for hit in _hits(text, lower, begin, shape))
        out: list[str] = []
        pos = 0
        for start, end in hits:
            if start >= pos:
                out += (text[pos:start], REPLACEMENT)
            pos = max(pos, end)
        return "".join([*out, text[pos:]]) if hits else text

    def stream(self) -> StreamRedactor:
        """The same for the bytes of one recording."""
        return StreamRedactor(self._values)


class StreamRedactor:
    """Replaces known values in a stream of bytes, however it is cut. Held back is only what may be the beginning of a
    secret, so at most one byte less than the longest one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        values = [value.encode() for value in _values(secrets)]
        self._secrets = sorted(values, key=len, reverse=True)
        self._known = re.compile(b"|".join(map(re.escape, self._secrets))) if values else None
        firsts = b"".join(sorted({value[:1] for value in values}))
        self._first = re.compile(b"[" + re.escape(firsts) + b"]" if firsts else b"(?!)")
        self._longest = len(self._secrets[0]) if values else 0
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """The next bytes; answers all that is certain by now."""
        if self._known is None:
            return data
        data = self._held + data
        out: list[bytes] = []
        pos = 0
        keep = self._begun(data, pos)
        for match in self._known.finditer(data):
            if match.start() >= keep:
                # A longer secret, or one that begins earlier, may still come of it.
                break
            out += (data[pos : match.start()], REPLACEMENT.encode())
            pos = match.end()
            if keep < pos:
                keep = self._begun(data, pos)
        out.append(data[pos:keep])
        self._held = data[keep:]
        return b"".join(out)

    @property
    def holding(self) -> bool:
        """Something is held back."""
        return bool(self._held)

    def flush(self) -> bytes:
        """The stream is over: answers what was held back."""
        held, self._held = self._held, b""
        return self._known.sub(REPLACEMENT.encode(), held) if self._known else held

    def _begun(self, data: bytes, pos: int) -> int:
        """Where, from `pos` on, the first secret begins that the data breaks off; the data's length if none does."""
        for match in self._first.finditer(data, max(pos, len(data) - self._longest + 1)):
            rest = data[match.start() :]
            if any(len(rest) < len(secret) and secret.startswith(rest) for secret in self._secrets):
                return match.start()
        return len(data)


def secrets_in(env: Mapping[str, str]) -> set[str]:
    """The values of an environment that are secrets by their name (KEY, TOKEN, SECRET, PASSWORD, CREDENTIALS, ...), and
    passwords inside addresses. Places of files, short numbers, and words that stand for nothing are left out."""
    secrets = set()
    for name, value in env.items():
        secrets.update(_URL_PASSWORD.findall(value))
        value = value.strip()
        if _SECRET_NAME.search(name) and not _PLACE_NAME.search(name) and not _PLACE.fullmatch(value):
            secrets.add(value)
    return {value for value in secrets if _is_worth_hiding(value)}


def _is_worth_hiding(value: str) -> bool:
    return len(value) >= MIN_LENGTH and value.lower() not in _NO_SECRETS and not (value.isdigit() and len(value) < 10)


def _hits(text: str, lower: str, begin: str, shape: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where secrets of one shape stand."""
    pos = lower.find(begin)
    while pos >= 0:
        match = shape.match(text, pos)
        if match:
            group = match.lastgroup or 0
            start, end = match.span(group)
            if group == "q" and match[group][0] in "\"'":
                start, end = start + 1, end - 1
            if text[start:end] != REPLACEMENT:
                yield start, end
        pos = lower.find(begin, match.end() if match else pos + len(begin))


def _values(secrets: Iterable[str]) -> list[str]:
    """What to look for, longest first: each value, as it stands in JSON, and the lines of one that has several."""
    values = set()
    for secret in secrets:
        whole = secret.strip().encode(errors="ignore").decode()
        values.add(whole)
        values.add(json.dumps(whole)[1:-1])
        if "\n" in whole:
            values.update(line for line in map(str.strip, whole.split("\n")) if len(line) >= MIN_LINE)
    return sorted((value for value in values if len(value) >= MIN_LENGTH), key=lambda value: (-len(value), value))
