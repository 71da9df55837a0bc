"""The security groups that exist, and those of their rules that are resources of their own.

Sources: Amazon EC2 API Reference, SecurityGroupRule; Terraform AWS provider, aws_vpc_security_group_ingress_rule.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from infraspec.live.scope import Scope, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource
from infraspec.unknown import Unknown, Value

RULES: Mapping[bool, str] = {True: "aws_vpc_security_group_egress_rule", False: "aws_vpc_security_group_ingress_rule"}
"""The types of a rule, by whether it lets out."""
_GROUP, _DEFAULT_GROUP = "aws_security_group", "aws_default_security_group"
_DEFAULT = "default"
_EVERYTHING = "-1"
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
_PORTS = ("from_port", "to_port")
_ENDS = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")


def firewall_resources(scope: Scope) -> Iterator[Resource]:
    """Yield the security groups of the environment, then their rules that the source knows, or that have tags."""
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
    rules: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for rule in scope.calls.pages("ec2", "describe_security_group_rules", "SecurityGroupRules"):
        if rule.get("GroupId") in own:
            rules.setdefault((rule["GroupId"], bool(rule.get("IsEgress"))), []).append(rule)
    for (identifier, is_egress), found in rules.items():
        yield from _rules(scope, RULES[is_egress], own[identifier], found, own)


def _rules(
    scope: Scope, type_: str, group: Resource, rules: Sequence[Mapping[str, Any]], own: Mapping[str, Resource]
) -> Iterator[Resource]:
    """Yield the rules of a group, of one direction."""
    values = {rule["SecurityGroupRuleId"]: _values(scope, rule) for rule in rules}
    sources = [one for one in scope.sources.plan.managed(type_) if _is_of(one, group, scope)]
    known = _paired(values, sources, {resource.address: identifier for identifier, resource in own.items()}, scope)
    for rule in rules:
        identifier, tags = rule["SecurityGroupRuleId"], tag_map(rule.get("Tags"))
        source, said = known.get(identifier), values[identifier]
        if source is not None or tags:
            arn = str(said["arn"])
            yield scope.resource(type_, identifier, address=arn, values=said, tags=tags, source=source)


def _values(scope: Scope, rule: Mapping[str, Any]) -> dict[str, Value]:
    identifier = rule["SecurityGroupRuleId"]
    return {
        **chosen(rule, _OF_RULE),
        **chosen(rule.get("ReferencedGroupInfo") or {}, {"GroupId": "referenced_security_group_id"}),
        "id": identifier,
        "arn": scope.arn("ec2", f"security-group-rule/{identifier}"),
    }


def _paired(
    rules: Mapping[str, Mapping[str, Value]], sources: Sequence[Resource], groups: Mapping[str, str], scope: Scope
) -> Mapping[str, Resource]:
    """Return the resource of the source of each rule that has one: by id, by what it says, by description, by ports.

    What was changed by hand says something else and is still the one of its description, if one alone has it.
    """
    said = {one.address: _resolved(one, groups, scope) for one in sources}
    paired: dict[str, Resource] = {}
    for key in (_identifier, _content, _description, _ports):
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


def _resolved(source: Resource, groups: Mapping[str, str], scope: Scope) -> dict[str, Value]:
    """Return what a rule of the source says, with the id of the group that it refers to."""
    values = dict(source.values)
    referenced = values.get("referenced_security_group_id")
    if isinstance(referenced, Unknown):
        found = scope.sources.named(_GROUP, referenced) or scope.sources.named(_DEFAULT_GROUP, referenced)
        values["referenced_security_group_id"] = groups.get(found.address, referenced) if found else referenced
    return values


def _identifier(values: Mapping[str, Value]) -> Hashable:
    identifier = values.get("id")
    return identifier if isinstance(identifier, str) else None


def _content(values: Mapping[str, Value]) -> Hashable:
    """Return what a rule says; None if a part of it is not known."""
    protocol = str(values.get("ip_protocol"))
    ports = () if protocol == _EVERYTHING else _ports(values)
    ends = [values.get(name) or "" for name in _ENDS]
    known = ports is not None and all(isinstance(end, str) for end in ends)
    return (protocol, ports, *ends) if known else None


def _description(values: Mapping[str, Value]) -> Hashable:
    description = values.get("description")
    return description if isinstance(description, str) and description else None


def _ports(values: Mapping[str, Value]) -> Hashable:
    ports = [values.get(name) for name in _PORTS]
    return tuple(map(str, ports)) if all(isinstance(port, int | str) for port in ports) else None


def _is_of(rule: Resource, group: Resource, scope: Scope) -> bool:
    found = scope.sources.named(group.type, rule.get("security_group_id"))
    return found is not None and found.address == group.address
