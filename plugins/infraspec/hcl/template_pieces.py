"""The pieces of a template, from the text between its delimiters to the parts of a tree.

Source: HCL Native Syntax Specification, "Templates". Where the specification is loose, these are the rules of
HashiCorp's parser, which decide what Terraform does: in a heredoc a trim marker takes the blanks of its own line
only, trimming comes before the indentation of `<<-` is measured, and a line of blanks keeps them.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct, field

from infraspec.hcl.lexicon import lines
from infraspec.hcl.nodes import Expression, Interpolation, TemplateFor, TemplateIf, TemplatePart

Parts: TypeAlias = "tuple[str | TemplatePart, ...]"


class Directive(Struct, frozen=True):
    """`%{ … }`: the keyword, the condition or collection, the names of the iterators."""

    keyword: str
    at: int
    expression: Expression | None = None
    key: str | None = None
    value: str = ""


Piece: TypeAlias = str | Interpolation | Directive


class UnbalancedDirectiveError(Exception):
    """A directive has no partner; `at` is where, `expected` what would be its partner."""

    def __init__(self, message: str, at: int, expected: str) -> None:
        super().__init__(message)
        self.at = at
        self.expected = expected


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
        starts = [position for position in self._line_starts() if not self._is_blank_line(position)]
        indent = min((self._indent(position) for position in starts), default=0)
        for position in starts if indent else ():
            item = self.items[position]
            if isinstance(item, str):
                self.items[position] = item[indent:]

    def _line_starts(self) -> list[int]:
        ended = [True, *(isinstance(item, str) and item.endswith("\n") for item in self.items)]
        return [position for position in range(len(self.items)) if ended[position]]

    def _is_blank_line(self, position: int) -> bool:
        item = self.items[position]
        return isinstance(item, str) and item.endswith("\n") and not item.strip()

    def _indent(self, position: int) -> int:
        item = self.items[position]
        return len(item) - len(item.lstrip()) if isinstance(item, str) else 0


class _Open(Struct):
    """A directive waiting for its end, and the parts before `else`."""

    directive: Directive
    parts: list[str | TemplatePart] = field(default_factory=list)
    if_true: Parts | None = None


def assemble(pieces: list[Piece], max_nesting: int) -> Parts:
    """Nest the pieces between directives and join neighbouring text.

    A lone interpolation beside text that was trimmed away keeps an empty text, since it is not a template that passes
    its value on unchanged. Raise UnbalancedDirectiveError.
    """
    parts: list[str | TemplatePart] = []
    stack: list[_Open] = []
    for piece in pieces:
        if not isinstance(piece, Directive):
            parts.append(piece)
        elif piece.keyword in ("if", "for"):
            stack.append(_Open(piece, parts))
            parts = []
            if len(stack) > max_nesting:
                raise UnbalancedDirectiveError("the directives are nested too deeply", piece.at, "fewer levels")
        else:
            parts = _close(piece, stack, parts)
    if stack:
        directive = stack[-1].directive
        raise UnbalancedDirectiveError(
            f'the directive "{directive.keyword}" is not closed', directive.at, f"%{{ end{directive.keyword} }}"
        )
    joined = join(parts)
    return (*joined, "") if len(joined) == 1 < len(pieces) and isinstance(joined[0], Interpolation) else joined


def _close(piece: Directive, stack: list[_Open], parts: list[str | TemplatePart]) -> list[str | TemplatePart]:
    """Take `else`, `endif` or `endfor`; return the list that parts are added to from there."""
    opened = stack[-1] if stack else None
    if opened is None or not _is_partner(piece.keyword, opened):
        wanted = f"%{{ end{opened.directive.keyword} }} first" if opened else "a directive that it belongs to before it"
        raise UnbalancedDirectiveError(f'the directive "{piece.keyword}" is misplaced', piece.at, wanted)
    if piece.keyword == "else":
        opened.if_true = join(parts)
        return []
    stack.pop()
    opened.parts.append(_directive(opened, join(parts)))
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


def join(parts: list[str | TemplatePart]) -> Parts:
    """Join neighbouring text and drop empty text."""
    joined: list[str | TemplatePart] = []
    pending: list[str] = []
    for part in parts:
        if isinstance(part, str):
            pending.append(part)
            continue
        if text := "".join(pending):
            joined.append(text)
        pending = []
        joined.append(part)
    if text := "".join(pending):
        joined.append(text)
    return tuple(joined)
