"""Service Connect: what the proxy that ECS adds to each task of a service needs to write its log.

Sources: Amazon ECS API Reference, "ServiceConnectConfiguration" (its logConfiguration is that of a container); Amazon
ECS Developer Guide, "Configure Service Connect proxy container". Like the other containers of the task it writes and
reads with the execution role.

What the roles need that a service, a capacity provider, or a target names for AWS to act with, stands in the table; the
ARN in a `target` and the values of `keys` are filled with what stands in the blocks around the role.

Sources: Amazon ECS API Reference, "ExecuteCommandConfiguration" and "ExecuteCommandLogConfiguration"; Terraform AWS
provider, "aws_ecs_service" (enable_execute_command) and "aws_ecs_cluster" (configuration). With logging DEFAULT the
session is written to the log group of the container if the role may, and not at all if it may not: that is no need.
What is asked for before a log is written, and whether a session opens without it, is as the agent of Systems Manager
does it, which is open source; CloudWatch Logs API Reference, "PutLogEvents", on sequence tokens.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from msgspec.structs import replace

from infraspec.core.unknown import AtRunTime, Unknown, Value, render, unknowns
from infraspec.ecs.access_table import ROWS, Access
from infraspec.ecs.container import Container, containers
from infraspec.ecs.required_access import log_access
from infraspec.ecs.requirement import AccessContext, AccessDoubt, Need, Requirement
from infraspec.ecs.task_definition import TaskDefinition, as_json
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource

_RUNNERS = {"aws_ecs_service": "task_definition", "aws_ecs_daemon": "daemon_task_definition_arn"}
"""What runs tasks, and the attribute that names their task definition."""
_TASK_DEFINITIONS = ("aws_ecs_task_definition", "aws_ecs_daemon_task_definition")
_TASK_DEFINITION = re.compile(r"^(?:arn:.*:task-definition/)?(?P<family>[^:/]+)(?::.+)?$", re.DOTALL)


class PlanServices:
    """The services of a plan that `asks` for something."""

    def __init__(self, attributes: AwsAttributes, asks: Callable[[Resource], bool]) -> None:
        self.attributes = attributes
        self._asking = tuple(filter(asks, attributes.plan.managed(*_RUNNERS)))

    def of(self, task_definition: TaskDefinition) -> list[Resource]:
        """Return those that run a task definition."""
        family = task_definition.family if isinstance(task_definition.family, str) else None
        resource = task_definition.resource
        return self._services.get(resource.address if resource else family, [])

    @cached_property
    def unknown(self) -> tuple[tuple[Resource, Unknown], ...]:
        """Those of which it is not known which task definition they run."""
        named = ((service, service.attribute(_RUNNERS[service.type])) for service in self._asking)
        hidden = ((service, value, next(unknowns(self.attributes.narrow(value)), None)) for service, value in named)
        return tuple((service, part) for service, value, part in hidden if part and self.task_definition(value) is None)

    def doubt(self, service: Resource, runs: Resource | None) -> AccessDoubt | None:
        """Return the doubt about what a service asks for, if there may be none of it beside its task definition."""
        plan = self.attributes.plan
        absent = () if plan.is_certain(service, runs) else plan.uncertainties(service.address).values()
        reasons = (AccessDoubt(f"whether this is needed cannot be decided: {one}", one.value) for one in absent)
        return next(reasons, None)

    @cached_property
    def _services(self) -> dict[Value, list[Resource]]:
        """The services by the address of their task definition, or by its family."""
        services: dict[Value, list[Resource]] = {}
        for service in self._asking:
            value = service.attribute(_RUNNERS[service.type])
            resource = self.task_definition(value)
            if resource is not None:
                services.setdefault(resource.address, []).append(service)
                continue
            named = _TASK_DEFINITION.match(render(self.attributes.narrow(value)))
            if named:
                services.setdefault(named["family"], []).append(service)
        return services

    def task_definition(self, value: Value) -> Resource | None:
        """Return the task definition of the plan that an ARN or family names."""
        found = self.attributes.plan.find(value) if isinstance(value, Unknown) else None
        if found is not None and found[0].mode == "managed" and found[0].type in _TASK_DEFINITIONS:
            return found[0]
        text = render(self.attributes.narrow(value))
        named = _TASK_DEFINITION.match(text)
        if named is None:
            return None
        family = self._by_family.get(named["family"], [])
        exact = (one for one in family if _revision(one.stated("arn")) == _revision(text))
        return next(exact, family[-1] if family else None)

    @cached_property
    def _by_family(self) -> dict[Value, list[Resource]]:
        families: dict[Value, list[Resource]] = {}
        for resource in self.attributes.plan.managed(*_TASK_DEFINITIONS):
            families.setdefault(render(self.attributes.narrow(resource.stated("family"))), []).append(resource)
        return families


def family_of(value: Value) -> str:
    """Return the family that the name or ARN of a task definition is of; empty for what is none."""
    named = _TASK_DEFINITION.match(render(value))
    return named["family"] if named else ""


def _revision(arn: Value) -> str | None:
    """Return the `family:revision` of the ARN of a task definition, None if it is not known."""
    return arn.rpartition("/")[2] if isinstance(arn, str) else None


def block(tree: Mapping[str, Value], name: str) -> Mapping[str, Value]:
    """Return a nested block that may be given once; empty if it is not."""
    value = tree.get(name)
    first = value[0] if isinstance(value, list | tuple) and value else value
    return first if isinstance(first, Mapping) else {}


_CLUSTER = re.compile(r"^(?:arn:.*:cluster/)?(?P<name>[^:/]+)$", re.DOTALL)
_ENABLED = "enable_execute_command"
_OFF = (None, False, "false")


class ExecuteCommand:
    """The services of a plan that ECS Exec is enabled for. `key_arn` follows a key's id or alias to its ARN."""

    def __init__(self, attributes: AwsAttributes, key_arn: Callable[[Value, Resource], Value]) -> None:
        self.attributes, self.key_arn = attributes, key_arn
        self.services = PlanServices(attributes, lambda service: service.stated(_ENABLED) not in _OFF)
        self._clusters: dict[Value, Resource | None] = {}

    def requirements(self, task_definition: TaskDefinition, context: AccessContext) -> Iterator[Requirement]:
        """List what the services that run a task definition need of its task role."""
        for service in self.services.of(task_definition):
            enabled, absent = service.stated(_ENABLED), self.services.doubt(service, task_definition.resource)
            doubt = AccessDoubt.of(next(unknowns(enabled), None)) or absent
            need = Need("ECS Exec", f"service {service.address}", "", enabled, service.location_of(_ENABLED))
            yield from _each(need, ROWS["channel"], "*", doubt)
            cluster = self._cluster(service)
            if cluster is not None:
                yield from self._of_cluster(need, cluster, doubt, context)

    def _of_cluster(
        self, service: Need, cluster: Resource, doubt: AccessDoubt | None, context: AccessContext
    ) -> Iterator[Requirement]:
        configuration = block(block(cluster.values, "configuration"), "execute_command_configuration")

        def need(purpose: str, path: str, named: Value) -> Need:
            where = cluster.location_of(f"configuration.0.execute_command_configuration.0.{path}")
            return Need(service.owner, f"{service.purpose}, {purpose}", "", named, where)

        key = configuration.get("kms_key_id")
        if key:
            arn = self.key_arn(key, cluster)
            own = need("session key", "kms_key_id", arn)
            directly = {"kms:ViaService": None}
            yield Requirement(own, ROWS["session_key"], "kms:Decrypt", context.narrow(arn), doubt, keys=directly)
        if configuration.get("logging") != "OVERRIDE":
            return
        log = block(configuration, "log_configuration")
        group, bucket = log.get("cloud_watch_log_group_name"), log.get("s3_bucket_name")
        if group:
            own = need("session log", "log_configuration.0.cloud_watch_log_group_name", group)
            head = context.arn("logs", "log-group:", context.narrow(group))
            streamless = context.attributes.join(head, ":log-stream:")
            stream = context.attributes.join(streamless, Unknown("the session's log stream", AtRunTime("the stream")))
            rows = (ROWS["session_groups"], ROWS["session_groups_encrypted"])
            groups = context.arn("logs", "log-group::log-stream:")
            yield _checked(own, rows, log.get("cloud_watch_encryption_enabled"), groups, doubt)
            yield from _each(own, ROWS["session_stream"], stream, doubt)
            row = ROWS["session_streams"]
            unsure = doubt or AccessDoubt.in_row(row)
            yield Requirement(own, row, row.actions[0], streamless, unsure, alternative=head)
        if bucket:
            own = need("session log", "log_configuration.0.s3_bucket_name", bucket)
            arn = context.arn("s3", context.narrow(bucket), region="", account="")
            prefix = context.narrow(log.get("s3_key_prefix") or "")
            yield from _each(own, ROWS["session_bucket"], arn, doubt or AccessDoubt.in_row(ROWS["session_bucket"]))
            rows = (ROWS["session_bucket_key"], ROWS["session_bucket_encrypted"])
            yield _checked(own, rows, log.get("s3_bucket_encryption_enabled"), arn, doubt)
            file = Unknown("the session's log file", AtRunTime("the name of the file"))
            yield from _each(own, ROWS["session_object"], context.attributes.join(arn, "/", prefix, file), doubt)

    def _cluster(self, service: Resource) -> Resource | None:
        """Return the cluster of a service if it is in the plan."""
        value = service.stated("cluster") or service.stated("cluster_arn")
        if value not in self._clusters:
            found = self.attributes.plan.find(value) if isinstance(value, Unknown) else None
            if found is not None:
                self._clusters[value] = found[0] if found[0].type == "aws_ecs_cluster" else None
            else:
                named = _CLUSTER.match(render(self.attributes.narrow(value)))
                self._clusters[value] = self._clusters_by_name.get(named["name"]) if named else None
        return self._clusters[value]

    @cached_property
    def _clusters_by_name(self) -> dict[str, Resource]:
        clusters = self.attributes.plan.managed("aws_ecs_cluster")
        return {render(self.attributes.name(cluster)): cluster for cluster in clusters}


def _each(need: Need, row: Access, resource: Value, doubt: AccessDoubt | None) -> Iterator[Requirement]:
    for action in row.actions:
        yield Requirement(need, row, action, resource, doubt)


def _checked(
    need: Need, rows: tuple[Access, Access], encrypted: Value, resource: Value, doubt: AccessDoubt | None
) -> Requirement:
    """Return the look at how a log is encrypted: the second row where it has to be, the first where it need not be."""
    row = rows[encrypted not in _OFF]
    unsure = doubt or AccessDoubt.of(next(unknowns(encrypted), None)) or AccessDoubt.in_row(row)
    return Requirement(need, row, row.actions[0], resource, unsure)


_CONFIGURATION, _LOG = "service_connect_configuration", "log_configuration"


class ServiceConnect:
    """The services of a plan whose proxies write a log."""

    def __init__(self, attributes: AwsAttributes) -> None:
        self.attributes, self._services = attributes, PlanServices(attributes, _logs)

    def requirements(self, task_definition: TaskDefinition, context: AccessContext) -> Iterator[Requirement]:
        """List what the proxies of the services that run a task definition need of its execution role."""
        for service in self._services.of(task_definition):
            absent = self._services.doubt(service, task_definition.resource)
            yield from _of_service(service, absent, context)

    @cached_property
    def unknown_services(self) -> tuple[tuple[Resource, Unknown], ...]:
        """The services whose proxies may write a log, of which it is not known which one, or what task they run."""
        services = self.attributes.plan.managed("aws_ecs_service")
        hidden = ((service, _hidden(service)) for service in services)
        return (*self._services.unknown, *((service, part) for service, part in hidden if part))


def _logs(service: Resource) -> bool:
    configuration = block(service.values, _CONFIGURATION)
    return configuration.get("enabled") not in _OFF and bool(block(configuration, _LOG))


def _hidden(service: Resource) -> Unknown | None:
    """Return what hides the log of a proxy: the whole configuration, the driver, its options or its secrets."""
    configuration = block(service.values, _CONFIGURATION)
    log = block(configuration, _LOG)
    parts = [service.stated(_CONFIGURATION), configuration.get(_LOG), log.get("options"), log.get("secret_option")]
    whole = next((part for part in parts if isinstance(part, Unknown)), None)
    return whole or next(unknowns(log.get("log_driver")), None)


def _of_service(service: Resource, absent: AccessDoubt | None, context: AccessContext) -> Iterator[Requirement]:
    configuration = block(service.values, _CONFIGURATION)
    doubt = AccessDoubt.of(next(unknowns(configuration.get("enabled")), None)) or absent
    where = service.location_of(f"{_CONFIGURATION}.0.{_LOG}")
    for requirement in log_access(_proxy(block(configuration, _LOG)), context):
        need = requirement.need
        purpose = f"service {service.address}, {need.purpose}"
        own = replace(need, owner="Service Connect", purpose=purpose, path="", location=where)
        yield replace(requirement, need=own, doubt=doubt or requirement.doubt)


def _proxy(log: Mapping[str, Value]) -> Container:
    """Return the proxy with its log; ECS names it."""
    (proxy,) = containers([{"name": "${its name}", "logConfiguration": as_json(log)}], "the proxy container")
    return dataclasses.replace(proxy, path="the proxy container")
