"""The operators of conditions: how an observed value is compared with one that a policy wants.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators". A comparison with a value that is not of the
operator's type, such as a number that is none, is MAYBE: AWS does not document it.
"""

from __future__ import annotations

import operator as relation
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias

from msgspec import Struct

from infraspec.iam.answer import Answer
from infraspec.iam.matching import match
from infraspec.iam.pattern import Form, Pattern, Subject
from infraspec.unknown import Text, Value, concatenate

Compare: TypeAlias = Callable[[Value, Pattern], Answer]
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


class Operator(Struct, frozen=True):
    """A condition operator without its modifiers. A `negated` one holds where `compare` does not."""

    name: str
    compare: Compare
    form: Form = Form.TEXT
    negated: bool = False


def _text(observed: Value, wanted: Pattern) -> Answer:
    return match(wanted, Subject.of(observed))


def _text_ignoring_case(observed: Value, wanted: Pattern) -> Answer:
    parts = tuple(part.lower() if isinstance(part, str) else part for part in wanted.parts)
    return match(Pattern(wanted.value, parts, Form.TEXT), Subject.of(_lowered(observed)))


def _lowered(value: Value) -> Value:
    if isinstance(value, Text):
        return concatenate(part.lower() if isinstance(part, str) else part for part in value.parts)
    return value.lower() if isinstance(value, str) else value


def _typed(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Compare:
    """Make the comparison of two values of a type; `read` returns None for what is not of the type."""
    read = lru_cache(maxsize=1024)(read)

    def compare(observed: Value, wanted: Pattern) -> Answer:
        if not isinstance(observed, str) or wanted.known is None:
            return Answer.MAYBE
        one, other = read(observed), read(wanted.known)
        if one is None or other is None:
            return Answer.MAYBE
        return Answer.YES if holds(one, other) else Answer.NO

    return compare


def number(text: str) -> Decimal | None:
    """Read an integer or a decimal number."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def moment(text: str) -> datetime | None:
    """Read a date of the W3C profile of ISO 8601 (`2026`, `2026-01`, `2026-01-31T09:00:00Z`), or seconds since 1970."""
    try:
        if re.fullmatch(r"\d{4}(-\d\d)?", text):
            return datetime.fromisoformat(f"{text}-01-01"[:10]).replace(tzinfo=UTC)
        if number(text) is not None:
            return datetime.fromtimestamp(float(text), UTC)
        read = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _address(text: str) -> Any:
    """Read an IP address, or a range of addresses as its network."""
    try:
        return ip_network(text, strict=False) if "/" in text else ip_address(text)
    except ValueError:
        return None


def _in_network(observed: Any, wanted: Any) -> bool:
    if isinstance(wanted, IPv4Address | IPv6Address):
        return bool(observed == wanted)
    return isinstance(observed, IPv4Address | IPv6Address) and observed in wanted


def null(present: Answer, wanted: Pattern) -> Answer:
    """Tell whether a key is absent where `true` is wanted, or present where `false` is."""
    absent = _BOOLEANS.get((wanted.known or "").lower())
    if absent is None or present is Answer.MAYBE:
        return Answer.MAYBE
    return Answer.YES if (present is Answer.NO) is absent else Answer.NO


_boolean = _typed(lambda text: _BOOLEANS.get(text.lower()), relation.eq)
_ip = _typed(_address, _in_network)
_RELATIONS = (
    ("Equals", relation.eq, False),
    ("NotEquals", relation.eq, True),
    ("LessThan", relation.lt, False),
    ("LessThanEquals", relation.le, False),
    ("GreaterThan", relation.gt, False),
    ("GreaterThanEquals", relation.ge, False),
)
NULL = Operator("Null", _text)
_ALL = (
    Operator("StringEquals", _text),
    Operator("StringNotEquals", _text, negated=True),
    Operator("StringEqualsIgnoreCase", _text_ignoring_case),
    Operator("StringNotEqualsIgnoreCase", _text_ignoring_case, negated=True),
    Operator("StringLike", _text, Form.LIKE),
    Operator("StringNotLike", _text, Form.LIKE, negated=True),
    Operator("ArnEquals", _text, Form.ARN),
    Operator("ArnLike", _text, Form.ARN),
    Operator("ArnNotEquals", _text, Form.ARN, negated=True),
    Operator("ArnNotLike", _text, Form.ARN, negated=True),
    *(Operator(f"Numeric{name}", _typed(number, holds), negated=no) for name, holds, no in _RELATIONS),
    *(Operator(f"Date{name}", _typed(moment, holds), negated=no) for name, holds, no in _RELATIONS),
    Operator("Bool", _boolean),
    Operator("BinaryEquals", _text),
    Operator("IpAddress", _ip),
    Operator("NotIpAddress", _ip, negated=True),
    NULL,
)
OPERATORS = {entry.name.lower(): entry for entry in _ALL}
"""The operators by their lower-case names."""
