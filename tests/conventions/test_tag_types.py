"""Resource types of tag policies and of Terraform."""

from __future__ import annotations

import pytest

from infraspec.conventions.effective_tags import covers
from infraspec.core.truth import Truth


@pytest.mark.parametrize(
    ("tag_type", "terraform_type", "expected"),
    [
        ("logs:log-group", "aws_cloudwatch_log_group", Truth.YES),
        ("cloudwatch:alarm", "aws_cloudwatch_metric_alarm", Truth.YES),
        ("cloudwatch:alarm", "aws_cloudwatch_log_group", Truth.NO),
        ("secretsmanager:*", "aws_secretsmanager_secret", Truth.YES),
        ("secretsmanager:ALL_SUPPORTED", "aws_secretsmanager_secret", Truth.YES),
        ("secretsmanager:*", "aws_sns_topic", Truth.NO),
        ("rds:db", "aws_db_instance", Truth.YES),
        ("rds:cluster", "aws_db_instance", Truth.NO),
        ("elasticloadbalancing:loadbalancer/app", "aws_lb", Truth.YES),
        ("ec2:instance", "aws_instance", Truth.YES),
        ("kendra:index", "aws_kendra_index", Truth.YES),
        ("kendra:*", "aws_kendra_index", Truth.YES),
        ("kendra:index", "aws_sns_topic", Truth.NO),
        ("kendra:faq", "aws_kendra_index", Truth.MAYBE),
        ("logs:log-group", "aws_kendra_index", Truth.NO),
        ("logs:*", "aws_kendra_index", Truth.MAYBE),
    ],
)
def test_covers(tag_type: str, terraform_type: str, expected: Truth) -> None:
    """The table decides for types it has; for others the provider's naming, which may leave it open."""
    assert expected is covers(tag_type, terraform_type)
