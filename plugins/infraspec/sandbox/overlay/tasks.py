"""The tasks of services: what describe_tasks tells of those that run, and of those that could not start.

Source: Amazon ECS API Reference, Task and Container; stopped tasks are told of for an hour in AWS, here until the
sandbox ends.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

SCALING = "ServiceSchedulerInitiated"


def new_id() -> str:
    """Return the id of a task."""
    return uuid.uuid4().hex


def make(service: Any, definition: Any, deployment: str, identifier: str, index: int) -> dict[str, Any]:
    """Return a task that runs."""
    now = datetime.now(UTC)
    cluster = service.cluster_arn
    prefix = cluster.partition(":cluster/")[0]
    network = (service.network_configuration or {}).get("awsvpcConfiguration") or {}
    subnets = network.get("subnets") or ["subnet-00000000"]
    address = f"10.0.{index // 250}.{index % 250 + 4}"
    details = {"subnetId": subnets[index % len(subnets)], "networkInterfaceId": f"eni-{identifier[:17]}"}
    details |= {"privateIPv4Address": address}
    arn = f"{prefix}:task/{service.cluster_name}/{identifier}"
    containers = [
        {
            "containerArn": f"{prefix}:container/{service.cluster_name}/{identifier}/{uuid.uuid4()}",
            "taskArn": arn,
            "name": container["name"],
            "image": container.get("image"),
            "runtimeId": f"{identifier}-{position:010d}",
            "lastStatus": "RUNNING",
            "healthStatus": "HEALTHY" if container.get("healthCheck") else "UNKNOWN",
            "networkInterfaces": [{"attachmentId": str(uuid.uuid4()), "privateIpv4Address": address}],
            "cpu": str(container.get("cpu") or 0),
        }
        for position, container in enumerate(definition.container_definitions)
    ]
    return {
        "taskArn": arn,
        "clusterArn": cluster,
        "taskDefinitionArn": definition.arn,
        "group": f"service:{service.name}",
        "startedBy": deployment,
        "launchType": service.launch_type or "FARGATE",
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "connectivity": "CONNECTED",
        "healthStatus": "HEALTHY"
        if any(one.get("healthCheck") for one in definition.container_definitions)
        else "UNKNOWN",
        "createdAt": now,
        "connectivityAt": now,
        "pullStartedAt": now,
        "pullStoppedAt": now,
        "startedAt": now,
        "cpu": definition.cpu,
        "memory": definition.memory,
        "availabilityZone": f"{prefix.split(':')[3]}a",
        "platformVersion": service.platform_version or "1.4.0",
        "platformFamily": "Linux",
        "enableExecuteCommand": bool(getattr(service, "enable_execute_command", False)),
        "version": 3,
        "containers": containers,
        "attachments": [
            {
                "id": str(uuid.uuid4()),
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [{"name": name, "value": value} for name, value in details.items()],
            }
        ],
        "tags": _tags(service, definition),
    }


def _tags(service: Any, definition: Any) -> list[dict[str, str]]:
    own = {"SERVICE": service.tags, "TASK_DEFINITION": definition.tags}.get(service.propagate_tags) or []
    managed = [
        {"key": "aws:ecs:clusterName", "value": service.cluster_name},
        {"key": "aws:ecs:serviceName", "value": service.name},
    ]
    return [*own, *(managed if getattr(service, "enable_ecs_managed_tags", False) else [])]


def failed(task: dict[str, Any], reason: str) -> dict[str, Any]:
    """Return a task as it is after it could not start."""
    for name in ("startedAt", "connectivityAt", "pullStartedAt", "pullStoppedAt"):
        task.pop(name)
    for container in task["containers"]:
        container |= {"lastStatus": "STOPPED", "networkInterfaces": []}
        container.pop("runtimeId")
    task["attachments"][0]["status"] = "DELETED"
    return stopped(task, reason, "TaskFailedToStart")


def stopped(task: dict[str, Any], reason: str, code: str) -> dict[str, Any]:
    """Return a task as it is after it was stopped."""
    now = datetime.now(UTC)
    for container in task["containers"]:
        container["lastStatus"] = "STOPPED"
    return task | {
        "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED",
        "stoppingAt": now,
        "stoppedAt": now,
        "executionStoppedAt": now,
        "stoppedReason": reason,
        "stopCode": code,
    }
