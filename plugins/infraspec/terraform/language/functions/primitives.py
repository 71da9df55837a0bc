"""Numeric functions."""

from __future__ import annotations

import itertools
import math
import operator
import string
from collections.abc import Callable

from infraspec.core.errors import EvaluationError, LimitError
from infraspec.core.unknown import Ephemeral, Sensitive, Text, Unknown, Value, parts_of
from infraspec.terraform.language.conversions import first_sensitive, to_number, to_text
from infraspec.terraform.language.functions.parameters import (
    boolean,
    collection,
    function,
    integer,
    mapping,
    nullable,
    number,
    present,
)
from infraspec.terraform.language.operators import BINARY
from infraspec.terraform.language.partial_values import Undetermined
from infraspec.terraform.language.types import unified
from infraspec.terraform.language.values import (
    ListValue,
    MapValue,
    SetValue,
    exact_number,
    normalize_number,
    type_name,
    with_items,
)

_count = itertools.count(1)


@function("tolist", nullable, structural=True)
def to_list(value: Value) -> Value:
    """Convert a tuple or set to a list, its elements to one type."""
    return None if value is None else ListValue(unified(collection(value)))


@function("toset", nullable, structural=True, sets=True)
def to_set(value: Value) -> Value:
    """Convert a list or tuple to a set, its elements to one type."""
    return None if value is None else SetValue.of(unified(collection(value)))


@function("tomap", nullable, structural=True)
def to_map(value: Value) -> Value:
    """Convert an object to a map, its values to one type."""
    if value is None:
        return None
    entries = mapping(value)
    return MapValue(zip(entries, unified(list(entries.values())), strict=True))


@function("sensitive", nullable, structural=True, sets=True)
def sensitive(value: Value) -> Sensitive:
    """Mark a value as sensitive. Its name is unlike every other, since it must not say anything of the value."""
    if isinstance(value, Sensitive):
        return value
    return Sensitive(value.address if isinstance(value, Unknown) else f"sensitive(#{next(_count)})", value)


@function("nonsensitive", nullable, structural=True, sets=True)
def nonsensitive(value: Value) -> Value:
    """Take the mark of sensitivity from a value; one that is ephemeral stays hidden."""
    return value.reveal() if isinstance(value, Sensitive) and not isinstance(value, Ephemeral) else value


@function("issensitive", nullable, structural=True, sets=True)
def is_sensitive(value: Value) -> bool:
    """Tell whether a value is marked as sensitive; of an unknown value it is not known."""
    if isinstance(value, Sensitive) or (isinstance(value, Text) and first_sensitive(value)):
        return True
    if isinstance(value, (Unknown, Text)):
        raise Undetermined
    return False


@function("ephemeralasnull", nullable, structural=True, sets=True)
def ephemeral_as_null(value: Value) -> Value:
    """Return the value with null in place of each ephemeral part of it."""
    if isinstance(value, dict):
        return with_items(value, ((key, ephemeral_as_null(item)) for key, item in value.items()))
    if isinstance(value, list):
        return (
            SetValue.of(map(ephemeral_as_null, value))
            if isinstance(value, SetValue)
            else type(value)(map(ephemeral_as_null, value))
        )
    return None if any(isinstance(part, Ephemeral) for part in parts_of(value)) else value


_DIGITS = string.digits + string.ascii_lowercase + string.ascii_uppercase
_MOST_ELEMENTS = 1024
"""How many elements `range` gives at most, as in Terraform."""


def _power(base: float, exponent: float) -> float:
    """Multiply as Go's math.Pow does, which rounds in other places than that of C."""
    direct = math.pow(base, exponent)
    if base == 0 or abs(exponent) == 1 / 2 or not math.isfinite(direct):
        return direct
    fraction, whole = math.modf(abs(exponent))
    whole, fraction = (whole + 1, fraction - 1) if fraction > 1 / 2 else (whole, fraction)
    result = math.exp(fraction * math.log(base)) if fraction else 1.0
    factor, power_of_two = math.frexp(base)
    shift, remaining = 0, int(whole)
    while remaining:
        if remaining & 1:
            result, shift = result * factor, shift + power_of_two
        remaining >>= 1
        factor, power_of_two = factor * factor, power_of_two * 2
        if abs(factor) < 1 / 2:
            factor, power_of_two = factor * 2, power_of_two - 1
    return math.ldexp(1 / result, -shift) if exponent < 0 else math.ldexp(result, shift)


@function("log", number, number)
def logarithm(value: float, base: float) -> int | float:
    """Return the logarithm to a base, in double precision as Terraform does."""
    return _double(lambda: math.log(value) / (math.log(base) if base else -math.inf))


def _double(compute: Callable[[], float]) -> int | float:
    try:
        result = compute()
    except (OverflowError, ZeroDivisionError):
        raise LimitError("The result of a function is infinite") from None
    except ValueError:
        raise EvaluationError("the result is no real number") from None
    if math.isfinite(result):
        return normalize_number(result)
    raise LimitError("The result of a function is infinite")


@function("parseint", present, integer)
def parse_integer(text: Value, base: int) -> int:
    """Read a whole number in a base from 2 to 62."""
    if not isinstance(text, str):
        raise EvaluationError("first argument must be a string", found=type_name(text))
    if base not in range(2, len(_DIGITS) + 1):
        raise EvaluationError("base must be between 2 and 62", found=str(base))
    return int(normalize_number(_from_digits(text, base)))


def _from_digits(text: str, base: int) -> int:
    digits = text[1:] if text[:1] in {"+", "-"} else text
    allowed = _DIGITS[:base]
    lowered = digits.lower() if base <= len(string.digits + string.ascii_lowercase) else digits
    if not lowered or not set(lowered) <= set(allowed) or not digits.isascii():
        raise EvaluationError(f"cannot parse a number in base {base}", found=text[:80])
    if len(lowered) > _MOST_ELEMENTS:
        raise LimitError("A number is too large", expected=f"at most {_MOST_ELEMENTS} digits")
    total = 0
    for digit in lowered:
        total = total * base + allowed.index(digit)
    return -total if text[0] == "-" else total


@function("sum", collection)
def total(values: list[Value]) -> int | float:
    """Add the numbers of a collection that is not empty."""
    if not values:
        raise EvaluationError("cannot sum an empty list")
    numbers = [number(value) for value in values]
    result: int | float = 0
    for value in numbers:
        result = to_number(BINARY["+"](result, value))  # type: ignore[assignment] # of numbers, a number
    return result


@function("range", number, optional=(number, number))
def counting(*bounds: float) -> ListValue:
    """Return the numbers from a start (0) to before a limit, by a step (1, or -1 downwards)."""
    start, limit = (0, bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
    downwards = limit < start
    step = bounds[2] if len(bounds) > 2 else (-1 if downwards else 1)  # noqa: PLR2004 - the third argument
    if step == 0 and start != limit:
        raise EvaluationError("step must not be zero")
    if start != limit and (step < 0) != downwards:
        raise EvaluationError("step leads away from the limit", found=str(step))
    return ListValue(_numeric_count(start, limit, step))


def _numeric_count(start: float, limit: float, step: float) -> list[int | float]:
    before = operator.gt if step < 0 else operator.lt
    numbers: list[int | float] = []
    while before(start, limit):
        if len(numbers) >= _MOST_ELEMENTS:
            raise EvaluationError(f"more than {_MOST_ELEMENTS} values were generated")
        numbers.append(start)
        start = BINARY["+"](start, step)
    return numbers


function("tostring", nullable, structural=True)(lambda value: None if value is None else to_text(value))
function("tonumber", nullable, structural=True)(lambda value: None if value is None else number(value))
function("tobool", nullable, structural=True)(lambda value: None if value is None else boolean(value))
function("abs", number)(lambda value: normalize_number(abs(exact_number(value))))
function("ceil", number)(lambda value: math.ceil(exact_number(value)))
function("floor", number)(lambda value: math.floor(exact_number(value)))
function("max", number, rest=number)(lambda *values: max(values))
function("min", number, rest=number)(lambda *values: min(values))
function("signum", integer)(lambda value: (value > 0) - (value < 0))
function("pow", number, number)(lambda base, exponent: _double(lambda: _power(base, exponent)))
