"""What belongs to the environment in AWS is in its source."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.checks.inventory import check_inventory
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.live.inventory import strays
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_inventory(  # noqa: PLR0917 - fixtures
    plan: Plan, live_plan: Plan, snapshot: Calls, contract: Contract, environment: str, assert_proven: AssertProven
) -> None:
    """Nothing was made by hand that bears the name or the tags of the environment."""
    found = strays(snapshot, plan, live_plan, contract, environment)
    has_state = contract.environments[environment].state is not None
    assert_proven("inventory", check_inventory(plan, found, contract.inventory, has_state=has_state))
