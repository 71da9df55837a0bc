"""Edits of HCL text that leave every other byte as it is: comments, alignment, line ends.

The tree of `infraspec.hcl` says where a node begins. Where brackets close and where an expression ends is read off the
text, because a tree has no comments.

Source: HCL Native Syntax Specification, "Lexical Elements" and "Template Expressions".
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

_TOKEN = re.compile(
    r'(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)|<<-?(?P<heredoc>\w[\w-]*)\r?\n|(?P<quote>")|(?P<open>[\[({])|'
    r"(?P<close>[\])}])|(?P<newline>\n)|(?P<comma>,)|(?P<blank>[ \t\r]+)|(?P<other>\w+|.)",
    re.DOTALL,
)
_TEMPLATE = re.compile(r'\\.|(?P<literal>\$\$\{|%%\{)|(?P<open>[$%]\{)|(?P<end>")|.', re.DOTALL)
_STEP = "  "


class Edit(Struct, frozen=True, order=True):
    """A text that takes the place of the characters of a file from `start` to `end`."""

    file: Path
    start: int
    end: int
    text: str


class OverlapError(ValueError):
    """Two edits are about the same characters."""


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits made; what is inserted has the line ends of the text. Raises OverlapError."""
    pieces: list[str] = []
    position = 0
    newline = "\r\n" if "\r\n" in text else "\n"
    for edit in sorted(dict.fromkeys(edits), key=lambda one: (one.start, one.end)):
        if edit.start < position:
            raise OverlapError(edit.text)
        pieces += text[position : edit.start], edit.text.replace("\r\n", "\n").replace("\n", newline)
        position = edit.end
    return "".join([*pieces, text[position:]])


class Token(Struct, frozen=True):
    """A token: `kind` is open, close, comma, newline, comment, or other."""

    kind: str
    start: int
    end: int


def tokens(text: str, at: int) -> Iterator[Token]:
    """Yield what stands in a text from an offset on, blanks left out; quoted text and heredocs are one token each."""
    while found := _TOKEN.match(text, at):
        kind, end = str(found.lastgroup), found.end()
        if kind == "quote":
            kind, end = "other", _quote_end(text, end)
        elif kind == "heredoc":
            closing = re.compile(rf"^[ \t]*{re.escape(found['heredoc'])}[ \t]*\r?$", re.MULTILINE).search(text, end)
            kind, end = "other", closing.end() if closing else len(text)
        if kind != "blank":
            yield Token(kind, found.start(), end)
        at = end


def _quote_end(text: str, at: int) -> int:
    while found := _TEMPLATE.match(text, at):
        at = found.end()
        if found["end"]:
            break
        if found["open"]:
            at = closing(text, at - 1).start + 1
    return at


class Brackets(Struct, frozen=True):
    """A pair of brackets: the offset after the opening one, that of the closing one, and the last token between."""

    inner: int
    start: int
    last: Token | None
    first: Token | None


def closing(text: str, at: int) -> Brackets:
    """Return the brackets that open at an offset. Raises ValueError if they never close."""
    depth, last, first = 0, None, None
    for token in tokens(text, at):
        depth += (token.kind == "open") - (token.kind == "close")
        if not depth:
            return Brackets(at + 1, token.start, last, first)
        if token.start > at and token.kind not in {"comment", "newline"}:
            first, last = first or token, token
    raise ValueError("brackets that never close")


def opening(text: str, at: int, bracket: str = "{") -> int:
    """Return where the first bracket of a kind is from an offset on."""
    return next(token.start for token in tokens(text, at) if text[token.start : token.end] == bracket)


def expression_end(text: str, at: int) -> int:
    """Return where the expression ends that begins at an offset, as an argument or an item."""
    depth, end = 0, at
    for token in tokens(text, at):
        if depth == 0 and token.kind in {"comma", "newline", "close", "comment"}:
            break
        depth += (token.kind == "open") - (token.kind == "close")
        if token.kind not in {"comment", "newline"}:
            end = token.end
    return end


def line_start(text: str, at: int) -> int:
    """Return where the line of an offset begins."""
    return text.rfind("\n", 0, at) + 1


def indent_of(text: str, at: int) -> str:
    """Return the blanks that the line of an offset begins with."""
    line = text[line_start(text, at) : at]
    return line[: len(line) - len(line.lstrip())] if line.strip() else line


def _opens_line(text: str, at: int) -> bool:
    return not text[line_start(text, at) : at].strip()


def items_added(file: Path, text: str, at: int, items: Sequence[str], *, commas: bool) -> list[Edit]:
    """Return what adds items to the list or object whose bracket opens at an offset; a list has `commas`."""
    pair = closing(text, at)
    if _opens_line(text, pair.start):
        own_line = pair.first is not None and _opens_line(text, pair.first.start)
        indent = indent_of(text, pair.first.start if own_line and pair.first else pair.start)
        indent += "" if own_line else _STEP
        ends = "," if commas else ""
        lines = "".join(f"{textwrap.indent(item, indent)}{ends}\n" for item in items)
        begin = line_start(text, pair.start)
        edits = [Edit(file, begin, begin, lines)]
        if commas and pair.last is not None and pair.last.kind != "comma":
            edits.insert(0, Edit(file, pair.last.end, pair.last.end, ","))
        return edits
    if pair.last is None:
        joined = ", ".join(items)
        padded = joined if commas else f" {joined} "
        return [Edit(file, pair.inner, pair.start, padded)]
    before = "" if pair.last.kind == "comma" else ","
    continued = textwrap.indent(", ".join(items), indent_of(text, at)).lstrip()
    return [Edit(file, pair.last.end, pair.last.end, f"{before} {continued}")]


def argument_added(file: Path, text: str, at: int, lines: str, after: int | None) -> Edit:
    """Return what adds lines to the block that begins at an offset: behind an argument's end, or before the brace."""
    brace = opening(text, at)
    pair = closing(text, brace)
    indent = indent_of(text, at) + _STEP
    if after is not None:
        lines = _aligned(lines, text, after)
    own = textwrap.indent(lines, indent)
    if after is not None and "\n" in text[after : pair.start]:
        place = text.index("\n", after) + 1
        return Edit(file, place, place, f"{own}\n")
    if _opens_line(text, pair.start) and "\n" in text[brace : pair.start]:
        place = text.index("\n", brace) + 1 if after is None else line_start(text, pair.start)
        return Edit(file, place, place, f"{own}\n")
    inner = text[pair.inner : pair.start].strip()
    kept = f"{indent}{inner}\n" if inner else ""
    return Edit(file, pair.inner, pair.start, f"\n{kept}{own}\n{indent_of(text, at)}")


_ARGUMENT = re.compile(r"\s*(\w+ *)= ")


def _aligned(lines: str, text: str, after: int) -> str:
    """Return an argument with its sign below that of the argument that ends at an offset, if it is long enough."""
    neighbour, own = _ARGUMENT.match(text, line_start(text, after - 1)), _ARGUMENT.match(lines)
    if neighbour is None or own is None:
        return lines
    return f"{own[1].strip():{len(neighbour[1]) - 1}} = {lines[own.end() :]}"


def block_added(file: Path, text: str, at: int, block: str) -> Edit:
    """Return what adds a nested block at the end of the block that begins at an offset."""
    pair = closing(text, opening(text, at))
    indent = indent_of(text, at)
    own = textwrap.indent(block, indent + _STEP)
    if _opens_line(text, pair.start):
        place = line_start(text, pair.start)
        return Edit(file, place, place, f"\n{own}\n")
    inner = text[pair.inner : pair.start].strip()
    kept = f"{indent}{_STEP}{inner}\n\n" if inner else ""
    return Edit(file, pair.inner, pair.start, f"\n{kept}{own}\n{indent}")


def blocks_after(file: Path, text: str, at: int, blocks: str) -> Edit:
    """Return what adds blocks behind the block that begins at an offset."""
    end = closing(text, opening(text, at)).start + 1
    line_end = text.find("\n", end)
    if line_end < 0:
        return Edit(file, len(text), len(text), f"\n\n{blocks}\n")
    return Edit(file, line_end + 1, line_end + 1, f"\n{blocks}\n")


def blocks_at_end(file: Path, text: str, blocks: str) -> Edit:
    """Return what adds blocks at the end of a file."""
    before = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return Edit(file, len(text), len(text), f"{before}{blocks}\n")
