"""IAM: roles, policies and what attaches them."""

from __future__ import annotations

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import Attributes, Kind, Values, blocks, given, name_of, put, tags


def _role(account: Account, values: Values) -> Attributes:
    iam, name = account.client("iam"), name_of(values)
    names = {"path": "Path", "description": "Description", "permissions_boundary": "PermissionsBoundary"}
    names |= {"assume_role_policy": "AssumeRolePolicyDocument", "max_session_duration": "MaxSessionDuration"}
    made = iam.create_role(RoleName=name, **given(values, names), Tags=tags(values))["Role"]
    _inside(account, name, values)
    return {"id": name, "name": name, "arn": made["Arn"], "unique_id": made["RoleId"]}


def _inside(account: Account, name: str, values: Values) -> None:
    iam = account.client("iam")
    for inline in blocks(values, "inline_policy"):
        if inline.get("policy"):
            iam.put_role_policy(RoleName=name, PolicyName=name_of(inline), PolicyDocument=inline["policy"])
    for arn in values.get("managed_policy_arns") or ():
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)


def _change_role(account: Account, values: Values, attributes: Attributes) -> Attributes:
    iam, name = account.client("iam"), attributes["name"]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=values["assume_role_policy"])
    boundary = values.get("permissions_boundary")
    if boundary:
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    else:
        iam.delete_role_permissions_boundary(RoleName=name)
    _inside(account, name, values)
    return attributes


def _policy(account: Account, values: Values) -> Attributes:
    names = {"path": "Path", "description": "Description", "policy": "PolicyDocument"}
    made = account.client("iam").create_policy(PolicyName=name_of(values), **given(values, names), Tags=tags(values))[
        "Policy"
    ]
    return {"id": made["Arn"], "arn": made["Arn"], "name": made["PolicyName"], "policy_id": made["PolicyId"]}


def _change_policy(account: Account, values: Values, attributes: Attributes) -> Attributes:
    iam, arn = account.client("iam"), attributes["arn"]
    older = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    if len(older) > 4:  # noqa: PLR2004 - IAM keeps five versions
        oldest = min(
            (version for version in older if not version["IsDefaultVersion"]), key=lambda one: one["CreateDate"]
        )
        iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=values["policy"], SetAsDefault=True)
    return attributes


def _role_policy(account: Account, values: Values) -> Attributes:
    name = name_of(values)
    account.client("iam").put_role_policy(RoleName=values["role"], PolicyName=name, PolicyDocument=values["policy"])
    return {"id": f"{values['role']}:{name}", "name": name, "role": values["role"]}


def _forget_role_policy(account: Account, _values: Values, attributes: Attributes) -> None:
    account.client("iam").delete_role_policy(RoleName=attributes["role"], PolicyName=attributes["name"])


def _attachment(account: Account, values: Values) -> Attributes:
    account.client("iam").attach_role_policy(RoleName=values["role"], PolicyArn=values["policy_arn"])
    return {"id": f"{values['role']}-{values['policy_arn']}", "role": values["role"], "arn": values["policy_arn"]}


def _detach(account: Account, _values: Values, attributes: Attributes) -> None:
    account.client("iam").detach_role_policy(RoleName=attributes["role"], PolicyArn=attributes["arn"])


def _instance_profile(account: Account, values: Values) -> Attributes:
    iam, name = account.client("iam"), name_of(values)
    made = iam.create_instance_profile(InstanceProfileName=name, Tags=tags(values))["InstanceProfile"]
    if values.get("role"):
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=values["role"])
    return {"id": name, "name": name, "arn": made["Arn"]}


def _provider(account: Account, values: Values) -> Attributes:
    names = {"url": "Url", "client_id_list": "ClientIDList", "thumbprint_list": "ThumbprintList"}
    arguments = {"ThumbprintList": ["0" * 40], **given(values, names)}
    made = account.client("iam").create_open_id_connect_provider(**arguments, Tags=tags(values))
    return {"id": made["OpenIDConnectProviderArn"], "arn": made["OpenIDConnectProviderArn"], "url": values["url"]}


KINDS = {
    "aws_iam_policy": Kind(_policy, _change_policy),
    "aws_iam_role": Kind(_role, _change_role),
    "aws_iam_role_policy": put(_role_policy, _forget_role_policy),
    "aws_iam_role_policy_attachment": Kind(_attachment, delete=_detach),
    "aws_iam_instance_profile": Kind(_instance_profile),
    "aws_iam_openid_connect_provider": Kind(_provider),
}
