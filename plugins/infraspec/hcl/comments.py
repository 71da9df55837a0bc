"""The comments of a text and the item that each stands on: a block, an argument, an element of a list.

Source: HCL Native Syntax Specification, "Comments and Whitespace", "Structural Elements", "Template Expressions". The
parser takes comments for blanks, so this reads the text once more, by its brackets alone, and only where somebody asks.
What looks like a comment inside of quotes or a heredoc is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from infraspec.hcl import lexer
from infraspec.hcl.ast import SourceText

_TOKEN: Final = re.compile(
    rf"""(?P<newline>\n)|(?P<blank>[ \t\r]++)|(?P<comment>\#[^\n]*+|//[^\n]*+|/\*(?s:.*?)(?:\*/|\Z))|(?P<comma>,)
    |(?P<heredoc><<-?(?P<marker>{lexer.IDENTIFIER})\r?\n)|(?P<quote>")|(?P<open>[\[({{])|(?P<close>[\])}}])
    |(?P<word>{lexer.IDENTIFIER}|(?s:.))""",
    re.VERBOSE,
).match
_QUOTED: Final = re.compile(r'[^"\\$%]++|(?P<close>")|(?P<open>[$%]\{)|\\(?s:.)|\$\$\{|%%\{|(?s:.)').match
_RAW: Final = re.compile(r"[^$%\n]++|(?P<open>[$%]\{)|\$\$\{|%%\{|(?s:.)").match


class Comment(Struct):
    """A comment. `first` and `last` are the lines, from 1, of the item that it stands on; both 0 if it is on none."""

    text: str
    at: int
    first: int = 0
    last: int = 0


class _Item(Struct):
    """What stands between two separators."""

    at: int
    end: int


class _Frame(Struct):
    """What an opening bracket begins, or a template: `kind` is the bracket, `"`, `<` of a heredoc, or `$` in one."""

    kind: str
    marker: str = ""
    is_free: bool = False
    """Whether newlines are blanks, as in parentheses."""
    item: _Item | None = None
    before: _Item | None = None
    """The item that has ended last."""
    waiting: list[int] = field(default_factory=list)
    """Which comments stand on lines of their own since the last item."""


def comments(source: SourceText) -> list[Comment]:
    """Return the comments of a text in order.

    A comment behind something stands on the innermost item that begins or ends in its line, one on a line of its own on
    what begins in the line after it; further comments may stand between.
    """
    return list(_Reader(source).read())


class _Reader:
    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._text = source.text
        self._frames = [_Frame("")]
        self._written = -1
        """The offset after the last token that is neither blank nor comment."""
        self._held: list[tuple[Comment, _Item | None]] = []

    def read(self) -> Iterator[Comment]:
        """Yield the comments, once the ends of all items are known."""
        at = 0
        while at < len(self._text):
            kind = self._frames[-1].kind
            at = self._template(at) if kind in ('"', "<") else self._token(at)
        for comment, item in sorted(self._held, key=lambda pair: pair[0].at):
            if item is not None:
                comment.first, comment.last = self._line(item.at), self._line(max(item.at, item.end - 1))
            yield comment

    def _line(self, at: int) -> int:
        return self._source.line(at)

    def _token(self, at: int) -> int:
        found = _TOKEN(self._text, at)
        if found is None:
            return len(self._text)
        frame = self._frames[-1]
        match found.lastgroup:
            case "newline" if not frame.is_free:
                self._end(frame)
            case "newline" | "blank":
                pass
            case "comment":
                self._comment(frame, found)
            case "comma":
                self._end(frame)
                self._written = found.end()
            case "close":
                self._close(found.end())
            case _:
                self._write(frame, found)
        return found.end()

    def _write(self, frame: _Frame, found: re.Match[str]) -> None:
        """Take a token that belongs to an item, which may open something."""
        at, end = found.span()
        if frame.item is None:
            frame.item = _Item(at, end)
            self._attach(frame)
        frame.item.end = self._written = end
        if found["open"]:
            is_loop = found["open"] == "{" and lexer.for_intro(self._text, end) is not None
            self._frames.append(_Frame(found["open"], is_free=is_loop or found["open"] != "{"))
        elif found["quote"]:
            self._frames.append(_Frame('"'))
        elif found["heredoc"]:
            self._frames.append(_Frame("<", found["marker"]))

    def _template(self, at: int) -> int:
        """Take a part of a template: text, an end, or the beginning of an expression."""
        frame = self._frames[-1]
        if frame.kind == "<" and self._text[at - 1] == "\n":
            end = self._text.find("\n", at)
            end = len(self._text) if end < 0 else end
            if self._text[at:end].strip() == frame.marker:
                self._close(end)
                return end
        found = (_QUOTED if frame.kind == '"' else _RAW)(self._text, at)
        if found is None:
            return len(self._text)
        if found["open"]:
            self._frames.append(_Frame("$", is_free=True))
        elif frame.kind == '"' and found["close"]:
            self._close(found.end())
        return found.end()

    def _close(self, end: int) -> None:
        """End what a bracket or a template has begun; what is around it goes on."""
        self._written = end
        if len(self._frames) > 1:
            self._frames.pop()
        item = self._frames[-1].item
        if item is not None:
            item.end = end

    @staticmethod
    def _end(frame: _Frame) -> None:
        if frame.item is not None:
            frame.before, frame.item = frame.item, None

    def _comment(self, frame: _Frame, found: re.Match[str]) -> None:
        comment = Comment(found[0], found.start())
        is_behind = self._written > self._text.rfind("\n", 0, found.start())
        if is_behind:
            self._held.append((comment, self._behind(found.start())))
        elif frame.item is not None:
            self._held.append((comment, frame.item))
        else:
            frame.waiting.append(len(self._held))
            self._held.append((comment, None))

    def _behind(self, at: int) -> _Item | None:
        """Return the item that a comment stands behind, or in whose first line it does."""
        frame = self._frames[-1]
        if frame.item is not None:
            return frame.item
        if frame.before is not None and self._line(frame.before.end - 1) == self._line(at):
            return frame.before
        return next((frame.item for frame in reversed(self._frames) if frame.item is not None), None)

    def _attach(self, frame: _Frame) -> None:
        """Let the comments of the lines before an item stand on it, as far as there is nothing between."""
        item = frame.item
        line = self._line(item.at) if item else 0
        for index in reversed(frame.waiting):
            comment, _ = self._held[index]
            if self._line(comment.at + len(comment.text) - 1) < line - 1:
                break
            line = self._line(comment.at)
            self._held[index] = (comment, item)
        frame.waiting.clear()
