"""Databases, caches, warehouses and search."""

from __future__ import annotations

from infraspec.resource_types.listing import Blocks, Call, Listing, attributes
from infraspec.resource_types.model import (
    IN_PLACE,
    REPLACED,
    Drift,
    Policy,
    PolicyKind,
    PolicyLimit,
    ResourceType,
    words,
)

RESOURCE = PolicyKind.RESOURCE
_TABLE = PolicyLimit(20_480, "DynamoDB, PutResourcePolicy", blanks=True)

_RDS_TAGS = Call("ListTagsForResource", "TagList", {"ResourceName": "arn"})

TYPES = (
    ResourceType("aws_dax_cluster", "cluster_name", tag_types=("dax:cache",)),
    ResourceType("aws_db_cluster_snapshot", tag_types=("rds:cluster-snapshot",), stateful=True),
    ResourceType("aws_db_event_subscription", "name", tag_types=("rds:es",)),
    ResourceType(
        "aws_db_instance",
        "identifier",
        renaming=IN_PLACE,
        tag_types=("rds:db",),
        secrets=words("password password_wo"),
        stateful=True,
        assigned={"arn": "arn:{partition}:rds:{region}:{account}:db:{name}", "identifier": "{name}"},
        drift=Drift(
            words(
                "engine engine_version instance_class multi_az storage_encrypted publicly_accessible "
                "deletion_protection parameter_group_name db_subnet_group_name vpc_security_group_ids "
                "enabled_cloudwatch_logs_exports"
            ),
            left_out=("enabled_cloudwatch_logs_exports",),
            inherited=("enabled_cloudwatch_logs_exports",),
            defaults={"deletion_protection": False, "publicly_accessible": False},
        ),
        listing=Listing(
            "rds",
            Call("DescribeDBInstances", "DBInstances"),
            attributes(
                "identifier=DBInstanceIdentifier arn=DBInstanceArn id=DbiResourceId resource_id=DbiResourceId "
                "instance_class=DBInstanceClass db_name=DBName Engine EngineVersion KmsKeyId MultiAZ "
                "StorageEncrypted PubliclyAccessible "
                "BackupRetentionPeriod DeletionProtection EnabledCloudwatchLogsExports port=Endpoint.Port "
                "replicate_source_db=ReadReplicaSourceDBInstanceIdentifier? "
                "parameter_group_name=DBParameterGroups.0.DBParameterGroupName "
                "db_subnet_group_name=DBSubnetGroup.DBSubnetGroupName "
                "vpc_security_group_ids=VpcSecurityGroups.*.VpcSecurityGroupId "
                "master_user_secret_kms_key_id=MasterUserSecret.KmsKeyId",
                master_user_secret=Blocks("MasterUserSecret", attributes("SecretArn KmsKeyId")),
            ),
            tags="TagList",
        ),
    ),
    ResourceType("aws_db_option_group", "name", renaming=REPLACED, tag_types=("rds:og",)),
    ResourceType(
        "aws_db_parameter_group",
        "name",
        renaming=REPLACED,
        tag_types=("rds:pg",),
        drift=Drift(),
        listing=Listing(
            "rds",
            Call("DescribeDBParameterGroups", "DBParameterGroups"),
            attributes(
                "name=DBParameterGroupName arn=DBParameterGroupArn id=DBParameterGroupName "
                "family=DBParameterGroupFamily",
                parameter=Blocks("Parameters", attributes("name=ParameterName value=ParameterValue")),
            ),
            tags_call=_RDS_TAGS,
            detail=Call(
                "DescribeDBParameters",
                "Parameters",
                {"DBParameterGroupName": "name"},
                {"Source": "user"},
                is_paged=True,
            ),
        ),
    ),
    ResourceType("aws_db_proxy", "name", tag_types=("rds:db-proxy",)),
    ResourceType("aws_db_proxy_endpoint", tag_types=("rds:db-proxy-endpoint",)),
    ResourceType("aws_db_snapshot", tag_types=("rds:snapshot",), stateful=True),
    ResourceType(
        "aws_db_subnet_group",
        "name",
        renaming=REPLACED,
        tag_types=("rds:subgrp",),
        drift=Drift(),
        listing=Listing(
            "rds",
            Call("DescribeDBSubnetGroups", "DBSubnetGroups"),
            attributes("name=DBSubnetGroupName arn=DBSubnetGroupArn id=DBSubnetGroupName"),
            tags_call=_RDS_TAGS,
        ),
    ),
    ResourceType("aws_dms_certificate", tag_types=("dms:cert",), secrets=words("certificate_pem certificate_wallet")),
    ResourceType(
        "aws_dms_endpoint",
        "endpoint_id",
        tag_types=("dms:endpoint",),
        secrets=words(
            "password kafka_settings.sasl_password kafka_settings.ssl_client_key_password redis_settings.auth_password"
        ),
    ),
    ResourceType("aws_dms_event_subscription", tag_types=("dms:es",)),
    ResourceType("aws_dms_replication_instance", "replication_instance_id", tag_types=("dms:rep",)),
    ResourceType("aws_dms_replication_subnet_group", tag_types=("dms:subgrp",)),
    ResourceType("aws_dms_replication_task", "replication_task_id", tag_types=("dms:task",)),
    ResourceType(
        "aws_docdb_cluster",
        "cluster_identifier",
        renaming=REPLACED,
        tag_types=("rds:cluster",),
        secrets=words("master_password master_password_wo"),
        stateful=True,
    ),
    ResourceType("aws_docdb_cluster_instance", "identifier", tag_types=("rds:db",)),
    ResourceType("aws_docdb_cluster_parameter_group", tag_types=("rds:cluster-pg",)),
    ResourceType("aws_docdb_event_subscription", tag_types=("rds:es",)),
    ResourceType("aws_docdb_subnet_group", "name", tag_types=("rds:subgrp",)),
    ResourceType("aws_docdbelastic_cluster", secrets=("admin_user_password",), stateful=True),
    ResourceType("aws_dsql_cluster", stateful=True),
    ResourceType(
        "aws_dsql_cluster_policy", policies=(Policy(RESOURCE, of="identifier", owners=("aws_dsql_cluster",)),)
    ),
    ResourceType("aws_dynamodb_global_table", stateful=True),
    ResourceType(
        "aws_dynamodb_resource_policy",
        policies=(
            Policy(RESOURCE, of="resource_arn", owners=("aws_dynamodb_table",), services="dynamodb", limit=_TABLE),
        ),
    ),
    ResourceType(
        "aws_dynamodb_table",
        "name",
        renaming=REPLACED,
        tag_types=("dynamodb:table",),
        stateful=True,
        assigned={"arn": "arn:{partition}:dynamodb:{region}:{account}:table/{name}", "id": "{name}"},
        drift=Drift(words("billing_mode hash_key")),
        listing=Listing("dynamodb", Call("ListTables", "TableNames"), attributes("name=TableNames id=TableNames")),
    ),
    ResourceType(
        "aws_elasticache_cluster", "cluster_id", renaming=REPLACED, tag_types=("elasticache:cluster",), stateful=True
    ),
    ResourceType(
        "aws_elasticache_parameter_group", "name", renaming=REPLACED, tag_types=("elasticache:parametergroup",)
    ),
    ResourceType(
        "aws_elasticache_replication_group",
        "replication_group_id",
        renaming=REPLACED,
        tag_types=("elasticache:replicationgroup",),
        secrets=words("auth_token auth_token_wo"),
        stateful=True,
    ),
    ResourceType("aws_elasticache_serverless_cache", tag_types=("elasticache:serverlesscache",)),
    ResourceType("aws_elasticache_subnet_group", "name", renaming=REPLACED, tag_types=("elasticache:subnetgroup",)),
    ResourceType(
        "aws_elasticache_user",
        "user_id",
        tag_types=("elasticache:user",),
        secrets=words("passwords authentication_mode.passwords passwords_wo"),
    ),
    ResourceType("aws_elasticache_user_group", "user_group_id", tag_types=("elasticache:usergroup",)),
    ResourceType(
        "aws_elasticsearch_domain",
        "domain_name",
        renaming=REPLACED,
        tag_types=("es:domain",),
        secrets=("advanced_security_options.master_user_options.master_user_password",),
        stateful=True,
        policies=(Policy(RESOURCE, "access_policies"),),
    ),
    ResourceType(
        "aws_elasticsearch_domain_policy",
        policies=(Policy(RESOURCE, "access_policies", of="domain_name", owners=("aws_elasticsearch_domain",)),),
    ),
    ResourceType("aws_elasticsearch_domain_saml_options", secrets=("saml_options.master_user_name",)),
    ResourceType("aws_keyspaces_keyspace", tag_types=("cassandra:keyspace",)),
    ResourceType("aws_keyspaces_table", "table_name", tag_types=("cassandra:table",), stateful=True),
    ResourceType("aws_memorydb_acl", tag_types=("memorydb:acl",)),
    ResourceType("aws_memorydb_cluster", "name", tag_types=("memorydb:cluster",), stateful=True),
    ResourceType("aws_memorydb_subnet_group", tag_types=("memorydb:subnetgroup",)),
    ResourceType("aws_memorydb_user", tag_types=("memorydb:user",), secrets=("authentication_mode.passwords",)),
    ResourceType("aws_neptune_cluster", "cluster_identifier", tag_types=("rds:cluster",), stateful=True),
    ResourceType("aws_neptune_cluster_instance", "identifier", tag_types=("rds:db",)),
    ResourceType("aws_neptune_cluster_parameter_group", tag_types=("rds:cluster-pg",)),
    ResourceType("aws_neptune_event_subscription", tag_types=("rds:es",)),
    ResourceType("aws_neptune_parameter_group", tag_types=("rds:pg",)),
    ResourceType("aws_neptune_subnet_group", "name", tag_types=("rds:subgrp",)),
    ResourceType(
        "aws_opensearch_domain",
        "domain_name",
        renaming=REPLACED,
        tag_types=("es:domain",),
        secrets=("advanced_security_options.master_user_options.master_user_password",),
        stateful=True,
        policies=(Policy(RESOURCE, "access_policies"),),
    ),
    ResourceType(
        "aws_opensearch_domain_policy",
        policies=(Policy(RESOURCE, "access_policies", of="domain_name", owners=("aws_opensearch_domain",)),),
    ),
    ResourceType("aws_opensearch_domain_saml_options", secrets=("saml_options.master_user_name",)),
    ResourceType("aws_opensearchserverless_collection", "name", tag_types=("aoss:collection",), stateful=True),
    ResourceType(
        "aws_osis_resource_policy", policies=(Policy(RESOURCE, of="resource_arn", owners=("aws_osis_pipeline",)),)
    ),
    ResourceType(
        "aws_rds_cluster",
        "cluster_identifier",
        renaming=REPLACED,
        tag_types=("rds:cluster",),
        secrets=words("master_password master_password_wo"),
        stateful=True,
        assigned={"arn": "arn:{partition}:rds:{region}:{account}:cluster:{name}"},
    ),
    ResourceType("aws_rds_cluster_endpoint", tag_types=("rds:cluster-endpoint",)),
    ResourceType("aws_rds_cluster_instance", "identifier", tag_types=("rds:db",)),
    ResourceType("aws_rds_cluster_parameter_group", "name", renaming=REPLACED, tag_types=("rds:cluster-pg",)),
    ResourceType("aws_rds_global_cluster", "global_cluster_identifier", stateful=True),
    ResourceType(
        "aws_redshift_cluster",
        "cluster_identifier",
        renaming=REPLACED,
        tag_types=("redshift:cluster",),
        secrets=words("master_password master_password_wo"),
        stateful=True,
    ),
    ResourceType("aws_redshift_cluster_credentials", secrets=("db_password",)),
    ResourceType("aws_redshift_event_subscription", tag_types=("redshift:eventsubscription",)),
    ResourceType("aws_redshift_hsm_configuration", secrets=("hsm_partition_password",)),
    ResourceType("aws_redshift_parameter_group", "name", tag_types=("redshift:parametergroup",)),
    ResourceType(
        "aws_redshift_resource_policy",
        policies=(
            Policy(RESOURCE, of="resource_arn", owners=("aws_redshift_cluster", "aws_redshiftserverless_namespace")),
        ),
    ),
    ResourceType("aws_redshift_subnet_group", "name", tag_types=("redshift:subnetgroup",)),
    ResourceType("aws_redshiftserverless_credentials", secrets=("db_password",)),
    ResourceType(
        "aws_redshiftserverless_namespace",
        "namespace_name",
        tag_types=("redshift-serverless:namespace",),
        secrets=words("admin_user_password admin_user_password_wo admin_username"),
        stateful=True,
    ),
    ResourceType(
        "aws_redshiftserverless_resource_policy",
        policies=(
            Policy(
                RESOURCE,
                of="resource_arn",
                owners=("aws_redshiftserverless_namespace", "aws_redshiftserverless_snapshot"),
            ),
        ),
    ),
    ResourceType("aws_redshiftserverless_workgroup", "workgroup_name", tag_types=("redshift-serverless:workgroup",)),
    ResourceType("aws_timestreaminfluxdb_db_cluster", secrets=("password",)),
    ResourceType("aws_timestreaminfluxdb_db_instance", secrets=("password",)),
    ResourceType("aws_timestreamwrite_database", "database_name", stateful=True),
    ResourceType("aws_timestreamwrite_table", "table_name", stateful=True),
)
