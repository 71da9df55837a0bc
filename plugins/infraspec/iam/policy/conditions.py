"""Conditions of statements, in three values.

Source: IAM User Guide, "IAM JSON policy elements: Condition", "Conditions with multiple context keys or values" and
"Set operators for multivalued context keys": operators and keys are joined by AND, the values of one key by OR (by NOR
under a negated operator); without the key an operator does not hold, a negated one does, and so do ...IfExists and
ForAllValues.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators". A comparison with a value that is not of the
operator's type, such as a number that is none, is MAYBE: AWS does not document it.
"""

from __future__ import annotations

import operator as relation
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias

from msgspec import Struct

from infraspec.core.truth import Truth, all_of, any_of, not_
from infraspec.core.unknown import Text, Unknown, Value, concatenate
from infraspec.iam.policy.context import Context, ContextEntry, PolicyTemplate, scalar, template
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, as_it_is
from infraspec.iam.policy.pattern import Form, Pattern

Compare: TypeAlias = Callable[[Value, Pattern], Truth]
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


class Operator(Struct, frozen=True):
    """A condition operator without its modifiers. A `negated` one holds where `compare` does not."""

    name: str
    compare: Compare
    form: Form = Form.TEXT
    negated: bool = False


def _text(observed: Value, wanted: Pattern) -> Truth:
    return match(wanted, PartialArn.of(observed))


def _text_ignoring_case(observed: Value, wanted: Pattern) -> Truth:
    parts = tuple(part.lower() if isinstance(part, str) else part for part in wanted.parts)
    return match(Pattern(wanted.value, parts, Form.TEXT), PartialArn.of(lowered(observed)))


def lowered(value: Value) -> Value:
    """Return text in lower case, its unknown parts as they are."""
    if isinstance(value, Text):
        return concatenate(part.lower() if isinstance(part, str) else part for part in value.parts)
    return value.lower() if isinstance(value, str) else value


def _typed(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Compare:
    """Make the comparison of two values of a type; `read` returns None for what is not of the type."""
    read = lru_cache(maxsize=1024)(read)

    def compare(observed: Value, wanted: Pattern) -> Truth:
        if not isinstance(observed, str) or wanted.known is None:
            return Truth.MAYBE
        one, other = read(observed), read(wanted.known)
        if one is None or other is None:
            return Truth.MAYBE
        return Truth.YES if holds(one, other) else Truth.NO

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


def null(present: Truth, wanted: Pattern) -> Truth:
    """Tell whether a key is absent where `true` is wanted, or present where `false` is."""
    absent = _BOOLEANS.get((wanted.known or "").lower())
    if absent is None or present is Truth.MAYBE:
        return Truth.MAYBE
    return Truth.YES if (present is Truth.NO) is absent else Truth.NO


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


_NAME = re.compile(r"(?:(?P<quantifier>forallvalues|foranyvalue):)?(?P<base>[a-z]+?)(?P<if_exists>ifexists)?", re.ASCII)


class Quantifier(Enum):
    """How the values of a multivalued key are joined."""

    NONE = ""
    ALL = "forallvalues"
    ANY = "foranyvalue"


class OperatorName(Struct, frozen=True):
    """An operator with its modifiers, as a policy writes it: `ForAnyValue:StringLikeIfExists`."""

    written: str
    operator: Operator
    quantifier: Quantifier = Quantifier.NONE
    if_exists: bool = False

    @classmethod
    def parse(cls, written: str) -> OperatorName | None:
        """Read an operator, whose letter case does not count; None if IAM has no such operator."""
        found = _NAME.fullmatch(written.lower())
        operator = OPERATORS.get(found["base"]) if found else None
        if found is None or operator is None or (operator is NULL and found["if_exists"]):
            return None
        return cls(written, operator, Quantifier(found["quantifier"] or ""), bool(found["if_exists"]))

    @property
    def without_key(self) -> Truth:
        """Tell whether the operator holds where the key is absent. Of ForAnyValue with IfExists AWS does not say."""
        if self.quantifier is Quantifier.ALL:
            return Truth.YES
        if self.quantifier is Quantifier.ANY:
            return Truth.MAYBE if self.if_exists else Truth.NO
        return Truth.YES if self.if_exists or self.operator.negated else Truth.NO


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """One key under one operator. `wanted` is what the policy lists; `exact` its values where sets of text suffice."""

    name: OperatorName
    key: str
    wanted: tuple[Pattern | PolicyTemplate, ...]
    exact: frozenset[str] | None = None
    _asked: dict[str, Truth] = field(default_factory=dict, repr=False)

    def holds(self, context: Context) -> Truth:
        """Tell whether the test holds for a request."""
        entry = context.get(self.key)
        if self.name.operator is NULL:
            has_value = any(value != "" for value in entry.values)
            present = entry.present if has_value else all_of(entry.present, Truth.MAYBE)
            return any_of(null(present, pattern) for pattern, _ in self._patterns(context))
        if entry.present is Truth.NO:
            return self.name.without_key
        answer = self._compared(entry, context)
        return answer if entry.present is Truth.YES or answer is self.name.without_key else Truth.MAYBE

    def _compared(self, entry: ContextEntry, context: Context) -> Truth:
        if len(entry.values) == 1 and self.name.quantifier is not Quantifier.ALL:
            return self._one(entry.values[0], context)
        answers = [self._one(value, context) for value in entry.values]
        match self.name.quantifier:
            case Quantifier.ALL:
                certain = all_of(*answers)
                return certain if certain is Truth.YES or "" not in entry.values else Truth.MAYBE
            case Quantifier.ANY:
                return any_of(answers)
            case _:
                # However AWS joins them, values of which none matches do not match.
                apart = Truth.YES if self.name.operator.negated else Truth.NO
                unmatched = all(answer is apart for answer in answers)
                return apart if answers and unmatched else Truth.MAYBE if answers else self.name.without_key

    def _one(self, value: Value, context: Context) -> Truth:
        operator = self.name.operator
        if self.exact is not None and isinstance(value, str):
            answer = Truth.YES if value in self.exact else Truth.NO
            return not_(answer) if operator.negated else answer
        known = self._asked.get(value) if isinstance(value, str) else None
        if known is not None:
            return known
        answer = any_of(all_of(certain, operator.compare(value, wanted)) for wanted, certain in self._patterns(context))
        answer = not_(answer) if operator.negated else answer
        if operator.negated and operator.form is Form.ARN and isinstance(value, str) and not value.startswith("arn:"):
            answer = all_of(answer, Truth.MAYBE)
        if isinstance(value, str) and not any(isinstance(wanted, PolicyTemplate) for wanted in self.wanted):
            self._asked[value] = answer
        return answer

    def _patterns(self, context: Context) -> Iterator[tuple[Pattern, Truth]]:
        for wanted in self.wanted:
            yield wanted.filled(context) if isinstance(wanted, PolicyTemplate) else (wanted, Truth.YES)


class Hidden(Struct, frozen=True):
    """A part of a Condition that is not known: it may hold or not."""

    key: str
    unknown: Unknown

    def holds(self, _context: Context) -> Truth:
        """Return MAYBE."""
        return Truth.MAYBE


def compiled(
    condition: Value, resolve: Callable[[Value], Value] = as_it_is, *, variables: bool = True
) -> tuple[Test | Hidden, ...]:
    """Compile a Condition that PolicyDocument has read.

    `resolve` narrows the unknown parts of its values, `variables` says whether `${…}` is a policy variable.
    """
    if condition is None:
        return ()
    if not isinstance(condition, Mapping):
        return (Hidden(str(condition), condition),)
    return tuple(_tests(condition, resolve, variables=variables))


def _tests(
    condition: Mapping[str, Value], resolve: Callable[[Value], Value], *, variables: bool
) -> Iterator[Test | Hidden]:
    for written, block in condition.items():
        name = OperatorName.parse(written)
        if name is None or not isinstance(block, Mapping):
            yield Hidden(str(block) if name else written, block if isinstance(block, Unknown) else Unknown(written))
            continue
        for key, values in block.items():
            yield (
                Hidden(key, Unknown(key))
                if "${" in key
                else _test(
                    name, key, values if isinstance(values, list | tuple) else (values,), resolve, variables=variables
                )
            )


def _test(
    name: OperatorName, key: str, values: Iterable[Value], resolve: Callable[[Value], Value], *, variables: bool
) -> Test:
    make = template if variables else Pattern.of
    patterns = tuple(make(scalar(value), name.operator.form, resolve) for value in values)
    texts = [pattern.known for pattern in patterns if isinstance(pattern, Pattern) and pattern.known is not None]
    exact = name.operator.form is Form.TEXT and name.operator.name in _EXACT and len(texts) == len(patterns)
    return Test(name, key, patterns, frozenset(texts) if exact else None)


_EXACT = frozenset({"StringEquals", "StringNotEquals", "BinaryEquals"})
