"""The task definitions that services run, and the newest of each family, can start."""

from collections.abc import Sequence

import pytest

from infraspec.checks.secret_access import check_secret_access
from infraspec.checks.task_definitions import check_task_definitions
from infraspec.contract.models import Contract
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.fixtures.static import AssertProven
from infraspec.iam.decision import Decision
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_task_definitions(
    live_plan: Plan,
    live_task_definitions: Sequence[TaskDefinition],
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """Every secret is named as ECS reads it, every container has a log configuration, the roles are there."""
    findings = check_task_definitions(live_plan, live_task_definitions, contract, environment)
    assert_proven("task-definitions", findings)


def test_secret_access(
    live_plan: Plan,
    live_task_definitions: Sequence[TaskDefinition],
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """The execution role as it is may read every secret, pull every image and write every log."""
    decisions: dict[str, Decision] = {}
    findings = check_secret_access(live_plan, live_task_definitions, contract, environment, decisions)
    assert_proven("secret-access", findings, decisions=decisions)
