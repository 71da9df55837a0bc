"""The operations of ECS about services and tasks, answered with what rollouts made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partialmethod
from typing import Any, TypeAlias

from moto.core.responses import ActionResult
from moto.ecs import models, responses
from moto.ecs.exceptions import InvalidParameterException

from infraspec.resource_types.listing import names
from infraspec.sandbox.overlay import task_start
from infraspec.sandbox.overlay.rollouts import Rollouts, StandaloneTask
from infraspec.sandbox.overlay.trail import page

_KEPT = {api: attribute for attribute, api in names(
    "deploymentConfiguration healthCheckGracePeriodSeconds enableExecuteCommand enableECSManagedTags "
    "networkConfiguration loadBalancers platformVersion propagateTags capacityProviderStrategy"
).items()}  # fmt: skip
"""What a service is given and moto forgets, or changes without looking at it."""
_Original: TypeAlias = Callable[..., Any]
"""The operation of moto that one of these is put over."""
_MOST_SERVICES, _MOST_TASKS = 10, 100
_ROLLOUTS: dict[tuple[str, str], Rollouts] = {}


def install() -> None:
    """Put the rollouts over moto's services."""
    response = responses.EC2ContainerServiceResponse
    response.create_service = partialmethod(_create_service, response.create_service)
    response.update_service = partialmethod(_update_service, response.update_service)
    response.delete_service = partialmethod(_delete_service, response.delete_service)
    response.describe_services = partialmethod(_describe_services, response.describe_services)
    response.list_task_definitions = partialmethod(_list_task_definitions, response.list_task_definitions)
    response.list_tasks = partialmethod(_list_tasks, response.list_tasks)
    response.describe_tasks = partialmethod(_describe_tasks, response.describe_tasks)
    response.run_task = _run_task
    response.stop_task = partialmethod(_stop_task, response.stop_task)
    backend = models.EC2ContainerServiceBackend
    backend.describe_task_definition = partialmethod(_describe_active, backend.describe_task_definition)
    response.list_service_deployments = _list_service_deployments
    response.describe_service_deployments = partialmethod(
        _by_arn, "serviceDeployments", "serviceDeploymentArns", "deployments"
    )
    response.describe_service_revisions = partialmethod(_by_arn, "serviceRevisions", "serviceRevisionArns", "revisions")


def _rollouts(response: Any) -> Rollouts:
    place = (response.current_account, response.region)
    if place not in _ROLLOUTS:
        _ROLLOUTS[place] = Rollouts(*place, response.partition)
    return _ROLLOUTS[place]


def _describe_active(backend: Any, original: _Original, task_definition_str: str) -> Any:
    """Take the family alone for its newest ACTIVE revision: moto takes one that was deregistered."""
    family = task_definition_str.rpartition("/")[2]
    known = backend.task_definitions.get(family, {})
    active = [number for number, definition in known.items() if definition.status == "ACTIVE"]
    return original(backend, task_definition_str if ":" in family else f"{family}:{max(active, default=0)}")


def _keep(response: Any, service: Any) -> None:
    for parameter, attribute in _KEPT.items():
        value = response._get_param(parameter)
        if value is not None:
            setattr(service, attribute, value)


def _create_service(response: Any, original: _Original) -> Any:
    cluster, name = response._get_param("cluster", "default"), response._get_param("serviceName")
    known = response.ecs_backend.services.get(f"{cluster.rpartition('/')[2]}:{name}")
    if known is not None and known.status == "ACTIVE":
        raise InvalidParameterException("Creation of service was not idempotent.")
    answer = original(response)
    service = answer.result["service"]
    service.created_at, service.created_by = datetime.now(UTC), f"arn:aws:iam::{response.current_account}:root"
    service.deployments = []
    _keep(response, service)
    _rollouts(response).deploy(response.ecs_backend, service)
    return answer


def _update_service(response: Any, original: _Original) -> Any:
    backend, rollouts = response.ecs_backend, _rollouts(response)
    cluster, name = response._get_param("cluster", "default"), response._get_param("service")
    before = backend._get_service(cluster, name.rpartition("/")[2])
    definition, events = before.task_definition, before.events
    settings = {attribute: getattr(before, attribute, None) for attribute in _KEPT.values()}
    answer = original(response)
    service = answer.result["service"]
    service.events = events
    for attribute, value in settings.items():
        setattr(service, attribute, value)
    _keep(response, service)
    wanted = backend.describe_task_definition(service.task_definition).arn
    network = service.network_configuration != settings["network_configuration"]
    if wanted != definition or network or response._get_param("forceNewDeployment"):
        rollouts.deploy(backend, service)
    else:
        service.task_definition = definition
        rollouts.scale(backend, service)
    return answer


def _delete_service(response: Any, original: _Original) -> Any:
    answer = original(response)
    service = answer.result["service"]
    _rollouts(response).stop(service, "Service deleted")
    _rollouts(response).count(response.ecs_backend, service)
    return answer


def _describe_services(response: Any, original: _Original) -> Any:
    names = response._get_param("services", [])
    if not 0 < len(names) <= _MOST_SERVICES:
        raise InvalidParameterException(f"Services must have between 1 and {_MOST_SERVICES} elements.")
    return original(response)


def _list_task_definitions(response: Any, original: _Original) -> Any:
    """List them by family and revision, the newest first if that is asked: moto has the order of registration."""
    arns = list(original(response).result["taskDefinitionArns"])
    arns.sort(key=_family_and_revision, reverse=response._get_param("sort") == "DESC")
    return _page(response, "taskDefinitionArns", arns)


def _family_and_revision(arn: str) -> tuple[str, int]:
    family, _, revision = arn.rpartition("/")[2].partition(":")
    return family, int(revision)


def _list_tasks(response: Any, original: _Original) -> Any:
    arns = list(original(response).result["taskArns"])
    cluster = response.ecs_backend._get_cluster(response._get_param("cluster", "default"))
    wanted = response._get_param("desiredStatus") or "RUNNING"
    service, family = response._get_param("serviceName"), response._get_param("family")
    if service:
        arns = []
    for task in _rollouts(response).tasks.values():
        matches = (
            task["clusterArn"] == cluster.arn,
            task["desiredStatus"] == wanted,
            not service or task["group"] == f"service:{service.rpartition('/')[2]}",
            not family or task["taskDefinitionArn"].rpartition("/")[2].partition(":")[0] == family,
            response._get_param("startedBy") in {None, task["startedBy"]},
        )
        if all(matches):
            arns.append(task["taskArn"])
    return _page(response, "taskArns", arns)


def _page(response: Any, key: str, items: list[Any]) -> Any:
    size, begin = response._get_param("maxResults") or _MOST_TASKS, response._get_param("nextToken")
    return ActionResult(page(key, items, size, begin, "nextToken"))


def _describe_tasks(response: Any, original: _Original) -> Any:
    named, own = response._get_param("tasks", []), _rollouts(response).tasks
    if len(named) > _MOST_TASKS:
        raise InvalidParameterException(f"Tasks must have at most {_MOST_TASKS} elements.")
    by_id = {arn.rpartition("/")[2]: task for arn, task in own.items()}
    found = [by_id[name.rpartition("/")[2]] for name in named if name.rpartition("/")[2] in by_id]
    with_tags = "TAGS" in (response._get_param("include") or [])
    shown = [task if with_tags else {**task, "tags": []} for task in found]
    known = {task["taskArn"] for task in found} | {task["taskArn"].rpartition("/")[2] for task in found}
    others = original(response).result["tasks"] if len(known) < 2 * len(named) else []
    missing = [name for name in named if name not in known] if not others else []
    failures = [{"arn": name, "reason": "MISSING"} for name in missing]
    return ActionResult({"tasks": [*shown, *others], "failures": failures})


_MOST_RUN = 10


def _run_task(response: Any) -> Any:
    """Run tasks of no service: each starts, or stops at once with AWS's text, as those of a service do."""
    backend, rollouts = response.ecs_backend, _rollouts(response)
    cluster = backend._get_cluster(response._get_param("cluster", "default"))
    definition = backend.describe_task_definition(response._get_param("taskDefinition"))
    count, network = int(response._get_param("count") or 1), response._get_param("networkConfiguration")
    if not 1 <= count <= _MOST_RUN:
        raise InvalidParameterException(f"Count must be between 1 and {_MOST_RUN}.")
    if definition.network_mode == "awsvpc" and not network:
        raise InvalidParameterException(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    tasks = [rollouts.run(definition, StandaloneTask.of(response, cluster, definition)) for _ in range(count)]
    rollouts.count_cluster(backend, cluster.name)
    return ActionResult({"tasks": tasks, "failures": []})


def _stop_task(response: Any, original: _Original) -> Any:
    identifier = response._get_param("task").rpartition("/")[2]
    rollouts = _rollouts(response)
    arn = next((arn for arn in rollouts.tasks if arn.endswith(f"/{identifier}")), None)
    if arn is None:
        return original(response)
    reason = response._get_param("reason") or "Task stopped by user"
    task = rollouts.put(task_start.stopped(rollouts.tasks[arn], reason, "UserInitiated"))
    backend = response.ecs_backend
    for service in backend.services.values():
        if task["group"] == f"service:{service.name}" and task["clusterArn"] == service.cluster_arn:
            rollouts.scale(backend, service)
    rollouts.count_cluster(backend, task["clusterArn"].rpartition("/")[2])
    return ActionResult({"task": task})


def _list_service_deployments(response: Any) -> Any:
    backend = response.ecs_backend
    cluster, name = response._get_param("cluster", "default"), response._get_param("service")
    service = backend._get_service(cluster, name.rpartition("/")[2])
    wanted = response._get_param("status") or []
    found = [
        {
            **{key: made[key] for key in _BRIEF if key in made},
            "targetServiceRevisionArn": made["targetServiceRevision"]["arn"],
        }
        for made in reversed(_rollouts(response).deployments.values())
        if made["serviceArn"] == service.arn and (not wanted or made["status"] in wanted)
    ]
    return _page(response, "serviceDeployments", found)


_BRIEF = (
    "serviceDeploymentArn", "serviceArn", "clusterArn", "startedAt", "createdAt", "finishedAt", "status",
    "statusReason",
)  # fmt: skip


def _by_arn(response: Any, key: str, argument: str, kind: str) -> Any:
    known = getattr(_rollouts(response), kind)
    arns = response._get_param(argument, [])
    failures = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]
    return ActionResult({key: [known[arn] for arn in arns if arn in known], "failures": failures})
