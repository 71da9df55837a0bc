"""The database instances of AWS as `rds.database`: one call for all of them, one for their metrics, three for the way.

Limits: Amazon RDS API Reference, DescribeDBInstances; Amazon CloudWatch API Reference, GetMetricData (500 metrics).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from infraspec.aws.calls import Calls
from infraspec.live.network import sides
from infraspec.rds.database import Database, Maintenance, Observed, Readings
from infraspec.rds.network import Side
from infraspec.terraform.plan import Plan
from infraspec.unknown import is_known

_WINDOW = timedelta(minutes=15)
_METRICS = {"connections": "DatabaseConnections", "lag_seconds": "ReplicaLag", "free_bytes": "FreeStorageSpace"}
_MOST_METRICS = 500
_TIMEOUT_SECONDS = 5


def live_databases(calls: Calls, identifiers: Sequence[str], live: Plan, *, connect: bool = False) -> Observed:
    """Ask for the instances of the identifiers that exist, and for where they and the services of `live` are.

    With `connect`, try to open a TCP connection to each from here.
    """
    found = calls.pages("rds", "describe_db_instances", "DBInstances", **_chosen(identifiers)) if identifiers else ()
    readings = _readings(calls, [one["DBInstanceIdentifier"] for one in found])
    maintenance = _maintenance(calls, identifiers) if found else {}
    places = {one["DBInstanceArn"]: _place(one) for one in found}
    network = sides(calls, {**places, **_services(live)} if found else {})
    return Observed(
        calls.taken,
        {one["DBInstanceIdentifier"]: _database(one, readings, maintenance, network, connect=connect) for one in found},
        {address: side for address, side in network.items() if address not in places},
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
    identifier, arn, endpoint = answer["DBInstanceIdentifier"], answer["DBInstanceArn"], answer.get("Endpoint") or {}
    return Database(
        identifier,
        arn,
        answer.get("DBInstanceStatus", ""),
        answer.get("InstanceCreateTime"),
        endpoint.get("Port") or answer.get("DbInstancePort") or 0,
        answer.get("BackupRetentionPeriod", 0),
        answer.get("LatestRestorableTime"),
        answer.get("AllocatedStorage", 0),
        answer.get("ReadReplicaSourceDBInstanceIdentifier") or "",
        tuple(
            f"{one.get('StatusType')}: {one.get('Status')}"
            for one in answer.get("StatusInfos") or ()
            if not one.get("Normal", True)
        ),
        tuple(sorted(answer.get("PendingModifiedValues") or {})),
        maintenance.get(arn, ()),
        readings.get(identifier, Readings()),
        network.get(arn),
        _connects(endpoint) if connect and endpoint.get("Address") else None,
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
            if result.get("Values"):  # of several pages, the first is the newest
                found.setdefault(name, {}).setdefault(field, _newest(field, result["Values"]))
    return {name: Readings(**values) for name, values in found.items()}


def _newest(field: str, values: Sequence[float]) -> float:
    """Return the newest value; of connections the most, since one minute without a request says nothing."""
    return max(values) if field == "connections" else values[0]


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


def _place(answer: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the subnets and the security groups of an instance."""
    subnets = (answer.get("DBSubnetGroup") or {}).get("Subnets", ())
    groups = answer.get("VpcSecurityGroups", ())
    return (
        tuple(sorted(one["SubnetIdentifier"] for one in subnets)),
        tuple(sorted(one["VpcSecurityGroupId"] for one in groups)),
    )


def _services(live: Plan) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return dict(_service_places(live))


def _service_places(live: Plan) -> Iterator[tuple[str, tuple[tuple[str, ...], tuple[str, ...]]]]:
    for service in live.managed("aws_ecs_service"):
        for network in service.get("network_configuration") or ():
            subnets, groups = network.get("subnets") or (), network.get("security_groups") or ()
            if subnets and is_known([*subnets, *groups]):
                yield service.address, (tuple(sorted(subnets)), tuple(sorted(groups)))


def _connects(endpoint: Mapping[str, Any]) -> bool:
    try:
        with socket.create_connection((endpoint["Address"], endpoint["Port"]), timeout=_TIMEOUT_SECONDS):
            return True
    except OSError:
        return False
