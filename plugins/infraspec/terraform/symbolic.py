"""The names of values that could not be computed: `upper(aws_kms_key.main.arn)`, `var.size + 1`.

Two different computations must not get the same name, since unknowns of the same name count as equal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from infraspec.terraform.values import SetValue
from infraspec.unknown import JsonText, Text, Unknown, Value, computed_from, number_text

_LONGEST = 1000
"""Characters of a name; a longer one is cut and told apart by its digest."""


class Undetermined(Exception):  # noqa: N818 - no error: the answer depends on a part that is not known
    """Raised where the known parts do not decide an answer; the caller names what is unknown."""


def application(name: str, arguments: Iterable[Value]) -> Unknown:
    """Return the unknown result of a function: `name(arguments)`."""
    arguments = tuple(arguments)
    return named(f"{name}({', '.join(map(operand, arguments))})", *arguments)


def named(text: str, *values: Value) -> Unknown:
    """Return an unknown named by the expression that it is, and by the values in it."""
    return Unknown(bounded(text), computed_from(*values))


def part_of(value: Unknown, text: str) -> Unknown:
    """Return the unknown part of an unknown, of the name `text`; it is known if the whole is."""
    return Unknown(bounded(text), value.cause)


def binary(left: Value, operator: str, right: Value) -> Unknown:
    """Return the unknown result of an operator."""
    return named(f"{_grouped(left)} {operator} {_grouped(right)}", left, right)


def unary(operator: str, value: Value) -> Unknown:
    """Return the unknown result of a prefix operator."""
    return named(f"{operator}{_grouped(value)}", value)


def _grouped(value: Value) -> str:
    text = operand(value)
    return f"({text})" if isinstance(value, Unknown) and " " in text else text


def operand(value: Value) -> str:
    """Write a value as an expression of the language would: unknown and sensitive parts by address."""
    match value:
        case Unknown():
            return value.address
        case JsonText():
            return f"jsonencode({operand(value.tree)})"
        case Text():
            return f'"{"".join(map(_template_part, value.parts))}"'
        case dict() | list() | tuple():
            return _collection(value)
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return number_text(value)


def _collection(value: Value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {operand(value[key])}" for key in sorted(value)) + "}"
    items = ", ".join(map(operand, value))
    return f"toset([{items}])" if isinstance(value, SetValue) else f"[{items}]"


def _template_part(part: str | Unknown) -> str:
    if isinstance(part, str):
        return json.dumps(part, ensure_ascii=False)[1:-1].replace("${", "$${")
    return f"${{{operand(part)}}}"


def bounded(text: str) -> str:
    """Return a name as it is, or cut and told apart by its digest if it is very long."""
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"{text[: _LONGEST // 2]}…#{digest}"
