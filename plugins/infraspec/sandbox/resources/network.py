"""VPCs: subnets, gateways, routes and endpoints."""

from __future__ import annotations

from typing import Any

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import Attributes, Kind, Values, given, tags


def tagged(kind: str, values: Values) -> dict[str, Any]:
    """Return the tags of a new resource of EC2, as its calls take them."""
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags(values)}]} if tags(values) else {}


def _arn(account: Account, kind: str, identifier: str) -> str:
    return f"arn:{account.partition}:ec2:{account.region}:{account.account}:{kind}/{identifier}"


def _vpc(account: Account, values: Values) -> Attributes:
    ec2 = account.client("ec2")
    names = {"cidr_block": "CidrBlock", "instance_tenancy": "InstanceTenancy"}
    made = ec2.create_vpc(**given(values, names), **tagged("vpc", values))["Vpc"]
    identifier = made["VpcId"]
    support = values.get("enable_dns_support") is not False
    ec2.modify_vpc_attribute(VpcId=identifier, EnableDnsSupport={"Value": support})
    ec2.modify_vpc_attribute(VpcId=identifier, EnableDnsHostnames={"Value": bool(values.get("enable_dns_hostnames"))})
    here = [{"Name": "vpc-id", "Values": [identifier]}]
    groups = ec2.describe_security_groups(Filters=[*here, {"Name": "group-name", "Values": ["default"]}])
    tables = ec2.describe_route_tables(Filters=here)["RouteTables"]
    return {
        "id": identifier,
        "arn": _arn(account, "vpc", identifier),
        "cidr_block": made["CidrBlock"],
        "default_security_group_id": groups["SecurityGroups"][0]["GroupId"],
        "default_route_table_id": tables[0]["RouteTableId"],
        "main_route_table_id": tables[0]["RouteTableId"],
    }


def _subnet(account: Account, values: Values) -> Attributes:
    ec2 = account.client("ec2")
    names = {"vpc_id": "VpcId", "cidr_block": "CidrBlock", "availability_zone": "AvailabilityZone"}
    made = ec2.create_subnet(**given(values, names), **tagged("subnet", values))["Subnet"]
    if values.get("map_public_ip_on_launch"):
        ec2.modify_subnet_attribute(SubnetId=made["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    return {
        "id": made["SubnetId"],
        "arn": made["SubnetArn"],
        "availability_zone": made["AvailabilityZone"],
        "cidr_block": made["CidrBlock"],
    }


def _internet_gateway(account: Account, values: Values) -> Attributes:
    ec2 = account.client("ec2")
    made = ec2.create_internet_gateway(**tagged("internet-gateway", values))["InternetGateway"]
    identifier = made["InternetGatewayId"]
    if values.get("vpc_id"):
        ec2.attach_internet_gateway(InternetGatewayId=identifier, VpcId=values["vpc_id"])
    return {"id": identifier, "arn": _arn(account, "internet-gateway", identifier)}


def _address(account: Account, values: Values) -> Attributes:
    made = account.client("ec2").allocate_address(Domain="vpc", **tagged("elastic-ip", values))
    identifier = made["AllocationId"]
    return {"id": identifier, "allocation_id": identifier, "public_ip": made["PublicIp"]}


def _nat_gateway(account: Account, values: Values) -> Attributes:
    names = {"allocation_id": "AllocationId", "subnet_id": "SubnetId", "connectivity_type": "ConnectivityType"}
    made = account.client("ec2").create_nat_gateway(**given(values, names), **tagged("natgateway", values))
    return {"id": made["NatGateway"]["NatGatewayId"]}


def _route_table(account: Account, values: Values) -> Attributes:
    made = account.client("ec2").create_route_table(VpcId=values["vpc_id"], **tagged("route-table", values))
    identifier = made["RouteTable"]["RouteTableId"]
    for route in values.get("route") or ():
        destination = given(route, {"cidr_block": "DestinationCidrBlock"})
        account.client("ec2").create_route(RouteTableId=identifier, **destination, **given(route, _TARGETS))
    return {"id": identifier, "arn": _arn(account, "route-table", identifier)}


_TARGETS = {
    "gateway_id": "GatewayId",
    "nat_gateway_id": "NatGatewayId",
    "transit_gateway_id": "TransitGatewayId",
    "vpc_peering_connection_id": "VpcPeeringConnectionId",
    "network_interface_id": "NetworkInterfaceId",
}


def _route(account: Account, values: Values) -> Attributes:
    destinations = {
        "destination_cidr_block": "DestinationCidrBlock",
        "destination_ipv6_cidr_block": "DestinationIpv6CidrBlock",
    }
    table = values["route_table_id"]
    account.client("ec2").create_route(RouteTableId=table, **given(values, destinations), **given(values, _TARGETS))
    return {"id": f"r-{table}"}


def _association(account: Account, values: Values) -> Attributes:
    names = {"route_table_id": "RouteTableId", "subnet_id": "SubnetId", "gateway_id": "GatewayId"}
    made = account.client("ec2").associate_route_table(**given(values, names))
    return {"id": made["AssociationId"]}


def _endpoint(account: Account, values: Values) -> Attributes:
    names = {
        "vpc_id": "VpcId",
        "service_name": "ServiceName",
        "vpc_endpoint_type": "VpcEndpointType",
        "subnet_ids": "SubnetIds",
        "security_group_ids": "SecurityGroupIds",
        "route_table_ids": "RouteTableIds",
        "private_dns_enabled": "PrivateDnsEnabled",
        "policy": "PolicyDocument",
    }
    made = account.client("ec2").create_vpc_endpoint(**given(values, names), **tagged("vpc-endpoint", values))
    identifier = made["VpcEndpoint"]["VpcEndpointId"]
    return {"id": identifier, "arn": _arn(account, "vpc-endpoint", identifier)}


KINDS = {
    "aws_vpc": Kind(_vpc),
    "aws_internet_gateway": Kind(_internet_gateway),
    "aws_subnet": Kind(_subnet),
    "aws_eip": Kind(_address),
    "aws_nat_gateway": Kind(_nat_gateway),
    "aws_route_table": Kind(_route_table),
    "aws_route": Kind(_route),
    "aws_route_table_association": Kind(_association),
    "aws_vpc_endpoint": Kind(_endpoint),
}
"""Endpoints name security groups: their type comes after those by their references."""
