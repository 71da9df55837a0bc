"""A database instance as RDS and CloudWatch tell of it.

Sources: Amazon RDS API Reference, DBInstance and ApplyPendingMaintenanceAction; Amazon RDS User Guide, "Amazon
CloudWatch metrics for Amazon RDS".

It says that a path is open, never that somebody listens at its end. Subnets of one VPC always have a route to each
other, which no route table can take away.

Sources: Amazon VPC User Guide, "Security group rules", "Network ACL rules" and "Route tables" (the local route).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network

from msgspec import Struct, field

from infraspec.core.truth import Truth, all_of, any_of
from infraspec.ecs.start import Refusal

_ALL, _TCP = "-1", ("tcp", "6")
_EPHEMERAL = (32768, 60999)
"""The ports that Linux opens connections from; of VPC documentation, "Ephemeral ports"."""


class SecurityGroupRule(Struct, frozen=True):
    """What a security group lets through: a protocol and ports, from or to groups and addresses."""

    protocol: str
    first: int = 0
    last: int = 65535
    groups: frozenset[str] = frozenset()
    cidrs: tuple[str, ...] = ()
    lists: frozenset[str] = frozenset()
    """Prefix lists, which are not looked into."""


class Group(Struct, frozen=True):
    """A security group."""

    id: str
    ingress: tuple[SecurityGroupRule, ...] = ()
    egress: tuple[SecurityGroupRule, ...] = ()


class AclEntry(Struct, frozen=True):
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
    entries: tuple[tuple[AclEntry, ...], ...] = ()


class PathStep(Struct, frozen=True):
    """One thing on the way that is not certainly open."""

    answer: Truth
    reason: str


def path(client: Side, server: Side, port: int) -> PathStep:
    """Say whether a client may open a TCP connection to a port of a server, by what is configured."""
    if client.vpc != server.vpc:
        apart = f"they are in two networks, {client.vpc} and {server.vpc}; peering is not looked at"
        return PathStep(Truth.MAYBE, apart)
    out = f"no egress rule of {_ids(client)} certainly allows port {port}"
    in_ = f"no ingress rule of {_ids(server)} certainly allows port {port}"
    steps = [
        (_passes(client.groups, server, port, egress=True), out),
        (_passes(server.groups, client, port, egress=False), in_),
        (_acls(client, server, port), "a network ACL between them does not certainly let it through"),
    ]
    answer = all_of(*(step for step, _ in steps))
    reason = next((text for step, text in steps if step is answer), "")
    return PathStep(answer, "" if answer is Truth.YES else reason)


def _ids(side: Side) -> str:
    return ", ".join(group.id for group in side.groups) or "no security group"


def _passes(groups: Iterable[Group], other: Side, port: int, *, egress: bool) -> Truth:
    rules = [rule for group in groups for rule in (group.egress if egress else group.ingress)]
    return any_of(_lets(rule, other, port) for rule in rules)


def _lets(rule: SecurityGroupRule, other: Side, port: int) -> Truth:
    if rule.protocol != _ALL and (rule.protocol not in _TCP or not rule.first <= port <= rule.last):
        return Truth.NO
    covered = [any(_within(cidr, own) for own in rule.cidrs) for cidr in other.cidrs]
    if rule.groups & {group.id for group in other.groups} or (covered and all(covered)):
        return Truth.YES
    partly = any(_overlap(own, cidr) for own in rule.cidrs for cidr in other.cidrs)
    return Truth.MAYBE if partly or rule.lists else Truth.NO


def _acls(client: Side, server: Side, port: int) -> Truth:
    """Both ways through the ACLs of both sides: the connection, and what comes back to a port of the client."""
    there, back = (port, port), _EPHEMERAL
    return all_of(
        *(_all_pass(entries, server.cidrs, there, egress=True) for entries in client.entries),
        *(_all_pass(entries, client.cidrs, there, egress=False) for entries in server.entries),
        *(_all_pass(entries, client.cidrs, back, egress=True) for entries in server.entries),
        *(_all_pass(entries, server.cidrs, back, egress=False) for entries in client.entries),
    )


def _all_pass(entries: Sequence[AclEntry], cidrs: Sequence[str], ports: tuple[int, int], *, egress: bool) -> Truth:
    ordered = sorted((one for one in entries if one.egress is egress), key=lambda one: one.number)
    return all_of(*(_decided(ordered, cidr, ports) for cidr in cidrs))


def _decided(entries: Sequence[AclEntry], cidr: str, ports: tuple[int, int]) -> Truth:
    first, last = ports
    for entry in entries:
        if entry.protocol not in (_ALL, *_TCP) or not _overlap(entry.cidr, cidr):
            continue
        if entry.protocol != _ALL and (entry.last < first or entry.first > last):
            continue
        whole = entry.protocol == _ALL or (entry.first <= first and last <= entry.last)
        if not whole or not _within(cidr, entry.cidr):
            return Truth.MAYBE
        return Truth.YES if entry.allow else Truth.NO
    return Truth.NO


def _within(cidr: str, other: str) -> bool:
    one, two = ip_network(cidr, strict=False), ip_network(other, strict=False)
    return one.version == two.version and one.subnet_of(two)  # type: ignore[arg-type] # of one version


def _overlap(cidr: str, other: str) -> bool:
    one, two = ip_network(cidr, strict=False), ip_network(other, strict=False)
    return one.version == two.version and one.overlaps(two)


class Maintenance(Struct, frozen=True):
    """Something that AWS wants to do to an instance; `forced` is when it does so without being asked."""

    action: str
    description: str = ""
    forced: datetime | None = None


class Readings(Struct, frozen=True):
    """The newest values of metrics, None where there is no data of the last minutes."""

    connections: float | None = None
    lag_seconds: float | None = None
    free_bytes: float | None = None


class Database(Struct, frozen=True):
    """One instance. `pending` names the settings that wait for their change, never their values."""

    identifier: str
    arn: str
    status: str = ""
    created: datetime | None = None
    port: int = 0
    retention_days: int = 0
    latest_restorable: datetime | None = None
    allocated_gib: int = 0
    replica_of: str = ""
    replication: tuple[str, ...] = ()
    """What `StatusInfos` says of its replication, where that is not normal."""
    pending: tuple[str, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    readings: Readings = field(default_factory=Readings)
    side: Side | None = None
    """Where in the network it is."""
    connects: bool | None = None
    """Whether the runner itself could connect; None if it was not asked to try."""


class Observed(Struct, frozen=True):
    """The instances of an environment by identifier, as they were at `taken`.

    `services` are where its services are in the network, by their address.
    """

    taken: datetime
    databases: Mapping[str, Database]
    services: Mapping[str, Side] = field(default_factory=dict)
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    """What the runner may not look at: `readings`, `maintenance` or the `network`."""
