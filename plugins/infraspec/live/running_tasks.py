"""The task definitions of the tasks that services run. Limit: Amazon ECS API Reference, DescribeTasks (100 tasks)."""

from __future__ import annotations

from infraspec.aws.calls import Calls
from infraspec.terraform.plan import Plan

_MOST = 100


def running_task_definitions(calls: Calls, live: Plan) -> dict[str, frozenset[str]]:
    """Return the ARNs of the task definitions that the running tasks of each live service are of, by its address."""
    found = {}
    for service in live.managed("aws_ecs_service"):
        cluster, name = service.get("cluster"), service.get("name")
        arns = calls.pages("ecs", "list_tasks", "taskArns", cluster=cluster, serviceName=name, desiredStatus="RUNNING")
        tasks = calls.batches(
            "ecs", "describe_tasks", "tasks", argument="tasks", values=arns, size=_MOST, cluster=cluster
        )
        found[service.address] = frozenset(
            task["taskDefinitionArn"] for task in tasks if task.get("lastStatus") == "RUNNING"
        )
    return found
