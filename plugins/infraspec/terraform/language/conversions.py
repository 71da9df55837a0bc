"""The conversions between primitive types of the Terraform language.

Source: Terraform Language, "Type Constraints" (Conversion of Primitive Types).
"""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException

from infraspec.core.errors import EvaluationError, TerraformError
from infraspec.core.unknown import (
    JsonText,
    Sensitive,
    Text,
    Unknown,
    Value,
    computed_from,
    concatenate,
    encode_json,
    is_known,
    marked,
    number_text,
    render,
    unknowns,
)
from infraspec.terraform.language.values import (
    SetValue,
    UnorderedTuple,
    normalize_number,
    too_large,
    type_name,
    with_items,
)

_NUMBER = re.compile(r"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?", re.ASCII)


def to_text(value: Value) -> str | Text | Unknown:
    """Convert to text as an interpolation does; unknown parts pass.

    Raises EvaluationError for null and collections.
    """
    match value:
        case str() | Text() | Unknown():
            return value
        case bool():
            return "true" if value else "false"
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


def to_revealed_bool(value: Value) -> bool | Unknown:
    """Convert as `to_bool` what a value hides, if it is sensitive; an error does not show it."""
    hidden = reveal(value)
    try:
        return to_bool(hidden)
    except EvaluationError as error:
        if hidden is value:
            raise
        raise EvaluationError("Cannot use this sensitive value here", expected=error.expected) from None


def iterate(value: Value) -> list[tuple[Value, Value]]:
    """Return (key, element) pairs in Terraform's order: objects by key, lists by index, a set's element as its key.

    Keys and elements of a sensitive collection are sensitive. Raises EvaluationError for anything that is no
    collection. Ask about an Unknown first: it cannot be iterated.
    """
    match value:
        case dict():
            return sorted(value.items(), key=lambda pair: str(pair[0]))
        case UnorderedTuple():
            return [(Unknown("each.key"), item) for item in value]
        case SetValue():
            return [(item, item) for item in value]
        case list() | tuple():
            return list(enumerate(value))
        case Sensitive():
            return _iterate_hidden(value)
        case Unknown():
            raise TerraformError("The elements of this value are known only after apply", found=repr(value))
        case _:
            raise EvaluationError(
                "Cannot iterate over this value", expected="a list, set or map", found=type_name(value)
            )


def _iterate_hidden(value: Sensitive) -> list[tuple[Value, Value]]:
    hidden = reveal(value)
    if not isinstance(hidden, (dict, list)):
        raise EvaluationError("Cannot iterate over this value", expected="a list, set or map", found=type_name(value))
    return [
        (
            key if isinstance(key, int) else marked(value.address, key, value),
            marked(f"{value.address}[{place}]", item, value),
        )
        for place, (key, item) in enumerate(iterate(hidden))
    ]


def reveal(value: Value) -> Value:
    """Return a value with every sensitive part in it replaced by what it hides."""
    if not any(isinstance(part, Sensitive) for part in unknowns(value)):
        return value
    match value:
        case Sensitive():
            return reveal(value.reveal())
        case JsonText():
            tree = reveal(value.tree)
            return encode_json(tree) if is_known(tree) else JsonText(tree)
        case Text():
            return concatenate(to_text(reveal(part)) for part in value.parts)
        case dict():
            return with_items(value, ((key, reveal(item)) for key, item in value.items()))
        case SetValue():
            return SetValue.of(map(reveal, value))
        case list():
            return type(value)(map(reveal, value))
        case _:
            return value


def first_sensitive(*values: Value) -> Sensitive | None:
    """Return the first sensitive part of the values."""
    return next((part for value in values for part in unknowns(value) if isinstance(part, Sensitive)), None)
