"""Names follow the patterns of the contract."""

import pytest

from infraspec.checks.names import check_names
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.terraform.plan import Plan


def test_names(plan: Plan, contract: Contract, environment: str, assert_proven: AssertProven) -> None:
    """Every resource of a type that has naming patterns is named after one of them."""
    if not contract.names.patterns:
        pytest.skip("the contract has no [names.patterns]")
    assert_proven("names", check_names(plan, contract, environment))
