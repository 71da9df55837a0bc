"""The types of parameters: each converts an argument, or raises EvaluationError.

An unknown part passes, so that a structural function can look at it; a list, map or number that is unknown as a whole
decides nothing, so it raises Undetermined.
"""

from __future__ import annotations

from infraspec.errors import EvaluationError
from infraspec.terraform.conversions import to_bool, to_number, to_text
from infraspec.terraform.revealing import iterate
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.values import SetValue, type_name
from infraspec.unknown import Text, Unknown, Value


def nullable(value: Value) -> Value:
    """Take any value, null too."""
    return value


def present(value: Value) -> Value:
    """Take any value but null."""
    if value is None:
        raise EvaluationError("argument must not be null", found="null")
    return value


def text(value: Value) -> str | Text | Unknown:
    """Take text, a number or a bool, as text."""
    return to_text(present(value))


def known_text(value: Value) -> str:
    """Take text that must be known to decide anything."""
    converted = text(value)
    if isinstance(converted, str):
        return converted
    raise Undetermined


def number(value: Value) -> int | float:
    """Take a number or the text of one."""
    converted = to_number(present(value))
    if isinstance(converted, Unknown):
        raise Undetermined
    return converted


def integer(value: Value) -> int:
    """Take a whole number."""
    converted = number(value)
    if isinstance(converted, int):
        return converted
    raise EvaluationError("argument must be a whole number", found=str(converted))


def boolean(value: Value) -> bool:
    """Take a bool or the text of one."""
    converted = to_bool(present(value))
    if isinstance(converted, Unknown):
        raise Undetermined
    return converted


def collection(value: Value) -> list[Value]:
    """Take a list, tuple or set, as a list."""
    if isinstance(present(value), Unknown):
        raise Undetermined
    if isinstance(value, list):
        return value
    raise EvaluationError("argument must be a list, tuple or set", found=type_name(value))


def sequence(value: list[Value]) -> list[Value]:
    """Take a list or tuple; a set has no order."""
    value = collection(value)
    if isinstance(value, SetValue):
        raise EvaluationError("argument must be a list or tuple", found=type_name(value), remedy="tolist(…)")
    return value


def texts(value: Value) -> list[str | Text | Unknown | None]:
    """Take a collection of text, numbers and bools, as text; null elements stay."""
    return [None if item is None else to_text(item) for item in collection(value)]


def known_texts(value: Value) -> list[str]:
    """Take a collection of text that must all be known."""
    return [known_text(item) for item in collection(value)]


def mapping(value: Value) -> dict[str, Value]:
    """Take a map or object."""
    if isinstance(present(value), Unknown):
        raise Undetermined
    if isinstance(value, dict):
        return value
    raise EvaluationError("argument must be a map or object", found=type_name(value))


def pairs(value: dict[str, Value]) -> list[tuple[str, Value]]:
    """Return the entries of a map in Terraform's order."""
    return iterate(value)
