"""Who may read a secret: the roles, users and groups that are known, and whom the secret's own policy lets in.

Reading is secretsmanager:GetSecretValue; whether a reader may use the secret's KMS key too is another matter. Who may
assume a role that reads is a reader too. Of principals that are not in the plan nothing is known but what the policy of
the secret says, unless there is a snapshot of the account, as the live suite always has: then its roles, users and
groups are asked too, and to whom of other accounts grants give the key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec.structs import replace

from infraspec.checks.access.access_decisions import request_context
from infraspec.checks.common.policy_owners import PolicyAttachment, attachments
from infraspec.checks.common.resources_by_arn import arn_index
from infraspec.checks.common.roles import RoleIndex, role_index
from infraspec.checks.common.roles_in_snapshots import as_far_as_certain
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.checks.policies.assumers import RoleAssumers
from infraspec.checks.policies.let_in import CONTEXT, LetIn, SecretReader, account_in
from infraspec.checks.policies.reader_index import READ, AskedSecret, ReaderCandidate, ReaderIndex
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, render
from infraspec.iam.evaluation.decision import decide, why
from infraspec.iam.policy.context import Context, Request
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.statements import Hit, IdentityPolicy
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import IamSnapshot, Plan, Resource, snapshot_of

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
    return _candidate(roles.attributes, resource, policies, boundary)


def _candidate(
    attributes: AwsAttributes,
    resource: Resource,
    policies: tuple[IdentityPolicy, ...],
    boundary: tuple[IdentityPolicy, ...] | None,
) -> ReaderCandidate:
    """Make a candidate with its ARN: a principal of a snapshot has it for an address."""
    has_arn = resource.address == resource.stated("arn")
    arn = resource.address if has_arn else attributes.narrow(resource.reference("arn"))
    return ReaderCandidate(resource, arn, policies, boundary)


SECRET = "aws_secretsmanager_secret"  # noqa: S105 - a type of resource
GRANT, DECRYPT = "aws_kms_grant", "kms:Decrypt"


class SecretReaders:
    """The readers of the secrets of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.attributes = plan, plan.derived(AwsAttributes)
        self.roles = plan.derived(role_index)
        self.owners = plan.derived(arn_index)
        self._snapshot = snapshot_of(plan, plan.account, plan.partition)
        self._answers: dict[tuple[str, tuple[Value, Value], tuple[Truth, ...], object], SecretReader | None] = {}
        self._contexts: dict[tuple[Value, Value, Value], Context] = {}

    @property
    def known(self) -> str:
        """Where principals were looked for, for messages."""
        return f"in the plan or in {self._snapshot.origin}" if self._snapshot else "in the plan"

    def of(self, secret: Resource) -> list[SecretReader]:
        """Return who may read a secret: first the plan's principals by address. Raises PolicyError."""
        arn = secret.reference("arn")
        subject = PartialArn.of(arn, self.attributes.narrow)
        shared = self.owners.policies(subject.value, self.plan.account, READ)
        asked = AskedSecret.of(subject, shared)
        own = (self._ask(candidate, asked) for candidate in self._index.about(subject, shared))
        readers = [self._as_far_as_certain(reader, secret) for reader in own if reader is not None]
        let_in = {reader.name: reader for reader in self._let_in.of(shared, READ, subject)}
        direct = [*readers, *let_in.values()]
        return [*direct, *self._assumers.beside(direct), *self._granted(secret)]

    def _granted(self, secret: Resource) -> Iterator[SecretReader]:
        """Yield to whom of other accounts grants give the key of a secret.

        One whose constraints ask for the encryption context of something else is not certain. Sources: AWS KMS
        Developer Guide, "Grants in AWS KMS"; AWS Secrets Manager User Guide, "Secret encryption and decryption" (the
        context has the ARN of the secret as SecretARN).
        """
        key = secret.stated("kms_key_id")
        for grant in self._snapshot.managed(GRANT) if self._snapshot and isinstance(key, str) else ():
            names, grantee = grant.stated("key_names"), grant.stated("grantee_principal")
            if not isinstance(names, list) or key not in names:
                continue
            if isinstance(grantee, Unknown):
                who, remedy = f"whoever has a grant of {key}", how_to_know(grantee)
                reader = SecretReader(who, (who,), certain=False, reason=f"{grantee.address} is unknown")
                yield replace(reader, action=DECRYPT, outside=True, remedy=remedy)
            elif account_in(render(grantee)) not in {"", self.plan.account}:
                context = grant.stated("context")
                limited = (
                    context.get("SecretARN", "") if isinstance(context, Mapping) and context else secret.stated("arn")
                )
                who, reason = render(grantee), f"the grant {grant.name} allows it, and the secret is under that key"
                if limited != secret.stated("arn"):
                    reason += ", if the request has the encryption context that the grant requires"
                remedy = f"aws kms revoke-grant --key-id {key} --grant-id {grant.name}"
                reader = SecretReader(who, (who,), certain=limited == secret.stated("arn"), reason=reason)
                yield replace(
                    reader,
                    action=DECRYPT,
                    outside=True,
                    remedy=f"name it under [policies.secret_readers], or\n{remedy}",
                )

    def _as_far_as_certain(self, reader: SecretReader, secret: Resource) -> SecretReader:
        """Leave open whether a principal reads a secret if there may be no such principal."""
        holder = self.plan.by_address.get(reader.name)
        if holder is None or self.plan.is_certain(holder, secret):
            return reader
        return replace(reader, certain=False, reason=f"{reader.reason}; {self.plan.doubt_of(holder)}")

    @cached_property
    def _index(self) -> ReaderIndex:
        """The principals of the plan, and of a snapshot of its account."""
        snapshot = self._snapshot
        roles = [self.roles.role(role.reference("arn")) for role in self.plan.managed("aws_iam_role")]
        roles += self.roles.others(snapshot) if snapshot else ()
        known = ((role.resource, role.policies, role.boundary) for role in roles if role.resource)
        candidates = [_candidate(self.attributes, *one) for one in known]
        return ReaderIndex([*candidates, *holders(self.roles, snapshot)])

    def _ask(self, candidate: ReaderCandidate, secret: AskedSecret) -> SecretReader | None:
        """Ask one principal; what decides alike about several secrets is asked once.

        The context of a request is the same for all secrets of a region and account, so it depends on which statements
        are about the secret. An answer that rests on the secret's own policy, or is not certain, is told of the secret.
        """
        context = self._context(candidate, secret)
        request = Request(READ, secret.subject, context)
        covered = tuple([clause.covers_resource(request) for clause in candidate.all_clauses])
        key = (candidate.resource.address, secret.place, covered, secret.says)
        if secret.says is not None and key in self._answers:
            return self._answers[key]
        reader, is_own = self._decide(candidate, secret, context)
        if reader is not None and not reader.certain and candidate.is_indifferent and not secret.shared:
            reader, is_own = replace(reader, reason=_without_secret(candidate)), True
        if is_own:
            self._answers[key] = reader
        return reader

    def _decide(
        self, candidate: ReaderCandidate, secret: AskedSecret, context: Context
    ) -> tuple[SecretReader | None, bool]:
        """Decide about one principal, and tell whether the answer is certain by what it has of its own."""
        resource = candidate.resource
        decision = decide(
            candidate.policies,
            READ,
            secret.subject,
            boundary=candidate.boundary,
            resource_policies=secret.shared,
            principal=candidate.principal,
            context=context,
        )
        if decision.allowed is Truth.NO:
            return None, True
        deciding, certain = decision.deciding, decision.allowed is Truth.YES
        hit = deciding or next((doubt.hit for doubt in decision.doubts), None)
        names = (resource.address, render(self.attributes.name(resource)), render(candidate.arn))
        reader = SecretReader(resource.address, names, certain, why(decision), hit.location if hit else None)
        return reader, certain and deciding is not None and deciding.policy in candidate.policies

    def _context(self, candidate: ReaderCandidate, secret: AskedSecret) -> Context:
        """Return what is known of a request, which is the same for all secrets of a region and account."""
        if candidate.principal is None:
            return CONTEXT
        key = (candidate.arn, *secret.place)
        if key not in self._contexts:
            self._contexts[key] = request_context(candidate.arn, secret.subject.value)
        return self._contexts[key]

    @cached_property
    def _let_in(self) -> LetIn:
        return LetIn(self.attributes, frozenset(render(holder.arn) for holder in self._index.candidates))

    @cached_property
    def _assumers(self) -> RoleAssumers:
        return RoleAssumers(self.attributes, self._index.candidates)


def _without_secret(candidate: ReaderCandidate) -> str:
    """Say what an uncertain answer depends on without naming the secret that happened to be asked about."""
    hits = [Hit(policy, clause) for policy in candidate.policies for clause, _ in policy.about(READ)]
    doubts = dict.fromkeys(hit.clause.doubt[0] for hit in hits if hit.clause.doubt)
    return "; ".join([f"it depends on {', '.join(map(str, hits))}", *doubts])
