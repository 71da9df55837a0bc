"""S3 buckets with their settings, and DynamoDB tables: where Terraform keeps its state, and other data."""

from __future__ import annotations

from typing import Any

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import Attributes, Kind, Values, block, blocks, given, name_of, put, tags


def _bucket(account: Account, values: Values) -> Attributes:
    s3, name = account.client("s3"), name_of(values, "bucket")
    place = {} if account.region == "us-east-1" else {"LocationConstraint": account.region}
    s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
    if tags(values):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags(values)})
    arn = f"arn:{account.partition}:s3:::{name}"
    domain = f"{name}.s3.amazonaws.com"
    regional = f"{name}.s3.{account.region}.amazonaws.com"
    return {
        "id": name,
        "bucket": name,
        "arn": arn,
        "bucket_domain_name": domain,
        "bucket_regional_domain_name": regional,
    }


def _versioning(account: Account, values: Values) -> Attributes:
    status = block(values, "versioning_configuration").get("status", "Enabled")
    account.client("s3").put_bucket_versioning(Bucket=values["bucket"], VersioningConfiguration={"Status": status})
    return {"id": values["bucket"]}


def _encryption(account: Account, values: Values) -> Attributes:
    rules = []
    for rule in blocks(values, "rule"):
        default = block(rule, "apply_server_side_encryption_by_default")
        names = {"sse_algorithm": "SSEAlgorithm", "kms_master_key_id": "KMSMasterKeyID"}
        enabled = bool(rule.get("bucket_key_enabled"))
        rules.append({"ApplyServerSideEncryptionByDefault": given(default, names), "BucketKeyEnabled": enabled})
    configuration = {"Rules": rules}
    account.client("s3").put_bucket_encryption(Bucket=values["bucket"], ServerSideEncryptionConfiguration=configuration)
    return {"id": values["bucket"]}


def _public_access(account: Account, values: Values) -> Attributes:
    names = {
        "block_public_acls": "BlockPublicAcls",
        "block_public_policy": "BlockPublicPolicy",
        "ignore_public_acls": "IgnorePublicAcls",
        "restrict_public_buckets": "RestrictPublicBuckets",
    }
    blocked = {api: bool(values.get(name)) for name, api in names.items()}
    account.client("s3").put_public_access_block(Bucket=values["bucket"], PublicAccessBlockConfiguration=blocked)
    return {"id": values["bucket"]}


def _ownership(account: Account, values: Values) -> Attributes:
    rules = [{"ObjectOwnership": rule["object_ownership"]} for rule in blocks(values, "rule")]
    account.client("s3").put_bucket_ownership_controls(Bucket=values["bucket"], OwnershipControls={"Rules": rules})
    return {"id": values["bucket"]}


def _lifecycle(account: Account, values: Values) -> Attributes:
    rules = [_rule(rule) for rule in blocks(values, "rule")]
    account.client("s3").put_bucket_lifecycle_configuration(
        Bucket=values["bucket"], LifecycleConfiguration={"Rules": rules}
    )
    return {"id": values["bucket"]}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"ID": rule["id"], "Status": rule["status"]}
    made["Filter"] = given(block(rule, "filter"), {"prefix": "Prefix"}) or {"Prefix": ""}
    if rule.get("expiration"):
        made["Expiration"] = given(block(rule, "expiration"), {"days": "Days"})
    if rule.get("noncurrent_version_expiration"):
        names = {"noncurrent_days": "NoncurrentDays", "newer_noncurrent_versions": "NewerNoncurrentVersions"}
        made["NoncurrentVersionExpiration"] = given(block(rule, "noncurrent_version_expiration"), names)
    if rule.get("abort_incomplete_multipart_upload"):
        days = given(block(rule, "abort_incomplete_multipart_upload"), {"days_after_initiation": "DaysAfterInitiation"})
        made["AbortIncompleteMultipartUpload"] = days
    return made


def _bucket_policy(account: Account, values: Values) -> Attributes:
    account.client("s3").put_bucket_policy(Bucket=values["bucket"], Policy=values["policy"])
    return {"id": values["bucket"]}


def _object(account: Account, values: Values) -> Attributes:
    names = {"content_type": "ContentType"}
    body = str(values.get("content") or "").encode()
    made = account.client("s3").put_object(
        Bucket=values["bucket"], Key=values["key"], Body=body, **given(values, names)
    )
    arn = f"arn:{account.partition}:s3:::{values['bucket']}/{values['key']}"
    return {"id": values["key"], "arn": arn, "etag": made["ETag"]}


def _table(account: Account, values: Values) -> Attributes:
    dynamodb, name = account.client("dynamodb"), name_of(values)
    schema = [{"AttributeName": values["hash_key"], "KeyType": "HASH"}]
    if values.get("range_key"):
        schema.append({"AttributeName": values["range_key"], "KeyType": "RANGE"})
    arguments: dict[str, Any] = {"BillingMode": values.get("billing_mode") or "PROVISIONED"}
    if arguments["BillingMode"] == "PROVISIONED":
        names = {"read_capacity": "ReadCapacityUnits", "write_capacity": "WriteCapacityUnits"}
        arguments["ProvisionedThroughput"] = given(values, names)
    if block(values, "server_side_encryption").get("enabled"):
        key = given(block(values, "server_side_encryption"), {"kms_key_arn": "KMSMasterKeyId"})
        arguments["SSESpecification"] = {"Enabled": True, "SSEType": "KMS", **key}
    made = dynamodb.create_table(
        TableName=name,
        KeySchema=schema,
        AttributeDefinitions=[
            {"AttributeName": item["name"], "AttributeType": item["type"]} for item in blocks(values, "attribute")
        ],
        DeletionProtectionEnabled=bool(values.get("deletion_protection_enabled")),
        Tags=tags(values),
        **arguments,
    )["TableDescription"]
    if block(values, "point_in_time_recovery").get("enabled"):
        recovery = {"PointInTimeRecoveryEnabled": True}
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    return {"id": name, "name": name, "arn": made["TableArn"]}


KINDS = {
    "aws_s3_bucket": Kind(_bucket),
    "aws_s3_bucket_versioning": put(_versioning),
    "aws_s3_bucket_server_side_encryption_configuration": put(_encryption),
    "aws_s3_bucket_public_access_block": put(_public_access),
    "aws_s3_bucket_ownership_controls": put(_ownership),
    "aws_s3_bucket_lifecycle_configuration": put(_lifecycle),
    "aws_s3_bucket_policy": put(_bucket_policy),
    "aws_s3_object": put(_object),
    "aws_dynamodb_table": Kind(_table),
}
