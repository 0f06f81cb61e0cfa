"""How a test agent takes its prompts and shows its replies: the kinds of terminal programs there are.

`Line` reads lines as the kernel gives them. `Raw` and those after it put the terminal into raw mode, ask for bracketed
paste, and have an input box: they differ in how they draw a reply.
"""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import time
import tty
from unicodedata import east_asian_width

from mind import END

PASTE, PASTE_END = b"\x1b[200~", b"\x1b[201~"
SPINNER = "|/-\\"


class Interrupted(Exception):
    pass


class Closed(Exception):
    """The terminal is gone."""


class Line:
    """Reads lines, prints lines. Nothing is known of it but a prompt, if it has one."""

    prompt = "mine> "

    def __init__(self, swallow: float = 0.0, restless: bool = False) -> None:
        self._buffer = b""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def stray(self) -> str:
        return ""

    def read(self) -> str:
        """Lines up to the one that ends a prompt, or a single line where nothing else is under way."""
        self.write(self.prompt)
        lines: list[str] = []
        while True:
            line = self._line()
            if not lines and not line.strip():
                self.write(self.prompt)
                continue
            lines.append(line)
            named = _named_file(line) if len(lines) == 1 else None
            if named is not None:
                return named
            if END.match(line) or (len(lines) == 1 and (line.startswith("/") or not self._more(1.0))):
                return "\n".join(lines)

    def _line(self) -> str:
        while b"\n" not in self._buffer:
            self._take()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode("utf-8", "replace")

    def _more(self, seconds: float) -> bool:
        return bool(self._buffer) or bool(select.select([0], [], [], seconds)[0])

    def _take(self) -> None:
        try:
            data = os.read(0, 65536)
        except OSError:
            data = b""
        if not data:
            raise Closed
        self._buffer += data

    def busy(self) -> None:
        pass

    def wait(self, seconds: float, spin: bool = False) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            if spin:
                self.write(f"\r{SPINNER[int(time.monotonic() * 10) % 4]} ")

    def show(self, text: str) -> None:
        self.write(text + "\n")

    def ask(self, question: str) -> bool:
        self.write(f"{question} [y/n] ")
        return self._line().strip().lower().startswith("y")

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(1, data) :]


class Bare(Line):
    prompt = ""


class Raw(Line):
    """Raw mode and bracketed paste on the normal screen. Escape interrupts. `swallow`: for so many seconds after a
    paste Enter is taken for nothing. `restless`: something moves even while it waits."""

    def __init__(self, swallow: float = 0.0, restless: bool = False) -> None:
        super().__init__()
        self._swallow = swallow
        self._restless = restless
        self._pasted_at = float("-inf")
        self._stray = ""
        self.draft = ""
        self.status = ""

    def start(self) -> None:
        if os.isatty(0):
            self._saved = termios.tcgetattr(0)
            tty.setraw(0)
        self.write("\x1b[?2004h")

    def stop(self) -> None:
        self.write("\x1b[?2004l\r\n")
        if os.isatty(0):
            termios.tcsetattr(0, termios.TCSANOW, self._saved)

    def stray(self) -> str:
        stray, self._stray = self._stray, ""
        return stray

    def read(self) -> str:
        self.draft = self.status = ""
        self.draw()
        while True:
            kind, text = self._key(0.1 if self._restless else None)
            if kind == "paste":
                self.draft += text.replace("\r", "\n")
                self._pasted_at = time.monotonic()
            elif kind == "enter":
                if time.monotonic() - self._pasted_at < self._swallow:
                    continue
                if self.draft.strip():
                    draft, self.draft = self.draft, ""
                    self.submitted(draft)
                    return draft
            elif kind == "clear" or kind == "escape":
                self.draft = ""
            elif kind == "erase":
                self.draft = self.draft[:-1]
            elif kind == "text":
                self.draft += text
            self.draw()

    def _key(self, timeout: float | None = None) -> tuple[str, str]:
        """The next key: paste, enter, escape, clear, erase, text, or `none` when the time is over."""
        while True:
            if not self._buffer:
                if timeout is not None and not select.select([0], [], [], timeout)[0]:
                    return "none", ""
                self._take()
            if self._buffer.startswith(PASTE):
                end = self._buffer.find(PASTE_END)
                if end < 0:
                    self._take()
                    continue
                text = self._buffer[len(PASTE) : end].decode("utf-8", "replace")
                self._buffer = self._buffer[end + len(PASTE_END) :]
                return "paste", text
            if self._buffer.startswith(b"\x1b"):
                if len(self._buffer) == 1 and not select.select([0], [], [], 0.05)[0]:
                    self._buffer = b""
                    return "escape", ""
                if PASTE.startswith(self._buffer):
                    self._take()
                    continue
                sequence = re.match(rb"\x1b(\[[0-?]*[ -/]*[@-~])?", self._buffer)
                self._buffer = self._buffer[sequence.end() if sequence else 1 :]
                continue
            first = self._buffer[:1]
            if first in _KEYS:
                self._buffer = self._buffer[1:]
                return _KEYS[first], ""
            run = re.match(rb"[^\x00-\x1f\x7f]+", self._buffer)
            if run is None:
                self._buffer = self._buffer[1:]
                continue
            text = run[0].decode("utf-8", "ignore")
            self._buffer = self._buffer[run.end() :]
            return "text", text

    def wait(self, seconds: float, spin: bool = False) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([0], [], [], min(left, 0.1))[0]:
                self._take()
                if self._buffer in (b"\x1b", b"\x03"):
                    self._buffer = b""
                    raise Interrupted
            if spin:
                self.status = f"working {SPINNER[int(time.monotonic() * 10) % 4]}"
                self.draw()

    def ask(self, question: str) -> bool:
        """A menu. A key decides at once; what else arrives is stray, and an Enter takes the marked choice: yes."""
        self.show(f"\n{question}\n❯ 1. Yes (y)\n  2. No (n)\n")
        while True:
            kind, text = self._key()
            if kind == "enter" or (kind == "text" and text in ("y", "1")):
                return True
            if kind == "escape" or (kind == "text" and text in ("n", "2")):
                return False
            self._stray += text

    # ---- drawing -----------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """The row of the input box, or of what is going on."""
        folded = self.draft if "\n" not in self.draft else f"[Pasted text +{self.draft.count(chr(10))} lines]"
        mark = "." if self._restless and int(time.monotonic() * 10) % 2 else ""
        self.write(f"\r\x1b[K{self.status or self.prompt + folded + mark}")

    def submitted(self, text: str) -> None:
        self.write(f"\r\x1b[K{text}".replace("\n", "\r\n") + "\r\n")

    def busy(self) -> None:
        self.status = "working"
        self.draw()

    def show(self, text: str) -> None:
        self.write("\r\x1b[K")
        for line in self.rendered(text):
            self.write(line + "\r\n")

    def rendered(self, text: str) -> list[str]:
        return text.split("\n")


class Boxed(Raw):
    """Draws a box of 40 columns and wraps hard, so that no terminal can join the lines again."""

    def rendered(self, text: str) -> list[str]:
        rows = [piece for line in text.split("\n") for piece in cut(line, 36)]
        boxed = [f"│ {row}{' ' * (36 - width(row))} │" for row in rows]
        return ["╭" + "─" * 38 + "╮", *boxed, "╰" + "─" * 38 + "╯"]


class Markdown(Raw):
    """Renders: tags that stand alone are gone, backslashes and marks of emphasis are eaten, lists get bullets."""

    def rendered(self, text: str) -> list[str]:
        rows = []
        for line in text.split("\n"):
            if re.fullmatch(r"\s*</?[A-Za-z]+>\s*", line):
                continue
            line = re.sub(r"\\(.)", r"\1", line)
            line = re.sub(r"\*\*(.+?)\*\*|`(.+?)`", lambda found: found[1] or found[2], line)
            rows.append(re.sub(r"^(\s*)- ", r"\1• ", line))
        return [("● " if index == 0 else "  ") + row for index, row in enumerate(rows)]


class Full(Raw):
    """The alternate screen: a viewport that follows the end, an input box, a status row. Nothing can be scrolled back,
    and what a long reply begins with is gone when it ends."""

    def __init__(self, swallow: float = 0.0, restless: bool = False) -> None:
        super().__init__(swallow, restless)
        self._rows: list[str] = []

    def start(self) -> None:
        self.write("\x1b[?1049h")
        super().start()

    def stop(self) -> None:
        self.write("\x1b[?1049l")
        super().stop()

    def submitted(self, text: str) -> None:
        self._rows += [f"> {line}" for line in text.split("\n")]

    def show(self, text: str) -> None:
        for line in text.split("\n"):
            self._rows.append(line)
            self.draw()

    def draw(self) -> None:
        columns, rows = os.get_terminal_size(1)
        wrapped = [piece for row in self._rows for piece in cut(row, columns)]
        view = wrapped[-(rows - 4) :]
        view += [""] * (rows - 4 - len(view))
        folded = self.draft if "\n" not in self.draft else f"[Pasted text +{self.draft.count(chr(10))} lines]"
        beat = SPINNER[int(time.monotonic() * 10) % 4] if self._restless else ""
        foot = ["─" * columns, self.prompt + folded, "─" * columns, self.status or f"idle {beat}"]
        # The row is cleared before it is drawn: after its last column the clearing would take that one with it.
        body = "\r\n".join(f"\x1b[2K{row}" for row in [*view, *foot])
        self.write(f"\x1b[H{body}\x1b[{rows - 2};{width(self.prompt + folded) + 1}H")


class Open(Full):
    """Its empty input box is the last row also while it works, and it folds what it was given in its history too."""

    def submitted(self, text: str) -> None:
        self._rows += [f"> [Pasted text +{text.count(chr(10))} lines]"]

    def draw(self) -> None:
        columns, rows = os.get_terminal_size(1)
        wrapped = [piece for row in self._rows for piece in cut(row, columns)]
        view = wrapped[-(rows - 4) :]
        folded = self.draft if "\n" not in self.draft else f"[Pasted text +{self.draft.count(chr(10))} lines]"
        body = "\r\n".join(f"\x1b[2K{row}" for row in [*view, "", self.status, "─" * columns])
        self.write(f"\x1b[H{body}\r\n\x1b[J{self.prompt}{folded}")


FACES = {"line": Line, "bare": Bare, "raw": Raw, "boxed": Boxed, "markdown": Markdown, "full": Full, "open": Open}

_KEYS = {b"\r": "enter", b"\n": "enter", b"\x15": "clear", b"\x7f": "erase", b"\x03": "escape"}


def width(text: str) -> int:
    """Columns that a terminal takes for it."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def cut(line: str, columns: int) -> list[str]:
    """The line in pieces of at most so many columns."""
    if line.isascii():
        return [line[at : at + columns] for at in range(0, max(len(line), 1), columns)]
    pieces = [""]
    for one in line:
        if width(pieces[-1]) + width(one) > columns:
            pieces.append("")
        pieces[-1] += one
    return pieces


def _named_file(line: str) -> str | None:
    """A line that names a file which holds the prompt: such a prompt was too long to be typed."""
    for path in re.findall(r"/[^\s`'\"]+", line):
        if os.path.isfile(path := path.rstrip(".,:;")):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if END.search(text):
                return text
    return None


def die(code: int) -> None:
    """End at once, as a crash does; a negative code is a signal's."""
    sys.stdout.flush()
    if code < 0:
        os.kill(os.getpid(), -code)
        time.sleep(60)
    os._exit(code)
