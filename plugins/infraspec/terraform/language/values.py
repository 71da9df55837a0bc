"""Values of the Terraform language: collections, which values are the same, and in which order sets have them.

Source: Terraform Language, "Types and Values". A plain list is a tuple or a list of which the type is not known; a
number is int where it is integral, else float.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction

from infraspec.core.errors import LimitError, TerraformError
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, is_known, render

PRECISION = Context(prec=155, traps=[InvalidOperation, DivisionByZero, Overflow])
"""About the 512 bits of Terraform's numbers."""

_ROUNDING = Context(prec=150, traps=[InvalidOperation])
"""Rounds away what the last digits of a quotient have lost, so that 1 / 3 * 3 is 1."""

_LARGEST = 1 << 512
_SMALLEST = Decimal("1e-300")


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


def normalize_number(number: Decimal | float) -> int | float:
    """Return an integral number as int, another as float."""
    if isinstance(number, int):
        return _within_bounds(number)
    exact = number if isinstance(number, Decimal) else to_decimal(number)
    if not exact.is_finite() or abs(exact) >= _LARGEST:
        raise too_large()
    rounded = _ROUNDING.plus(exact)
    if rounded == rounded.to_integral_value(context=PRECISION):
        return int(rounded)
    if abs(exact) < _SMALLEST:
        raise LimitError("A number is too small", expected=f"at least {_SMALLEST} or zero", found="a smaller one")
    short = float(exact)
    return short if Decimal(repr(short)) == rounded else _long_number(exact)


def _within_bounds(number: int) -> int:
    if abs(number) > _LARGEST:
        raise too_large()
    return number


def too_large() -> LimitError:
    """Return the error of a number that Terraform does not compute with exactly."""
    return LimitError("A number is too large", expected="at most 512 bits, which Terraform computes with exactly")


def to_decimal(number: float) -> Decimal:
    """Return the exact decimal of an int or float, the float read as its shortest text."""
    if isinstance(number, LongNumber):
        return number.exact
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


class ListValue(list[Value]):
    """A list: all its elements have one type. Only `==` tells it from a tuple, which a plain list may be."""

    __slots__ = ()


class MapValue(dict[str, Value]):
    """A map: all its elements have one type. Only `==` tells it from an object, which a plain dict may be."""

    __slots__ = ()


def named_unknown(address: str, name: str) -> Unknown:
    """Return what the provider may set: an attribute of which nothing is known."""
    return Unknown(f"{address}.{name}")


class BlockValue(dict[str, Value]):
    """A nested block as the configuration has it; the provider may know more of it than stands there.

    `address` is the block's (`aws_instance.web.root_block_device[0]`), `structure` what its schema says of it: what an
    attribute is that is not set. Without one the provider may set each of them.
    """

    __slots__ = ("address", "structure")

    def __init__(
        self, items: Mapping[str, Value], address: str, structure: Callable[[str, str], Value] = named_unknown
    ) -> None:
        super().__init__(items)
        self.address = address
        self.structure = structure

    def absent(self, name: str) -> Value:
        """Return what an attribute is that the configuration does not set."""
        return self.structure(self.address, name)


def with_items(value: dict[str, Value], items: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    """Return a map, an object or a block with other items in it."""
    if isinstance(value, BlockValue):
        return BlockValue(dict(items), value.address, value.structure)
    return type(value)(items)


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
