"""A cluster as AWS would describe it: one service behind a load balancer, its tasks, its deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infraspec.ecs.fleet import Fleet, declared_services
from infraspec.live.facts.services import read_fleet
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from tests.live.answers import Answer, Answers
from tests.terraform.sources import plan_of

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
ECS = "arn:aws:ecs:eu-west-1:111122223333:"
CLUSTER = f"{ECS}cluster/shop"
SERVICE = f"{ECS}service/shop/web"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef"
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"  # noqa: S105 - an ARN
REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web"
DENIED = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    f"to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret {SECRET} from "
    "secrets manager: AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/execution/0a1b is not "
    f"authorized to perform: secretsmanager:GetSecretValue on resource: {SECRET} because no identity-based policy "
    "allows the secretsmanager:GetSecretValue action. status code: 400, request id: 1"
)
SOURCE = """
    resource "aws_ecs_cluster" "main" {
      name = "shop"
    }

    resource "aws_ecs_task_definition" "web" {
      family                = "web"
      container_definitions = jsonencode([{ name = "app", image = "nginx:1" }])
    }

    resource "aws_ecs_service" "web" {
      name            = "web"
      cluster         = aws_ecs_cluster.main.id
      task_definition = aws_ecs_task_definition.web.arn
      desired_count   = 2
    }
"""
IGNORING = SOURCE.replace(
    "desired_count   = 2",
    "desired_count   = 2\n\n      lifecycle {\n        ignore_changes = [task_definition]\n      }",
)


def revision(number: int) -> str:
    """Return the ARN of a revision of the family web."""
    return f"{ECS}task-definition/web:{number}"


def service_deployment(number: int, status: str, reason: str = "", *, minutes_ago: int = 10) -> dict[str, Any]:
    """Return an entry of ListServiceDeployments; its revision ends with its task definition's number."""
    return {
        "serviceDeploymentArn": f"{ECS}service-deployment/shop/web/{number}-{minutes_ago}",
        "serviceArn": SERVICE,
        "clusterArn": CLUSTER,
        "createdAt": NOW - timedelta(minutes=minutes_ago),
        "targetServiceRevisionArn": f"{ECS}service-revision/shop/web/{number}",
        "status": status,
        "statusReason": reason,
    }


def deployment(number: int, status: str = "PRIMARY", state: str = "COMPLETED", **counts: Any) -> dict[str, Any]:
    """Return an entry of a service's deployments."""
    return {
        "id": f"ecs-svc/{number}",
        "status": status,
        "taskDefinition": revision(number),
        "rolloutState": state,
        "desiredCount": 2,
        "runningCount": 2,
        **counts,
    }


def task(number: int, name: str = "1", **changes: Any) -> dict[str, Any]:
    """Return a task of the service that runs."""
    return {
        "taskArn": f"{ECS}task/shop/{number}{name}",
        "clusterArn": CLUSTER,
        "taskDefinitionArn": revision(number),
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "group": "service:web",
        "startedAt": NOW - timedelta(hours=3),
        "containers": [{"name": "app", "image": f"{REGISTRY}:v{number}", "imageDigest": "sha256:" + "0" * 64}],
        **changes,
    }


def stopped(number: int, reason: str = DENIED, code: str = "TaskFailedToStart", **changes: Any) -> dict[str, Any]:
    """Return a task of the service that has stopped."""
    return task(
        number,
        changes.pop("name", "s"),
        **{
            "lastStatus": "STOPPED",
            "desiredStatus": "STOPPED",
            "stopCode": code,
            "stoppedReason": reason,
            "stoppedAt": NOW - timedelta(minutes=5),
            **changes,
        },
    )


@dataclass
class Cluster:
    """What AWS would answer, to be changed by a test before it is read."""

    service: dict[str, Any] = field(
        default_factory=lambda: {
            "serviceArn": SERVICE,
            "serviceName": "web",
            "clusterArn": CLUSTER,
            "status": "ACTIVE",
            "desiredCount": 2,
            "runningCount": 2,
            "pendingCount": 0,
            "taskDefinition": revision(15),
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            "deployments": [deployment(15)],
            "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 80}],
            "events": [],
        }
    )
    tasks: list[dict[str, Any]] = field(default_factory=lambda: [task(15), task(15, "2")])
    deployments: list[dict[str, Any]] = field(default_factory=lambda: [service_deployment(15, "SUCCESSFUL")])
    states: list[str] = field(default_factory=lambda: ["healthy", "healthy"])
    newest: int = 15
    definition: dict[str, Any] = field(default_factory=dict)
    further: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def calls(self) -> Answers:
        """Return the table of answers."""
        return Answers(
            {
                ("ecs", "list_clusters"): {"clusterArns": [CLUSTER]},
                ("ecs", "describe_clusters"): {"clusters": [{"clusterArn": CLUSTER, "clusterName": "shop"}]},
                ("ecs", "list_services"): {"serviceArns": [one["serviceArn"] for one in self._services()]},
                ("ecs", "describe_services"): lambda services, **_: {
                    "services": [one for one in self._services() if one["serviceArn"] in services]
                },
                ("ecs", "list_tasks"): lambda desiredStatus, **_: {  # noqa: N803 - AWS's name
                    "taskArns": [one["taskArn"] for one in self.tasks if one["desiredStatus"] == desiredStatus]
                },
                ("ecs", "describe_tasks"): lambda tasks, **_: {
                    "tasks": [one for one in self.tasks if one["taskArn"] in tasks]
                },
                ("ecs", "list_service_deployments"): {"serviceDeployments": self.deployments},
                ("ecs", "describe_service_revisions"): _revisions,
                ("ecs", "describe_task_definition"): self._definition,
                ("elbv2", "describe_target_health"): {
                    "TargetHealthDescriptions": [
                        {"Target": {"Id": f"10.0.0.{number}", "Port": 80}, "TargetHealth": {"State": state}}
                        for number, state in enumerate(self.states, 1)
                    ]
                },
                **self.answers,
            }
        )

    def _services(self) -> list[dict[str, Any]]:
        return [self.service, *self.further]

    def _definition(self, taskDefinition: str, **_: Any) -> Mapping[str, Any] | None:  # noqa: N803 - AWS's name
        family, *given = taskDefinition.rpartition("/")[2].split(":")
        if family != "web" or not self.newest:
            return None
        number = given[0] if given else str(self.newest)
        container = {"name": "app", "image": f"{REGISTRY}:v{number}", **deepcopy(self.definition.get("container", {}))}
        described: dict[str, Any] = {
            "taskDefinitionArn": revision(int(number)),
            "family": "web",
            "revision": int(number),
            "containerDefinitions": [container],
            "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
            **{key: value for key, value in self.definition.items() if key != "container"},
        }
        return {"taskDefinition": described}


def _revisions(serviceRevisionArns: Sequence[str]) -> Mapping[str, Any]:  # noqa: N803 - AWS's name
    return {
        "serviceRevisions": [
            {"serviceRevisionArn": arn, "taskDefinition": revision(int(arn.rpartition("/")[2]))}
            for arn in serviceRevisionArns
        ]
    }


def source(directory: Path, text: str = SOURCE) -> Plan:
    """Evaluate the source in the account of the answers."""
    return plan_of(directory, text, known=KnownData.of({}, account="111122223333", region="eu-west-1"))


def fleet(directory: Path, cluster: Cluster, text: str = SOURCE) -> Fleet:
    """Read the fleet of a source from what AWS would answer."""
    return read_fleet(cluster.calls(), declared_services(source(directory, text)))
