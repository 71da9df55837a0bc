"""What is peculiar to load balancers and security groups: listeners by their port, and rules that have no name.

Sources: Amazon EC2 API Reference, SecurityGroupRule; Terraform AWS provider, aws_vpc_security_group_ingress_rule.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from infraspec.core.unknown import Unknown, Value
from infraspec.live.resources.api_to_terraform import tag_map
from infraspec.live.resources.reading import Entry, Peculiarity, Values, entries, values_of
from infraspec.live.resources.scope import LiveScope
from infraspec.terraform.plan import Resource

_GROUPS = ("aws_security_group", "aws_default_security_group")
_EGRESS, _INGRESS = "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"
_LISTENER = "aws_lb_listener"
_ROUTE, _TABLES = "aws_route", ("aws_route_table", "aws_default_route_table")
_TO = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")
_EVERYTHING = "-1"
_PORTS = ("from_port", "to_port")
_PEERS = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")


def firewall_rules(scope: LiveScope, type_: str) -> Iterator[Resource]:
    """Yield the rules of the environment's security groups, of one direction: those of the source, and with tags."""
    own = {str(group.stated("id")): group for group in scope.seen(*_GROUPS)}
    by_group: dict[str, list[Entry]] = {}
    for rule in entries(scope, type_, {}):
        if rule.get("GroupId") in own and bool(rule.get("IsEgress")) is (type_ == _EGRESS):
            by_group.setdefault(rule["GroupId"], []).append(rule)
    groups = {resource.address: identifier for identifier, resource in own.items()}
    for identifier, rules in by_group.items():
        values = {rule["SecurityGroupRuleId"]: values_of(scope, type_, rule) for rule in rules}
        sources = [one for one in scope.sources.plan.managed(type_) if _is_of(one, own[identifier], scope)]
        known = _paired(values, sources, groups, scope)
        for rule in rules:
            called, tags = rule["SecurityGroupRuleId"], tag_map(rule.get("Tags"))
            if called in known or tags:
                yield scope.resource(type_, values[called], tags=tags, source=known.get(called), name=called)


def routes(scope: LiveScope) -> Iterator[Resource]:
    """Yield the routes of the source that AWS has, each in its table by what it is to."""
    tables = {one.address: str(one.stated("id")) for one in scope.seen(*_TABLES)}
    known = {entry["RouteTableId"]: entry.get("Routes", ()) for entry in entries(scope, "aws_route_table", {})}
    for source in scope.sources.plan.managed(_ROUTE):
        named = (scope.sources.named(type_, source.attribute("route_table_id")) for type_ in _TABLES)
        table = next(filter(None, named), None)
        for route in known.get(tables.get(table.address, ""), ()) if table else ():
            values = values_of(scope, _ROUTE, route)
            if any(values.get(name) and values[name] == source.stated(name) for name in _TO):
                yield scope.resource(_ROUTE, values, source=source)


READERS: Mapping[str, Callable[[LiveScope], Iterator[Resource]]] = {
    **{type_: partial(firewall_rules, type_=type_) for type_ in (_EGRESS, _INGRESS)},
    _ROUTE: routes,
}


def _paired(
    rules: Mapping[str, Mapping[str, Value]], sources: Sequence[Resource], groups: Mapping[str, str], scope: LiveScope
) -> Mapping[str, Resource]:
    """Return the resource of the source of each rule that has one: by id, by what it says, by description, by ports.

    What was changed by hand says something else and is still the one of its description, if one alone has it.
    """
    said = {one.address: _resolved(one, groups, scope) for one in sources}
    paired: dict[str, Resource] = {}
    for key in (partial(_text, name="id"), _content, partial(_text, name="description"), _ports):
        taken = {one.address for one in paired.values()}
        ours = _single({one: key(said[one.address]) for one in sources if one.address not in taken})
        theirs = _single({name: key(values) for name, values in rules.items() if name not in paired})
        paired |= {theirs[shared]: ours[shared] for shared in theirs.keys() & ours.keys()}
    return paired


def _single(keys: Mapping[Any, Hashable]) -> dict[Hashable, Any]:
    """Return what alone has a key, by key; None is no key."""
    found: dict[Hashable, list[Any]] = {}
    for one, key in keys.items():
        found.setdefault(key, []).append(one)
    return {key: ones[0] for key, ones in found.items() if key is not None and len(ones) == 1}


def _resolved(source: Resource, groups: Mapping[str, str], scope: LiveScope) -> dict[str, Value]:
    """Return what a rule of the source says, with the id of the group that it refers to."""
    values = dict(source.values)
    referenced = values.get("referenced_security_group_id")
    if isinstance(referenced, Unknown):
        found = next(filter(None, (scope.sources.named(group, referenced) for group in _GROUPS)), None)
        values["referenced_security_group_id"] = groups.get(found.address, referenced) if found else referenced
    return values


def _content(values: Mapping[str, Value]) -> Hashable:
    """Return what a rule says; None if a part of it is not known."""
    protocol = str(values.get("ip_protocol"))
    ports = () if protocol == _EVERYTHING else _ports(values)
    ends = [values.get(name) or "" for name in _PEERS]
    known = ports is not None and all(isinstance(end, str) for end in ends)
    return (protocol, ports, *ends) if known else None


def _text(values: Mapping[str, Value], name: str) -> Hashable:
    value = values.get(name)
    return value if isinstance(value, str) and value else None


def _ports(values: Mapping[str, Value]) -> Hashable:
    ports = [values.get(name) for name in _PORTS]
    return tuple(map(str, ports)) if all(isinstance(port, int | str) for port in ports) else None


def _is_of(rule: Resource, group: Resource, scope: LiveScope) -> bool:
    found = scope.sources.named(group.type, rule.stated("security_group_id"))
    return found is not None and found.address == group.address


def _actions(_scope: LiveScope, listener: Entry, values: Values) -> Values:
    """Add what a listener does with requests."""
    said = values.get("default_action")
    made = [dict(one) for one in said if isinstance(one, Mapping)] if isinstance(said, list) else []
    done = zip(made, forwarding(listener.get("DefaultActions")), strict=False)
    return {**values, "default_action": [{**one, **action} for one, action in done if isinstance(action, Mapping)]}


def forwarding(actions: Sequence[Entry] | None) -> list[Value]:
    """Return what the actions of a listener or of one of its rules do with requests."""
    return [
        {"type": action["Type"].lower(), "target_group_arn": action.get("TargetGroupArn") or _first_group(action)}
        for action in actions or ()
    ]


def _first_group(action: Entry) -> str | None:
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
    return groups[0]["TargetGroupArn"] if groups else None


def _by_port(scope: LiveScope, values: Values, balancer: Resource) -> Resource | None:
    """Return the listener of the source on a port of a load balancer."""
    for listener in scope.sources.plan.managed(_LISTENER):
        owner = scope.sources.named(balancer.type, listener.stated("load_balancer_arn"))
        is_own = owner is not None and owner.address == balancer.address
        if is_own and str(listener.stated("port")) == str(values.get("port")):
            return listener
    return None


def _grouped(_scope: LiveScope, endpoint: Entry, values: Values) -> Values:
    """Add the security groups of an endpoint, where the answer has them."""
    groups = endpoint.get("Groups")
    return values if groups is None else {**values, "security_group_ids": [one["GroupId"] for one in groups]}


PECULIARITIES = {
    "aws_vpc_endpoint": Peculiarity(_grouped),
    "aws_lb": Peculiarity(
        lambda _, __, values: {**values, "arn_suffix": str(values["arn"]).partition(":loadbalancer/")[2]}
    ),
    _LISTENER: Peculiarity(_actions, _by_port),
}
