"""The operators of the Terraform language, over values that may be unknown or sensitive.

Source: Terraform Language, "Arithmetic and Logical Operators". An operand that is not known makes the result unknown,
named by the expression (`aws_x.y.count + 1`), unless the known parts decide it.

Source: go-cty, "Value.Add" and its like, and math/big, "Float": each result is rounded to the nearest number of 512
bits. `0.000001 + 0.1` is not quite `0.100001` then, and its text has 155 digits.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from math import copysign, trunc
from typing import TypeAlias

from infraspec.core.errors import DivisionByZeroError, EvaluationError, TerraformError
from infraspec.core.limits import BUDGET
from infraspec.core.unknown import Text, Unknown, Value, is_known, is_one_value, marked, unknowns
from infraspec.terraform.language import partial_values
from infraspec.terraform.language.conversions import first_sensitive, reveal, to_bool, to_number
from infraspec.terraform.language.partial_values import is_never_empty, may_equal
from infraspec.terraform.language.values import (
    LARGEST,
    ListValue,
    MapValue,
    SetValue,
    exact_number,
    identity,
    normalize_number,
    rounded,
    to_decimal,
)

OPERATIONS: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda left, right: rounded(left + right),
    "-": lambda left, right: rounded(left - right),
    "*": lambda left, right: rounded(left * right),
    "/": lambda left, right: rounded(left / right),
    "%": lambda left, right: rounded(left - rounded(right * trunc(rounded(left / right)))) if right else left,
}
"""What the arithmetic operators do with two numbers of 512 bits."""


_STEPS = 16
"""The steps of comparing two values; functions compare each with each."""


def equality(left: Value, right: Value) -> bool | None:
    """Tell whether two values are equal, None if it is not known. Sensitive parts are compared by what they hide.

    As in Terraform, values of different types differ: `"5" == 5` is false. A list and a tuple of the same elements
    differ too, but a plain list does not tell which it is, so that is not known. Nor is it for two empty lists, sets or
    maps, of which the types of the elements may differ.
    """
    BUDGET.spend(_STEPS)
    return _equality(reveal(left), reveal(right))


def _equality(left: Value, right: Value) -> bool | None:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        if bool(left == right) and is_one_value(left.address):
            return True
        left_empty, right_empty = left is None or left == "", right is None or right == ""
        return False if (left_empty and is_never_empty(right)) or (right_empty and is_never_empty(left)) else None
    if isinstance(left, Text) or isinstance(right, Text):
        return _text_equality(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return _object_equality(left, right)
    if isinstance(left, list) and isinstance(right, list):
        return _list_equality(left, right)
    return identity(left) == identity(right)


def _text_equality(left: Value, right: Value) -> bool | None:
    if not (isinstance(left, (str, Text)) and isinstance(right, (str, Text))):
        return False
    if identity(left) == identity(right) and is_one_value(str(left)):
        return True
    return None if may_equal(left, right) else False


def _object_equality(left: dict[str, Value], right: dict[str, Value]) -> bool | None:
    if left.keys() != right.keys():
        return False
    if not left and isinstance(left, MapValue) and isinstance(right, MapValue):
        return None
    verdict = all_of(_equality(left[key], right[key]) for key in left)
    return _of_one_type(verdict, isinstance(left, MapValue), isinstance(right, MapValue))


def _list_equality(left: list[Value], right: list[Value]) -> bool | None:
    if isinstance(left, SetValue) or isinstance(right, SetValue):
        return _of_one_type(_set_equality(left, right), isinstance(left, SetValue), isinstance(right, SetValue))
    if len(left) != len(right):
        return False
    if not left and isinstance(left, ListValue) and isinstance(right, ListValue):
        return None
    verdict = all_of(map(_equality, left, right))
    return _of_one_type(verdict, isinstance(left, ListValue), isinstance(right, ListValue))


def _of_one_type(verdict: bool | None, left: bool, right: bool) -> bool | None:  # noqa: FBT001 - two equal sides
    return None if verdict and left != right else verdict


def _set_equality(left: list[Value], right: list[Value]) -> bool | None:
    if not left and not right:
        return None
    if is_known(left) and is_known(right):
        return set(map(identity, left)) == set(map(identity, right))
    missing = any(all(_equality(item, other) is False for other in right) for item in left)
    return False if missing or any(all(_equality(item, other) is False for other in left) for item in right) else None


def all_of(verdicts: Iterable[bool | None]) -> bool | None:
    """Return the conjunction of three-valued verdicts: False if any is False, else None if any is None."""
    answer: bool | None = True
    for verdict in verdicts:
        if verdict is False:
            return False
        if verdict is None:
            answer = None
    return answer


def conditional_equal(one: Value, other: Value) -> bool:
    """Tell whether two branches of a conditional are certainly one value, so that the condition does not matter."""
    stable = all(is_one_value(part.address) for part in unknowns(reveal(one)))
    return stable and identity(one) == identity(other)


Unary: TypeAlias = Callable[[Value], Value]
Binary: TypeAlias = Callable[[Value, Value], Value]


_EXACT = {"+": operator.add, "-": operator.sub, "*": operator.mul}
"""What makes a whole number of whole numbers."""


def _arithmetic(symbol: str) -> Binary:
    def apply(left: Value, right: Value) -> Value:
        left, right = _number(left), _number(right)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return None
        if symbol == "/" and not right:
            raise _no_quotient(left)
        if type(left) is int and type(right) is int and symbol in _EXACT:
            whole = _EXACT[symbol](left, right)
            if whole and -LARGEST < whole < LARGEST:
                return int(whole)
        result = OPERATIONS[symbol](exact_number(left), exact_number(right))
        return normalize_number(result) if result else _zero(symbol, copysign(1, left) < 0, copysign(1, right) < 0)

    return apply


def _zero(symbol: str, left: bool, right: bool) -> float:  # noqa: FBT001 - whether the operands have a minus sign
    signed = {"+": left and right, "-": left and not right, "*": left != right, "/": left != right}
    return -0.0 if signed.get(symbol) else 0


def _no_quotient(left: float) -> TerraformError:
    if left:
        found = "0, which makes it infinite"
        return DivisionByZeroError("Division by zero", expected="a divisor other than zero", found=found)
    return EvaluationError("Division of zero by zero", expected="a divisor other than zero", found="0")


def _comparison(compare: Callable[[Fraction, Fraction], bool]) -> Binary:
    def apply(left: Value, right: Value) -> Value:
        left, right = _number(left), _number(right)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return None
        return compare(exact_number(left), exact_number(right))

    return apply


def _number(value: Value) -> Value:
    if value is None:
        raise EvaluationError("An operand of an operator is null", expected="a number", found="null")
    return to_number(value)


def _not_equal(left: Value, right: Value) -> bool | None:
    verdict = equality(left, right)
    return None if verdict is None else not verdict


def _and(left: Value, right: Value) -> bool | None:
    left = truth(left)
    return False if left is False else _decided(left, truth(right), decisive=False)


def _or(left: Value, right: Value) -> bool | None:
    left = truth(left)
    return True if left is True else _decided(left, truth(right), decisive=True)


def _decided(*operands: Value, decisive: bool) -> bool | None:
    if any(operand is decisive for operand in operands):
        return decisive
    return None if any(isinstance(operand, Unknown) for operand in operands) else not decisive


def truth(value: Value) -> bool | Unknown:
    """Take an operand that has to be true or false."""
    if value is None:
        raise EvaluationError("An operand of an operator is null", expected="true or false", found="null")
    return to_bool(value)


def _binary(symbol: str, compute: Binary) -> Binary:
    """Make the operator: name an undecided result, and keep sensitivity."""

    def apply(left: Value, right: Value) -> Value:
        hidden = first_sensitive(left, right) is not None
        result = _hiding(lambda: compute(reveal(left), reveal(right))) if hidden else compute(left, right)
        if hidden or result is None:
            name = partial_values.binary(left, symbol, right)
            return name if result is None else marked(name.address, result, left, right)
        return result

    return apply


def _unary(symbol: str, compute: Unary) -> Unary:
    def apply(value: Value) -> Value:
        hidden = first_sensitive(value) is not None
        result = _hiding(lambda: compute(reveal(value))) if hidden else compute(value)
        if hidden or result is None:
            name = partial_values.unary(symbol, value)
            return name if result is None else marked(name.address, result, value)
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
    if isinstance(number, Unknown):
        return None
    return normalize_number(to_decimal(number).copy_negate())


def _inverse(value: Value) -> Value:
    verdict = truth(value)
    return None if isinstance(verdict, Unknown) else not verdict


BINARY: Mapping[str, Binary] = {
    symbol: _binary(symbol, compute)
    for symbol, compute in {
        **{symbol: _arithmetic(symbol) for symbol in OPERATIONS},
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
