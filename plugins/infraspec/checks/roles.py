"""The roles of a plan with the policies that each of them has.

Every policy that is attached in Terraform counts: inline ones, customer managed and AWS managed ones. What is not in
the plan is not taken for absent: a role from elsewhere has an opaque policy, and so has a policy ARN from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from infraspec.checks.managed_documents import with_managed
from infraspec.finding import Location
from infraspec.iam.answer import Answer
from infraspec.iam.document import PolicyDocument
from infraspec.iam.managed import is_managed, managed_policy, managed_policy_named
from infraspec.iam.matching import match
from infraspec.iam.pattern import Pattern, Subject
from infraspec.iam.policy import IdentityPolicy
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Text, Unknown, Value, render

_ROLE_ARN = re.compile(r"^arn:.*:role/(?:.*/)?(?P<name>[^/]+)$", re.DOTALL)
_POLICY_ARN = re.compile(r"^arn:.*:policy/(?:.*/)?(?P<name>[^/]+)$", re.DOTALL)
_INLINE, _ATTACHMENT, _ATTACHMENTS, _EXCLUSIVE = (
    "aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_iam_policy_attachment",
    "aws_iam_role_policy_attachments_exclusive",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """A role with its policies. `address` is its Terraform address, or its ARN or name where it is not in the plan."""

    address: str
    arn: Value
    policies: tuple[IdentityPolicy, ...]
    boundary: tuple[IdentityPolicy, ...] | None = None
    resource: Resource | None = None

    @property
    def location(self) -> Location | None:
        """Where the role is declared."""
        return self.resource.location if self.resource else None


@dataclass(frozen=True, slots=True)
class _Grant:
    """A policy before it is compiled: an inline document of `source`, or an attached ARN."""

    source: Resource
    value: Value
    attribute: str
    attached: bool = False
    perhaps: bool = False


@dataclass
class RoleIndex:
    """All roles of a plan. It is built once in time linear in the plan; policies are compiled when first asked for."""

    attributes: AwsAttributes
    _roles: dict[Value, Role] = field(default_factory=dict)
    _compiled: dict[tuple[str, str], IdentityPolicy] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """The plan the roles are of."""
        return self.attributes.plan

    def role(self, value: Value) -> Role:
        """Return the role that an `execution_role_arn` or `task_role_arn` names. Raises PolicyError."""
        if value not in self._roles:
            resource = self._resource(value)
            self._roles[value] = self._elsewhere(value) if resource is None else self._in_plan(resource)
        return self._roles[value]

    def resource_of(self, value: Value) -> Resource | None:
        """Return the resource or data source of a role; None if the plan has neither."""
        found = self.plan.find(value) if type(value) is Unknown else None
        return found[0] if found and found[0].type == "aws_iam_role" else self._resource(value)

    def policy(self, source: Resource, attribute: str, value: Value, *, attached: bool = False) -> IdentityPolicy:
        """Return the policy that an attribute holds, or with `attached` names by its ARN. Raises PolicyError."""
        return self._compile(_Grant(source, value, attribute, attached))

    @cached_property
    def _by_name(self) -> dict[Value, list[Resource]]:
        names: dict[Value, list[Resource]] = {}
        for resource in self.plan.managed("aws_iam_role"):
            names.setdefault(self.attributes.name(resource), []).append(resource)
        return names

    @cached_property
    def _grants(self) -> tuple[dict[str, list[_Grant]], list[tuple[Value, _Grant]]]:
        """Return what is attached by role address, and what is attached to a role not in the plan or not known."""
        certain: dict[str, list[_Grant]] = {}
        loose: list[tuple[Value, _Grant]] = []
        for reference, grant in self._attached():
            resource = self._resource(reference)
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
        _, loose = self._grants
        grants = [grant for reference, grant in loose if _means_any(reference)]
        hidden = [grant for grant in grants if not grant.attached and isinstance(grant.value, Unknown)]
        policies = [
            self._compile(grant).perhaps() for grant in grants if grant.attached or not isinstance(grant.value, Unknown)
        ]
        if hidden:
            name = f"{hidden[0].source.address} and {len(hidden) - 1} more" if hidden[1:] else hidden[0].source.address
            policies.append(IdentityPolicy.opaque(name, hidden[0].value).perhaps())
        return tuple(policies)

    @cached_property
    def _named_loosely(self) -> list[tuple[Pattern, _Grant]]:
        """Return what is attached to a role that is not in the plan, of which something is known."""
        return [(Pattern.arn(reference), grant) for reference, grant in self._grants[1] if not _means_any(reference)]

    def _attached(self) -> Iterator[tuple[Value, _Grant]]:
        for inline in self.plan.managed(_INLINE):
            yield inline.attribute("role"), _Grant(inline, inline.attribute("policy"), "policy")
        for attachment in self.plan.managed(_ATTACHMENT):
            policy = attachment.attribute("policy_arn")
            yield attachment.attribute("role"), _Grant(attachment, policy, "policy_arn", attached=True)
        for attachment in self.plan.managed(_ATTACHMENTS):
            roles, policy = attachment.get("roles"), attachment.attribute("policy_arn")
            for role in roles if isinstance(roles, list | tuple) else [roles] if roles is not None else []:
                yield role, _Grant(attachment, policy, "policy_arn", attached=True)
        for attachment in self.plan.managed(_EXCLUSIVE):
            arns = attachment.attribute("policy_arns")
            for arn in arns if isinstance(arns, list | tuple) else [arns]:
                yield attachment.attribute("role_name"), _Grant(attachment, arn, "policy_arns", attached=True)

    def _resource(self, value: Value) -> Resource | None:
        """Return the role of the plan that a name, an ARN or an attribute refers to."""
        if type(value) is Unknown:
            found = self.plan.find(value)
            if found and (found[0].mode, found[0].type) == ("managed", "aws_iam_role"):
                return found[0]
        narrowed = self.attributes.narrow(value)
        if not isinstance(narrowed, str | Text):
            return None
        arn = _ROLE_ARN.match(render(narrowed))
        if arn and self._of_other_account(render(narrowed)):
            return None
        named = self._by_name.get(arn["name"] if arn else narrowed, [])
        return named[0] if len(named) == 1 and isinstance(narrowed, str | Text) else None

    def _of_other_account(self, arn: str) -> bool:
        account, own = arn.split(":")[4:5], self.plan.account
        return bool(account) and account[0].isdigit() and isinstance(own, str) and account[0] != own

    def _in_plan(self, resource: Resource) -> Role:
        certain, _ = self._grants
        own = [*self._own(resource), *certain.get(resource.address, [])]
        policies = [_as_far_as_certain(self._compile(grant), grant.source, resource) for grant in own]
        name = Subject.of(self.attributes.name(resource))
        policies += self._anyones
        for reference, grant in self._named_loosely:
            if match(reference, name) is not Answer.NO:
                policies.append(self._compile(grant).perhaps())
        arn = Unknown(f"{resource.address}.arn")
        return Role(resource.address, arn, tuple(policies), self._boundary(resource), resource)

    def _own(self, resource: Resource) -> Iterator[_Grant]:
        """Yield what the role's own arguments attach.

        A plan repeats in them what other resources attach, as it was before; what is deleted may still be there.
        """
        stale = self._is_stale
        certain, _ = self._grants
        separate = {
            render(grant.source.get("name")) for grant in certain.get(resource.address, []) if not grant.attached
        }
        inline = resource.get("inline_policy")
        for index, block in enumerate(_configured(inline, resource)):
            name = render(block.get("name")) if isinstance(block, dict) else ""
            policy = block.get("policy") if isinstance(block, dict) else block
            if policy and name not in separate:
                yield _Grant(resource, policy, f"inline_policy.{index}.policy", perhaps=stale)
        for index, arn in enumerate(_configured(resource.get("managed_policy_arns"), resource)):
            yield _Grant(resource, arn, f"managed_policy_arns.{index}", attached=True, perhaps=stale)

    @cached_property
    def _is_stale(self) -> bool:
        """Tell whether the plan deletes something of IAM."""
        return any("delete" in change.actions and ".aws_iam_" in f".{change.address}" for change in self.plan.changes)

    def _boundary(self, resource: Resource) -> tuple[IdentityPolicy, ...] | None:
        boundary = resource.get("permissions_boundary")
        if not boundary:
            return None
        return (self._managed(_Grant(resource, boundary, "permissions_boundary", attached=True)),)

    def _elsewhere(self, value: Value) -> Role:
        """Make a role that is not in the plan: what is attached to it here, and what may be elsewhere."""
        narrowed = self.attributes.narrow(value)
        shown = render(narrowed)
        found = self.plan.find(value) if type(value) is Unknown else None
        arn = _ROLE_ARN.match(shown)
        name = self.attributes.name(found[0]) if found else arn["name"] if arn else narrowed
        opaque = IdentityPolicy.opaque(shown, Unknown(f"what policies the role {shown.strip('${}')} has"))
        policies = [opaque]
        policies += self._anyones
        for reference, grant in self._named_loosely:
            answer = match(reference, Subject.of(name))
            if answer is not Answer.NO:
                policy = self._compile(grant)
                policies.append(policy if answer is Answer.YES else policy.perhaps())
        return Role(shown, value, tuple(policies))

    def _compile(self, grant: _Grant) -> IdentityPolicy:
        policy = self._managed(grant) if grant.attached else self._document(grant.source, grant.attribute, grant.value)
        return policy.perhaps() if grant.perhaps else policy

    def _managed(self, grant: _Grant) -> IdentityPolicy:
        """Return the policy an ARN names: in the plan, AWS's own, or opaque."""
        found = self.plan.find(grant.value) if type(grant.value) is Unknown else None
        if found is not None and found[0].type == "aws_iam_policy":
            return self._policy_resource(found[0], grant)
        arn = self.attributes.narrow(grant.value)
        if isinstance(arn, str) and is_managed(arn):
            return managed_policy(arn)
        named = _POLICY_ARN.match(render(arn))
        declared = self._policies_by_name.get(named["name"]) if named else None
        if declared is not None:
            return self._policy_resource(declared, grant)
        return IdentityPolicy.opaque(render(arn), Unknown(f"the content of {render(arn).strip('${}')}"))

    def _policy_resource(self, resource: Resource, grant: _Grant) -> IdentityPolicy:
        policy = resource.attribute("policy")
        if resource.mode == "data" and policy == Unknown(f"{resource.address}.policy"):
            name = resource.get("name")
            known = managed_policy_named(name) if isinstance(name, str) else None
            arn = resource.get("arn")
            if known is None and isinstance(arn, str) and is_managed(arn):
                known = managed_policy(arn)
            return known or IdentityPolicy.opaque(grant.source.address, policy)
        return self._document(resource, "policy", policy)

    @cached_property
    def _policies_by_name(self) -> dict[str, Resource]:
        """Return the customer managed policies by name, where one alone has it; those that data sources read last."""
        names: dict[str, list[Resource]] = {}
        for resource in self.plan.managed("aws_iam_policy"):
            name = self.attributes.name(resource)
            if isinstance(name, str):
                names.setdefault(name, []).append(resource)
        found = {name: resources[0] for name, resources in names.items() if len(resources) == 1}
        for resource in self.plan.data("aws_iam_policy"):
            arn = _POLICY_ARN.match(render(resource.get("arn", "")))
            name = arn["name"] if arn else resource.get("name")
            if isinstance(name, str) and name not in names:
                found.setdefault(name, resource)
        return found

    def _document(self, resource: Resource, attribute: str, value: Value) -> IdentityPolicy:
        key = (resource.address, attribute)
        if key not in self._compiled:
            document = PolicyDocument.from_value(with_managed(self.plan, value), place=_place(resource, attribute))
            locate = _locator(resource, attribute)
            self._compiled[key] = IdentityPolicy.of(
                resource.address, document, resolve=self.attributes.narrow, locate=locate
            )
        return self._compiled[key]


def _means_any(reference: Value) -> bool:
    return isinstance(reference, Unknown)


def _as_far_as_certain(policy: IdentityPolicy, source: Resource, role: Resource) -> IdentityPolicy:
    """Take account of a count or for_each that is not known: it may make no instance at all."""
    uncertain = source is not role and (source.key == "?" or ("[?]" in source.module and source.module != role.module))
    return policy.perhaps() if uncertain else policy


def _configured(value: Value, resource: Resource) -> list[Value]:
    """Return the entries of an argument; one that is unknown because Terraform computes it is not configured."""
    if isinstance(value, Unknown):
        return [] if value.address.startswith(f"{resource.address}.") else [value]
    return list(value) if isinstance(value, list | tuple) else []


def _place(resource: Resource, attribute: str) -> str:
    location = resource.location_of(attribute)
    return f"{location}: {resource.address}.{attribute}" if location else f"{resource.address}.{attribute}"


def _locator(resource: Resource, attribute: str) -> Callable[[str], Location | None]:
    return lambda path: resource.location_of(f"{attribute}.{path}")
