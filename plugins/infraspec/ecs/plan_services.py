"""The services of a plan that ask for something, by the task definition that they run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from infraspec.ecs.requirement import Doubt
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource
from infraspec.unknown import Unknown, Value, render, unknowns

_TASK_DEFINITION = re.compile(r"^(?:arn:.*:task-definition/)?(?P<family>[^:/]+)(?::.+)?$", re.DOTALL)


@dataclass
class PlanServices:
    """The services that `asks` for something."""

    attributes: AwsAttributes
    asks: Callable[[Resource], bool]

    def of(self, task_definition: TaskDefinition) -> list[Resource]:
        """Return those that run a task definition."""
        return self._services.get(_identity(task_definition), [])

    @cached_property
    def unknown(self) -> tuple[tuple[Resource, Unknown], ...]:
        """Those of which it is not known which task definition they run."""
        found = []
        for service in self._asking:
            value = service.attribute("task_definition")
            unknown = next(unknowns(self.attributes.narrow(value)), None)
            if unknown is not None and self._resource(value) is None:
                found.append((service, unknown))
        return tuple(found)

    def doubt(self, service: Resource, runs: Resource | None) -> Doubt | None:
        """Return the doubt about what a service asks for, if there may be none of it beside its task definition."""
        plan = self.attributes.plan
        absent = () if plan.is_certain(service, runs) else plan.uncertainties(service.address).values()
        reasons = (Doubt(f"it is not known whether this is needed: {one}", one.value) for one in absent)
        return next(reasons, None)

    @cached_property
    def _asking(self) -> tuple[Resource, ...]:
        return tuple(filter(self.asks, self.attributes.plan.managed("aws_ecs_service")))

    @cached_property
    def _services(self) -> dict[Value, list[Resource]]:
        """The services by the address of their task definition, or by its family."""
        services: dict[Value, list[Resource]] = {}
        for service in self._asking:
            value = service.attribute("task_definition")
            resource = self._resource(value)
            if resource is not None:
                services.setdefault(resource.address, []).append(service)
                continue
            named = _TASK_DEFINITION.match(render(self.attributes.narrow(value)))
            if named:
                services.setdefault(named["family"], []).append(service)
        return services

    def _resource(self, value: Value) -> Resource | None:
        found = self.attributes.plan.find(value) if isinstance(value, Unknown) else None
        if found is not None and (found[0].mode, found[0].type) == ("managed", "aws_ecs_task_definition"):
            return found[0]
        text = render(self.attributes.narrow(value))
        named = _TASK_DEFINITION.match(text)
        if named is None:
            return None
        family = self._by_family.get(named["family"], [])
        exact = (one for one in family if _revision(one.get("arn")) == _revision(text))
        return next(exact, family[-1] if family else None)

    @cached_property
    def _by_family(self) -> dict[Value, list[Resource]]:
        families: dict[Value, list[Resource]] = {}
        for resource in self.attributes.plan.managed("aws_ecs_task_definition"):
            families.setdefault(render(self.attributes.narrow(resource.get("family"))), []).append(resource)
        return families


def _identity(task_definition: TaskDefinition) -> Value:
    if task_definition.resource is not None:
        return task_definition.resource.address
    return task_definition.family if isinstance(task_definition.family, str) else None


def _revision(arn: Value) -> str | None:
    """Return the `family:revision` of the ARN of a task definition, None if it is not known."""
    return arn.rpartition("/")[2] if isinstance(arn, str) else None


def block(tree: Mapping[str, Value], name: str) -> Mapping[str, Value]:
    """Return a nested block that may be given once; empty if it is not."""
    value = tree.get(name)
    first = value[0] if isinstance(value, list | tuple) and value else value
    return first if isinstance(first, Mapping) else {}
