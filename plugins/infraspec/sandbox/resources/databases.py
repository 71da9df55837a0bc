"""RDS: instances with their subnet and parameter groups."""

from __future__ import annotations

from typing import Any

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import Attributes, Kind, Values, blocks, given, integers, name_of, tags

_COMMON = {
    "instance_class": "DBInstanceClass",
    "storage_type": "StorageType",
    "vpc_security_group_ids": "VpcSecurityGroupIds",
    "availability_zone": "AvailabilityZone",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "publicly_accessible": "PubliclyAccessible",
    "copy_tags_to_snapshot": "CopyTagsToSnapshot",
    "deletion_protection": "DeletionProtection",
    "multi_az": "MultiAZ",
    "enabled_cloudwatch_logs_exports": "EnableCloudwatchLogsExports",
    "monitoring_role_arn": "MonitoringRoleArn",
    "kms_key_id": "KmsKeyId",
}
_OWN = {
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "db_name": "DBName",
    "username": "MasterUsername",
    "manage_master_user_password": "ManageMasterUserPassword",
    "master_user_secret_kms_key_id": "MasterUserSecretKmsKeyId",
    "storage_encrypted": "StorageEncrypted",
    "db_subnet_group_name": "DBSubnetGroupName",
    "parameter_group_name": "DBParameterGroupName",
    "maintenance_window": "PreferredMaintenanceWindow",
    "backup_window": "PreferredBackupWindow",
    "iam_database_authentication_enabled": "EnableIAMDatabaseAuthentication",
    "performance_insights_enabled": "EnablePerformanceInsights",
}
_NUMBERS = {
    "port": "Port",
    "max_allocated_storage": "MaxAllocatedStorage",
    "backup_retention_period": "BackupRetentionPeriod",
    "monitoring_interval": "MonitoringInterval",
}


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
            **integers(values, {"allocated_storage": "AllocatedStorage"}),
            **_password(values),
        )
    return _attributes(identifier, made["DBInstance"])


def _complete_replica(account: Account, identifier: str, values: Values) -> None:
    """Set what a replica takes only after its creation."""
    names = {"backup_retention_period": "BackupRetentionPeriod", "max_allocated_storage": "MaxAllocatedStorage"}
    changes = integers(values, names)
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
    fixed = {"availability_zone", "enabled_cloudwatch_logs_exports", "kms_key_id"}
    names = {name: api for name, api in _COMMON.items() if name not in fixed}
    account.client("rds").modify_db_instance(
        DBInstanceIdentifier=attributes["identifier"],
        ApplyImmediately=True,
        **given(values, names),
        **integers(values, {"backup_retention_period": "BackupRetentionPeriod"}),
    )
    return attributes


def _subnet_group(account: Account, values: Values) -> Attributes:
    name = name_of(values)
    made = account.client("rds").create_db_subnet_group(
        DBSubnetGroupName=name,
        DBSubnetGroupDescription=values.get("description") or "Managed by Terraform",
        SubnetIds=values["subnet_ids"],
        Tags=tags(values),
    )
    return {"id": name, "name": name, "arn": made["DBSubnetGroup"]["DBSubnetGroupArn"]}


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


KINDS = {
    "aws_db_subnet_group": Kind(_subnet_group),
    "aws_db_parameter_group": Kind(_parameter_group),
    "aws_db_instance": Kind(_instance, _change_instance),
}
