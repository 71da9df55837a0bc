"""Which attribute holds the name of a resource.

Source: the argument references of the Terraform AWS provider. Where the provider makes a name up from a prefix
(`name_prefix`, `identifier_prefix`, `bucket_prefix`), the name is that prefix and an unknown rest.
"""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.conventions.effective_tags import EffectiveTags
from infraspec.unknown import Text, Unknown, Value, computed_from, concatenate, render

_BY_ATTRIBUTE = {
    "alarm_name": "cloudwatch_composite_alarm cloudwatch_metric_alarm",
    "broker_name": "mq_broker",
    "bucket": "s3_bucket s3_directory_bucket",
    "cluster_id": "elasticache_cluster",
    "cluster_identifier": "rds_cluster docdb_cluster neptune_cluster redshift_cluster",
    "cluster_name": "msk_cluster msk_serverless_cluster dax_cluster",
    "function_name": "lambda_function",
    "identifier": "db_instance rds_cluster_instance docdb_cluster_instance neptune_cluster_instance",
    "family": "ecs_task_definition",
    "key_name": "key_pair",
    "layer_name": "lambda_layer_version",
    "dashboard_name": "cloudwatch_dashboard",
    "deployment_group_name": "codedeploy_deployment_group",
    "domain_name": "elasticsearch_domain opensearch_domain",
    "fargate_profile_name": "eks_fargate_profile",
    "node_group_name": "eks_node_group",
    "replication_group_id": "elasticache_replication_group",
    "user_id": "elasticache_user",
    "user_group_id": "elasticache_user_group",
    "global_cluster_identifier": "rds_global_cluster",
    "namespace_name": "redshiftserverless_namespace",
    "workgroup_name": "redshiftserverless_workgroup",
    "repository": "codeartifact_repository",
    "repository_name": "codecommit_repository ecrpublic_repository",
    "stage_name": "api_gateway_stage",
    "endpoint_id": "dms_endpoint",
    "replication_instance_id": "dms_replication_instance",
    "replication_task_id": "dms_replication_task",
    "name": """
        alb alb_target_group api_gateway_api_key api_gateway_rest_api api_gateway_usage_plan api_gateway_vpc_link
        apigatewayv2_api apigatewayv2_vpc_link appautoscaling_policy appconfig_application appconfig_environment
        appmesh_mesh apprunner_connection appsync_graphql_api athena_workgroup autoscaling_group backup_plan
        backup_vault batch_job_definition batch_job_queue budgets_budget cloudformation_stack cloudfront_cache_policy
        cloudfront_function cloudfront_origin_access_control cloudtrail cloudwatch_event_bus cloudwatch_event_rule
        cloudwatch_log_group cloudwatch_log_metric_filter cloudwatch_log_stream cloudwatch_metric_stream
        cloudwatch_query_definition codebuild_project codedeploy_app codepipeline cognito_user_pool
        cognito_user_pool_client config_config_rule datasync_task db_event_subscription db_option_group
        db_parameter_group db_proxy db_subnet_group docdb_subnet_group dynamodb_table ecr_repository
        ecs_capacity_provider ecs_cluster ecs_service eks_cluster elastic_beanstalk_application
        elastic_beanstalk_environment elasticache_parameter_group elasticache_subnet_group elb emr_cluster
        glue_catalog_database glue_crawler glue_job glue_trigger glue_workflow grafana_workspace iam_group
        iam_group_policy iam_instance_profile iam_policy iam_role iam_role_policy iam_saml_provider
        iam_server_certificate iam_user iam_user_policy imagebuilder_component imagebuilder_image_pipeline
        kinesis_firehose_delivery_stream kinesis_stream kms_alias lambda_alias launch_configuration launch_template lb
        lb_target_group memorydb_cluster mwaa_environment neptune_subnet_group networkfirewall_firewall
        networkfirewall_firewall_policy networkfirewall_rule_group opensearchserverless_collection
        organizations_account organizations_organizational_unit organizations_policy placement_group
        ram_resource_share rds_cluster_parameter_group redshift_parameter_group redshift_subnet_group
        route53_record route53_resolver_endpoint route53_zone s3_access_point sagemaker_endpoint sagemaker_model
        sagemaker_notebook_instance scheduler_schedule scheduler_schedule_group secretsmanager_secret security_group
        service_discovery_http_namespace service_discovery_private_dns_namespace service_discovery_service
        sfn_activity sfn_state_machine sns_topic sqs_queue ssm_document ssm_maintenance_window ssm_parameter
        ssm_patch_baseline ssoadmin_permission_set synthetics_canary wafv2_ip_set wafv2_regex_pattern_set
        wafv2_rule_group wafv2_web_acl
    """,
    "service_name": "apprunner_service",
    "vpc_connector_name": "apprunner_vpc_connector",
    "database_name": "timestreamwrite_database",
    "table_name": "timestreamwrite_table keyspaces_table",
    "identity_pool_name": "cognito_identity_pool",
    "group_name": "xray_group",
    "tags.Name": """
        customer_gateway default_route_table default_security_group default_subnet default_vpc ebs_snapshot
        ebs_volume ec2_client_vpn_endpoint ec2_transit_gateway ec2_transit_gateway_route_table
        ec2_transit_gateway_vpc_attachment efs_access_point efs_file_system egress_only_internet_gateway eip flow_log
        fsx_lustre_file_system fsx_windows_file_system instance internet_gateway kms_key nat_gateway network_acl
        network_interface route_table subnet vpc vpc_dhcp_options vpc_endpoint vpc_peering_connection vpn_connection
        vpn_gateway
    """,
}

NAME_ATTRIBUTES: Mapping[str, str] = {
    f"aws_{type_}": attribute for attribute, types in _BY_ATTRIBUTE.items() for type_ in types.split()
}
"""Resource type → attribute; a dotted path leads into a map or block (`tags.Name`, `metadata.0.name`)."""

_TAGS = "tags."


def read_name(type_: str, values: Mapping[str, Value], address: str, path: str) -> Value:
    """Return the name of a resource: str, Text, Unknown, or None if it has none.

    A name the provider makes up is Unknown, one made from a prefix is Text that begins with the prefix. Something
    that is no text (a list) is returned as it is.
    """
    if path.startswith(_TAGS):
        return _tag(EffectiveTags.of(type_, values), path.removeprefix(_TAGS))
    name = read_path(values, path)
    if isinstance(name, str):
        return name
    made_up = isinstance(name, Unknown) and name.address == f"{address}.{path}"
    if name is None or made_up:
        return _from_prefix(values, address, path, name)
    return render(name) if isinstance(name, (bool, int, float)) else name


def _tag(effective: EffectiveTags, key: str) -> Value:
    value = effective.tags.get(key)
    return effective.open if value is None else value


def read_path(value: Value, path: str) -> Value:
    """Follow a dotted path into maps and blocks; Unknown on the way makes the name unknown, absence makes it None."""
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list):
            index = int(step) if step.isdecimal() else None
            value = value[index] if index is not None and index < len(value) else None
        elif isinstance(value, (Unknown, Text)):
            whole = value.address if isinstance(value, Unknown) else value
            value = Unknown(f"{whole}.{step}", computed_from(value))
        else:
            return None
    return value


def _from_prefix(values: Mapping[str, Value], address: str, path: str, name: Unknown | None) -> Value:
    unknown = name or Unknown(f"{address}.{path}")
    prefix = values.get(f"{path}_prefix")
    if prefix is None or prefix == "" or "." in path:
        return name if "." in path else unknown
    return concatenate((prefix, unknown)) if isinstance(prefix, (str, Text, Unknown)) else unknown
