"""Secrets of Secrets Manager and parameters of Systems Manager."""

from __future__ import annotations

import base64

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import Attributes, Kind, Values, given, name_of, put, tags


def _secret(account: Account, values: Values) -> Attributes:
    secrets, name = account.client("secretsmanager"), name_of(values)
    names = {"description": "Description", "kms_key_id": "KmsKeyId"}
    made = secrets.create_secret(Name=name, **given(values, names), Tags=tags(values))
    if values.get("policy"):
        secrets.put_resource_policy(SecretId=made["ARN"], ResourcePolicy=values["policy"])
    return {"id": made["ARN"], "arn": made["ARN"], "name": name}


def _change_secret(account: Account, values: Values, attributes: Attributes) -> Attributes:
    secrets = account.client("secretsmanager")
    names = {"description": "Description", "kms_key_id": "KmsKeyId"}
    secrets.update_secret(SecretId=attributes["arn"], **given(values, names))
    secrets.tag_resource(SecretId=attributes["arn"], Tags=tags(values))
    return attributes


def _delete_secret(account: Account, values: Values, attributes: Attributes) -> None:
    days = values.get("recovery_window_in_days")
    window = {"ForceDeleteWithoutRecovery": True} if days == 0 else {"RecoveryWindowInDays": int(days or 30)}
    account.client("secretsmanager").delete_secret(SecretId=attributes["arn"], **window)


def _version(account: Account, values: Values) -> Attributes:
    text = values.get("secret_string") or values.get("secret_string_wo")
    held: dict[str, object] = {"SecretString": text}
    if text is None:
        held = {"SecretBinary": base64.b64decode(values["secret_binary"])}
    stages = given(values, {"version_stages": "VersionStages"})
    made = account.client("secretsmanager").put_secret_value(SecretId=values["secret_id"], **held, **stages)
    return {
        "id": f"{made['ARN']}|{made['VersionId']}",
        "arn": made["ARN"],
        "version_id": made["VersionId"],
        "secret_id": made["ARN"],
    }


def _secret_policy(account: Account, values: Values) -> Attributes:
    account.client("secretsmanager").put_resource_policy(SecretId=values["secret_arn"], ResourcePolicy=values["policy"])
    return {"id": values["secret_arn"]}


def _parameter(account: Account, values: Values) -> Attributes:
    ssm, name = account.client("ssm"), name_of(values)
    value = values.get("value") or values.get("value_wo") or values.get("insecure_value")
    names = {"description": "Description", "type": "Type", "key_id": "KeyId", "tier": "Tier"}
    ssm.put_parameter(Name=name, Value=value, **given(values, names), Overwrite=True)
    if tags(values):
        ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags(values))
    path = name if name.startswith("/") else f"/{name}"
    arn = f"arn:{account.partition}:ssm:{account.region}:{account.account}:parameter{path}"
    return {"id": name, "name": name, "arn": arn, "version": 1}


KINDS = {
    "aws_secretsmanager_secret": Kind(_secret, _change_secret, _delete_secret),
    "aws_secretsmanager_secret_version": put(_version),
    "aws_secretsmanager_secret_policy": put(_secret_policy),
    "aws_ssm_parameter": put(_parameter),
}
