"""Every policy document that a plan's resources hold, with what it is for and how long it may be."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from infraspec.resource_types import TYPES, Policy, PolicyKind
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Unknown, Value

_HOLDERS = {known.type: known.policies for known in TYPES.values() if known.policies}


class Held(Struct, frozen=True):
    """A document with where it is: `attribute` is its path in the resource.

    Policies of one `owner` share a limit.
    """

    resource: Resource
    attribute: str
    value: Value
    use: Policy
    owner: Value = None

    @property
    def place(self) -> str:
        """The place, for errors."""
        location = self.resource.location_of(self.attribute)
        name = f"{self.resource.address}.{self.attribute}"
        return f"{location}: {name}" if location else name


def held_documents(plan: Plan) -> Iterator[Held]:
    """Yield every policy document of the managed resources, in order of resource types."""
    boundaries = _boundaries(plan)
    for type_, policies in _HOLDERS.items():
        for resource in plan.managed(type_):
            for policy in policies:
                use = replace(policy, kind=_kind(plan, resource, policy, is_boundary=resource.address in boundaries))
                for path, value in policy.documents(resource.values):
                    if value != resource.reference(path):
                        yield Held(resource, path, value, use, _owner(resource, policy))


def _kind(plan: Plan, resource: Resource, policy: Policy, *, is_boundary: bool) -> PolicyKind:
    """Return what a policy is for: what is meant for everybody is judged as an endpoint is, which everybody reaches."""
    if is_boundary:
        return PolicyKind.BOUNDARY
    within = policy.attribute == "access_policies" and _in_vpc(plan, resource, policy)
    return PolicyKind.ENDPOINT if policy.for_everybody or within else policy.kind


def _in_vpc(plan: Plan, resource: Resource, policy: Policy) -> bool:
    """Tell whether a search domain, or one that its policy may be of, is reached from its VPC alone."""
    domains = plan.managed(*policy.owners) if policy.of else (resource,)
    return any(domain.get("vpc_options") for domain in domains)


def _owner(resource: Resource, policy: Policy) -> Value:
    if policy.limit is None or not policy.limit.shared:
        return None
    return resource.attribute(policy.of) if policy.of else resource.reference("name")


def _boundaries(plan: Plan) -> set[str]:
    """Return the addresses of policies that are permissions boundaries and attached to nobody."""
    users = [r.get("permissions_boundary") for r in plan.managed("aws_iam_role", "aws_iam_user")]
    attachments = [
        r.get("policy_arn")
        for r in plan.managed(
            "aws_iam_role_policy_attachment",
            "aws_iam_user_policy_attachment",
            "aws_iam_group_policy_attachment",
            "aws_iam_policy_attachment",
        )
    ]
    return {*_named(plan, users)} - {*_named(plan, attachments)}


def _named(plan: Plan, values: list[Value]) -> Iterator[str]:
    for value in values:
        found = plan.find(value) if isinstance(value, Unknown) else None
        if found is not None:
            yield found[0].address
