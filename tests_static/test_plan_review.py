"""A plan does nothing that needs an approval it does not have, and nothing at all where all is to be applied."""

from collections.abc import Sequence

import pytest

from infraspec.checks.no_diff import check_no_diff
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
        pytest.skip("no plan file is given: --infraspec-plan FILE")
    findings = check_plan_review(plan, contract, environment)
    assert_proven("plan-review", findings, approvals=approvals, table=table(plan, findings), keep_proven=True)


def test_no_diff(
    plan: Plan,
    contract: Contract,
    deployed: bool,  # noqa: FBT001 - a fixture
    assert_proven: AssertProven,
) -> None:
    """A plan of what is deployed changes nothing, where the contract or the run asks for that."""
    if not deployed:
        pytest.skip("neither [drift] nor --infraspec-no-diff asks for an empty plan")
    if not plan.from_plan_file:
        pytest.skip("no plan file is given: --infraspec-plan FILE")
    assert_proven("no-diff", check_no_diff(plan, contract))
