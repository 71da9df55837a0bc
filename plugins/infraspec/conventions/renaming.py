"""What becomes of a resource whose name is changed: replaced, or changed in place.

The schema that the provider publishes does not say it (`ForceNew` is left out), so it is a table. Source: Terraform AWS
provider, the argument references ("Forces new resource") and the resources' schemas.
"""

from __future__ import annotations

from enum import Enum


class Renaming(Enum):
    """How a new name reaches a resource. UNKNOWN: `terraform plan` says it."""

    IN_PLACE = "in place"
    REPLACED = "replaced"
    UNKNOWN = "not known"


_IN_PLACE = frozenset((
    "aws_api_gateway_rest_api", "aws_apigatewayv2_api", "aws_appsync_graphql_api", "aws_backup_plan",
    "aws_cloudwatch_query_definition", "aws_cognito_user_pool_client", "aws_db_instance", "aws_iam_group",
    "aws_iam_user", "aws_organizations_organizational_unit",
))  # fmt: skip
_REPLACED = frozenset((
    "aws_alb", "aws_alb_target_group", "aws_appautoscaling_policy", "aws_athena_workgroup", "aws_autoscaling_group",
    "aws_backup_vault", "aws_batch_job_definition", "aws_batch_job_queue", "aws_cloudtrail",
    "aws_cloudwatch_composite_alarm", "aws_cloudwatch_dashboard", "aws_cloudwatch_event_bus",
    "aws_cloudwatch_event_rule", "aws_cloudwatch_log_group", "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_log_stream", "aws_cloudwatch_metric_alarm", "aws_codebuild_project", "aws_codepipeline",
    "aws_db_option_group", "aws_db_parameter_group", "aws_db_subnet_group", "aws_docdb_cluster",
    "aws_dynamodb_table", "aws_ecr_repository", "aws_ecs_capacity_provider", "aws_ecs_cluster", "aws_ecs_service",
    "aws_ecs_task_definition", "aws_eks_cluster", "aws_eks_node_group", "aws_elasticache_cluster",
    "aws_elasticache_parameter_group", "aws_elasticache_replication_group", "aws_elasticache_subnet_group",
    "aws_elasticsearch_domain", "aws_glue_job", "aws_iam_instance_profile", "aws_iam_policy", "aws_iam_role",
    "aws_iam_role_policy", "aws_key_pair", "aws_kinesis_firehose_delivery_stream", "aws_kinesis_stream",
    "aws_kms_alias", "aws_lambda_alias", "aws_lambda_function", "aws_launch_configuration", "aws_launch_template",
    "aws_lb", "aws_lb_target_group", "aws_mq_broker", "aws_msk_cluster", "aws_opensearch_domain", "aws_rds_cluster",
    "aws_rds_cluster_parameter_group", "aws_redshift_cluster", "aws_route53_zone", "aws_s3_bucket",
    "aws_scheduler_schedule_group", "aws_secretsmanager_secret", "aws_security_group", "aws_sfn_state_machine",
    "aws_sns_topic", "aws_sqs_queue", "aws_ssm_document", "aws_ssm_parameter", "aws_wafv2_ip_set",
    "aws_wafv2_web_acl",
))  # fmt: skip


def renaming(type_: str, attribute: str) -> Renaming:
    """Tell what a change of the attribute that holds the name does; a tag is always changed in place."""
    if attribute.startswith("tags.") or type_ in _IN_PLACE:
        return Renaming.IN_PLACE
    return Renaming.REPLACED if type_ in _REPLACED else Renaming.UNKNOWN
