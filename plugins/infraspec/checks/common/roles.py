"""The roles of a plan with the policies that each of them has.

Every policy that is attached in Terraform counts: inline ones, customer managed and AWS managed ones. What is not in
the plan is not taken for absent: a role from elsewhere is as a snapshot of its account has it, with what the plan
attaches to it, and else has an opaque policy; so has a policy ARN from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.common.roles_in_snapshots import (
    INLINE,
    PolicyAttachment,
    RoleLookup,
    RolesInSnapshots,
    as_far_as_certain,
    attached_to_roles,
    with_managed,
)
from infraspec.core.finding import Location
from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import PolicyContent, RolePolicies, Text, Unknown, Value, render
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields
from infraspec.iam.policy.pattern import Pattern
from infraspec.iam.policy.statements import IdentityPolicy, is_managed, managed_policy, managed_policy_named
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import IamSnapshot, Plan, Resource

_POLICY_ARN = re.compile(r"^arn:.*:policy/(?:.*/)?(?P<name>[^/]+)$", re.DOTALL)


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
        """Return the policy an ARN names: in the plan, in a snapshot, AWS's own, or opaque."""
        plan = self.attributes.plan
        found = plan.find(grant.value) if type(grant.value) is Unknown else None
        if found is not None and found[0].type == "aws_iam_policy":
            return self._policy_resource(found[0], grant)
        arn = self.attributes.narrow(grant.value)
        shown, of_aws = render(arn), isinstance(arn, str) and is_managed(arn)
        named = None if of_aws or of_other_account(shown, plan) else _POLICY_ARN.match(shown)
        declared = self._policies_by_name.get(named["name"]) if named else None
        if declared is not None:
            return self._policy_resource(declared, grant)
        exported = self.elsewhere.policy(arn)
        if exported is not None:
            return self._document(exported, "policy", exported.stated("policy"))
        if of_aws:
            return managed_policy(shown)
        policy = shown.strip("${}")
        return IdentityPolicy.opaque(shown, Unknown(f"the content of {policy}", PolicyContent(policy)))

    def _policy_resource(self, resource: Resource, grant: PolicyAttachment) -> IdentityPolicy:
        policy = resource.attribute("policy")
        if resource.mode != "data" or policy != resource.reference("policy"):
            return self._document(resource, "policy", policy)
        exported = self.elsewhere.policy_of(resource)
        if exported is not None:
            return self._document(exported, "policy", exported.stated("policy"))
        name, arn = resource.stated("name"), resource.stated("arn")
        known = managed_policy_named(name) if isinstance(name, str) else None
        if known is None and isinstance(arn, str) and is_managed(arn):
            known = managed_policy(arn)
        return known or IdentityPolicy.opaque(grant.source.address, policy)

    @cached_property
    def _policies_by_name(self) -> dict[str, Resource]:
        """Return the customer managed policies by name, where one alone has it; those that data sources read last."""
        names: dict[str, list[Resource]] = {}
        for resource in self.attributes.plan.managed("aws_iam_policy"):
            name = self.attributes.name(resource)
            if isinstance(name, str) and self.attributes.plan.is_certain(resource):
                names.setdefault(name, []).append(resource)
        found = {name: resources[0] for name, resources in names.items() if len(resources) == 1}
        for resource in self.attributes.plan.data("aws_iam_policy"):
            arn = _POLICY_ARN.match(render(resource.stated("arn", "")))
            name = arn["name"] if arn else resource.stated("name")
            if isinstance(name, str) and name not in names:
                found.setdefault(name, resource)
        return found

    def _document(self, resource: Resource, attribute: str, value: Value) -> IdentityPolicy:
        key = (resource.address, attribute)
        if key not in self._compiled:
            location, place = resource.location_of(attribute), f"{resource.address}.{attribute}"
            document = PolicyDocument.from_value(
                with_managed(self.attributes.plan, value), place=f"{location}: {place}" if location else place
            )
            self._compiled[key] = IdentityPolicy.of(
                resource.address,
                document,
                resolve=self.attributes.narrow,
                locate=lambda path: resource.location_of(f"{attribute}.{path}"),
            )
        return self._compiled[key]


def of_other_account(arn: str, plan: Plan) -> bool:
    """Tell whether an ARN is of an account that is not the plan's, both being known."""
    account, own = arn.split(":")[4:5], plan.account
    return bool(account) and account[0].isdigit() and isinstance(own, str) and account[0] != own


_ROLE_ARN = re.compile(r"^arn:.*:role/(?:.*/)?(?P<name>[^/]+)$", re.DOTALL)


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


class RoleIndex:
    """All roles of a plan. It is built once in time linear in the plan; policies are compiled when first asked for."""

    def __init__(self, attributes: AwsAttributes) -> None:
        self.attributes, self.plan = attributes, attributes.plan
        self.elsewhere = RolesInSnapshots(attributes)
        self._policies = GrantedPolicies(attributes, self.elsewhere)
        self._roles: dict[tuple[Value, Value], Role] = {}

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
        here = found[0] if found and found[0].type == "aws_iam_role" else self._resource(value)
        if here is not None and (here.mode == "managed" or isinstance(here.stated("assume_role_policy"), str | Text)):
            return RoleLookup(here)
        answer = self.elsewhere.role(value, account)
        return answer if answer.resource or answer.settled else answer._replace(resource=here)

    def policy(self, source: Resource, attribute: str, value: Value, *, attached: bool = False) -> IdentityPolicy:
        """Return the policy that an attribute holds, or with `attached` names by its ARN. Raises PolicyError."""
        return self._policies.of(PolicyAttachment(source, value, attribute, attached))

    @cached_property
    def _by_name(self) -> dict[Value, list[Resource]]:
        names: dict[Value, list[Resource]] = {}
        for resource in self.plan.managed("aws_iam_role"):
            names.setdefault(self.attributes.name(resource), []).append(resource)
        return names

    @cached_property
    def _grants(self) -> tuple[dict[str, list[PolicyAttachment]], list[tuple[Value, PolicyAttachment]]]:
        """Return what is attached by role address, and what is attached to a role not in the plan or not known."""
        certain: dict[str, list[PolicyAttachment]] = {}
        loose: list[tuple[Value, PolicyAttachment]] = []
        for reference, grant in attached_to_roles(self.plan):
            resource = self._resource(reference, grant.source)
            if resource is None:
                loose.append((self.attributes.narrow(reference), grant))
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
                return found[0]
        narrowed = self.attributes.narrow(value)
        if not isinstance(narrowed, str | Text):
            return None
        arn = _ROLE_ARN.match(render(narrowed))
        if arn and of_other_account(render(narrowed), self.plan):
            return None
        named = self._by_name.get(arn["name"] if arn else narrowed, [])
        return named[0] if len(named) == 1 and self.plan.is_certain(named[0], beside) else None

    def _in_plan(self, resource: Resource) -> Role:
        own = [*self._own(resource), *self._grants[0].get(resource.address, [])]
        policies = [as_far_as_certain(self._policies.of(grant), self.plan, grant.source, resource) for grant in own]
        name = PartialArn.of(self.attributes.name(resource))
        policies += self._anyones
        loose = (grant for reference, grant in self._named_loosely if match(reference, name) is not Truth.NO)
        policies += (self._policies.of(grant).perhaps() for grant in loose)
        arn = resource.reference("arn")
        return Role(resource.address, arn, tuple(policies), self._boundary(resource), resource)

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
                yield PolicyAttachment(resource, policy, f"inline_policy.{index}.policy", perhaps=stale)
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
        arn = _ROLE_ARN.match(shown)
        name = self.attributes.name(found[0]) if found else arn["name"] if arn else narrowed
        role = shown.strip("${}")
        unknown = Unknown(f"what policies the role {role} has", RolePolicies(role))
        account_of_arn = arn_fields(narrowed).get("account")
        here = self._attached_here(name, account_of_arn if isinstance(account_of_arn, str) else None)
        policies = (IdentityPolicy.opaque(shown, unknown), *here)
        return Role(shown, value, policies, unknown=unknown, remedy=sought.remedy)

    def others(self, snapshot: IamSnapshot) -> Iterator[Role]:
        """Yield the roles of a snapshot that the plan neither has nor deletes; what may be its own is not certain."""
        for resource in snapshot.managed("aws_iam_role"):
            gone = self.elsewhere.deleted(resource.type, resource.stated("name"), str(snapshot.account))
            if not gone and self._resource(resource.stated("arn")) is None:
                role = self._of_snapshot(resource, snapshot)
                sure = self.elsewhere.role(role.arn).resource is not None
                yield role if sure else replace(role, policies=tuple(one.perhaps() for one in role.policies))

    def _of_snapshot(self, role: Resource, snapshot: IamSnapshot) -> Role:
        own = [*self._in_snapshot(role, snapshot), *self._attached_here(role.stated("name"), snapshot.account)]
        return Role(role.address, role.stated("arn"), tuple(own), self._boundary(role), role, snapshot)

    def _in_snapshot(self, role: Resource, snapshot: IamSnapshot) -> Iterator[IdentityPolicy]:
        """Yield what a snapshot has in a role or attached to it, so far as the plan leaves it there."""
        for attached in snapshot.attached.get(render(role.stated("name")), ()):
            kept = self.elsewhere.kept(attached, role, snapshot)
            if kept is not Truth.NO:
                is_inline = attached.type == INLINE
                attribute = "policy" if is_inline else "policy_arn"
                grant = PolicyAttachment(attached, attached.stated(attribute), attribute, attached=not is_inline)
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


def _configured(value: Value, resource: Resource) -> list[Value]:
    """Return the entries of an argument; one that is unknown because Terraform computes it is not configured."""
    if isinstance(value, Unknown):
        return [] if value.address.startswith(f"{resource.address}.") else [value]
    return list(value) if isinstance(value, list | tuple) else []
