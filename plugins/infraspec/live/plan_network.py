"""What of the network takes names or tags: VPCs, subnets, gateways, addresses, route tables, endpoints, firewalls.

Their describe operations answer with the tags; what has no name has its tag Name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from infraspec.live.plan_firewalls import firewall_resources
from infraspec.live.scope import Scope, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource


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
    yield from firewall_resources(scope)
