"""What tells a resource apart in AWS, where that is not its name alone.

Source: the import sections of the Terraform AWS provider.
"""

from __future__ import annotations

from collections.abc import Mapping

IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_event_target": ("rule", "arn"),
    "aws_cloudwatch_log_metric_filter": ("log_group_name", "name"),
    "aws_cloudwatch_log_resource_policy": ("policy_name",),
    "aws_ecr_repository_policy": ("repository",),
    "aws_chatbot_slack_channel_configuration": ("configuration_name",),
    "aws_ecs_service": ("cluster", "name"),
    "aws_iam_group_policy": ("group", "name"),
    "aws_iam_group_policy_attachment": ("group", "policy_arn"),
    "aws_iam_role_policy": ("role", "name"),
    "aws_iam_role_policy_attachment": ("role", "policy_arn"),
    "aws_iam_user_policy": ("user", "name"),
    "aws_iam_user_policy_attachment": ("user", "policy_arn"),
    "aws_lb_listener": ("load_balancer_arn", "port"),
    "aws_s3_bucket_policy": ("bucket",),
    "aws_secretsmanager_secret_policy": ("secret_arn",),
    "aws_sns_topic_policy": ("arn",),
    "aws_sns_topic_subscription": ("topic_arn", "protocol", "endpoint"),
    "aws_vpc_security_group_egress_rule": ("security_group_id", "description"),
    "aws_vpc_security_group_ingress_rule": ("security_group_id", "description"),
}
"""By type, the attributes that together name a resource in AWS."""
