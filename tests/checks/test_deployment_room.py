"""A rolling deployment of a service has room to start a task more or to stop one, or never begins."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from infraspec.checks.access.deployment_room import deployments
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import MissingVariable, Unknown, Value
from infraspec.terraform.plan import Plan, Resource

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
LEAST, MOST = "deployment_minimum_healthy_percent", "deployment_maximum_percent"


def judged(values: Mapping[str, Value], *others: Resource, ignored: tuple[str, ...] = ()) -> list[Finding]:
    """Judge a service of these arguments, beside other resources."""
    given = {"name": "api", "cluster": "shop", "desired_count": 2, **values}
    service = Resource(
        "aws_ecs_service.api", "managed", "aws_ecs_service", "api", None, "", given, ignore_changes=ignored
    )
    return list(deployments(Plan("test", [service, *others])))


@given(integers(1, 50), integers(0, 100), integers(100, 250))
def test_room_is_what_a_count_of_tasks_says(count: int, least: int, most: int) -> None:
    """By counting: a number of running tasks other than the count is allowed, or the deployment is blocked."""
    (found,) = judged({"desired_count": count, LEAST: least, MOST: most})
    allowed = [running for running in range(3 * count) if least * count <= 100 * running <= most * count]

    assert (PROVEN if set(allowed) - {count} else VIOLATED) is found.verdict


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({}, PROVEN),
        ({"desired_count": 1, MOST: 150}, VIOLATED),
        ({"desired_count": 1, LEAST: 50, MOST: 100}, VIOLATED),
        ({LEAST: 100, MOST: 100}, VIOLATED),
        ({MOST: Unknown("var.most", MissingVariable("most"))}, UNDETERMINED),
        ({"desired_count": Unknown("var.count", MissingVariable("count")), MOST: 150}, UNDETERMINED),
        ({"desired_count": Unknown("var.count", MissingVariable("count")), LEAST: 0, MOST: 100}, PROVEN),
        ({"desired_count": None, MOST: 150}, UNDETERMINED),
        ({MOST: 100, "deployment_controller": [{"type": Unknown("var.how", MissingVariable("how"))}]}, UNDETERMINED),
        ({MOST: 100, "deployment_controller": []}, VIOLATED),
    ],
)
def test_a_deployment(values: dict[str, Value], verdict: Verdict) -> None:
    """What others set, or nobody knows, is open where some number of tasks leaves no room."""
    (found,) = judged(values)

    assert verdict is found.verdict
    assert (verdict is VIOLATED) is bool(found.changes)


@pytest.mark.parametrize(
    "values",
    [
        {"scheduling_strategy": "DAEMON"},
        {"deployment_controller": [{"type": "CODE_DEPLOY"}]},
        {"deployment_configuration": [{"strategy": "BLUE_GREEN"}]},
    ],
)
def test_what_is_deployed_otherwise(values: dict[str, Value]) -> None:
    """Daemons and strategies that start a second set of tasks count otherwise, and are not judged."""
    assert [] == judged({MOST: 100, **values})


def test_a_scaled_service() -> None:
    """The least number of tasks that it is scaled to counts; what Terraform leaves to others is any number."""
    values = {"resource_id": "service/shop/api", "min_capacity": 1, "service_namespace": "ecs"}
    target = Resource("aws_appautoscaling_target.api", "managed", "aws_appautoscaling_target", "api", None, "", values)

    assert [VIOLATED] == [one.verdict for one in judged({MOST: 150}, target)]
    assert [UNDETERMINED] == [one.verdict for one in judged({MOST: 150}, ignored=("desired_count",))]
    assert [PROVEN] == [one.verdict for one in judged({}, ignored=("desired_count",))]
