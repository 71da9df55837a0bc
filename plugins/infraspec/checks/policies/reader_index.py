"""Which principals have to be asked about a secret: those whose policies are about it, and whom its own policy names.

A policy mostly names secrets by how their ARNs begin. Such a statement is found by that, and the others are compared
with every secret: roles, secrets and what they have in common decide how long it takes, not roles times secrets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct

from infraspec.core.beginnings import Beginnings
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value
from infraspec.iam.evaluation.layers import naming
from infraspec.iam.policy.context import Context, PolicyTemplate, Request
from infraspec.iam.policy.document import Statement, principals_in
from infraspec.iam.policy.partial_arn import SINGLE, PartialArn, arn_fields, identical, is_open, lazy, parts_of
from infraspec.iam.policy.pattern import Pattern
from infraspec.iam.policy.principals import ROLE, Principal
from infraspec.iam.policy.statements import Clause, IdentityPolicy, Resources
from infraspec.terraform.plan import Resource

READ = "secretsmanager:GetSecretValue"
_TYPE = ":secret:"
_COLONS, _SUFFIX = 6, 6
_UNKNOWN = Context()


class ReaderCandidate(Struct, frozen=True, eq=False, dict=True):
    """A principal of the plan or a snapshot, a group for its members, with its policies and permissions boundary.

    `arn` is narrowed.
    """

    resource: Resource
    arn: Value
    policies: tuple[IdentityPolicy, ...]
    boundary: tuple[IdentityPolicy, ...] | None = None

    @lazy
    def principal(self) -> Principal | None:
        """Who asks, if it is a role."""
        return Principal.role(self.arn) if self.resource.type == "aws_iam_role" else None

    @lazy
    def clauses(self) -> list[Clause]:
        """Its statements about reading."""
        return [clause for policy in self.policies for clause, _ in policy.about(READ)]

    @lazy
    def all_clauses(self) -> list[Clause]:
        """Its statements about reading, and those of its boundary."""
        limits = (clause for policy in self.boundary or () for clause, _ in policy.about(READ))
        return [*self.clauses, *limits]

    @lazy
    def is_indifferent(self) -> bool:
        """Whether its answer is the same for every secret of its account: its statements are about all of them."""
        if self.boundary is not None:
            return False
        return all(not clause.conditions and _is_about_all(clause) for clause in self.clauses)


def _is_about_all(clause: Clause) -> bool:
    """Tell whether a statement is about every resource, or nothing is known of it, resources and actions alike."""
    resources, actions = clause.statement.resources, clause.statement.actions
    if resources is None:
        return False
    return "*" in resources or (resources == actions and all(map(is_open, resources)))


class AskedSecret(NamedTuple):
    """A secret with its own policies. Secrets of one `place` of which these `says` the same are told apart by policies.

    `place` is region and account, `says` None where it depends on who asks.
    """

    subject: PartialArn
    shared: list[IdentityPolicy]
    place: tuple[Value, Value]
    says: tuple[object, ...] | None

    @classmethod
    def of(cls, subject: PartialArn, shared: list[IdentityPolicy]) -> AskedSecret:
        """Put a secret together."""
        fields = arn_fields(subject.value)
        clauses = [pair for policy in shared for pair in policy.about(READ)]
        depends = any(isinstance(entry, PolicyTemplate) for clause, _ in clauses for entry in clause.resources.entries)
        request = Request(READ, subject, _UNKNOWN)
        says = tuple((covered, clause.covers_resource(request), *_said(clause)) for clause, covered in clauses)
        return cls(subject, shared, (fields.get("region"), fields.get("account")), None if depends else says)


def _said(clause: Clause) -> tuple[object, ...]:
    """Return what a statement says beside action and resource, to be compared."""
    one = clause.statement
    said = (one.effect, one.principal, one.not_principal, one.condition)
    return (clause.bound, one.actions is None, one.resources is None, *map(_comparable, said))


def _comparable(value: Value) -> object:
    if isinstance(value, Mapping):
        return tuple((key, _comparable(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_comparable, value))
    return type(value), value


class _Beginning(NamedTuple):
    """How the ARN of a secret begins: what stands before its type, with its unknown parts, and how the name begins."""

    head: tuple[str | Unknown, ...]
    name: str

    @classmethod
    def of(cls, parts: tuple[str | Unknown, ...]) -> _Beginning | None:
        """Read it, in lower case; None where it is not known, or has letters that another case makes longer."""
        for position, part in enumerate(parts):
            before, found, name = part.partition(_TYPE) if isinstance(part, str) else ("", "", "")
            if found:
                head = (*parts[:position], before)
                known = len(head) == 1
                ascii_only = all(one.isascii() if isinstance(one, str) else identical(one, one) for one in head)
                is_plain = ascii_only and name.isascii()
                return cls((before.lower(),) if known else head, name.lower()) if is_plain else None
        return None

    @property
    def is_known(self) -> bool:
        """Whether nothing before the name is unknown."""
        return len(self.head) == 1

    @property
    def has_wildcard(self) -> bool:
        """Whether a wildcard stands before the name."""
        return any("*" in part or "?" in part for part in self.head if isinstance(part, str))


class ReaderIndex:
    """The principals that may read a secret, each known by its number in order of addresses.

    One that no statement allows to read is found only where the secret's own policy names it. Source: IAM User Guide,
    "Policy evaluation logic": what no policy allows is denied, whatever else denies it too.
    """

    def __init__(self, candidates: Iterable[ReaderCandidate]) -> None:
        self.candidates = sorted(candidates, key=lambda candidate: candidate.resource.address)
        self._heads: dict[tuple[str | Unknown, ...], Beginnings[int]] = {}
        self._anywhere: Beginnings[int] = Beginnings()
        """What has a wildcard before the name, by the name alone."""
        self._others: list[tuple[int, list[Clause]]] = []
        self._named: dict[tuple[str, Value], Collection[int]] = {}
        for number, candidate in enumerate(self.candidates):
            self._add(number, [clause for clause in candidate.clauses if clause.statement.effect != "Deny"])

    def _add(self, number: int, clauses: list[Clause]) -> None:
        others = [clause for clause in clauses if not self._is_kept(number, clause)]
        if others:
            self._others.append((number, others))

    def _is_kept(self, number: int, clause: Clause) -> bool:
        """Keep a statement under how the secrets that it names begin; False if it does not say it."""
        if clause.statement.resources is None:
            return False
        beginnings = [_beginning(entry) for entry in clause.resources.entries if isinstance(entry, Pattern)]
        kept = [one for one in beginnings if one is not None]
        if len(kept) != len(clause.resources.entries):
            return False
        for one in kept:
            names = self._anywhere if one.has_wildcard else self._heads.setdefault(one.head, Beginnings())
            names.add(one.name, number)
        return True

    def about(self, secret: PartialArn, resource_policies: Iterable[IdentityPolicy] = ()) -> list[ReaderCandidate]:
        """Return the principals that have to be asked about a secret, in order of addresses."""
        covered: dict[Resources, bool] = {}
        found = {number for number, clauses in self._others if _may_cover(clauses, secret, covered)}
        found.update(self._by_beginning(secret), self._let_in(resource_policies))
        return [self.candidates[number] for number in sorted(found)]

    def _by_beginning(self, secret: PartialArn) -> Iterator[int]:
        """Yield those whose statements begin as the secret does, or may.

        Where something unknown stands before the name, another unknown may be the same, and a wildcard all of it.
        """
        given = _Beginning.of(parts_of(secret.value))
        for head, names in self._heads.items():
            if given is None or (head != given.head and not (given.is_known and len(head) == 1)):
                yield from names.all()
            elif head == given.head:
                yield from names.beside(given.name)
        is_named = given is not None and given.is_known and _is_known_but_for_its_end(secret)
        yield from self._anywhere.beside(given.name) if given is not None and is_named else self._anywhere.all()

    def _let_in(self, policies: Iterable[IdentityPolicy]) -> Iterator[int]:
        """Yield whom the policies of a secret may let in by themselves."""
        for clause in (clause for policy in policies for clause, _ in policy.about(READ)):
            statement = clause.statement
            if statement.effect == "Deny":
                continue
            if statement.not_principal is not None or statement.principal is None:
                yield from range(len(self.candidates))
                continue
            for kind, entry in principals_in(statement.principal):
                yield from self._of_entry(kind, clause.resolve(entry))

    def _of_entry(self, kind: str, entry: Value) -> Collection[int]:
        """Return the principals that an entry of a Principal may name, other than by their account."""
        if isinstance(entry, Mapping | list):
            return range(len(self.candidates))
        if (kind, entry) not in self._named:
            by_arn, others = self._by_arn
            is_role = kind == "AWS" and isinstance(entry, str) and ROLE.fullmatch(entry)
            asked = (*by_arn.get(str(entry), ()), *others) if is_role else range(len(self.candidates))
            one = Statement("", "Allow", principal={kind: entry})
            self._named[kind, entry] = [number for number in asked if self._may_name(one, number)]
        return self._named[kind, entry]

    def _may_name(self, statement: Statement, number: int) -> bool:
        named = naming(statement, self.candidates[number].principal)
        return max(named.anyone, named.itself, named.role) is not Truth.NO

    @lazy
    def _by_arn(self) -> tuple[Mapping[str, list[int]], list[int]]:
        """Return the roles by their ARNs, and what is no role or has no ARN that is known."""
        by_arn: dict[str, list[int]] = {}
        others: list[int] = []
        for number, candidate in enumerate(self.candidates):
            is_known = candidate.principal is not None and isinstance(candidate.arn, str)
            (by_arn.setdefault(str(candidate.arn), []) if is_known else others).append(number)
        return by_arn, others


def _is_known_but_for_its_end(secret: PartialArn) -> bool:
    """Tell whether an ARN names its secret, so that its type stands in it once: a name has no colon.

    Source: AWS Secrets Manager API Reference, CreateSecret.
    """
    known = secret.code.rstrip(SINGLE)
    return known.isascii() and known.count(":") == _COLONS and len(secret.code) - len(known) <= _SUFFIX


def _beginning(entry: Pattern) -> _Beginning | None:
    """Return how an entry begins, up to the first wildcard of the name."""
    found = None if entry.incomplete else _Beginning.of(entry.parts)
    return found and found._replace(name=found.name.replace("?", "*").partition("*")[0])


def _may_cover(clauses: Iterable[Clause], secret: PartialArn, covered: dict[Resources, bool]) -> bool:
    """Tell whether one of the statements may be about a secret; resources that statements share are asked once."""
    for clause in clauses:
        resources = clause.resources
        if resources.everywhere or clause.statement.resources is None:
            return True
        if resources not in covered:
            covered[resources] = resources.include(secret, _UNKNOWN, without_value=Truth.MAYBE) is not Truth.NO
        if covered[resources]:
            return True
    return False
