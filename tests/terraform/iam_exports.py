"""Exports of IAM as `aws iam get-account-authorization-details` prints them, written by hand or from a plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from infraspec.core.unknown import JsonText, Text, Unknown, Value, concatenate
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.planfile.iam_snapshot import load

ACCOUNT = "111122223333"
_ROLE, _INLINE, _ATTACHMENT, _POLICY = (
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_policy",
)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def allow(action: str, resource: str = "*", effect: str = "Allow") -> dict[str, Any]:
    """Return a policy of one statement."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]}


def role(
    name: str,
    inline: Mapping[str, Any] | None = None,
    attached: Iterable[str] = (),
    *,
    boundary: str = "",
    trust: Any = TRUST,
    path: str = "/",
    account: str = ACCOUNT,
    partition: str = "aws",
) -> dict[str, Any]:
    """Return a role as it stands in RoleDetailList."""
    detail: dict[str, Any] = {
        "Path": path,
        "RoleName": name,
        "RoleId": "AROAEXAMPLE",
        "Arn": f"arn:{partition}:iam::{account}:role{path}{name}",
        "CreateDate": "2026-01-02T03:04:05+00:00",
        "AssumeRolePolicyDocument": trust,
        "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": key, "PolicyDocument": value} for key, value in (inline or {}).items()],
        "AttachedManagedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached],
        "Tags": [],
        "RoleLastUsed": {"LastUsedDate": "2026-11-20T10:00:00+00:00", "Region": "eu-west-1"},
    }
    if boundary:
        detail["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    return detail


def user(
    name: str, inline: Mapping[str, Any] | None = None, attached: Iterable[str] = (), **more: Any
) -> dict[str, Any]:
    """Return a user as it stands in UserDetailList, without a list of inline policies if it has none."""
    detail = {
        "Path": "/",
        "UserName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "GroupList": [],
        "AttachedManagedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached],
    }
    held = [{"PolicyName": key, "PolicyDocument": value} for key, value in (inline or {}).items()]
    return {**detail, "UserPolicyList": held} if held else detail


def group(name: str, inline: Mapping[str, Any]) -> dict[str, Any]:
    """Return a group as it stands in GroupDetailList."""
    return {
        "Path": "/",
        "GroupName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/{name}",
        "GroupPolicyList": [{"PolicyName": key, "PolicyDocument": value} for key, value in inline.items()],
        "AttachedManagedPolicies": [],
    }


def policy(arn: str, *documents: Any, default: int = -1) -> dict[str, Any]:
    """Return a managed policy as it stands in Policies; the documents are its versions, the newest last."""
    versions = [
        {"Document": document, "VersionId": f"v{index + 1}", "IsDefaultVersion": index == default % len(documents)}
        for index, document in enumerate(documents)
    ]
    chosen = f"v{default % len(documents) + 1}"
    name = arn.rpartition("/")[2]
    return {"PolicyName": name, "Arn": arn, "DefaultVersionId": chosen, "PolicyVersionList": versions[::-1]}


def page(*roles: Any, policies: Iterable[Any] = (), **others: Any) -> dict[str, Any]:
    """Return one page of the answer."""
    lists = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": list(roles), "Policies": list(policies)}
    return {**lists, **others}


def export(*roles: Any, policies: Iterable[Any] = (), users: Iterable[Any] = (), groups: Iterable[Any] = ()) -> str:
    """Return the text of an export."""
    whole = page(*roles, policies=policies, UserDetailList=list(users), GroupDetailList=list(groups))
    return json.dumps(whole, indent=4)


def with_export(plan: Plan, directory: Path, *texts: str) -> Plan:
    """Return a plan with snapshots: of the files iam0.json, iam1.json and so on."""
    snapshots = []
    for index, text in enumerate(texts):
        file = directory / f"iam{index}.json"
        file.write_text(text, encoding="utf-8")
        snapshots.append(load(file, file.name))
    return plan.replaced(snapshots=tuple(snapshots))


def settled(plan: Plan) -> Plan:
    """Return a plan in which the ARNs and ids of everything are known, as after an apply."""
    attributes = AwsAttributes(plan)
    resources = []
    for resource in plan.resources:
        values = dict(resource.values)
        for name in ("arn", "id", "key_id"):
            own = Unknown(f"{resource.address}.{name}")
            value = attributes.narrow(own)
            if (
                resource.mode == "managed"
                and name not in values
                and (name != "key_id" or resource.type == "aws_kms_key")
            ):
                values[name] = _text(value)
        resources.append(replace(resource, values=values))
    return plan.replaced(resources=tuple(resources))


def taken_out(plan: Plan) -> tuple[Plan, str]:
    """Take the roles of a settled plan out of it, with their policies: return what is left, and their export."""
    attributes = AwsAttributes(plan)
    roles = {one.address: attributes.name(one) for one in plan.managed(_ROLE)}

    def known(value: Value) -> Value:
        narrowed = attributes.narrow(value)
        assert isinstance(narrowed, str), narrowed
        return narrowed

    def text(value: Value) -> Any:
        return json.loads(str(concatenate([_replaced(value, known)])))

    def of(resource: Resource, attribute: str) -> str:
        value = resource.attribute(attribute)
        found = plan.find(value) if isinstance(value, Unknown) else None
        return roles.get(found[0].address, "") if found else str(attributes.narrow(value))

    details = []
    for one in plan.managed(_ROLE):
        name = roles[one.address]
        inline = [held for held in plan.managed(_INLINE) if of(held, "role") == name]
        attached = [known(held.get("policy_arn")) for held in plan.managed(_ATTACHMENT) if of(held, "role") == name]
        details.append(
            role(
                name,
                {str(held.get("name") or held.address): text(held.get("policy")) for held in inline},
                attached,
                trust=text(one.get("assume_role_policy")),
                path=one.get("path") or "/",
                account=str(plan.account),
                boundary=known(one.get("permissions_boundary")) if one.get("permissions_boundary") else "",
            )
        )
    policies = [policy(known(Unknown(f"{one.address}.arn")), text(one.get("policy"))) for one in plan.managed(_POLICY)]
    gone = {one.address for one in plan.managed(_ROLE, _INLINE, _ATTACHMENT, _POLICY)}

    def elsewhere(value: Value) -> Value:
        found = plan.find(value) if isinstance(value, Unknown) else None
        return known(value) if found and found[0].address in gone else value

    left = [
        replace(one, values={key: _replaced(one.values[key], elsewhere) for key in one.values})
        for one in plan.resources
        if one.address not in gone
    ]
    return plan.replaced(resources=tuple(left)), export(*details, policies=policies)


def _replaced(value: Value, each: Callable[[Unknown], Value]) -> Value:
    """Return a value with its unknowns replaced; the text of JSON stays what it is of."""
    match value:
        case JsonText():
            return JsonText(_replaced(value.tree, each))
        case Text():
            return concatenate(each(part) if isinstance(part, Unknown) else part for part in value.parts)
        case Unknown():
            return each(value)
        case dict():
            return {key: _replaced(item, each) for key, item in value.items()}
        case list() | tuple():
            return [_replaced(item, each) for item in value]
        case _:
            return value


def _text(value: Value) -> str:
    """Make up what is not known of a text."""
    parts = value.parts if isinstance(value, Text) else (value,)
    return "".join(part if isinstance(part, str) else "A" if type(part) is not Unknown else "1a2b" for part in parts)
