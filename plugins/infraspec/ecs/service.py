"""ECS services as they run: deployments, targets, events, as AWS describes them.

Sources: Amazon ECS API Reference, "Service", "Deployment", "TaskSet", "ServiceDeploymentBrief" and
"DeploymentCircuitBreaker"; Elastic Load Balancing API Reference, "TargetHealth".

Sources: Amazon ECS API Reference, "Task" and "Container"; Amazon ECS Developer Guide, "Viewing Amazon ECS stopped task
errors": ECS shows a stopped task for at least one hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from msgspec import Struct, convert, field

from infraspec.ecs.start import Refusal
from infraspec.resource_types.listing import names

_OF_SERVICE = "service:"


class TaskContainer(Struct, frozen=True, rename=names("digest=imageDigest exit_code=exitCode")):
    """A container of a task. `exit_code` is None while it runs, and if it never did."""

    name: str
    image: str = ""
    digest: str = ""
    exit_code: int | None = None
    reason: str = ""


_TASK = names(
    "arn=taskArn cluster=clusterArn task_definition=taskDefinitionArn status=lastStatus desired_status=desiredStatus "
    "health=healthStatus created=createdAt started=startedAt stopped=stoppedAt stop_code=stopCode "
    "stopped_reason=stoppedReason"
)


class Task(Struct, frozen=True, rename=_TASK):
    """A task. `stop_code` is TaskFailedToStart, EssentialContainerExited, … and empty while it runs."""

    arn: str
    cluster: str
    task_definition: str
    status: str = ""
    desired_status: str = ""
    group: str = ""
    health: str = ""
    created: datetime | None = None
    started: datetime | None = None
    stopped: datetime | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    containers: tuple[TaskContainer, ...] = ()

    @classmethod
    def from_description(cls, described: Mapping[str, Any]) -> Task:
        """Read an entry of DescribeTasks."""
        return convert({"stoppedAt": described.get("stoppingAt"), **described}, cls)

    @property
    def service(self) -> str:
        """The name of the service it belongs to; empty for a task by itself."""
        return self.group.removeprefix(_OF_SERVICE) if self.group.startswith(_OF_SERVICE) else ""

    @property
    def is_running(self) -> bool:
        """Whether it runs and is meant to."""
        return self.status == "RUNNING" and self.desired_status in ("RUNNING", "")

    @property
    def has_stopped(self) -> bool:
        """Whether it has stopped, or is about to."""
        return self.status == "STOPPED" or self.desired_status == "STOPPED"

    @property
    def revision(self) -> str:
        """The task definition as `family:revision`."""
        return revision_of(self.task_definition)

    @property
    def reason(self) -> str:
        """All that ECS says of why it stopped, whole: of the task, then of its containers."""
        further = [one for one in self.containers if one.reason and one.reason not in self.stopped_reason]
        whole = [self.stopped_reason, *(f'container "{one.name}": {one.reason}' for one in further)]
        return "\n".join(filter(None, whole))


def revision_of(task_definition: str) -> str:
    """Return `family:revision` of a task definition's ARN; what is no ARN as it is."""
    return task_definition.rpartition("/")[2]


_UNDER_WAY = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


_DEPLOYMENT = names(
    "task_definition=taskDefinition desired=desiredCount running=runningCount pending=pendingCount failed=failedTasks "
    "rollout_state=rolloutState reason=rolloutStateReason"
)


class Deployment(Struct, frozen=True, rename=_DEPLOYMENT):
    """One entry of a service's `deployments`, or a task set of a service that something else deploys.

    `status` is PRIMARY, ACTIVE or INACTIVE. `rollout_state` is IN_PROGRESS, COMPLETED or FAILED, and empty where ECS
    does not say, as for a Classic Load Balancer. `failed` counts tasks that failed since one last ran.
    """

    id: str
    status: str
    task_definition: str
    desired: int = 0
    running: int = 0
    pending: int = 0
    failed: int = 0
    rollout_state: str = ""
    reason: str = ""

    @classmethod
    def from_deployment(cls, described: Mapping[str, Any]) -> Deployment:
        """Read an entry of `deployments`."""
        return convert(described, cls)

    @classmethod
    def from_task_set(cls, described: Mapping[str, Any]) -> Deployment:
        """Read a task set."""
        steady = {"STEADY_STATE": "COMPLETED", "STABILIZING": "IN_PROGRESS"}
        state, count = steady.get(described.get("stabilityStatus", ""), ""), described.get("computedDesiredCount", 0)
        return convert({**described, "desiredCount": count, "rolloutState": state}, cls)


_SERVICE_DEPLOYMENT = names(
    "arn=serviceDeploymentArn reason=statusReason created=createdAt finished=finishedAt "
    "target_revision=targetServiceRevisionArn"
)


class ServiceDeployment(Struct, frozen=True, rename=_SERVICE_DEPLOYMENT):
    """A service deployment, a rollback included: what ECS remembers of it for 90 days.

    `task_definition` is that of the revision it was to bring; empty if ECS does not know that revision any more.
    """

    arn: str
    status: str
    reason: str = ""
    created: datetime | None = None
    finished: datetime | None = None
    target_revision: str = ""
    task_definition: str = ""

    @classmethod
    def from_description(cls, described: Mapping[str, Any]) -> ServiceDeployment:
        """Read an entry of ListServiceDeployments."""
        return convert(described, cls)

    @property
    def is_under_way(self) -> bool:
        """Whether its outcome is still open."""
        return self.status in _UNDER_WAY

    @property
    def is_rollback(self) -> bool:
        """Whether it goes, or went, back to the revision before."""
        return self.status.startswith("ROLLBACK_")


class Event(Struct, frozen=True, rename=names("at=createdAt")):
    """A line of a service's events."""

    at: datetime
    message: str


class Target(Struct, frozen=True):
    """A target of a target group. `state` is healthy, unhealthy, initial, draining, unused or unavailable."""

    id: str
    state: str
    reason: str = ""

    @classmethod
    def from_description(cls, described: Mapping[str, Any]) -> Target:
        """Read an entry of TargetHealthDescriptions."""
        target, health = described["Target"], described.get("TargetHealth", {})
        name = f"{target['Id']}:{target['Port']}" if "Port" in target else target["Id"]
        why = ": ".join(health[key] for key in ("Reason", "Description") if health.get(key))
        return cls(name, health.get("State", ""), why)


class TargetGroup(Struct, frozen=True):
    """A target group that a service registers its tasks with, its alternate one for blue/green deployments included.

    `missing` are the ARNs of those that do not exist.
    """

    arns: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    missing: tuple[str, ...] = ()


class CircuitBreaker(Struct, frozen=True):
    """What ends a rolling deployment that cannot succeed, and whether it goes back then."""

    enabled: bool = False
    rollback: bool = False


class Service(Struct, frozen=True):
    """A service as AWS describes it. `controller` is ECS, CODE_DEPLOY or EXTERNAL; times are aware.

    `deployments` has the primary one first; `service_deployments` the newest first. `tasks` are those that run and
    those that have stopped so lately that ECS still knows them.
    """

    arn: str
    name: str
    cluster: str
    status: str
    task_definition: str
    desired: int
    running: int
    pending: int
    controller: str = "ECS"
    strategy: str = "ROLLING"
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    deployments: tuple[Deployment, ...] = ()
    service_deployments: tuple[ServiceDeployment, ...] = ()
    events: tuple[Event, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    """What the runner may not look at: `tasks`, `deployments` or `targets`."""

    @classmethod
    def from_description(
        cls,
        described: Mapping[str, Any],
        *,
        service_deployments: Iterable[ServiceDeployment] = (),
        target_groups: Iterable[TargetGroup] = (),
        tasks: Iterable[Task] = (),
        refused: Mapping[str, Refusal] = MappingProxyType({}),
    ) -> Service:
        """Read an entry of DescribeServices, joined by what other operations say."""
        configuration = described.get("deploymentConfiguration") or {}
        breaker = configuration.get("deploymentCircuitBreaker") or {}
        network = (described.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
        deployments = [
            *map(Deployment.from_deployment, described.get("deployments") or ()),
            *map(Deployment.from_task_set, described.get("taskSets") or ()),
        ]
        primary = next((one for one in deployments if one.status == "PRIMARY"), None)
        return cls(
            described["serviceArn"],
            described["serviceName"],
            described["clusterArn"],
            described["status"],
            described.get("taskDefinition") or (primary.task_definition if primary else ""),
            described.get("desiredCount", 0),
            described.get("runningCount", 0),
            described.get("pendingCount", 0),
            (described.get("deploymentController") or {}).get("type", "ECS"),
            configuration.get("strategy", "ROLLING"),
            CircuitBreaker(breaker.get("enable", False), breaker.get("rollback", False)),
            tuple(sorted(deployments, key=lambda one: one.status != "PRIMARY")),
            tuple(sorted(service_deployments, key=when_created, reverse=True)),
            convert(described.get("events") or (), tuple[Event, ...]),
            tuple(target_groups),
            tuple(network.get("subnets") or ()),
            tuple(network.get("securityGroups") or ()),
            tuple(tasks),
            refused,
        )

    @property
    def cluster_name(self) -> str:
        """The name of its cluster."""
        return self.cluster.rpartition("/")[2]

    @property
    def primary(self) -> Deployment | None:
        """The deployment that is, or becomes, what runs."""
        return next((one for one in self.deployments if one.status == "PRIMARY"), None)

    @property
    def last(self) -> ServiceDeployment | None:
        """The newest service deployment."""
        return self.service_deployments[0] if self.service_deployments else None

    @property
    def is_rolling_out(self) -> bool:
        """Whether a deployment has begun and not ended yet."""
        primary = self.primary
        if self.last is not None and self.last.is_under_way:
            return True
        return primary is not None and primary.rollout_state == "IN_PROGRESS"


def when_created(deployment: ServiceDeployment) -> float:
    """Return when a service deployment was created, for an order; what has no time is the oldest."""
    return deployment.created.timestamp() if deployment.created else 0.0
