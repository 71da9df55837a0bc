"""The log groups of the source and of its containers are in AWS, as it says."""

from collections.abc import Sequence

import pytest

from infraspec.aws.calls import Calls
from infraspec.checks.log_groups import check_log_groups, log_group_names
from infraspec.checks.whereabouts import nothing_judged
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.fixtures.static import AssertProven
from infraspec.live.log_groups import live_log_groups
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_log_groups(
    plan: Plan,
    live_plan: Plan,
    snapshot: Calls,
    task_definitions: Sequence[TaskDefinition],
    assert_proven: AssertProven,
) -> None:
    """Every log group exists, keeps its events as long as the source says, and is under its key."""
    names = log_group_names(plan, task_definitions)
    if not names and not plan.managed("aws_cloudwatch_log_group"):
        pytest.skip("the source has no log group, and no container logs to one")
    groups = live_log_groups(snapshot, names)
    findings = check_log_groups(plan, live_plan, groups, task_definitions)
    if told := nothing_judged(findings):
        pytest.skip(told)
    assert_proven("log-groups", findings)
