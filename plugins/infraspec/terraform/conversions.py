"""The conversions between primitive types of the Terraform language.

Source: Terraform Language, "Type Constraints" (Conversion of Primitive Types).
"""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException

from infraspec.errors import EvaluationError
from infraspec.terraform.number import LongNumber, normalize_number, too_large
from infraspec.terraform.values import type_name
from infraspec.unknown import Text, Unknown, Value, computed_from, number_text, render

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def to_text(value: Value) -> str | Text | Unknown:
    """Convert to text as an interpolation does; unknown parts pass.

    Raises EvaluationError for null and collections.
    """
    match value:
        case str() | Text() | Unknown():
            return value
        case bool():
            return "true" if value else "false"
        case LongNumber():
            return Unknown(f"tostring({value!r})")
        case int() | float():
            return number_text(value)
        case _:
            raise _cannot_convert(value, "a string, number or bool")


def to_number(value: Value) -> int | float | Unknown:
    """Convert a number or the text of one; a Text becomes an Unknown. Raises EvaluationError for the rest."""
    match value:
        case Unknown():
            return value
        case Text():
            return Unknown(f"tonumber({render(value)})", computed_from(value))
        case bool():
            raise _cannot_convert(value, "a number")
        case int() | float():
            return value
        case str() if _NUMBER.fullmatch(value):
            return _parse(value)
        case _:
            raise _cannot_convert(value, "a number")


def _parse(text: str) -> int | float:
    try:
        return normalize_number(Decimal(text))
    except DecimalException:
        raise too_large() from None


def to_bool(value: Value) -> bool | Unknown:
    """Convert a bool, "true" or "1", "false" or "0"; a Text becomes an Unknown. Raises EvaluationError for the rest."""
    match value:
        case bool() | Unknown():
            return value
        case Text():
            return Unknown(f"tobool({render(value)})", computed_from(value))
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise _cannot_convert(value, 'true or false, or the text "true" or "false"')


def _cannot_convert(value: Value, expected: str) -> EvaluationError:
    found = type_name(value)
    if isinstance(value, (str, int, float)):
        found = f"{found} {render(value)[:80]!r}" if isinstance(value, str) else f"{found} {render(value)}"
    return EvaluationError(f"Cannot use {_article(type_name(value))} here", expected=expected, found=found)


def _article(name: str) -> str:
    if name == "null" or name.startswith("a "):
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
