"""The reader of POLI messages: text in any split goes in, blocks and complaints come out, in linear time.

    [[POLI:MSG {"to":"EXECUTER","type":"plan","key":"..."}]]
    body
    [[/POLI:MSG]]

The rules, once:

- A marker counts at the start of a line, after indentation, bullets, prompt glyphs, and frame bars. An opening in the
  middle of a sentence is prose. After an end marker the rest of its line is looked at as a line of its own.
- An end marker at the end of a line counts too: on the opening's own line; on a screen everywhere; in a witness's text
  only when nothing but blank lines and fences comes before the next opening or the end of the text.
- Blanks after the opening and the line break behind them belong to the opening. The line break before the end marker,
  and whatever stands before it on its line, belong to the end marker. All between is the body, exactly (screen: without
  the frame and the indentation that the opening's own line had).
- A line with a form feed on a screen's text says that something is missing there; no block reaches over it.
- An end marker closes the nearest open block, and a block that closes swallows what was nested in it. A block that
  never closes is reported, and what was closed inside it counts by itself. Where a mere mention (a broken header, or
  one without the outer block's key) would take the last end marker away from a real block, the real block gets it.

It does not know who speaks, whether a key is the right one, or whether a message is allowed: that is core/run.py.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Literal

from politerm.core.glyphs import BLANK, EDGE, GAP, GLYPHS, is_framed, whole_characters, without_bar, without_frame
from politerm.core.header import MAX_HEADER, Fault, parse_header

MAX_BODY = (1 << 20) + (1 << 16)
"""Longest body in characters: 1 MiB of text, and room for the tags around it."""

MAX_HEADER_LINES = 24
"""Most lines a hard-wrapped header is looked for on; 24 lines of 36 columns hold 864 characters."""

MAX_DEPTH = 16
"""Most blocks open inside one another; one more, and the outermost is given up."""

MAX_MARKERS = 20_000
"""Most markers and header lines in one text; after that reading stops. 1,000 repaints of a message have about 5,000."""

MAX_FENCES = 20_000
"""Most code fences that are followed in one text; after that everything counts as quoted."""

Reason = Literal["unclosed", "oversized", "too-many", "gap"] | Fault
Fence = tuple[str, int]

_NEEDLE = "POLI:MSG"
_SEGMENT = 1 << 18
_LINE_MAX = MAX_BODY + MAX_HEADER
_LEAD = f"[{GLYPHS}]{{0,200}}"

_OPEN = {
    False: re.compile(rf"({_LEAD})(\[\[)POLI:MSG(?=[{EDGE}]*(?:[{{\]]|$))"),
    True: re.compile(rf"({_LEAD})(\[\[?)POLI:MSG(?=[{EDGE}]*(?:[{{\]]|$))"),
}
_CLOSE = {
    False: re.compile(rf"{_LEAD}\[\[/POLI:MSG\]\]"),
    True: re.compile(rf"{_LEAD}\[\[?/POLI:MSG\]\]?"),
}
_TAIL = rf"(?=[{EDGE}]*$|[{EDGE}]*\[\[?POLI:MSG)"
_JOINED = {
    False: re.compile(rf"\[\[/POLI:MSG\]\]{_TAIL}"),
    True: re.compile(rf"\[\[?/POLI:MSG\]\]?{_TAIL}"),
}
_FENCE = re.compile(r"[ \t>*\-]*(`{3,}|~{3,})(.*)")
_REST = {False: re.compile(rf"[{BLANK}]*"), True: re.compile(rf"[{EDGE}]*$|[{BLANK}]*")}
_NOTHING = re.compile(r"[\s`~]{0,400}")


@dataclass(frozen=True)
class Block:
    """A well-formed message. `index`: its ordinal among everything found in the text, broken ones included.

    `header["type"]` is in lower case and one of KINDS; every other field is as written. `start`: the offset of the
    opening marker in the text, in characters. `quoted`: it stands in a Markdown fence or quotation (witness text only).
    """

    index: int
    header: dict[str, Any]
    body: str
    quoted: bool
    start: int

    @property
    def kind(self) -> str:
        return str(self.header["type"])


@dataclass(frozen=True)
class Broken:
    """Something that opened like a message and is none. `excerpt`: its first words on one line, at most 160
    characters."""

    index: int
    reason: Reason
    excerpt: str


Found = Block | Broken


@dataclass(slots=True, eq=False)
class _Open:
    """A block whose opening was read. Offsets count characters of the whole text; `end` is None while it is open."""

    start: int
    body: int
    header: dict[str, Any]
    reason: Reason | None
    quoted: bool
    fence: Fence | None
    lead: str
    end: int | None = None
    joined: tuple[int, int] | None = None
    inner: list[_Open] = field(default_factory=list)

    def is_mention(self, outer: _Open) -> bool:
        """Is this, seen from the block around it, rather talk about messages than a message?"""
        key = outer.header.get("key")
        return self.reason is not None or (key is not None and self.header.get("key") != key)


@dataclass(slots=True, eq=False)
class _Header:
    """An opening whose header may go on in the next line. `lead`: what stands before the marker on its line."""

    start: int
    brackets: int
    lead: str
    text: str = ""
    lines: int = 0

    @property
    def framed(self) -> bool:
        return is_framed(self.lead)

    @property
    def margin(self) -> str:
        """What may be repeated before each further line of the header."""
        return (EDGE if self.framed else BLANK + "\u00a0") + (">" if ">" in self.lead else "")


class BlockReader:
    """Reads one text, for example what an agent said in one turn. Results do not depend on how the text is split.

    Memory: at most one body, one line, and one segment (2.4 million characters in all). Nothing raises.
    """

    def __init__(self, *, screen: bool = False) -> None:
        self._screen = screen
        self._found: list[Found] = []
        self._count = 0
        self._stopped = False
        self._markers = MAX_MARKERS
        self._fences = MAX_FENCES
        self._offset = 0  # of the first character that was not yet read as part of a whole line
        self._tail: list[str] = []  # the line that is still being written, cut at _LINE_MAX
        self._tail_length = 0  # its true length
        self._starts: list[int] = []  # offsets of the pieces of text that open blocks reach into
        self._pieces: list[str] = []
        self._stack: list[_Open] = []  # open blocks, outermost first
        self._header: _Header | None = None
        self._fence: Fence | None = None

    def feed(self, text: str) -> list[Found]:
        """The next piece of text. Answers what became certain by it, in the order of the text."""
        if self._stopped:
            return []
        text = whole_characters(text)
        at = text.find("\n") + 1
        if not at:
            self._hold(text)
            return []
        self._hold(text[:at])
        self._flush_tail()
        while at < len(text):
            end = text.rfind("\n", at, at + _SEGMENT) + 1 or text.find("\n", at) + 1
            if not end:
                self._hold(text[at:])
                break
            self._segment(text[at:end], end - at)
            at = end
        return self._take()

    def end(self) -> list[Found]:
        """The text is over: answers what was still open. The reader is used up."""
        self._flush_tail()
        if self._header is not None:
            self._give_up(self._header)
        self._close_joined(self._offset)
        while self._stack:
            self._settle_outermost()
        self._stopped = True
        return self._take()

    # ---- lines -------------------------------------------------------------------------------------------------------

    def _hold(self, text: str) -> None:
        """Keep an unfinished line; what is beyond any possible body is only counted."""
        room = _LINE_MAX - self._tail_length
        if room > 0:
            self._tail.append(text[:room])
        self._tail_length += len(text)

    def _flush_tail(self) -> None:
        text, length = "".join(self._tail), self._tail_length
        self._tail.clear()
        self._tail_length = 0
        self._segment(text, length)

    def _segment(self, text: str, length: int) -> None:
        """Whole lines. A segment longer than _SEGMENT is one line; of an overlong line only the beginning is read."""
        if self._stopped:
            return
        base = self._offset
        text = text[:_LINE_MAX]
        self._starts.append(base)
        self._pieces.append(text)
        self._scan(text, base)
        self._offset = base + length
        if length > _LINE_MAX:
            # Whatever is open reaches over text that was not kept.
            while self._stack:
                self._drop_outermost("oversized", self._offset)
        self._drop_oversized(self._offset)
        self._forget()

    def _scan(self, text: str, base: int) -> None:
        """Jump from one line of interest to the next; the text between costs a search and nothing else."""
        needles = [_NEEDLE, GAP] if self._screen else [_NEEDLE] if self._fences < 0 else [_NEEDLE, "```", "~~~"]
        nexts = [-1] * len(needles)
        pos, length = 0, len(text)
        while pos < length and not self._stopped:
            if self._header is None:
                for i, needle in enumerate(needles):
                    if nexts[i] < pos:
                        found = text.find(needle, pos)
                        nexts[i] = found if found >= 0 else length
                hit = min(nexts)
                if hit == length:
                    return
                pos = text.rfind("\n", pos, hit) + 1 or pos
            stop = text.find("\n", pos)
            stop = stop if stop >= 0 else length
            self._line(text[pos:stop], base + pos)
            pos = stop + 1

    def _line(self, line: str, at: int) -> None:
        """One line of interest, `at` its offset: a header goes on, or a fence, or a marker stands somewhere in it."""
        header = self._header
        gap = self._screen and GAP in line
        if header is not None:
            if gap or _NEEDLE in line:
                self._give_up(header)
            elif self._continue_header(header, line, at):
                return
        fence = None if self._screen else _FENCE.match(line)
        if gap:
            while self._stack:
                self._drop_outermost("gap", at)
        elif fence:
            self._toggle_fence(fence[1], fence[2])
        elif _NEEDLE in line:
            self._read_markers(line, at, 0, fresh=True)

    def _toggle_fence(self, run: str, rest: str) -> None:
        self._fences -= 1
        if self._fences < 0:
            return
        if self._fence is None:
            if run[0] not in rest:
                self._fence = (run[0], len(run))
        elif run[0] == self._fence[0] and len(run) >= self._fence[1] and not rest.strip():
            self._fence = None

    def _read_markers(self, line: str, at: int, pos: int | None, *, fresh: bool) -> None:
        """The markers of a line from `pos` on. `fresh`: a line begins here; otherwise the body of a block that was
        opened on this same line. None: nothing of the line is left."""
        while pos is not None:
            self._markers -= 1
            if self._markers < 0:
                self._stop(at + pos)
                return
            opening = _OPEN[self._screen].match(line, pos) if fresh else None
            if opening:
                self._header = _Header(at + opening.start(2), len(opening[2]), opening[1])
                pos, fresh = self._extend_header(self._header, line, at, opening.end()), False
                continue
            closing = _CLOSE[self._screen].match(line, pos) if fresh else None
            end = at + pos
            if closing is None and self._stack:
                closing = _JOINED[self._screen].search(line, pos)
                if closing is not None:
                    end = at + closing.start()
                    if fresh and not self._screen:
                        self._stack[-1].joined = (end, at + closing.end())
                        return
            if closing is None:
                return
            self._close(end)
            pos, fresh = closing.end(), True

    # ---- headers -----------------------------------------------------------------------------------------------------

    def _continue_header(self, header: _Header, line: str, at: int) -> bool:
        """A line after the opening's. Answers False when the opening turns out to have been prose."""
        pos = len(line) - len(line.lstrip(header.margin))
        if not header.text and not line.startswith(("{", "]"), pos):
            self._header = None
            return False
        self._read_markers(line, at, self._extend_header(header, line, at, pos), fresh=False)
        return True

    def _extend_header(self, header: _Header, line: str, at: int, pos: int) -> int | None:
        """Take this line's share of the header. If that completes it, open the block; answers where on this line the
        body begins, if it does."""
        piece = line[pos : pos + MAX_HEADER + 1].rstrip()
        if header.framed:
            piece = without_bar(piece)
        if not header.text:
            length = len(piece)
            piece = piece.lstrip(EDGE)
            pos += length - len(piece)
        before = len(header.text)
        header.text += piece
        header.lines += 1
        self._markers -= 1
        parsed = parse_header(header.text, header.brackets, lenient=self._screen) if "]" in piece else None
        if parsed is None:
            if len(header.text) > MAX_HEADER or header.lines >= MAX_HEADER_LINES:
                self._give_up(header)
            return None
        value, reason, end = parsed
        self._header = None
        body = pos + max(end - before, 0)
        rest = _REST[header.framed].match(line, body)
        body = rest.end() if rest else body
        self._push(header, value, reason, at + body + (body == len(line)))
        return body if body < len(line) else None

    def _give_up(self, header: _Header) -> None:
        """No header came of it. An opening with nothing behind it was prose, anything else is a broken block."""
        self._header = None
        if header.text:
            self._push(header, {}, "bad-header", header.start)

    # ---- blocks ------------------------------------------------------------------------------------------------------

    def _push(self, header: _Header, value: dict[str, Any], reason: Reason | None, body: int) -> None:
        self._drop_oversized(header.start)
        self._close_joined(header.start - len(header.lead))
        stack = self._stack
        if self._screen and reason is None:
            # A screen may have no end to wait for: what cannot become a block does not keep a good one waiting, and
            # the same opening once more is the same message drawn again.
            while stack and (all(one.reason for one in stack) or stack[0].header == value):
                self._drop_outermost("unclosed", header.start)
        if len(stack) == MAX_DEPTH:
            self._drop_outermost("unclosed", header.start)
        entry = _Open(
            start=header.start,
            body=body,
            header=value,
            reason=reason,
            quoted=not self._screen and (self._fence is not None or self._fences < 0 or ">" in header.lead),
            fence=self._fence,
            lead=header.lead,
        )
        if stack:
            stack[-1].inner.append(entry)
        stack.append(entry)

    def _close(self, end: int) -> None:
        """An end marker; without an open block it means nothing."""
        self._drop_oversized(end)
        if self._stack:
            block = self._stack.pop()
            block.end = end
            self._fence = block.fence
            if not self._stack:
                self._emit(block)

    def _close_joined(self, until: int) -> None:
        """An end marker that was joined to the body's last line counts if nothing else came since."""
        if self._stack and self._stack[-1].joined is not None:
            end, after = self._stack[-1].joined
            if until - after <= 400 and _NOTHING.fullmatch(self._text(after, until)):
                self._close(end)

    def _settle_outermost(self) -> None:
        """The text is over, and the outermost block is still open."""
        outer = self._stack[0]
        mention = self._last_closed_mention(outer)
        if mention is None:
            self._drop_outermost("unclosed", self._offset)
        else:
            outer.end = mention.end
            self._stack = [one for one in self._stack if one.start > (mention.end or 0)]
            self._emit(outer)

    def _last_closed_mention(self, outer: _Open) -> _Open | None:
        """The inner block that has the text's last end marker, if `outer` has the better right to it."""
        if outer.reason is not None:
            return None
        for one in reversed(self._stack):
            for inner in reversed(one.inner):
                if inner.end is not None:
                    return inner if inner.is_mention(outer) else None
            if one is not outer and not one.is_mention(outer):
                return None
        return None

    def _drop_oversized(self, at: int) -> None:
        while self._stack and at - self._stack[0].body > MAX_BODY:
            self._drop_outermost("oversized", at)

    def _drop_outermost(self, reason: Reason, at: int) -> None:
        """Report the outermost block, given up at `at`; what is complete inside it counts by itself."""
        outer = self._stack.pop(0)
        outer.reason = outer.reason or reason
        outer.end = at
        self._emit(outer)
        for inner in outer.inner:
            if inner.end is not None:
                self._emit(inner)

    def _stop(self, at: int) -> None:
        while self._stack:
            self._drop_outermost("unclosed", at)
        self._found.append(Broken(self._count, "too-many", ""))
        self._stopped = True

    def _emit(self, block: _Open) -> None:
        end = block.end or 0
        if block.reason is None:
            body = _body(self._text(block.body, end), crlf=self._text(block.body - 2, block.body) == "\r\n")
            if self._screen:
                body = without_frame(body, block.lead)
            self._found.append(Block(self._count, block.header, body, block.quoted, block.start))
        else:
            excerpt = " ".join(self._text(block.start, min(end, block.start + 400)).split())[:160]
            self._found.append(Broken(self._count, block.reason, excerpt))
        self._count += 1

    # ---- the text that open blocks reach into ------------------------------------------------------------------------

    def _text(self, start: int, end: int) -> str:
        """What was kept of the text between two offsets."""
        parts = []
        index = max(bisect_right(self._starts, start) - 1, 0)
        while index < len(self._pieces) and self._starts[index] < end:
            base = self._starts[index]
            parts.append(self._pieces[index][max(start - base, 0) : end - base])
            index += 1
        return "".join(parts)

    def _forget(self) -> None:
        """Let go of text that no open block reaches into."""
        first = self._stack[0].start if self._stack else self._offset
        if self._header is not None:
            first = min(first, self._header.start)
        done = bisect_right(self._starts, first) - 1 if first < self._offset else len(self._starts)
        del self._starts[:done], self._pieces[:done]

    def _take(self) -> list[Found]:
        found, self._found = self._found, []
        return found


def read_blocks(text: str, *, screen: bool = False, final: bool = True) -> list[Found]:
    """Everything in a whole text. `final=False`: the text still grows, so only what is certain by now is answered, and
    a block that is still being written is no complaint."""
    reader = BlockReader(screen=screen)
    found = reader.feed(text)
    return found + (reader.end() if final else reader.feed("\n"))


def shows_block(text: str) -> bool:
    """Is there a valid block in this text, for a reader of either kind? (Nothing that we type may contain one.)"""
    return any(isinstance(one, Block) for screen in (False, True) for one in read_blocks(text, screen=screen))


def _body(raw: str, *, crlf: bool) -> str:
    """The text between the markers without the line break that belongs to the end marker (or the blanks before it).
    `crlf`: the opening's line ended in CR and LF."""
    if raw.endswith("\n"):
        return raw[:-1].removesuffix("\r") if crlf else raw[:-1]
    return raw.rstrip(BLANK)
