"""Numeric functions."""

from __future__ import annotations

import math
import operator
import string
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR

from infraspec.errors import EvaluationError, LimitError
from infraspec.terraform.conversions import to_number
from infraspec.terraform.functions.parameters import collection, integer, number, present
from infraspec.terraform.functions.registry import function
from infraspec.terraform.number import normalize_number, to_decimal
from infraspec.terraform.operators import BINARY
from infraspec.terraform.values import ListValue, type_name
from infraspec.unknown import Value

_DIGITS = string.digits + string.ascii_lowercase + string.ascii_uppercase
_MOST_ELEMENTS = 1024
"""How many elements `range` gives at most, as in Terraform."""


@function("abs", number)
def absolute(value: float) -> int | float:
    """Return the number without its sign."""
    return normalize_number(abs(to_decimal(value)))


@function("ceil", number)
def ceiling(value: float) -> int:
    """Return the nearest whole number that is not smaller."""
    return int(to_decimal(value).to_integral_value(ROUND_CEILING))


@function("floor", number)
def floor(value: float) -> int:
    """Return the nearest whole number that is not greater."""
    return int(to_decimal(value).to_integral_value(ROUND_FLOOR))


@function("max", number, rest=number)
def greatest(*values: float) -> int | float:
    """Return the greatest number."""
    return max(values)


@function("min", number, rest=number)
def least(*values: float) -> int | float:
    """Return the least number."""
    return min(values)


@function("signum", integer)
def signum(value: int) -> int:
    """Return -1, 0 or 1."""
    return (value > 0) - (value < 0)


@function("pow", number, number)
def power(base: float, exponent: float) -> int | float:
    """Raise to a power, in double precision as Terraform does."""
    return _double(lambda: _power(base, exponent))


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
    return ListValue(_count(start, limit, step))


def _count(start: float, limit: float, step: float) -> list[int | float]:
    before = operator.gt if step < 0 else operator.lt
    numbers: list[int | float] = []
    while before(start, limit):
        if len(numbers) >= _MOST_ELEMENTS:
            raise EvaluationError(f"more than {_MOST_ELEMENTS} values were generated")
        numbers.append(start)
        start = BINARY["+"](start, step)
    return numbers
