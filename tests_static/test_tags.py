"""Resources carry the tags that the contract and the organization's tag policy ask for."""

import pytest

from infraspec.checks.tags import check_tag_policy, check_tags
from infraspec.contract.models import Contract
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.fixtures.static import AssertProven
from infraspec.terraform.plan import Plan


def test_tags(plan: Plan, contract: Contract, environment: str, assert_proven: AssertProven) -> None:
    """Every taggable resource carries the required tags with allowed values."""
    if not contract.tags.common and not contract.tags.resource:
        pytest.skip("the contract has no [tags.common] and no [tags.resource]")
    assert_proven("tags", check_tags(plan, contract, environment))


def test_tag_policy(
    plan: Plan, contract: Contract, environment: str, tag_policy: TagPolicy | None, assert_proven: AssertProven
) -> None:
    """Tags comply with the organization's tag policy."""
    if tag_policy is None:
        pytest.skip("the contract has no [tags] policy")
    assert_proven("tag-policy", check_tag_policy(plan, contract, environment, tag_policy))
