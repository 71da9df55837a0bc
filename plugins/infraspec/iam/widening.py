"""What one version of a policy allows that the version before it did not.

Statements are taken apart into principal, action and resource, and each such grant has to be covered by one statement
of the version before. Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy element reference".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from infraspec.iam.answer import Answer, both, either, negate
from infraspec.iam.condition_change import narrows
from infraspec.iam.containment import covers, covers_action, overlaps, overlaps_action
from infraspec.iam.document import PolicyDocument, Statement
from infraspec.iam.pattern import as_it_is, shown
from infraspec.iam.statement_principals import StatementPrincipal, covers_principal, principals_of
from infraspec.unknown import Unknown, Value

_Resolve: TypeAlias = Callable[[Value], Value]
_MOST_SHOWN = 4


class Widening(Struct, frozen=True):
    """Something that becomes allowed: YES for certain, MAYBE if it depends on what is not known.

    `actions` and `resources` are the patterns of the policy, for messages; `principal` is None in an identity policy.
    `undenied` says that it was explicitly denied and no longer is, which allows nothing by itself.
    """

    statement: Statement
    answer: Answer
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
    allowed = _Comparison(_of(old, "Allow"), _certain(new, "Deny"), resolve)
    kept = _Comparison(_of(new, "Deny"), (), resolve)
    found = [entry for statement in _of(new, "Allow") for entry in allowed.compare(statement)]
    return found + [entry for statement in _of(old, "Deny") for entry in kept.compare(statement, undenied=True)]


def _of(statements: Sequence[Statement], effect: str) -> tuple[Statement, ...]:
    return tuple(s for s in statements if s.effect == effect or isinstance(s.effect, Unknown))


def _certain(statements: Sequence[Statement], effect: str) -> tuple[Statement, ...]:
    return tuple(s for s in statements if s.effect == effect and s.condition is None)


class _Entries(Struct, frozen=True):
    """The actions or resources of a statement: a pattern each, or all that the patterns do not match."""

    patterns: tuple[Value, ...]
    negative: bool = False

    def atoms(self) -> tuple[_Entries, ...]:
        """Return the parts that are compared one by one."""
        return (self,) if self.negative else tuple(_Entries((pattern,)) for pattern in self.patterns)

    def covers(
        self, atom: _Entries, contains: Callable[[Value, Value], Answer], meets: Callable[..., Answer]
    ) -> Answer:
        """Tell whether these entries hold all that an atom of another statement holds."""
        if not self.negative:
            if atom.negative:
                return Answer.YES if "*" in self.patterns else Answer.NO
            return either(contains(pattern, atom.patterns[0]) for pattern in self.patterns)
        if atom.negative:
            return both(*(either(contains(kept, own) for kept in atom.patterns) for own in self.patterns))
        return both(*(negate(meets(own, atom.patterns[0])) for own in self.patterns))

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
        if any(_same(statement, other) for other in self._covering):
            return
        certain = isinstance(statement.effect, str)
        for principal in principals_of(statement):
            groups: dict[tuple[Answer, tuple[str, ...]], list[str]] = {}
            for resource, fresh in self._uncovered(statement, principal):
                if fresh:
                    answer = Answer.YES if certain and Answer.YES in fresh.values() else Answer.MAYBE
                    actions = tuple(text for text, new in fresh.items() if new is answer or answer is Answer.MAYBE)
                    groups.setdefault((answer, actions), []).append(resource)
            for (answer, actions), resources in groups.items():
                about = () if statement.resources is None and statement.not_resources is None else tuple(resources)
                yield Widening(statement, answer, actions, about, principal, undenied)

    def _uncovered(
        self, statement: Statement, principal: StatementPrincipal | None
    ) -> Iterator[tuple[str, dict[str, Answer]]]:
        """Yield each resource with the actions that are new on it: YES or MAYBE."""
        resources, actions = _resources(statement).atoms(), _actions(statement).atoms()
        covering = [_Cover(other, statement, principal, resources, actions, self._resolve) for other in self._covering]
        denying = [_Cover(other, statement, principal, resources, actions, self._resolve) for other in self._denying]
        for at, resource in enumerate(resources):
            fresh: dict[str, Answer] = {}
            for position, action in enumerate(actions):
                if any(cover.answer(at, position) is Answer.YES for cover in denying):
                    continue
                new = negate(either(cover.answer(at, position) for cover in covering))
                if new is not Answer.NO:
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
        self._whole = both(covers_principal(cover, principal, resolve), narrows(cover.condition, statement.condition))
        if self._whole is Answer.NO:
            return

        def contains(outer: Value, inner: Value) -> Answer:
            return covers(outer, inner, resolve)

        def meets(one: Value, other: Value) -> Answer:
            return overlaps(one, other, resolve)

        own_actions, own_resources = _actions(cover), _resources(cover)
        self._resources = [own_resources.covers(atom, contains, meets) for atom in resources]
        self._actions = [own_actions.covers(atom, covers_action, overlaps_action) for atom in actions]

    def answer(self, resource: int, action: int) -> Answer:
        """Tell whether one action on one resource is covered."""
        if self._whole is Answer.NO:
            return Answer.NO
        return both(self._whole, self._resources[resource], self._actions[action])


def _same(one: Statement, other: Statement) -> bool:
    return _meaning(one) == _meaning(other)


def _meaning(statement: Statement) -> tuple[Value, ...]:
    return (
        statement.effect,
        statement.actions,
        statement.not_actions,
        statement.resources,
        statement.not_resources,
        statement.principal,
        statement.not_principal,
        statement.condition,
    )


def _listed(texts: tuple[str, ...]) -> str:
    more = f" and {len(texts) - _MOST_SHOWN} more" if len(texts) > _MOST_SHOWN else ""
    return ", ".join(texts[:_MOST_SHOWN]) + more
