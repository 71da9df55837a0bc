"""What AWS has of an environment: from the services themselves, and from the Resource Groups Tagging API.

Source: Resource Groups Tagging API Reference, GetResources (what has or had tags; IAM is not among it).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from infraspec.aws.calls import Calls
from infraspec.checks.common.live_comparison import Whereabouts
from infraspec.checks.deployed.inventory import FirewallRule, Stray, extra_grants, extra_policies, extra_rules
from infraspec.contract.models import Contract
from infraspec.core.truth import Truth
from infraspec.live.resources.api_to_terraform import tag_map
from infraspec.live.resources.scope import Membership
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan


def strays(calls: Calls, plan: Plan, live: Plan, contract: Contract, environment: str) -> tuple[Stray, ...]:
    """Return what belongs to an environment by its name or tags, or to a role or security group of its source.

    It is at no address of the source.
    """
    membership = Membership(contract, environment, calls.region, calls.account)
    rules = list(_firewall_rules(calls))
    extra = (*extra_grants(plan, live), *extra_policies(plan, live), *extra_rules(plan, live, rules))
    whereabouts = Whereabouts(AwsAttributes(plan), calls.account, calls.region)
    doubtful = {one.type for one in plan.managed() if whereabouts.has(one) is Truth.MAYBE}
    listed = {stray.arn: stray for stray in (*extra, *_listed(plan, live, membership, doubtful))}
    known = {name for one in live.managed() for name in (one.get("arn"), one.get("id")) if isinstance(name, str)}
    tagged = calls.pages("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList")
    found = (stray for stray in _tagged(tagged, membership) if not _is_known(stray.arn, known))
    return (*listed.values(), *(stray for stray in found if stray.arn not in listed))


def _listed(plan: Plan, live: Plan, membership: Membership, doubtful: Collection[str]) -> Iterator[Stray]:
    """Yield what belongs and has no address of the source; of a `doubtful` type one of the source may be it."""
    for one in live.managed():
        arn = one.get("arn")
        if one.address in plan.by_address or not isinstance(arn, str):
            continue
        by_name = membership.by_name(one.type, one.name)
        if by_name or membership.by_tags(one.get("tags_all") or {}):
            certain = plan.is_whole and one.type not in doubtful
            yield Stray(arn, one.type, "its name" if by_name else "its tags", certain=certain)


def _firewall_rules(calls: Calls) -> Iterator[FirewallRule]:
    for rule in calls.pages("ec2", "describe_security_group_rules", "SecurityGroupRules"):
        identifier, group = rule["SecurityGroupRuleId"], rule.get("GroupId", "")
        arn = f"arn:{calls.partition}:ec2:{calls.region}:{calls.account}:security-group-rule/{identifier}"
        yield FirewallRule(arn, identifier, group, bool(rule.get("IsEgress")))


def _tagged(mappings: tuple[Any, ...], membership: Membership) -> Iterator[Stray]:
    for mapping in mappings:
        if membership.by_tags(tag_map(mapping.get("Tags"))):
            yield Stray(mapping["ResourceARN"], "", "its tags", certain=False)


def _is_known(arn: str, known: set[str]) -> bool:
    """Tell whether an ARN, or the id that it ends with, is that of a live resource that was looked at already."""
    return arn in known or arn.rpartition("/")[2] in known or arn.rpartition(":")[2] in known
