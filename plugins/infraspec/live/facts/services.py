"""The services that exist in the clusters of the source, with their deployments, tasks and targets.

Limits: Amazon ECS API Reference, DescribeClusters (100 clusters), DescribeServices (10 services), DescribeTasks (100
tasks) and DescribeServiceRevisions (20 revisions).
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.aws.calls import Calls
from infraspec.checks.services.rollout_state import is_failing
from infraspec.core.errors import RunnerPermissionError
from infraspec.ecs.fleet import DeclaredService, DeployedService, Fleet
from infraspec.ecs.service import Service, ServiceDeployment, Target, TargetGroup, Task, when_created
from infraspec.ecs.start import Refusal, noting, unless_refused
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.resource_types.listing import Batch
from infraspec.terraform.plan import Plan

_INTERVAL = 15
"""Seconds between two looks."""


def settled(
    read: Callable[[], Fleet],
    wait: int,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Fleet:
    """Return what was read when no deployment is under way, one has begun to fail, or `wait` seconds have passed."""
    begin = clock()
    fleet = read()
    while _is_open(fleet) and clock() - begin < wait:
        sleep(min(_INTERVAL, wait - (clock() - begin)))
        fleet = read()
    return replace(fleet, waited=round(clock() - begin) if wait else 0)


def _is_open(fleet: Fleet) -> bool:
    rolling = [one.live for one in fleet.services if one.live is not None and one.live.is_rolling_out]
    return bool(rolling) and not any(is_failing(live) for live in rolling)


_CLUSTERS = Batch("DescribeClusters", "clusters", "clusters", 100, {"include": ["TAGS", "CONFIGURATIONS"]})
_SERVICES = Batch("DescribeServices", "services", "services", 10, {"include": ["TAGS"]})
_DEFINITION, _WITH_TAGS = ("ecs", "describe_task_definition"), {"include": ["TAGS"]}
_DEPLOYMENTS = ("ecs", "list_service_deployments", "serviceDeployments")
_HEALTH = ("elbv2", "describe_target_health")
_TASKS = Batch("DescribeTasks", "tasks", "tasks", 100)
_REVISIONS = Batch("DescribeServiceRevisions", "serviceRevisions", "serviceRevisionArns", 20)
_NO_TASK_DEFINITION = ("ClientException",)
_NO_TARGET_GROUP = ("TargetGroupNotFound", "TargetGroupNotFoundException")
_ACTIVE = "ACTIVE"
_LATELY = 5
"""Of how many service deployments of a service it is asked which task definition they were to bring."""


def read_fleet(calls: Calls, declared: Sequence[DeclaredService]) -> Fleet:
    """Read what runs in the clusters of the declared services, whatever their region; not in another account."""
    wanted: dict[tuple[str, str], list[DeclaredService]] = defaultdict(list)
    unknown: list[DeployedService] = []
    for service in declared:
        account = service.account if isinstance(service.account, str) else calls.account
        if service.key is None or account != calls.account:
            unknown.append(DeployedService(service, elsewhere="" if account == calls.account else account))
        else:
            region, cluster, _ = service.key
            wanted[region, cluster].append(service)
    regions = {region: _Region(calls, region) for region, _ in wanted}
    found: list[DeployedService] = []
    others: list[Service] = []
    tasks: list[Task] = []
    for region, reader in regions.items():
        reader.prepare([service for (where, _), services in wanted.items() if where == region for service in services])
    for (region, cluster), services in wanted.items():
        reader = regions[region]
        live, rest, own = reader.cluster(cluster, {str(service.name) for service in services})
        reader.prepare_definitions(one.task_definition for one in live.values())
        found += [reader.joined(service, live.get(str(service.name)), known=own is not None) for service in services]
        others += rest
        tasks += own or ()
    return Fleet(tuple(found + unknown), tuple(others), tuple(tasks), calls.taken)


def running_task_definitions(calls: Calls, live: Plan) -> dict[str, frozenset[str] | Refusal]:
    """Return the ARNs of the task definitions that the running tasks of each live service are of, by its address."""
    found: dict[str, frozenset[str] | Refusal] = {}
    for service in live.managed("aws_ecs_service"):
        cluster, name = service.stated("cluster"), service.stated("name")
        try:
            unless_refused(cluster, name)
            own = [task for task in running_tasks(calls, cluster) if task.get("group") == f"service:{name}"]
            found[service.address] = frozenset(task["taskDefinitionArn"] for task in own)
        except RunnerPermissionError as error:
            found[service.address] = Refusal.of(error)
    return found


def running_tasks(calls: Calls, cluster: Any, **chosen: Any) -> list[Mapping[str, Any]]:
    """Return the tasks of a cluster that run; `chosen` are parameters of ListTasks. No cluster, no tasks."""
    found = tasks_of(calls, cluster, "RUNNING", **chosen)
    return [task for task in found if task.get("lastStatus") == "RUNNING"]


def tasks_of(
    calls: Calls, cluster: Any, *statuses: str, region: str | None = None, **chosen: Any
) -> tuple[Mapping[str, Any], ...]:
    """Return the tasks of a cluster that are to be in one of the statuses."""
    arns = [
        arn
        for status in statuses
        for arn in calls.pages(
            "ecs", "list_tasks", "taskArns", region=region, cluster=cluster, desiredStatus=status, **chosen
        )
    ]
    return calls.batches("ecs", _TASKS, arns, region=region, cluster=cluster)


class _Region(Struct):
    """What is asked of one region."""

    calls: Calls
    region: str
    _definitions: dict[str, TaskDefinition | None] = field(default_factory=dict)

    def prepare(self, declared: Iterable[DeclaredService]) -> None:
        """Ask ahead for the newest revisions of the families."""
        self.prepare_definitions(one.family for one in declared if isinstance(one.family, str))

    def prepare_definitions(self, names: Iterable[str]) -> None:
        """Ask ahead for task definitions, as `_definition` does for one."""
        each = [{"taskDefinition": name, **_WITH_TAGS} for name in dict.fromkeys(names) if name]
        self.calls.ahead(*_DEFINITION, each, absent=_NO_TASK_DEFINITION, region=self.region)

    def cluster(
        self, name: str, wanted: set[str]
    ) -> tuple[dict[str, Service], tuple[Service, ...], tuple[Task, ...] | None]:
        """Return the wanted services by name, the others, and all tasks of a cluster; None if there is no cluster."""
        arn = self._clusters(name).get(name)
        if arn is None:
            return {}, (), None
        described = self._services(arn, sorted(wanted))
        refused: dict[str, Refusal] = {}
        tasks: tuple[Task, ...] = ()
        with noting(refused, "tasks"):  # as long as ECS knows them
            tasks = tuple(
                map(Task.from_description, tasks_of(self.calls, arn, "RUNNING", "STOPPED", region=self.region))
            )
        mine = [one for one in described if one["serviceName"] in wanted]
        services = {service.name: service for service in self._whole(arn, mine, tasks, refused)}
        others = [Service.from_description(one) for one in described if one["serviceName"] not in wanted]
        return services, tuple(others), tasks

    def joined(self, declared: DeclaredService, service: Service | None, *, known: bool) -> DeployedService:
        """Join a declared service with the live one, its task definition, and the newest revision of its family."""
        running = self._definition(service.task_definition) if service and service.task_definition else None
        newest = self._definition(declared.family) if isinstance(declared.family, str) else None
        return DeployedService(
            declared,
            service,
            cluster_exists=known,
            running=running,
            newest=newest.address if newest else "",
        )

    def _clusters(self, name: str) -> dict[str, str]:
        """Return the ARNs of the active clusters by name; where they may not be listed, that of the one alone."""
        try:
            arns = self.calls.pages("ecs", "list_clusters", "clusterArns", region=self.region)
        except RunnerPermissionError:
            arns = (name,)
        described = self.calls.batches("ecs", _CLUSTERS, arns, region=self.region)
        return {one["clusterName"]: one["clusterArn"] for one in described if one.get("status", _ACTIVE) == _ACTIVE}

    def _services(self, cluster: str, wanted: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
        try:
            arns = self.calls.pages("ecs", "list_services", "serviceArns", cluster=cluster, region=self.region)
        except RunnerPermissionError:
            arns = tuple(wanted)
        return self.calls.batches("ecs", _SERVICES, arns, region=self.region, cluster=cluster)

    def _whole(
        self,
        cluster: str,
        described: Sequence[Mapping[str, Any]],
        tasks: Iterable[Task],
        refused: Mapping[str, Refusal],
    ) -> Iterator[Service]:
        by_service: dict[str, list[Task]] = defaultdict(list)
        for task in tasks:
            by_service[task.service].append(task)
        hidden = dict(refused)
        deployments: dict[str, list[ServiceDeployment]] = {}
        definitions: dict[str, str] = {}
        services = [{"service": one["serviceArn"], "cluster": cluster} for one in described]
        self.calls.ahead(*_DEPLOYMENTS[:2], services, _DEPLOYMENTS[2], region=self.region)
        groups_of = {arn for one in described for arns in _balanced(one) for arn in arns}
        named = [{"TargetGroupArn": arn} for arn in sorted(groups_of)]
        self.calls.ahead(*_HEALTH, named, absent=_NO_TARGET_GROUP, region=self.region)
        with noting(hidden, "deployments"):
            deployments = {one["serviceArn"]: self._deployments(cluster, one["serviceArn"]) for one in described}
            lately = [one.target_revision for found in deployments.values() for one in found[:_LATELY]]
            definitions = self._revisions(lately)
        for one in described:
            own, groups = dict(hidden), list[TargetGroup]()
            with noting(own, "targets"):
                groups += self._target_groups(one)
            yield Service.from_description(
                one,
                service_deployments=[
                    replace(deployment, task_definition=definitions.get(deployment.target_revision, ""))
                    for deployment in deployments.get(one["serviceArn"], ())
                ],
                target_groups=groups,
                tasks=by_service[one["serviceName"]],
                refused=own,
            )

    def _deployments(self, cluster: str, service: str) -> list[ServiceDeployment]:
        """Return the service deployments of a service, the newest first."""
        asked = {"service": service, "cluster": cluster}
        listed = self.calls.pages(*_DEPLOYMENTS, region=self.region, **asked)
        found = map(ServiceDeployment.from_description, listed)
        return sorted(found, key=when_created, reverse=True)

    def _revisions(self, arns: Sequence[str]) -> dict[str, str]:
        """Return the task definitions by the ARNs of service revisions."""
        described = self.calls.batches("ecs", _REVISIONS, list(filter(None, arns)), region=self.region)
        return {one["serviceRevisionArn"]: one.get("taskDefinition", "") for one in described}

    def _target_groups(self, described: Mapping[str, Any]) -> Iterator[TargetGroup]:
        for arns in _balanced(described):
            answers = {arn: self._health(arn) for arn in arns}
            targets = [target for answer in answers.values() if answer is not None for target in answer]
            yield TargetGroup(arns, tuple(targets), tuple(arn for arn, answer in answers.items() if answer is None))

    def _health(self, target_group: str) -> list[Target] | None:
        answer = self.calls.ask(*_HEALTH, TargetGroupArn=target_group, absent=_NO_TARGET_GROUP, region=self.region)
        return None if answer is None else list(map(Target.from_description, answer["TargetHealthDescriptions"]))

    def _definition(self, name: str) -> TaskDefinition | None:
        """Return a task definition by its ARN, or the newest active revision of a family; None if there is none."""
        if name not in self._definitions:
            asked = {"taskDefinition": name, **_WITH_TAGS}
            answer = self.calls.ask(*_DEFINITION, absent=_NO_TASK_DEFINITION, region=self.region, **asked)
            self._definitions[name] = definition_of(answer["taskDefinition"]) if answer else None
        return self._definitions[name]


def _balanced(described: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the target groups of a service, each with its alternate, each once."""
    balanced = [*(described.get("loadBalancers") or ())]
    for task_set in described.get("taskSets") or ():
        balanced += task_set.get("loadBalancers") or ()
    groups: dict[tuple[str, ...], None] = {}
    for one in balanced:
        alternate = (one.get("advancedConfiguration") or {}).get("alternateTargetGroupArn")
        arns = tuple(arn for arn in (one.get("targetGroupArn"), alternate) if arn)
        if arns:
            groups[arns] = None
    return list(groups)


def definition_of(described: Mapping[str, Any]) -> TaskDefinition:
    """Read a task definition as DescribeTaskDefinition has it; its address is its ARN."""
    return TaskDefinition.from_json(json.dumps(described, default=str), described["taskDefinitionArn"])
