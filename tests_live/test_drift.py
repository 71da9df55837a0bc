"""What AWS has is what the source, or its state, says."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.checks.drift import check_drift
from infraspec.checks.whereabouts import nothing_judged
from infraspec.fixtures.static import AssertProven
from infraspec.live.running_tasks import running_task_definitions
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_drift(plan: Plan, live_plan: Plan, snapshot: Calls, assert_proven: AssertProven) -> None:
    """Nobody changed a resource, and source, services and tasks agree on the task definition."""
    running = running_task_definitions(snapshot, live_plan)
    findings = check_drift(plan, live_plan, running)
    if told := nothing_judged(findings):
        pytest.skip(told)
    assert_proven("drift", findings)
