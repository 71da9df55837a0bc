"""The databases of RDS that exist, with their subnet groups and parameter groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infraspec.live.scope import Scope, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource

_INSTANCE, _SUBNETS, _PARAMETERS = "aws_db_instance", "aws_db_subnet_group", "aws_db_parameter_group"
_ATTRIBUTES = {
    "DBInstanceIdentifier": "identifier",
    "DBInstanceArn": "arn",
    "DbiResourceId": "resource_id",
    "Engine": "engine",
    "EngineVersion": "engine_version",
    "DBInstanceClass": "instance_class",
    "DBName": "db_name",
    "KmsKeyId": "kms_key_id",
    "MultiAZ": "multi_az",
    "StorageEncrypted": "storage_encrypted",
    "PubliclyAccessible": "publicly_accessible",
    "BackupRetentionPeriod": "backup_retention_period",
    "DeletionProtection": "deletion_protection",
    "EnabledCloudwatchLogsExports": "enabled_cloudwatch_logs_exports",
}


def database_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the databases, the subnet groups, and the parameter groups with what was set in them."""
    for database in scope.calls.pages("rds", "describe_db_instances", "DBInstances"):
        name, arn, tags = database["DBInstanceIdentifier"], database["DBInstanceArn"], tag_map(database.get("TagList"))
        if scope.belongs(_INSTANCE, name, tags=tags):
            yield scope.resource(_INSTANCE, name, address=arn, values=_database(database), tags=tags)
    for group in scope.calls.pages("rds", "describe_db_subnet_groups", "DBSubnetGroups"):
        name, arn = group["DBSubnetGroupName"], group["DBSubnetGroupArn"]
        if scope.belongs(_SUBNETS, name, tags=scope.tags_of(arn)):
            yield scope.resource(_SUBNETS, name, address=arn, values=_named(name, arn), tags=_tags(scope, arn))
    for group in scope.calls.pages("rds", "describe_db_parameter_groups", "DBParameterGroups"):
        name, arn = group["DBParameterGroupName"], group["DBParameterGroupArn"]
        if scope.belongs(_PARAMETERS, name, tags=scope.tags_of(arn)):
            found = scope.calls.pages(
                "rds", "describe_db_parameters", "Parameters", DBParameterGroupName=name, Source="user"
            )
            parameters = [{"name": one["ParameterName"], "value": one.get("ParameterValue")} for one in found]
            values = {**_named(name, arn), "family": group.get("DBParameterGroupFamily"), "parameter": parameters}
            yield scope.resource(_PARAMETERS, name, address=arn, values=values, tags=_tags(scope, arn))


def _database(database: Mapping[str, Any]) -> dict[str, Any]:
    groups = database.get("DBParameterGroups") or ()
    secret = database.get("MasterUserSecret")
    return {
        **chosen(database, _ATTRIBUTES),
        "id": database.get("DbiResourceId"),
        "replicate_source_db": database.get("ReadReplicaSourceDBInstanceIdentifier") or None,
        "port": (database.get("Endpoint") or {}).get("Port"),
        "parameter_group_name": groups[0]["DBParameterGroupName"] if groups else None,
        "db_subnet_group_name": (database.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "vpc_security_group_ids": [one["VpcSecurityGroupId"] for one in database.get("VpcSecurityGroups") or ()],
        "master_user_secret": [{"secret_arn": secret.get("SecretArn"), "kms_key_id": secret.get("KmsKeyId")}]
        if secret
        else None,
        "master_user_secret_kms_key_id": secret.get("KmsKeyId") if secret else None,
    }


def _named(name: str, arn: str) -> dict[str, Any]:
    return {"name": name, "arn": arn, "id": name}


def _tags(scope: Scope, arn: str) -> Mapping[str, str]:
    answer = scope.calls.ask("rds", "list_tags_for_resource", ResourceName=arn) or {}
    return tag_map(answer.get("TagList"))
