"""The source is evaluated whole, and the contract speaks of what is there."""

from infraspec.checks.selectors import check_selectors
from infraspec.checks.source import check_source
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.terraform.plan import Plan


def test_source(plan: Plan, assert_proven: AssertProven) -> None:
    """Every validation holds, and every module that is called was looked at."""
    assert_proven("source", check_source(plan))


def test_selectors(plan: Plan, contract: Contract) -> None:
    """Every resource type that the contract has rules for occurs in the plan."""
    check_selectors(plan, contract)
