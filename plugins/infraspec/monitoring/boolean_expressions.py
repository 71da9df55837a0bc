"""Expressions of AND, OR and NOT: the rules of composite alarms, and the filter patterns of JSON logs.

Sources: Amazon CloudWatch User Guide, "Create a composite alarm" (the syntax of AlarmRule); Amazon CloudWatch Logs User
Guide, "Filter pattern syntax for metric filters".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from infraspec.monitoring.sample_events import Answer, all_hold, any_holds

Condition: TypeAlias = Callable[[Any], Answer]
"""Whether it holds of something: of the states that alarms may be in by name, of the document of a log event."""
STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_MOST_NAMES = 8
"""Of how many alarms rules are compared in all states, of which there are three to the power of their number."""


class UnreadableError(ValueError):
    """The text is no expression of the form that is read."""


class Expression:
    """`either = both { OR both };  both = unary { AND unary };  unary = NOT unary | "(" either ")" | atom`.

    Tokens are matches of `token`, by the names of its groups, of which `operator` and `word` may be one of these.
    """

    token: re.Pattern[str]
    either, both, negation = "OR", "AND", "NOT"

    def __init__(self, source: str) -> None:
        self._tokens = list(self._scan(source.rstrip()))
        self._at = 0

    def parse(self) -> Condition:
        """Read the whole. Raises UnreadableError."""
        parsed = self._either()
        if self._at < len(self._tokens):
            raise UnreadableError
        return parsed

    def atom(self) -> Condition:
        """Read what is neither true nor false of itself."""
        raise NotImplementedError

    def next(self) -> tuple[str, str]:
        """Take a token: its kind, and its text. Raises UnreadableError at the end."""
        if self._at >= len(self._tokens):
            raise UnreadableError
        self._at += 1
        return self._tokens[self._at - 1]

    def take(self, word: str) -> bool:
        """Take a token if it is this one."""
        kind, found = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        is_it = found == word and kind in {"operator", "word"}
        self._at += is_it
        return is_it

    def demand(self, word: str) -> None:
        """Take a token that has to be this one. Raises UnreadableError."""
        if not self.take(word):
            raise UnreadableError

    def _scan(self, source: str) -> Iterator[tuple[str, str]]:
        at = 0
        while at < len(source):
            match = self.token.match(source, at)
            if match is None:
                raise UnreadableError
            at = match.end()
            yield str(match.lastgroup), match[str(match.lastgroup)]

    def _either(self) -> Condition:
        parts = [self._both()]
        while self.take(self.either):
            parts.append(self._both())
        return lambda about: any_holds([part(about) for part in parts])

    def _both(self) -> Condition:
        parts = [self._unary()]
        while self.take(self.both):
            parts.append(self._unary())
        return lambda about: all_hold([part(about) for part in parts])

    def _unary(self) -> Condition:
        if self.take(self.negation):
            inner = self._unary()
            return lambda about: None if (answer := inner(about)) is None else not answer
        if not self.take("("):
            return self.atom()
        inner = self._either()
        self.demand(")")
        return inner


class AlarmRule(Expression):
    """The rule of a composite alarm; `names` are the alarms that it is about, by name or ARN."""

    token = re.compile(
        r'\s*(?:"(?P<text>(?:[^"\\]|\\.)*)"|\'(?P<single>[^\']*)\'|(?P<operator>[()])|(?P<word>[^\s()"]+))'
    )

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.names: dict[str, None] = {}

    def atom(self) -> Condition:
        """Read `TRUE`, `FALSE`, or the state of an alarm: `ALARM("name")`."""
        if self.take("TRUE"):
            return lambda _states: True
        if self.take("FALSE"):
            return lambda _states: False
        state = next((state for state in STATES if self.take(state)), None)
        self.demand("(")
        _, name = self.next()
        self.demand(")")
        if state is None:
            raise UnreadableError
        self.names[name] = None
        return lambda states: None if state in states[name] and len(states[name]) > 1 else state in states[name]


def mean_the_same(one: str, other: str) -> bool:
    """Tell whether two rules of composite alarms are in ALARM in the same states of the alarms that they name."""
    try:
        rules = [AlarmRule(one), AlarmRule(other)]
        conditions = [rule.parse() for rule in rules]
    except UnreadableError:
        return one.split() == other.split()
    first, second = ({_alarm(name) for name in rule.names} for rule in rules)
    if first != second or len(first) > _MOST_NAMES:
        return one.split() == other.split()
    known = [*first]
    for states in itertools.product(STATES, repeat=len(known)):
        of = dict(zip(known, states, strict=True))
        given = ({name: (of[_alarm(name)],) for name in rule.names} for rule in rules)
        if len({bool(condition(each)) for condition, each in zip(conditions, given, strict=True)}) > 1:
            return False
    return True


def _alarm(name: str) -> str:
    """Return the name of an alarm that is named by its ARN or its name."""
    return name.rpartition(":alarm:")[2]
