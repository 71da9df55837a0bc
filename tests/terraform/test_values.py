"""Values: conversions between primitive types, sets, numbers, and what is hidden."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest

from infraspec.core.errors import EvaluationError, LimitError, TerraformError
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown
from infraspec.terraform.language.conversions import first_sensitive, iterate, reveal, to_bool, to_number, to_text
from infraspec.terraform.language.values import (
    ListValue,
    LongNumber,
    MapValue,
    SetValue,
    identity,
    is_indefinite,
    normalize_number,
    type_name,
)

ARN = Unknown("aws_kms_key.main.arn")
SECRET = Sensitive("var.password", "hunter2")


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["b", "a", "b"], ["a", "b"]),
        ([10, 9, 2.5], [2.5, 9, 10]),
        ([True, False, True], [False, True]),
        ([1, True], [True, 1]),
        ([{"a": 2}, {"a": 1}, {"a": 2}], [{"a": 1}, {"a": 2}]),
        ([ARN, "b", "a", ARN], ["a", "b", ARN]),
        (["é", "z", "A", "_"], ["A", "_", "z", "é"]),
        ([], []),
    ],
)
def test_a_set_is_unique_and_sorted(items: list[object], expected: list[object]) -> None:
    """A set holds equal elements once, sorted by type and value, with the unknown ones last."""
    found = SetValue.of(items)
    assert expected == found
    assert identity(expected) == identity(list(found))


def test_the_order_of_a_set_does_not_depend_on_that_of_its_items() -> None:
    """Unknown elements have a stable order too."""
    items = [Unknown("b.b"), Text(("x", ARN)), Unknown("a.a"), {"k": ARN}]
    assert SetValue.of(items) == SetValue.of(items[::-1])


def test_a_set_with_an_unknown_element_has_an_unknown_size() -> None:
    """Two elements may turn out equal, a lone one not."""
    assert is_indefinite(SetValue.of(["a", ARN]))
    assert not is_indefinite(SetValue.of([ARN]))
    assert not is_indefinite(SetValue.of(["a", "b"]))
    assert not is_indefinite(["a", ARN])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        (1e-7, "0.0000001"),
        (10**30, "1" + "0" * 30),
        ("a", "a"),
        (ARN, ARN),
        (Text(("a", ARN)), Text(("a", ARN))),
    ],
)
def test_to_text(value: object, expected: object) -> None:
    """Text of a number has no exponent; what is unknown passes."""
    assert expected == to_text(value)


@pytest.mark.parametrize("value", [None, [], {}, SetValue()])
def test_null_and_collections_have_no_text(value: object) -> None:
    """An interpolation of null or a collection is an error."""
    with pytest.raises(EvaluationError) as caught:
        to_text(value)
    assert caught.value.found == type_name(value)


@pytest.mark.parametrize(
    ("value", "expected"), [("5", 5), ("+1", 1), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("-0", -0.0)]
)
def test_to_number(value: str, expected: float) -> None:
    """Text of a decimal number becomes a number, an int where it is integral."""
    found = to_number(value)
    assert (expected, type(expected)) == (found, type(found))


@pytest.mark.parametrize("value", ["", " 1", "0x1", "1_0", "inf", "abc", "\u0661", True, None, []])
def test_not_a_number(value: object) -> None:
    """Other text, bools, null and collections are no numbers."""
    with pytest.raises(EvaluationError):
        to_number(value)


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("0", False), ("1", True), (False, False)])
def test_to_bool(value: object, expected: object) -> None:
    """The words and digits of bools become bools."""
    assert expected is to_bool(value)


@pytest.mark.parametrize("value", ["True", "", "yes", 1, 0, None, []])
def test_not_a_bool(value: object) -> None:
    """Other text and numbers are no bools."""
    with pytest.raises(EvaluationError):
        to_bool(value)


def test_unknown_text_becomes_a_named_unknown_number() -> None:
    """Text with an unknown part may be a number."""
    assert to_number(Text(("1", ARN))) == Unknown("tonumber(1${aws_kms_key.main.arn})")
    assert to_bool(Text(("t", ARN))) == Unknown("tobool(t${aws_kms_key.main.arn})")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": 2}, [("a", 2), ("b", 1)]),
        (SetValue.of(["b", "a"]), [("a", "a"), ("b", "b")]),
        (["x", "y"], [(0, "x"), (1, "y")]),
    ],
)
def test_iterate(value: object, expected: object) -> None:
    """Objects are iterated by key, sets by element, lists by index."""
    assert expected == iterate(value)


def test_what_cannot_be_iterated() -> None:
    """Iterating a primitive value is an error that try catches; an unknown one is another, which it does not."""
    with pytest.raises(EvaluationError, match="iterate"):
        iterate("abc")
    with pytest.raises(TerraformError) as caught:
        iterate(ARN)
    assert not isinstance(caught.value, EvaluationError)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (["a"], "tuple of string"),
        (ListValue([1, 2]), "list of number"),
        ([1, "a"], "tuple of 2 elements"),
        (SetValue.of([True]), "set of bool"),
        ({"a": 1}, "object"),
        (MapValue(a=1), "map"),
        (Text((ARN,)), "string"),
        (SECRET, "a sensitive value"),
        (ARN, "a value known only after apply"),
    ],
)
def test_type_name(value: object, expected: str) -> None:
    """A type has a short name for messages."""
    assert expected == type_name(value)


def test_numbers_are_bounded() -> None:
    """A number beyond 512 bits is refused, not rounded."""
    assert normalize_number(1 << 512) == 1 << 512
    for number in (1 << 513, Decimal("1e400"), Decimal("1e-400"), Decimal("Infinity")):
        with pytest.raises(LimitError):
            normalize_number(number)
    with pytest.raises(LimitError):
        to_number("1e999999999999999999999999")


def test_a_long_number_keeps_its_digits() -> None:
    """A number with more digits than a float has is exact in arithmetic and in its text."""
    third = normalize_number(Decimal(1) / Decimal(3) + Decimal("1e-25"))
    assert isinstance(third, LongNumber)
    assert to_text(third) == "0.3333333333333333333333334333"
    assert identity(third) == identity(pickle.loads(pickle.dumps(third)))  # noqa: S301 - our own bytes
    assert identity(third) != identity(float(third))


def test_reveal_replaces_every_sensitive_part() -> None:
    """What a sensitive part hides takes its place, in text and JSON too."""
    assert reveal(Text(("a-", SECRET))) == "a-hunter2"
    assert reveal({"a": [SECRET, ARN]}) == {"a": ["hunter2", ARN]}
    assert reveal(JsonText({"a": SECRET})) == '{"a":"hunter2"}'
    assert reveal(JsonText({"a": SECRET, "b": ARN})) == JsonText({"a": "hunter2", "b": ARN})
    assert reveal(SetValue.of(["z", SECRET])) == SetValue.of(["hunter2", "z"])
    assert reveal(Sensitive("var.a", [SECRET])) == ["hunter2"]


def test_first_sensitive_finds_it_at_any_depth() -> None:
    """The first sensitive part is found in lists, objects and text."""
    assert first_sensitive("a", {"b": [Text(("a", SECRET))]}) is SECRET
    assert first_sensitive("a", ARN) is None
