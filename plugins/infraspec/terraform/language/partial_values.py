"""The names of values that could not be computed: `upper(aws_kms_key.main.arn)`, `var.size + 1`.

Two different computations must not get the same name, since unknowns of the same name count as equal.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable

from infraspec.core.unknown import (
    Application,
    ComputedFrom,
    JsonText,
    Reference,
    Sensitive,
    Text,
    Unknown,
    Value,
    computed_from,
    concatenate,
    number_text,
    render,
    unknowns,
)
from infraspec.terraform.language.values import SetValue


class UnorderedJsonText(JsonText):
    """JSON text of a tree that holds a set with unknown elements, the order of which is not known.

    The tree can be read; of the text itself nothing is known.
    """

    __slots__ = ()

    @property
    def parts(self) -> tuple[str | Unknown, ...]:
        """The whole text as one unknown."""
        return (Unknown(f"jsonencode({render(self.tree)})", computed_from(self.tree)),)


def known_prefix(text: Value) -> str:
    """Return the known beginning of a str or Text; empty for anything else."""
    if isinstance(text, str):
        return text
    if isinstance(text, Text) and isinstance(text.parts[0], str):
        return text.parts[0]
    return ""


def known_suffix(text: Value) -> str:
    """Return the known end of a str or Text; empty for anything else."""
    if isinstance(text, str):
        return text
    if isinstance(text, Text) and isinstance(text.parts[-1], str):
        return text.parts[-1]
    return ""


def known_runs(text: Value) -> list[str]:
    """Return the known parts of a str or Text, in order."""
    if isinstance(text, str):
        return [text]
    return [part for part in text.parts if isinstance(part, str)] if isinstance(text, Text) else []


def may_equal(one: str | Text, other: str | Text) -> bool:
    """Tell whether two texts can be the same: False only if their known parts rule it out."""
    if isinstance(one, str):
        return one == other if isinstance(other, str) else _may_be(other, one)
    if isinstance(other, str):
        return _may_be(one, other)
    return _agree(known_prefix(one), known_prefix(other), str.startswith) and _agree(
        known_suffix(one), known_suffix(other), str.endswith
    )


def _agree(one: str, other: str, holds: Callable[[str, str], bool]) -> bool:
    return holds(one, other) or holds(other, one)


def _may_be(text: Text, candidate: str) -> bool:
    """Tell whether the known parts stand in the candidate, in order and without overlap."""
    prefix, suffix = known_prefix(text), known_suffix(text)
    position, end = len(prefix), len(candidate) - len(suffix)
    if position > end or not (candidate.startswith(prefix) and candidate.endswith(suffix)):
        return False
    first = 1 if prefix else 0
    last = -1 if suffix else None
    for part in text.parts[first:last]:
        if isinstance(part, str):
            position = candidate.find(part, position, end)
            if position < 0:
                return False
            position += len(part)
    return True


def joined(parts: Iterable[str | Unknown | Text]) -> str | Text | Unknown:
    """Join pieces of text; a lone unknown stays itself."""
    whole = concatenate(parts)
    if isinstance(whole, Text) and not isinstance(whole, JsonText) and len(whole.parts) == 1:
        return whole.parts[0]
    return whole


_INSTANCE = r'(?:\["[^"]*"\]|\[\d+\])?'
_SCALAR = re.compile(
    rf"[\w-]+(?:\.[\w-]+{_INSTANCE})*\.(?:\w+_)?"
    r"(?:arn|id|name|url|endpoint|region|partition|json|bucket|email|address|domain)"
)
"""References to attributes that hold text in every AWS resource, never a list."""


def is_scalar(value: Value) -> bool:
    """Tell whether an unknown value is certainly text."""
    return isinstance(value, Text) or (isinstance(value, Unknown) and _SCALAR.fullmatch(value.address) is not None)


def is_never_empty(value: Value) -> bool:
    """Tell whether an unknown value is certainly neither null nor empty."""
    if isinstance(value, Text):
        return any(isinstance(part, str) or is_never_empty(part) for part in value.parts)
    found = Reference.of(value) if isinstance(value, Unknown) else None
    return found is not None and found.certain and found.attribute in ("arn", "id")


_LONGEST = 1000
"""Characters of a name; a longer one is cut and told apart by its digest."""


class Undetermined(Exception):  # noqa: N818 - no error: the answer depends on a part that is not known
    """Raised where the known parts do not decide an answer; the caller names what is unknown."""


def application(name: str, arguments: Iterable[Value]) -> Unknown:
    """Return the unknown result of a function: `name(arguments)`."""
    arguments = tuple(arguments)
    return called(name, named(f"{name}({', '.join(map(operand, arguments))})", *arguments), arguments)


ELEMENT = "[]"
"""What an index is called among functions."""


def called(name: str, result: Unknown, arguments: tuple[Value, ...]) -> Unknown:
    """Return the unknown result of a function with what computes it again once more is known of the arguments."""
    if not isinstance(result.cause, ComputedFrom) or any(isinstance(one, Sensitive) for one in unknowns(arguments)):
        return result
    cause = ComputedFrom(result.cause.arguments, result.cause.by, Application(name, arguments, result.address))
    return Unknown(result.address, cause)


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
