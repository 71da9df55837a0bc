"""Values of the Terraform language: collections, and the conversions between primitive types.

Sources: Terraform Language, "Types and Values" and "Type Constraints" (Conversion of Primitive Types). A number is int
where it is integral, else float. A plain list is a tuple or a list of which the type is not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction

from infraspec.errors import EvaluationError, LimitError, TerraformError
from infraspec.unknown import (
    JsonText,
    Sensitive,
    Text,
    Unknown,
    Value,
    concatenate,
    encode_json,
    is_known,
    number_text,
    render,
    unknowns,
)

PRECISION = Context(prec=155, traps=[InvalidOperation, DivisionByZero, Overflow])
"""About the 512 bits of Terraform's numbers."""

_ROUNDING = Context(prec=150, traps=[InvalidOperation])
"""Rounds away what the last digits of a quotient have lost, so that 1 / 3 * 3 is 1."""

_LARGEST = 1 << 512
_SMALLEST = Decimal("1e-300")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class LongNumber(float):
    """A number with more digits than a float has, such as 1 / 3; `exact` has 150 of them.

    Terraform's own text of it is some digits longer, so it is not known.
    """

    __slots__ = ("exact",)
    exact: Decimal

    def __reduce__(self) -> tuple[object, ...]:
        return _long_number, (self.exact,)


def long_number(value: Fraction) -> LongNumber:
    """Return a number that has more digits than a float."""
    return _long_number(PRECISION.divide(Decimal(value.numerator), Decimal(value.denominator)))


def _long_number(exact: Decimal) -> LongNumber:
    number = LongNumber(exact)
    number.exact = exact
    return number


class ListValue(list[Value]):
    """A list: all its elements have one type. Only `==` tells it from a tuple, which a plain list may be."""

    __slots__ = ()


class MapValue(dict[str, Value]):
    """A map: all its elements have one type. Only `==` tells it from an object, which a plain dict may be."""

    __slots__ = ()


class SetValue(list[Value]):
    """A set: unique elements, sorted; those that hold something unknown come last.

    Make one with `of`. Two unknown elements may turn out equal, so the size of a set that holds one is not known.
    """

    __slots__ = ()

    @classmethod
    def of(cls, items: Iterable[Value]) -> SetValue:
        """Return the set of the items."""
        unique = {identity(item): item for item in items}
        return cls(sorted(unique.values(), key=sort_key))


def is_indefinite(value: Value) -> bool:
    """Tell whether a value is a set of which the number and order of elements is not known."""
    return isinstance(value, SetValue) and len(value) > 1 and not is_known(value)


def identity(value: Value) -> Hashable:
    """Return a key that is equal for two values exactly if they are the same, unknown parts by their address."""
    match value:
        case bool() | Unknown() | Text():
            return _mark_identity(value)
        case LongNumber():
            return value.exact
        case None | int() | float() | str():
            return value
        case dict():
            return ("map", tuple(sorted((key, identity(item)) for key, item in value.items())))
        case SetValue():
            return ("set", tuple(map(identity, value)))
        case list() | tuple():
            return ("list", tuple(map(identity, value)))
        case _:
            raise TerraformError("A value is of no type of the Terraform language", found=type(value).__name__)


def _mark_identity(value: Value) -> Hashable:
    match value:
        case bool():
            return ("bool", value)
        case Sensitive():
            return ("sensitive", identity(value.reveal()))
        case Unknown():
            return ("unknown", value.address)
        case JsonText():
            return ("text", identity(value.tree))
        case _:
            return ("text", tuple(map(identity, value.parts)))


def sort_key(value: Value) -> tuple[int, float, str]:
    """Return what sets are ordered by: bools, numbers by value, text by code point, the rest; unknown parts last.

    Source: go-cty, "set_internals.go": collections are ordered by the text that their hash is made from.
    """
    match value:
        case bool():
            return (0, value, "")
        case int() | float():
            return (1, value, "")
        case str():
            return (2, 0, value)
        case _ if is_known(value):
            return (3, 0, _set_text(value))
        case _:
            return (4, 0, render(value))


def _set_text(value: Value) -> str:
    match value:
        case None:
            return "~"
        case bool():
            return "T" if value else "F"
        case int() | float():
            return f"{value:.10g}"
        case MapValue():
            return "{" + "".join(f"{_set_text(key)}:{_set_text(value[key])};" for key in sorted(value)) + "}"
        case dict():
            return "<" + "".join(f"{_set_text(value[key])};" for key in sorted(value)) + ">"
        case list() | tuple():
            return "<" + "".join(f"{_set_text(item)};" for item in value) + ">"
        case _:
            return json.dumps(value, ensure_ascii=False)


def type_name(value: Value) -> str:
    """Return the short name of a value's type, for a message."""
    match value:
        case Sensitive():
            return "a sensitive value"
        case Unknown():
            return "a value known only after apply"
        case Text():
            return "string"
        case dict():
            return "map" if isinstance(value, MapValue) else "object"
        case float():
            return "number"
        case SetValue():
            return f"set of {_element_name(value)}"
        case list() | tuple():
            return f"{'list' if isinstance(value, ListValue) else 'tuple'} of {_element_name(value)}"
        case _:
            return _PRIMITIVE_NAMES.get(type(value), type(value).__name__)


_PRIMITIVE_NAMES = {type(None): "null", bool: "bool", int: "number", float: "number", str: "string"}


def _element_name(items: Sequence[Value]) -> str:
    names = sorted({type_name(item) for item in items})
    return names[0] if len(names) == 1 else f"{len(items)} elements"


def normalize_number(number: Decimal | float) -> int | float:
    """Return an integral number as int, another as float."""
    if isinstance(number, int):
        return _within_bounds(number)
    exact = number if isinstance(number, Decimal) else to_decimal(number)
    if not exact.is_finite() or abs(exact) >= _LARGEST:
        raise _too_large()
    rounded = _ROUNDING.plus(exact)
    if rounded == rounded.to_integral_value(context=PRECISION):
        return int(rounded)
    if abs(exact) < _SMALLEST:
        raise LimitError("A number is too small", expected=f"at least {_SMALLEST} or zero", found="a smaller one")
    short = float(exact)
    return short if Decimal(repr(short)) == rounded else _long_number(exact)


def _within_bounds(number: int) -> int:
    if abs(number) > _LARGEST:
        raise _too_large()
    return number


def _too_large() -> LimitError:
    return LimitError("A number is too large", expected="at most 512 bits, which Terraform computes with exactly")


def to_decimal(number: float) -> Decimal:
    """Return the exact decimal of an int or float, the float read as its shortest text."""
    if isinstance(number, LongNumber):
        return number.exact
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


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
            return Unknown(f"tonumber({render(value)})")
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
        raise _too_large() from None


def to_bool(value: Value) -> bool | Unknown:
    """Convert a bool, "true" or "1", "false" or "0"; a Text becomes an Unknown. Raises EvaluationError for the rest."""
    match value:
        case bool() | Unknown():
            return value
        case Text():
            return Unknown(f"tobool({render(value)})")
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
            return type(value)((key, reveal(item)) for key, item in value.items())
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
