from __future__ import annotations

from typing import Any

import pytest

from infraspec.ecs.service import Task
from infraspec.ecs.stop_cause import FailureClass, Stop, StopCause, how_stopped
from tests.live.fleet import DENIED, REGISTRY, SECRET, stopped
from tests.whole_results import Transcript

ROLE = "arn:aws:iam::111122223333:role/execution"
PARAMETER = "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/key"
PULLING = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
EXITED = "Essential container in task exited"
USER = "User: arn:aws:sts::111122223333:assumed-role/execution/0a1b is not authorized to perform: "

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "secret denied": (
        DENIED,
        {"action": "secretsmanager:GetSecretValue", "role": ROLE, "secret": SECRET, "resource": SECRET},
    ),
    "key of a secret": (
        (
            f"{PULLING}unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain json "
            "key password"
        ),
        {"key": "password"},
    ),
    "secret named with a key": (
        (
            f"{PULLING}failed to fetch secret {SECRET}:password:: from secrets manager: ResourceNotFoundException: "
            "Secrets Manager can't find the specified secret."
        ),
        {"secret": SECRET},
    ),
    "parameter denied": (
        (
            f"{PULLING}unable to retrieve secrets from ssm: AccessDeniedException: {USER}ssm:GetParameters on "
            f"resource: {PARAMETER} because no identity-based policy allows the ssm:GetParameters action"
        ),
        {"action": "ssm:GetParameters", "role": ROLE, "parameter": PARAMETER, "resource": PARAMETER},
    ),
    "parameter missing": (f"{PULLING}invalid ssm parameters: /shop/key", {"parameter": "/shop/key"}),
    "image": (
        (
            f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref "
            f"{REGISTRY}:v9: "
            f"{REGISTRY}:v9: not found"
        ),
        {"image": f"{REGISTRY}:v9"},
    ),
    "kms": (
        f"{PULLING}AccessDeniedException: {USER}kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/1.",
        {"action": "kms:Decrypt", "role": ROLE, "resource": "arn:aws:kms:eu-west-1:111122223333:key/1"},
    ),
    "role that ECS cannot assume": (
        (
            f"(service web) failed to launch a task with (error ECS was unable to assume the role '{ROLE}' that was "
            "provided for this task. Please verify that the role being passed has the proper trust relationship)."
        ),
        {"action": "sts:AssumeRole", "role": ROLE},
    ),
    "nothing": ("Essential container in task exited", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_text_names(case: str, transcript: Transcript) -> None:
    """Action, role, secret, key, parameter and image are taken out of the text, which is kept whole."""
    text, named = CASES[case]

    cause = StopCause.of(text)

    empty = dict.fromkeys(("action", "resource", "role", "secret", "key", "parameter", "image"), "")
    assert {name: getattr(cause, name) for name in empty} == {**empty, **named}
    assert cause.text == text
    transcript([f"{cause.subject}\nknown {cause.is_known}, failure {cause.failure and cause.failure.name}"])


def test_the_same_cause_of_two_tasks() -> None:
    """Ids of requests and sessions do not tell causes apart; another secret does."""
    again = DENIED.replace("request id: 1", "request id: 2").replace("0a1b", "2c3d")

    assert StopCause.of(again).subject == StopCause.of(DENIED).subject
    assert StopCause.of(DENIED.replace("db-AbCdEf", "jwt-AbCdEf")).subject != StopCause.of(DENIED).subject
    assert StopCause.of(DENIED).failure is FailureClass.SECRET_ACCESS_DENIED


STOPS: dict[str, tuple[dict[str, Any], Stop]] = {
    "failed to start": (stopped(1), Stop.FAILED_TO_START),
    "scaled in": (
        stopped(1, "Scaling activity initiated by (deployment ecs-svc/1)", "ServiceSchedulerInitiated"),
        Stop.REPLACED,
    ),
    "health check of the load balancer": (
        stopped(1, "Task failed ELB health checks in (target-group web)", "ServiceSchedulerInitiated"),
        Stop.UNHEALTHY,
    ),
    "health check of a container": (
        stopped(1, "Task failed container health checks", "ServiceSchedulerInitiated"),
        Stop.UNHEALTHY,
    ),
    "by a user": (stopped(1, "Task stopped by user", "UserInitiated"), Stop.REPLACED),
    "spot": (stopped(1, "Your Spot Task was interrupted.", "SpotInterruption"), Stop.INTERRUPTED),
    "infrastructure": (
        stopped(
            1,
            "The infrastructure of the task is not healthy.",
            "InfrastructureHealth",
            containers=[{"name": "a", "exitCode": 137}],
        ),
        Stop.INTERRUPTED,
    ),
    "exit code 1": (
        stopped(
            1,
            EXITED,
            "EssentialContainerExited",
            containers=[{"name": "a", "exitCode": 1}],
        ),
        Stop.CRASHED,
    ),
    "a service's container that ends": (
        stopped(
            1,
            EXITED,
            "EssentialContainerExited",
            containers=[{"name": "a", "exitCode": 0}],
        ),
        Stop.CRASHED,
    ),
    "a job that ends": (
        stopped(
            1,
            EXITED,
            "EssentialContainerExited",
            group="family:nightly",
            containers=[{"name": "a", "exitCode": 0}],
        ),
        Stop.ENDED,
    ),
    "a job that fails": (
        stopped(
            1,
            EXITED,
            "EssentialContainerExited",
            group="family:nightly",
            containers=[{"name": "a", "exitCode": 2}],
        ),
        Stop.CRASHED,
    ),
    "out of memory": (
        stopped(
            1,
            "OutOfMemoryError: Container killed due to memory usage",
            "EssentialContainerExited",
            group="family:nightly",
            containers=[{"name": "a", "reason": "OutOfMemoryError: Container killed due to memory usage"}],
        ),
        Stop.CRASHED,
    ),
}


@pytest.mark.parametrize("case", STOPS)
def test_how_a_task_stopped(case: str) -> None:
    """What is nobody's fault is told from what somebody has to look at."""
    described, stop = STOPS[case]

    assert how_stopped(Task.from_description(described)) is stop
    assert stop.is_fault is (stop.name in {"FAILED_TO_START", "CRASHED", "UNHEALTHY"})
