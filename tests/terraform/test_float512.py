"""Numbers of 512 bits."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.terraform.language.operators import BINARY, OPERATIONS
from infraspec.terraform.language.values import LongNumber, rounded

TENTH = rounded(Fraction(1, 10))


@given(st.fractions())
def test_rounding(value: Fraction) -> None:
    """What is rounded has 512 bits at most, is nearest, and stays as it is when it is rounded again."""
    found = rounded(value)

    assert found.numerator.bit_length() <= 512 or found.denominator == 1
    assert abs(found - value) <= abs(value) / (1 << 512)
    assert found == rounded(found)


@pytest.mark.parametrize("value", [0, 1, -3, Fraction(1, 2), 1 << 511, (1 << 512) - 1, Fraction(-5, 1 << 700)])
def test_numbers_of_512_bits_stay(value: Fraction) -> None:
    """A number that has 512 bits already is not changed."""
    assert value == rounded(Fraction(value))


def test_halves_go_to_the_even_number() -> None:
    """Of two numbers that are as near, the even one counts."""
    assert (1 << 512) == rounded(Fraction((1 << 512) + 1))
    assert (1 << 512) + 4 == rounded(Fraction((1 << 512) + 3))


def test_a_tenth_is_not_exact() -> None:
    """A decimal fraction has no binary form, so that a remainder may be left."""
    assert Fraction(1, 10) != TENTH
    assert OPERATIONS["%"](TENTH, rounded(Fraction(1, 10**6))) != 0
    assert Fraction(1, 4) == OPERATIONS["%"](Fraction(9, 4), Fraction(1, 2))


@pytest.mark.parametrize(
    ("left", "symbol", "right", "expected"),
    [(0.1, "+", 0.2, 0.3), (0.5, "*", 256, 128), (7, "/", 2, 3.5), (1, "-", 0.25, 0.75), (5.5, "%", 2, 1.5)],
)
def test_an_operation_that_is_exact(left: float, symbol: str, right: float, expected: float) -> None:
    """A result that binary and decimal arithmetic agree on is a plain number."""
    found = BINARY[symbol](left, right)

    assert expected == found
    assert not isinstance(found, LongNumber)


@pytest.mark.parametrize(("left", "symbol", "right"), [(0.000001, "+", 0.1), (255, "%", 0.000001), (-1, "%", 0.000001)])
def test_an_operation_that_is_not_exact(left: float, symbol: str, right: float) -> None:
    """Where they do not agree the number has more digits than can be told."""
    assert isinstance(BINARY[symbol](left, right), LongNumber)
