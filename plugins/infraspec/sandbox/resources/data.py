"""S3 buckets with their settings, tables of DynamoDB, and RDS: instances with their subnet and parameter groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infraspec.resource_types.listing import names
from infraspec.sandbox.resources.kind import (
    Attributes,
    Kind,
    Making,
    Values,
    block,
    blocks,
    given,
    integers,
    name_of,
    put,
    tags,
)
from infraspec.sandbox.server_process import Account

_CHANGEABLE = (
    "instance_class=DBInstanceClass StorageType VpcSecurityGroupIds AutoMinorVersionUpgrade PubliclyAccessible "
    "CopyTagsToSnapshot DeletionProtection multi_az=MultiAZ MonitoringRoleArn"
)
_COMMON = f"{_CHANGEABLE} AvailabilityZone KmsKeyId enabled_cloudwatch_logs_exports=EnableCloudwatchLogsExports"
_OWN = (
    "Engine EngineVersion db_name=DBName username=MasterUsername ManageMasterUserPassword MasterUserSecretKmsKeyId "
    "StorageEncrypted db_subnet_group_name=DBSubnetGroupName parameter_group_name=DBParameterGroupName "
    "maintenance_window=PreferredMaintenanceWindow backup_window=PreferredBackupWindow "
    "iam_database_authentication_enabled=EnableIAMDatabaseAuthentication "
    "performance_insights_enabled=EnablePerformanceInsights"
)
_NUMBERS = "Port MaxAllocatedStorage BackupRetentionPeriod MonitoringInterval"


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


def _configuring(operation: str, argument: str, read: Callable[[Values], dict[str, Any]]) -> Kind:
    """Return the kind of a configuration of a bucket, which one argument of a call takes whole."""

    def make(account: Account, values: Values) -> Attributes:
        getattr(account.client("s3"), operation)(Bucket=values["bucket"], **{argument: read(values)})
        return {"id": values["bucket"]}

    return put(make)


def _encryption(values: Values) -> dict[str, Any]:
    written = "sse_algorithm=SSEAlgorithm kms_master_key_id=KMSMasterKeyID"
    rules = []
    for rule in blocks(values, "rule"):
        default = given(block(rule, "apply_server_side_encryption_by_default"), written)
        enabled = bool(rule.get("bucket_key_enabled"))
        rules.append({"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": enabled})
    return {"Rules": rules}


def _public_access(values: Values) -> dict[str, Any]:
    flags = names("BlockPublicAcls BlockPublicPolicy IgnorePublicAcls RestrictPublicBuckets")
    return {api: bool(values.get(name)) for name, api in flags.items()}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"ID": rule["id"], "Status": rule["status"]}
    made["Filter"] = given(block(rule, "filter"), "Prefix") or {"Prefix": ""}
    if rule.get("expiration"):
        made["Expiration"] = given(block(rule, "expiration"), "Days")
    if rule.get("noncurrent_version_expiration"):
        older = block(rule, "noncurrent_version_expiration")
        made["NoncurrentVersionExpiration"] = given(older, "NoncurrentDays NewerNoncurrentVersions")
    if rule.get("abort_incomplete_multipart_upload"):
        days = given(block(rule, "abort_incomplete_multipart_upload"), "DaysAfterInitiation")
        made["AbortIncompleteMultipartUpload"] = days
    return made


def _object(account: Account, values: Values) -> Attributes:
    body = str(values.get("content") or "").encode()
    made = account.client("s3").put_object(
        Bucket=values["bucket"], Key=values["key"], Body=body, **given(values, "ContentType")
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
        arguments["ProvisionedThroughput"] = given(
            values, "read_capacity=ReadCapacityUnits write_capacity=WriteCapacityUnits"
        )
    if block(values, "server_side_encryption").get("enabled"):
        key = given(block(values, "server_side_encryption"), "kms_key_arn=KMSMasterKeyId")
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


def _instance(account: Account, values: Values) -> Attributes:
    rds, identifier = account.client("rds"), name_of(values, "identifier")
    common = {**given(values, _COMMON), **integers(values, _NUMBERS), "Tags": tags(values)}
    source = values.get("replicate_source_db")
    if source:
        common.pop("BackupRetentionPeriod", None)
        if values.get("parameter_group_name"):
            common["DBParameterGroupName"] = values["parameter_group_name"]
        made = rds.create_db_instance_read_replica(
            DBInstanceIdentifier=identifier, SourceDBInstanceIdentifier=source, **common
        )
        _complete_replica(account, identifier, values)
    else:
        made = rds.create_db_instance(
            DBInstanceIdentifier=identifier,
            **common,
            **given(values, _OWN),
            **integers(values, "AllocatedStorage"),
            **_password(values),
        )
    return _attributes(identifier, made["DBInstance"])


def _complete_replica(account: Account, identifier: str, values: Values) -> None:
    """Set what a replica takes only after its creation."""
    changes = integers(values, "BackupRetentionPeriod MaxAllocatedStorage")
    if changes:
        account.client("rds").modify_db_instance(DBInstanceIdentifier=identifier, ApplyImmediately=True, **changes)


def _password(values: Values) -> dict[str, Any]:
    if values.get("manage_master_user_password"):
        return {}
    return {"MasterUserPassword": values.get("password") or values.get("password_wo") or "not-known-to-anybody"}


def _attributes(identifier: str, made: dict[str, Any]) -> Attributes:
    endpoint = made.get("Endpoint") or {}
    address, port = endpoint.get("Address", ""), endpoint.get("Port", 0)
    attributes = {
        "id": identifier,
        "identifier": identifier,
        "arn": made["DBInstanceArn"],
        "address": address,
        "port": port,
        "endpoint": f"{address}:{port}",
        "resource_id": made.get("DbiResourceId"),
    }
    secret = made.get("MasterUserSecret")
    if secret:
        attributes["master_user_secret"] = [{"secret_arn": secret["SecretArn"]}]
    return attributes


def _change_instance(account: Account, values: Values, attributes: Attributes) -> Attributes:
    account.client("rds").modify_db_instance(
        DBInstanceIdentifier=attributes["identifier"],
        ApplyImmediately=True,
        **given(values, _CHANGEABLE),
        **integers(values, "BackupRetentionPeriod"),
    )
    return attributes


def _parameter_group(account: Account, values: Values) -> Attributes:
    rds, name = account.client("rds"), name_of(values)
    made = rds.create_db_parameter_group(
        DBParameterGroupName=name,
        DBParameterGroupFamily=values["family"],
        Description=values.get("description") or "Managed by Terraform",
        Tags=tags(values),
    )
    parameters = [
        {
            "ParameterName": parameter["name"],
            "ParameterValue": str(parameter["value"]),
            "ApplyMethod": parameter.get("apply_method") or "immediate",
        }
        for parameter in blocks(values, "parameter")
    ]
    if parameters:
        rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=parameters)
    return {"id": name, "name": name, "arn": made["DBParameterGroup"]["DBParameterGroupArn"]}


def _subnet_group(account: Account, values: Values) -> Attributes:
    described = {**values, "description": values.get("description") or "Managed by Terraform"}
    return _SUBNET_GROUP(account, described)


_SUBNET_GROUP = Making(
    "rds.create_db_subnet_group",
    "name=DBSubnetGroupName description=DBSubnetGroupDescription SubnetIds",
    "DBSubnetGroup: id=DBSubnetGroupName name=DBSubnetGroupName arn=DBSubnetGroupArn",
    tags="Tags",
)


KINDS = {
    "aws_s3_bucket": Kind(_bucket),
    "aws_s3_bucket_versioning": _configuring(
        "put_bucket_versioning",
        "VersioningConfiguration",
        lambda values: {"Status": block(values, "versioning_configuration").get("status", "Enabled")},
    ),
    "aws_s3_bucket_server_side_encryption_configuration": _configuring(
        "put_bucket_encryption", "ServerSideEncryptionConfiguration", _encryption
    ),
    "aws_s3_bucket_public_access_block": _configuring(
        "put_public_access_block", "PublicAccessBlockConfiguration", _public_access
    ),
    "aws_s3_bucket_ownership_controls": _configuring(
        "put_bucket_ownership_controls",
        "OwnershipControls",
        lambda values: {"Rules": [{"ObjectOwnership": one["object_ownership"]} for one in blocks(values, "rule")]},
    ),
    "aws_s3_bucket_lifecycle_configuration": _configuring(
        "put_bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        lambda values: {"Rules": [_rule(one) for one in blocks(values, "rule")]},
    ),
    "aws_s3_bucket_policy": put(Making("s3.put_bucket_policy", "Bucket Policy", kept="id=bucket")),
    "aws_s3_object": put(_object),
    "aws_dynamodb_table": Kind(_table),
    "aws_db_subnet_group": Kind(_subnet_group),
    "aws_db_parameter_group": Kind(_parameter_group),
    "aws_db_instance": Kind(_instance, _change_instance),
}
