"""What a plan attaches to roles: inline policies and managed ones, each with what names the role."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from infraspec.iam.policy import IdentityPolicy
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Value

INLINE, ATTACHMENT, ATTACHMENTS, EXCLUSIVE = (
    "aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_iam_policy_attachment",
    "aws_iam_role_policy_attachments_exclusive",
)  # fmt: skip


class Grant(Struct, frozen=True):
    """A policy before it is compiled: an inline document of `source`, or an attached ARN."""

    source: Resource
    value: Value
    attribute: str
    attached: bool = False
    perhaps: bool = False


def attached_to_roles(plan: Plan) -> Iterator[tuple[Value, Grant]]:
    """Yield what resources of their own attach, each with the value that names the role."""
    for inline in plan.managed(INLINE):
        yield inline.attribute("role"), Grant(inline, inline.attribute("policy"), "policy")
    for attachment in plan.managed(ATTACHMENT):
        policy = attachment.attribute("policy_arn")
        yield attachment.attribute("role"), Grant(attachment, policy, "policy_arn", attached=True)
    for attachment in plan.managed(ATTACHMENTS):
        policy = attachment.attribute("policy_arn")
        for role in listed(attachment.get("roles")):
            yield role, Grant(attachment, policy, "policy_arn", attached=True)
    for attachment in plan.managed(EXCLUSIVE):
        for arn in listed(attachment.attribute("policy_arns")):
            yield attachment.attribute("role_name"), Grant(attachment, arn, "policy_arns", attached=True)


def listed(value: Value) -> list[Value]:
    """Return the entries of a list, or what is not known as one of them; nothing if it is not set."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def as_far_as_certain(
    policy: IdentityPolicy, plan: Plan, source: Resource, owner: Resource | None = None
) -> IdentityPolicy:
    """Take account of a count or for_each that is not known: it may make no instance at all, or another one."""
    if plan.belongs_to(source, owner):
        return policy
    why = plan.doubt_of(source, owner)
    return policy.perhaps((str(why), why.value) if why else None)
