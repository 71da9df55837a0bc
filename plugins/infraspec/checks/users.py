"""The users and groups of a plan with the policies that are attached to each of them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from infraspec.checks.grants import as_far_as_certain, listed
from infraspec.checks.roles import RoleIndex
from infraspec.iam.answer import Answer
from infraspec.iam.matching import match
from infraspec.iam.pattern import Pattern, Subject
from infraspec.iam.policy import IdentityPolicy
from infraspec.terraform.iam_snapshot import IamSnapshot
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Unknown, Value

_KINDS = ("user", "group")
_Attached = tuple[Value, Resource, IdentityPolicy]


class Holder(Struct, frozen=True):
    """A user, or a group for its members, with its policies and its permissions boundary."""

    resource: Resource
    policies: tuple[IdentityPolicy, ...]
    boundary: tuple[IdentityPolicy, ...] | None = None


def holders(roles: RoleIndex, snapshot: IamSnapshot | None = None) -> Iterator[Holder]:
    """Yield the users and groups of the plan, then those of a snapshot that the plan has not.

    What a user has by its groups is the groups'. What the plan attaches to one of the snapshot counts too; what the
    snapshot attaches is not certain where the plan takes something away from such.
    """
    for kind in _KINDS:
        attached = list(_attached(roles, kind, roles.plan))
        own = roles.plan.managed(f"aws_iam_{kind}")
        for resource in own:
            policies = tuple(_of(roles, attached, resource, resource))
            yield _holder(roles, resource, policies)
        if snapshot is None:
            continue
        there: dict[Value, list[IdentityPolicy]] = {}
        for name, _, policy in _attached(roles, kind, snapshot):
            there.setdefault(name, []).append(policy)
        names = [roles.attributes.name(resource) for resource in own]
        certain = all(isinstance(name, str) for name in names) and not _takes_away(roles.plan, kind)
        for resource in snapshot.managed(f"aws_iam_{kind}"):
            if resource.get("name") in names:
                continue
            before = there.get(resource.get("name"), ())
            yield _holder(
                roles,
                resource,
                (*(one if certain else one.perhaps() for one in before), *_of(roles, attached, resource, None)),
            )


def _of(
    roles: RoleIndex, attached: list[_Attached], holder: Resource, owner: Resource | None
) -> Iterator[IdentityPolicy]:
    """Yield the policies that are a holder's, or may be; `owner` is the holder where it is of the plan."""
    for reference, source, policy in attached:
        answer = _names(roles, reference, holder)
        if answer is not Answer.NO:
            certain = as_far_as_certain(policy, roles.plan, source, owner)
            yield certain if answer is Answer.YES else certain.perhaps()


def _holder(roles: RoleIndex, resource: Resource, policies: tuple[IdentityPolicy, ...]) -> Holder:
    boundary = resource.get("permissions_boundary")
    limit = roles.policy(resource, "permissions_boundary", boundary, attached=True) if boundary else None
    return Holder(resource, policies, (limit,) if limit else None)


def _takes_away(plan: Plan, kind: str) -> bool:
    """Tell whether a plan deletes something of users or groups."""
    return any(change.type.startswith(f"aws_iam_{kind}") and "delete" in change.actions for change in plan.changes)


def _attached(roles: RoleIndex, kind: str, plan: Plan) -> Iterator[_Attached]:
    """Yield what is in a user or group, or attached to one: what names the holder, the resource, and the policy."""
    for inline in plan.managed(f"aws_iam_{kind}_policy"):
        yield inline.attribute(kind), inline, roles.policy(inline, "policy", inline.attribute("policy"))
    for attachment in plan.managed(f"aws_iam_{kind}_policy_attachment"):
        arn = attachment.attribute("policy_arn")
        yield attachment.attribute(kind), attachment, roles.policy(attachment, "policy_arn", arn, attached=True)
    for attachment in plan.managed("aws_iam_policy_attachment"):
        for name in listed(attachment.get(f"{kind}s")):
            arn = attachment.attribute("policy_arn")
            yield name, attachment, roles.policy(attachment, "policy_arn", arn, attached=True)


def _names(roles: RoleIndex, reference: Value, resource: Resource) -> Answer:
    """Tell whether a reference names a user or group."""
    found = roles.plan.find(reference) if isinstance(reference, Unknown) else None
    if found is not None and found[0].type == resource.type:
        return Answer.YES if found[0] is resource else Answer.NO
    name = roles.attributes.name(resource)
    narrowed = roles.attributes.narrow(reference)
    return Answer.YES if narrowed == name else match(Pattern.arn(narrowed), Subject.of(name))
