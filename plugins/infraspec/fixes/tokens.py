"""Tokens of HCL text, with what a tree does not have: comments, and where brackets close and expressions end.

Source: HCL Native Syntax Specification, "Lexical Elements" and "Template Expressions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_TOKEN = re.compile(
    r'(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)|<<-?(?P<heredoc>\w[\w-]*)\r?\n|(?P<quote>")|(?P<open>[\[({])|'
    r"(?P<close>[\])}])|(?P<newline>\n)|(?P<comma>,)|(?P<blank>[ \t\r]+)|(?P<other>\w+|.)",
    re.DOTALL,
)
_TEMPLATE = re.compile(r'\\.|(?P<literal>\$\$\{|%%\{)|(?P<open>[$%]\{)|(?P<end>")|.', re.DOTALL)


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
