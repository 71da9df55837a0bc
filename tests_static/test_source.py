"""The contract speaks of what is there."""

from infraspec.checks.conventions.tags import check_selectors
from infraspec.contract.models import Contract
from infraspec.terraform.plan import Plan


def test_selectors(plan: Plan, contract: Contract) -> None:
    """Every resource type that the contract has rules for occurs in the plan."""
    check_selectors(plan, contract)
