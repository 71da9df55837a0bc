"""Arithmetic of numbers as Terraform does it, in binary with 512 bits, for what a decimal result would hide.

Source: go-cty, "Value.Add" and its like, and math/big, "Float": each result is rounded to the nearest number of 512
bits. `0.000001 + 0.1` is not quite `0.100001` then, and its text has 155 digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import trunc

_BITS = 512


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


def _remainder(left: Fraction, right: Fraction) -> Fraction:
    return rounded(left - rounded(right * trunc(rounded(left / right)))) if right else left


OPERATIONS: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda left, right: rounded(left + right),
    "-": lambda left, right: rounded(left - right),
    "*": lambda left, right: rounded(left * right),
    "/": lambda left, right: rounded(left / right),
    "%": _remainder,
}
"""What the arithmetic operators do with two numbers of 512 bits."""
