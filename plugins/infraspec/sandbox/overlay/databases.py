"""RDS: what an instance tells CloudWatch of itself, that AWS has no maintenance for it, and that a replica is promoted.

Sources: Amazon RDS User Guide, "Amazon CloudWatch metrics for Amazon RDS"; Amazon RDS API Reference,
DescribePendingMaintenanceActions and PromoteReadReplica. Nobody connects in the sandbox, so DatabaseConnections has no
data.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partialmethod
from typing import Any

from moto.cloudwatch import models
from moto.core.responses import ActionResult
from moto.rds import models as rds
from moto.rds import responses

_GIB = 2**30
_FREE = 0.8


def install() -> None:
    """Answer for the metrics of instances where nobody put other values."""
    backend = models.CloudWatchBackend
    backend.get_metric_data = partialmethod(_get_metric_data, backend.get_metric_data)
    responses.RDSResponse.describe_pending_maintenance_actions = lambda _response: ActionResult(
        {"PendingMaintenanceActions": []}
    )
    rds.RDSBackend.promote_read_replica = partialmethod(_promoted, rds.RDSBackend.promote_read_replica)


def _promoted(backend: Any, original: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Promote a replica, which has no source from then on."""
    database = original(backend, arguments)
    source = backend.databases.get(database.source_db_instance_identifier)
    if source is not None and database.db_instance_identifier in source.replicas:
        source.remove_replica(database)
    database.source_db_instance_identifier = None
    return database


def _get_metric_data(
    backend: Any, original: Callable[..., Any], queries: list[dict[str, Any]], *arguments: Any, **named: Any
) -> Any:
    results = original(backend, queries, *arguments, **named)
    by_id = {query["Id"]: query for query in queries}
    for result in results:
        value = _value(backend, by_id[result["id"]])
        if value is not None and not result["values"]:
            end = named["end_time"] if "end_time" in named else arguments[1]
            result["values"], result["timestamps"] = [value], [end.replace(second=0, microsecond=0)]
    return results


def _value(backend: Any, query: dict[str, Any]) -> float | None:
    metric = query.get("MetricStat", {}).get("Metric", {})
    if metric.get("Namespace") != "AWS/RDS":
        return None
    named = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
    databases = rds.rds_backends[backend.account_id][backend.region_name].databases
    database = databases.get(named.get("DBInstanceIdentifier"))
    match database and metric.get("MetricName"):
        case "FreeStorageSpace":
            return _FREE * int(database.allocated_storage) * _GIB
        case "ReplicaLag" if database.is_replica:
            return 0.0
        case _:
            return None
