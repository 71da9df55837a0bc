"""Deployments of ECS services: each change of the task definition either reaches steady state or fails as in AWS.

Sources: Amazon ECS API Reference, Deployment, ServiceDeployment and ServiceRevision; Amazon ECS Developer Guide,
"Amazon ECS service event messages".

Source: Amazon ECS Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures".
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from math import ceil
from typing import Any

from moto.elbv2.models import elbv2_backends
from msgspec import Struct, field

from infraspec.sandbox.overlay import task_start
from infraspec.sandbox.overlay.events import emit
from infraspec.sandbox.overlay.targets import Place
from infraspec.sandbox.overlay.task_start import TaskStart

_LOWEST, _HIGHEST = 3, 200


def breaker_of(service: Any) -> tuple[bool, bool]:
    """Return whether deployments that fail are given up, and whether the service goes back to the last good one."""
    configuration = getattr(service, "deployment_configuration", None) or {}
    found = configuration.get("deploymentCircuitBreaker") or {}
    return bool(found.get("enable")), bool(found.get("rollback"))


def threshold_of(service: Any) -> int:
    """Return how many tasks may fail: half the desired count, at least 3 and at most 200."""
    return min(max(ceil(int(service.desired_count) * 0.5), _LOWEST), _HIGHEST)


_EVENTS = 100


class StandaloneTask(Struct, frozen=True):
    """What a task of no service is given: the attributes of a service that a task is made of, and what overrides."""

    name: str
    cluster_arn: str
    cluster_name: str
    network_configuration: dict[str, Any] | None
    launch_type: str | None
    platform_version: str | None
    enable_execute_command: bool
    tags: list[dict[str, str]]
    started_by: str
    overrides: dict[str, Any]
    propagate_tags: str = "SERVICE"

    @classmethod
    def of(cls, response: Any, cluster: Any, definition: Any) -> StandaloneTask:
        """Return what a request to run tasks asks for."""
        given = response._get_param
        return cls(
            given("group") or f"family:{definition.family}",
            cluster.arn,
            cluster.name,
            given("networkConfiguration"),
            given("launchType"),
            given("platformVersion"),
            str(given("enableExecuteCommand")).lower() == "true",
            given("tags") or [],
            given("startedBy") or "",
            given("overrides") or {},
        )


class Rollouts(Struct):
    """The tasks, service deployments and service revisions of one account and region."""

    account: str
    region: str
    partition: str
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def deploy(self, backend: Any, service: Any) -> None:
        """Roll a service out to its task definition and desired count."""
        definition = backend.describe_task_definition(service.task_definition)
        service.task_definition = definition.arn
        number = str(random.randrange(10**18, 10**19))  # noqa: S311 - an id
        deployment = self._deployment(service, definition, number)
        self._tell(service, deployment, "SERVICE_DEPLOYMENT_IN_PROGRESS", deployment["rolloutStateReason"])
        reason = self._failure(service, definition)
        if reason is None:
            self._succeed(backend, service, deployment, definition)
        else:
            self._fail(backend, service, deployment, definition, reason)
        self.count(backend, service)

    def run(self, definition: Any, asked: StandaloneTask) -> dict[str, Any]:
        """Run a task of no service, and return it as it is after it has started, or could not."""
        identifier = task_start.new_id()
        task = task_start.make(asked, definition, asked.started_by, identifier, len(self.tasks))
        task |= {"group": asked.name, "overrides": asked.overrides}
        reason = self._failure(asked, definition, identifier, asked.overrides.get("executionRoleArn"))
        return self.put(task if reason is None else task_start.failed(task, reason))

    def put(self, task: dict[str, Any]) -> dict[str, Any]:
        """Keep a task as it is now, and tell EventBridge. Return it."""
        self.tasks[task["taskArn"]] = task
        told = {name: value for name, value in task.items() if name != "tags"}
        emit(self._place, "aws.ecs", "ECS Task State Change", told, (task["taskArn"],))
        return task

    @property
    def _place(self) -> Place:
        return Place(self.account, self.region, self.partition)

    def _tell(self, service: Any, deployment: dict[str, Any], name: str, reason: str) -> None:
        """Tell EventBridge what became of a deployment."""
        told = {
            "eventType": "ERROR" if name.endswith("FAILED") else "INFO",
            "eventName": name,
            "deploymentId": deployment["id"],
            "updatedAt": deployment["updatedAt"],
            "reason": reason,
        }
        emit(self._place, "aws.ecs", "ECS Deployment State Change", told, (service.arn,))

    def _failure(self, asked: Any, definition: Any, identifier: str = "", role: str | None = None) -> str | None:
        start = TaskStart(self.account, self.region, self.partition, identifier or task_start.new_id())
        network = (asked.network_configuration or {}).get("awsvpcConfiguration") or {}
        return start.failure(definition, network.get("securityGroups") or (), execution_role=role)

    def _deployment(self, service: Any, definition: Any, number: str) -> dict[str, Any]:
        """Make the deployment, and note the service revision it is to reach."""
        now, prefix = datetime.now(UTC), service.arn.partition(":service/")[0]
        revision = f"{prefix}:service-revision/{service.cluster_name}/{service.name}/{number}"
        place = {"serviceArn": service.arn, "clusterArn": service.cluster_arn, "createdAt": now}
        self.revisions[revision] = {
            "serviceRevisionArn": revision,
            **place,
            "taskDefinition": definition.arn,
            "launchType": service.launch_type,
            "platformVersion": service.platform_version or "1.4.0",
            "platformFamily": "Linux",
            "loadBalancers": service.load_balancers,
            "networkConfiguration": service.network_configuration or None,
            "containerImages": [
                {
                    "containerName": one["name"],
                    "image": one.get("image"),
                    **task_start.digest_of(one.get("image"), self.account),
                }
                for one in definition.container_definitions
            ],
        }
        made = f"{prefix}:service-deployment/{service.cluster_name}/{service.name}/{uuid.uuid4().hex[:21]}"
        sources = [self._at(revision, service) for revision in [getattr(service, "current_revision", None)] if revision]
        is_enabled, _ = breaker_of(service)
        self.deployments[made] = {
            "serviceDeploymentArn": made,
            **place,
            "startedAt": now,
            "updatedAt": now,
            "sourceServiceRevisions": sources,
            "targetServiceRevision": self._at(revision, service),
            "deploymentConfiguration": getattr(service, "deployment_configuration", None),
            "deploymentCircuitBreaker": {
                "status": "MONITORING" if is_enabled else "DISABLED",
                "failureCount": 0,
                "threshold": threshold_of(service),
            },
        }
        service.current_service_deployment, service.current_service_revision = made, revision
        return {
            "id": f"ecs-svc/{number}",
            "status": "PRIMARY",
            "taskDefinition": definition.arn,
            "desiredCount": service.desired_count,
            "pendingCount": 0,
            "runningCount": 0,
            "failedTasks": 0,
            "createdAt": now,
            "updatedAt": now,
            "launchType": service.launch_type,
            "platformVersion": service.platform_version or "1.4.0",
            "platformFamily": "Linux",
            "networkConfiguration": service.network_configuration or None,
            "rolloutState": "IN_PROGRESS",
            "rolloutStateReason": f"ECS deployment ecs-svc/{number} in progress.",
        }

    @staticmethod
    def _at(revision: str, service: Any) -> dict[str, Any]:
        return {
            "arn": revision,
            "requestedTaskCount": service.desired_count,
            "runningTaskCount": 0,
            "pendingTaskCount": 0,
        }

    def _succeed(self, backend: Any, service: Any, deployment: dict[str, Any], definition: Any) -> None:
        self.stop(service, f"Scaling activity initiated by (deployment {deployment['id']})")
        self._run(service, definition, deployment["id"], service.desired_count)
        _complete(deployment)
        self._tell(service, deployment, "SERVICE_DEPLOYMENT_COMPLETED", deployment["rolloutStateReason"])
        service.deployments = [deployment]
        _event(service, f"(deployment {deployment['id']}) deployment completed.")
        _event(service, "has reached a steady state.")
        self._finish(service, "SUCCESSFUL", None)
        service.current_revision = service.current_service_revision
        _register(backend, service, self._addresses(service))

    def _fail(self, backend: Any, service: Any, deployment: dict[str, Any], definition: Any, reason: str) -> None:
        (is_enabled, rolls_back), count = breaker_of(service), threshold_of(service)
        for index in range(count):
            identifier = task_start.new_id()
            own = self._failure(service, definition, identifier) or reason
            task = task_start.make(service, definition, deployment["id"], identifier, index)
            self.put(task_start.failed(task, own))
        deployment |= {"failedTasks": count, "updatedAt": datetime.now(UTC)}
        before = [one for one in service.deployments if one["rolloutState"] == "COMPLETED"][:1]
        made = self.deployments[service.current_service_deployment]
        made["deploymentCircuitBreaker"]["failureCount"] = count
        if not is_enabled:
            _event(
                service,
                "is unable to consistently start tasks successfully. For more information, see the Troubleshooting "
                "section of the Amazon ECS Developer Guide.",
            )
            service.deployments = [deployment, *({**one, "status": "ACTIVE"} for one in before)]
            made["status"] = "IN_PROGRESS"
            return
        made["deploymentCircuitBreaker"]["status"] = "TRIGGERED"
        _event(service, f"(deployment {deployment['id']}) deployment failed: tasks failed to start.")
        failed = "ECS deployment circuit breaker: tasks failed to start."
        deployment |= {"rolloutState": "FAILED", "rolloutStateReason": failed}
        self._tell(service, deployment, "SERVICE_DEPLOYMENT_FAILED", failed)
        why = "Service deployment rolled back because the circuit breaker threshold was exceeded."
        if not rolls_back:
            service.deployments = [deployment, *({**one, "status": "ACTIVE"} for one in before)]
            self._finish(
                service, "STOPPED", "Service deployment stopped because the circuit breaker threshold was exceeded."
            )
        elif not before:
            service.deployments = [deployment]
            missing = "no rollback candidate was found to run the rollback"
            _event(service, f"(deployment {deployment['id']}) deployment failed: {missing}.")
            self._finish(service, "ROLLBACK_FAILED", f"{why} No rollback candidate was found to run the rollback.")
        else:
            self._roll_back(backend, service, deployment, before[0], why)

    def _roll_back(
        self, backend: Any, service: Any, deployment: dict[str, Any], before: dict[str, Any], why: str
    ) -> None:
        """Return to the deployment that was completed before: its tasks have run all the time."""
        now = datetime.now(UTC)
        _event(service, f"rolling back to (deployment {before['id']}).")
        service.task_definition = before["taskDefinition"]
        definition = backend.describe_task_definition(service.task_definition)
        running = len(self.running(service))
        if running < service.desired_count:
            self._run(service, definition, before["id"], service.desired_count - running)
        reason = f"ECS deployment circuit breaker: rolling back to deploymentId {before['id']}."
        service.deployments = [
            {**before, "status": "PRIMARY", "updatedAt": now, "desiredCount": service.desired_count,
             "rolloutState": "COMPLETED", "rolloutStateReason": reason}
        ]  # fmt: skip
        _event(service, f"(deployment {before['id']}) deployment completed.")
        _event(service, "has reached a steady state.")
        made = self.deployments[service.current_service_deployment]
        revision = getattr(service, "current_revision", None)
        made["rollback"] = {"reason": f"(deployment {deployment['id']}): {why}", "startedAt": now}
        if revision:
            made["rollback"]["serviceRevisionArn"] = revision
        self._finish(service, "ROLLBACK_SUCCESSFUL", why)

    def _run(self, service: Any, definition: Any, deployment: str, count: int) -> None:
        started = []
        taken = len(self.tasks)
        for index in range(count):
            task = task_start.make(service, definition, deployment, task_start.new_id(), taken + index)
            self.put(task)
            started.append(f"(task {task['taskArn'].rpartition('/')[2]})")
        if started:
            noun = "task" if len(started) == 1 else "tasks"
            _event(service, f"has started {len(started)} {noun}: {' '.join(started)}.")

    def scale(self, backend: Any, service: Any) -> None:
        """Bring the number of running tasks to the desired count."""
        running = self.running(service)
        primary = service.deployments[0] if service.deployments else None
        if len(running) > service.desired_count:
            for task in running[service.desired_count :]:
                reason = "Scaling activity initiated by deployment"
                self.put(task_start.stopped(task, reason, task_start.SCALING))
        elif primary is not None and primary["rolloutState"] == "COMPLETED":
            definition = backend.describe_task_definition(service.task_definition)
            reason_not = self._failure(service, definition)
            missing = service.desired_count - len(running)
            if missing and reason_not is None:
                self._run(service, definition, primary["id"], missing)
            for index in range(missing if reason_not else 0):
                task = task_start.make(service, definition, primary["id"], task_start.new_id(), index)
                self.put(task_start.failed(task, str(reason_not)))
        if primary is not None:
            primary["desiredCount"] = service.desired_count
        _register(backend, service, self._addresses(service))
        self.count(backend, service)

    def stop(self, service: Any, reason: str) -> None:
        """Stop the running tasks of a service."""
        for task in self.running(service):
            self.put(task_start.stopped(task, reason, task_start.SCALING))

    def running(self, service: Any) -> list[dict[str, Any]]:
        """Return the running tasks of a service."""
        group = f"service:{service.name}"
        return [
            task
            for task in self.tasks.values()
            if task["group"] == group and task["clusterArn"] == service.cluster_arn and task["lastStatus"] == "RUNNING"
        ]

    def count(self, backend: Any, service: Any) -> None:
        """Bring the counts of a service, its deployments and its cluster in step with its tasks."""
        running = self.running(service)
        service.running_count, service.pending_count = len(running), 0
        for deployment in service.deployments:
            own = [task for task in running if task["startedBy"] == deployment["id"]]
            deployment |= {"runningCount": len(own), "pendingCount": 0}
        for made in self.deployments.values():
            if made["serviceArn"] == service.arn:
                target = made["targetServiceRevision"]
                wanted = self.revisions[target["arn"]]["taskDefinition"]
                target["runningTaskCount"] = sum(task["taskDefinitionArn"] == wanted for task in running)
        cluster = backend.clusters.get(service.cluster_name)
        if cluster is not None:
            active = [
                one for one in backend.services.values() if one.cluster_arn == cluster.arn and one.status == "ACTIVE"
            ]
            cluster.active_services_count = len(active)
        self.count_cluster(backend, service.cluster_name)

    def count_cluster(self, backend: Any, name: str) -> None:
        """Bring the count of a cluster in step with its tasks, those of no service too."""
        cluster = backend.clusters.get(name)
        if cluster is not None:
            own = [one for one in self.tasks.values() if one["clusterArn"] == cluster.arn]
            cluster.running_tasks_count = sum(one["lastStatus"] == "RUNNING" for one in own)
            cluster.pending_tasks_count = 0

    def _finish(self, service: Any, status: str, reason: str | None) -> None:
        now = datetime.now(UTC)
        made = self.deployments[service.current_service_deployment]
        made |= {"status": status, "finishedAt": now, "updatedAt": now}
        if reason:
            made["statusReason"] = reason
        if made["deploymentCircuitBreaker"]["status"] == "MONITORING":
            made["deploymentCircuitBreaker"]["status"] = "MONITORING_COMPLETE"

    def _addresses(self, service: Any) -> list[str]:
        found = []
        for task in self.running(service):
            details = {one["name"]: one["value"] for one in task["attachments"][0]["details"]}
            found.append(details["privateIPv4Address"])
        return found


def _complete(deployment: dict[str, Any]) -> None:
    reason = f"ECS deployment {deployment['id']} completed."
    deployment |= {"rolloutState": "COMPLETED", "rolloutStateReason": reason, "updatedAt": datetime.now(UTC)}


def _event(service: Any, message: str) -> None:
    event = {"id": str(uuid.uuid4()), "createdAt": datetime.now(UTC), "message": f"(service {service.name}) {message}"}
    service.events = [event, *service.events][:_EVENTS]


def _register(backend: Any, service: Any, addresses: list[str]) -> None:
    """Make the running tasks, and nothing else, the targets of the service's target groups."""
    groups = elbv2_backends[backend.account_id][backend.region_name].target_groups
    for balancer in service.load_balancers or ():
        group = groups.get(balancer.get("targetGroupArn"))
        if group is not None:
            group.targets.clear()
            group.register([{"Id": address, "Port": balancer["containerPort"]} for address in addresses])
            _event(service, f"registered {len(addresses)} targets in (target-group {group.arn}).")
