"""What scales a service, and what is set beside a resource: as the source says, changed, gone, or put there by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.deployed.attachments import extra_attachments
from infraspec.checks.deployed.drift import check_drift
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.finding import Verdict
from infraspec.live.plan import LivePlan, live_plan
from tests.live.world import ACCOUNT, CLUSTER, REGION, SOURCE, World, contract, source

SERVICE_ID = "service/app-prod/app-prod-api"
OF_SERVICE = {
    "ServiceNamespace": "ecs",
    "ResourceId": SERVICE_ID,
    "ScalableDimension": "ecs:service:DesiredCount",
}
SCALED = """
locals { scaled = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.api.name}" }
resource "aws_appautoscaling_target" "api" {
  service_namespace  = "ecs"
  resource_id        = local.scaled
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = 2
  max_capacity       = 6
}
resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  resource_id        = local.scaled
  scalable_dimension = "ecs:service:DesiredCount"
  target_tracking_scaling_policy_configuration {
    target_value = 60
    predefined_metric_specification { predefined_metric_type = "ECSServiceAverageCPUUtilization" }
  }
}
"""
TARGET = {**OF_SERVICE, "MinCapacity": 2, "MaxCapacity": 6, "ScalableTargetARN": "arn:target"}
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
TRACKING = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    "DisableScaleIn": False,
}
POLICY = {
    **OF_SERVICE,
    "PolicyName": "cpu",
    "PolicyARN": "arn:policy",
    "PolicyType": "TargetTrackingScaling",
    _TRACKING: TRACKING,
}
NIGHT = {
    **OF_SERVICE,
    "ScheduledActionName": "night",
    "ScheduledActionARN": "arn:night",
    "Schedule": "cron(0 20 * * ? *)",
    "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 0},
}


def plans(directory: Path, more: str = SCALED, **answers: Any) -> tuple[Any, LivePlan]:
    """Return the source of the account with more in it, and what AWS has."""
    plan = source(directory, SOURCE + more)
    world = World()
    world.service = {"serviceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:{SERVICE_ID}", "clusterArn": CLUSTER}
    table = {f"application-autoscaling__{name}": answer for name, answer in answers.items()}
    return plan, live_plan(world.answers(**table), plan, contract(), "prod")


def scaling(targets: list[Any], policies: list[Any], actions: list[Any]) -> dict[str, Any]:
    """Return what Application Auto Scaling answers."""
    return {
        "describe_scalable_targets": {"ScalableTargets": targets},
        "describe_scaling_policies": {"ScalingPolicies": policies},
        "describe_scheduled_actions": {"ScheduledActions": actions},
    }


def found(plan: Any, live: LivePlan) -> list[tuple[str, Verdict]]:
    """Return what `drift` says of what scales, and is not proven."""
    told = [one for one in check_drift(plan, live, {}) if one.address.startswith("aws_appautoscaling")]
    assert told
    return [(one.address.partition(".")[2], one.verdict) for one in told if one.verdict is not Verdict.PROVEN]


@pytest.mark.parametrize(
    ("targets", "policies", "expected"),
    [
        ([TARGET], [POLICY], []),
        ([{**TARGET, "MinCapacity": 0}], [POLICY], ["api"]),
        ([{**TARGET, "SuspendedState": {"DynamicScalingInSuspended": False}}], [POLICY], []),
        ([{**TARGET, "SuspendedState": {"DynamicScalingOutSuspended": True}}], [POLICY], ["api"]),
        ([], [POLICY], ["api"]),
        ([TARGET], [], ["cpu"]),
        ([TARGET], [{**POLICY, _TRACKING: {**TRACKING, "TargetValue": 95.0}}], ["cpu"]),
        ([TARGET], [{**POLICY, _TRACKING: {**TRACKING, "DisableScaleIn": True}}], ["cpu"]),
    ],
)
def test_what_scales_a_service_is_compared(
    targets: list[Any], policies: list[Any], expected: list[str], tmp_path: Path
) -> None:
    """A target or policy of the source that is changed or gone is VIOLATED; what AWS fills in is no difference."""
    plan, live = plans(tmp_path, **scaling(targets, policies, []))

    assert [(name, Verdict.VIOLATED) for name in expected] == found(plan, live)


@pytest.mark.parametrize(
    ("more", "targets", "policies", "actions", "expected"),
    [
        (SCALED, [TARGET], [POLICY], [], []),
        ("", [], [], [], []),
        ("", [TARGET], [POLICY], [NIGHT], ["policy", "scheduled_action", "target"]),
        (SCALED, [TARGET], [POLICY, {**POLICY, "PolicyName": "by-hand"}], [NIGHT], ["policy", "scheduled_action"]),
        ("", [{**TARGET, "ResourceId": "service/app-prod-other/web"}], [], [], []),
    ],
)  # fmt: skip
def test_what_scales_a_service_and_is_not_in_the_source_is_extra(  # noqa: PLR0917 - what each has
    more: str, targets: list[Any], policies: list[Any], actions: list[Any], expected: list[str], tmp_path: Path
) -> None:
    """Whoever registers a service by hand has the next change of its size; of other services nothing is said."""
    plan, live = plans(tmp_path, more, **scaling(targets, policies, actions))
    strays = list(extra_attachments(plan, live))

    assert expected == [one.type.removeprefix("aws_appautoscaling_") for one in strays]
    assert all(one.certain and "aws_ecs_service.api" in one.why for one in strays)


def test_what_may_not_be_looked_at_is_not_known(tmp_path: Path) -> None:
    """Where the runner may not list what scales, that of the source is UNDETERMINED, with the statement to add."""

    def denied(**_: object) -> None:
        raise RunnerPermissionError("the runner may not look", remedy="add the statement")

    answers = {**scaling([], [POLICY], []), "describe_scalable_targets": denied}
    plan, live = plans(tmp_path, **answers)

    assert [("api", Verdict.UNDETERMINED)] == found(plan, live)
    assert [] == list(extra_attachments(plan, live))
