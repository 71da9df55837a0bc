"""KMS: keys and aliases."""

from __future__ import annotations

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import Attributes, Kind, Values, given, name_of, tags


def _key(account: Account, values: Values) -> Attributes:
    kms = account.client("kms")
    names = {"description": "Description", "policy": "Policy", "key_usage": "KeyUsage", "multi_region": "MultiRegion"}
    names["customer_master_key_spec"] = "KeySpec"
    made = kms.create_key(**given(values, names), Tags=tags(values, "TagKey", "TagValue"))["KeyMetadata"]
    if values.get("enable_key_rotation"):
        kms.enable_key_rotation(KeyId=made["KeyId"])
    return {"id": made["KeyId"], "key_id": made["KeyId"], "arn": made["Arn"]}


def _change_key(account: Account, values: Values, attributes: Attributes) -> Attributes:
    if values.get("policy"):
        account.client("kms").put_key_policy(KeyId=attributes["id"], PolicyName="default", Policy=values["policy"])
    return attributes


def _alias(account: Account, values: Values) -> Attributes:
    name = name_of(values)
    account.client("kms").create_alias(AliasName=name, TargetKeyId=values["target_key_id"])
    arn = f"arn:{account.partition}:kms:{account.region}:{account.account}:{name}"
    return {"id": name, "name": name, "arn": arn, "target_key_id": values["target_key_id"]}


def _key_policy(account: Account, values: Values) -> Attributes:
    account.client("kms").put_key_policy(KeyId=values["key_id"], PolicyName="default", Policy=values["policy"])
    return {"id": values["key_id"]}


KINDS = {
    "aws_kms_key": Kind(_key, _change_key),
    "aws_kms_alias": Kind(_alias),
    "aws_kms_key_policy": Kind(_key_policy, lambda account, values, _: _key_policy(account, values)),
}
