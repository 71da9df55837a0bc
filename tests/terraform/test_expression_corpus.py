"""Expressions have the values that a real Terraform gave them.

data/expressions.tsv has an expression and its value in each line, as tools/terraform_oracle writes them: JSON, in which
{"list": …}, {"set": …}, {"map": …} and {"object": …} name the kind, an array is a tuple, and {"error": true} no value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import EvaluationError, TerraformError
from infraspec.core.unknown import Value
from infraspec.hcl.ast import SourceText
from infraspec.hcl.parser import parse_expression
from infraspec.terraform.configuration.evaluation import Evaluation, Library
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.language.expressions import compile_expression
from infraspec.terraform.language.functions.filesystem import RootFiles
from infraspec.terraform.language.scope import Scope
from infraspec.terraform.language.values import ListValue, MapValue, SetValue
from infraspec.terraform.provider.known_data import KnownData

DATA = Path(__file__).with_name("data") / "expressions.tsv"
ERROR = {"error": True}


def groups() -> dict[str, list[tuple[str, Any]]]:
    """Return the lines by the function that an expression begins with, or by its first character."""
    result: dict[str, list[tuple[str, Any]]] = {}
    for line in DATA.read_text(encoding="utf-8").splitlines():
        expression, _, value = line.partition("\t")
        found = re.match(r"\w+(?=\()|.", expression)
        result.setdefault(found[0] if found else "", []).append((expression, json.loads(value)))
    return result


GROUPS = groups()


def empty_scope(directory: Path) -> Scope:
    """Return what an expression sees in a module that declares nothing."""
    (directory / "main.tf").write_text("", encoding="utf-8")
    library = Library()
    evaluation = Evaluation(library, directory, RootFiles(directory, directory), KnownData())
    return ModuleInstance(library.read(directory), evaluation).scope


@pytest.fixture(scope="module")
def scope(tmp_path_factory: pytest.TempPathFactory) -> Scope:
    """Return the scope of the expressions."""
    return empty_scope(tmp_path_factory.mktemp("root"))


def outcome(expression: str, scope: Scope) -> Value:
    """Evaluate an expression; an error is returned."""
    try:
        return compile_expression(parse_expression(expression, "corpus"), SourceText("corpus", expression))(scope)
    except TerraformError as error:
        return error


def agrees(value: Value, expected: Any) -> bool:
    """Tell whether a value is the expected one; a plain list may be a tuple or a list, a plain dict likewise."""
    match expected:
        case {"error": True}:
            return isinstance(value, EvaluationError)
        case list():
            return type(value) is list and _all_agree(value, expected)
        case {"list": parts}:
            return isinstance(value, list) and not isinstance(value, SetValue) and _all_agree(value, parts)
        case {"set": parts}:
            return isinstance(value, SetValue) and _all_agree(value, parts)
        case {"map": parts}:
            return isinstance(value, dict) and _all_of_keys_agree(value, parts)
        case {"object": parts}:
            return type(value) is dict and _all_of_keys_agree(value, parts)
        case bool() | str() | None:
            return type(value) is type(expected) and bool(value == expected)
        case _:
            return isinstance(value, (int, float)) and not isinstance(value, bool) and float(value) == float(expected)


def _all_agree(values: list[Value], expected: list[Any]) -> bool:
    return len(values) == len(expected) and all(map(agrees, values, expected))


def _all_of_keys_agree(values: dict[str, Value], expected: dict[str, Any]) -> bool:
    return values.keys() == expected.keys() and all(agrees(values[key], expected[key]) for key in expected)


@pytest.mark.parametrize("rows", GROUPS.values(), ids=GROUPS)
def test_values_are_those_of_terraform(rows: list[tuple[str, Any]], scope: Scope) -> None:
    """Every expression has its recorded value, or none where Terraform has an error."""
    evaluated = [(expression, outcome(expression, scope), expected) for expression, expected in rows]
    assert not [row for row in evaluated if not agrees(row[1], row[2])]


def test_the_corpus_is_whole() -> None:
    """There are thousands of expressions, of most functions, most of which have a value."""
    rows = [row for group in GROUPS.values() for row in group]

    assert len(rows) > 5000
    assert sum(expected != ERROR for _, expected in rows) > 4000
    assert len([name for name in GROUPS if name.isidentifier()]) > 80


DIFFERENT: dict[str, tuple[Value, Any]] = {
    "numbers": (1, 2),
    "a number and a bool": (1, True),
    "text and a number": ("1", 1),
    "a number and text": (1, "1"),
    "a list and a set": ([1], {"set": [1]}),
    "a set and a tuple": (SetValue([1]), [1]),
    "a list and a tuple": (ListValue([1]), [1]),
    "a set and a list": (SetValue([1]), {"list": [1]}),
    "keys": ({"a": 1}, {"map": {"b": 1}}),
    "a map and an object": (MapValue(a=1), {"object": {"a": 1}}),
    "sizes": ([1, 2], [1]),
    "a value and an error": ("x", ERROR),
    "null and false": (None, False),
}


@pytest.mark.parametrize(("value", "expected"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_difference_is_seen(value: Value, expected: Any) -> None:
    """The comparison can fail: in values, types, kinds of collections and sizes."""
    assert not agrees(value, expected)


def test_the_comparison_is_of_the_parts_too(scope: Scope) -> None:
    """An error in a part of a collection is a difference."""
    compare: Callable[[str, Any], bool] = lambda text, expected: agrees(outcome(text, scope), expected)  # noqa: E731

    assert compare('[1, ["a"]]', [1, ["a"]])
    assert not compare('[1, ["a"]]', [1, ["b"]])
    assert not compare("1 + null", 1)
