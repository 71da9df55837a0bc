"""One branch of a conditional in the type that it shares with the other.

Source: Terraform Language Documentation, "Conditional Expressions" (Result Types): `true ? 1 : "a"` is `"1"`.
"""

from __future__ import annotations

from infraspec.errors import EvaluationError
from infraspec.terraform.revealing import reveal
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.unification import unified
from infraspec.terraform.values import ListValue, SetValue, identity
from infraspec.unknown import Unknown, Value


def common_type(value: Value, other: Value) -> Value:
    """Return a value as the branches' common type has it.

    It stays as it is where they have none, which Terraform refuses, or where the other's type is not known.
    """
    if value is None or isinstance(value, Unknown):
        return value
    try:
        converted, _ = unified([value, reveal(other)])
    except (EvaluationError, Undetermined):
        return value
    if isinstance(value, SetValue) or (isinstance(value, list) and isinstance(other, SetValue)):
        return converted
    if not isinstance(value, (list, dict)):
        return converted
    return value if identity(converted) == identity(value) else _of_kind(value, converted)


def _of_kind(value: Value, converted: Value) -> Value:
    return ListValue(converted) if isinstance(value, ListValue) else converted
