"""Resource types of tag policies and of Terraform."""

from __future__ import annotations

import pytest

from infraspec.conventions.effective_tags import Covered, covers


@pytest.mark.parametrize(
    ("tag_type", "terraform_type", "expected"),
    [
        ("logs:log-group", "aws_cloudwatch_log_group", Covered.YES),
        ("cloudwatch:alarm", "aws_cloudwatch_metric_alarm", Covered.YES),
        ("cloudwatch:alarm", "aws_cloudwatch_log_group", Covered.NO),
        ("secretsmanager:*", "aws_secretsmanager_secret", Covered.YES),
        ("secretsmanager:ALL_SUPPORTED", "aws_secretsmanager_secret", Covered.YES),
        ("secretsmanager:*", "aws_sns_topic", Covered.NO),
        ("rds:db", "aws_db_instance", Covered.YES),
        ("rds:cluster", "aws_db_instance", Covered.NO),
        ("elasticloadbalancing:loadbalancer/app", "aws_lb", Covered.YES),
        ("ec2:instance", "aws_instance", Covered.YES),
        ("kendra:index", "aws_kendra_index", Covered.YES),
        ("kendra:*", "aws_kendra_index", Covered.YES),
        ("kendra:index", "aws_sns_topic", Covered.NO),
        ("kendra:faq", "aws_kendra_index", Covered.MAYBE),
        ("logs:log-group", "aws_kendra_index", Covered.NO),
        ("logs:*", "aws_kendra_index", Covered.MAYBE),
    ],
)
def test_covers(tag_type: str, terraform_type: str, expected: Covered) -> None:
    """The table decides for types it has; for others the provider's naming, which may leave it open."""
    assert expected is covers(tag_type, terraform_type)
