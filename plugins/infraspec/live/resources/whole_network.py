"""The network around what runs: each VPC with its subnets, routes, gateways, endpoints, groups and ACLs.

It is read whole, whoever made it: the subnets of a service are often those of another stack. Sources: Amazon EC2 API
Reference, Route (its state `blackhole`), NetworkAclEntry, VpcEndpoint, SecurityGroupRule; Elastic Load Balancing API
Reference, DescribeLoadBalancers and DescribeRules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from infraspec.core.errors import RunnerPermissionError
from infraspec.core.unknown import Value
from infraspec.live.resources.network import forwarding
from infraspec.live.resources.reading import entries, values_of
from infraspec.live.resources.scope import LiveScope, refused
from infraspec.resource_types.listing import names
from infraspec.terraform.plan import Resource

RUNNERS = (
    "aws_ecs_service", "aws_ecs_task_definition", "aws_cloudwatch_event_target", "aws_scheduler_schedule",
    "aws_lb_listener", "aws_lb_target_group", "aws_db_instance", "aws_rds_cluster", "aws_efs_file_system",
)  # fmt: skip
"""What runs tasks, and what they and load balancers lead to."""
_ROUTE = names(
    "cidr_block=DestinationCidrBlock ipv6_cidr_block=DestinationIpv6CidrBlock gateway_id=GatewayId "
    "nat_gateway_id=NatGatewayId transit_gateway_id=TransitGatewayId carrier_gateway_id=CarrierGatewayId "
    "vpc_peering_connection_id=VpcPeeringConnectionId network_interface_id=NetworkInterfaceId "
    "local_gateway_id=LocalGatewayId egress_only_gateway_id=EgressOnlyInternetGatewayId "
    "core_network_arn=CoreNetworkArn state=State"
)
_ACL_ENTRY = names("rule_no=RuleNumber action=RuleAction protocol=Protocol cidr_block=CidrBlock")
_EVERYTHING = "-1"


def whole_network(scope: LiveScope) -> Iterator[Resource]:
    """Yield the network of the region and the load balancers. Raises RunnerPermissionError."""
    made = _Making(scope)
    for endpoint in made.of("aws_vpc_endpoint"):
        yield made.resource("aws_vpc_endpoint", endpoint, **made.endpoint(endpoint))
    for vpc in made.of("aws_vpc"):
        yield made.resource("aws_vpc", vpc, **made.resolution(vpc["VpcId"]))
    for type_ in ("aws_subnet", "aws_nat_gateway", "aws_internet_gateway"):
        for one in made.of(type_):
            yield made.resource(type_, one, **_nat(one) if type_ == "aws_nat_gateway" else {})
    gateways = {one["NatGatewayId"] for one in made.of("aws_nat_gateway")}
    for table in made.of("aws_route_table"):
        routes = [_route(one, gateways) for one in table.get("Routes", ())]
        yield made.resource("aws_route_table", table, route=[*routes])
        yield from _associations(table)
    yield from _groups(made)
    for acl in scope.calls.pages("ec2", "describe_network_acls", "NetworkAcls"):
        yield _bare("aws_network_acl", acl["NetworkAclId"], _acl(acl))
    yield from _balancers(made)


class _Making:
    """The resources of a network as Terraform would call them, those of the environment by their own addresses."""

    def __init__(self, scope: LiveScope) -> None:
        self.scope = scope
        self._own: dict[str, dict[Value, Resource]] = {}

    def of(self, type_: str) -> Iterator[Mapping[str, Any]]:
        """Yield what AWS says of each of a type."""
        yield from entries(self.scope, type_, {})

    def resource(self, type_: str, entry: Mapping[str, Any], **also: Value) -> Resource:
        """Return what AWS says of one, with more of its attributes."""
        values = {**values_of(self.scope, type_, entry), **also}
        known = self._known(type_).get(values["id"])
        return _bare(type_, str(values["id"]), values) if known is None else replace(known, values=values)

    def _known(self, type_: str) -> Mapping[Value, Resource]:
        if type_ not in self._own:
            self._own[type_] = {one.stated("id"): one for one in self.scope.managed(type_)}
        return self._own[type_]

    def endpoint(self, endpoint: Mapping[str, Any]) -> dict[str, Value]:
        """Return what of an endpoint decides whether requests go through it."""
        groups = [one["GroupId"] for one in endpoint.get("Groups", ())]
        found: dict[str, Value] = {"security_group_ids": groups}
        if endpoint.get("VpcEndpointType", "Gateway") == "Gateway":
            found["prefix_list_id"] = self._prefix_list(endpoint["ServiceName"])
        return found

    def _prefix_list(self, service: str) -> Value:
        try:
            found = self.scope.calls.pages("ec2", "describe_prefix_lists", "PrefixLists")
        except RunnerPermissionError as error:
            return refused(f"the prefix list of {service}", error)
        return next((one["PrefixListId"] for one in found if one["PrefixListName"] == service), None)

    def resolution(self, vpc: str) -> dict[str, Value]:
        """Return whether a VPC resolves names, where an endpoint with private DNS asks for it."""
        if not any(one.get("PrivateDnsEnabled") for one in self.of("aws_vpc_endpoint") if one.get("VpcId") == vpc):
            return {}
        asked = {"enable_dns_hostnames": "enableDnsHostnames", "enable_dns_support": "enableDnsSupport"}
        return {name: self._attribute(vpc, attribute) for name, attribute in asked.items()}

    def _attribute(self, vpc: str, name: str) -> Value:
        try:
            answer = self.scope.calls.ask("ec2", "describe_vpc_attribute", VpcId=vpc, Attribute=name) or {}
        except RunnerPermissionError as error:
            return refused(f"{name} of {vpc}", error)
        given: Value = answer.get(name[0].upper() + name[1:], {}).get("Value")
        return given


def _bare(type_: str, name: str, values: Mapping[str, Value]) -> Resource:
    return Resource(name, "managed", type_, name, None, "", {**values, "id": name}, "aws")


def _picked(entry: Mapping[str, Any], attributes: Mapping[str, str]) -> dict[str, Value]:
    return {name: entry[key] for name, key in attributes.items() if entry.get(key) is not None}


def _route(route: Mapping[str, Any], gateways: Collection[str]) -> dict[str, Value]:
    """Return a route; one to a NAT gateway that is gone is a black hole."""
    picked = _picked(route, _ROUTE)
    nat = picked.get("nat_gateway_id")
    return picked if nat is None or nat in gateways else {**picked, "state": "blackhole"}


def _nat(gateway: Mapping[str, Any]) -> dict[str, Value]:
    return _picked(gateway, names("subnet_id=SubnetId connectivity_type=ConnectivityType"))


def _associations(table: Mapping[str, Any]) -> Iterator[Resource]:
    for one in table.get("Associations", ()):
        name, given = str(one["RouteTableAssociationId"]), {"route_table_id": table["RouteTableId"]}
        if one.get("Main"):
            yield _bare("aws_main_route_table_association", name, {**given, "vpc_id": table["VpcId"]})
        elif one.get("SubnetId"):
            yield _bare("aws_route_table_association", name, {**given, "subnet_id": one["SubnetId"]})


def _groups(made: _Making) -> Iterator[Resource]:
    """Yield the security groups and each of their rules."""
    for type_ in ("aws_security_group", "aws_default_security_group"):
        yield from (made.resource(type_, group) for group in made.of(type_))
    for rule in made.of("aws_vpc_security_group_egress_rule"):
        way = "egress" if rule.get("IsEgress") else "ingress"
        yield made.resource(f"aws_vpc_security_group_{way}_rule", rule)


def _acl(acl: Mapping[str, Any]) -> dict[str, Value]:
    rules: dict[str, list[Value]] = {"ingress": [], "egress": []}
    for one in acl.get("Entries", ()):
        ports = one.get("PortRange") or {}
        given = {**_picked(one, _ACL_ENTRY), "from_port": ports.get("From", 0), "to_port": ports.get("To", 65535)}
        rules["egress" if one.get("Egress") else "ingress"].append(given)
    subnets = [one["SubnetId"] for one in acl.get("Associations", ())]
    return {"vpc_id": acl.get("VpcId"), "subnet_ids": subnets, **rules}


def _balancers(made: _Making) -> Iterator[Resource]:
    """Yield the load balancers with their subnets, and the rules of the listeners of the environment."""
    for one in made.of("aws_lb"):
        subnets = [zone["SubnetId"] for zone in one.get("AvailabilityZones", ()) if "SubnetId" in zone]
        yield made.resource("aws_lb", one, subnets=subnets)
    for listener in made.scope.managed("aws_lb_listener"):
        arn = listener.stated("arn")
        if isinstance(arn, str):
            yield from _rules(made.scope, arn)


def _rules(scope: LiveScope, listener: str) -> Iterator[Resource]:
    """Yield the rules of a listener; one of which nothing is known where the runner may not look at them."""
    try:
        found = scope.calls.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener)
    except RunnerPermissionError as error:
        hidden = {"listener_arn": listener, "action": [refused(f"an action of {listener}", error)]}
        yield _bare("aws_lb_listener_rule", f"the rules of {listener}", hidden)
        return
    for rule in found:
        given = {"listener_arn": listener, "action": forwarding(rule.get("Actions"))}
        yield _bare("aws_lb_listener_rule", rule["RuleArn"], given)
