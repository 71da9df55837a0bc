"""Where a permission that is missing belongs, and how the statement to add names its resource."""

from __future__ import annotations

from infraspec.checks.owners import Owners
from infraspec.checks.roles import Role
from infraspec.iam.decision import Decision
from infraspec.iam.policy import Hit
from infraspec.terraform.plan import Resource
from infraspec.unknown import Text, Unknown, Value, concatenate, render

_SUFFIX = 7


def policy_to_extend(role: Role, decision: Decision, owners: Owners) -> Resource | None:
    """Return what holds the text of the policy that the statement belongs into: its policy document, or itself.

    The policy is that of the closest statement, or else the first of the role.
    """
    hit: Hit | None = decision.nearest.hit if decision.nearest else None
    candidates = [*([hit.policy] if hit else []), *role.policies]
    found = (owners.plan.by_address.get(policy.name) for policy in candidates)
    policy = next((resource for resource in found if resource is not None and resource.mode == "managed"), None)
    return policy and (owners.document_of(policy) or policy)


def grantable(action: str, resource: Value, named: Value, owners: Owners) -> Value:
    """Return a resource as a policy should name it: by its attribute, or by its ARN with an open suffix.

    `resource` is narrowed, `named` is what was written for it.
    """
    if resource == "*":
        return "*"
    owner = owners.find(resource)
    if owner is not None and not (owner.mode == "data" and owner.type != "aws_secretsmanager_secret"):
        arn = owner.reference("arn")
        ending = {"aws_cloudwatch_log_group": ":*", "aws_s3_bucket": _key_of(resource)}.get(owner.type, "")
        return concatenate([arn, ending]) if ending else arn
    if type(named) is Unknown and action == "secretsmanager:GetSecretValue":
        return named
    text = resource
    if isinstance(text, str) and ":secret:" in text and text[-_SUFFIX] == "-":
        return f"{text[: 1 - _SUFFIX]}??????"
    if isinstance(text, str | Text) and ":log-stream:" in render(text):
        return _up_to_streams(text)
    return text


def _key_of(resource: Value) -> str:
    text = render(resource)
    return f"/{text.partition('/')[2]}" if "/" in text and "${" not in text else "/*" if "/" in text else ""


def _up_to_streams(value: Value) -> Value:
    kept: list[str | Unknown] = []
    for part in value.parts if isinstance(value, Text) else (value,):
        if isinstance(part, str) and ":log-stream:" in part:
            return concatenate([*kept, part.partition(":log-stream:")[0], ":*"])
        kept.append(part)
    return value
