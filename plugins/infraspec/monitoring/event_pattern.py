"""EventBridge event patterns: whether a rule takes an event.

Source: Amazon EventBridge User Guide, "Creating Amazon EventBridge event patterns" and "Comparison operators".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Answer: TypeAlias = bool | None
"""True, False, or None where it cannot be told."""


def takes(pattern: Any, event: Mapping[str, Any]) -> Answer:
    """Tell whether a pattern, decoded from JSON, matches an event: all of its fields have to."""
    if not isinstance(pattern, Mapping):
        return None
    answers = [_field(key, wanted, event) for key, wanted in pattern.items()]
    return False if False in answers else None if None in answers else True


def _field(key: str, wanted: Any, event: Mapping[str, Any]) -> Answer:
    if key == "$or":
        return _any([takes(alternative, event) for alternative in wanted]) if isinstance(wanted, list) else None
    found = event.get(key)
    if isinstance(wanted, Mapping):
        if isinstance(found, list):
            return None
        return takes(wanted, found if isinstance(found, Mapping) else {})
    if not isinstance(wanted, list):
        return None
    values = found if isinstance(found, list) else [found]
    return _any([_matches(matcher, value, present=key in event) for matcher in wanted for value in values])


def _any(answers: list[Answer]) -> Answer:
    return True if True in answers else None if None in answers else False


def _matches(matcher: Any, value: Any, *, present: bool) -> Answer:
    if not isinstance(matcher, Mapping):
        return present and value == matcher and isinstance(value, bool) == isinstance(matcher, bool)
    if len(matcher) != 1:
        return None
    ((operator, operand),) = matcher.items()
    if operator == "exists":
        return present is operand
    if not present:
        return False
    if operator == "anything-but":
        return _anything_but(operand, value)
    compare = _OPERATORS.get(operator)
    if compare is None or not isinstance(operand, str):
        return None
    return compare(value, operand) if isinstance(value, str) else False


def _anything_but(operand: Any, value: Any) -> Answer:
    if isinstance(operand, Mapping):
        answer = _matches(operand, value, present=True)
        return None if answer is None else not answer
    return value not in (operand if isinstance(operand, list) else [operand])


def _wildcard(value: str, operand: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, operand.split("*"))), value, re.DOTALL) is not None


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "prefix": lambda value, operand: value.startswith(operand),
    "suffix": lambda value, operand: value.endswith(operand),
    "equals-ignore-case": lambda value, operand: value.lower() == operand.lower(),
    "wildcard": _wildcard,
}
