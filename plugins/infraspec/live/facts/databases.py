"""The database instances of AWS as `rds.database`: one call for all of them, one for their metrics, three for the way.

Limits: Amazon RDS API Reference, DescribeDBInstances; Amazon CloudWatch API Reference, GetMetricData (500 metrics).
Where things are in the network: Amazon EC2 API Reference, DescribeSubnets, DescribeSecurityGroups, DescribeNetworkAcls.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from infraspec.aws.calls import Calls
from infraspec.checks.deployed.database_readings import (
    AclEntry,
    Database,
    Group,
    Maintenance,
    Observed,
    Readings,
    SecurityGroupRule,
    Side,
)
from infraspec.core.unknown import is_known
from infraspec.ecs.start import Refusal, noting, unless_refused
from infraspec.live.resources.api_to_terraform import attributes_of
from infraspec.resource_types.listing import at, names
from infraspec.terraform.plan import Plan

_WINDOW = timedelta(minutes=15)
_METRICS = {"connections": "DatabaseConnections", "lag_seconds": "ReplicaLag", "free_bytes": "FreeStorageSpace"}
_MOST_METRICS = 500
_TIMEOUT_SECONDS = 5
_MOST_VALUES = 200
_DATABASE = names(
    "identifier=DBInstanceIdentifier arn=DBInstanceArn status=DBInstanceStatus created=InstanceCreateTime "
    "retention_days=BackupRetentionPeriod latest_restorable=LatestRestorableTime allocated_gib=AllocatedStorage "
    "replica_of=ReadReplicaSourceDBInstanceIdentifier"
)
_RULE = names("protocol=IpProtocol first=FromPort last=ToPort")
_ENTRY = names("number=RuleNumber Protocol cidr=CidrBlock first=PortRange.From last=PortRange.To")
_Place = tuple[Sequence[str], Sequence[str]]
"""The ids of subnets and of security groups."""


def live_databases(calls: Calls, identifiers: Sequence[str], live: Plan, *, connect: bool = False) -> Observed:
    """Ask for the instances of the identifiers that exist, and for where they and the services of `live` are.

    With `connect`, try to open a TCP connection to each from here.
    """
    found = calls.pages("rds", "describe_db_instances", "DBInstances", **_chosen(identifiers)) if identifiers else ()
    refused: dict[str, Refusal] = {}
    readings: Mapping[str, Readings] = {}
    maintenance: Mapping[str, tuple[Maintenance, ...]] = {}
    network: Mapping[str, Side] = {}
    with noting(refused, "readings"):
        readings = _readings(calls, [one["DBInstanceIdentifier"] for one in found])
    with noting(refused, "maintenance"):
        maintenance = _maintenance(calls, identifiers) if found else {}
    places = {one["DBInstanceArn"]: _place(one) for one in found}
    with noting(refused, "network"):
        network = _sides(calls, {**places, **dict(_services(live))} if found else {})
    return Observed(
        calls.taken,
        {one["DBInstanceIdentifier"]: _database(one, readings, maintenance, network, connect=connect) for one in found},
        {address: side for address, side in network.items() if address not in places},
        refused,
    )


def _chosen(identifiers: Sequence[str]) -> dict[str, Any]:
    return {"Filters": [{"Name": "db-instance-id", "Values": sorted(identifiers)}]}


def _database(
    answer: Mapping[str, Any],
    readings: Mapping[str, Readings],
    maintenance: Mapping[str, tuple[Maintenance, ...]],
    network: Mapping[str, Side],
    *,
    connect: bool,
) -> Database:
    own: Any = attributes_of(answer, _DATABASE)
    endpoint = answer.get("Endpoint") or {}
    return Database(
        **own,
        port=endpoint.get("Port") or answer.get("DbInstancePort") or 0,
        replication=tuple(
            f"{one.get('StatusType')}: {one.get('Status')}"
            for one in answer.get("StatusInfos") or ()
            if not one.get("Normal", True)
        ),
        pending=tuple(sorted(answer.get("PendingModifiedValues") or {})),
        maintenance=maintenance.get(answer["DBInstanceArn"], ()),
        readings=readings.get(answer["DBInstanceIdentifier"], Readings()),
        side=network.get(answer["DBInstanceArn"]),
        connects=_connects(endpoint) if connect and endpoint.get("Address") else None,
    )


def _readings(calls: Calls, identifiers: Sequence[str]) -> dict[str, Readings]:
    wanted = [(name, field) for name in sorted(identifiers) for field in _METRICS]
    found: dict[str, dict[str, float]] = {}
    for start in range(0, len(wanted), _MOST_METRICS):
        part = wanted[start : start + _MOST_METRICS]
        queries = [_query(number, name, _METRICS[field]) for number, (name, field) in enumerate(part)]
        results = calls.pages(
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            MetricDataQueries=queries,
            StartTime=calls.taken - _WINDOW,
            EndTime=calls.taken,
            ScanBy="TimestampDescending",
        )
        for result in results:
            name, field = part[int(result["Id"][1:])]
            values = result.get("Values")
            if values:  # of several pages, the first is the newest; a minute without a connection says nothing
                found.setdefault(name, {}).setdefault(field, max(values) if field == "connections" else values[0])
    return {name: Readings(**values) for name, values in found.items()}


def _query(number: int, identifier: str, metric: str) -> dict[str, Any]:
    dimensions = [{"Name": "DBInstanceIdentifier", "Value": identifier}]
    return {
        "Id": f"m{number}",
        "MetricStat": {
            "Metric": {"Namespace": "AWS/RDS", "MetricName": metric, "Dimensions": dimensions},
            "Period": 60,
            "Stat": "Minimum" if metric == "FreeStorageSpace" else "Maximum",
        },
        "ReturnData": True,
    }


def _maintenance(calls: Calls, identifiers: Sequence[str]) -> dict[str, tuple[Maintenance, ...]]:
    found = calls.pages(
        "rds", "describe_pending_maintenance_actions", "PendingMaintenanceActions", **_chosen(identifiers)
    )
    return {
        one["ResourceIdentifier"]: tuple(
            Maintenance(
                action.get("Action", ""),
                action.get("Description", ""),
                action.get("ForcedApplyDate") or action.get("AutoAppliedAfterDate"),
            )
            for action in one.get("PendingMaintenanceActionDetails", ())
        )
        for one in found
    }


def _place(answer: Mapping[str, Any]) -> _Place:
    """Return the subnets and the security groups of an instance."""
    subnets = (answer.get("DBSubnetGroup") or {}).get("Subnets", ())
    groups = answer.get("VpcSecurityGroups", ())
    return (
        tuple(sorted(one["SubnetIdentifier"] for one in subnets)),
        tuple(sorted(one["VpcSecurityGroupId"] for one in groups)),
    )


def _services(live: Plan) -> Iterator[tuple[str, _Place]]:
    for service in live.managed("aws_ecs_service"):
        unless_refused(service.stated("network_configuration"))
        for network in service.stated("network_configuration") or ():
            subnets, groups = network.get("subnets") or (), network.get("security_groups") or ()
            if subnets and is_known([*subnets, *groups]):
                yield service.address, (tuple(sorted(subnets)), tuple(sorted(groups)))


def _connects(endpoint: Mapping[str, Any]) -> bool:
    try:
        with socket.create_connection((endpoint["Address"], endpoint["Port"]), timeout=_TIMEOUT_SECONDS):
            return True
    except OSError:
        return False


def _sides(calls: Calls, places: Mapping[str, _Place]) -> dict[str, Side]:
    """Return the side of each place by its name; a place whose subnets do not exist has none."""
    subnet_ids = sorted({one for subnets, _ in places.values() for one in subnets})
    group_ids = sorted({one for _, groups in places.values() for one in groups})
    if not subnet_ids:
        return {}
    subnets = {one["SubnetId"]: one for one in filtered(calls, "describe_subnets", "Subnets", "subnet-id", subnet_ids)}
    found = filtered(calls, "describe_security_groups", "SecurityGroups", "group-id", group_ids)
    groups = {one["GroupId"]: _group(one) for one in found}
    acls = _acls(filtered(calls, "describe_network_acls", "NetworkAcls", "association.subnet-id", subnet_ids))
    there = {
        name: ([subnets[one] for one in ids if one in subnets], [groups[one] for one in own if one in groups])
        for name, (ids, own) in places.items()
    }
    return {name: _side(own, security, acls) for name, (own, security) in there.items() if own}


def filtered(
    calls: Calls, operation: str, key: str, name: str, values: Sequence[str], *, region: str | None = None
) -> list[Mapping[str, Any]]:
    """Ask EC2 by a filter, which, unlike ids, does not fail for what is gone; 200 values are the most of one."""
    parts = [values[start : start + _MOST_VALUES] for start in range(0, len(values), _MOST_VALUES)]
    return [
        item
        for part in parts
        for item in calls.pages("ec2", operation, key, region=region, Filters=[{"Name": name, "Values": list(part)}])
    ]


def _side(
    subnets: Sequence[Mapping[str, Any]], groups: Sequence[Group], acls: Mapping[str, tuple[AclEntry, ...]]
) -> Side:
    own = {acls[one["SubnetId"]] for one in subnets if one["SubnetId"] in acls}
    return Side(subnets[0]["VpcId"], tuple(groups), tuple(one["CidrBlock"] for one in subnets), tuple(own))


def _group(answer: Mapping[str, Any]) -> Group:
    return Group(
        answer["GroupId"],
        tuple(_rule(one) for one in answer.get("IpPermissions", ())),
        tuple(_rule(one) for one in answer.get("IpPermissionsEgress", ())),
    )


def _rule(answer: Mapping[str, Any]) -> SecurityGroupRule:
    own: Any = attributes_of(answer, _RULE)
    ranges = (*(answer.get("IpRanges") or ()), *(answer.get("Ipv6Ranges") or ()))
    return SecurityGroupRule(
        **own,
        groups=frozenset(filter(None, at(answer, "UserIdGroupPairs.*.GroupId") or ())),
        cidrs=tuple(one.get("CidrIp") or one["CidrIpv6"] for one in ranges),
        lists=frozenset(at(answer, "PrefixListIds.*.PrefixListId") or ()),
    )


def _acls(answers: Sequence[Mapping[str, Any]]) -> dict[str, tuple[AclEntry, ...]]:
    """Return the entries by the subnet that they are for."""
    found: dict[str, tuple[AclEntry, ...]] = {}
    for acl in answers:
        entries = tuple(_entry(one) for one in acl.get("Entries", ()) if one.get("CidrBlock"))
        for association in acl.get("Associations", ()):
            if association.get("SubnetId"):
                found[association["SubnetId"]] = entries
    return found


def _entry(answer: Mapping[str, Any]) -> AclEntry:
    own: Any = attributes_of(answer, _ENTRY)
    return AclEntry(**own, egress=bool(answer.get("Egress")), allow=answer["RuleAction"] == "allow")
