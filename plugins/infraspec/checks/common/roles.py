"""The roles of a plan with the policies that each of them has.

Every policy that is attached in Terraform counts: inline ones, customer managed and AWS managed ones. What is not in
the plan is not taken for absent: a role from elsewhere is as a snapshot of its account has it, with what the plan
attaches to it, and else has an opaque policy; so has a policy ARN from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.common.documents import held_policy
from infraspec.checks.common.policy_owners import PolicyAttachment, PolicyOwners, attachments
from infraspec.checks.common.roles_in_snapshots import (
    INLINE,
    RoleLookup,
    RolesInSnapshots,
    as_far_as_certain,
    name_in,
)
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.contract.models import partition_of
from infraspec.core.arn import Arn
from infraspec.core.errors import TerraformError
from infraspec.core.finding import Location, Related, Verdict
from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import (
    AbsentModule,
    MissingVariable,
    OtherStack,
    PolicyContent,
    RolePolicies,
    Text,
    Unknown,
    Value,
    computed_from,
    render,
    sources,
    unknowns,
)
from infraspec.iam.lint.refusals import least_size
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields
from infraspec.iam.policy.pattern import Pattern
from infraspec.iam.policy.statements import IdentityPolicy, managed_policy
from infraspec.resource_types import resource_type
from infraspec.resource_types.managed_policies import arn_of, of_aws
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import IamSnapshot, Plan, Resource

_MOST_ATTACHED = 10
_INLINE = next(limit for held in resource_type(INLINE).policies if (limit := held.limit) is not None)


_ARNS = ("arn", "id")
"""The attributes of a policy that are its ARN."""


class GrantedPolicies:
    """The policies of one plan, each document compiled once."""

    def __init__(self, attributes: AwsAttributes, elsewhere: RolesInSnapshots) -> None:
        self.attributes, self.elsewhere = attributes, elsewhere
        self._compiled: dict[tuple[str, str], IdentityPolicy] = {}

    def of(self, grant: PolicyAttachment) -> IdentityPolicy:
        """Return the policy of a grant, as far as it is certain. Raises PolicyError."""
        policy = self.managed(grant) if grant.attached else self._document(grant.source, grant.attribute, grant.value)
        return policy.perhaps() if grant.perhaps else policy

    def managed(self, grant: PolicyAttachment) -> IdentityPolicy:
        """Return the policy an ARN names: in the plan, in a snapshot, AWS's own, or opaque; none if there is none."""
        plan = self.attributes.plan
        found = plan.find(grant.value) if type(grant.value) is Unknown else None
        arn = self.attributes.narrow(grant.value)
        shown, referred = render(arn), found[0] if found and found[0].type == "aws_iam_policy" else None
        if (found and referred and found[1] not in _ARNS) or (isinstance(arn, str) and not Arn.is_arn(arn)):
            meant = f"{referred.address}.arn" if referred else None
            return IdentityPolicy.nothing(shown, f"{shown} is no ARN, by which a policy is attached", meant)
        of_plan = referred is not None and referred.mode == "managed"
        wrong = self._misnamed(arn, grant.source) if isinstance(arn, str) and not of_plan else None
        if wrong is not None:
            return wrong
        named = None if of_plan else self.elsewhere.policies.named(arn)
        if named is not None and named.answer is Truth.YES:
            return self._policy_resource(named.resource, grant)
        if referred is not None:
            return self._policy_resource(referred, grant)
        exported = self.elsewhere.policy(arn)
        if exported is not None:
            return self._document(exported, "policy", exported.stated("policy"))
        read = self._read(arn) if isinstance(arn, str) else None
        if read is not None:
            return self._policy_resource(read, grant)
        if isinstance(arn, str) and of_aws(arn):
            return managed_policy(arn)
        policy = shown.strip("${}")
        cause = computed_from(arn) if _can_be_named(arn) else PolicyContent(policy)
        return IdentityPolicy.opaque(shown, Unknown(f"the content of {policy}", cause))

    def _misnamed(self, arn: str, source: Resource) -> IdentityPolicy | None:
        """Say of the ARN of a policy that nothing can have it where it is attached.

        One is attached in its own account, and AWS's in their partition. Source: IAM User Guide, "IAM identifiers".
        """
        plan, parsed = self.attributes.plan, Arn.parse(arn) if Arn.is_arn(arn) else None
        if parsed is None or source.address not in plan.by_address:
            return None
        own, region = self.attributes.account_of(source), self.attributes.region_of(source)
        partition = plan.partition if region == plan.region else partition_of(str(region))
        if isinstance(region, str) and isinstance(partition, str) and parsed.partition != partition:
            of_partition = arn_of(parsed.resource.rpartition("/")[2], partition) if parsed.account == "aws" else None
            meant = of_partition or arn.replace(parsed.partition, partition, 1)
            return IdentityPolicy.nothing(arn, f"{arn} is not of the partition {partition}", meant)
        if isinstance(own, str) and parsed.account not in (own, "aws"):
            meant = arn.replace(parsed.account, own, 1)
            return IdentityPolicy.nothing(arn, f"{arn} is not of the account {own}", meant)
        named = self.elsewhere.policies.named(arn)
        if named is None or named.answer is not Truth.NO or parsed.account != own:
            return None
        there = render(self.elsewhere.policies.arn(named.resource))
        return IdentityPolicy.nothing(arn, f"{arn} is no policy: {named.resource.address} is {there}", there)

    def _policy_resource(self, resource: Resource, grant: PolicyAttachment) -> IdentityPolicy:
        policy = resource.attribute("policy")
        if resource.mode != "data" or policy != resource.reference("policy"):
            return self._document(resource, "policy", policy)
        exported = self.elsewhere.policy_of(resource)
        if exported is not None:
            return self._document(exported, "policy", exported.stated("policy"))
        arn = self.attributes.narrow(resource.reference("arn"))
        if isinstance(arn, str) and of_aws(arn):
            return managed_policy(arn)
        return IdentityPolicy.opaque(grant.source.address, policy)

    def _read(self, arn: str) -> Resource | None:
        """Return the data source that reads a policy, by its ARN, or by its name in the account."""
        account, name = arn.split(":")[4], arn.rpartition("/")[2]
        for one in self.attributes.plan.data("aws_iam_policy"):
            if one.stated("arn") == arn or (one.stated("name"), self.attributes.account_of(one)) == (name, account):
                return one
        return None

    def _document(self, resource: Resource, attribute: str, value: Value) -> IdentityPolicy:
        key = (resource.address, attribute)
        if key not in self._compiled:
            self._compiled[key] = held_policy(self.attributes, resource, attribute, value)
        return self._compiled[key]


def of_other_account(arn: str, plan: Plan) -> bool:
    """Tell whether an ARN is of an account that is not the plan's, both being known."""
    account, own = arn.split(":")[4:5], plan.account
    return bool(account) and account[0].isdigit() and isinstance(own, str) and account[0] != own


_IDENTIFIERS = frozenset({"arn", "id", "name"})


class Role(Struct, frozen=True, eq=False):
    """A role with its policies. `address` is its Terraform address, or its ARN or name where it is not in the plan.

    `snapshot` is where one that is not in the plan comes from; without it, `unknown` stands for its policies and
    `remedy` says how to know them.
    """

    address: str
    arn: Value
    policies: tuple[IdentityPolicy, ...]
    boundary: tuple[IdentityPolicy, ...] | None = None
    resource: Resource | None = None
    snapshot: IamSnapshot | None = None
    unknown: Unknown | None = None
    remedy: str = ""

    @property
    def location(self) -> Location | None:
        """Where the role is declared."""
        return self.resource.location if self.resource else None

    @property
    def related(self) -> Related:
        """The role as a place that takes part in a finding, with its name in AWS where that is known."""
        name = self.resource.stated("name") if self.resource else None
        return Related("role", self.address, self.location, name if isinstance(name, str) else "")


def role_index(plan: Plan) -> RoleIndex:
    """Return the roles of a plan, to be asked for by `plan.derived`."""
    return RoleIndex(plan.derived(AwsAttributes))


class RoleIndex:
    """All roles of a plan. It is built once in time linear in the plan; policies are compiled when first asked for."""

    def __init__(self, attributes: AwsAttributes) -> None:
        self.attributes, self.plan = attributes, attributes.plan
        self.owners = PolicyOwners(attributes)
        self.elsewhere = RolesInSnapshots(attributes, self.owners)
        self._policies = GrantedPolicies(attributes, self.elsewhere)
        self._roles: dict[tuple[Value, Value], Role] = {}
        self._misplaced: dict[str, list[Resource]] = {}

    def role(self, value: Value, account: Value = None) -> Role:
        """Return the role that an `execution_role_arn` or `task_role_arn` names. Raises PolicyError.

        `account` is the one that a bare name is of, by default that of the plan.
        """
        key = (value, account)
        if key not in self._roles:
            resource = self._resource(value)
            self._roles[key] = self._elsewhere(value, account) if resource is None else self._in_plan(resource)
        return self._roles[key]

    def sought(self, value: Value, account: Value = None) -> RoleLookup:
        """Return what is known of a role itself: from the plan, from a data source that has read it, or a snapshot."""
        found = self.plan.find(value) if type(value) is Unknown else None
        here = self._resource(value) or (found[0] if found and found[0].type == "aws_iam_role" else None)
        if here is not None and (here.mode == "managed" or isinstance(here.stated("assume_role_policy"), str | Text)):
            return RoleLookup(here)
        answer = self.elsewhere.role(value, account)
        if answer.resource or answer.settled:
            return answer
        remedy = how_to_know(value) if _can_be_named(value) and here is None else answer.remedy
        return answer._replace(resource=here, remedy=remedy)

    def by_arn(self, value: Value) -> RoleLookup | None:
        """Return that a value names a role by less than its ARN, which Terraform asks for.

        Source: Terraform AWS provider, "Resource: aws_ecs_task_definition" (execution_role_arn and task_role_arn).
        """
        narrowed = self.attributes.narrow(value)
        if not isinstance(narrowed, str | Text) or render(narrowed).startswith(("arn:", "${")):
            return None
        found = self._resource(value)
        return RoleLookup(
            why=f"{render(narrowed)} is no ARN",
            remedy=f"name {found.address}.arn" if found else "name the ARN of the role",
            settled=Verdict.VIOLATED,
            reason="Terraform refuses a task definition that does not name its role by an ARN",
            arn=found.reference("arn") if found else None,
        )

    def compiled(self, given: PolicyAttachment) -> IdentityPolicy:
        """Return a policy that is given to somebody. Raises PolicyError."""
        return self._policies.of(given)

    @cached_property
    def _grants(self) -> tuple[dict[str, list[PolicyAttachment]], list[tuple[Value, PolicyAttachment]]]:
        """Return what is attached by role address, and what is attached to a role not in the plan or not known."""
        certain: dict[str, list[PolicyAttachment]] = {}
        loose: list[tuple[Value, PolicyAttachment]] = []
        for grant in attachments(self.attributes, "aws_iam_role"):
            resource = self._resource(grant.holder, grant.source)
            if render(self.attributes.narrow(grant.holder)).startswith("arn:") and resource is not None:
                self._misplaced.setdefault(resource.address, []).append(grant.source)
            elif resource is None:
                loose.append((self.attributes.narrow(grant.holder), grant))
            else:
                certain.setdefault(resource.address, []).append(grant)
        return certain, loose

    @cached_property
    def _anyones(self) -> tuple[IdentityPolicy, ...]:
        """Return what is attached to a role of which nothing is known: every role may have it.

        A plan file without its source has many of these; those of unknown content are taken as one.
        """
        hidden: list[PolicyAttachment] = []
        policies: list[IdentityPolicy] = []
        for grant in (grant for reference, grant in self._grants[1] if isinstance(reference, Unknown)):
            if not grant.attached and isinstance(grant.value, Unknown):
                hidden.append(grant)
            else:
                policies.append(self._policies.of(grant).perhaps())
        if hidden:
            name = f"{hidden[0].source.address} and {len(hidden) - 1} more" if hidden[1:] else hidden[0].source.address
            policies.append(IdentityPolicy.opaque(name, hidden[0].value).perhaps())
        return tuple(policies)

    @cached_property
    def _named_loosely(self) -> list[tuple[Pattern, PolicyAttachment]]:
        """Return what is attached to a role that is not in the plan, of which something is known."""
        named = ((reference, grant) for reference, grant in self._grants[1] if not isinstance(reference, Unknown))
        return [(Pattern.arn(reference), grant) for reference, grant in named]

    def _resource(self, value: Value, beside: Resource | None = None) -> Resource | None:
        """Return the role of the plan that a name, an ARN or an attribute refers to; by attribute it has to be there.

        By name it may be another one, from elsewhere, unless the plan's is certain, or is whenever `beside` is there.
        """
        if type(value) is Unknown:
            found = self.plan.find(value)
            if found and (found[0].mode, found[0].type) == ("managed", "aws_iam_role"):
                return found[0] if found[1] in _IDENTIFIERS else None
        named = self.elsewhere.roles.named(value, beside)
        return named.resource if named is not None and named.answer is Truth.YES else None

    def _in_plan(self, resource: Resource) -> Role:
        own = [*self._own(resource), *self._grants[0].get(resource.address, [])]
        policies = list(self._within_quotas(resource, own))
        policies += (_named_by_arn(source, resource) for source in self._misplaced.get(resource.address, ()))
        name = PartialArn.of(self.attributes.name(resource))
        policies += self._anyones
        loose = (grant for reference, grant in self._named_loosely if match(reference, name) is not Truth.NO)
        policies += (self._policies.of(grant).perhaps() for grant in loose)
        policies += self._of_absent_modules(resource)
        arn = resource.reference("arn")
        return Role(resource.address, arn, tuple(policies), self._boundary(resource), resource)

    def _of_absent_modules(self, role: Resource) -> Iterator[IdentityPolicy]:
        """Yield what a module may allow a role that is given the role, and whose source is not here."""
        name = self.attributes.name(role)
        for module, given in self._given.items():
            if role.address in given or (isinstance(name, str) and name in given):
                unknown = Unknown(f"what {module} attaches to {role.address}", AbsentModule(module))
                yield IdentityPolicy.opaque(module, unknown, effect="Allow").perhaps()

    @cached_property
    def _given(self) -> Mapping[str, AbstractSet[str]]:
        """Return the roles that modules are given whose source is not here, by address or name."""
        found: dict[str, set[str]] = {}
        for module, inputs in self.plan.unseen_inputs.items():
            for value in inputs:
                with suppress(TerraformError):
                    given = value()
                    found.setdefault(module, set()).update(texts_in(given))
                    for unknown in unknowns(given):
                        role = self._resource(Unknown(unknown.address))
                        found[module].add(role.address if role else unknown.address)
        return found

    def _within_quotas(self, role: Resource, grants: Sequence[PolicyAttachment]) -> Iterator[IdentityPolicy]:
        """Yield the policies of a role; of more than AWS takes it is not certain which it refuses.

        Source: IAM User Guide, "IAM and AWS STS quotas": ten managed policies, unless the quota was raised, and 10,240
        characters in inline policies.
        """
        attached = {self.attributes.narrow(grant.value) for grant in grants if grant.attached}
        inline = [grant.value for grant in grants if not grant.attached]
        size = sum(least_size(value, _INLINE, self.attributes.narrow) for value in inline)
        for grant in grants:
            policy, over = self.kept(grant, role), ""
            if grant.attached and len(attached) > _MOST_ATTACHED:
                over = f"{role.address} has {len(attached)} managed policies, and AWS attaches {_MOST_ATTACHED}"
            elif not grant.attached and size > _INLINE.most:
                over = f"the inline policies of {role.address} have {size:,} characters; AWS accepts {_INLINE.most:,}"
            yield policy.perhaps((over, None)) if over else policy

    def kept(self, grant: PolicyAttachment, role: Resource) -> IdentityPolicy:
        """Return a policy that a role, user or group of the plan is given, as far as it is certain that it keeps it."""
        policy = as_far_as_certain(self._policies.of(grant), self.plan, grant.source, role)
        doubt = self.owners.doubt(grant, role)
        return policy.perhaps(doubt) if doubt else policy

    def _own(self, resource: Resource) -> Iterator[PolicyAttachment]:
        """Yield what the role's own arguments attach.

        A plan repeats in them what other resources attach, as it was before; what is deleted may still be there.
        """
        stale, separate = self._is_stale, self._grants[0].get(resource.address, [])
        names = {render(grant.source.stated("name")) for grant in separate if not grant.attached}
        for index, block in enumerate(_configured(resource.stated("inline_policy"), resource)):
            name = render(block.get("name")) if isinstance(block, dict) else ""
            policy = block.get("policy") if isinstance(block, dict) else block
            if policy and name not in names:
                yield PolicyAttachment(resource, policy, f"inline_policy.{index}.policy", perhaps=stale, name=name)
        for index, arn in enumerate(_configured(resource.stated("managed_policy_arns"), resource)):
            yield PolicyAttachment(resource, arn, f"managed_policy_arns.{index}", attached=True, perhaps=stale)

    @cached_property
    def _is_stale(self) -> bool:
        """Tell whether the plan deletes something of IAM."""
        return any("delete" in change.actions and ".aws_iam_" in f".{change.address}" for change in self.plan.changes)

    def _boundary(self, resource: Resource) -> tuple[IdentityPolicy, ...] | None:
        boundary = resource.stated("permissions_boundary")
        if not boundary:
            return None
        return (self._policies.managed(PolicyAttachment(resource, boundary, "permissions_boundary", attached=True)),)

    def _elsewhere(self, value: Value, account: Value) -> Role:
        """Make a role that is not in the plan: what a snapshot has or may be elsewhere, and what is attached here."""
        sought = self.elsewhere.role(value, account)
        if sought.resource is not None and sought.snapshot is not None:
            return self._of_snapshot(sought.resource, sought.snapshot)
        narrowed = self.attributes.narrow(value)
        shown = render(narrowed)
        found = self.plan.find(value) if type(value) is Unknown else None
        name = self.attributes.name(found[0]) if found else name_in(narrowed)
        role = shown.strip("${}")
        cause = computed_from(narrowed) if _can_be_named(narrowed) else RolePolicies(role)
        unknown = Unknown(f"what policies the role {role} has", cause)
        account_of_arn = arn_fields(narrowed).get("account")
        here = self._attached_here(name, account_of_arn if isinstance(account_of_arn, str) else None)
        policies = (IdentityPolicy.opaque(shown, unknown), *here)
        remedy = how_to_know(unknown) if _can_be_named(narrowed) else sought.remedy
        return Role(shown, value, policies, unknown=unknown, remedy=remedy)

    def others(self, snapshot: IamSnapshot) -> Iterator[Role]:
        """Yield the roles of a snapshot that the plan neither has nor deletes; what may be its own is not certain.

        What exists is told from the rest by its ARN: nothing of it is still to be made.
        """
        for resource in snapshot.managed("aws_iam_role"):
            gone = self.elsewhere.deleted(resource.type, resource.stated("name"), str(snapshot.account))
            if not gone and self._resource(resource.stated("arn")) is None:
                role = self._of_snapshot(resource, snapshot)
                sure = self.plan.source is not None or self.elsewhere.role(role.arn).resource is not None
                yield role if sure else replace(role, policies=tuple(one.perhaps() for one in role.policies))

    def _of_snapshot(self, role: Resource, snapshot: IamSnapshot) -> Role:
        own = [*self._in_snapshot(role, snapshot), *self._attached_here(role.stated("name"), snapshot.account)]
        return Role(role.address, role.stated("arn"), tuple(own), self._boundary(role), role, snapshot)

    def _in_snapshot(self, role: Resource, snapshot: IamSnapshot) -> Iterator[IdentityPolicy]:
        """Yield what a snapshot has in a role or attached to it, so far as the plan leaves it there."""
        for attached in snapshot.attached.get(render(role.stated("name")), ()):
            is_inline = attached.type == INLINE
            attribute, name = "policy" if is_inline else "policy_arn", attached.stated("name")
            value = attached.stated(attribute)
            grant = PolicyAttachment(attached, value, attribute, attached=not is_inline, name=name)
            kept = self.elsewhere.kept(grant, role, snapshot)
            if kept is not Truth.NO:
                yield self._policies.of(replace(grant, perhaps=kept is Truth.MAYBE))

    def _attached_here(self, name: Value, account: Value) -> Iterator[IdentityPolicy]:
        """Yield what the plan attaches to a role that it has not, of a name in an account; None if that is unknown."""
        yield from self._anyones
        for reference, grant in self._named_loosely:
            answer = match(reference, PartialArn.of(name))
            if account is not None:
                answer = all_of(answer, self.elsewhere.account(grant.source, account))
            if answer is not Truth.NO:
                policy = as_far_as_certain(self._policies.of(grant), self.plan, grant.source)
                yield policy if answer is Truth.YES else policy.perhaps()


def _named_by_arn(source: Resource, role: Resource) -> IdentityPolicy:
    """Say of an attachment that IAM refuses it. Source: IAM API Reference, AttachRolePolicy (RoleName is a name)."""
    why = f"{source.address} names its role by an ARN, which IAM does not take for a name"
    return IdentityPolicy.nothing(source.address, why, f"{role.address}.name")


def _can_be_named(arn: Value) -> bool:
    """Tell whether nothing is known of an ARN for a reason that can be removed: until then no snapshot answers it."""
    causes = [each.cause for each in sources(arn)] if type(arn) is Unknown else []
    return any(isinstance(cause, MissingVariable | OtherStack) for cause in causes)


def _configured(value: Value, resource: Resource) -> list[Value]:
    """Return the entries of an argument; one that is unknown because Terraform computes it is not configured."""
    if isinstance(value, Unknown):
        return [] if value.address.startswith(f"{resource.address}.") else [value]
    return list(value) if isinstance(value, list | tuple) else []


def texts_in(value: Value) -> Iterator[str]:
    """Yield the texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(item)
