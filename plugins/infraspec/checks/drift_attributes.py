"""What the rule `drift` compares, by type of resource, and which types other rules of the live suite look at.

Source: Terraform AWS provider, the resource of each type, for arguments and their defaults; the API reference of each
service for what an answer leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.core.rules import ALARM_DELIVERY, ALARM_STATE, LOG_GROUPS
from infraspec.unknown import Value

_SOURCES_OF_RULE = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
FIREWALL_RULE = ("ip_protocol", "from_port", "to_port", *_SOURCES_OF_RULE)
"""What a rule of a security group says: AWS has no two of one group that say the same."""

COMPARED: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_event_rule": ("event_pattern", "schedule_expression", "state"),
    "aws_cloudwatch_event_target": ("arn",),
    "aws_cloudwatch_log_metric_filter": ("pattern",),
    "aws_db_instance": (
        "engine",
        "engine_version",
        "instance_class",
        "multi_az",
        "storage_encrypted",
        "publicly_accessible",
        "deletion_protection",
        "parameter_group_name",
        "db_subnet_group_name",
        "vpc_security_group_ids",
        "enabled_cloudwatch_logs_exports",
    ),
    "aws_db_parameter_group": (),
    "aws_db_subnet_group": (),
    "aws_dynamodb_table": ("billing_mode", "hash_key"),
    "aws_ecr_repository": ("image_tag_mutability",),
    "aws_ecs_cluster": (),
    "aws_ecs_service": (
        "task_definition",
        "desired_count",
        "launch_type",
        "enable_execute_command",
        "network_configuration.0.security_groups",
        "network_configuration.0.subnets",
    ),
    "aws_iam_policy": ("policy",),
    "aws_iam_role": ("assume_role_policy", "permissions_boundary", "managed_policy_arns", "inline_policy"),
    "aws_iam_role_policy": ("policy",),
    "aws_iam_role_policy_attachment": ("policy_arn",),
    "aws_kms_alias": ("target_key_id",),
    "aws_kms_key": ("policy",),
    "aws_kms_key_policy": ("policy",),
    "aws_lb": ("security_groups",),
    "aws_lb_listener": ("port", "protocol", "ssl_policy", "certificate_arn"),
    "aws_lb_target_group": ("port", "protocol", "target_type"),
    "aws_s3_bucket": (),
    "aws_s3_bucket_policy": ("policy",),
    "aws_secretsmanager_secret": ("kms_key_id", "policy"),
    "aws_secretsmanager_secret_policy": ("policy",),
    "aws_security_group": (),
    "aws_sns_topic": ("kms_master_key_id",),
    "aws_sns_topic_policy": ("policy",),
    "aws_ssm_parameter": ("type",),
    "aws_vpc_security_group_egress_rule": FIREWALL_RULE,
    "aws_vpc_security_group_ingress_rule": FIREWALL_RULE,
}
"""What is compared, by type; of those without attributes only that they exist."""

LEFT_OUT: Mapping[str, frozenset[str]] = {
    "aws_cloudwatch_event_rule": frozenset({"event_pattern", "schedule_expression"}),
    "aws_db_instance": frozenset({"enabled_cloudwatch_logs_exports"}),
    "aws_iam_role": frozenset({"permissions_boundary", "managed_policy_arns", "inline_policy"}),
    "aws_secretsmanager_secret": frozenset({"kms_key_id", "policy"}),
    "aws_sns_topic": frozenset({"kms_master_key_id"}),
    "aws_vpc_security_group_egress_rule": frozenset(_SOURCES_OF_RULE),
    "aws_vpc_security_group_ingress_rule": frozenset(_SOURCES_OF_RULE),
}
"""What an answer of AWS leaves out where there is none.

Where the source does not set it, there is to be none either, unless the provider leaves alone what is not set.
"""

INHERITED = frozenset({("aws_db_instance", "enabled_cloudwatch_logs_exports")})
"""What AWS sets where the source does not: a replica has what its source has.

Source: Amazon RDS API Reference, CreateDBInstanceReadReplica.
"""

REPEATED = frozenset(
    {
        ("aws_iam_role", "inline_policy"),
        ("aws_iam_role", "managed_policy_arns"),
        ("aws_secretsmanager_secret", "policy"),
    }
)
"""What a state repeats of other resources, as it was when it was written: compared only if the source sets it."""

DEFAULTS: Mapping[tuple[str, str], Value] = {
    ("aws_cloudwatch_event_rule", "state"): "ENABLED",
    ("aws_db_instance", "deletion_protection"): False,
    ("aws_db_instance", "publicly_accessible"): False,
    ("aws_ecr_repository", "image_tag_mutability"): "MUTABLE",
    ("aws_ecs_service", "enable_execute_command"): False,
}
"""What an argument is that the source does not set."""

TASK_DEFINITION = "aws_ecs_task_definition"
"""Compared with what services and tasks run."""

LOOKED_AT_BY: Mapping[str, str] = {
    "aws_chatbot_slack_channel_configuration": ALARM_DELIVERY.id,
    "aws_cloudwatch_composite_alarm": ALARM_STATE.id,
    "aws_cloudwatch_log_group": LOG_GROUPS.id,
    "aws_cloudwatch_metric_alarm": ALARM_STATE.id,
    "aws_sns_topic_subscription": ALARM_DELIVERY.id,
}
"""The types that another rule of the live suite compares."""
