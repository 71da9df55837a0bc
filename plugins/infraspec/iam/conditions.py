"""Conditions of statements, in three values.

Source: IAM User Guide, "IAM JSON policy elements: Condition", "Conditions with multiple context keys or values" and
"Set operators for multivalued context keys": operators and keys are joined by AND, the values of one key by OR (by NOR
under a negated operator); without the key an operator does not hold, a negated one does, and so do ...IfExists and
ForAllValues.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from msgspec import Struct

from infraspec.iam.answer import Answer, both, either, negate
from infraspec.iam.context import Context, Entry
from infraspec.iam.operators import NULL, OPERATORS, Operator, null
from infraspec.iam.pattern import Form, Pattern, as_it_is
from infraspec.iam.variables import Template, template
from infraspec.unknown import Text, Unknown, Value, render

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
    def without_key(self) -> Answer:
        """Tell whether the operator holds where the key is absent. Of ForAnyValue with IfExists AWS does not say."""
        if self.quantifier is Quantifier.ALL:
            return Answer.YES
        if self.quantifier is Quantifier.ANY:
            return Answer.MAYBE if self.if_exists else Answer.NO
        return Answer.YES if self.if_exists or self.operator.negated else Answer.NO


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """One key under one operator. `wanted` is what the policy lists; `exact` its values where sets of text suffice."""

    name: OperatorName
    key: str
    wanted: tuple[Pattern | Template, ...]
    exact: frozenset[str] | None = None
    _asked: dict[str, Answer] = field(default_factory=dict, repr=False)

    def holds(self, context: Context) -> Answer:
        """Tell whether the test holds for a request."""
        entry = context.get(self.key)
        if self.name.operator is NULL:
            present = entry.present if entry.values else both(entry.present, Answer.MAYBE)
            return either(null(present, pattern) for pattern, _ in self._patterns(context))
        if entry.present is Answer.NO:
            return self.name.without_key
        answer = self._compared(entry, context)
        return answer if entry.present is Answer.YES or answer is self.name.without_key else Answer.MAYBE

    def _compared(self, entry: Entry, context: Context) -> Answer:
        if len(entry.values) == 1 and self.name.quantifier is not Quantifier.ALL:
            return self._one(entry.values[0], context)
        answers = [self._one(value, context) for value in entry.values]
        match self.name.quantifier:
            case Quantifier.ALL:
                certain = both(*answers)
                return certain if certain is Answer.YES or "" not in entry.values else Answer.MAYBE
            case Quantifier.ANY:
                return either(answers)
            case _:
                if not answers:
                    return self.name.without_key
                return answers[0] if all(answer is answers[0] for answer in answers) else Answer.MAYBE

    def _one(self, value: Value, context: Context) -> Answer:
        operator = self.name.operator
        if self.exact is not None and isinstance(value, str):
            answer = Answer.YES if value in self.exact else Answer.NO
            return negate(answer) if operator.negated else answer
        known = self._asked.get(value) if isinstance(value, str) else None
        if known is not None:
            return known
        answer = either(both(certain, operator.compare(value, wanted)) for wanted, certain in self._patterns(context))
        answer = negate(answer) if operator.negated else answer
        if isinstance(value, str) and not any(isinstance(wanted, Template) for wanted in self.wanted):
            self._asked[value] = answer
        return answer

    def _patterns(self, context: Context) -> Iterator[tuple[Pattern, Answer]]:
        for wanted in self.wanted:
            yield wanted.filled(context) if isinstance(wanted, Template) else (wanted, Answer.YES)


class Hidden(Struct, frozen=True):
    """A part of a Condition that is not known: it may hold or not."""

    key: str
    unknown: Unknown

    def holds(self, _context: Context) -> Answer:
        """Return MAYBE."""
        return Answer.MAYBE


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
                else _test(name, key, _listed(values), resolve, variables=variables)
            )


def _test(
    name: OperatorName, key: str, values: Iterable[Value], resolve: Callable[[Value], Value], *, variables: bool
) -> Test:
    make = template if variables else Pattern.of
    patterns = tuple(make(_scalar(value), name.operator.form, resolve) for value in values)
    texts = [pattern.known for pattern in patterns if isinstance(pattern, Pattern) and pattern.known is not None]
    exact = name.operator.form is Form.TEXT and name.operator.name in _EXACT and len(texts) == len(patterns)
    return Test(name, key, patterns, frozenset(texts) if exact else None)


_EXACT = frozenset({"StringEquals", "StringNotEquals", "BinaryEquals"})


def _listed(values: Value) -> Iterable[Value]:
    return values if isinstance(values, list | tuple) else (values,)


def _scalar(value: Value) -> Value:
    return value if isinstance(value, str | Text | Unknown) else render(value)
