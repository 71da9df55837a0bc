"""IAM roles, policies and what attaches them; KMS keys; secrets of Secrets Manager; parameters of Systems Manager."""

from __future__ import annotations

import base64
from typing import Any

from infraspec.sandbox.resources.kind import (
    Attributes,
    Kind,
    Making,
    Values,
    blocks,
    deleting,
    given,
    name_of,
    put,
    tags,
)
from infraspec.sandbox.server_process import Account

_ROLE = Making(
    "iam.create_role",
    "name=RoleName Path Description PermissionsBoundary assume_role_policy=AssumeRolePolicyDocument MaxSessionDuration",
    "Role: id=RoleName name=RoleName Arn unique_id=RoleId",
    tags="Tags",
)


def _role(account: Account, values: Values) -> Attributes:
    made = _ROLE(account, values)
    _inside(account, made["name"], values)
    return made


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


def _attachment(account: Account, values: Values) -> Attributes:
    account.client("iam").attach_role_policy(RoleName=values["role"], PolicyArn=values["policy_arn"])
    return {"id": f"{values['role']}-{values['policy_arn']}", "role": values["role"], "arn": values["policy_arn"]}


def _instance_profile(account: Account, values: Values) -> Attributes:
    iam, name = account.client("iam"), name_of(values)
    made = iam.create_instance_profile(InstanceProfileName=name, Tags=tags(values))["InstanceProfile"]
    if values.get("role"):
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=values["role"])
    return {"id": name, "name": name, "arn": made["Arn"]}


def _provider(account: Account, values: Values) -> Attributes:
    arguments = {"ThumbprintList": ["0" * 40], **given(values, "Url client_id_list=ClientIDList ThumbprintList")}
    made = account.client("iam").create_open_id_connect_provider(**arguments, Tags=tags(values))
    return {"id": made["OpenIDConnectProviderArn"], "arn": made["OpenIDConnectProviderArn"], "url": values["url"]}


_KEY = Making(
    "kms.create_key",
    "Description Policy KeyUsage MultiRegion customer_master_key_spec=KeySpec",
    "KeyMetadata: id=KeyId KeyId Arn",
    tags="Tags",
    pair=("TagKey", "TagValue"),
)


def _key(account: Account, values: Values) -> Attributes:
    made = _KEY(account, values)
    if values.get("enable_key_rotation"):
        account.client("kms").enable_key_rotation(KeyId=made["id"])
    return made


def _change_key(account: Account, values: Values, attributes: Attributes) -> Attributes:
    if values.get("policy"):
        account.client("kms").put_key_policy(KeyId=attributes["id"], PolicyName="default", Policy=values["policy"])
    return attributes


def _alias(account: Account, values: Values) -> Attributes:
    name = name_of(values)
    account.client("kms").create_alias(AliasName=name, TargetKeyId=values["target_key_id"])
    return {"id": name, "name": name, "arn": account.arn("kms", name), "target_key_id": values["target_key_id"]}


_SECRET = Making("secretsmanager.create_secret", "Name Description KmsKeyId", "id=ARN arn=ARN Name", tags="Tags")


def _secret(account: Account, values: Values) -> Attributes:
    made = _SECRET(account, values)
    if values.get("policy"):
        account.client("secretsmanager").put_resource_policy(SecretId=made["arn"], ResourcePolicy=values["policy"])
    return made


def _change_secret(account: Account, values: Values, attributes: Attributes) -> Attributes:
    secrets = account.client("secretsmanager")
    secrets.update_secret(SecretId=attributes["arn"], **given(values, "Description KmsKeyId"))
    secrets.tag_resource(SecretId=attributes["arn"], Tags=tags(values))
    return attributes


def _delete_secret(account: Account, values: Values, attributes: Attributes) -> None:
    days = values.get("recovery_window_in_days")
    window = {"ForceDeleteWithoutRecovery": True} if days == 0 else {"RecoveryWindowInDays": int(days or 30)}
    account.client("secretsmanager").delete_secret(SecretId=attributes["arn"], **window)


def _version(account: Account, values: Values) -> Attributes:
    text = values.get("secret_string") or values.get("secret_string_wo")
    held: dict[str, Any] = {"SecretString": text}
    if text is None:
        held = {"SecretBinary": base64.b64decode(values["secret_binary"])}
    client = account.client("secretsmanager")
    made = client.put_secret_value(SecretId=values["secret_id"], **held, **given(values, "VersionStages"))
    version = made["VersionId"]
    return {"id": f"{made['ARN']}|{version}", "arn": made["ARN"], "version_id": version, "secret_id": made["ARN"]}


def _parameter(account: Account, values: Values) -> Attributes:
    ssm, name = account.client("ssm"), name_of(values)
    value = values.get("value") or values.get("value_wo") or values.get("insecure_value")
    ssm.put_parameter(Name=name, Value=value, **given(values, "Description Type KeyId Tier"), Overwrite=True)
    if tags(values):
        ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags(values))
    path = name if name.startswith("/") else f"/{name}"
    return {"id": name, "name": name, "arn": account.arn("ssm", f"parameter{path}"), "version": 1}


KINDS = {
    "aws_kms_key": Kind(_key, _change_key),
    "aws_kms_alias": Kind(_alias),
    "aws_kms_key_policy": put(
        Making("kms.put_key_policy", "KeyId Policy", kept="id=key_id", fixed={"PolicyName": "default"})
    ),
    "aws_iam_policy": Kind(
        Making(
            "iam.create_policy",
            "name=PolicyName Path Description policy=PolicyDocument",
            "Policy: id=Arn Arn name=PolicyName PolicyId",
            tags="Tags",
        ),
        _change_policy,
    ),
    "aws_iam_role": Kind(_role, _change_role),
    "aws_iam_role_policy": put(_role_policy, deleting("iam.delete_role_policy", "role=RoleName name=PolicyName")),
    "aws_iam_role_policy_attachment": Kind(
        _attachment, delete=deleting("iam.detach_role_policy", "role=RoleName arn=PolicyArn")
    ),
    "aws_iam_instance_profile": Kind(_instance_profile),
    "aws_iam_openid_connect_provider": Kind(_provider),
    "aws_secretsmanager_secret": Kind(_secret, _change_secret, _delete_secret),
    "aws_secretsmanager_secret_version": put(_version),
    "aws_secretsmanager_secret_policy": put(
        Making("secretsmanager.put_resource_policy", "secret_arn=SecretId policy=ResourcePolicy", kept="id=secret_arn")
    ),
    "aws_ssm_parameter": put(_parameter),
}
