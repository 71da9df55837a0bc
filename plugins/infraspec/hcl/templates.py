"""Quoted templates, heredocs and raw templates.

Source: HCL Native Syntax Specification, "Templates". Where the specification is loose, these are the rules of
HashiCorp's parser, which decide what Terraform does: in a heredoc a trim marker takes the blanks of its own line
only, trimming comes before the indentation of `<<-` is measured, and a line of blanks keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct, field

from infraspec.core.errors import HclSyntaxError
from infraspec.core.unknown import composed, merged
from infraspec.hcl import lexer
from infraspec.hcl.ast import Expression, Interpolation, Literal, Template, TemplateFor, TemplateIf, TemplatePart
from infraspec.hcl.lexer import IN_BRACKETS, MAX_NESTING, OperandParser, lines

Parts: TypeAlias = "tuple[str | TemplatePart, ...]"


class Directive(Struct, frozen=True):
    """`%{ … }`: the keyword, the condition or collection, the names of the iterators."""

    keyword: str
    at: int
    expression: Expression | None = None
    key: str | None = None
    value: str = ""


Piece: TypeAlias = str | Interpolation | Directive


Refuse: TypeAlias = Callable[[str, int, str], Exception]
"""Returns the error for a directive that has no partner, of a message, the place and what would be its partner."""


class Pieces:
    """Text, interpolations and directives in order, with trim markers applied as they come.

    With `by_line`, as in heredocs and files, each line is a text of its own, so that trimming stops at its end.
    """

    def __init__(self, *, by_line: bool) -> None:
        self.items: list[Piece] = []
        self._by_line = by_line
        self._trim_next = False

    def add_text(self, text: str) -> None:
        """Add text, without its leading blanks if the sequence before it ends with `~}`."""
        texts = lines(text) if self._by_line else [text]
        if self._trim_next and texts:
            texts[0] = texts[0].lstrip()
            self._trim_next = False
        self.items += texts

    def add(self, item: Interpolation | Directive, *, trims_before: bool, trims_after: bool) -> None:
        """Add a sequence; `trims_before` is for `{~`, `trims_after` for `~}`."""
        if trims_before and self.items and isinstance(last := self.items[-1], str):
            self.items[-1] = last.rstrip()
        self._trim_next = trims_after
        self.items.append(item)

    def flush(self) -> None:
        """Remove the indentation of `<<-`: that of the least indented line, lines of blanks not counted."""
        ended = [True, *(isinstance(item, str) and item.endswith("\n") for item in self.items)]
        begun = {at: item if isinstance(item, str) else "" for at, item in enumerate(self.items) if ended[at]}
        counted = {at: text for at, text in begun.items() if text.strip() or not text.endswith("\n")}
        indent = min((len(text) - len(text.lstrip()) for text in counted.values()), default=0)
        self.items = [counted[at][indent:] if indent and at in counted else item for at, item in enumerate(self.items)]


class _Open(Struct):
    """A directive waiting for its end, and the parts before `else`."""

    directive: Directive
    parts: list[str | TemplatePart] = field(default_factory=list)
    if_true: Parts | None = None


def assemble(pieces: list[Piece], refuse: Refuse) -> Parts:
    """Nest the pieces between directives and join neighbouring text.

    A lone interpolation beside text that was trimmed away keeps an empty text, since it is not a template that passes
    its value on unchanged. Raise what `refuse` returns.
    """
    parts: list[str | TemplatePart] = []
    stack: list[_Open] = []
    for piece in pieces:
        if not isinstance(piece, Directive):
            parts.append(piece)
        elif piece.keyword in ("if", "for"):
            stack.append(_Open(piece, parts))
            parts = []
            if len(stack) > MAX_NESTING:
                raise refuse("the directives are nested too deeply", piece.at, "fewer levels")
        else:
            parts = _close(piece, stack, parts, refuse)
    if stack:
        left = stack[-1].directive
        raise refuse(f'the directive "{left.keyword}" is not closed', left.at, f"%{{ end{left.keyword} }}")
    joined: Parts = tuple(merged(parts))
    return (*joined, "") if len(joined) == 1 < len(pieces) and isinstance(joined[0], Interpolation) else joined


def _close(
    piece: Directive, stack: list[_Open], parts: list[str | TemplatePart], refuse: Refuse
) -> list[str | TemplatePart]:
    """Take `else`, `endif` or `endfor`; return the list that parts are added to from there."""
    opened = stack[-1] if stack else None
    if opened is None or not _is_partner(piece.keyword, opened):
        wanted = f"%{{ end{opened.directive.keyword} }} first" if opened else "a directive that it belongs to before it"
        raise refuse(f'the directive "{piece.keyword}" is misplaced', piece.at, wanted)
    if piece.keyword == "else":
        opened.if_true = tuple(merged(parts))
        return []
    stack.pop()
    opened.parts.append(_directive(opened, tuple(merged(parts))))
    return opened.parts


def _is_partner(keyword: str, opened: _Open) -> bool:
    if keyword == "else":
        return opened.directive.keyword == "if" and opened.if_true is None
    return keyword == "end" + opened.directive.keyword


def _directive(opened: _Open, last: Parts) -> TemplateIf | TemplateFor:
    directive = opened.directive
    assert directive.expression is not None  # noqa: S101 - "if" and "for" are never made without one
    if directive.keyword == "for":
        return TemplateFor(directive.key, directive.value, directive.expression, last, directive.at)
    if opened.if_true is None:
        return TemplateIf(directive.expression, last, (), directive.at)
    return TemplateIf(directive.expression, opened.if_true, last, directive.at)


_KEYWORDS = ("if", "else", "endif", "for", "endfor")


class StringParser(OperandParser):
    """The productions of template expressions."""

    def quoted(self) -> Literal | Template:
        r"""Parse `quotedTemplate = '"' (text | escape | interpolation | directive)* '"'`."""
        at = self.pos
        if plain := lexer.quoted_plain(self.text, at):
            self.pos = plain.end()
            return Literal(plain[1], at)
        self.pos = at + 1
        pieces = Pieces(by_line=False)
        while True:
            if found := lexer.quoted_text(self.text, self.pos):
                pieces.add_text(self._unescape(found[0], self.pos))
                self.pos = found.end()
            character = self.text[self.pos : self.pos + 1]
            if character == '"':
                self.pos += 1
                return self._template(pieces, at)
            if character not in ("$", "%"):
                raise self._unclosed(at)
            self._sequence(pieces)

    def _unclosed(self, at: int) -> HclSyntaxError:
        at_end = self.pos + self.text.startswith("\\", self.pos) >= len(self.text)
        if at_end:
            return self.error("open-text", at)
        return self.error("open-line", self.pos)

    def heredoc(self) -> Literal | Template:
        """Parse `heredocTemplate = ("<<" | "<<-") marker newline line* marker newline`."""
        at = self.pos
        start = lexer.heredoc_start(self.text, at)
        if start is None:
            raise self.error("no-marker", at)
        indented, marker = start[1] == "-", start[2]
        end = self._heredoc_end(marker, start.end(), at)
        body = self.text[start.end() : end.start()]
        if "\r" in body and (lone := lexer.lone_return(self.text, start.end(), end.start())):
            raise self.error("lone-return", lone.start())
        if not indented and "${" not in body and "%{" not in body:
            self.pos = end.end()
            return Literal(body, at)
        self.pos = start.end()
        pieces = Pieces(by_line=True)
        end = self._heredoc_pieces(pieces, marker, end, at)
        if indented:
            pieces.flush()
        self.pos = end.end()
        return self._template(pieces, at)

    def _heredoc_pieces(self, pieces: Pieces, marker: str, end: re.Match[str], at: int) -> re.Match[str]:
        """Add the pieces of a heredoc's body. An interpolation may run over what looked like the end marker."""
        while True:
            if found := lexer.raw_text(self.text, self.pos, end.start()):
                pieces.add_text(_unescape_raw(found[0]))
                self.pos = found.end()
            if self.pos == end.start():
                return end
            self._sequence(pieces)
            if self.pos > end.start():
                end = self._heredoc_end(marker, self.pos, at)

    def _heredoc_end(self, marker: str, start: int, at: int) -> re.Match[str]:
        if end := _end_marker(marker).search(self.text, start):
            return end
        last_line = self.text[self.text.rfind("\n") + 1 :]
        if last_line.strip() == marker:
            raise self.error("heredoc-without-newline", len(self.text), marker=marker)
        raise self.error("open-heredoc", at, marker=marker)

    def raw_template(self) -> Literal | Template:
        """Parse the whole text as a template without quotes: text | interpolation | directive."""
        pieces = Pieces(by_line=True)
        while self.pos < len(self.text):
            if found := lexer.raw_text(self.text, self.pos):
                pieces.add_text(_unescape_raw(found[0]))
                self.pos = found.end()
            if self.pos < len(self.text):
                self._sequence(pieces)
        return self._template(pieces, 0)

    def _template(self, pieces: Pieces, at: int) -> Literal | Template:
        parts = assemble(pieces.items, lambda message, at, wanted: self.told(at, message, wanted, "", ""))
        if not parts:
            return Literal("", at)
        first = parts[0]
        return Literal(first, at) if len(parts) == 1 and isinstance(first, str) else Template(parts, at)

    def _sequence(self, pieces: Pieces) -> None:
        """Parse `sequence = interpolation | directive`.

        `interpolation = ("${" | "${~") expression ("}" | "~}")`, and
        `directive = ("%{" | "%{~") ("if" expression | "for" … | "else" | "endif" | "endfor") ("}" | "~}")`.
        """
        at = self.pos
        if simple := lexer.interpolation(self.text, at):
            self.pos = simple.end()
            node = Interpolation(self.names(simple[1], simple.start(1)), at)
            pieces.add(node, trims_before=False, trims_after=False)
            return
        trims_before = self._open_sequence()
        mode, self.mode = self.mode, IN_BRACKETS
        if self.text[at] == "%":
            item: Interpolation | Directive = self._directive_head(at)
            trims_after = self._close_sequence("directive", "%")
        else:
            item = Interpolation(self.expression(), at)
            trims_after = self._close_sequence("interpolation", "$")
        self.mode = mode
        pieces.add(item, trims_before=trims_before, trims_after=trims_after)

    def _directive_head(self, at: int) -> Directive:
        found = lexer.keyword(self.text, self.pos)
        if found is None or found[1] not in _KEYWORDS:
            self.look()
            at = self.ahead if found is None else found.start(1)
            raise self.error("no-keyword", at, keywords=", ".join(_KEYWORDS))
        self.pos = found.end()
        if found[1] == "if":
            return Directive("if", at, self.expression())
        if found[1] == "for":
            key, value = self.iterator_names()
            return Directive("for", at, self.expression(), key, value)
        return Directive(found[1], at)

    def iterator_names(self) -> tuple[str | None, str]:
        """Parse `value in` or `key, value in`."""
        found = lexer.iterators(self.text, self.pos)
        if found is None:
            self.look()
            raise self.error("no-iterator", self.ahead)
        self.pos = found.end()
        keyword = lexer.keyword(self.text, self.pos)
        if keyword is None or keyword[1] != "in":
            self.look()
            raise self.error("no-in", self.ahead)
        self.pos = keyword.end()
        return (found[1], found[2]) if found[2] is not None else (None, found[1])

    def _open_sequence(self) -> bool:
        self.enter()
        trims = self.text.startswith("~", self.pos + 2)
        self.pos += 3 if trims else 2
        return trims

    def _close_sequence(self, what: str, sign: str) -> bool:
        self.look()
        trims = self.text.startswith("~}", self.ahead)
        if not trims and not self.text.startswith("}", self.ahead):
            raise self.error("open-sequence", self.ahead, what=what, sign=sign)
        self.pos = self.ahead + (2 if trims else 1)
        self.nesting -= 1
        return trims

    def _unescape(self, text: str, at: int) -> str:
        if "\\" not in text and "{" not in text:
            return text

        def decode(escape: re.Match[str]) -> str:
            if escape[0][0] != "\\":
                return escape[0][1:]
            if known := lexer.ESCAPES.get(escape[3] or ""):
                return known
            digits = escape[1] or escape[2]
            if digits and (code := int(digits, 16)) <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004
                return chr(code)
            raise self.error("no-escape", at + escape.start(), escape=escape[0])

        return composed(lexer.quoted_escape.sub(decode, text))


def _unescape_raw(text: str) -> str:
    return text.replace("$${", "${").replace("%%{", "%{") if "{" in text else text


@lru_cache(maxsize=256)
def _end_marker(marker: str) -> re.Pattern[str]:
    return re.compile(rf"^[^\S\n]*+{re.escape(marker)}(?:(?=[ \t]*+\r?\n)|[^\S\n]*+(?=\n))", re.MULTILINE)
