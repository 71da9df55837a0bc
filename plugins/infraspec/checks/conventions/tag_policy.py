"""Rule `tag-policy`: resources carry the tags that the tag policy of the organisation demands."""

from __future__ import annotations

from functools import partial

from infraspec.checks.common.unknown_remedies import of_what_may_be_absent
from infraspec.checks.conventions.tags import judge, tagged
from infraspec.contract.models import Contract
from infraspec.conventions.placeholders import facts_of
from infraspec.conventions.tag_policy import PolicyForType, TagPolicy
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.terraform.plan import Plan

RULE = RULES["tag-policy"]


@of_what_may_be_absent
def check_tag_policy(plan: Plan, contract: Contract, environment: str, tag_policy: TagPolicy) -> list[Finding]:
    """Judge the effective tags of each managed resource that takes tags against a tag policy."""
    facts_of(contract, environment, region=plan.region, account=plan.account)
    by_type = {type_: PolicyForType.of(tag_policy, type_) for type_ in plan.types()}
    described = {type_: concerned.describe() for type_, concerned in by_type.items()}
    return [
        judge(RULE, resource, partial(by_type[resource.type].faults, resource.type), described[resource.type], takes)
        for resource, takes in tagged(plan)
    ]


def skip(tag_policy: TagPolicy | None) -> str:
    """Return why there is nothing to judge, if there is not."""
    return "the contract has no [tags] policy" if tag_policy is None else ""
