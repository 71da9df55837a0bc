"""Which rule of a security group is which of the source, by what AWS answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.deployed.drift import check_drift
from infraspec.core.finding import Finding, Verdict
from infraspec.live.plan import live_plan
from tests.live.answers import Answers
from tests.live.world import ACCOUNT, REGION, TAGS, contract, pairs, source

INGRESS = "aws_vpc_security_group_ingress_rule"
SOURCE = f"""
resource "aws_security_group" "api" {{
  name = "app-prod-api"
}}
resource "aws_security_group" "balancer" {{
  name = "app-prod-balancer"
}}
resource "{INGRESS}" "http" {{
  for_each          = {{ office = "192.0.2.0/24", depot = "198.51.100.0/24" }}
  security_group_id = aws_security_group.api.id
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  cidr_ipv4         = each.value
}}
resource "{INGRESS}" "balancer" {{
  security_group_id            = aws_security_group.api.id
  description                  = "From the balancer"
  ip_protocol                  = "6"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.balancer.id
}}
resource "{INGRESS}" "all" {{
  security_group_id = aws_security_group.balancer.id
  ip_protocol       = "-1"
  cidr_ipv6         = "::/0"
}}
"""
OFFICE, DEPOT = f'{INGRESS}.http["office"]', f'{INGRESS}.http["depot"]'
BALANCER, ALL = f"{INGRESS}.balancer", f"{INGRESS}.all"


def rule(number: int, port: int = 80, *, group: str = "sg-1", **said: Any) -> dict[str, Any]:
    """Return a rule as DescribeSecurityGroupRules answers it."""
    ports = {"IpProtocol": "tcp" if port > 0 else "-1", "FromPort": port, "ToPort": port}
    return {"SecurityGroupRuleId": f"sgr-{number}", "GroupId": group, "IsEgress": False, **ports, **said}


def referring(number: int, group: str, **said: Any) -> dict[str, Any]:
    """Return the rule that lets a group in."""
    return rule(number, 8080, ReferencedGroupInfo={"GroupId": group}, Description="From the balancer", **said)


AS_APPLIED = (
    rule(1, CidrIpv4="198.51.100.0/24"),
    rule(2, CidrIpv4="192.0.2.0/24"),
    referring(3, "sg-2"),
    rule(4, -1, group="sg-2", CidrIpv6="::/0"),
)


def answers(rules: tuple[dict[str, Any], ...]) -> Answers:
    """Return an account that has two groups with these rules."""
    nothing: dict[str, Any] = {}
    network = ("vpcs", "subnets", "internet_gateways", "nat_gateways", "addresses", "route_tables", "vpc_endpoints")
    named = [{"GroupId": "sg-1", "GroupName": "app-prod-api"}, {"GroupId": "sg-2", "GroupName": "app-prod-balancer"}]
    table: dict[tuple[str, str], Any] = {("ec2", f"describe_{name}"): nothing for name in network}
    table["resourcegroupstaggingapi", "get_resources"] = nothing
    table["ec2", "describe_security_groups"] = {"SecurityGroups": named}
    table["ec2", "describe_security_group_rules"] = {"SecurityGroupRules": rules}
    return Answers(table, ACCOUNT, "aws", REGION)


def findings(directory: Path, *rules: dict[str, Any]) -> dict[str, Finding]:
    """Return what drift finds, by address, where AWS has these rules."""
    plan = source(directory, SOURCE)
    live = live_plan(answers(rules), plan, contract(), "prod")
    return {one.address: one for one in check_drift(plan, live, {}) if one.address.startswith(INGRESS)}


def bad(directory: Path, *rules: dict[str, Any]) -> dict[str, tuple[Verdict, str]]:
    """Return verdict and what was found of the rules that are not proven."""
    found = findings(directory, *rules)
    return {name: (one.verdict, one.found) for name, one in found.items() if one.verdict is not Verdict.PROVEN}


def test_rules_are_told_apart_by_what_they_say(tmp_path: Path) -> None:
    """Two of one port and without a description are those of their ends, whatever their order."""
    assert {OFFICE, DEPOT, BALANCER, ALL} == findings(tmp_path, *AS_APPLIED).keys()
    assert {} == bad(tmp_path, *AS_APPLIED)
    assert {} == bad(tmp_path, *AS_APPLIED[::-1])


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"CidrIpv4": "0.0.0.0/0"}, "cidr_ipv4 0.0.0.0/0\nreferenced_security_group_id not set"),
        ({"ReferencedGroupInfo": {"GroupId": "sg-9"}}, "referenced_security_group_id sg-9"),
    ],
)
def test_a_rule_that_lets_in_somebody_else_is_found(tmp_path: Path, changed: dict[str, Any], found: str) -> None:
    """It keeps its description, so that it is told which of the source it was."""
    other = {**rule(3, 8080, Description="From the balancer"), **changed}
    rules = [other if one["SecurityGroupRuleId"] == "sgr-3" else one for one in AS_APPLIED]
    assert {BALANCER: (Verdict.VIOLATED, found)} == bad(tmp_path, *rules)


def test_a_rule_that_was_taken_away_is_missing(tmp_path: Path) -> None:
    """The one that is left is not taken for it, and neither is a second one of its description."""
    gone = bad(tmp_path, *AS_APPLIED[1:])
    assert {DEPOT: (Verdict.VIOLATED, "AWS has nothing with this name")} == gone
    doubled = bad(tmp_path, *AS_APPLIED[:2], referring(5, "sg-8"), referring(6, "sg-9"), AS_APPLIED[3])
    assert {BALANCER: (Verdict.VIOLATED, "AWS has nothing with this name")} == doubled


def test_a_rule_that_the_source_does_not_know_is_of_the_plan_if_it_has_tags(tmp_path: Path) -> None:
    """One without tags may be a block of its group."""
    known, stranger = rule(7, 22, CidrIpv4="0.0.0.0/0", Tags=pairs(TAGS)), rule(8, 23, CidrIpv4="0.0.0.0/0")
    plan = source(tmp_path, SOURCE)
    live = live_plan(answers((*AS_APPLIED, known, stranger)), plan, contract(), "prod")
    assert [f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group-rule/sgr-7"] == [
        one.address for one in live.managed(INGRESS) if one.address not in plan.by_address
    ]
