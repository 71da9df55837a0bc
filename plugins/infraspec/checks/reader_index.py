"""Which principals of a plan have to be asked about which secret: most policies name a few secrets, not patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from infraspec.iam.pattern import Pattern, Subject, is_open
from infraspec.iam.policy import Clause, IdentityPolicy
from infraspec.terraform.plan import Resource
from infraspec.unknown import Text, Value, render

_SUFFIX = 6


class Candidate(Struct, frozen=True, eq=False):
    """A principal of the plan with its policies."""

    resource: Resource
    policies: tuple[IdentityPolicy, ...]
    boundary: tuple[IdentityPolicy, ...] | None

    def clauses(self, action: str) -> Iterator[Clause]:
        """Yield its statements about an action."""
        for policy in self.policies:
            for clause, _ in policy.about(action):
                yield clause

    def is_indifferent(self, action: str) -> bool:
        """Tell whether its answer is the same for every secret of its account: its statements are about all of them."""
        if self.boundary is not None:
            return False
        return all(not clause.conditions and _is_about_all(clause) for clause in self.clauses(action))


class ReaderIndex(Struct):
    """The principals that may be about a secret, found by the ARNs that their policies name."""

    action: str
    _named: dict[str, list[Candidate]] = field(default_factory=dict)
    _others: list[Candidate] = field(default_factory=list)

    @classmethod
    def of(cls, action: str, candidates: Iterable[Candidate]) -> ReaderIndex:
        """Make the index; a principal without a statement about the action is in none."""
        index = cls(action)
        for candidate in candidates:
            clauses = list(candidate.clauses(action))
            stems = [_stem_of(clause) for clause in clauses]
            if None in stems:
                index._others.append(candidate)
                continue
            for stem in {stem for found in stems for stem in found or ()}:
                index._named.setdefault(stem, []).append(candidate)
        return index

    def about(self, secret: Subject) -> list[Candidate]:
        """Return the principals that have to be asked about a secret, in order of addresses."""
        stem = _stem(secret.value)
        if stem is None:
            found = {id(one): one for group in self._named.values() for one in group}
            named = list(found.values())
        else:
            named = self._named.get(stem, [])
        return sorted([*named, *self._others], key=lambda candidate: candidate.resource.address)


def _stem_of(clause: Clause) -> list[str] | None:
    """Return the secrets that a statement names by their ARNs; None if it may be about others."""
    if clause.statement.not_resources is not None or clause.statement.resources is None:
        return None
    stems = []
    for pattern in clause.resources.entries:
        plain = pattern.plain if isinstance(pattern, Pattern) else None
        stem = _stem(plain) if plain is not None else None
        if stem is None:
            return None
        stems.append(stem)
    return stems


def _stem(value: Value) -> str | None:
    """Return an ARN without the six characters of its end, letter case aside; None if more of it is not known.

    Two ARNs of secrets that may be equal have the same stem.
    """
    if isinstance(value, Text) and not any(map(is_open, value.parts)):
        return render(value)[:-_SUFFIX].lower()
    return value[:-_SUFFIX].lower() if isinstance(value, str) else None


def _is_about_all(clause: Clause) -> bool:
    """Tell whether a statement is about every resource, or nothing is known of it, resources and actions alike."""
    resources, actions = clause.statement.resources, clause.statement.actions
    if resources is None:
        return False
    return "*" in resources or (resources == actions and all(map(is_open, resources)))
