"""The policies that are in force have effect and grant no more than they should, and alerts reach somebody."""

from collections.abc import Sequence

import pytest

from infraspec.checks.alarms import check_alarms
from infraspec.checks.policies import check_policies
from infraspec.checks.secret_readers import check_secret_readers
from infraspec.contract.models import Contract
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.fixtures.static import AssertProven
from infraspec.process.playbooks import Playbook
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_policies(
    live_plan: Plan,
    live_task_definitions: Sequence[TaskDefinition],
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """Every policy document that is in force has effect, and none grants everything."""
    findings = check_policies(live_plan, live_task_definitions, contract, environment)
    if not findings:
        pytest.skip("nothing that exists has a policy document")
    assert_proven("policies", findings)


def test_secret_readers(live_plan: Plan, contract: Contract, environment: str, assert_proven: AssertProven) -> None:
    """Every secret is read by nobody but whom the contract names, or else by nobody outside of the account."""
    findings = check_secret_readers(live_plan, contract, environment)
    if not findings:
        pytest.skip("there are no secrets")
    assert_proven("secret-readers", findings)


def test_alarms(
    live_plan: Plan, contract: Contract, environment: str, playbooks: Sequence[Playbook], assert_proven: AssertProven
) -> None:
    """The alarms that exist watch every service, database and secret that exists, as the catalogue says."""
    if contract.alarms is None:
        pytest.skip("the contract has no [alarms]")
    assert_proven("alarms", check_alarms(live_plan, contract, environment, playbooks))
