"""What a reference says of a value that is not known: that it is no list, or not empty."""

from __future__ import annotations

import re

from infraspec.unknown import Reference, Text, Unknown, Value

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
