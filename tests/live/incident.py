"""The incident on a small scale: revision 16 names a secret that the execution role may not read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.live.answers import Answer
from tests.live.fleet import (
    DENIED,
    NOW,
    SOURCE,
    Cluster,
    deployment,
    revision,
    service_deployment,
    stopped,
    task,
)
from tests.live.test_start_facts import ANSWERS, DIGEST

CONTRACT = """\
    [project]
    application = "shop"
    owner = "platform"

    [environments.prod]
    account_id = "111122223333"
    region = "eu-west-1"
    """
PLAYBOOK = """\
---
id: secret-access-denied
language: en
owner: on-call
failure_classes: [secret-access-denied]
targets: {confirm: 5, restore: 15}
---

# Secrets Manager denies access

## 1. Confirm (within 5 minutes)

```sh
CLUSTER=somewhere
```

## 2. Restore (within 15 minutes)

```sh
PREVIOUS=$(aws ecs list-task-definitions --family-prefix "$SERVICE" --query 'taskDefinitionArns[1]' --output text)
aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$PREVIOUS"
```

## 3. Fix (within 30 minutes)
"""
_CONTAINER = 'name = "app", image = "nginx:1"'
_WITH_SECRET = SOURCE.replace(_CONTAINER, f"{_CONTAINER}, secrets = [local.secret]")
_WITH_ROLE = _WITH_SECRET.replace(
    'family                = "web"',
    'family                = "web"\n      execution_role_arn    = aws_iam_role.execution.arn',
)
TERRAFORM = (
    _WITH_ROLE
    + """
    locals {
      secret = { name = "URL", valueFrom = aws_secretsmanager_secret.db.arn }
    }

    resource "aws_secretsmanager_secret" "db" {
      name = "db"
    }

    resource "aws_iam_role" "execution" {
      name               = "execution"
      assume_role_policy = jsonencode({
        Version   = "2012-10-17"
        Statement = [
          { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } },
        ]
      })
    }

    resource "aws_iam_role_policy" "execution" {
      name   = "logs"
      role   = aws_iam_role.execution.id
      policy = jsonencode({
        Version   = "2012-10-17"
        Statement = [{ Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" }]
      })
    }
"""
)
"""The source, without the statement."""

ALLOWING = TERRAFORM.replace(
    '{ Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" }',
    '{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.db.arn }',
)
"""The source, with the statement."""

EVENT = {
    "EventTime": NOW - timedelta(minutes=12),
    "EventName": "RegisterTaskDefinition",
    "Username": "dana",
    "Resources": [],
    "CloudTrailEvent": '{"userIdentity": {"arn": "arn:aws:sts::111122223333:assumed-role/deploy/dana"}, '
    '"requestParameters": {"family": "web", "environment": "hunter2"}}',
}


def events(LookupAttributes: list[Mapping[str, str]], **_: Any) -> Mapping[str, Any]:  # noqa: N803 - AWS's name
    """Answer as CloudTrail does."""
    wanted = LookupAttributes[0]["AttributeValue"]
    return {"Events": [EVENT] if wanted == EVENT["EventName"] else []}


FACTS: dict[tuple[str, str], Answer] = {**ANSWERS, ("cloudtrail", "lookup_events"): events}


def images(**_: Any) -> Mapping[str, Any]:
    """Answer that every image is there."""
    return {"imageDetails": [{"imageDigest": DIGEST}]}


def healthy(**changes: Any) -> Cluster:
    """Return the service while revision 15 runs."""
    return Cluster(answers={**FACTS, ("ecr", "describe_images"): images}, **changes)


def rolled_back() -> Cluster:
    """Return the service after ECS has gone back from revision 16."""
    failed = {
        **service_deployment(16, "ROLLBACK_SUCCESSFUL", "the circuit breaker threshold was exceeded"),
        "finishedAt": NOW - timedelta(minutes=3),
    }
    made = healthy(newest=16, deployments=[failed, service_deployment(15, "SUCCESSFUL", minutes_ago=600)])
    again = stopped(
        16, DENIED.replace("request id: 1", "request id: 2"), name="t", stoppedAt=NOW - timedelta(minutes=6)
    )
    made.tasks += [stopped(16), again]
    return made


def failing() -> Cluster:
    """Return the service while ECS tries to start revision 16 again and again, and nothing runs."""
    made = healthy(newest=16, deployments=[service_deployment(16, "IN_PROGRESS")])
    made.service |= {
        "taskDefinition": revision(16),
        "deployments": [deployment(16, state="IN_PROGRESS", runningCount=0, failedTasks=4)],
        "runningCount": 0,
        "pendingCount": 2,
        "events": [{"createdAt": NOW - timedelta(minutes=4), "message": "(service web) was unable to place a task."}],
    }
    made.tasks = [stopped(16)]
    return made


def repaired() -> Cluster:
    """Return the service after revision 16 could start."""
    made = healthy(newest=16, deployments=[service_deployment(16, "SUCCESSFUL", minutes_ago=9)])
    made.service |= {"taskDefinition": revision(16), "deployments": [deployment(16)]}
    late = NOW - timedelta(minutes=1)
    made.tasks = [task(16, startedAt=late), task(16, "2", startedAt=late), stopped(16)]
    return made


ROLE = "arn:aws:iam::111122223333:role/execution"


UNASSUMED = (
    f"ECS was unable to assume the role '{ROLE}' that was provided for this task. Please verify that the role being "
    "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)


def unassumed(role: Any, *, as_event: bool) -> Cluster:
    """Return the service while ECS cannot assume its execution role; `role` is what IAM has of it now."""
    cluster = failing()
    cluster.answers["iam", "get_role"] = role
    cluster.tasks = [] if as_event else [stopped(16, UNASSUMED)]
    if as_event:
        event = {"createdAt": NOW, "message": f"(service web) failed to launch a task with (error {UNASSUMED})."}
        cluster.service["events"] = [event]
    return cluster
