"""Whether one pattern of a policy covers everything that another one does, in three values.

The wildcards of the inner pattern become unknown text, so what is asked is whether the outer pattern matches whatever
they turn out to be. Where that is not certain and nothing else is unknown, the two are compared as automata.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from infraspec.character import Character
from infraspec.iam.answer import Answer
from infraspec.iam.matching import match
from infraspec.iam.pattern import Pattern, Subject, as_it_is, identical
from infraspec.iam.subject import policy_variable
from infraspec.unknown import Text, Unknown, Value, concatenate, render

_PIECES = re.compile(r"\*|\?|\$\{[^}]*\}")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_MOST_STATES = 5_000
_ANY_TEXT = Unknown("*")
_OTHER = ""
"""Stands for every character that the outer pattern does not name."""


def covers(outer: Value, inner: Value, resolve: Callable[[Value], Value] = as_it_is) -> Answer:
    """Tell whether the Resource pattern `outer` matches all that `inner` matches; `resolve` narrows unknown parts.

    Both may hold policy variables and unknown parts. MAYBE if these decide, or if AWS's documents leave it open.
    """
    if outer == "*" or (outer == inner and identical(inner, inner)):
        return Answer.YES
    narrowed = resolve(inner)
    if isinstance(outer, str) and isinstance(narrowed, str):
        return _texts(outer, narrowed)
    return _asked(outer, narrowed, resolve)


def covers_action(outer: Value, inner: Value) -> Answer:
    """Tell whether the Action pattern `outer` matches every action that `inner` matches; letter case does not count."""
    return covers(_lowered(outer), _lowered(inner))


def overlaps(one: Value, other: Value, resolve: Callable[[Value], Value] = as_it_is) -> Answer:
    """Tell whether there is something that both patterns match. YES is said only where one covers the other."""
    if Answer.YES in {covers(one, other, resolve), covers(other, one, resolve)}:
        return Answer.YES
    return match(_pattern(one, resolve), Subject.of(_opened(resolve(other))))


def overlaps_action(one: Value, other: Value) -> Answer:
    """Tell whether there is an action that both patterns match."""
    return overlaps(_lowered(one), _lowered(other))


@lru_cache(maxsize=65_536)
def _texts(outer: str, inner: str) -> Answer:
    return _asked(outer, inner, as_it_is)


def _asked(outer: Value, inner: Value, resolve: Callable[[Value], Value]) -> Answer:
    opened = _opened(inner)
    pattern = _pattern(outer, resolve)
    answer = match(pattern, Subject.of(opened))
    if answer is not Answer.MAYBE or not isinstance(inner, str) or "${" in inner:
        return answer
    if pattern.known is None:
        return answer
    return Answer.NO if _includes(pattern.known, inner) is False else Answer.MAYBE


def _pattern(value: Value, resolve: Callable[[Value], Value]) -> Pattern:
    """Return the pattern of an outer side, unknown text in place of its policy variables."""
    narrowed = resolve(value)
    if "${" not in render(narrowed):
        return Pattern.arn(value, resolve)
    return Pattern.arn(_joined(narrowed, _with_variables))


def _lowered(value: Value) -> Value:
    if isinstance(value, Text):
        return concatenate(part.lower() if isinstance(part, str) else part for part in value.parts)
    return value.lower() if isinstance(value, str) else value


def _opened(value: Value) -> Value:
    """Put unknown text for each wildcard and policy variable."""
    return _joined(value, _split)


def _joined(value: Value, split: Callable[[str], Iterator[str | Unknown]]) -> Value:
    parts = value.parts if isinstance(value, Text) else (value,)
    pieces = (piece for part in parts for piece in (split(part) if isinstance(part, str) else (part,)))
    joined = concatenate(pieces)
    return joined.parts[0] if isinstance(joined, Text) and len(joined.parts) == 1 else joined


def _with_variables(text: str) -> Iterator[str | Unknown]:
    position = 0
    for found in _VARIABLE.finditer(text):
        yield text[position : found.start()]
        yield policy_variable(found[0][2:-1].strip())
        position = found.end()
    yield text[position:]


def _split(text: str) -> Iterator[str | Unknown]:
    position = 0
    for found in _PIECES.finditer(text):
        yield text[position : found.start()]
        match found[0]:
            case "*":
                yield _ANY_TEXT
            case "?":
                yield Character("?", position)
            case "${*}" | "${?}" | "${$}":
                yield found[0][2]
            case variable:
                yield policy_variable(variable[2:-1].strip())
        position = found.end()
    yield text[position:]


def _includes(outer: str, inner: str) -> bool | None:
    """Tell whether every text that `inner` matches is matched by `outer`; None if that takes too long to find out."""
    letters = {*outer} - {"*", "?"} | {_OTHER}
    start = (0, _closure(outer, {0}))
    seen, pending = {start}, [start]
    while pending:
        state, reached = pending.pop()
        if state == len(inner) and len(outer) not in reached:
            return False
        for following in _following(inner, outer, state, reached, letters):
            if following not in seen:
                seen.add(following)
                pending.append(following)
        if len(seen) > _MOST_STATES:
            return None
    return True


def _following(
    inner: str, outer: str, state: int, reached: frozenset[int], letters: set[str]
) -> Iterator[tuple[int, frozenset[int]]]:
    if state == len(inner):
        return
    sign = inner[state]
    if sign == "*":
        yield state + 1, reached
    after = state if sign == "*" else state + 1
    for letter in letters if sign in "*?" else {sign}:
        yield after, _closure(outer, _consumed(outer, reached, letter))


def _consumed(outer: str, reached: frozenset[int], letter: str) -> set[int]:
    states = {at for at in reached if at < len(outer)}
    return {at for at in states if outer[at] == "*"} | {at + 1 for at in states if outer[at] in ("?", letter)}


def _closure(outer: str, states: set[int]) -> frozenset[int]:
    for state in tuple(states):
        following = state
        while following < len(outer) and outer[following] == "*":
            following += 1
            states.add(following)
    return frozenset(states)
