"""The roles that exist, with what is attached to them, and the customer managed policies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from infraspec.live.scope import Scope, json_text, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource

_ROLE, _POLICY = "aws_iam_role", "aws_iam_policy"
_INLINE, _ATTACHMENT = "aws_iam_role_policy", "aws_iam_role_policy_attachment"
_GONE = ("NoSuchEntity", "NoSuchEntityException")
_ROLE_ATTRIBUTES = {
    "RoleName": "name",
    "Arn": "arn",
    "Path": "path",
    "Description": "description",
    "MaxSessionDuration": "max_session_duration",
}


def iam_resources(scope: Scope, managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the roles of the environment and those of its task definitions, then their policies."""
    arns: dict[str, None] = {}
    for name in _role_names(scope, managed("aws_ecs_task_definition")):
        for resource in _of_role(scope, name):
            yield resource
            named = resource.get("permissions_boundary"), resource.get("policy_arn")
            arns |= {arn: None for arn in named if isinstance(arn, str)}
    for policy in scope.calls.pages("iam", "list_policies", "Policies", Scope="Local"):
        if scope.belongs(_POLICY, policy["PolicyName"]):
            arns[policy["Arn"]] = None
    own = f":iam::{scope.calls.account}:policy/"
    for arn in arns:
        if own in arn:
            yield from _policy(scope, arn)


def _role_names(scope: Scope, task_definitions: Iterable[Resource]) -> dict[str, None]:
    own = f":iam::{scope.calls.account}:role/"
    named = [one.get(role) for one in task_definitions for role in ("execution_role_arn", "task_role_arn")]
    names = {arn.rpartition("/")[2]: None for arn in named if isinstance(arn, str) and own in arn}
    for role in scope.calls.pages("iam", "list_roles", "Roles"):
        if scope.belongs(_ROLE, role["RoleName"]):
            names[role["RoleName"]] = None
    return names


def _of_role(scope: Scope, name: str) -> Iterator[Resource]:
    """Yield a role and what is attached to it; nothing if there is no such role, as a task definition may name one."""
    answer = scope.calls.ask("iam", "get_role", RoleName=name, absent=_GONE)
    if answer is None:
        return
    role = answer["Role"]
    arn = role["Arn"]
    values: dict[str, Any] = {
        **chosen(role, _ROLE_ATTRIBUTES),
        "id": name,
        "assume_role_policy": json_text(role.get("AssumeRolePolicyDocument")),
        "permissions_boundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
    }
    inline, attached = list(_inline(scope, name)), _attached(scope, name)
    own, listed = _own_blocks(scope, name), _own_attachments(scope, name)
    if own:
        values["inline_policy"] = [{"name": named, "policy": document} for named, document in inline if named in own]
    if listed:
        values["managed_policy_arns"] = attached
        attached = [policy for policy in attached if scope.sources.possible(_ATTACHMENT, (name, policy))]
    yield scope.resource(_ROLE, name, address=arn, values=values, tags=tag_map(role.get("Tags")))
    for named, document in inline:
        if named not in own:
            held = {"role": name, "name": named, "policy": document}
            yield scope.resource(_INLINE, name, named, address=f"{arn} inline policy {named}", values=held)
    for policy in attached:
        held = {"role": name, "policy_arn": policy}
        yield scope.resource(_ATTACHMENT, name, policy, address=f"{arn} with {policy}", values=held)


def _inline(scope: Scope, role: str) -> Iterator[tuple[str, str | None]]:
    for named in scope.calls.pages("iam", "list_role_policies", "PolicyNames", RoleName=role):
        answer = scope.calls.ask("iam", "get_role_policy", RoleName=role, PolicyName=named) or {}
        yield named, json_text(answer.get("PolicyDocument"))


def _attached(scope: Scope, role: str) -> list[str]:
    found = scope.calls.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role)
    return [policy["PolicyArn"] for policy in found]


def _own_blocks(scope: Scope, role: str) -> set[str]:
    """Return the names of the inline policies that the source writes as blocks of the role."""
    source = scope.sources.find(_ROLE, (role,))
    blocks = source.get("inline_policy") if source is not None and source.sets("inline_policy") else None
    found = blocks if isinstance(blocks, list | tuple) else ()
    return {str(block.get("name")) for block in found if isinstance(block, Mapping)}


def _own_attachments(scope: Scope, role: str) -> bool:
    """Tell whether the source lists all that is attached to a role as an argument of the role."""
    source = scope.sources.find(_ROLE, (role,))
    return source is not None and source.sets("managed_policy_arns") and source.get("managed_policy_arns") is not None


def _policy(scope: Scope, arn: str) -> Iterator[Resource]:
    answer = scope.calls.ask("iam", "get_policy", PolicyArn=arn, absent=_GONE)
    if answer is None:
        return
    policy = answer["Policy"]
    version = scope.calls.ask("iam", "get_policy_version", PolicyArn=arn, VersionId=policy["DefaultVersionId"]) or {}
    values = {
        "name": policy["PolicyName"],
        "arn": arn,
        "id": arn,
        "path": policy.get("Path"),
        "update_date": policy.get("UpdateDate"),
        "policy": json_text((version.get("PolicyVersion") or {}).get("Document")),
    }
    yield scope.resource(_POLICY, policy["PolicyName"], address=arn, values=values, tags=tag_map(policy.get("Tags")))
