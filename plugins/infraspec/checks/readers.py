"""Who may read a secret: the roles, users and groups that are known, and whom the secret's own policy lets in.

Reading is secretsmanager:GetSecretValue; whether a reader may use the secret's KMS key too is another matter. Of
principals that are not in the plan nothing is known but what the policy of the secret says, unless there is a snapshot
of the account: then its roles, users and groups are asked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.owners import Owners
from infraspec.checks.reader_index import Candidate, ReaderIndex
from infraspec.checks.request_context import request_context
from infraspec.checks.roles import RoleIndex
from infraspec.checks.users import holders
from infraspec.finding import Location
from infraspec.iam.answer import Answer, both, negate
from infraspec.iam.context import Context
from infraspec.iam.decision import decide
from infraspec.iam.document import Statement
from infraspec.iam.fields import arn_fields
from infraspec.iam.layers import ResourceLayer
from infraspec.iam.pattern import Subject, shown
from infraspec.iam.policy import Hit, IdentityPolicy
from infraspec.iam.principal import Principal
from infraspec.iam.request import Request
from infraspec.iam.why import why
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.iam_snapshot import IamSnapshot, snapshot_of
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Text, Unknown, Value, render

READ = "secretsmanager:GetSecretValue"
SECRET = "aws_secretsmanager_secret"  # noqa: S105 - a type of resource
_ACCOUNT = re.compile(r"^(?:arn:[^:]*:(?:iam|sts)::)?(\d{12})(?::|$)")


class Reader(Struct, frozen=True):
    """Somebody who may read a secret, or perhaps may.

    `name` is a Terraform address, an ARN, a service or `everybody`; `names` are all that it goes by. `outside` says
    that it is not of the account of the secret.
    """

    name: str
    names: tuple[str, ...]
    certain: bool
    reason: str
    location: Location | None = None
    outside: bool = False

    def __str__(self) -> str:
        return self.name if self.certain else f"perhaps {self.name}"


@dataclass
class Readers:
    """The readers of the secrets of one plan."""

    plan: Plan
    attributes: AwsAttributes = field(init=False)
    roles: RoleIndex = field(init=False)
    owners: Owners = field(init=False)
    _indifferent: dict[tuple[str, str], Reader | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attributes = AwsAttributes(self.plan)
        self.roles = RoleIndex(self.attributes)
        self.owners = Owners(self.attributes)

    @property
    def known(self) -> str:
        """Where principals were looked for, for messages."""
        return f"in the plan or in {self._snapshot.origin}" if self._snapshot else "in the plan"

    @property
    def _snapshot(self) -> IamSnapshot | None:
        return snapshot_of(self.plan, self.plan.account, self.plan.partition)

    def of(self, secret: Resource) -> list[Reader]:
        """Return who may read a secret: first the plan's principals by address. Raises PolicyError."""
        arn = secret.reference("arn")
        subject = Subject.of(arn, self.attributes.narrow)
        shared = self.owners.policies(subject.value, self.plan.account, READ)
        asked = self._holders if shared else self._index.about(subject)
        own = (self._own(candidate, subject, shared) for candidate in asked)
        found = [self._as_far_as_certain(reader, secret) for reader in own if reader is not None]
        let_in = {reader.name: reader for reader in self._let_in(shared, subject)} if shared else {}
        return [*found, *let_in.values()]

    def _as_far_as_certain(self, reader: Reader, secret: Resource) -> Reader:
        """Leave open whether a principal reads a secret if there may be no such principal."""
        holder = self.plan.by_address.get(reader.name)
        if holder is None or self.plan.is_certain(holder, secret):
            return reader
        return replace(reader, certain=False, reason=f"{reader.reason}; {self.plan.doubt_of(holder)}")

    @cached_property
    def _holders(self) -> list[Candidate]:
        """Return the principals of the plan, and of a snapshot of its account, in order of addresses."""
        snapshot = self._snapshot
        roles = [self.roles.role(role.reference("arn")) for role in self.plan.managed("aws_iam_role")]
        roles += self.roles.others(snapshot) if snapshot else ()
        candidates = [Candidate(role.resource, role.policies, role.boundary) for role in roles if role.resource]
        others = holders(self.roles, snapshot)
        candidates += [Candidate(other.resource, other.policies, other.boundary) for other in others]
        return sorted(candidates, key=lambda candidate: candidate.resource.address)

    @cached_property
    def _index(self) -> ReaderIndex:
        return ReaderIndex.of(READ, self._holders)

    def _own(self, candidate: Candidate, subject: Subject, shared: list[IdentityPolicy]) -> Reader | None:
        """Ask one principal; one that has the same answer for every secret is asked once."""
        if shared or not candidate.is_indifferent(READ):
            return self._decided(candidate, subject, shared)
        account = render(arn_fields(subject.value).get("account"))
        key = (candidate.resource.address, account)
        if key not in self._indifferent:
            reader = self._decided(candidate, subject, shared)
            uncertain = reader is not None and not reader.certain
            self._indifferent[key] = (
                replace(reader, reason=_without_secret(candidate)) if reader and uncertain else reader
            )
        return self._indifferent[key]

    def _decided(self, candidate: Candidate, subject: Subject, shared: list[IdentityPolicy]) -> Reader | None:
        resource = candidate.resource
        arn = self._arn(resource)
        is_role = resource.type == "aws_iam_role"
        decision = decide(
            candidate.policies,
            READ,
            subject,
            boundary=candidate.boundary,
            resource_policies=shared,
            principal=Principal.role(arn) if is_role else None,
            context=request_context(arn, subject.value) if is_role else _CONTEXT,
        )
        if decision.allowed is Answer.NO:
            return None
        hit = decision.deciding or next((doubt.hit for doubt in decision.doubts), None)
        names = (resource.address, render(self.attributes.name(resource)), render(arn))
        place = hit.location if hit else None
        return Reader(resource.address, names, decision.allowed is Answer.YES, why(decision), place)

    def _let_in(self, shared: list[IdentityPolicy], subject: Subject) -> Iterator[Reader]:
        """Yield the principals outside of the plan that the secret's own policy lets in, as the policy names them."""
        request = Request(READ, subject, _CONTEXT)
        for policy in shared:
            for clause, covered in policy.about(READ):
                answer = both(covered, clause.applies(request), _allows(clause.statement.effect))
                for name, value, outside in self._named(clause.statement) if answer is not Answer.NO else ():
                    principal = None if value is None else Principal.of(value)
                    denied = ResourceLayer.asked(shared, request, principal, bounded=False).denied
                    allowed = both(answer, negate(denied), Answer.MAYBE if isinstance(value, Unknown) else Answer.YES)
                    if allowed is not Answer.NO:
                        yield _reader(name, Hit(policy, clause), certain=allowed is Answer.YES, outside=outside)

    def _named(self, statement: Statement) -> Iterator[tuple[str, Value, bool]]:
        """Yield whom a statement names: a name, a value (None for everybody), and whether it is of another account.

        The secret's own account is passed over, as it leaves the decision to its policies, and so are principals of the
        plan, which are asked themselves.
        """
        if statement.not_principal is not None:
            yield "everybody else", None, True
            return
        for kind, entry in _entries(statement.principal):
            value = self.attributes.narrow(entry)
            text = shown(value) if isinstance(value, str | Text | Unknown) else render(value)
            account = _ACCOUNT.match(text)
            number = account[1] if account is not None else ""
            own = number != "" and number == self.plan.account
            if kind == "AWS" and entry == "*":
                yield "everybody", None, True
            elif not (own and text.endswith((":root", number))) and text not in self._arns:
                yield text, value, number != "" and isinstance(self.plan.account, str) and not own

    @cached_property
    def _arns(self) -> frozenset[str]:
        return frozenset(render(self._arn(holder.resource)) for holder in self._holders)

    def _arn(self, resource: Resource) -> Value:
        """Return the ARN of a principal: one of a snapshot has it."""
        known = resource.address == resource.get("arn")
        return resource.address if known else self.attributes.narrow(resource.reference("arn"))


def _without_secret(candidate: Candidate) -> str:
    """Say what an uncertain answer depends on without naming the secret that happened to be asked about."""
    hits = [Hit(policy, clause) for policy in candidate.policies for clause, _ in policy.about(READ)]
    doubts = dict.fromkeys(hit.clause.doubt[0] for hit in hits if hit.clause.doubt)
    return "; ".join([f"it depends on {', '.join(map(str, hits))}", *doubts])


_CONTEXT = Context.of({"aws:SecureTransport": True})


def _allows(effect: Value) -> Answer:
    return Answer.YES if effect == "Allow" else Answer.NO if effect == "Deny" else Answer.MAYBE


def _reader(name: str, hit: Hit, *, certain: bool, outside: bool = False) -> Reader:
    words = "allowed by" if certain else "depends on"
    return Reader(name, (name,), certain, f"{words} {hit}", hit.location, outside)


def _entries(principal: Value) -> Iterator[tuple[str, Value]]:
    if not isinstance(principal, Mapping):
        yield "AWS", principal
        return
    for kind, entries in principal.items():
        for entry in entries if isinstance(entries, list | tuple) else (entries,):
            yield kind, entry
