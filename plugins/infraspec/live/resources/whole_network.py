"""The network around what runs: each VPC with its subnets, routes, gateways, endpoints, groups and ACLs.

It is read whole, whoever made it: the subnets of a service are often those of another stack. A VPC that another account
shares is left out, as its routes are not shown here. Sources: Amazon EC2 API Reference, Route (its state `blackhole`),
NetworkAclEntry and SecurityGroupRule; Amazon VPC User Guide, "Share your VPC subnets with other accounts"; Elastic Load
Balancing API Reference, TargetGroup, DescribeListeners and DescribeRules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from msgspec.structs import replace

from infraspec.core.errors import RunnerPermissionError
from infraspec.core.unknown import Value
from infraspec.live.resources.network import PECULIARITIES, forwarding
from infraspec.live.resources.reading import NOTHING, Entry, entries, values_of
from infraspec.live.resources.scope import LiveScope, refused
from infraspec.resource_types.listing import names
from infraspec.terraform.plan import Resource

RUNNERS = (
    "aws_ecs_service", "aws_ecs_task_definition", "aws_cloudwatch_event_target", "aws_scheduler_schedule",
    "aws_db_instance",
)  # fmt: skip
"""What runs tasks, and what they connect to."""
_BALANCER, _GROUP, _LISTENER = "aws_lb", "aws_lb_target_group", "aws_lb_listener"
_PLAIN = (
    "aws_subnet", "aws_nat_gateway", "aws_internet_gateway", "aws_security_group", "aws_default_security_group",
)  # fmt: skip
_ACL_ENTRY = names("rule_no=RuleNumber action=RuleAction protocol=Protocol cidr_block=CidrBlock")


def whole_network(scope: LiveScope) -> Iterator[Resource]:
    """Yield the network of the region and the load balancers. Raises RunnerPermissionError."""
    made = _Making(scope)
    for endpoint in made.of("aws_vpc_endpoint"):
        yield made.resource("aws_vpc_endpoint", endpoint, **_prefix_list(scope, endpoint))
    for vpc in made.of("aws_vpc"):
        if vpc.get("OwnerId", scope.calls.account) == scope.calls.account:
            yield made.resource("aws_vpc", vpc, **made.resolution(vpc["VpcId"]))
    for type_ in _PLAIN:
        yield from (made.resource(type_, one) for one in made.of(type_))
    for table in made.of("aws_route_table"):
        yield made.resource("aws_route_table", table)
        yield from (*made.routes(table), *_associations(table))
    for rule in made.of("aws_vpc_security_group_egress_rule"):
        way = "egress" if rule.get("IsEgress") else "ingress"
        yield made.resource(f"aws_vpc_security_group_{way}_rule", rule)
    for acl in scope.calls.pages("ec2", "describe_network_acls", "NetworkAcls"):
        yield _bare("aws_network_acl", acl["NetworkAclId"], _acl(acl))
    yield from _balancers(made)


class _Making:
    """The resources of a network as Terraform would call them, those of the environment by their own addresses."""

    def __init__(self, scope: LiveScope) -> None:
        self.scope = scope
        self._own: dict[str, dict[Value, Resource]] = {}

    def of(self, type_: str, owner: Mapping[str, Value] | None = None) -> Iterator[Entry]:
        """Yield what AWS says of each of a type."""
        yield from entries(self.scope, type_, owner or {})

    def resource(self, type_: str, entry: Entry, **also: Value) -> Resource:
        """Return what AWS says of one, with more of its attributes."""
        peculiarity = PECULIARITIES.get(type_, NOTHING)
        said = values_of(self.scope, type_, entry)
        values = {**(peculiarity.values(self.scope, entry, said) or said), **also}
        known = self._known(type_).get(values["id"])
        return _bare(type_, str(values["id"]), values) if known is None else replace(known, values=values)

    def _known(self, type_: str) -> Mapping[Value, Resource]:
        if type_ not in self._own:
            self._own[type_] = {one.stated("id"): one for one in self.scope.managed(type_)}
        return self._own[type_]

    def routes(self, table: Entry) -> Iterator[Resource]:
        """Yield the routes of a table; one to a NAT gateway that is gone is a black hole."""
        gateways = {one["NatGatewayId"] for one in self.of("aws_nat_gateway")}
        for number, route in enumerate(table.get("Routes", ())):
            is_gone = route.get("State") == "blackhole" or route.get("NatGatewayId") not in {None, *gateways}
            values = {**values_of(self.scope, "aws_route", route), "route_table_id": table["RouteTableId"]}
            state = {"state": "blackhole"} if is_gone else {}
            yield _bare("aws_route", f"{table['RouteTableId']} route {number}", {**values, **state})

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


def _prefix_list(scope: LiveScope, endpoint: Entry) -> dict[str, Value]:
    """Return the prefix list of a gateway endpoint, which rules of security groups name."""
    if endpoint.get("VpcEndpointType", "Gateway") != "Gateway":
        return {}
    service = endpoint["ServiceName"]
    try:
        found = scope.calls.pages("ec2", "describe_prefix_lists", "PrefixLists")
    except RunnerPermissionError as error:
        return {"prefix_list_id": refused(f"the prefix list of {service}", error)}
    named = (one["PrefixListId"] for one in found if one["PrefixListName"] == service)
    return {"prefix_list_id": next(named, None)}


def _associations(table: Entry) -> Iterator[Resource]:
    for one in table.get("Associations", ()):
        name, given = str(one["RouteTableAssociationId"]), {"route_table_id": table["RouteTableId"]}
        if one.get("Main"):
            yield _bare("aws_main_route_table_association", name, {**given, "vpc_id": table["VpcId"]})
        elif one.get("SubnetId"):
            yield _bare("aws_route_table_association", name, {**given, "subnet_id": one["SubnetId"]})


def _acl(acl: Entry) -> dict[str, Value]:
    rules: dict[str, list[Value]] = {"ingress": [], "egress": []}
    for one in acl.get("Entries", ()):
        ports = one.get("PortRange") or {}
        said = {name: one[key] for name, key in _ACL_ENTRY.items() if key in one}
        given = {**said, "from_port": ports.get("From", 0), "to_port": ports.get("To", 65535)}
        rules["egress" if one.get("Egress") else "ingress"].append(given)
    subnets = [one["SubnetId"] for one in acl.get("Associations", ())]
    return {"vpc_id": acl.get("VpcId"), "subnet_ids": subnets, **rules}


def _balancers(made: _Making) -> Iterator[Resource]:
    """Yield the load balancers and target groups, and the listeners in front of those that services name."""
    yield from (made.resource(_BALANCER, one) for one in made.of(_BALANCER))
    try:
        groups = [*made.of(_GROUP)]
    except RunnerPermissionError:
        yield from made.scope.managed(_GROUP, _LISTENER)
        return
    yield from (made.resource(_GROUP, one) for one in groups)
    used = {*_used_groups(made.scope.managed("aws_ecs_service"))}
    in_front = {arn: None for one in groups if one["TargetGroupArn"] in used for arn in one["LoadBalancerArns"]}
    for balancer in in_front:
        yield from _seen(partial(_listeners, made, balancer), _LISTENER, {"load_balancer_arn": balancer})


def _used_groups(services: Iterable[Resource]) -> Iterator[Value]:
    for service in services:
        targets = service.stated("load_balancer")
        for target in targets if isinstance(targets, list | tuple) else ():
            if isinstance(target, Mapping):
                yield target.get("target_group_arn")


def _listeners(made: _Making, balancer: str) -> Iterator[Resource]:
    for listener in made.of(_LISTENER, {"arn": balancer}):
        yield made.resource(_LISTENER, listener)
        place = {"listener_arn": listener["ListenerArn"]}
        yield from _seen(partial(_rules, made.scope, place), "aws_lb_listener_rule", place)


def _rules(scope: LiveScope, place: Mapping[str, str]) -> Iterator[Resource]:
    for rule in scope.calls.pages("elbv2", "describe_rules", "Rules", ListenerArn=place["listener_arn"]):
        said = {
            "action": forwarding(rule.get("Actions")),
            "condition": _conditions(rule),
            "priority": rule.get("Priority"),
        }
        yield _bare("aws_lb_listener_rule", rule["RuleArn"], {**place, **said})


def _conditions(rule: Entry) -> list[Value]:
    """Return the conditions of a rule with their values, which the answer has in one of two places."""
    found: list[Value] = []
    for one in rule.get("Conditions", ()):
        field = one["Field"].replace("-", "_")
        given = next(
            (value["Values"] for value in one.values() if isinstance(value, Mapping) and "Values" in value), ()
        )
        found.append({field: [{"values": [*(one.get("Values") or given)]}]})
    return found


def _seen(read: Callable[[], Iterator[Resource]], type_: str, place: Mapping[str, str]) -> Iterator[Resource]:
    """Yield what is read; one of which nothing is known where the runner may not look."""
    try:
        yield from read()
    except RunnerPermissionError as error:
        what = f"{type_} of {next(iter(place.values()))}"
        action = [refused(f"an action of {what}", error)]
        yield _bare(type_, what, {**place, "action": action, "default_action": action})
