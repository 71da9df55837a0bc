"""The alarms of the catalogue are there, and each reaches the people of its level."""

from collections.abc import Sequence

import pytest

from infraspec.checks.alarms import check_alarms
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.process.playbooks import Playbook
from infraspec.terraform.plan import Plan


def test_alarms(
    plan: Plan, contract: Contract, environment: str, playbooks: Sequence[Playbook], assert_proven: AssertProven
) -> None:
    """Every service, database and secret is watched, and alerts travel through topic, policy, key and subscription."""
    if contract.alarms is None:
        pytest.skip("the contract has no [alarms]")
    assert_proven("alarms", check_alarms(plan, contract, environment, playbooks))
