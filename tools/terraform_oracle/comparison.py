"""Whether what infraspec says of an expression holds for the value that Terraform gives it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct

from infraspec.core.errors import EvaluationError, TerraformError
from infraspec.core.unknown import OpenList, Text, Unknown, Value, is_known, number_text, shows
from infraspec.terraform.language.values import SetValue
from tests.terraform.test_expression_corpus import ERROR, agrees

Encoded: TypeAlias = Any
"""A value as planning.values writes it."""


class CrashError(TerraformError):
    """An exception that is none of ours: a defect, whatever Terraform says."""


class Answer(Struct, frozen=True):
    """What infraspec says of an expression; of what is `in_doubt` `try` and `can` say that it may be an error."""

    value: Any
    in_doubt: bool = False
    keeps_type: bool = False
    """Whether a conditional in it keeps the type of what it takes beside something of which the type is not known."""

    @property
    def is_definite(self) -> bool:
        """Tell whether anything is said."""
        return isinstance(self.value, TerraformError) or shows(self.value)

    def holds(self, expected: Encoded) -> bool:
        """Tell whether what is said is so."""
        return (self.in_doubt and bool(expected == ERROR)) or holds(self.value, expected)


def holds(value: Value, expected: Encoded) -> bool:
    """Tell whether a value of which parts are not known is the expected one, as far as it goes.

    An error has to be one of Terraform too, but where infraspec gives up: that says nothing.
    """
    match value:
        case CrashError():
            return False
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


def _of_nothing(expression: str, answer: Answer, expected: Encoded) -> bool:
    """Tell whether null or an empty collection matters: of what type it is, is not kept, nor is what is beside it."""
    if answer.value == [] and "null" in expression:
        return True  # of null that is a list a splat is an error, of other null an empty tuple
    if expected == ERROR:
        return answer.value in ([], {}) or _OF_NOTHING.search(expression) is not None
    return _OF_NOTHING.search(expression) is not None and _is_same_text(answer.value, expected)


_OF_NOTHING = re.compile(
    r"\[\]|\{\}|\bnull\b|\b(?:coalesce|set(?:intersection|product|subtract|union)|concat|csvdecode|matchkeys|merge|regexall"
    r"|tolist|toset)\("
)


def _keeps_type(expression: str, answer: Answer, expected: Encoded) -> bool:
    """Tell whether a conditional keeps the type of what it takes; in `try` and `can` that is not known."""
    return answer.keeps_type or (expected != ERROR and "?" in expression and _is_same_text(answer.value, expected))


def _is_rounded(expression: str, _answer: Answer, _expected: Encoded) -> bool:
    """Tell whether the last digit depends on the processor, as that of log and pow does."""
    return re.search(r"\b(?:log|pow)\(", expression) is not None


def _is_remainder(expression: str, answer: Answer, expected: Encoded) -> bool:
    """Tell whether a remainder has other last digits: a length has fewer bits than a number that is written."""
    found, wanted = (_NUMBER.fullmatch(str(each)) for each in (answer.value, expected))
    are_numbers = "%" in expression and found is not None and wanted is not None
    return are_numbers and math.isclose(float(str(answer.value)), float(str(expected)), abs_tol=1e-9)


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?")


EXPLAINED: dict[str, Callable[[str, Answer, Encoded], bool]] = {
    "null and empty collections have no type": _of_nothing,
    "a conditional beside an unknown type": _keeps_type,
    "rounding of log and pow": _is_rounded,
    "bits of a remainder": _is_remainder,
}
"""The differences that are known and meant; each function says in which way, and why."""


def explanation(expression: str, answer: Answer, expected: Encoded) -> str:
    """Return why an answer is meant to differ; nothing if it is not."""
    return next((why for why, explains in EXPLAINED.items() if explains(expression, answer, expected)), "")


def _is_same_text(value: Value, expected: Encoded) -> bool:
    """Tell whether a value differs only in types: a number from its text, a list from a set or a tuple."""
    if isinstance(value, TerraformError):
        return False
    found, wanted = _as_text(value), _as_text(expected)
    same_set = isinstance(found, list) and isinstance(wanted, list) and _collection_holds(SetValue(found), wanted)
    return holds(found, wanted) or same_set


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
