"""Who may read a secret: the roles, users and groups that are known, and whom the secret's own policy lets in.

Reading is secretsmanager:GetSecretValue; whether a reader may use the secret's KMS key too is another matter. Of
principals that are not in the plan nothing is known but what the policy of the secret says, unless there is a snapshot
of the account: then its roles, users and groups are asked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.checks.access.access_decisions import request_context
from infraspec.checks.common.policy_owners import PolicyAttachment, attachments
from infraspec.checks.common.resources_by_arn import arn_index
from infraspec.checks.common.roles import RoleIndex, role_index
from infraspec.checks.common.roles_in_snapshots import as_far_as_certain
from infraspec.core.finding import Location
from infraspec.core.truth import Truth, all_of, not_
from infraspec.core.unknown import Text, Unknown, Value, render
from infraspec.iam.evaluation.decision import decide, why
from infraspec.iam.evaluation.layers import ResourceLayer
from infraspec.iam.policy.context import Context, Request
from infraspec.iam.policy.document import Statement
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields, is_open, shown
from infraspec.iam.policy.pattern import Pattern
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import Clause, Hit, IdentityPolicy
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import IamSnapshot, Plan, Resource, snapshot_of

_SUFFIX = 6


class ReaderCandidate(Struct, frozen=True, eq=False):
    """A principal of the plan or a snapshot, a group for its members, with its policies and permissions boundary."""

    resource: Resource
    policies: tuple[IdentityPolicy, ...]
    boundary: tuple[IdentityPolicy, ...] | None = None

    def clauses(self, action: str) -> list[Clause]:
        """List its statements about an action."""
        return [clause for policy in self.policies for clause, _ in policy.about(action)]

    def is_indifferent(self, action: str) -> bool:
        """Tell whether its answer is the same for every secret of its account: its statements are about all of them."""
        if self.boundary is not None:
            return False
        return all(not clause.conditions and _is_about_all(clause) for clause in self.clauses(action))


class ReaderIndex(Struct):
    """The principals that may be about a secret, found by the ARNs that their policies name."""

    action: str
    _named: dict[str, list[ReaderCandidate]] = field(default_factory=dict)
    _others: list[ReaderCandidate] = field(default_factory=list)

    @classmethod
    def of(cls, action: str, candidates: Iterable[ReaderCandidate]) -> ReaderIndex:
        """Make the index; a principal without a statement about the action is in none."""
        index = cls(action)
        for candidate in candidates:
            stems = [_stems(clause) for clause in candidate.clauses(action)]
            if None in stems:
                index._others.append(candidate)
                continue
            for stem in {stem for named in stems for stem in named or ()}:
                index._named.setdefault(stem, []).append(candidate)
        return index

    def about(self, secret: PartialArn) -> list[ReaderCandidate]:
        """Return the principals that have to be asked about a secret, in order of addresses."""
        stem = _stem(secret.value)
        if stem is None:
            named = list({id(one): one for group in self._named.values() for one in group}.values())
        else:
            named = self._named.get(stem, [])
        return sorted([*named, *self._others], key=lambda candidate: candidate.resource.address)


def _stems(clause: Clause) -> list[str] | None:
    """Return the secrets that a statement names by their ARNs; None if it may be about others."""
    if clause.statement.not_resources is not None or clause.statement.resources is None:
        return None
    plain = [entry.plain if isinstance(entry, Pattern) else None for entry in clause.resources.entries]
    stems = [_stem(arn) for arn in plain]
    return None if None in stems else [stem for stem in stems if stem is not None]


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


_KINDS = ("user", "group")


def holders(roles: RoleIndex, snapshot: IamSnapshot | None = None) -> Iterator[ReaderCandidate]:
    """Yield the users and groups of the plan, then those of a snapshot that the plan has not.

    What a user has by its groups is the groups'. What the plan attaches to one of the snapshot counts too; what the
    snapshot attaches is not certain where the plan takes something away from such.
    """
    for kind in _KINDS:
        attached = list(attachments(roles.attributes, f"aws_iam_{kind}"))
        own = roles.plan.managed(f"aws_iam_{kind}")
        for resource in own:
            yield _holder(roles, resource, *_of(roles, attached, resource, resource))
        if snapshot is None:
            continue
        there: dict[Value, list[IdentityPolicy]] = {}
        for given in attachments(snapshot.derived(AwsAttributes), f"aws_iam_{kind}"):
            there.setdefault(given.holder, []).append(roles.compiled(given))
        names = [roles.attributes.name(resource) for resource in own]
        takes_away = any(
            change.type.startswith(f"aws_iam_{kind}") and "delete" in change.actions for change in roles.plan.changes
        )
        certain = all(isinstance(name, str) for name in names) and not takes_away
        for resource in snapshot.managed(f"aws_iam_{kind}"):
            if resource.stated("name") not in names:
                before = there.get(resource.stated("name"), ())
                kept = (policy if certain else policy.perhaps() for policy in before)
                yield _holder(roles, resource, *kept, *_of(roles, attached, resource, None))


def _of(
    roles: RoleIndex, attached: list[PolicyAttachment], holder: Resource, owner: Resource | None
) -> Iterator[IdentityPolicy]:
    """Yield the policies that are a holder's, or may be; `owner` is the holder where it is of the plan."""
    for given in attached:
        answer = roles.owners.names(given.holder, holder)
        if answer is not Truth.NO:
            policy = (
                roles.kept(given, holder)
                if owner
                else as_far_as_certain(roles.compiled(given), roles.plan, given.source)
            )
            yield policy if answer is Truth.YES else policy.perhaps()


def _holder(roles: RoleIndex, resource: Resource, *policies: IdentityPolicy) -> ReaderCandidate:
    arn = resource.stated("permissions_boundary")
    boundary = (
        (roles.compiled(PolicyAttachment(resource, arn, "permissions_boundary", attached=True)),) if arn else None
    )
    return ReaderCandidate(resource, policies, boundary)


READ = "secretsmanager:GetSecretValue"
SECRET = "aws_secretsmanager_secret"  # noqa: S105 - a type of resource
_ACCOUNT = re.compile(r"^(?:arn:[^:]*:(?:iam|sts)::)?(\d{12})(?::|$)")


class SecretReader(Struct, frozen=True):
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


class SecretReaders:
    """The readers of the secrets of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.attributes = plan, plan.derived(AwsAttributes)
        self.roles = plan.derived(role_index)
        self.owners = plan.derived(arn_index)
        self._snapshot = snapshot_of(plan, plan.account, plan.partition)
        self._indifferent: dict[tuple[str, str], SecretReader | None] = {}

    @property
    def known(self) -> str:
        """Where principals were looked for, for messages."""
        return f"in the plan or in {self._snapshot.origin}" if self._snapshot else "in the plan"

    def of(self, secret: Resource) -> list[SecretReader]:
        """Return who may read a secret: first the plan's principals by address. Raises PolicyError."""
        arn = secret.reference("arn")
        subject = PartialArn.of(arn, self.attributes.narrow)
        shared = self.owners.policies(subject.value, self.plan.account, READ)
        asked = self._holders if shared else self._index.about(subject)
        own = (self._ask(candidate, subject, shared) for candidate in asked)
        readers = [self._as_far_as_certain(reader, secret) for reader in own if reader is not None]
        let_in = {reader.name: reader for reader in self._let_in(shared, subject)}
        return [*readers, *let_in.values()]

    def _as_far_as_certain(self, reader: SecretReader, secret: Resource) -> SecretReader:
        """Leave open whether a principal reads a secret if there may be no such principal."""
        holder = self.plan.by_address.get(reader.name)
        if holder is None or self.plan.is_certain(holder, secret):
            return reader
        return replace(reader, certain=False, reason=f"{reader.reason}; {self.plan.doubt_of(holder)}")

    @cached_property
    def _holders(self) -> list[ReaderCandidate]:
        """Return the principals of the plan, and of a snapshot of its account, in order of addresses."""
        snapshot = self._snapshot
        roles = [self.roles.role(role.reference("arn")) for role in self.plan.managed("aws_iam_role")]
        roles += self.roles.others(snapshot) if snapshot else ()
        candidates = [ReaderCandidate(role.resource, role.policies, role.boundary) for role in roles if role.resource]
        candidates += holders(self.roles, snapshot)
        return sorted(candidates, key=lambda candidate: candidate.resource.address)

    @cached_property
    def _index(self) -> ReaderIndex:
        return ReaderIndex.of(READ, self._holders)

    def _ask(
        self, candidate: ReaderCandidate, subject: PartialArn, shared: list[IdentityPolicy]
    ) -> SecretReader | None:
        """Ask one principal; one that has the same answer for every secret is asked once."""
        if shared or not candidate.is_indifferent(READ):
            return self._decide(candidate, subject, shared)
        key = (candidate.resource.address, render(arn_fields(subject.value).get("account")))
        if key not in self._indifferent:
            reader = self._decide(candidate, subject, shared)
            if reader is not None and not reader.certain:
                reader = replace(reader, reason=_without_secret(candidate))
            self._indifferent[key] = reader
        return self._indifferent[key]

    def _decide(
        self, candidate: ReaderCandidate, subject: PartialArn, shared: list[IdentityPolicy]
    ) -> SecretReader | None:
        resource, arn = candidate.resource, self._arn(candidate.resource)
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
        if decision.allowed is Truth.NO:
            return None
        hit = decision.deciding or next((doubt.hit for doubt in decision.doubts), None)
        names = (resource.address, render(self.attributes.name(resource)), render(arn))
        place = hit.location if hit else None
        return SecretReader(resource.address, names, decision.allowed is Truth.YES, why(decision), place)

    def _let_in(self, shared: list[IdentityPolicy], subject: PartialArn) -> Iterator[SecretReader]:
        """Yield the principals outside of the plan that the secret's own policy lets in, as the policy names them."""
        request = Request(READ, subject, _CONTEXT)
        for policy in shared:
            for clause, covered in policy.about(READ):
                answer = all_of(covered, clause.applies(request), _allows(clause.statement.effect))
                for name, value, outside in self._named(clause.statement) if answer is not Truth.NO else ():
                    principal = None if value is None else Principal.of(value)
                    denied = ResourceLayer.asked(shared, request, principal, bounded=False).denied
                    allowed = all_of(answer, not_(denied), Truth.MAYBE if isinstance(value, Unknown) else Truth.YES)
                    if allowed is not Truth.NO:
                        hit, certain = Hit(policy, clause), allowed is Truth.YES
                        reason = f"{'allowed by' if certain else 'depends on'} {hit}"
                        yield SecretReader(name, (name,), certain, reason, hit.location, outside)

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
        known = resource.address == resource.stated("arn")
        return resource.address if known else self.attributes.narrow(resource.reference("arn"))


def _without_secret(candidate: ReaderCandidate) -> str:
    """Say what an uncertain answer depends on without naming the secret that happened to be asked about."""
    hits = [Hit(policy, clause) for policy in candidate.policies for clause, _ in policy.about(READ)]
    doubts = dict.fromkeys(hit.clause.doubt[0] for hit in hits if hit.clause.doubt)
    return "; ".join([f"it depends on {', '.join(map(str, hits))}", *doubts])


_CONTEXT = Context.of({"aws:SecureTransport": True})


def _allows(effect: Value) -> Truth:
    return Truth.YES if effect == "Allow" else Truth.NO if effect == "Deny" else Truth.MAYBE


def _entries(principal: Value) -> Iterator[tuple[str, Value]]:
    if not isinstance(principal, Mapping):
        yield "AWS", principal
        return
    for kind, entries in principal.items():
        for entry in entries if isinstance(entries, list | tuple) else (entries,):
            yield kind, entry
