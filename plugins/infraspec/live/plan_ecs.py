"""The clusters, services and task definitions that exist.

Limits: Amazon ECS API Reference, DescribeClusters (100 clusters) and DescribeServices (10 services). Service Connect is
told of a deployment of a service, not of the service: "Deployment" of the same document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infraspec.live.plan_task_definitions import task_definition_resources
from infraspec.live.scope import Scope, tag_map
from infraspec.live.shapes import block, blocks, chosen
from infraspec.terraform.plan import Resource
from infraspec.unknown import Value

_CLUSTER, _SERVICE = "aws_ecs_cluster", "aws_ecs_service"
_MOST_CLUSTERS, _MOST_SERVICES = 100, 10
_ACTIVE = "ACTIVE"
_SERVICE_ATTRIBUTES = {
    "serviceArn": "id",
    "serviceName": "name",
    "clusterArn": "cluster",
    "taskDefinition": "task_definition",
    "desiredCount": "desired_count",
    "launchType": "launch_type",
    "enableExecuteCommand": "enable_execute_command",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "propagateTags": "propagate_tags",
}


def ecs_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the clusters, the services in them, and the task definitions."""
    services: list[Resource] = []
    for cluster, resource in _clusters(scope):
        if resource is not None:
            yield resource
        services += _services(scope, cluster, own=resource is not None)
    yield from services
    yield from task_definition_resources(scope, services)


def _clusters(scope: Scope) -> Iterator[tuple[str, Resource | None]]:
    """Yield the ARNs of the clusters that run services of the environment; of a shared one no resource."""
    arns = scope.calls.pages("ecs", "list_clusters", "clusterArns")
    described = scope.calls.batches(
        "ecs",
        "describe_clusters",
        "clusters",
        argument="clusters",
        values=arns,
        size=_MOST_CLUSTERS,
        include=["TAGS", "CONFIGURATIONS"],
    )
    shared = {identity[0] for identity in scope.sources.names(_SERVICE)}
    for cluster in described:
        name, arn, tags = cluster["clusterName"], cluster["clusterArn"], tag_map(cluster.get("tags"))
        if cluster.get("status") != _ACTIVE:
            continue
        if scope.belongs(_CLUSTER, name, tags=tags):
            values = {"name": name, "arn": arn, "id": arn, "configuration": block(cluster.get("configuration"))}
            yield arn, scope.resource(_CLUSTER, name, address=arn, values=values, tags=tags)
        elif name in shared:
            yield arn, None


def _services(scope: Scope, cluster: str, *, own: bool) -> Iterator[Resource]:
    arns = scope.calls.pages("ecs", "list_services", "serviceArns", cluster=cluster)
    described = scope.calls.batches(
        "ecs",
        "describe_services",
        "services",
        argument="services",
        values=arns,
        size=_MOST_SERVICES,
        cluster=cluster,
        include=["TAGS"],
    )
    for service in described:
        tags = tag_map(service.get("tags"))
        identity = (cluster.rpartition("/")[2], service["serviceName"])
        if service.get("status", _ACTIVE) == _ACTIVE and (own or scope.belongs(_SERVICE, *identity, tags=tags)):
            yield scope.resource(
                _SERVICE, *identity, address=service["serviceArn"], values=_service_values(service), tags=tags
            )


def _service_values(service: Mapping[str, Any]) -> dict[str, Any]:
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    configuration = service.get("deploymentConfiguration") or {}
    return {
        **chosen(service, _SERVICE_ATTRIBUTES),
        "alarms": block(configuration.get("alarms")),
        "deployment_circuit_breaker": block(configuration.get("deploymentCircuitBreaker")),
        "deployment_controller": block(service.get("deploymentController")),
        "load_balancer": blocks(service.get("loadBalancers")),
        "network_configuration": block(network),
        "service_connect_configuration": _service_connect(service),
    }


def _service_connect(service: Mapping[str, Any]) -> list[Value]:
    """Return the Service Connect configuration of the primary deployment as far as its proxy writes a log."""
    primary = [one for one in service.get("deployments") or () if one.get("status") == "PRIMARY"]
    found: list[Value] = []
    for configuration in filter(None, (one.get("serviceConnectConfiguration") for one in primary)):
        log = configuration.get("logConfiguration") or {}
        written: Value = {
            "log_driver": log.get("logDriver"),
            "options": log.get("options") or {},
            "secret_option": blocks(log.get("secretOptions")),
        }
        enabled = configuration.get("enabled", False)
        found.append({"enabled": enabled, "log_configuration": [written] if log else []})
    return found
