"""Rules of composite alarms: whether one fires whenever a certain alarm does.

Source: Amazon CloudWatch User Guide, "Create a composite alarm" (the syntax of AlarmRule).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

States: TypeAlias = Mapping[str, str]
Rule: TypeAlias = Callable[[States], bool]

_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([()])|([^\s()"]+))')
_MOST_OTHERS = 8
"""Alarms whose states are gone through, three to the power of it."""


def fires_with(rule: str, *names: str) -> bool | None:
    """Tell whether a rule is true whenever the alarm of the names (its name, its ARN) is in ALARM.

    None if the rule cannot be read, or names too many alarms to go through their states.
    """
    parser = _Parser(rule)
    try:
        parsed = parser.rule()
    except ValueError:
        return None
    own = [name for name in parser.names if name in names]
    others = [name for name in parser.names if name not in names]
    if not own or len(others) > _MOST_OTHERS:
        return None if own else False
    fixed = dict.fromkeys(own, "ALARM")
    return all(
        parsed({**fixed, **dict(zip(others, states, strict=True))}) for states in product(_STATES, repeat=len(others))
    )


@dataclass
class _Parser:
    source: str
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tokens = [(match[1] is not None, match[1] or match[2] or match[3]) for match in self._matches()]
        self._at = 0

    def _matches(self) -> list[re.Match[str]]:
        return list(_TOKEN.finditer(self.source.rstrip()))

    def rule(self) -> Rule:
        """Read the whole rule. Raises ValueError."""
        parsed = self._either()
        if self._at < len(self._tokens):
            raise ValueError(self.source)
        return parsed

    def _either(self) -> Rule:
        parts = [self._both()]
        while self._take("OR"):
            parts.append(self._both())
        return lambda states: any(part(states) for part in parts)

    def _both(self) -> Rule:
        parts = [self._not()]
        while self._take("AND"):
            parts.append(self._not())
        return lambda states: all(part(states) for part in parts)

    def _not(self) -> Rule:
        if self._take("NOT"):
            inner = self._not()
            return lambda states: not inner(states)
        return self._atom()

    def _atom(self) -> Rule:
        if self._take("("):
            inner = self._either()
            self._demand(")")
            return inner
        for word, constant in (("TRUE", True), ("FALSE", False)):
            if self._take(word):
                return lambda _states, constant=constant: constant  # type: ignore[misc] # a default binds the value
        for state in _STATES:
            if self._take(state):
                return self._state(state)
        raise ValueError(self.source)

    def _state(self, state: str) -> Rule:
        self._demand("(")
        if self._at >= len(self._tokens):
            raise ValueError(self.source)
        name = self._tokens[self._at][1]
        self._at += 1
        self._demand(")")
        if name not in self.names:
            self.names.append(name)
        return lambda states: states[name] == state

    def _take(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == (False, word):
            self._at += 1
            return True
        return False

    def _demand(self, word: str) -> None:
        if not self._take(word):
            raise ValueError(self.source)
