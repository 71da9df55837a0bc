"""Parse the native syntax of HCL.

`parse` takes the text of a file, `parse_expression` that of one expression. Strict where HashiCorp's parser is strict,
after the HCL Native Syntax Specification, with two forms more that it used to have: `{ for = 1 }` is an object, and
`a.0.1` is `a[0][1]`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from infraspec.errors import ErrorCollector, HclSyntaxError
from infraspec.hcl.bodies import BodyParser
from infraspec.hcl.cursor import IN_BRACKETS, Cursor
from infraspec.hcl.expressions import ExpressionParser
from infraspec.hcl.nodes import Expression, File
from infraspec.hcl.source import Source
from infraspec.unknown import composed

_Result = TypeVar("_Result")


def parse(text: str, name: str) -> File:
    """Return the tree of a file; `name` is its path as it is shown to people.

    Raise HclSyntaxError, or InputErrorGroup for several errors.
    """
    source = Source(name, clean(text))
    parser, body = run(lambda: BodyParser(source), BodyParser.file)
    ErrorCollector([*parser.errors]).finalize()
    return File(source, body)


def parse_expression(text: str, name: str) -> Expression:
    """Return the tree of one expression, which may stand on several lines. Raise HclSyntaxError."""
    source = Source(name, clean(text))
    return run(lambda: ExpressionParser(source), _whole_expression)[1]


def _whole_expression(parser: ExpressionParser) -> Expression:
    parser.mode = IN_BRACKETS
    expression = parser.expression()
    if parser.look():
        raise parser.error("the expression ends before the text", parser.ahead, expected="an operator or the end")
    return expression


def clean(text: str) -> str:
    """Strip a byte order mark and normalise letters (NFC), as Terraform does with all text values."""
    return composed(text.removeprefix("\ufeff"))


_Parser = TypeVar("_Parser", bound=Cursor)


def run(make: Callable[[], _Parser], production: Callable[[_Parser], _Result]) -> tuple[_Parser, _Result]:
    """Run a production; if the caller's stack is too full for it, run it on a fresh one."""
    try:
        parser = make()
        return parser, production(parser)
    except RecursionError:
        parser = make()
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
