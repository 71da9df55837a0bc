"""The network of a plan: which routes, rules and endpoints stand between two ends, and whether they let a request by.

Each answer is a hop: it says whether the request goes on, what shows it, and what would let it. The model ends where
traffic is handed to something that decides for itself: a firewall, a transit gateway, a peering, a network interface.

Sources: Amazon VPC User Guide, "Route tables", "Subnet route tables", "Connect to the internet using an internet
gateway", "NAT gateways", "Security group rules", "Default security groups" and "Network ACL rules"; AWS PrivateLink
Guide, "Access an AWS service using an interface VPC endpoint" (private DNS) and "Gateway endpoints"; Terraform AWS
provider, "aws_security_group" (Terraform removes the egress rule that AWS makes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from ipaddress import IPv4Network

from msgspec import Struct

from infraspec.checks.common.policy_owners import listed
from infraspec.core.truth import Truth, all_of, any_of
from infraspec.core.unknown import Unknown, Value, is_one_value, render
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

EVERYWHERE = IPv4Network("0.0.0.0/0")
_TRUE = (True, "true", "ENABLED")
_FALSE = (None, False, "false", "DISABLED", "")
_ANY_PROTOCOL = ("-1", "all", -1)
_EPHEMERAL = (32768, 60999)
"""The ports that Linux takes for the answers to its requests."""
_TABLES = ("aws_route_table", "aws_default_route_table")
_GROUPS = ("aws_security_group", "aws_default_security_group")
_ROUTE_TYPES = (*_TABLES, "aws_route", "aws_route_table_association", "aws_main_route_table_association")
_RULE_TYPES = ("aws_security_group_rule", "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule")
_SERVICE_NAME = re.compile(r"^(?:cn\.)?com\.amazonaws\.(?:\$\{.*?\}|[a-z0-9-]+)\.(?P<service>[a-z0-9.-]+)$")
_BEYOND = (
    "transit_gateway_id", "vpc_peering_connection_id", "vpc_endpoint_id", "network_interface_id", "instance_id",
    "core_network_arn", "local_gateway_id", "carrier_gateway_id", "odb_network_arn",
)  # fmt: skip
"""What a route may lead to that decides itself what becomes of a request."""
UNLISTED = (*_ROUTE_TYPES, *_RULE_TYPES, "aws_vpc_endpoint", "aws_nat_gateway", "aws_internet_gateway")
"""The types of which one that is not known could let a request by."""


class Hop(Struct, frozen=True):
    """One step of a path: whether it allows the request, what shows it, why it does not, and what would.

    `unknown` is what decides where the answer is MAYBE, if it is one value.
    """

    answer: Truth
    shown: str
    reason: str = ""
    remedy: str = ""
    unknown: Unknown | None = None


class NetworkPath(Struct, frozen=True):
    """The hops from one end to the other."""

    hops: tuple[Hop, ...]

    @property
    def answer(self) -> Truth:
        """Tell whether a request arrives."""
        return all_of(*(hop.answer for hop in self.hops))

    @property
    def worst(self) -> Hop:
        """The first hop of those that let least by."""
        return min(self.hops, key=lambda hop: hop.answer)

    def __str__(self) -> str:
        return " -> ".join(hop.shown for hop in self.hops)


class Peer(Struct, frozen=True):
    """The other end of a request: its addresses, security groups and prefix lists, as far as they are known."""

    name: str
    networks: tuple[IPv4Network | None, ...] = ()
    groups: tuple[Value, ...] = ()
    lists: tuple[Value, ...] = ()
    in_default: bool = False
    """Whether it has the default security group of its VPC."""


INTERNET = Peer("the internet", (EVERYWHERE,))


class GroupRule(Struct, frozen=True):
    """A rule of a security group."""

    protocol: Value
    ports: tuple[Value, Value]
    networks: tuple[Value, ...]
    groups: tuple[Value, ...]
    lists: tuple[Value, ...]
    of_itself: Value
    shown: str


class PlanNetwork:
    """What a plan has of networks."""

    def __init__(self, attributes: AwsAttributes) -> None:
        self.attributes, self.plan = attributes, attributes.plan

    def find(self, value: Value, *types: str) -> Resource | None:
        """Return the resource or data source of some types that an id belongs to."""
        if isinstance(value, Unknown):
            found = self.plan.find(value)
            return found[0] if found is not None and found[0].type in types else None
        if not isinstance(value, str) or not value:
            return None
        return next((self._by_id[type_, value] for type_ in types if (type_, value) in self._by_id), None)

    @cached_property
    def _by_id(self) -> Mapping[tuple[str, str], Resource]:
        return {
            (resource.type, id_): resource
            for resource in self.plan.managed()
            if isinstance(id_ := resource.values.get("id"), str)
        }

    def same(self, one: Value, other: Value) -> Truth:
        """Tell whether two ids are those of one object."""
        one, other = self.attributes.narrow(one), self.attributes.narrow(other)
        if one == other:
            return Truth.YES if is_one_value(render(one)) else Truth.MAYBE
        found = [self.plan.find(id_) if isinstance(id_, Unknown) else None for id_ in (one, other)]
        made = [pair is not None and pair[0].mode == "managed" and self.plan.is_certain(pair[0]) for pair in found]
        apart = all(made) or (isinstance(one, str) and isinstance(other, str))
        return Truth.NO if apart else Truth.MAYBE

    def refers(self, reference: Value, resource: Resource) -> bool:
        """Tell whether an id is that of a resource."""
        found = self.plan.find(reference) if isinstance(reference, Unknown) else None
        return found[0] is resource if found else isinstance(reference, str) and reference == resource.values.get("id")

    def is_own(self, resource: Resource | None) -> bool:
        """Tell whether the plan makes a resource, so that nobody has changed it."""
        return resource is not None and resource.mode == "managed" and resource.type.startswith("aws_")

    # Routes

    def routed(self, subnet: Resource, *, has_address: Value) -> tuple[Hop, ...]:
        """Follow the default route of a subnet to the internet, for what has a public address or not."""
        table = self._table(subnet)
        if isinstance(table, Hop):
            return (table,)
        routes = [*self._default_routes(table)]
        shown = f"{subnet.address} -> {table.name}"
        if None in routes:
            return (_perhaps(shown, f"the routes of {table.name} are not all known"),)
        if not routes:
            return (Hop(Truth.NO, shown, f"{table.name} has no route to {EVERYWHERE}", _to_nat(table)),)
        return (Hop(Truth.YES, shown), *self._onward(table, routes[0] or {}, has_address))

    def _table(self, subnet: Resource) -> RouteTable | Hop:
        own = [one for one in self.plan.managed("aws_route_table_association") if one.stated("subnet_id") is not None]
        for association in own:
            if self.refers(association.attribute("subnet_id"), subnet):
                value = association.attribute("route_table_id")
                table = self.find(value, *_TABLES) or self._of_main(value)
                if table is None or table.mode != "managed":
                    return _perhaps(subnet.address, f"the route table {render(value)} is not in this plan", value)
                return RouteTable(table.address, table, value)
        unclear = next((one for one in own if self._is_open(one.attribute("subnet_id"))), None)
        if unclear is not None:
            return _perhaps(subnet.address, f"which subnet {unclear.address} is for is unknown")
        return self._main_table(subnet)

    def _is_open(self, reference: Value) -> bool:
        """Tell whether it is not known whose id something is."""
        return isinstance(reference, Unknown) and self.plan.find(reference) is None

    def _of_main(self, value: Value) -> Resource | None:
        """Return the VPC whose main route table an attribute of it names."""
        return self.find(value, "aws_vpc") if isinstance(value, Unknown) and "route_table_id" in value.address else None

    def _main_table(self, subnet: Resource) -> RouteTable | Hop:
        vpc = self.find(subnet.attribute("vpc_id"), "aws_vpc")
        if vpc is None or vpc.mode != "managed":
            reason = "it has no route table in this plan, so that of its VPC counts, which is not in it either"
            return _perhaps(subnet.address, reason, subnet.attribute("vpc_id"))
        for association in self.plan.managed("aws_main_route_table_association"):
            if self.refers(association.attribute("vpc_id"), vpc):
                table = self.find(association.attribute("route_table_id"), *_TABLES)
                if table is None or table.mode != "managed":
                    return _perhaps(subnet.address, f"the main route table of {vpc.address} is not in this plan")
                return RouteTable(table.address, table, association.attribute("route_table_id"))
        for table in self.plan.managed("aws_default_route_table"):
            if self.refers(table.attribute("default_route_table_id"), vpc):
                return RouteTable(table.address, table, table.reference("id"))
        return RouteTable(f"the main route table of {vpc.address}", vpc, vpc.reference("main_route_table_id"))

    def _default_routes(self, table: RouteTable) -> Iterator[Mapping[str, Value] | None]:
        """Yield the routes to everywhere; None for what is not known."""
        inline = table.resource.stated("route") if table.resource.type in _TABLES else None
        for route in listed(inline):
            if not isinstance(route, Mapping):
                yield None
            elif (answer := _is_default(route.get("cidr_block"))) is not Truth.NO:
                yield route if answer is Truth.YES else None
        for one in self.plan.managed("aws_route"):
            of = one.attribute("route_table_id")
            if self.refers(of, table.resource) and (table.resource.type != "aws_vpc" or "route_table_id" in render(of)):
                answer = _is_default(one.stated("destination_cidr_block"))
                if answer is not Truth.NO:
                    yield one.values if answer is Truth.YES else None

    def _onward(self, table: RouteTable, route: Mapping[str, Value], has_address: Value) -> Iterator[Hop]:
        shown = f"{EVERYWHERE}"
        if route.get("state") == "blackhole":
            ends = [*_BEYOND, "nat_gateway_id", "gateway_id"]
            gone = next((self._shown(route[name]) for name in ends if route.get(name) not in _FALSE), "nothing")
            yield Hop(
                Truth.NO, shown, f"the route of {table.name} leads to {gone}, which does not exist", _to_nat(table)
            )
            return
        beyond = next((route[name] for name in _BEYOND if route.get(name) not in _FALSE), None)
        if beyond is not None:
            reason = f"the route leads to {self._shown(beyond)}, which decides where it goes"
            yield _perhaps(f"{shown} to {self._shown(beyond)}", reason)
            return
        nat = route.get("nat_gateway_id")
        if nat not in _FALSE:
            yield from self._through_nat(nat)
            return
        gateway = route.get("gateway_id")
        found = self.find(gateway, "aws_internet_gateway")
        if found is None and not str(gateway).startswith("igw-"):
            what = self._shown(gateway)
            yield _perhaps(f"{shown} to {what}", f"where {what} leads, to which the route goes, is unknown")
            return
        yield Hop(Truth.YES, self._shown(gateway))
        if has_address in _FALSE:
            reason = "the route leads to an internet gateway, which drops traffic without a public IP address"
            yield Hop(Truth.NO, "no public IP address", reason, f"assign_public_ip = true, or {_to_nat(table)}")
        elif has_address not in _TRUE:
            why = "whether the task gets a public IP address is unknown"
            yield _perhaps("a public IP address", why, has_address)

    def _through_nat(self, value: Value) -> Iterator[Hop]:
        nat = self.find(value, "aws_nat_gateway")
        if nat is None or nat.mode != "managed":
            yield Hop(Truth.YES, f"the NAT gateway {render(value)}")
            return
        if nat.stated("connectivity_type") == "private":
            yield _perhaps(nat.address, "it is a private NAT gateway, whose routes are not followed")
            return
        yield Hop(Truth.YES, nat.address)
        subnet = self.find(nat.attribute("subnet_id"), "aws_subnet") if nat.stated("subnet_id") else None
        reason = self._against_gateway(subnet) if subnet is not None and subnet.mode == "managed" else ""
        if reason:
            remedy = f"put {nat.address} into a subnet whose route table has a route to an internet gateway"
            yield Hop(Truth.NO, subnet.address if subnet else "", f"{nat.address} cannot reach it: {reason}", remedy)

    def _against_gateway(self, subnet: Resource) -> str:
        """Return why the default route of a subnet leads to no internet gateway, nothing where it does or may."""
        table = self._table(subnet)
        routes = [*self._default_routes(table)] if isinstance(table, RouteTable) else [None]
        if not routes and isinstance(table, RouteTable):
            return f"{table.name}, the route table of its subnet, has no route to {EVERYWHERE}"
        first = routes[0] or {}
        again = first.get("nat_gateway_id")
        return f"the route of its own subnet leads to {self._shown(again)}" if again not in _FALSE else ""

    def _shown(self, value: Value) -> str:
        found = self.plan.find(value) if isinstance(value, Unknown) else None
        return found[0].address if found else render(value)

    # Endpoints

    def endpoints(self, subnet: Resource, service: str, region: Value) -> Iterator[tuple[Truth, Resource]]:
        """Yield the endpoints of a service whose names or routes lead there from a subnet, or may."""
        for endpoint in self.plan.managed("aws_vpc_endpoint"):
            leads = self.leads(subnet, endpoint, service)
            here = self.attributes.region_of(endpoint)
            apart = isinstance(region, str) and isinstance(here, str) and region != here
            if leads is not Truth.NO and not apart:
                yield all_of(leads, Truth.YES if self.plan.is_certain(endpoint) else Truth.MAYBE), endpoint

    def service_of(self, endpoint: Resource) -> str:
        """Return the service of an endpoint (`ecr.api`), nothing if it is not known."""
        value = endpoint.attribute("service_name")
        found = self.plan.find(value) if isinstance(value, Unknown) else None
        if found is not None and found[0].type == "aws_vpc_endpoint_service":
            service = found[0].stated("service")
            return service if isinstance(service, str) else ""
        named = _SERVICE_NAME.match(render(self.attributes.narrow(value)))
        return named["service"] if named else ""

    def leads(self, subnet: Resource, endpoint: Resource, service: str) -> Truth:
        """Tell whether names or routes in a subnet lead to an endpoint of a service."""
        own = self.service_of(endpoint)
        if own not in ("", service):
            return Truth.NO
        same = self.same(subnet.attribute("vpc_id"), endpoint.attribute("vpc_id"))
        kind = endpoint.stated("vpc_endpoint_type") or "Gateway"
        if same is Truth.NO or kind == "Gateway":
            return min(same, self._routed_to(subnet, endpoint))
        private = endpoint.stated("private_dns_enabled")
        if kind != "Interface" or service == "s3" or own == "" or isinstance(private, Unknown):
            return Truth.MAYBE
        return same if private in _TRUE else Truth.NO

    def _routed_to(self, subnet: Resource, endpoint: Resource) -> Truth:
        """Tell whether the route table of a subnet has a route to a gateway endpoint."""
        tables = listed(endpoint.stated("route_table_ids"))
        for other in self.plan.managed("aws_vpc_endpoint_route_table_association"):
            if self.refers(other.attribute("vpc_endpoint_id"), endpoint):
                tables.append(other.attribute("route_table_id"))
        own = self._table(subnet)
        if isinstance(own, Hop):
            return Truth.MAYBE
        return max((self.same(table, own.id_) for table in tables), default=Truth.NO)

    def name_resolution(self, endpoint: Resource) -> Hop | None:
        """Return why names do not lead to an interface endpoint whose private DNS is enabled."""
        vpc = self.find(endpoint.attribute("vpc_id"), "aws_vpc")
        if vpc is None or vpc.mode != "managed":
            return None
        wanted = {"enable_dns_hostnames": False, "enable_dns_support": True}
        given = {name: vpc.stated(name, usual) for name, usual in wanted.items()}
        off = [name for name, value in given.items() if value in (False, "false")]
        if not off:
            open_ = next((value for value in given.values() if isinstance(value, Unknown)), None)
            why = f"whether {vpc.address} resolves the names of private DNS is unknown"
            return _perhaps(endpoint.address, why, open_) if open_ is not None else None
        reason = f"private DNS requires {' and '.join(off)} of {vpc.address}"
        return Hop(Truth.NO, endpoint.address, reason, f"set {', '.join(f'{name} = true' for name in off)}")

    # Security groups

    def groups_pass(self, groups: Sequence[Value], direction: str, port: Value, peer: Peer, vpc: Value) -> Hop:
        """Tell whether one of the security groups of an end lets a request by, to or from a peer on a port of TCP."""
        best = Hop(Truth.NO, "no security group")
        for value in groups or (None,):
            hop = self._group_passes(value, direction, port, peer, vpc)
            best = hop if hop.answer > best.answer or best.shown == "no security group" else best
        return best

    def _group_passes(self, value: Value, direction: str, port: Value, peer: Peer, vpc: Value) -> Hop:
        group = self.find(value, *_GROUPS) if value is not None else self._default_group(vpc)
        way = "to" if direction == "egress" else "from"
        asked = f"TCP {render(port)} {way} {peer.name}"
        if value is None and group is None:
            return self._by_default(direction, asked, vpc, is_member=peer.in_default)
        rules = [*self._rules(value, group, direction)]
        answers = {rule: self._passes(rule, value, port, peer) for rule in rules if rule is not None}
        name = group.address if group is not None else f"the security group {render(value)}"
        best = max(answers.values(), default=Truth.NO)
        if best is Truth.YES:
            by = next(rule.shown for rule, answer in answers.items() if answer is Truth.YES)
            return Hop(Truth.YES, f"{name} allows {asked} ({by})")
        if best is Truth.MAYBE:
            by = next(rule.shown for rule, answer in answers.items() if answer is Truth.MAYBE)
            return _perhaps(name, f"whether {by} allows {asked} is unknown")
        if group is None or group.mode != "managed" or None in rules:
            return _perhaps(name, f"the rules of {name} are not all known", value)
        reason = f"no {direction} rule of {name} allows {asked}"
        return Hop(Truth.NO, name, reason, _rule(group, direction, port, peer))

    def _default_group(self, vpc: Value) -> Resource | None:
        groups = self.plan.managed("aws_default_security_group")
        return next((one for one in groups if self.same(one.attribute("vpc_id"), vpc) is Truth.YES), None)

    def _by_default(self, direction: str, asked: str, vpc: Value, *, is_member: bool) -> Hop:
        found = self.find(vpc, "aws_vpc")
        if found is None or found.mode != "managed":
            return _perhaps("the default security group", "the default security group of the VPC is not in this plan")
        name = f"the default security group of {found.address}"
        if direction == "egress" or is_member:
            return Hop(Truth.YES, f"{name} allows {asked}")
        remedy = "name security groups of your own"
        return Hop(Truth.NO, name, f"{name} allows only its own members in", remedy)

    def _rules(self, value: Value, group: Resource | None, direction: str) -> Iterator[GroupRule | None]:
        """Yield the rules of a group in a direction; None for what is not known."""
        if group is not None and group.mode == "managed":
            for index, one in enumerate(listed(group.stated(direction))):
                shown = f"{group.location_of(direction) or f'{group.address}.{direction}.{index}'}"
                yield _inline(one, shown) if isinstance(one, Mapping) else None
        own = "egress" if direction == "egress" else "ingress"
        for one in self.plan.managed("aws_security_group_rule"):
            if self._is_of(one, value, group) and one.stated("type") in (own, None):
                yield _inline(one.values, one.address, one.stated("source_security_group_id"))
        for one in self.plan.managed(f"aws_vpc_security_group_{own}_rule"):
            if self._is_of(one, value, group):
                yield _single(one)

    def _is_of(self, rule: Resource, value: Value, group: Resource | None) -> bool:
        reference = rule.attribute("security_group_id")
        if group is not None and self.refers(reference, group):
            return True
        return value is not None and self.same(reference, value) is Truth.YES

    def _passes(self, rule: GroupRule, own: Value, port: Value, peer: Peer) -> Truth:
        by_port = _covers_port(rule, port)
        if by_port is Truth.NO:
            return Truth.NO
        groups = [*rule.groups, *([own] if rule.of_itself in _TRUE else [])]
        ends = [
            *(self.same(one, other) for one in groups for other in peer.groups),
            *(self.same(one, other) for one in rule.lists for other in peer.lists),
            *(Truth.MAYBE for _ in rule.lists if not peer.lists),
            self._covers(rule.networks, peer.networks),
        ]
        return all_of(by_port, any_of(ends))

    def _covers(self, networks: Sequence[Value], wanted: Sequence[IPv4Network | None]) -> Truth:
        given = [self.network(one) for one in networks]
        if not given or not wanted:
            return Truth.NO
        return all_of(*(any_of(_covered(each, one) for one in given) for each in wanted))

    def network(self, value: Value) -> IPv4Network | None:
        """Return a block of addresses, None if it is not known."""
        narrowed = self.attributes.narrow(value)
        try:
            return IPv4Network(narrowed, strict=False) if isinstance(narrowed, str) else None
        except ValueError:
            return None

    def addresses(self, subnets: Iterable[Value]) -> tuple[IPv4Network | None, ...]:
        """Return the blocks of subnets; None for one that is not known."""
        found = [self.find(one, "aws_subnet") for one in subnets]
        return tuple(self.network(one.attribute("cidr_block")) if one is not None else None for one in found)

    # Network ACLs

    def acl_passes(self, subnet: Resource, direction: str, ports: tuple[int, int], peer: Peer) -> Hop | None:
        """Return what the network ACL of a subnet has against a request; nothing if it lets all by, as by default."""
        acl = self._acl(subnet)
        if acl is None:
            return None
        answer = Truth.NO
        for rule in [*sorted(self._acl_rules(acl, direction), key=lambda one: one[0])]:
            _, allows, protocol, low, high, block = rule
            whole, some = self._acl_matches(protocol, (low, high), block, ports, peer)
            if whole:
                answer = answer if answer is Truth.MAYBE and not allows else Truth.YES if allows else answer
                break
            if some:
                answer = Truth.MAYBE
        if answer is Truth.YES:
            return None
        way = "out to" if direction == "egress" else "in from"
        asked = f"TCP {ports[0]}{f'-{ports[1]}' if ports[1] != ports[0] else ''} {way} {peer.name}"
        if answer is Truth.MAYBE:
            return _perhaps(acl.address, f"whether {acl.address} allows {asked} is unknown")
        return Hop(
            Truth.NO, acl.address, f"{acl.address} does not allow {asked}", f"add a rule to {acl.address} for it"
        )

    def acls(self, subnet: Resource, peer: Peer, port: int) -> Iterator[Hop]:
        """Yield what the network ACL of a subnet has against a request to a peer, and against its answer."""
        for direction, ports in (("egress", (port, port)), ("ingress", _EPHEMERAL)):
            hop = self.acl_passes(subnet, direction, ports, peer)
            if hop is not None:
                yield hop

    def _acl(self, subnet: Resource) -> Resource | None:
        for one in self.plan.managed("aws_network_acl_association"):
            if self.refers(one.attribute("subnet_id"), subnet):
                return self.find(one.attribute("network_acl_id"), "aws_network_acl")
        for one in self.plan.managed("aws_network_acl", "aws_default_network_acl"):
            if any(self.refers(each, subnet) for each in listed(one.stated("subnet_ids"))):
                return one
        vpc = self.find(subnet.attribute("vpc_id"), "aws_vpc")
        if vpc is None:
            return None
        defaults = self.plan.managed("aws_default_network_acl")
        return next((one for one in defaults if self.refers(one.attribute("default_network_acl_id"), vpc)), None)

    def _acl_rules(self, acl: Resource, direction: str) -> Iterator[tuple[int, bool, Value, Value, Value, Value]]:
        for one in listed(acl.stated(direction)):
            if isinstance(one, Mapping):
                yield _acl_rule(one, one.get("rule_no"), one.get("action"))
        for rule in self.plan.managed("aws_network_acl_rule"):
            outward = rule.stated("egress") in _TRUE
            if self.refers(rule.attribute("network_acl_id"), acl) and outward == (direction == "egress"):
                yield _acl_rule(rule.values, rule.stated("rule_number"), rule.stated("rule_action"))

    def _acl_matches(
        self, protocol: Value, given: tuple[Value, Value], block: Value, ports: tuple[int, int], peer: Peer
    ) -> tuple[bool, bool]:
        """Tell whether a rule is about all of a request, and whether it is about some of it."""
        if str(protocol) not in ("-1", "all", "tcp", "6"):
            return False, isinstance(protocol, Unknown)
        low, high = (0, 65535) if str(protocol) in ("-1", "all") else map(_number, given)
        network = self.network(block)
        if block is None:
            return False, False
        if low is None or high is None or network is None or None in peer.networks:
            return False, True
        wanted = [one for one in peer.networks if one is not None]
        inside = low <= ports[0] and ports[1] <= high and all(one.subnet_of(network) for one in wanted)
        beside = high < ports[0] or ports[1] < low or not any(one.overlaps(network) for one in wanted)
        return inside, not beside and not (EVERYWHERE in wanted and network.is_private)


class RouteTable(Struct, frozen=True):
    """A route table by its name; `resource` is the VPC where it is the main one that the plan does not manage."""

    name: str
    resource: Resource
    id_: Value


def network(plan: Plan) -> PlanNetwork:
    """Return the network of a plan, to be asked for by `plan.derived`."""
    return PlanNetwork(plan.derived(AwsAttributes))


def _perhaps(shown: str, reason: str, value: Value = None) -> Hop:
    return Hop(Truth.MAYBE, shown, reason, unknown=value if isinstance(value, Unknown) else None)


def _is_default(block: Value) -> Truth:
    if isinstance(block, Unknown):
        return Truth.MAYBE
    return Truth.YES if block == str(EVERYWHERE) else Truth.NO


def _to_nat(table: RouteTable) -> str:
    return (
        f'give {table.name} a route: destination_cidr_block = "{EVERYWHERE}", nat_gateway_id = that of a NAT gateway '
        "in a public subnet"
    )


def _inline(rule: Mapping[str, Value], shown: str, group: Value = None) -> GroupRule:
    groups = [*listed(rule.get("security_groups")), *([group] if group is not None else [])]
    return GroupRule(
        rule.get("protocol"),
        (rule.get("from_port"), rule.get("to_port")),
        tuple(listed(rule.get("cidr_blocks"))),
        tuple(groups),
        tuple(listed(rule.get("prefix_list_ids"))),
        rule.get("self"),
        shown,
    )


def _single(rule: Resource) -> GroupRule:
    def given(name: str) -> tuple[Value, ...]:
        value = rule.stated(name)
        return () if value is None or value == rule.reference(name) else (value,)

    ports = (rule.stated("from_port"), rule.stated("to_port"))
    referenced = given("referenced_security_group_id")
    return GroupRule(
        rule.stated("ip_protocol"), ports, given("cidr_ipv4"), referenced, given("prefix_list_id"), None, rule.address
    )


def _covers_port(rule: GroupRule, port: Value) -> Truth:
    protocol = rule.protocol
    if isinstance(protocol, Unknown):
        return Truth.MAYBE
    if protocol in _ANY_PROTOCOL:
        return Truth.YES
    if str(protocol).lower() not in ("tcp", "6"):
        return Truth.NO
    if isinstance(port, Unknown) and rule.ports == (port, port):
        return Truth.YES
    low, high, asked = _number(rule.ports[0]), _number(rule.ports[1]), _number(port)
    if low is None or high is None:
        return Truth.MAYBE
    if asked is None:
        return Truth.YES if (low, high) == (0, 65535) else Truth.MAYBE
    return Truth.YES if low <= asked <= high else Truth.NO


def _number(value: Value) -> int | None:
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def _covered(wanted: IPv4Network | None, given: IPv4Network | None) -> Truth:
    if given == EVERYWHERE:
        return Truth.YES
    if wanted is None or given is None:
        return Truth.MAYBE
    if wanted.subnet_of(given):
        return Truth.YES
    if wanted == EVERYWHERE and given.is_private:
        return Truth.NO
    return Truth.MAYBE if wanted.overlaps(given) else Truth.NO


def _acl_rule(rule: Mapping[str, Value], number: Value, action: Value) -> tuple[int, bool, Value, Value, Value, Value]:
    allows = str(action).lower() == "allow"
    block = rule.get("cidr_block")
    return _number(number) or 0, allows, rule.get("protocol"), rule.get("from_port"), rule.get("to_port"), block


def _rule(group: Resource, direction: str, port: Value, peer: Peer) -> str:
    name = group.address.rpartition(".")[2].partition("[")[0]
    everywhere = peer.networks == (EVERYWHERE,)
    own = next((one for one in peer.groups if isinstance(one, Unknown)), None)
    other = (
        f'cidr_ipv4         = "{EVERYWHERE}"'
        if everywhere
        else f"referenced_security_group_id = {own.address}"
        if own is not None
        else f'cidr_ipv4         = "{next((one for one in peer.networks if one), "…")}"'
    )
    local = group.address.removeprefix(f"{group.module}.") if group.module else group.address
    return (
        f'resource "aws_vpc_security_group_{direction}_rule" "{name}_{render(port)}" {{\n'
        f"  security_group_id = {local}.id\n"
        f'  ip_protocol       = "tcp"\n'
        f"  from_port         = {render(port)}\n"
        f"  to_port           = {render(port)}\n"
        f"  {other}\n}}"
    )
