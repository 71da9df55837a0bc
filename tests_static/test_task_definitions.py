"""Task definitions are well-formed, and their roles may do what starting a task needs."""

from collections.abc import Sequence

from infraspec.checks.secret_access import check_secret_access
from infraspec.checks.task_definitions import check_task_definitions
from infraspec.contract.models import Contract
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.fixtures.static import AssertProven
from infraspec.iam.decision import Decision
from infraspec.terraform.plan import Plan


def test_task_definitions(
    plan: Plan,
    task_definitions: Sequence[TaskDefinition],
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """Every secret is named as ECS reads it, every container has a log configuration, the roles are there."""
    assert_proven("task-definitions", check_task_definitions(plan, task_definitions, contract, environment))


def test_secret_access(
    plan: Plan,
    task_definitions: Sequence[TaskDefinition],
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """The execution role may read every secret, pull every image and write every log that a task needs to start."""
    decisions: dict[str, Decision] = {}
    findings = check_secret_access(plan, task_definitions, contract, environment, decisions)
    assert_proven("secret-access", findings, decisions=decisions)
