"""Conditions of statements. Only what is certain for every call of AWS services by ECS is decided; the rest is MAYBE.

Source: IAM User Guide, "IAM JSON policy elements: Condition" and "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infraspec.iam.answer import Answer, both
from infraspec.unknown import Unknown, Value

_CERTAIN = {"aws:securetransport": "true"}
"""Context keys that have one value in every request of ECS: it calls AWS over TLS only."""


def holds(condition: Value) -> Answer:
    """Tell whether a Condition holds. None holds; operators and keys are joined by AND."""
    if condition is None:
        return Answer.YES
    if not isinstance(condition, Mapping):
        return Answer.MAYBE
    answers = (_entry(operator, key, values) for operator, key, values in _entries(condition))
    return both(*answers)


def keys(condition: Value) -> tuple[str, ...]:
    """Return the context keys a Condition asks for, for a message."""
    if isinstance(condition, Unknown):
        return (str(condition),)
    return tuple(dict.fromkeys(key for _, key, _ in _entries(condition or {})))


def _entries(condition: Mapping[str, Value]) -> Iterator[tuple[str, str, Value]]:
    for operator, block in condition.items():
        if not isinstance(block, Mapping):
            yield str(operator), str(block), block
            continue
        for key, values in block.items():
            yield str(operator), str(key), values


def _entry(operator: str, key: str, values: Value) -> Answer:
    value = _CERTAIN.get(key.lower())
    if value is None or operator.lower() not in {"bool", "boolifexists"}:
        return Answer.MAYBE
    wanted = values if isinstance(values, list | tuple) else [values]
    if not all(isinstance(item, str | bool) for item in wanted):
        return Answer.MAYBE
    return Answer.YES if value in {str(item).lower() for item in wanted} else Answer.NO
