"""What one version of a policy allows that the version before it did not.

Statements are taken apart into principal, action and resource, and each such grant has to be covered by one statement
of the version before. Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy element reference".

Source: IAM User Guide, "IAM JSON policy elements: Condition operators": operators and keys are joined by AND, the
values of a key by OR, those of a negated operator by NOR.

The wildcards of the inner pattern become unknown text, so what is asked is whether the outer pattern matches whatever
they turn out to be. Where that is not certain and nothing else is unknown, the two are compared as automata.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from infraspec.core.truth import Truth, all_of, any_of, not_
from infraspec.core.unknown import Character, Text, Unknown, Value, concatenate, is_known, parts_of, render
from infraspec.iam.policy.conditions import lowered
from infraspec.iam.policy.document import PolicyDocument, Statement, tests_of
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, as_it_is, identical, policy_variable, shown
from infraspec.iam.policy.pattern import Pattern
from infraspec.iam.policy.principals import StatementPrincipal, covers_principal, principals_of

_POSITIVE = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "numericequals", "dateequals",
     "ipaddress", "binaryequals"}
)  # fmt: skip


def narrows(wider: Value, narrower: Value) -> Truth:
    """Tell whether whatever meets `narrower` meets `wider` too. No condition is met by everything.

    MAYBE where the two differ in a way that is not compared: other operators, values that overlap.
    """
    if wider is None or (wider == narrower and is_known(wider)):
        return Truth.YES
    if narrower is None:
        return Truth.NO if is_known(wider) else Truth.MAYBE
    if not isinstance(wider, Mapping) or not isinstance(narrower, Mapping):
        return Truth.MAYBE
    demanded, given = _keys(wider), _keys(narrower)
    if all(_meets(key, values, given) for key, values in demanded.items()):
        return Truth.YES
    return Truth.MAYBE


def _keys(condition: Mapping[str, Value]) -> dict[tuple[str, str], frozenset[str] | None]:
    """Return the values by operator and key, letter case taken off; None for values that are not known as text."""
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    for operator, key, values in tests_of(condition):
        known = key and all(isinstance(value, (str, bool, int, float)) for value in values)
        texts = (str(value).lower() if isinstance(value, bool) else str(value) for value in values)
        found[operator.lower(), key.lower()] = frozenset(texts) if known else None
    return found


def _meets(
    key: tuple[str, str], wanted: frozenset[str] | None, given: Mapping[tuple[str, str], frozenset[str] | None]
) -> bool:
    """Tell whether a key is asked for just as strictly, or more so."""
    own = given.get(key)
    if wanted is None or own is None:
        return False
    return own == wanted or (key[0] in _POSITIVE and bool(own) and own <= wanted)


_VARIABLE = re.compile(r"\$\{[^}]*\}")
_PIECES = re.compile(rf"\*|\?|{_VARIABLE.pattern}")
_MOST_STATES = 5_000
_ANY_TEXT = Unknown("*")
_OTHER = ""
"""Stands for every character that the outer pattern does not name."""


def covers(outer: Value, inner: Value, resolve: Callable[[Value], Value] = as_it_is) -> Truth:
    """Tell whether the Resource pattern `outer` matches all that `inner` matches; `resolve` narrows unknown parts.

    Both may hold policy variables and unknown parts. MAYBE if these decide, or if AWS's documents leave it open.
    """
    if outer == "*" or (outer == inner and identical(inner, inner)):
        return Truth.YES
    narrowed = resolve(inner)
    if isinstance(outer, str) and isinstance(narrowed, str):
        return _texts(outer, narrowed)
    return _asked(outer, narrowed, resolve)


def covers_action(outer: Value, inner: Value) -> Truth:
    """Tell whether the Action pattern `outer` matches every action that `inner` matches; letter case does not count."""
    return covers(lowered(outer), lowered(inner))


def overlaps(one: Value, other: Value, resolve: Callable[[Value], Value] = as_it_is) -> Truth:
    """Tell whether there is something that both patterns match. YES is said only where one covers the other."""
    if Truth.YES in {covers(one, other, resolve), covers(other, one, resolve)}:
        return Truth.YES
    return match(_pattern(one, resolve), PartialArn.of(_opened(resolve(other))))


def overlaps_action(one: Value, other: Value) -> Truth:
    """Tell whether there is an action that both patterns match."""
    return overlaps(lowered(one), lowered(other))


@lru_cache(maxsize=65_536)
def _texts(outer: str, inner: str) -> Truth:
    return _asked(outer, inner, as_it_is)


def _asked(outer: Value, inner: Value, resolve: Callable[[Value], Value]) -> Truth:
    opened = _opened(inner)
    pattern = _pattern(outer, resolve)
    answer = match(pattern, PartialArn.of(opened))
    if answer is not Truth.MAYBE or not isinstance(inner, str) or "${" in inner:
        return answer
    if pattern.known is None:
        return answer
    return Truth.NO if _includes(pattern.known, inner) is False else Truth.MAYBE


def _pattern(value: Value, resolve: Callable[[Value], Value]) -> Pattern:
    """Return the pattern of an outer side, unknown text in place of its policy variables."""
    narrowed = resolve(value)
    if "${" not in render(narrowed):
        return Pattern.arn(value, resolve)
    return Pattern.arn(_joined(narrowed, _VARIABLE))


def _opened(value: Value) -> Value:
    """Put unknown text for each wildcard and policy variable."""
    return _joined(value, _PIECES)


def _joined(value: Value, open_: re.Pattern[str]) -> Value:
    """Put unknown text for the pieces of a text that a pattern finds."""
    parts = parts_of(value)
    pieces = (piece for part in parts for piece in (_split(part, open_) if isinstance(part, str) else (part,)))
    joined = concatenate(pieces)
    return joined.parts[0] if isinstance(joined, Text) and len(joined.parts) == 1 else joined


def _split(text: str, open_: re.Pattern[str]) -> Iterator[str | Unknown]:
    position = 0
    for found in open_.finditer(text):
        yield text[position : found.start()]
        match found[0]:
            case "*":
                yield _ANY_TEXT
            case "?":
                yield Character("?", position)
            case "${*}" | "${?}" | "${$}" if open_ is _PIECES:  # in a pattern it would be a wildcard
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


_Resolve: TypeAlias = Callable[[Value], Value]
_MOST_SHOWN = 4


class Widening(Struct, frozen=True):
    """Something that becomes allowed: YES for certain, MAYBE if it depends on something unknown.

    `actions` and `resources` are the patterns of the policy, for messages; `principal` is None in an identity policy.
    `undenied` says that it was explicitly denied and no longer is, which allows nothing by itself.
    """

    statement: Statement
    answer: Truth
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principal: StatementPrincipal | None = None
    undenied: bool = False

    def __str__(self) -> str:
        if isinstance(self.statement.effect, Unknown):
            return f"what {shown(self.statement.effect)} will say"
        subject = f" to {self.principal}" if self.principal else ""
        place = f" on {_listed(self.resources)}" if self.resources else ""
        return f"{_listed(self.actions)}{place}{subject}, by {self.statement}"


def widenings(
    before: PolicyDocument | None, after: PolicyDocument | None, resolve: _Resolve = as_it_is
) -> list[Widening]:
    """Compare two versions of a policy; None stands for no policy. `resolve` narrows unknown parts of resources."""
    old, new = (document.statements if document else () for document in (before, after))
    denying = [statement for statement in new if statement.effect == "Deny" and statement.condition is None]
    allowed = _Comparison(_of(old, "Allow"), denying, resolve)
    kept = _Comparison(_of(new, "Deny"), (), resolve)
    found = [entry for statement in _of(new, "Allow") for entry in allowed.compare(statement)]
    return found + [entry for statement in _of(old, "Deny") for entry in kept.compare(statement, undenied=True)]


def _of(statements: Sequence[Statement], effect: str) -> tuple[Statement, ...]:
    return tuple(s for s in statements if s.effect == effect or isinstance(s.effect, Unknown))


class _Entries(Struct, frozen=True):
    """The actions or resources of a statement: a pattern each, or all that the patterns do not match."""

    patterns: tuple[Value, ...]
    negative: bool = False

    def atoms(self) -> tuple[_Entries, ...]:
        """Return the parts that are compared one by one."""
        return (self,) if self.negative else tuple(_Entries((pattern,)) for pattern in self.patterns)

    def covers(self, atom: _Entries, contains: Callable[[Value, Value], Truth], meets: Callable[..., Truth]) -> Truth:
        """Tell whether these entries hold all that an atom of another statement holds."""
        if not self.negative:
            if atom.negative:
                return Truth.YES if "*" in self.patterns else Truth.NO
            return any_of(contains(pattern, atom.patterns[0]) for pattern in self.patterns)
        if atom.negative:
            return all_of(*(any_of(contains(kept, own) for kept in atom.patterns) for own in self.patterns))
        return all_of(*(not_(meets(own, atom.patterns[0])) for own in self.patterns))

    def __str__(self) -> str:
        text = ", ".join(map(shown, self.patterns))
        return f"everything but {text}" if self.negative else text


def _actions(statement: Statement) -> _Entries:
    if statement.not_actions is not None:
        return _Entries(statement.not_actions, negative=True)
    return _Entries(statement.actions or ())


def _resources(statement: Statement) -> _Entries:
    """Return the resources; a statement of a trust policy has none, and is about whatever the policy is attached to."""
    if statement.not_resources is not None:
        return _Entries(statement.not_resources, negative=True)
    return _Entries(statement.resources if statement.resources is not None else ("*",))


class _Comparison:
    """Statements that new ones are held against, and denials that take away again what the new ones allow."""

    def __init__(self, covering: Sequence[Statement], denying: Sequence[Statement], resolve: _Resolve) -> None:
        self._covering = covering
        self._denying = denying
        self._resolve = resolve

    def compare(self, statement: Statement, *, undenied: bool = False) -> Iterator[Widening]:
        """Yield what of a statement no covering statement covers, joined by resource and principal."""
        if any(_meaning(statement) == _meaning(other) for other in self._covering):
            return
        certain = isinstance(statement.effect, str)
        for principal in principals_of(statement):
            groups: dict[tuple[Truth, tuple[str, ...]], list[str]] = {}
            for resource, fresh in self._uncovered(statement, principal):
                if fresh:
                    answer = Truth.YES if certain and Truth.YES in fresh.values() else Truth.MAYBE
                    actions = tuple(text for text, new in fresh.items() if new is answer or answer is Truth.MAYBE)
                    groups.setdefault((answer, actions), []).append(resource)
            for (answer, actions), resources in groups.items():
                about = () if statement.resources is None and statement.not_resources is None else tuple(resources)
                yield Widening(statement, answer, actions, about, principal, undenied)

    def _uncovered(
        self, statement: Statement, principal: StatementPrincipal | None
    ) -> Iterator[tuple[str, dict[str, Truth]]]:
        """Yield each resource with the actions that are new on it: YES or MAYBE."""
        resources, actions = _resources(statement).atoms(), _actions(statement).atoms()
        covering = [_Cover(other, statement, principal, resources, actions, self._resolve) for other in self._covering]
        denying = [_Cover(other, statement, principal, resources, actions, self._resolve) for other in self._denying]
        for at, resource in enumerate(resources):
            fresh: dict[str, Truth] = {}
            for position, action in enumerate(actions):
                if any(cover.answer(at, position) is Truth.YES for cover in denying):
                    continue
                new = not_(any_of(cover.answer(at, position) for cover in covering))
                if new is not Truth.NO:
                    fresh[str(action)] = new
            yield str(resource), fresh


class _Cover:
    """How far one statement covers another: by principal and condition as a whole, by resource and action in parts."""

    def __init__(  # noqa: PLR0917 - the two statements and the parts of one
        self,
        cover: Statement,
        statement: Statement,
        principal: StatementPrincipal | None,
        resources: Sequence[_Entries],
        actions: Sequence[_Entries],
        resolve: _Resolve,
    ) -> None:
        self._whole = all_of(covers_principal(cover, principal, resolve), narrows(cover.condition, statement.condition))
        if self._whole is Truth.NO:
            return

        def contains(outer: Value, inner: Value) -> Truth:
            return covers(outer, inner, resolve)

        def meets(one: Value, other: Value) -> Truth:
            return overlaps(one, other, resolve)

        own_actions, own_resources = _actions(cover), _resources(cover)
        self._resources = [own_resources.covers(atom, contains, meets) for atom in resources]
        self._actions = [own_actions.covers(atom, covers_action, overlaps_action) for atom in actions]

    def answer(self, resource: int, action: int) -> Truth:
        """Tell whether one action on one resource is covered."""
        if self._whole is Truth.NO:
            return Truth.NO
        return all_of(self._whole, self._resources[resource], self._actions[action])


def _meaning(statement: Statement) -> Statement:
    """Return a statement without its name and its place."""
    return replace(statement, path="", sid="")


def _listed(texts: tuple[str, ...]) -> str:
    more = f" and {len(texts) - _MOST_SHOWN} more" if len(texts) > _MOST_SHOWN else ""
    return ", ".join(texts[:_MOST_SHOWN]) + more
