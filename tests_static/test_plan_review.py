"""A plan does nothing that needs an approval it does not have."""

from collections.abc import Sequence

import pytest

from infraspec.checks.plan_review import check_plan_review, table
from infraspec.contract.models import Contract, Waiver
from infraspec.fixtures.static import AssertProven
from infraspec.terraform.plan import Plan


def test_plan_review(
    plan: Plan, contract: Contract, environment: str, approvals: Sequence[Waiver], assert_proven: AssertProven
) -> None:
    """Every change that the contract calls critical is approved, by a waiver or a label of the pull request."""
    if contract.plan_review is None:
        pytest.skip("the contract has no [plan_review]")
    if not plan.from_plan_file:
        pytest.skip(f"no plan file is given for {environment}")
    findings = check_plan_review(plan, contract, environment)
    assert_proven("plan-review", findings, approvals=approvals, table=table(plan, findings))
