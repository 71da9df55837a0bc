"""What of the network takes names or tags: VPCs, subnets, gateways, addresses, route tables, endpoints, firewalls.

Their describe operations answer with the tags. A security group has a name; all the rest has its tag Name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from infraspec.live.scope import Scope, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource

_GROUP, _DEFAULT_GROUP = "aws_security_group", "aws_default_security_group"
_RULES = {True: "aws_vpc_security_group_egress_rule", False: "aws_vpc_security_group_ingress_rule"}
_DEFAULT = "default"


class _Kind(NamedTuple):
    """A type with the operation that lists it, the key of its answer, the id, and the service's word in an ARN."""

    type: str
    operation: str
    key: str
    id: str
    noun: str
    attributes: Mapping[str, str] = {}


_KINDS = (
    _Kind("aws_vpc", "describe_vpcs", "Vpcs", "VpcId", "vpc", {"CidrBlock": "cidr_block"}),
    _Kind(
        "aws_subnet",
        "describe_subnets",
        "Subnets",
        "SubnetId",
        "subnet",
        {"CidrBlock": "cidr_block", "VpcId": "vpc_id", "AvailabilityZone": "availability_zone"},
    ),
    _Kind(
        "aws_internet_gateway",
        "describe_internet_gateways",
        "InternetGateways",
        "InternetGatewayId",
        "internet-gateway",
    ),
    _Kind("aws_nat_gateway", "describe_nat_gateways", "NatGateways", "NatGatewayId", "natgateway"),
    _Kind("aws_eip", "describe_addresses", "Addresses", "AllocationId", "elastic-ip"),
    _Kind("aws_route_table", "describe_route_tables", "RouteTables", "RouteTableId", "route-table"),
    _Kind(
        "aws_vpc_endpoint",
        "describe_vpc_endpoints",
        "VpcEndpoints",
        "VpcEndpointId",
        "vpc-endpoint",
        {"ServiceName": "service_name", "VpcId": "vpc_id"},
    ),
)
_OF_RULE = {
    "GroupId": "security_group_id",
    "Description": "description",
    "IpProtocol": "ip_protocol",
    "FromPort": "from_port",
    "ToPort": "to_port",
    "CidrIpv4": "cidr_ipv4",
    "CidrIpv6": "cidr_ipv6",
    "PrefixListId": "prefix_list_id",
}


def network_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield what is of the environment by its tag Name, or by the common tags."""
    for kind in _KINDS:
        for found in scope.calls.pages("ec2", kind.operation, kind.key):
            tags = tag_map(found.get("Tags"))
            if kind.type == "aws_nat_gateway" and found.get("State") in {"deleting", "deleted", "failed"}:
                continue
            if kind.id in found and scope.belongs(kind.type, tags.get("Name", ""), tags=tags):
                arn = scope.arn("ec2", f"{kind.noun}/{found[kind.id]}")
                values = {**chosen(found, kind.attributes), "id": found[kind.id], "arn": arn}
                yield scope.resource(kind.type, tags.get("Name", ""), address=arn, values=values, tags=tags)
    yield from _firewalls(scope)


def _firewalls(scope: Scope) -> Iterator[Resource]:
    own: dict[str, Resource] = {}
    for group in scope.calls.pages("ec2", "describe_security_groups", "SecurityGroups"):
        tags, name = tag_map(group.get("Tags")), group["GroupName"]
        type_ = _DEFAULT_GROUP if name == _DEFAULT else _GROUP
        called = tags.get("Name", "") if name == _DEFAULT else name
        if not scope.belongs(type_, called, tags=tags):
            continue
        arn = scope.arn("ec2", f"security-group/{group['GroupId']}")
        values = {"name": name, "id": group["GroupId"], "arn": arn, "vpc_id": group.get("VpcId")}
        own[group["GroupId"]] = scope.resource(type_, called, address=arn, values=values, tags=tags)
        yield own[group["GroupId"]]
    for rule in scope.calls.pages("ec2", "describe_security_group_rules", "SecurityGroupRules"):
        if rule.get("GroupId") in own:
            yield from _rule(scope, rule, own[rule["GroupId"]])


def _rule(scope: Scope, rule: Mapping[str, Any], group: Resource) -> Iterator[Resource]:
    """Yield a rule that is a resource of its own: one that the source knows, or that has tags."""
    type_, tags = _RULES[bool(rule.get("IsEgress"))], tag_map(rule.get("Tags"))
    own = [one for one in scope.sources.plan.managed(type_) if _is_of(one, group, scope)]
    numbered = [one for one in own if one.get("id") == rule["SecurityGroupRuleId"]]
    described = [one for one in own if one.get("description") == rule.get("Description")]
    ported = [
        one for one in own if (one.get("from_port"), one.get("to_port")) == (rule.get("FromPort"), rule.get("ToPort"))
    ]
    source = next((found[0] for found in (numbered, described, ported) if len(found) == 1), None)
    if source is None and not tags:
        return
    arn = scope.arn("ec2", f"security-group-rule/{rule['SecurityGroupRuleId']}")
    values = {**chosen(rule, _OF_RULE), "id": rule["SecurityGroupRuleId"], "arn": arn}
    yield scope.resource(type_, rule["SecurityGroupRuleId"], address=arn, values=values, tags=tags, source=source)


def _is_of(rule: Resource, group: Resource, scope: Scope) -> bool:
    found = scope.sources.named(group.type, rule.get("security_group_id"))
    return found is not None and found.address == group.address
