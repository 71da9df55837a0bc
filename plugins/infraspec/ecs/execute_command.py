"""ECS Exec: what the task role needs so that a session in a container of a service can be opened, and is logged.

Sources: Amazon ECS API Reference, "ExecuteCommandConfiguration" and "ExecuteCommandLogConfiguration"; Terraform AWS
provider, "aws_ecs_service" (enable_execute_command) and "aws_ecs_cluster" (configuration). With logging DEFAULT the
session is written to the log group of the container if the role may, and not at all if it may not: that is no need.
What is asked for before a log is written, and whether a session opens without it, is as the agent of Systems Manager
does it, which is open source; CloudWatch Logs API Reference, "PutLogEvents", on sequence tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from infraspec.ecs import access_table as table
from infraspec.ecs.access_table import Access
from infraspec.ecs.plan_services import PlanServices, block
from infraspec.ecs.requirement import AccessContext, Doubt, Need, Requirement
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource
from infraspec.unknown import AtRunTime, Unknown, Value, render, unknowns

_CLUSTER = re.compile(r"^(?:arn:.*:cluster/)?(?P<name>[^:/]+)$", re.DOTALL)
_ENABLED = "enable_execute_command"


@dataclass
class ExecuteCommand:
    """The services of a plan that ECS Exec is enabled for. `key_arn` follows a key's id or alias to its ARN."""

    attributes: AwsAttributes
    key_arn: Callable[[Value, Resource], Value]
    _clusters: dict[Value, Resource | None] = field(default_factory=dict)

    def requirements(self, task_definition: TaskDefinition, context: AccessContext) -> Iterator[Requirement]:
        """List what the services that run a task definition need of its task role."""
        for service in self._services.of(task_definition):
            yield from self._of_service(service, task_definition.resource, context)

    @property
    def unknown_services(self) -> tuple[tuple[Resource, Unknown], ...]:
        """The services that ECS Exec is enabled for, of which it is not known which task definition they run."""
        return self._services.unknown

    @cached_property
    def _services(self) -> PlanServices:
        return PlanServices(self.attributes, lambda service: service.get(_ENABLED) not in (None, False, "false"))

    def _of_service(self, service: Resource, runs: Resource | None, context: AccessContext) -> Iterator[Requirement]:
        doubt = Doubt.of(next(unknowns(service.get(_ENABLED)), None)) or self._services.doubt(service, runs)
        need = Need("ECS Exec", f"service {service.address}", "", service.get(_ENABLED), service.location_of(_ENABLED))
        for action in table.CHANNEL.actions:
            yield Requirement(need, table.CHANNEL, action, "*", doubt)
        cluster = self._cluster(service)
        if cluster is not None:
            yield from self._of_cluster(need, cluster, doubt, context)

    def _of_cluster(
        self, service: Need, cluster: Resource, doubt: Doubt | None, context: AccessContext
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
            yield Requirement(own, table.SESSION_KEY, "kms:Decrypt", context.narrow(arn), doubt, keys=directly)
        if configuration.get("logging") != "OVERRIDE":
            return
        log = block(configuration, "log_configuration")
        group, bucket = log.get("cloud_watch_log_group_name"), log.get("s3_bucket_name")
        if group:
            own = need("session log", "log_configuration.0.cloud_watch_log_group_name", group)
            head = context.arn("logs", "log-group:", context.narrow(group))
            streamless = context.attributes.join(head, ":log-stream:")
            stream = context.attributes.join(streamless, Unknown("the session's log stream", AtRunTime("the stream")))
            rows = (table.SESSION_GROUPS, table.SESSION_GROUPS_ENCRYPTED)
            groups = context.arn("logs", "log-group::log-stream:")
            yield _checked(own, rows, log.get("cloud_watch_encryption_enabled"), groups, doubt)
            yield from _each(own, table.SESSION_STREAM, stream, doubt)
            (action,) = table.SESSION_STREAMS.actions
            unsure = doubt or Doubt.in_row(table.SESSION_STREAMS)
            yield Requirement(own, table.SESSION_STREAMS, action, streamless, unsure, alternative=head)
        if bucket:
            own = need("session log", "log_configuration.0.s3_bucket_name", bucket)
            arn = context.arn("s3", context.narrow(bucket), region="", account="")
            prefix = context.narrow(log.get("s3_key_prefix") or "")
            yield from _each(own, table.SESSION_BUCKET, arn, doubt or Doubt.in_row(table.SESSION_BUCKET))
            rows = (table.SESSION_BUCKET_KEY, table.SESSION_BUCKET_ENCRYPTED)
            yield _checked(own, rows, log.get("s3_bucket_encryption_enabled"), arn, doubt)
            thing = context.attributes.join(
                arn, "/", prefix, Unknown("the session's log file", AtRunTime("the name of the file"))
            )
            yield from _each(own, table.SESSION_OBJECT, thing, doubt)

    def _cluster(self, service: Resource) -> Resource | None:
        """Return the cluster of a service if it is in the plan."""
        value = service.get("cluster")
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


def _each(need: Need, row: Access, resource: Value, doubt: Doubt | None) -> Iterator[Requirement]:
    for action in row.actions:
        yield Requirement(need, row, action, resource, doubt)


def _checked(
    need: Need, rows: tuple[Access, Access], encrypted: Value, resource: Value, doubt: Doubt | None
) -> Requirement:
    """Return the look at how a log is encrypted: the second row where it has to be, the first where it need not be."""
    row = rows[encrypted not in (None, False, "false")]
    unsure = doubt or Doubt.of(next(unknowns(encrypted), None)) or Doubt.in_row(row)
    return Requirement(need, row, row.actions[0], resource, unsure)
