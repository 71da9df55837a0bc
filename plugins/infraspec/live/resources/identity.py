"""The roles that exist, with what is attached to them, and the customer managed policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infraspec.live.resources.api_to_terraform import json_text, tag_map
from infraspec.live.resources.reading import values_of
from infraspec.live.resources.scope import Scope
from infraspec.terraform.plan import Resource

ROLE, POLICY = "aws_iam_role", "aws_iam_policy"
INLINE, ATTACHMENT = "aws_iam_role_policy", "aws_iam_role_policy_attachment"
_GONE = ("NoSuchEntity", "NoSuchEntityException")


def roles(scope: Scope) -> Iterator[Resource]:
    """Yield the roles of the environment and those of its task definitions, each with what is attached to it."""
    own = f":iam::{scope.calls.account}:role/"
    definitions = scope.managed("aws_ecs_task_definition")
    named = [one.get(role) for one in definitions for role in ("execution_role_arn", "task_role_arn")]
    names = {arn.rpartition("/")[2]: None for arn in named if isinstance(arn, str) and own in arn}
    listed = (role["RoleName"] for role in scope.calls.pages("iam", "list_roles", "Roles"))
    names |= dict.fromkeys(name for name in listed if scope.belongs(ROLE, {"name": name}))
    for name in names:
        yield from _role(scope, name)


def policies(scope: Scope) -> Iterator[Resource]:
    """Yield the customer managed policies of the environment, and those that its roles have or are limited by."""
    attached = [one.get("policy_arn") for one in scope.managed(ATTACHMENT)]
    named = (*(role.get("permissions_boundary") for role in scope.managed(ROLE)), *attached)
    listed = scope.calls.pages("iam", "list_policies", "Policies", Scope="Local")
    belonging = (one["Arn"] for one in listed if scope.belongs(POLICY, {"name": one["PolicyName"]}))
    own = f":iam::{scope.calls.account}:policy/"
    for arn in dict.fromkeys((*named, *belonging)):
        if isinstance(arn, str) and own in arn:
            yield from _policy(scope, arn)


READERS = {ROLE: roles, INLINE: roles, ATTACHMENT: roles, POLICY: policies}


def _role(scope: Scope, name: str) -> Iterator[Resource]:
    """Yield a role and what is attached to it; nothing if there is no such role, as a task definition may name one."""
    answer = scope.calls.ask("iam", "get_role", RoleName=name, absent=_GONE)
    if answer is None:
        return
    role = answer["Role"]
    values = values_of(scope, ROLE, role)
    values["assume_role_policy"] = json_text(role.get("AssumeRolePolicyDocument"))
    inline, attached = list(_inline(scope, name)), _attached(scope, name)
    source = scope.sources.find(ROLE, (name,))
    blocks, listed = (source.get(one) if source and source.sets(one) else None for one in _OF_THE_ROLE)
    written = blocks if isinstance(blocks, list | tuple) else ()
    own = {str(one.get("name")) for one in written if isinstance(one, Mapping)}
    if own:
        values["inline_policy"] = [{"name": named, "policy": document} for named, document in inline if named in own]
    if listed is not None:
        values["managed_policy_arns"] = attached
        attached = [policy for policy in attached if scope.sources.possible(ATTACHMENT, (name, policy))]
    yield scope.resource(ROLE, values, tags=tag_map(role.get("Tags")))
    for named, document in inline:
        if named not in own:
            held = {"role": name, "name": named, "policy": document}
            yield scope.resource(INLINE, held, address=f"{values['arn']} inline policy {named}")
    for policy in attached:
        yield scope.resource(ATTACHMENT, {"role": name, "policy_arn": policy}, address=f"{values['arn']} with {policy}")


_OF_THE_ROLE = ("inline_policy", "managed_policy_arns")
"""What the source may write as arguments of a role, in place of resources."""


def _inline(scope: Scope, role: str) -> Iterator[tuple[str, str | None]]:
    for named in scope.calls.pages("iam", "list_role_policies", "PolicyNames", RoleName=role):
        answer = scope.calls.ask("iam", "get_role_policy", RoleName=role, PolicyName=named) or {}
        yield named, json_text(answer.get("PolicyDocument"))


def _attached(scope: Scope, role: str) -> list[str]:
    found = scope.calls.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role)
    return [policy["PolicyArn"] for policy in found]


def _policy(scope: Scope, arn: str) -> Iterator[Resource]:
    answer = scope.calls.ask("iam", "get_policy", PolicyArn=arn, absent=_GONE)
    if answer is None:
        return
    policy = answer["Policy"]
    version = scope.calls.ask("iam", "get_policy_version", PolicyArn=arn, VersionId=policy["DefaultVersionId"]) or {}
    document = json_text((version.get("PolicyVersion") or {}).get("Document"))
    values = {**values_of(scope, POLICY, policy), "arn": arn, "id": arn, "policy": document}
    yield scope.resource(POLICY, values, tags=tag_map(policy.get("Tags")))
