"""Numbers of the Terraform language, with the digits that a float does not have.

Source: Terraform Language, "Types and Values". A number is int where it is integral, else float.
"""

from __future__ import annotations

from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction

from infraspec.errors import LimitError

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
