"""Services, tasks and stored values as AWS describes them, every field of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from infraspec.ecs.service import (
    CircuitBreaker,
    Deployment,
    Event,
    Service,
    ServiceDeployment,
    Target,
    Task,
    TaskContainer,
)
from infraspec.ecs.start import KeyGrant, StoredSecret

EARLY, LATE = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)
ARNS = {
    "serviceArn": "arn:service",
    "serviceName": "web",
    "clusterArn": "arn:ecs:::cluster/main",
    "status": "ACTIVE",
}
DEPLOYMENT = {
    "id": "d-1", "status": "ACTIVE", "taskDefinition": "arn:td/web:3", "desiredCount": 4, "runningCount": 3,
    "pendingCount": 1, "failedTasks": 2, "rolloutState": "IN_PROGRESS", "rolloutStateReason": "under way",
}  # fmt: skip
TASK_SET = {
    "id": "t-1", "status": "PRIMARY", "taskDefinition": "arn:td/web:4", "computedDesiredCount": 4, "runningCount": 3,
    "pendingCount": 1, "stabilityStatus": "STABILIZING",
}  # fmt: skip


def test_a_deployment() -> None:
    """All that ECS says of a deployment is read, and what it does not say is nothing."""
    read = Deployment.from_deployment(DEPLOYMENT)
    assert read == Deployment("d-1", "ACTIVE", "arn:td/web:3", 4, 3, 1, 2, "IN_PROGRESS", "under way")
    bare = {key: DEPLOYMENT[key] for key in ("id", "status", "taskDefinition")}
    assert Deployment.from_deployment(bare) == Deployment("d-1", "ACTIVE", "arn:td/web:3", 0, 0, 0, 0, "", "")


@pytest.mark.parametrize(
    ("stability", "state"), [("STABILIZING", "IN_PROGRESS"), ("STEADY_STATE", "COMPLETED"), ("NEW", ""), (None, "")]
)
def test_a_task_set(stability: str | None, state: str) -> None:
    """A task set is a deployment whose rollout state is its stability."""
    described = TASK_SET | {"stabilityStatus": stability}
    assert Deployment.from_task_set(described) == Deployment("t-1", "PRIMARY", "arn:td/web:4", 4, 3, 1, 0, state)
    bare = {key: TASK_SET[key] for key in ("id", "status", "taskDefinition")}
    assert Deployment.from_task_set(bare) == Deployment("t-1", "PRIMARY", "arn:td/web:4", 0, 0, 0, 0, "")


def test_a_service_deployment() -> None:
    """All that ECS says of a service deployment is read."""
    described = {
        "serviceDeploymentArn": "arn:sd", "status": "ROLLBACK_IN_PROGRESS", "statusReason": "tasks failed",
        "createdAt": EARLY, "finishedAt": LATE, "targetServiceRevisionArn": "arn:revision",
    }  # fmt: skip
    read = ServiceDeployment.from_description(described)
    assert read == ServiceDeployment("arn:sd", "ROLLBACK_IN_PROGRESS", "tasks failed", EARLY, LATE, "arn:revision")
    bare = ServiceDeployment.from_description({"serviceDeploymentArn": "arn:sd", "status": "PENDING"})
    assert bare == ServiceDeployment("arn:sd", "PENDING", "", None, None, "", "")


@pytest.mark.parametrize(
    ("status", "under_way", "rollback"),
    [
        ("PENDING", True, False), ("IN_PROGRESS", True, False), ("STOP_REQUESTED", True, False),
        ("ROLLBACK_REQUESTED", True, True), ("ROLLBACK_IN_PROGRESS", True, True), ("ROLLBACK_SUCCESSFUL", False, True),
        ("SUCCESSFUL", False, False), ("STOPPED", False, False),
    ],
)  # fmt: skip
def test_the_status_of_a_service_deployment(status: str, *, under_way: bool, rollback: bool) -> None:
    """A status says whether the outcome is open, and whether it goes back."""
    deployment = ServiceDeployment("arn:sd", status)
    assert (deployment.is_under_way, deployment.is_rollback) == (under_way, rollback)


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({"Target": {"Id": "a", "Port": 80}, "TargetHealth": {"State": "healthy"}}, ("a:80", "healthy", "")),
        ({"Target": {"Id": "i-1"}}, ("i-1", "", "")),
        ({"Target": {"Id": "i-1"}, "TargetHealth": {"State": "unhealthy", "Reason": "Target.Timeout"}},
         ("i-1", "unhealthy", "Target.Timeout")),
        ({"Target": {"Id": "i-1"}, "TargetHealth": {"State": "unused", "Reason": "T", "Description": "not in use"}},
         ("i-1", "unused", "T: not in use")),
    ],
)  # fmt: skip
def test_a_target(described: dict[str, Any], expected: tuple[str, str, str]) -> None:
    """A target is named by id and port, with the reason of its state."""
    assert Target.from_description(described) == Target(*expected)


def test_a_service() -> None:
    """All that ECS says of a service is read: the primary deployment first, the newest service deployment first."""
    described = ARNS | {
        "taskDefinition": "arn:td/web:4", "desiredCount": 4, "runningCount": 3, "pendingCount": 1,
        "deploymentController": {"type": "CODE_DEPLOY"},
        "deploymentConfiguration": {
            "strategy": "BLUE_GREEN", "deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        "deployments": [DEPLOYMENT], "taskSets": [TASK_SET],
        "events": [{"createdAt": EARLY, "message": "steady"}],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}},
    }  # fmt: skip
    old, new = ServiceDeployment("arn:1", "SUCCESSFUL", created=EARLY), ServiceDeployment("arn:2", "x", created=LATE)
    task = Task("arn:task", "main", "arn:td/web:4", "RUNNING")
    undated = ServiceDeployment("arn:0", "x")
    read = Service.from_description(described, service_deployments=[undated, old, new], tasks=[task])
    deployments = (Deployment.from_task_set(TASK_SET), Deployment.from_deployment(DEPLOYMENT))
    assert read == Service(
        "arn:service", "web", "arn:ecs:::cluster/main", "ACTIVE", "arn:td/web:4", 4, 3, 1, "CODE_DEPLOY",
        "BLUE_GREEN", CircuitBreaker(enabled=True, rollback=True), deployments,
        (new, old, undated), (Event(EARLY, "steady"),), (), ("subnet-1",), ("sg-1",), (task,),
    )  # fmt: skip
    assert (read.cluster_name, read.primary, read.last) == ("main", deployments[0], new)


def test_a_service_of_which_little_is_said() -> None:
    """What ECS leaves out is its default; the task definition is then that of the primary deployment."""
    read = Service.from_description(ARNS | {"taskSets": [TASK_SET]})
    primary = Deployment.from_task_set(TASK_SET)
    assert read == Service(
        "arn:service", "web", "arn:ecs:::cluster/main", "ACTIVE", "arn:td/web:4", 0, 0, 0, deployments=(primary,)
    )
    bare = Service.from_description(ARNS)
    assert (bare.task_definition, bare.primary, bare.last, bare.is_rolling_out) == ("", None, None, False)


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [("IN_PROGRESS", None, True), ("COMPLETED", None, False), ("COMPLETED", "PENDING", True), ("", "STOPPED", False)],
)
def test_a_service_that_is_rolling_out(state: str, status: str | None, *, expected: bool) -> None:
    """A rollout has not ended where the primary deployment or the newest service deployment has not."""
    described = ARNS | {"deployments": [DEPLOYMENT | {"status": "PRIMARY", "rolloutState": state}]}
    last = [ServiceDeployment("arn:sd", status)] if status else []
    assert Service.from_description(described, service_deployments=last).is_rolling_out is expected


CONTAINER = {"name": "app", "image": "app:1", "imageDigest": "sha256:1", "exitCode": 0, "reason": "OutOfMemory"}


def test_a_task() -> None:
    """All that ECS says of a task is read, and what it does not say is nothing."""
    ids = {"taskArn": "arn:task", "clusterArn": "arn:cluster", "taskDefinitionArn": "arn:td/web:4"}
    described = ids | {
        "lastStatus": "STOPPED", "desiredStatus": "STOPPED", "group": "service:web",
        "healthStatus": "HEALTHY", "createdAt": EARLY, "startedAt": EARLY, "stoppedAt": LATE,
        "stopCode": "EssentialContainerExited", "stoppedReason": "it exited", "containers": [CONTAINER, {"name": "b"}],
    }  # fmt: skip
    containers = (TaskContainer("app", "app:1", "sha256:1", 0, "OutOfMemory"), TaskContainer("b", "", "", None, ""))
    task = Task.from_description(described)
    assert task == Task(
        "arn:task", "arn:cluster", "arn:td/web:4", "STOPPED", "STOPPED", "service:web", "HEALTHY", EARLY,
        EARLY, LATE, "EssentialContainerExited", "it exited", containers,
    )  # fmt: skip
    assert (task.service, task.revision, task.has_stopped, task.is_running) == ("web", "web:4", True, False)
    assert task.reason == 'it exited\ncontainer "app": OutOfMemory'
    bare = Task.from_description(ids | {"stoppingAt": LATE, "group": "family:web"})
    assert bare == Task("arn:task", "arn:cluster", "arn:td/web:4", "", group="family:web", stopped=LATE)
    assert (bare.service, bare.reason) == ("", "")


@pytest.mark.parametrize(
    ("status", "desired", "running", "stopped"),
    [
        ("RUNNING", "RUNNING", True, False), ("RUNNING", "", True, False), ("RUNNING", "STOPPED", False, True),
        ("PENDING", "RUNNING", False, False), ("STOPPED", "", False, True),
    ],
)  # fmt: skip
def test_the_status_of_a_task(status: str, desired: str, *, running: bool, stopped: bool) -> None:
    """A task runs if it is meant to, and has stopped also where it is about to."""
    task = Task("arn:task", "arn:cluster", "web:1", status, desired)
    assert (task.is_running, task.has_stopped) == (running, stopped)


def test_the_versions_of_a_secret() -> None:
    """A version is found by its id or, without one, by its stage."""
    secret = StoredSecret("arn:secret", stages={"v1": ("AWSPREVIOUS",), "v2": ("AWSCURRENT", "blue")})
    asked = [("AWSCURRENT", ""), ("blue", ""), ("green", ""), ("AWSCURRENT", "v1"), ("", "v3"), ("", "")]
    assert [True, True, False, True, False, False] == [secret.has(*one) for one in asked]


GRANT = KeyGrant("key", "role", ("Decrypt", "Encrypt"))


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (GRANT, True),
        (KeyGrant("other", "role", ("Decrypt",)), False),
        (KeyGrant("key", "other", ("Decrypt",)), False),
        (KeyGrant("key", "role", ("Encrypt",)), False),
        (KeyGrant("key", "role", ("Decrypt",), {"a": "1"}), True),
        (KeyGrant("key", "role", ("Decrypt",), {"a": "2"}), False),
        (KeyGrant("key", "role", ("Decrypt",), equals={"a": "1"}), False),
        (KeyGrant("key", "role", ("Decrypt",), equals={"a": "1", "b": "2"}), True),
    ],
)
def test_a_grant(grant: KeyGrant, *, expected: bool) -> None:
    """A grant lets its grantee decrypt with its key, under the encryption context that it names."""
    assert grant.lets("role", "key", {"a": "1", "b": "2"}) is expected
