"""The task definitions of running tasks, from a table of answers."""

from __future__ import annotations

from infraspec.live.facts.services import running_task_definitions
from infraspec.terraform.plan import Plan, Resource
from tests.live.answers import Answers

WEB = Resource("web", "managed", "aws_ecs_service", "web", None, "", {"cluster": "arn:cluster", "name": "web"})


def test_tasks_that_run_are_counted_by_their_service() -> None:
    """A task that stops is none of them, nor one of another service of the cluster; 101 tasks are two calls."""
    tasks = [
        {"group": "service:web", "taskDefinitionArn": "web:1", "lastStatus": "RUNNING"},
        {"group": "service:web", "taskDefinitionArn": "web:2", "lastStatus": "STOPPING"},
        {"group": "service:worker", "taskDefinitionArn": "worker:1", "lastStatus": "RUNNING"},
        {"group": "family:web", "taskDefinitionArn": "web:3", "lastStatus": "RUNNING"},
    ]
    calls = Answers(
        {
            ("ecs", "list_tasks"): {"taskArns": [str(number) for number in range(101)]},
            ("ecs", "describe_tasks"): {"tasks": tasks},
        }
    )
    assert {"web": frozenset({"web:1"})} == running_task_definitions(calls, Plan("live", (WEB,)))
    assert 2 == calls.count("ecs", "describe_tasks")
    (asked,) = [parameters for _, operation, parameters in calls.asked if operation == "list_tasks"]
    assert ("arn:cluster", "RUNNING") == (asked["cluster"], asked["desiredStatus"])
