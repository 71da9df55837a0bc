"""What exists is named and tagged as the contract says."""

import pytest

from infraspec.checks.names import check_names
from infraspec.checks.tags import check_tag_policy, check_tags
from infraspec.contract.models import Contract
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.fixtures.static import AssertProven
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_names(live_plan: Plan, contract: Contract, environment: str, assert_proven: AssertProven) -> None:
    """Every resource of a type that has naming patterns is named after one of them."""
    if not contract.names.patterns:
        pytest.skip("the contract has no [names.patterns]")
    assert_proven("names", check_names(live_plan, contract, environment))


def test_tags(live_plan: Plan, contract: Contract, environment: str, assert_proven: AssertProven) -> None:
    """Every taggable resource carries the required tags with allowed values, whoever changed them last."""
    if not contract.tags.common and not contract.tags.resource:
        pytest.skip("the contract has no [tags.common] and no [tags.resource]")
    assert_proven("tags", check_tags(live_plan, contract, environment))


def test_tag_policy(
    live_plan: Plan, contract: Contract, environment: str, tag_policy: TagPolicy | None, assert_proven: AssertProven
) -> None:
    """Tags comply with the organization's tag policy."""
    if tag_policy is None:
        pytest.skip("the contract has no [tags] policy")
    assert_proven("tag-policy", check_tag_policy(live_plan, contract, environment, tag_policy))
