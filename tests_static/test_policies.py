"""Policy documents have effect and grant no more than they should, and secrets are read by whom they are for."""

from collections.abc import Sequence

import pytest

from infraspec.checks.policies import check_policies
from infraspec.checks.secret_readers import check_secret_readers
from infraspec.contract.models import Contract
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.fixtures.static import AssertProven
from infraspec.terraform.plan import Plan


def test_policies(
    plan: Plan,
    task_definitions: Sequence[TaskDefinition],
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """Every policy document is one that AWS accepts, every statement has effect, none grants everything."""
    findings = check_policies(plan, task_definitions, contract, environment)
    if not findings:
        pytest.skip("the plan has no policy documents")
    assert_proven("policies", findings)


def test_secret_readers(plan: Plan, contract: Contract, environment: str, assert_proven: AssertProven) -> None:
    """Every secret is read by nobody but whom the contract names, or else by nobody outside of the account."""
    findings = check_secret_readers(plan, contract, environment)
    if not findings:
        pytest.skip("the plan has no secrets")
    assert_proven("secret-readers", findings)
