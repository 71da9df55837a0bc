"""The operators of the Terraform language, over values that may be unknown or sensitive.

Source: Terraform Language, "Arithmetic and Logical Operators". An operand that is not known makes the result unknown,
named by the expression (`aws_x.y.count + 1`), unless the known parts decide it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException
from fractions import Fraction
from typing import TypeAlias

from infraspec.errors import EvaluationError, LimitError
from infraspec.terraform import float512, symbolic
from infraspec.terraform.conversions import to_bool, to_number
from infraspec.terraform.equality import equality
from infraspec.terraform.number import PRECISION, LongNumber, long_number, normalize_number, to_decimal
from infraspec.terraform.revealing import first_sensitive, reveal
from infraspec.unknown import Sensitive, Unknown, Value

Unary: TypeAlias = Callable[[Value], Value]
Binary: TypeAlias = Callable[[Value, Value], Value]


def _arithmetic(symbol: str, compute: Callable[[Decimal, Decimal], Decimal]) -> Binary:
    def apply(left: Value, right: Value) -> Value:
        left, right = _number(left), _number(right)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return None
        try:
            result = normalize_number(compute(to_decimal(left), to_decimal(right)))
        except DecimalException:
            raise LimitError("A number is too large", expected="at most 512 bits") from None
        if type(left) is int and type(right) is int:
            return result
        if any(isinstance(value, LongNumber) for value in (left, right, result)):
            return result
        return _in_binary(symbol, left, right, result)

    return apply


def _in_binary(symbol: str, left: float, right: float, result: float) -> float:
    """Return the decimal result of an operation if it is Terraform's binary one, else that one."""
    binary = float512.OPERATIONS[symbol](*(float512.rounded(Fraction(to_decimal(value))) for value in (left, right)))
    return result if binary == float512.rounded(Fraction(to_decimal(result))) else long_number(binary)


def _comparison(compare: Callable[[Decimal, Decimal], bool]) -> Binary:
    def apply(left: Value, right: Value) -> Value:
        left, right = _number(left), _number(right)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return None
        return compare(to_decimal(left), to_decimal(right))

    return apply


def _number(value: Value) -> Value:
    if value is None:
        raise EvaluationError("An operand of an operator is null", expected="a number", found="null")
    return to_number(value)


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if not right and left:
        raise LimitError("Division by zero", expected="a divisor other than zero", found="0, which makes it infinite")
    if not right:
        raise EvaluationError("Division of zero by zero", expected="a divisor other than zero", found="0")
    return PRECISION.divide(left, right)


def _remainder(left: Decimal, right: Decimal) -> Decimal:
    """Return what truncated division leaves, with the sign of the left operand; by zero, the left operand."""
    return PRECISION.remainder(left, right) if right else left


def _not_equal(left: Value, right: Value) -> bool | None:
    verdict = equality(left, right)
    return None if verdict is None else not verdict


def _and(left: Value, right: Value) -> bool | None:
    left = _bool(left)
    return False if left is False else _decided(left, _bool(right), decisive=False)


def _or(left: Value, right: Value) -> bool | None:
    left = _bool(left)
    return True if left is True else _decided(left, _bool(right), decisive=True)


def _decided(*operands: Value, decisive: bool) -> bool | None:
    if any(operand is decisive for operand in operands):
        return decisive
    return None if any(isinstance(operand, Unknown) for operand in operands) else not decisive


def _bool(value: Value) -> bool | Unknown:
    if value is None:
        raise EvaluationError("An operand of an operator is null", expected="true or false", found="null")
    return to_bool(value)


def _binary(symbol: str, compute: Binary) -> Binary:
    """Make the operator: name an undecided result, and keep sensitivity."""

    def apply(left: Value, right: Value) -> Value:
        hidden = first_sensitive(left, right) is not None
        result = _hiding(lambda: compute(reveal(left), reveal(right))) if hidden else compute(left, right)
        if hidden or result is None:
            name = symbolic.binary(left, symbol, right)
            return name if result is None else Sensitive(name.address, result)
        return result

    return apply


def _unary(symbol: str, compute: Unary) -> Unary:
    def apply(value: Value) -> Value:
        hidden = first_sensitive(value) is not None
        result = _hiding(lambda: compute(reveal(value))) if hidden else compute(value)
        if hidden or result is None:
            name = symbolic.unary(symbol, value)
            return name if result is None else Sensitive(name.address, result)
        return result

    return apply


def _hiding(compute: Callable[[], Value]) -> Value:
    """Compute with revealed values; an error then does not say what it found."""
    try:
        return compute()
    except EvaluationError as error:
        raise EvaluationError(error.message, expected=error.expected, found="a sensitive value") from None


def _negative(value: Value) -> Value:
    number = _number(value)
    return None if isinstance(number, Unknown) else -number


def _inverse(value: Value) -> Value:
    truth = _bool(value)
    return None if isinstance(truth, Unknown) else not truth


BINARY: Mapping[str, Binary] = {
    symbol: _binary(symbol, compute)
    for symbol, compute in {
        "+": _arithmetic("+", PRECISION.add),
        "-": _arithmetic("-", PRECISION.subtract),
        "*": _arithmetic("*", PRECISION.multiply),
        "/": _arithmetic("/", _divide),
        "%": _arithmetic("%", _remainder),
        "==": equality,
        "!=": _not_equal,
        "<": _comparison(operator.lt),
        "<=": _comparison(operator.le),
        ">": _comparison(operator.gt),
        ">=": _comparison(operator.ge),
    }.items()
}
"""The binary operators that need both operands."""

OF_OTHER_TYPES: Mapping[str, Binary] = {
    "==": _binary("==", lambda _left, _right: False),
    "!=": _binary("!=", lambda _left, _right: True),
}
"""`==` and `!=` of values that are certainly of different types."""

AND: Binary = _binary("&&", _and)
"""`&&` of evaluated operands: false && unknown is false."""

OR: Binary = _binary("||", _or)
"""`||` of evaluated operands: true || unknown is true."""

UNARY: Mapping[str, Unary] = {"-": _unary("-", _negative), "!": _unary("!", _inverse)}
"""The prefix operators."""
