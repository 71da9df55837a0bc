"""Values of the Terraform language: collections, which values are the same, and in which order sets have them.

Source: Terraform Language, "Types and Values". A plain list is a tuple or a list of which the type is not known; a
number is int where it is integral, else float.
"""

from __future__ import annotations

import json
import operator
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction

from infraspec.core.errors import LimitError, TerraformError
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, is_known, render

_BITS = 512
_DIGITS = range(17, 158)
"""How many digits tell apart the numbers that are no floats."""

LARGEST = 1 << _BITS
_MOST_PLACES = 300


def _exactly(compare: Callable[[Fraction, Fraction], bool]) -> Callable[[LongNumber, object], bool]:
    def apply(self: LongNumber, other: object) -> bool:
        return compare(self.exact, exact_number(other)) if isinstance(other, int | float) else NotImplemented

    return apply


class LongNumber(float):
    """A number with more digits than a float has, such as 1 / 3; `exact` is what Terraform holds, in 512 bits.

    Its text is the shortest that is read as the same number, as that of a float is, and it is compared by all of it.
    """

    __slots__ = ("exact",)
    exact: Fraction

    __eq__, __ne__, __lt__, __le__, __gt__, __ge__ = map(
        _exactly, (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)
    )

    def __hash__(self) -> int:
        return hash(self.exact)

    def __repr__(self) -> str:
        return format(self._written(_DIGITS[bisect_left(_DIGITS, 1, key=self._tells)]), "f")

    def _tells(self, digits: int) -> bool:
        return rounded(Fraction(self._written(digits))) == self.exact

    def _written(self, digits: int) -> Decimal:
        return Context(prec=digits).divide(Decimal(self.exact.numerator), Decimal(self.exact.denominator))

    def __reduce__(self) -> tuple[object, ...]:
        return _long_number, (self.exact,)


def _long_number(exact: Fraction) -> LongNumber:
    number = LongNumber(exact)
    number.exact = exact
    return number


def rounded(value: Fraction) -> Fraction:
    """Return the nearest number of 512 bits, of two the even one."""
    if not value:
        return value
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length()
    exponent -= abs(value) < _power(exponent)
    unit = _power(exponent + 1 - _BITS)
    return round(value / unit) * unit


def _power(exponent: int) -> Fraction:
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def normalize_number(number: Decimal | Fraction | float) -> int | float:
    """Return an integral number as int, another as float; zero with a sign stays a float, since its text is `-0`."""
    if isinstance(number, (int, LongNumber)):
        return _within_bounds(number)
    value = Decimal(repr(number)) if isinstance(number, float) else number
    if isinstance(value, Decimal):
        if value.is_zero():
            return -0.0 if value.is_signed() else 0
        if not value.is_finite() or value.adjusted() > _MOST_PLACES:
            raise too_large()
        if value.adjusted() < -_MOST_PLACES:
            raise _too_small()
    exact = rounded(Fraction(value))
    if exact.denominator == 1:
        return int(_within_bounds(int(exact)))
    if abs(exact) < Fraction(1, 10**_MOST_PLACES):
        raise _too_small()
    short = float(exact)
    return short if exact_number(short) == exact else _long_number(exact)


def _within_bounds(number: float) -> int | float:
    if abs(number) > LARGEST:
        raise too_large()
    return number


def _too_small() -> LimitError:
    return LimitError("A number is too small", expected=f"at least 1e-{_MOST_PLACES} or zero", found="a smaller one")


def too_large() -> LimitError:
    """Return the error of a number that Terraform does not compute with exactly."""
    return LimitError("A number is too large", expected="at most 512 bits, which Terraform computes with exactly")


def exact_number(number: float) -> Fraction:
    """Return what Terraform holds of a number: a decimal fraction rounded to 512 bits."""
    if isinstance(number, LongNumber):
        return number.exact
    return Fraction(number) if isinstance(number, int) else rounded(Fraction(Decimal(repr(number))))


def to_decimal(number: float) -> Decimal:
    """Return the decimal of an int or float that its text says."""
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


class UnorderedTuple(SetValue):
    """A tuple made of a set with unknown elements: of its order and number as little is known."""

    __slots__ = ()


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
