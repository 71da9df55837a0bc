"""Where things are in the network: their subnets, security groups and network ACLs, three calls for all of them.

Source: Amazon EC2 API Reference, DescribeSubnets, DescribeSecurityGroups and DescribeNetworkAcls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infraspec.aws.calls import Calls
from infraspec.rds.network import Entry, Group, Rule, Side

Place = tuple[Sequence[str], Sequence[str]]
"""The ids of subnets and of security groups."""
_MOST = 200
_ALL_PORTS = 65535


def sides(calls: Calls, places: Mapping[str, Place]) -> dict[str, Side]:
    """Return the side of each place by its name; a place whose subnets do not exist has none."""
    subnet_ids = sorted({one for subnets, _ in places.values() for one in subnets})
    group_ids = sorted({one for _, groups in places.values() for one in groups})
    if not subnet_ids:
        return {}
    subnets = {one["SubnetId"]: one for one in _all(calls, "describe_subnets", "Subnets", "subnet-id", subnet_ids)}
    found = _all(calls, "describe_security_groups", "SecurityGroups", "group-id", group_ids)
    groups = {one["GroupId"]: _group(one) for one in found}
    acls = _acls(_all(calls, "describe_network_acls", "NetworkAcls", "association.subnet-id", subnet_ids))
    there = {
        name: ([subnets[one] for one in ids if one in subnets], [groups[one] for one in own if one in groups])
        for name, (ids, own) in places.items()
    }
    return {name: _side(own, security, acls) for name, (own, security) in there.items() if own}


def _all(calls: Calls, operation: str, key: str, name: str, values: Sequence[str]) -> list[Mapping[str, Any]]:
    """Ask by a filter, which, unlike ids, does not fail for what is gone; 200 values are the most of one."""
    parts = [values[start : start + _MOST] for start in range(0, len(values), _MOST)]
    return [
        item
        for part in parts
        for item in calls.pages("ec2", operation, key, Filters=[{"Name": name, "Values": list(part)}])
    ]


def _side(subnets: Sequence[Mapping[str, Any]], groups: Sequence[Group], acls: Mapping[str, tuple[Entry, ...]]) -> Side:
    own = {acls[one["SubnetId"]] for one in subnets if one["SubnetId"] in acls}
    return Side(subnets[0]["VpcId"], tuple(groups), tuple(one["CidrBlock"] for one in subnets), tuple(own))


def _group(answer: Mapping[str, Any]) -> Group:
    return Group(
        answer["GroupId"],
        tuple(_rule(one) for one in answer.get("IpPermissions", ())),
        tuple(_rule(one) for one in answer.get("IpPermissionsEgress", ())),
    )


def _rule(answer: Mapping[str, Any]) -> Rule:
    first, last = answer.get("FromPort", 0), answer.get("ToPort", _ALL_PORTS)
    return Rule(
        str(answer["IpProtocol"]),
        first,
        last,
        frozenset(one["GroupId"] for one in answer.get("UserIdGroupPairs", ()) if one.get("GroupId")),
        (
            *(one["CidrIp"] for one in answer.get("IpRanges", ())),
            *(one["CidrIpv6"] for one in answer.get("Ipv6Ranges", ())),
        ),
        frozenset(one["PrefixListId"] for one in answer.get("PrefixListIds", ())),
    )


def _acls(answers: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Entry, ...]]:
    """Return the entries by the subnet that they are for."""
    found: dict[str, tuple[Entry, ...]] = {}
    for acl in answers:
        entries = tuple(_entry(one) for one in acl.get("Entries", ()) if one.get("CidrBlock"))
        for association in acl.get("Associations", ()):
            if association.get("SubnetId"):
                found[association["SubnetId"]] = entries
    return found


def _entry(answer: Mapping[str, Any]) -> Entry:
    ports = answer.get("PortRange") or {}
    return Entry(
        answer["RuleNumber"],
        bool(answer.get("Egress")),
        answer["RuleAction"] == "allow",
        str(answer["Protocol"]),
        answer["CidrBlock"],
        ports.get("From", 0),
        ports.get("To", _ALL_PORTS),
    )
