"""A branch of a conditional has the type that both branches have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.unknown import Sensitive, Unknown, Value
from infraspec.terraform.language.types import common_type
from infraspec.terraform.language.values import ListValue, MapValue, SetValue
from tests.terraform.sources import output_of

U = Unknown("var.u")


@pytest.mark.parametrize(
    ("value", "other", "expected"),
    [
        (1, "a", "1"),
        (True, "a", "true"),
        ("1", 1, "1"),
        (1, 2, 1),
        (1, None, 1),
        (None, 1, None),
        (1.5, "", "1.5"),
        ([1], ["a"], ["1"]),
        ([1, True], ["a"], ListValue(["1", "true"])),
        ([1], ["a", "b"], ListValue(["1"])),
        ([1], [], ListValue([1])),
        ([], ["a"], ListValue([])),
        ([1], ListValue(["a"]), ListValue(["1"])),
        (SetValue.of([1]), ListValue(["a"]), ListValue(["1"])),
        (ListValue([1]), SetValue.of(["a"]), ListValue([1])),
        ([1, 1], SetValue.of(["a"]), SetValue.of(["1"])),
        (SetValue.of([1]), ["a"], SetValue.of([1])),
        (ListValue([1]), ["a"], ListValue(["1"])),
        ({"a": 1}, {"a": "x"}, {"a": "1"}),
        ({"a": 1}, {"b": "x"}, {"a": "1"}),
        ({"a": [1]}, {"a": ["x"]}, {"a": ["1"]}),
        (MapValue(a=1), MapValue(b="x"), MapValue(a="1")),
        ({"a": None}, {"a": "x"}, {"a": None}),
        (1, Sensitive("var.s", "x"), "1"),
        ({"a": 1}, {"a": Sensitive("var.s", "x")}, {"a": "1"}),
        (1, U, 1),
        (U, 1, U),
        ([U], [1], [U]),
        ([1], "a", [1]),
        (True, 1, True),
    ],
)
def test_common_type(value: Value, other: Value, expected: Value) -> None:
    """A value is converted where there is a common type, and stays as it is where there is none or it is not known."""
    found = common_type(value, other)

    assert expected == found
    assert type(expected) is type(found)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('true ? 1 : "a"', "1"),
        ('false ? "a" : 1', "1"),
        ("true ? 1 : null", 1),
        ("true ? null : 1", None),
        ("true ? 1 : {}.missing", 1),
        ('true ? [1] : ["a"]', ["1"]),
        ('jsonencode(true ? { a = 1, b = [true] } : { a = "x", b = ["y"] })', '{"a":"1","b":["true"]}'),
        ('true ? [2, 1, 2] : toset(["a"])', SetValue.of(["1", "2"])),
        ("var.unset ? 1 : 1", 1),
        ('var.unset ? 1 : "1"', "1"),
        ('var.unset ? tolist(["a"]) : ["a"]', ["a"]),
        ("var.unset ? tolist([]) : tolist([])", []),
        ("var.unset ? uuid() : uuid()", Unknown("var.unset ? uuid() : uuid()")),
        ('var.unset ? 1 : "a"', Unknown('var.unset ? "1" : "a"')),
        ('var.unset ? "a" : local.none.x', Unknown('var.unset ? "a" : error(this object has no attribute "x")')),
    ],
)
def test_conditional(tmp_path: Path, expression: str, expected: Value) -> None:
    """The branch that is not taken counts for the type, whether or not it has a value."""
    source = f'variable "unset" {{}}\nlocals {{\n  none = {{}}\n}}\noutput "value" {{\n  value = {expression}\n}}\n'

    assert expected == output_of(tmp_path, source)


def test_a_sensitive_branch_stays_sensitive(tmp_path: Path) -> None:
    """A sensitive value is converted and hidden; so is what a sensitive condition has chosen."""
    source = 'variable "s" {\n  sensitive = true\n  default = 5\n}\noutput "value" {\n  value = [%s]\n}\n'
    found = output_of(tmp_path, source % 'true ? var.s : "a", var.s == 5 ? 1 : "a", false ? var.s : "a"')

    assert [type(item) for item in found] == [Sensitive, Sensitive, str]
    assert [item.reveal() for item in found[:2]] == ["5", "1"]
