"""What sensitive values hide, for computing with it; what comes of it is sensitive again."""

from __future__ import annotations

from collections.abc import Iterator

from infraspec.errors import EvaluationError, TerraformError
from infraspec.terraform.conversions import to_bool, to_text
from infraspec.terraform.values import SetValue, type_name, with_items
from infraspec.unknown import (
    JsonText,
    Sensitive,
    Text,
    Unknown,
    Value,
    concatenate,
    encode_json,
    is_known,
    unknowns,
)


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
        case SetValue():
            return [(item, item) for item in value]
        case list() | tuple():
            return list(enumerate(value))
        case Sensitive():
            return _iterate_hidden(value)
        case Unknown():
            raise TerraformError("The elements of a value known only after apply are not known", found=repr(value))
        case _:
            raise EvaluationError(
                "Cannot iterate over this value", expected="a list, set or map", found=type_name(value)
            )


def _iterate_hidden(value: Sensitive) -> list[tuple[Value, Value]]:
    hidden = reveal(value)
    if not isinstance(hidden, (dict, list)):
        raise EvaluationError("Cannot iterate over this value", expected="a list, set or map", found=type_name(value))
    return [
        (key if isinstance(key, int) else Sensitive(value.address, key), Sensitive(f"{value.address}[{place}]", item))
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
    return next((part for value in values for part in _sensitive_parts(value)), None)


def _sensitive_parts(value: Value) -> Iterator[Sensitive]:
    return (part for part in unknowns(value) if isinstance(part, Sensitive))
