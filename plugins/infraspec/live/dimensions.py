"""What the dimensions of a metric name, and whether AWS has it.

Sources: the "metrics and dimensions" of Amazon ECS, Elastic Load Balancing and Amazon RDS in their guides. Dimensions
of other namespaces are not looked up, and nothing is said of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from infraspec.aws.calls import Calls
from infraspec.monitoring.alarm_status import Watched

_Look: TypeAlias = Callable[[Calls, Mapping[str, str], str], bool]


def watched(calls: Calls, namespace: str, dimensions: Mapping[str, str]) -> Iterator[Watched]:
    """Yield what is looked up of the dimensions of a metric."""
    for name, value in dimensions.items():
        look = _LOOKS.get((namespace, name))
        if look is not None:
            yield Watched(f"{name} {value}", look(calls, dimensions, value))


def _cluster(calls: Calls, _dimensions: Mapping[str, str], name: str) -> bool:
    found = calls.ask("ecs", "describe_clusters", clusters=[name]) or {}
    return any(cluster.get("status") == "ACTIVE" for cluster in found.get("clusters", ()))


def _service(calls: Calls, dimensions: Mapping[str, str], name: str) -> bool:
    cluster = dimensions.get("ClusterName", "")
    found = calls.ask("ecs", "describe_services", absent=["ClusterNotFoundException"], cluster=cluster, services=[name])
    return any(service.get("status") == "ACTIVE" for service in (found or {}).get("services", ()))


def _balancer(calls: Calls, _dimensions: Mapping[str, str], suffix: str) -> bool:
    found = calls.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    return any(one["LoadBalancerArn"].endswith(f":loadbalancer/{suffix}") for one in found)


def _group(calls: Calls, _dimensions: Mapping[str, str], suffix: str) -> bool:
    found = calls.pages("elbv2", "describe_target_groups", "TargetGroups")
    return any(one["TargetGroupArn"].endswith(f":{suffix}") for one in found)


def _database(calls: Calls, _dimensions: Mapping[str, str], name: str) -> bool:
    absent = ["DBInstanceNotFound", "DBInstanceNotFoundFault"]
    found = calls.ask("rds", "describe_db_instances", absent=absent, DBInstanceIdentifier=name)
    return bool((found or {}).get("DBInstances"))


_LOOKS: Mapping[tuple[str, str], _Look] = {
    **{
        (namespace, name): look
        for namespace in ("AWS/ECS", "ECS/ContainerInsights")
        for name, look in (("ClusterName", _cluster), ("ServiceName", _service))
    },
    **{
        (namespace, name): look
        for namespace in ("AWS/ApplicationELB", "AWS/NetworkELB")
        for name, look in (("LoadBalancer", _balancer), ("TargetGroup", _group))
    },
    ("AWS/RDS", "DBInstanceIdentifier"): _database,
}
