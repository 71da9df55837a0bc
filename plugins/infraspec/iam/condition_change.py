"""Whether one Condition lets through no more than another one.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators": operators and keys are joined by AND, the
values of a key by OR, those of a negated operator by NOR.
"""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.iam.answer import Answer
from infraspec.unknown import Value, is_known

_POSITIVE = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "numericequals", "dateequals",
     "ipaddress", "binaryequals"}
)  # fmt: skip


def narrows(wider: Value, narrower: Value) -> Answer:
    """Tell whether whatever meets `narrower` meets `wider` too. No condition is met by everything.

    MAYBE where the two differ in a way that is not compared: other operators, values that overlap.
    """
    if wider is None or (wider == narrower and is_known(wider)):
        return Answer.YES
    if narrower is None:
        return Answer.NO if is_known(wider) else Answer.MAYBE
    if not isinstance(wider, Mapping) or not isinstance(narrower, Mapping):
        return Answer.MAYBE
    demanded, given = _keys(wider), _keys(narrower)
    if all(_meets(key, values, given) for key, values in demanded.items()):
        return Answer.YES
    return Answer.MAYBE


def _keys(condition: Mapping[str, Value]) -> dict[tuple[str, str], frozenset[str] | None]:
    """Return the values by operator and key, letter case taken off; None for values that are not known as text."""
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    for operator, block in condition.items():
        for key, values in block.items() if isinstance(block, Mapping) else [("", None)]:
            found[operator.lower(), str(key).lower()] = _texts(values)
    return found


def _texts(values: Value) -> frozenset[str] | None:
    entries = values if isinstance(values, list | tuple) else [values]
    known = all(isinstance(entry, str | bool | int | float) for entry in entries)
    return (
        frozenset(str(entry).lower() if isinstance(entry, bool) else str(entry) for entry in entries) if known else None
    )


def _meets(
    key: tuple[str, str], wanted: frozenset[str] | None, given: Mapping[tuple[str, str], frozenset[str] | None]
) -> bool:
    """Tell whether a key is asked for just as strictly, or more so."""
    own = given.get(key)
    if wanted is None or own is None:
        return False
    return own == wanted or (key[0] in _POSITIVE and bool(own) and own <= wanted)
