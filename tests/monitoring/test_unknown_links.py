"""What is not known on the way of an alert refutes nothing: each argument, and each part of it, in turn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.checks.alarms.alarms import check_alarms
from infraspec.core.finding import Verdict
from infraspec.core.unknown import MissingVariable, Unknown, Value
from infraspec.process.playbooks import read_playbooks
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan, Resource
from tests.samples import some

REFERENCE = Path(__file__).parents[2] / "fixtures/daily-report-tool"
CONTRACT = contracts.load(REFERENCE)
PLAYBOOKS = read_playbooks(REFERENCE / "docs/playbooks", "docs/playbooks")
TYPES = (
    "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm", "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_sns_topic_policy", "aws_sns_topic_subscription",
    "aws_chatbot_slack_channel_configuration", "aws_cloudwatch_log_resource_policy", "aws_sns_topic",
    "aws_kms_key", "aws_kms_key_policy", "aws_kms_alias", "aws_lb", "aws_lb_target_group", "aws_ecs_service",
    "aws_ecs_cluster", "aws_db_instance", "aws_cloudwatch_log_group",
)  # fmt: skip


@cache
def reference() -> Plan:
    """Return the plan of the reference infrastructure's prod."""
    return Environments(CONTRACT).plan("prod")


def parts(value: Value, unknown: Unknown) -> list[Value]:
    """Return a value with each of its parts not known in turn: all of it first, then each part of its blocks."""
    whole: list[Value] = [unknown]
    if isinstance(value, dict):
        return whole + [{**value, key: each} for key, item in value.items() for each in parts(item, unknown)]
    if isinstance(value, list | tuple):
        return whole + [
            [*value[:at], each, *value[at + 1 :]] for at, item in enumerate(value) for each in parts(item, unknown)
        ]
    return whole


def refuted(resource: Resource, name: str, value: Value) -> list[str]:
    """Return what is VIOLATED where an argument of a resource has another value."""
    changed = replace(resource, values={**resource.values, name: value})
    plan = reference().replaced(resources=[changed if one is resource else one for one in reference().resources])
    return [str(one) for one in check_alarms(plan, CONTRACT, "prod", PLAYBOOKS) if one.verdict is Verdict.VIOLATED]


def unknowns_of(type_: str) -> Iterator[tuple[Resource, str, Value]]:
    """Yield each resource of a type with an argument, and what is left of that where a part of it is unknown."""
    for resource in {one.name: one for one in reference().managed(type_)}.values():
        for name, value in resource.values.items():
            unknown = Unknown(f"var.{name}", MissingVariable(name))
            yield from ((resource, name, part) for part in (parts(value, unknown) if value else ()))


@pytest.mark.parametrize("type_", TYPES)
def test_what_is_not_known_refutes_nothing(type_: str) -> None:
    """A subscription, alarm, filter, rule or target whose link is not known may be the one that is asked for."""
    for resource, name, part in some(list(unknowns_of(type_)), 12):
        assert [] == refuted(resource, name, part), (resource.address, name, part)
