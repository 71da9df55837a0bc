"""Log groups, from a table of answers."""

from __future__ import annotations

from infraspec.live.facts.stores import live_log_groups
from infraspec.monitoring.live_readings import LogGroup
from tests.live.answers import Answers

ARN = "arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/shop"


def test_a_group_is_found_by_its_whole_name() -> None:
    """The ARN is told with and without what stands for its streams; all are listed once."""
    listed = [
        {"logGroupName": "/ecs/shop-worker", "arn": f"{ARN}-worker:*"},
        {"logGroupName": "/ecs/shop", "arn": f"{ARN}:*", "retentionInDays": 30, "kmsKeyId": "key"},
    ]
    calls = Answers({("logs", "describe_log_groups"): {"logGroups": listed}})
    assert {"/ecs/shop": LogGroup("/ecs/shop", ARN, 30, "key")} == live_log_groups(calls, ["/ecs/shop", "/ecs/sho"])
    assert 1 == calls.count("logs", "describe_log_groups")
