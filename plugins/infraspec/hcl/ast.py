"""The syntax tree of HCL: bodies, blocks, attributes, expressions, templates.

Source: HCL Native Syntax Specification (hashicorp/hcl, hclsyntax/spec.md). Nodes are immutable structs built in C
(msgspec), which parses a tree about four times as fast as frozen dataclasses. Every `at` is the offset, in characters
from the beginning of the text, of the node's first character; `Source` turns it into a line and a column.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

import msgspec


class SourceText:
    """A text and where it came from. `name` is the path as it is shown to people."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        while (position := find("\n", starts[-1])) >= 0:
            starts.append(position + 1)
        return starts

    def line(self, at: int) -> int:
        """Return the line number, from 1, of an offset."""
        return bisect_right(self._starts, at)

    def column(self, at: int) -> int:
        """Return the column, from 1, of an offset."""
        return at - self._starts[self.line(at) - 1] + 1

    def place(self, at: int) -> str:
        """Return `name:line:column`."""
        return f"{self.name}:{self.line(at)}:{self.column(at)}"

    def excerpt(self, at: int) -> str:
        """Return the line of an offset with a caret under its column."""
        start = self._starts[self.line(at) - 1]
        line = self.text[start:].split("\n", 1)[0].rstrip("\r")
        indent = "".join("\t" if character == "\t" else " " for character in line[: at - start])
        return f"{line}\n{indent}^"


class Node(msgspec.Struct, frozen=True, gc=False):
    """Any node of the tree."""


class Literal(Node, frozen=True, gc=False):
    """A number, text without interpolation, true, false or null.

    A number is int where it is integral, else float; Decimal where it has more digits than a float holds.
    """

    value: str | int | float | Decimal | bool | None
    at: int


class Template(Node, frozen=True, gc=False):
    """A quoted template or heredoc: text and interpolations.

    Escapes are decoded, trim markers applied, the indentation of `<<-` removed. A template of one interpolation and
    nothing else passes its value on unchanged (`wraps`).
    """

    parts: tuple[str | TemplatePart, ...]
    at: int

    @property
    def wraps(self) -> bool:
        """Whether this is `"${x}"`, whose value is x itself and not its text."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Interpolation)


class Interpolation(Node, frozen=True, gc=False):
    """`${ expression }` in a template."""

    expression: Expression
    at: int


class TemplateIf(Node, frozen=True, gc=False):
    """`%{ if } … %{ else } … %{ endif }` in a template."""

    condition: Expression
    if_true: tuple[str | TemplatePart, ...]
    if_false: tuple[str | TemplatePart, ...]
    at: int


class TemplateFor(Node, frozen=True, gc=False):
    """`%{ for key, value in collection } … %{ endfor }` in a template; `key` is None if not named."""

    key: str | None
    value: str
    collection: Expression
    body: tuple[str | TemplatePart, ...]
    at: int


class Name(Node, frozen=True, gc=False):
    """The root of a traversal: `var` in `var.x`, or an iterator's name."""

    name: str
    at: int


class GetAttr(Node, frozen=True, gc=False):
    """`target.name`."""

    target: Expression
    name: str
    at: int


class Index(Node, frozen=True, gc=False):
    """`target[key]`, also the old form `target.0`."""

    target: Expression
    key: Expression
    at: int


class Splat(Node, frozen=True, gc=False):
    """`target.*.a` (`full` is false) or `target[*].a[0]` (`full` is true).

    `steps` are applied to each element: str for an attribute, an expression for an index. An index after an
    attribute-only splat applies to the whole result and is an Index around the Splat.
    """

    target: Expression
    full: bool
    steps: tuple[str | Expression, ...]
    at: int


class Call(Node, frozen=True, gc=False):
    """`name(arguments)`; `name` keeps its namespace (`core::max`); `expand` is true if the last argument has `...`."""

    name: str
    arguments: tuple[Expression, ...]
    expand: bool
    at: int


class Unary(Node, frozen=True, gc=False):
    """`-operand` or `!operand`."""

    operator: str
    operand: Expression
    at: int


class Binary(Node, frozen=True, gc=False):
    """`left operator right`."""

    operator: str
    left: Expression
    right: Expression
    at: int


class Conditional(Node, frozen=True, gc=False):
    """`condition ? if_true : if_false`."""

    condition: Expression
    if_true: Expression
    if_false: Expression
    at: int


class Parentheses(Node, frozen=True, gc=False):
    """`(inner)`."""

    inner: Expression
    at: int


class Tuple(Node, frozen=True, gc=False):
    """`[items]`."""

    items: tuple[Expression, ...]
    at: int


class Object(Node, frozen=True, gc=False):
    """`{ key = value }`. A key that is a bare identifier is a Literal; `(expression)` is a Parentheses."""

    items: tuple[tuple[Expression, Expression], ...]
    at: int


class ForTuple(Node, frozen=True, gc=False):
    """`[for key, value in collection : result if condition]`; `key` is None if not named."""

    key: str | None
    value: str
    collection: Expression
    result: Expression
    condition: Expression | None
    at: int


class ForObject(Node, frozen=True, gc=False):
    """`{for key, value in collection : result_key => result... if condition}`."""

    key: str | None
    value: str
    collection: Expression
    result_key: Expression
    result: Expression
    group: bool
    condition: Expression | None
    at: int


Expression: TypeAlias = (
    Literal | Template | Name | GetAttr | Index | Splat | Call | Unary | Binary | Conditional | Parentheses | Tuple
    | Object | ForTuple | ForObject
)  # fmt: skip
TemplatePart: TypeAlias = Interpolation | TemplateIf | TemplateFor


class Attribute(Node, frozen=True, gc=False):
    """`name = expression` of a body. `end` is the offset after the expression."""

    name: str
    expression: Expression
    at: int
    end: int


class Block(Node, frozen=True, gc=False):
    """`type "label" { body }`. `end` is the offset after the closing brace."""

    type: str
    labels: tuple[str, ...]
    body: Body
    at: int
    end: int


class Body(Node, frozen=True, gc=False):
    """The attributes of a body by name (a name occurs once) and its blocks in order."""

    attributes: dict[str, Attribute]
    blocks: tuple[Block, ...]


class File(Node, frozen=True, gc=False):
    """A parsed file. `broken` are the blocks and arguments that have a syntax error: their heads, with no content."""

    source: SourceText
    body: Body
    broken: tuple[Block, ...] = ()
