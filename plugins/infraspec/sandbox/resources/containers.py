"""ECR repositories, ECS clusters, task definitions and services, and the scaling of services."""

from __future__ import annotations

import json
from typing import Any

from infraspec.sandbox.images_and_values import deliver
from infraspec.sandbox.resources.kind import (
    Attributes,
    Kind,
    Making,
    Values,
    block,
    blocks,
    given,
    integers,
    name_of,
    put,
    tags,
)
from infraspec.sandbox.server_process import Account


def _repository(account: Account, values: Values) -> Attributes:
    scan = bool(block(values, "image_scanning_configuration").get("scan_on_push"))
    made = account.client("ecr").create_repository(
        repositoryName=name_of(values),
        imageScanningConfiguration={"scanOnPush": scan},
        **given(values, "imageTagMutability"),
        tags=tags(values),
    )["repository"]
    return {
        "id": made["repositoryName"],
        "name": made["repositoryName"],
        "arn": made["repositoryArn"],
        "registry_id": made["registryId"],
        "repository_url": made["repositoryUri"],
    }


def _cluster(account: Account, values: Values) -> Attributes:
    name = name_of(values)
    settings = [{"name": item["name"], "value": item["value"]} for item in blocks(values, "setting")]
    arguments = {"settings": settings} if settings else {}
    made = account.client("ecs").create_cluster(clusterName=name, **arguments, tags=tags(values, "key", "value"))
    return {"id": made["cluster"]["clusterArn"], "arn": made["cluster"]["clusterArn"], "name": name}


def _task_definition(account: Account, values: Values) -> Attributes:
    containers = json.loads(values["container_definitions"])
    deliver(account, containers)
    written = "family networkMode requiresCompatibilities executionRoleArn taskRoleArn"
    sizes = {name: str(values[name]) for name in ("cpu", "memory") if values.get(name)}
    platform = block(values, "runtime_platform")
    if platform:
        shape = given(platform, "cpuArchitecture operatingSystemFamily")
        sizes["runtimePlatform"] = shape  # type: ignore[assignment] # arguments of one call
    made = account.client("ecs").register_task_definition(
        containerDefinitions=containers,
        volumes=[_volume(volume) for volume in blocks(values, "volume")],
        **given(values, written),
        **sizes,
        tags=tags(values, "key", "value"),
    )["taskDefinition"]
    arn = made["taskDefinitionArn"]
    return {
        "id": made["family"],
        "family": made["family"],
        "arn": arn,
        "arn_without_revision": arn.rpartition(":")[0],
        "revision": made["revision"],
    }


def _volume(volume: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": volume["name"]}
    efs = block(volume, "efs_volume_configuration")
    if efs:
        made["efsVolumeConfiguration"] = given(efs, "fileSystemId rootDirectory transitEncryption")
    return made


def _service(account: Account, values: Values) -> Attributes:
    ecs, name = account.client("ecs"), name_of(values)
    cluster = values.get("cluster") or "default"
    written = "propagateTags enable_ecs_managed_tags=enableECSManagedTags schedulingStrategy launchType"
    made = ecs.create_service(
        cluster=cluster,
        serviceName=name,
        **given(values, written),
        **_shared(values),
        loadBalancers=_balancers(values),
        tags=tags(values, "key", "value"),
    )["service"]
    return {"id": made["serviceArn"], "arn": made["serviceArn"], "name": name, "cluster": cluster}


def _balancers(values: Values) -> list[dict[str, Any]]:
    return [
        given(item, "targetGroupArn containerName") | integers(item, "containerPort")
        for item in blocks(values, "load_balancer")
    ]


def _shared(values: Values) -> dict[str, Any]:
    """Return what both create_service and update_service take."""
    arguments = given(values, "taskDefinition platformVersion")
    arguments["desiredCount"] = int(values.get("desired_count") or 0)
    arguments |= integers(values, "healthCheckGracePeriodSeconds")
    arguments["enableExecuteCommand"] = bool(values.get("enable_execute_command"))
    network = block(values, "network_configuration")
    if network:
        assigned = "ENABLED" if network.get("assign_public_ip") else "DISABLED"
        arguments["networkConfiguration"] = {
            "awsvpcConfiguration": {
                "subnets": network["subnets"],
                "securityGroups": network.get("security_groups") or [],
                "assignPublicIp": assigned,
            }
        }
    percents = "deployment_maximum_percent=maximumPercent deployment_minimum_healthy_percent=minimumHealthyPercent"
    configuration: dict[str, Any] = {"maximumPercent": 200, "minimumHealthyPercent": 100, **integers(values, percents)}
    breaker = block(values, "deployment_circuit_breaker")
    configuration["deploymentCircuitBreaker"] = {
        "enable": bool(breaker.get("enable")),
        "rollback": bool(breaker.get("rollback")),
    }
    arguments["deploymentConfiguration"] = configuration
    return arguments


def _change_service(account: Account, values: Values, attributes: Attributes) -> Attributes:
    account.client("ecs").update_service(cluster=attributes["cluster"], service=attributes["name"], **_shared(values))
    account.client("ecs").tag_resource(resourceArn=attributes["arn"], tags=tags(values, "key", "value"))
    return attributes


def _rolled_back(account: Account, values: Values, attributes: Attributes) -> bool:
    """Tell whether the service has another task definition than the plan: its circuit breaker went back."""
    (found,) = account.client("ecs").describe_services(cluster=attributes["cluster"], services=[attributes["name"]])[
        "services"
    ]
    return bool(found["taskDefinition"] != values.get("task_definition"))


def _scalable(account: Account, values: Values) -> Attributes:
    bounds = {"MinCapacity": int(values["min_capacity"]), "MaxCapacity": int(values["max_capacity"])}
    written = given(values, "ServiceNamespace ResourceId ScalableDimension role_arn=RoleARN")
    account.client("application-autoscaling").register_scalable_target(**written, **bounds)
    kept = {name: values.get(name) for name in ("resource_id", "service_namespace", "scalable_dimension")}
    return {**kept, "id": values["resource_id"]}


KINDS = {
    "aws_ecr_repository": Kind(_repository),
    "aws_ecr_lifecycle_policy": put(
        Making("ecr.put_lifecycle_policy", "repository=repositoryName policy=lifecyclePolicyText", kept="id=repository")
    ),
    "aws_ecs_cluster": Kind(_cluster),
    "aws_ecs_task_definition": put(_task_definition),
    "aws_ecs_service": Kind(_service, _change_service, drifted=_rolled_back),
    "aws_appautoscaling_target": put(_scalable),
}
