"""Hostile text: nesting too deep for any stack, and text that could make a parser hang."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from infraspec.core.errors import HclSyntaxError, InfraspecError
from infraspec.hcl.json_syntax import parse_json
from infraspec.hcl.lexer import MAX_CHAIN, MAX_NESTING
from infraspec.hcl.parser import parse, parse_expression, parse_template
from tests.hcl.trees import show

MANY = 100_000
DEEP = {
    "parentheses": ("(", "x", ")"),
    "tuples": ("[", "x", "]"),
    "objects": ("{a = ", "x", "}"),
    "calls": ("f(", "x", ")"),
    "indexes": ("a[", "x", "]"),
    "minus": ("-", "x", ""),
    "for": ("[for x in ", "x", " : x]"),
    "conditionals": ("a ? b : ", "x", ""),
    "templates": ('"${', "x", '}"'),
    "right operands": ("1 + (", "x", ")"),
}


@pytest.mark.parametrize("form", DEEP)
def test_reasonable_nesting_is_parsed(form: str) -> None:
    """Far more levels than people write are no problem."""
    before, inner, after = DEEP[form]

    assert show(parse_expression(before * 100 + inner + after * 100, "f")).count("x") >= 1


@pytest.mark.parametrize("form", DEEP)
@pytest.mark.parametrize("count", [MAX_NESTING + 1, MANY])
def test_nesting_is_bounded(form: str, count: int) -> None:
    """Text nested too deeply is a syntax error, never a RecursionError."""
    before, inner, after = DEEP[form]

    for text in (before * count + inner + after * count, before * count):
        with pytest.raises(HclSyntaxError, match="nested too deeply") as caught:
            parse_expression(text, "f")
        assert caught.value.place.startswith("f:1:")


@pytest.mark.parametrize("step", [" + 1", ".x", "[0]", "[*]", ".*[0]", ".0", "[*].x", " && a"])
def test_chain_is_bounded(step: str) -> None:
    """A long chain of operators or steps would nest the tree as deeply as brackets do."""
    assert parse_expression("a" + step * 50, "f").at == 0
    with pytest.raises(HclSyntaxError, match="nested too deeply"):
        parse_expression("a" + step * MAX_CHAIN * 2, "f")


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        (parse, "b {\n" * MANY),
        (parse, 'a = "' + "%{ if x }" * MANY + '"'),
        (parse_template, "%{ for x in y }" * MANY),
        (parse_template, '${"' * MANY),
        (parse_json, '{"locals": {"a": ' + "[" * MANY),
        (parse_json, '{"locals": {"a": "' + "${" + "[" * MANY + '"}}'),
    ],
)
def test_nested_blocks_directives_and_json_are_bounded(parser: Callable[[str, str], Any], text: str) -> None:
    """The bound holds for everything that nests."""
    with pytest.raises(InfraspecError) as caught:
        parser(text, "f")

    assert "too deeply" in str(caught.value) or "not closed" in str(caught.value)


def _at_depth(depth: int, work: Callable[[], Any]) -> Any:
    return work() if depth == 0 else _at_depth(depth - 1, work)


def _frames_left() -> int:
    frame, used = sys._getframe(), 0
    while frame.f_back is not None:
        frame, used = frame.f_back, used + 1
    return sys.getrecursionlimit() - used


def test_result_does_not_depend_on_the_callers_stack() -> None:
    """Called from a deep stack, text is parsed or rejected as from a shallow one."""
    text = "a = " + "[" * 100 + "]" * 100 + "\n"
    too_deep = "a = " + "[" * MANY
    depth = _frames_left() - 60

    assert parse(text, "f").body == _at_depth(depth, lambda: parse(text, "f").body)
    with pytest.raises(HclSyntaxError, match="nested too deeply"):
        _at_depth(depth, lambda: parse(too_deep, "f"))


def test_bound_does_not_depend_on_the_recursion_limit() -> None:
    """Where the interpreter allows deeper calls, trees still do not become deeper than their readers can follow."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 20_000)
    try:
        with pytest.raises(HclSyntaxError, match="nested too deeply"):
            parse("a = " + "[" * 2000 + "]" * 2000 + "\n", "f")
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize(
    "text",
    [
        'a = "' + "x" * MANY,
        '"' * MANY,
        'a = "\n' * MANY,
        'a = "' + "${x~}" * MANY + '"',
        'a = "' + "$" * MANY + '"',
        'a = "' + "\\" * MANY + '"',
        "a = <<E\n" + "x\n" * MANY,
        "".join(f"a{number} = <<E{number}\n" for number in range(MANY // 10)),
        "a = <<A\n" + "${<<A\n" * MANY,
        "a = <<-A\n" + "  $\n" * MANY + "A\n",
        "/*" * MANY,
        "a = 1 /* \n" * MANY,
        "a = 1" + " " * MANY + "!",
        " " * MANY + "=",
        "a = [" + "#\n" * MANY,
        "a = {" + "x = 1, " * MANY + "}",
        "a " + '"x" ' * MANY,
        "a = 1" + "." * MANY,
        "a = " + "1" * MANY,
        "a = 1e999999999",
        "a = a" + "::b" * MANY,
        "a = 1\n" * MANY,
        "a = (\n" * MANY,
        "a = f(x" + "..." * MANY,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_ends(text: str) -> None:
    """No text makes the parser go over it again and again: the suite would not end."""
    try:
        parse(text, "f")
    except InfraspecError as error:
        assert error.__context__ is None  # noqa: PT017 - either outcome is right, if it comes
