"""The users and groups of a plan with the policies that are attached to each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from infraspec.checks.roles import RoleIndex
from infraspec.iam.policy import IdentityPolicy
from infraspec.terraform.plan import Resource
from infraspec.unknown import Unknown, Value

_KINDS = ("user", "group")


@dataclass(frozen=True, slots=True)
class Holder:
    """A user, or a group for its members, with its policies and its permissions boundary."""

    resource: Resource
    policies: tuple[IdentityPolicy, ...]
    boundary: tuple[IdentityPolicy, ...] | None = None


def holders(roles: RoleIndex) -> Iterator[Holder]:
    """Yield the users and groups. What a user has by its groups is the groups'."""
    for kind in _KINDS:
        attached = list(_attached(roles, kind))
        for resource in roles.plan.managed(f"aws_iam_{kind}"):
            policies = tuple(policy for reference, policy in attached if _names(roles, reference, resource))
            boundary = resource.get("permissions_boundary")
            limit = roles.policy(resource, "permissions_boundary", boundary, attached=True) if boundary else None
            yield Holder(resource, policies, (limit,) if limit else None)


def _attached(roles: RoleIndex, kind: str) -> Iterator[tuple[Value, IdentityPolicy]]:
    plan = roles.plan
    for inline in plan.managed(f"aws_iam_{kind}_policy"):
        yield inline.attribute(kind), roles.policy(inline, "policy", inline.attribute("policy"))
    for attachment in plan.managed(f"aws_iam_{kind}_policy_attachment"):
        arn = attachment.attribute("policy_arn")
        yield attachment.attribute(kind), roles.policy(attachment, "policy_arn", arn, attached=True)
    for attachment in plan.managed("aws_iam_policy_attachment"):
        names = attachment.get(f"{kind}s")
        for name in names if isinstance(names, list | tuple) else [names] if names is not None else []:
            arn = attachment.attribute("policy_arn")
            yield name, roles.policy(attachment, "policy_arn", arn, attached=True)


def _names(roles: RoleIndex, reference: Value, resource: Resource) -> bool:
    found = roles.plan.find(reference) if isinstance(reference, Unknown) else None
    if found is not None:
        return found[0] is resource
    return bool(roles.attributes.narrow(reference) == roles.attributes.name(resource))
