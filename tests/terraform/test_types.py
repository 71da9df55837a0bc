"""Type constraints: reading, conversion, errors."""

from __future__ import annotations

import pytest

from infraspec.core.errors import EvaluationError
from infraspec.core.unknown import Sensitive, Text, Unknown, Value
from infraspec.hcl.ast import Expression, Literal
from infraspec.hcl.parser import parse_expression
from infraspec.terraform.language.types import TypeConstraint
from infraspec.terraform.language.values import ListValue, MapValue, SetValue, identity

ARN = Unknown("aws_kms_key.main.arn")
SECRET = Sensitive("var.password", "hunter2")
CONTAINERS = """map(object({
  image  = string
  port   = optional(number, 80)
  labels = optional(map(string))
  check  = optional(object({ path = optional(string, "/") }), {})
}))"""


def constraint(text: str) -> TypeConstraint:
    """Read a type; its defaults are literals or empty objects."""
    return TypeConstraint.from_expression(parse_expression(text, "type"), default)


def default(node: Expression) -> Value:
    """Evaluate the default of an optional attribute."""
    return node.value if isinstance(node, Literal) else {}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("string", "string"),
        ("list", "list(any)"),
        ("map", "map(any)"),
        ("set(number)", "set(number)"),
        ("tuple([string, list(bool)])", "tuple([string, list(bool)])"),
        ("object({ a = string, b = optional(number, 1) })", "object({ a = string, b = optional(number) })"),
        ("(any)", "any"),
    ],
)
def test_reading(text: str, written: str) -> None:
    """A type is read from an expression, and written as the language writes it."""
    assert written == str(constraint(text))


@pytest.mark.parametrize(
    "text",
    [
        "text",
        '"number"',
        "5",
        "a.b",
        "string()",
        "list(string, string)",
        "set([string])",
        "tuple(string)",
        "object(string)",
        "object({ (a) = string })",
        "object({ a = optional() })",
        "optional(string)",
        "list(optional(string))",
    ],
)
def test_not_a_type(text: str) -> None:
    """What is no type is an error that says what is."""
    with pytest.raises(EvaluationError) as caught:
        constraint(text)
    assert caught.value.expected


def test_quoted_types_have_a_remedy() -> None:
    """A type in quotes is an error that says how to write it."""
    with pytest.raises(EvaluationError) as caught:
        constraint('"number"')
    assert caught.value.remedy == "type = number"


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("string", 5, "5"),
        ("string", True, "true"),
        ("number", "5", 5),
        ("bool", "true", True),
        ("any", [1, "a"], [1, "a"]),
        ("list(string)", ["a", 1], ListValue(["a", "1"])),
        ("list(string)", SetValue.of(["b", "a"]), ListValue(["a", "b"])),
        ("list(any)", [1, "a"], ListValue(["1", "a"])),
        ("list(any)", [1, ARN], ListValue(["1", ARN])),
        ("list(any)", [1, Unknown("var.any")], ListValue([1, Unknown("var.any")])),
        ("set(string)", ["b", "a", "b"], SetValue.of(["a", "b"])),
        ("set(string)", ["b", ARN], SetValue.of(["b", ARN])),
        ("map(string)", {"a": 1}, MapValue(a="1")),
        ("map(any)", {"a": 1, "b": "x"}, MapValue(a="1", b="x")),
        ("tuple([string, number])", [1, "2"], ["1", 2]),
        ("object({ a = string })", {"a": 1, "b": 2}, {"a": "1"}),
        ('object({ a = optional(string, "x") })', {"a": None}, {"a": "x"}),
        ("object({ a = optional(string) })", {}, {"a": None}),
        ("object({ a = string })", {"a": None}, {"a": None}),
        ("string", None, None),
        ("list(string)", ARN, ARN),
        ("string", Text(("a", ARN)), Text(("a", ARN))),
        ("number", Text(("1", ARN)), Unknown("tonumber(1${aws_kms_key.main.arn})")),
        ("object({ a = list(string) })", {"a": [ARN, 1]}, {"a": ListValue([ARN, "1"])}),
        ("list(string)", SetValue.of(["b", ARN]), Unknown('tolist(toset(["b", aws_kms_key.main.arn]))')),
    ],
)
def test_conversion(text: str, value: Value, expected: Value) -> None:
    """A value becomes what the type says; unknown parts pass."""
    found = constraint(text).convert(value)
    assert (expected, type(expected)) == (found, type(found))
    assert identity(expected) == identity(found)


def test_defaults_of_nested_attributes() -> None:
    """A default is filled in at every depth, also for an attribute that is null."""
    found = constraint(CONTAINERS).convert({"app": {"image": "a:1", "check": None}, "web": {"image": "b", "port": "8"}})
    empty = {"labels": None, "check": {"path": "/"}}
    assert found == {"app": {"image": "a:1", "port": 80, **empty}, "web": {"image": "b", "port": 8, **empty}}


@pytest.mark.parametrize(
    ("text", "value", "message", "expected", "found"),
    [
        ("number", "abc", "the value is not", "number", "string 'abc'"),
        ("list(string)", {"a": 1}, "the value is not", "list(string)", "object"),
        ("map(number)", {"a": 1, "b": []}, 'the value["b"] is not', "number", "tuple of 0 elements"),
        ("map(string)", ["a"], "the value is not", "map(string)", "tuple of string"),
        ("list(any)", [1, [2]], "the value is not", "list(any)", "list and number"),
        ("tuple([string])", [], "the value is not", "tuple([string])", "0 elements"),
        ("tuple([string])", SetValue.of(["a"]), "the value is not", "tuple([string])", "set of string"),
        ("object({ a = string })", "x", "the value is not", "object({ a = string })", "string"),
        (CONTAINERS, {"app": {"image": "a", "port": "x"}}, 'the value["app"].port is not', "number", "string 'x'"),
        (CONTAINERS, {"app": {"port": 1}}, 'the value["app"] lacks', '["app"].image of type string', "attributes port"),
        ("object({ a = string })", {}, "the value lacks", ".a of type string", "attributes (none)"),
        ("list(object({ a = bool }))", [{"a": 1}], "the value[0].a is not", "bool", "number 1"),
    ],
)
def test_errors_name_the_path(text: str, value: Value, message: str, expected: str, found: str) -> None:
    """A part that does not fit is named by its path, with the types expected and found."""
    with pytest.raises(EvaluationError) as caught:
        constraint(text).convert(value)
    assert message in caught.value.message
    assert (expected, found) == (caught.value.expected, caught.value.found)


def test_sensitive_values_are_converted_and_stay_sensitive() -> None:
    """What a sensitive value hides is converted."""
    found = constraint("list(string)").convert(Sensitive("var.a", [1]))
    assert isinstance(found, Sensitive)
    assert found.reveal() == ["1"]
    inner = constraint("object({ a = string })").convert({"a": SECRET})
    assert inner["a"].reveal() == "hunter2"


def test_errors_do_not_show_sensitive_values() -> None:
    """The message about a sensitive value says its path and type, not the value."""
    for value in (Sensitive("var.a", {"p": "hunter2"}), {"p": SECRET}):
        with pytest.raises(EvaluationError) as caught:
            constraint("object({ p = number })").convert(value)
        assert ".p" in caught.value.message
        assert "hunter2" not in str(caught.value)
        assert caught.value.found == "a sensitive value"


def test_a_default_that_does_not_fit_is_an_error() -> None:
    """The default of an optional attribute is converted to its type when the type is read."""
    with pytest.raises(EvaluationError, match="default of a"):
        constraint('object({ a = optional(number, "x") })')
