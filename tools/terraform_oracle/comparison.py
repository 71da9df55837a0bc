"""Whether what infraspec says of an expression holds for the value that Terraform gives it."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from infraspec.core.errors import EvaluationError, TerraformError
from infraspec.core.unknown import OpenList, Text, Unknown, Value, is_known, number_text
from infraspec.terraform.language.values import SetValue
from tests.terraform.test_expression_corpus import ERROR, agrees

Encoded: TypeAlias = Any
"""A value as planning.values writes it."""


def holds(value: Value, expected: Encoded) -> bool:
    """Tell whether a value of which parts are not known is the expected one, as far as it goes.

    An error has to be one of Terraform too, but where infraspec gives up: that says nothing.
    """
    match value:
        case TerraformError():
            return bool(expected == ERROR) or not isinstance(value, EvaluationError)
        case _ if expected == ERROR:
            return not is_known(value)
        case OpenList():
            return all(any(holds(item, part) for part in _parts(expected)) for item in value.items)
        case Unknown():
            return True
        case Text():
            pattern = "".join(re.escape(part) if isinstance(part, str) else ".*" for part in value.parts)
            return isinstance(expected, str) and re.fullmatch(pattern, expected, re.DOTALL) is not None
        case list() | dict() if not is_known(value):
            return _collection_holds(value, _parts(expected))
    return agrees(value, expected)


def _parts(expected: Encoded) -> Any:
    """Return the elements or entries of a collection; of anything else, nothing."""
    if isinstance(expected, dict):
        (expected,) = expected.values()
    return expected if isinstance(expected, list | dict) else ()


def _collection_holds(value: list[Value] | dict[str, Value], parts: Any) -> bool:
    if isinstance(value, dict):
        same_keys = isinstance(parts, dict) and parts.keys() == value.keys()
        return same_keys and all(holds(value[key], parts[key]) for key in parts)
    if not isinstance(parts, list):
        return False
    if isinstance(value, SetValue):
        return len(parts) <= len(value) and all(any(holds(item, part) for part in parts) for item in value)
    return len(parts) == len(value) and all(map(holds, value, parts))


_OF_EMPTY = re.compile(r"\b(?:set(?:intersection|product|subtract|union)|concat|merge|tolist|toset)\(")
_ROUNDED = re.compile(r"\b(?:log|pow)\(")


def is_deliberate(expression: str, value: Value, expected: Encoded) -> bool:
    """Tell whether a difference is one that is known and meant.

    - The type of the elements of an empty collection is not kept, nor that of null: what is beside it is not converted
      to it, and no error is seen if it cannot be.
    - What a conditional takes keeps its type, if that of the other branch is not known: a number may become text, and a
      set a list.
    - The last digit of log and pow, of which the rounding depends on the processor.
    """
    if _ROUNDED.search(expression):
        return True
    if expected == ERROR or (expected is False and "can(" in expression and "u." not in expression):
        return _OF_EMPTY.search(expression) is not None
    loose = _OF_EMPTY.search(expression) or "?" in expression
    return bool(loose) and not isinstance(value, TerraformError) and holds(_as_text(value), _as_text(expected))


def _as_text(value: Any) -> Any:
    """Return a value with text for its numbers and bools, all of its lists and sets as tuples, maps as objects."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return number_text(value)
        case {"list": parts} | {"tuple": parts} | {"set": parts}:
            return [*map(_as_text, parts)]
        case {"object": entries} | {"map": entries}:
            return {"object": {key: _as_text(item) for key, item in entries.items()}}
        case SetValue() if is_known(value):
            return [*SetValue.of(map(_as_text, value))]
        case list():
            return [*map(_as_text, value)]
        case dict():
            return {key: _as_text(item) for key, item in value.items()}
    return value
