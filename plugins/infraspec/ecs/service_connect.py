"""Service Connect: what the proxy that ECS adds to each task of a service needs to write its log.

Sources: Amazon ECS API Reference, "ServiceConnectConfiguration" (its logConfiguration is that of a container); Amazon
ECS Developer Guide, "Configure Service Connect proxy container". Like the other containers of the task it writes and
reads with the execution role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from infraspec.ecs.container import Container, SecretReference
from infraspec.ecs.plan_services import PlanServices, block
from infraspec.ecs.required_access import log_access
from infraspec.ecs.requirement import AccessContext, Doubt, Requirement
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource
from infraspec.unknown import Unknown, Value, render, unknowns

_CONFIGURATION, _LOG = "service_connect_configuration", "log_configuration"
_OFF = (None, False, "false")


@dataclass
class ServiceConnect:
    """The services of a plan whose proxies write a log."""

    attributes: AwsAttributes

    def requirements(self, task_definition: TaskDefinition, context: AccessContext) -> Iterator[Requirement]:
        """List what the proxies of the services that run a task definition need of its execution role."""
        for service in self._services.of(task_definition):
            absent = self._services.doubt(service, task_definition.resource)
            yield from _of_service(service, absent, context)

    @cached_property
    def unknown_services(self) -> tuple[tuple[Resource, Unknown], ...]:
        """The services whose proxies may write a log, of which it is not known which one, or what task they run."""
        hidden = ((one, _hidden(one)) for one in self.attributes.plan.managed("aws_ecs_service"))
        return (*self._services.unknown, *((service, unknown) for service, unknown in hidden if unknown))

    @cached_property
    def _services(self) -> PlanServices:
        return PlanServices(self.attributes, _logs)


def _logs(service: Resource) -> bool:
    configuration = block(service.values, _CONFIGURATION)
    return configuration.get("enabled") not in _OFF and bool(block(configuration, _LOG))


def _hidden(service: Resource) -> Unknown | None:
    """Return what hides the log of a proxy: the whole configuration, the driver, its options or its secrets."""
    configuration = block(service.values, _CONFIGURATION)
    log = block(configuration, _LOG)
    parts = [service.get(_CONFIGURATION), configuration.get(_LOG), log.get("options"), log.get("secret_option")]
    whole = next((part for part in parts if isinstance(part, Unknown)), None)
    return whole or next(unknowns(log.get("log_driver")), None)


def _of_service(service: Resource, absent: Doubt | None, context: AccessContext) -> Iterator[Requirement]:
    configuration = block(service.values, _CONFIGURATION)
    doubt = Doubt.of(next(unknowns(configuration.get("enabled")), None)) or absent
    where = service.location_of(f"{_CONFIGURATION}.0.{_LOG}")
    for requirement in log_access(_proxy(block(configuration, _LOG)), context):
        need = requirement.need
        purpose = f"service {service.address}, {need.purpose}"
        own = replace(need, owner="Service Connect", purpose=purpose, path="", location=where)
        yield replace(requirement, need=own, doubt=doubt or requirement.doubt)


def _proxy(log: Mapping[str, Value]) -> Container:
    """Return the proxy with its log; ECS names it."""
    options, secrets = log.get("options"), log.get("secret_option")
    entries = [one for one in secrets if isinstance(one, Mapping)] if isinstance(secrets, list | tuple) else []
    return Container(
        "${its name}",
        "the proxy container",
        secrets=tuple(
            SecretReference(render(one.get("name")), one.get("value_from"), "", "log option") for one in entries
        ),
        log_driver=log.get("log_driver"),
        log_options=options if isinstance(options, Mapping) else {},
    )
