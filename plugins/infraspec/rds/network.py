"""The way from one side of a VPC to another: security groups and network ACLs.

It says that a path is open, never that somebody listens at its end. Subnets of one VPC always have a route to each
other, which no route table can take away.

Sources: Amazon VPC User Guide, "Security group rules", "Network ACL rules" and "Route tables" (the local route).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_network

from msgspec import Struct

from infraspec.iam.answer import Answer, both, either

_ALL, _TCP = "-1", ("tcp", "6")
_EPHEMERAL = (32768, 60999)
"""The ports that Linux opens connections from; of VPC documentation, "Ephemeral ports"."""


class Rule(Struct, frozen=True):
    """What a security group lets through: a protocol and ports, from or to groups and addresses."""

    protocol: str
    first: int
    last: int
    groups: frozenset[str] = frozenset()
    cidrs: tuple[str, ...] = ()
    lists: frozenset[str] = frozenset()
    """Prefix lists, which are not looked into."""


class Group(Struct, frozen=True):
    """A security group."""

    id: str
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()


class Entry(Struct, frozen=True):
    """A rule of a network ACL; those of the lowest numbers are looked at first."""

    number: int
    egress: bool
    allow: bool
    protocol: str
    cidr: str
    first: int = 0
    last: int = 65535


class Side(Struct, frozen=True):
    """One end of a path: its VPC, its security groups, the addresses of its subnets, and their ACLs."""

    vpc: str
    groups: tuple[Group, ...]
    cidrs: tuple[str, ...]
    entries: tuple[tuple[Entry, ...], ...] = ()


class Step(Struct, frozen=True):
    """One thing on the way that is not certainly open."""

    answer: Answer
    reason: str


def path(client: Side, server: Side, port: int) -> Step:
    """Say whether a client may open a TCP connection to a port of a server, by what is configured."""
    if client.vpc != server.vpc:
        return Step(Answer.MAYBE, f"they are in two networks, {client.vpc} and {server.vpc}; peering is not looked at")
    steps = [
        (
            _passes(client.groups, server, port, egress=True),
            f"no egress rule of {_ids(client)} certainly lets port {port} out",
        ),
        (
            _passes(server.groups, client, port, egress=False),
            f"no ingress rule of {_ids(server)} certainly lets port {port} in",
        ),
        (_acls(client, server, port), "a network ACL between them does not certainly let it through"),
    ]
    answer = both(*(step for step, _ in steps))
    reason = next((text for step, text in steps if step is answer), "")
    return Step(answer, "" if answer is Answer.YES else reason)


def _ids(side: Side) -> str:
    return ", ".join(group.id for group in side.groups) or "no security group"


def _passes(groups: Iterable[Group], other: Side, port: int, *, egress: bool) -> Answer:
    rules = [rule for group in groups for rule in (group.egress if egress else group.ingress)]
    return either(_lets(rule, other, port) for rule in rules)


def _lets(rule: Rule, other: Side, port: int) -> Answer:
    if rule.protocol != _ALL and (rule.protocol not in _TCP or not rule.first <= port <= rule.last):
        return Answer.NO
    covered = [any(_within(cidr, own) for own in rule.cidrs) for cidr in other.cidrs]
    if rule.groups & {group.id for group in other.groups} or (covered and all(covered)):
        return Answer.YES
    partly = any(_overlap(own, cidr) for own in rule.cidrs for cidr in other.cidrs)
    return Answer.MAYBE if partly or rule.lists else Answer.NO


def _acls(client: Side, server: Side, port: int) -> Answer:
    """Both ways through the ACLs of both sides: the connection, and what comes back to a port of the client."""
    there, back = (port, port), _EPHEMERAL
    return both(
        *(_all_pass(entries, server.cidrs, there, egress=True) for entries in client.entries),
        *(_all_pass(entries, client.cidrs, there, egress=False) for entries in server.entries),
        *(_all_pass(entries, client.cidrs, back, egress=True) for entries in server.entries),
        *(_all_pass(entries, server.cidrs, back, egress=False) for entries in client.entries),
    )


def _all_pass(entries: Sequence[Entry], cidrs: Sequence[str], ports: tuple[int, int], *, egress: bool) -> Answer:
    ordered = sorted((one for one in entries if one.egress is egress), key=lambda one: one.number)
    return both(*(_decided(ordered, cidr, ports) for cidr in cidrs))


def _decided(entries: Sequence[Entry], cidr: str, ports: tuple[int, int]) -> Answer:
    first, last = ports
    for entry in entries:
        if entry.protocol not in (_ALL, *_TCP) or not _overlap(entry.cidr, cidr):
            continue
        if entry.protocol != _ALL and (entry.last < first or entry.first > last):
            continue
        whole = entry.protocol == _ALL or (entry.first <= first and last <= entry.last)
        if not whole or not _within(cidr, entry.cidr):
            return Answer.MAYBE
        return Answer.YES if entry.allow else Answer.NO
    return Answer.NO


def _within(cidr: str, other: str) -> bool:
    one, two = ip_network(cidr, strict=False), ip_network(other, strict=False)
    return one.version == two.version and one.subnet_of(two)  # type: ignore[arg-type] # of one version


def _overlap(cidr: str, other: str) -> bool:
    one, two = ip_network(cidr, strict=False), ip_network(other, strict=False)
    return one.version == two.version and one.overlaps(two)
