"""The filter for terminal text on its way to a viewer: bytes of a pane go in, text that cannot harm comes out.

What it lets through is a list, and everything else is dropped: text, the control characters that move the cursor, SGR,
and cursor and screen control. Not on the list: OSC (but hyperlinks to http and https), DCS, APC, PM, SOS, C1, every
query that a terminal would answer, window operations, keyboard and mouse modes, and numbers large enough to keep a
viewer busy. In what comes out an escape character is always the first one of a whole sequence from the list.

It does not know how text looks on a screen (core/screen.py), or who reads it.
"""

from __future__ import annotations

import codecs
import re

MAX_TITLE = 256
"""Longest title in characters; xterm and tmux keep about as many."""

MAX_PAYLOAD = 4096
"""Most characters of an OSC that are looked at: longer hyperlinks are no use, longer titles are cut anyway."""

MAX_STATES = 64
"""Most states that wait for the caller; the newest count."""

_DROPPED = r"\x00-\x07\x10-\x1a\x1c-\x1f\x7f-\x9f"
"""C0 without BS, TAB, LF, VT, FF, CR, SO, SI; DEL; C1. (ENQ is a query, CAN and SUB end sequences, BEL is a noise.)"""

_PARAMS = r"[0-9]{0,4}+(?:[;:][0-9]{0,4}+){0,38}+"
_KEPT = rf"\x1b(?:\[(?:{_PARAMS}[A-MPSXZ@`abd-gmr]|\?25[hl]|[su])|[78DEHM]|[()][0AB])"
_RUN = re.compile(rf"(?:[^{_DROPPED}\x1b]++|{_KEPT})*+")
"""As much as can be passed on as it is. One possessive match, because a loop in Python costs ten times as much."""

_SKIP = re.compile(rf"(?:[{_DROPPED}]|\x1b(?=\x1b)|\x1b\[\?2026[hl]|\x1b\[[?>=]?[0-9;]{{0,20}}+[cn])++")
"""Likewise what is dropped in one go: controls, synchronised output (it could freeze a viewer), common queries."""

_CSI = re.compile(r"\x1b\[([<-?]?)([0-?]{0,200}+)([ -/]{0,4}+)([@-~])")
_CSI_BEGUN = re.compile(r"\x1b\[[<-?]?[0-?]{0,200}+[ -/]{0,4}+$")
_ESCAPE = re.compile(r"\x1b([ -/]{0,4}+[0-~])")
_ESCAPE_BEGUN = re.compile(r"\x1b[ -/]{0,4}+$")
_STRING_END = {True: re.compile("[\x07\x18\x1a\x1b\x9c]"), False: re.compile("[\x18\x1a\x1b\x9c]")}

_STRINGS = "]PX^_k"
"""OSC, DCS, SOS, PM, APC, and the title sequence of screen: text until a string terminator."""

_PLAIN_CSI = re.compile(r"[0-9]{0,4}T|4[hl]|[0-6]? q|!p|\?[0-2]?[JK]")
_SHOWN_MODES = frozenset({"1", "5", "6", "7", "12", "25", "45", "47", "1047", "1048", "1049"})
"""Private modes a viewer may follow: cursor keys (so that a person who takes over types the right ones), reverse video,
origin, wrapping, cursor blink and visibility, and the alternate screen."""
_ALTERNATE_MODES = frozenset({"47", "1047", "1049"})
_PLAIN_ESCAPES = frozenset({"c", "#8"})

_LINK_ID = re.compile(r"(?:^|:)id=([\w.\-]{1,250})(?::|$)", re.ASCII)
_LINK = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_NO_LINK = "\x1b]8;;\x1b\\"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class TerminalFilter:
    """One pane's output, in pieces. What comes out does not depend on how it is cut; at most 210 characters wait.

    Seen on the way: `bracketed_paste` (the last ESC[?2004h or l), `alternate` (the last ESC[?1049h or l, or its kin),
    `title` (the last OSC 0 or 2, without controls), `osc_states` (each OSC 7501 as it was written, for the caller to
    take and to clear).
    """

    def __init__(self) -> None:
        self.bracketed_paste = False
        self.alternate = False
        self.title = ""
        self.osc_states: list[str] = []
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._carry = ""
        self._string = ""  # the kind of string that is being read, one of _STRINGS
        self._payload = ""

    def feed(self, data: bytes) -> str:
        """The next bytes of the pane. Never raises; what is not UTF-8 becomes U+FFFD."""
        text = self._carry + self._decode(data)
        self._carry = ""
        pos, length = 0, len(text)
        out: list[str] = []
        while pos < length:
            if self._string:
                pos = self._read_string(text, pos, out)
                continue
            run = _RUN.match(text, pos)
            end = run.end() if run else pos
            if end > pos:
                out.append(text[pos:end] if end - pos < length else text)
                pos = end
            elif skip := _SKIP.match(text, pos):
                pos = skip.end()
            else:
                pos = self._read_escape(text, pos, out)
        return "".join(out)

    def _read_escape(self, text: str, pos: int, out: list[str]) -> int:
        """A sequence that is not on the short list, at `pos`. Answers where reading goes on."""
        kind = text[pos + 1 : pos + 2]
        if kind and kind in _STRINGS:
            self._string, self._payload = kind, ""
            return pos + 2
        if kind == "[":
            whole, begun = _CSI.match(text, pos), _CSI_BEGUN
        else:
            whole, begun = _ESCAPE.match(text, pos), _ESCAPE_BEGUN
        if whole:
            if kind == "[":
                out.append(self._csi(whole[1], whole[2], whole[3] + whole[4]))
            elif whole[1] in _PLAIN_ESCAPES:
                out.append(whole[0])
                if whole[1] == "c":
                    self.bracketed_paste = self.alternate = False
            return whole.end()
        if begun.match(text, pos):
            self._carry = text[pos:]
            return len(text)
        # No sequence: without its escape character the rest is text.
        return pos + 1

    def _csi(self, private: str, params: str, final: str) -> str:
        """A control sequence as far as it may be shown."""
        if private == "?" and final in ("h", "l"):
            modes = params.split(";")
            if "2004" in modes:
                self.bracketed_paste = final == "h"
            if not _ALTERNATE_MODES.isdisjoint(modes):
                self.alternate = final == "h"
            shown = ";".join(mode for mode in modes if mode in _SHOWN_MODES)
            return f"\x1b[?{shown}{final}" if shown else ""
        sequence = f"{private}{params}{final}"
        return f"\x1b[{sequence}" if _PLAIN_CSI.fullmatch(sequence) else ""

    def _read_string(self, text: str, pos: int, out: list[str]) -> int:
        """Text up to a terminator. Any other escape ends it as well, and then it counts for nothing."""
        osc = self._string == "]"
        found = _STRING_END[osc].search(text, pos)
        end = found.start() if found else len(text)
        if osc and len(self._payload) < MAX_PAYLOAD:
            self._payload += text[pos : min(end, pos + MAX_PAYLOAD - len(self._payload))]
        if not found:
            return end
        if found[0] == "\x1b":
            if end + 1 == len(text):
                self._carry = "\x1b"
                return end + 1
            if text[end + 1] != "\\":
                self._string = ""
                return end
            end += 1
        if osc and found[0] not in "\x18\x1a":
            out.append(self._osc(*self._payload.partition(";")[::2]))
        self._string = ""
        return end + 1

    def _osc(self, number: str, payload: str) -> str:
        """An operating system command: noted where we use it, shown where it is a link to the web."""
        match number:
            case "0" | "2":
                self.title = _CONTROL.sub(" ", payload)[:MAX_TITLE]
            case "7501":
                self.osc_states = [*self.osc_states[1 - MAX_STATES :], _CONTROL.sub(" ", payload)]
            case "8":
                params, _, link = payload.partition(";")
                if _LINK.fullmatch(link) and len(link) + len(params) + 3 < MAX_PAYLOAD:
                    name = _LINK_ID.search(params)
                    return f"\x1b]8;{'id=' + name[1] if name else ''};{link}\x1b\\"
                # Also for a link that is refused: its text must not belong to the link before it.
                return _NO_LINK
        return ""
