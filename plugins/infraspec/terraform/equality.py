"""Equality of values of the Terraform language, where parts of them may be unknown."""

from __future__ import annotations

from collections.abc import Iterable

from infraspec.terraform.partial_text import may_equal
from infraspec.terraform.revealing import reveal
from infraspec.terraform.scalars import is_never_empty
from infraspec.terraform.values import ListValue, MapValue, SetValue, identity
from infraspec.unknown import Text, Unknown, Value, is_known, is_one_value, unknowns


def equality(left: Value, right: Value) -> bool | None:
    """Tell whether two values are equal, None if it is not known. Sensitive parts are compared by what they hide.

    As in Terraform, values of different types differ: `"5" == 5` is false. A list and a tuple of the same elements
    differ too, but a plain list does not tell which it is, so that is not known. Nor is it for two empty lists, sets or
    maps, of which the types of the elements may differ.
    """
    return _equality(reveal(left), reveal(right))


def _equality(left: Value, right: Value) -> bool | None:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        if _same_unknown(left, right):
            return True
        return False if (left == "" and is_never_empty(right)) or (right == "" and is_never_empty(left)) else None
    if isinstance(left, Text) or isinstance(right, Text):
        return _text_equality(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return _object_equality(left, right)
    if isinstance(left, list) and isinstance(right, list):
        return _list_equality(left, right)
    return identity(left) == identity(right)


def _same_unknown(left: Value, right: Value) -> bool:
    return bool(left == right) and is_one_value(left.address)


def _text_equality(left: Value, right: Value) -> bool | None:
    if not (isinstance(left, (str, Text)) and isinstance(right, (str, Text))):
        return False
    if identity(left) == identity(right) and is_one_value(str(left)):
        return True
    return None if may_equal(left, right) else False


def _object_equality(left: dict[str, Value], right: dict[str, Value]) -> bool | None:
    if left.keys() != right.keys():
        return False
    if not left and isinstance(left, MapValue) and isinstance(right, MapValue):
        return None
    verdict = all_of(_equality(left[key], right[key]) for key in left)
    return _of_one_type(verdict, isinstance(left, MapValue), isinstance(right, MapValue))


def _list_equality(left: list[Value], right: list[Value]) -> bool | None:
    if isinstance(left, SetValue) or isinstance(right, SetValue):
        return _of_one_type(_set_equality(left, right), isinstance(left, SetValue), isinstance(right, SetValue))
    if len(left) != len(right):
        return False
    if not left and isinstance(left, ListValue) and isinstance(right, ListValue):
        return None
    verdict = all_of(map(_equality, left, right))
    return _of_one_type(verdict, isinstance(left, ListValue), isinstance(right, ListValue))


def _of_one_type(verdict: bool | None, left: bool, right: bool) -> bool | None:  # noqa: FBT001 - two equal sides
    return None if verdict and left != right else verdict


def _set_equality(left: list[Value], right: list[Value]) -> bool | None:
    if not left and not right:
        return None
    if is_known(left) and is_known(right):
        return set(map(identity, left)) == set(map(identity, right))
    missing = any(all(_equality(item, other) is False for other in right) for item in left)
    return False if missing or any(all(_equality(item, other) is False for other in left) for item in right) else None


def all_of(verdicts: Iterable[bool | None]) -> bool | None:
    """Return the conjunction of three-valued verdicts: False if any is False, else None if any is None."""
    answer: bool | None = True
    for verdict in verdicts:
        if verdict is False:
            return False
        if verdict is None:
            answer = None
    return answer


def conditional_equal(one: Value, other: Value) -> bool:
    """Tell whether two branches of a conditional are certainly one value, so that the condition does not matter."""
    stable = all(is_one_value(part.address) for part in unknowns(reveal(one)))
    return stable and identity(one) == identity(other)
