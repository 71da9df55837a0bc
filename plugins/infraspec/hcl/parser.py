"""Parse the native syntax of HCL.

`parse` takes the text of a file, `parse_expression` that of one expression. Strict where HashiCorp's parser is strict,
after the HCL Native Syntax Specification, with two forms more that it used to have: `{ for = 1 }` is an object, and
`a.0.1` is `a[0][1]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from infraspec.core.errors import ErrorCollector, HclSyntaxError, InfraspecError
from infraspec.core.unknown import composed
from infraspec.hcl import lexer
from infraspec.hcl.ast import Attribute, Block, Body, Expression, File, Literal, SourceText, Template
from infraspec.hcl.expressions import ExpressionParser
from infraspec.hcl.lexer import IDENTIFIER, IN_BRACKETS, Cursor

_lines: Final = re.compile(r"[^\n]*+\n?").finditer
_item: Final = re.compile(rf'{IDENTIFIER}(?:[ \t]++(?:"[^"\n]*+"|{IDENTIFIER}))*+[ \t]*+(?:\{{|=(?![=>]))').match
_head: Final = re.compile(rf'^({IDENTIFIER})((?:[ \t]++(?:"[^"\n]*+"|{IDENTIFIER}))*+)[ \t]*+[{{=]', re.MULTILINE)
_heredoc: Final = re.compile(rf"<<-?({IDENTIFIER})\r?$").search


def next_item(text: str, start: int, after: int) -> int | None:
    """Return the offset of the first item after `after` that begins in the first column, None if there is none.

    `start` is where the broken item begins: what looks like an item inside a heredoc since then is not one. If a
    heredoc is never closed, that is most likely the error, and its lines count again.
    """
    marker = ""
    opened = start
    for line in _lines(text, text.rfind("\n", 0, start) + 1):
        content = line[0]
        if marker:
            marker = "" if content.strip() == marker else marker
        elif line.start() > after and _item(content):
            return line.start()
        elif "<<" in content and (heredoc := _heredoc(content.rstrip("\n"))):
            marker, opened = heredoc[1], line.end()
    if not marker:
        return None
    return next((line.start() for line in _lines(text, opened) if line.start() > after and _item(line[0])), None)


def _heads(text: str, start: int, end: int) -> Iterator[Block]:
    """Yield the items that begin in the first column of a part of the text, by their heads alone."""
    for head in _head.finditer(text, start, end):
        labels = tuple([quoted or bare for quoted, bare in lexer.block_labels(head[2])])
        yield Block(head[1], labels, Body({}, ()), head.start(), head.end())


MAX_ERRORS: Final = 20
"""How many errors of one file are reported; a file with more is hardly HCL."""

_HEAD_GROUPS: Final = 2
"""The groups of `lexicon.body_item` before those of its value: the name, the equals sign."""


class BodyParser(ExpressionParser):
    """The productions of structure: HCL Native Syntax Specification, "Structural Elements".

    `errors` holds what was found wrong so far.
    """

    def __init__(self, source: SourceText) -> None:
        super().__init__(source)
        self.errors: list[HclSyntaxError] = []
        self.broken: list[Block] = []

    def file(self) -> Body:
        """Parse `file = item*`. After an error, go on at the next item that begins in the first column."""
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        start: int | None = 0
        while start is not None:
            start = self._stretch(start, attributes, blocks)
        return Body(attributes, tuple(blocks))

    def _stretch(self, start: int, attributes: dict[str, Attribute], blocks: list[Block]) -> int | None:
        """Parse items up to the next error, and return the offset to go on at, None to stop."""
        self.reset(start)
        try:
            self._body(attributes, blocks)
            return self._after_items()
        except HclSyntaxError as error:
            self.errors.append(error)
        following = next_item(self.text, start, self.failed_at) if len(self.errors) < MAX_ERRORS else None
        ends = [one.end for one in attributes.values()] + [one.end for one in blocks]
        self.broken += _heads(self.text, max([start, *ends]), len(self.text) if following is None else following)
        return following

    def _after_items(self) -> int | None:
        """Return None at the end of the file. A brace too many is an error, unless an error before explains it."""
        if self.pos >= len(self.text):
            return None
        if not self.errors:
            raise self.error("brace-too-many", self.pos)
        return self.pos + 1

    def _body(self, attributes: dict[str, Attribute], blocks: list[Block]) -> None:
        """Parse `items = (argument | block)*`, up to a closing brace or the end of the file."""
        text = self.text
        while found := lexer.body_item(text, self.pos):
            group = found.lastindex or 0
            name = found[1]
            at = found.start(1)
            self.pos = found.end()
            if group == 1:
                blocks.append(self._block(name, at))
                continue
            if group == _HEAD_GROUPS:
                expression = self.expression()
                end = self.pos
                self._end("argument")
            else:
                expression = self.simple_operand(group - _HEAD_GROUPS, found[group], found.start(group))
                end = self.pos
            if name in attributes:
                self._report_duplicate(name, at, attributes[name].at)
            else:
                attributes[name] = Attribute(name, expression, at, end)
        self.pos = lexer.free_blank(text, self.pos).end()
        if self.pos < len(text) and text[self.pos] != "}":
            remedy = "argument names are written without quotes" if text[self.pos] == '"' else ""
            raise self.error("no-item", self.pos, remedy=remedy)

    def _report_duplicate(self, name: str, at: int, first: int) -> None:
        if len(self.errors) >= MAX_ERRORS:
            return
        lines, place = f"{self.source.line(first)} and {self.source.line(at)}", self.source.place(first)
        self.errors.append(self.error("argument-twice", at, name=name, lines=lines, first=place))

    def _end(self, what: str) -> None:
        """Take the end of the line, which ends an argument or a block."""
        ended = lexer.line_end(self.text, self.pos)
        if ended is None:
            is_list = self.look() == "," and what == "argument"
            remedy = "separate arguments by newlines, not commas" if is_list else ""
            raise self.error("goes-on", self.ahead, what=what, remedy=remedy)
        self.pos = ended.end()

    def _block(self, name: str, at: int) -> Block:
        """Parse `block = identifier label* "{" (newline items | [argument]) "}" newline`, from the labels on."""
        header = lexer.block_header(self.text, self.pos)
        if header:
            self.pos = header.end()
            labels = tuple([quoted or bare for quoted, bare in lexer.block_labels(header[1])]) if header[1] else ()
        else:
            labels = self._labels()
        opened = self.pos - 1
        self.enter()
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        if lexer.own_lines(self.text, self.pos):
            self._body(attributes, blocks)
        else:
            self._single_argument(attributes)
        if self.pos >= len(self.text):
            raise self.error("open-block", opened)
        self.pos += 1
        self.nesting -= 1
        end = self.pos
        self._end("block")
        return Block(name, labels, Body(attributes, tuple(blocks)), at, end)

    def _labels(self) -> tuple[str, ...]:
        """Parse `(identifier | quoted text)* "{"`, in one line."""
        labels: list[str] = []
        while (character := self.look()) != "{":
            self.pos = self.ahead
            if character == '"':
                label = self.quoted()
                if not isinstance(label, Literal):
                    raise self.error("template-label", label.at)
                labels.append(str(label.value))
            elif found := lexer.identifier(self.text, self.pos):
                labels.append(found[0])
                self.pos = found.end()
            else:
                raise self._no_header(character, labels)
        self.pos = self.ahead + 1
        return tuple(labels)

    def _no_header(self, character: str, labels: list[str]) -> HclSyntaxError:
        if character == "=" and labels:
            return self.error("block-with-equals", self.ahead)
        return self.error("no-body" if character in ("\r", "\n", "") and labels else "neither", self.ahead)

    def _single_argument(self, attributes: dict[str, Attribute]) -> None:
        """Parse `argument = identifier "=" expression` in the line of both braces."""
        found = lexer.body_item(self.text, self.pos)
        if found is None:
            self.look()
            raise self.error("no-argument", self.ahead)
        if found.lastindex == 1:
            raise self.error("block-in-line", found.start(1))
        self.pos = found.end(2)
        expression = self.expression()
        attributes[found[1]] = Attribute(found[1], expression, found.start(1), self.pos)
        if self.look() != "}":
            raise self.error("more-in-line", self.ahead)
        self.pos = self.ahead


_Result = TypeVar("_Result")


def parse(text: str, name: str, errors: list[InfraspecError] | None = None) -> File:
    """Return the tree of a file; `name` is its path as it is shown to people.

    Raise HclSyntaxError, or InputErrorGroup for several errors; where a list for `errors` is given, they go there, and
    what has none is in the tree.
    """
    parser, body = run(BodyParser, text, name, BodyParser.file)
    if errors is None:
        ErrorCollector([*parser.errors]).finalize()
    else:
        errors += parser.errors
    return File(parser.source, body, tuple(parser.broken))


def parse_expression(text: str, name: str) -> Expression:
    """Return the tree of one expression, which may stand on several lines. Raise HclSyntaxError."""
    return run(ExpressionParser, text, name, _whole_expression)[1]


def _whole_expression(parser: ExpressionParser) -> Expression:
    parser.mode = IN_BRACKETS
    expression = parser.expression()
    if parser.look():
        raise parser.error("text-goes-on", parser.ahead)
    return expression


_Parser = TypeVar("_Parser", bound=Cursor)


def run(
    kind: Callable[[SourceText], _Parser], text: str, name: str, production: Callable[[_Parser], _Result]
) -> tuple[_Parser, _Result]:
    """Run a production of a parser of some kind; if the caller's stack is too full for it, run it on a fresh one.

    A byte order mark is left out, and letters are normalised (NFC), as Terraform does with all text values.
    """
    source = SourceText(name, composed(text.removeprefix("\ufeff")))
    parser = kind(source)
    try:
        return parser, production(parser)
    except RecursionError:
        parser = kind(source)
        return parser, _on_fresh_stack(lambda: production(parser), parser)


def _on_fresh_stack(work: Callable[[], _Result], parser: Cursor) -> _Result:
    """Run in a thread, whose stack is empty. Text that does not fit even there is nested too deeply."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - hardly ever needed, and slow to import

    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(work).result()
    except RecursionError:
        raise HclSyntaxError(
            "the text is nested too deeply",
            place=parser.source.place(parser.pos),
            expected="fewer levels of brackets",
            remedy="split the expression up with locals",
        ) from None


def parse_template(text: str, name: str) -> Template | Literal:
    """Return the tree of a raw template: no escapes, `$${` and `%%{` for the text `${` and `%{`.

    Raise HclSyntaxError. HCL Native Syntax Specification, "Templates".
    """
    return run(ExpressionParser, text, name, ExpressionParser.raw_template)[1]
