"""Services as the source declares them: which family and revision they run, and what Terraform leaves to others.

Sources: Terraform AWS provider, "aws_ecs_service" and "aws_appautoscaling_target"; Terraform Language Documentation,
"lifecycle", ignore_changes.
"""

from __future__ import annotations

import re

from msgspec import Struct

from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource, Uncertain
from infraspec.unknown import AFTER_APPLY, AtRunTime, Unknown, Value, is_known, render

_SERVICE = "aws_ecs_service"
_TASK_DEFINITION = "aws_ecs_task_definition"
_DEFINITION = re.compile(r"^(?:arn:[^:]+:ecs:[^:]*:[^:]*:task-definition/)?(?P<family>[\w-]+)(?::(?P<revision>\d+))?$")
_ALL = "all"
_TARGET = "aws_appautoscaling_target"
_SCHEDULED = "aws_appautoscaling_scheduled_action"


class DeclaredService(Struct, frozen=True):
    """An aws_ecs_service.

    `cluster` is the cluster's name; `family` and `revision` (a number in text) are of its task definition, the revision
    empty where the source does not know it, as before the first apply. `least` is how many tasks it is to have at
    least: the minimum that it may be scaled to, or else its desired count; 0 where that is left to others. `account` is
    that of its provider, None where it is the account of the plan.
    """

    resource: Resource
    name: Value
    cluster: Value
    region: Value
    family: Value
    revision: str
    least: Value = 0
    account: Value = None
    doubt: Uncertain | None = None
    """Why it is not certain that the source declares it at all."""

    @property
    def key(self) -> tuple[str, str, str] | None:
        """The region, cluster and name by which AWS knows it; None if one of them, or its account, is not known."""
        parts = (self.region, self.cluster, self.name)
        known = all(isinstance(part, str) and part for part in parts) and is_known(self.account)
        return parts if known else None

    @property
    def unknown(self) -> Value:
        """What of the key is not known."""
        parts = (self.name, self.cluster, self.region, self.account)
        return next((part for part in parts if not is_known(part)), None)

    def ignores(self, attribute: str) -> bool:
        """Tell whether Terraform leaves an attribute to others once the service exists."""
        return bool({attribute, _ALL} & set(self.resource.ignore_changes))


def declared_services(plan: Plan) -> tuple[DeclaredService, ...]:
    """Return the services of a plan, in its order."""
    attributes = AwsAttributes(plan)
    return tuple(_declared(resource, attributes) for resource in plan.managed(_SERVICE))


def declared_families(plan: Plan) -> frozenset[str]:
    """Return the families of the task definitions of a plan, so far as they are known."""
    attributes = AwsAttributes(plan)
    names = (attributes.name(resource, "family") for resource in plan.managed(_TASK_DEFINITION))
    return frozenset(name for name in names if isinstance(name, str))


def _declared(resource: Resource, attributes: AwsAttributes) -> DeclaredService:
    family, revision = _definition(resource.attribute("task_definition"), attributes)
    name, cluster = attributes.name(resource), _cluster(resource.get("cluster"), attributes)
    least = _least(resource, f"service/{render(cluster)}/{render(name)}", attributes)
    account = attributes.account_of(resource)
    return DeclaredService(
        resource,
        name,
        cluster,
        attributes.region_of(resource),
        family,
        revision,
        least,
        None if account == attributes.plan.account else account,
        attributes.plan.doubt_of(resource),
    )


def is_scaled(resource: Resource, attributes: AwsAttributes) -> bool:
    """Tell whether Application Auto Scaling may set how many tasks a service has."""
    cluster, name = _cluster(resource.get("cluster"), attributes), attributes.name(resource)
    return bool(_about(_TARGET, f"service/{render(cluster)}/{render(name)}", attributes))


def _about(type_: str, service: str, attributes: AwsAttributes) -> list[tuple[Resource, Value]]:
    """Return the resources of a type that are about a service, or may be, with the id that they name."""
    named = [(one, attributes.narrow(one.attribute("resource_id"))) for one in attributes.plan.managed(type_)]
    return [(one, identity) for one, identity in named if not is_known(identity) or render(identity) == service]


def _least(resource: Resource, service: str, attributes: AwsAttributes) -> Value:
    for target, identity in _about(_TARGET, service, attributes):
        if not is_known(identity):
            return target.reference("resource_id")
        scheduled = next(iter(_about(_SCHEDULED, service, attributes)), None)
        return (
            Unknown(f"what {scheduled[0].address} has set", AtRunTime("the number"))
            if scheduled
            else target.get("min_capacity")
        )
    ignored = {"desired_count", _ALL} & set(resource.ignore_changes)
    return 0 if ignored else resource.get("desired_count")


def _cluster(value: Value, attributes: AwsAttributes) -> Value:
    """Return the name of a cluster that is given by name or ARN; without one it is `default`."""
    if value is None:
        return "default"
    narrowed = attributes.narrow(value)
    if isinstance(narrowed, str):
        return narrowed.rpartition("/")[2]
    resource = _resource(value, "aws_ecs_cluster", attributes)
    return attributes.name(resource) if resource else narrowed


def _definition(value: Value, attributes: AwsAttributes) -> tuple[Value, str]:
    narrowed = attributes.narrow(value)
    if isinstance(narrowed, str):
        found = _DEFINITION.match(narrowed)
        return (
            (found["family"], found["revision"] or "")
            if found
            else (Unknown(f"the family of {narrowed}", AFTER_APPLY), "")
        )
    resource = _resource(value, _TASK_DEFINITION, attributes)
    if resource is not None:
        family, revision = attributes.name(resource, "family"), resource.get("revision")
        return family, str(revision) if isinstance(revision, int) else ""
    known, colon, _ = render(narrowed).partition(":")
    return (known if colon and "$" not in known else narrowed), ""


def _resource(value: Value, type_: str, attributes: AwsAttributes) -> Resource | None:
    """Return the resource of a type that an unknown attribute, or the first unknown part of a text, belongs to."""
    parts = value.parts if hasattr(value, "parts") else (value,)
    for part in parts:
        found = attributes.plan.find(part) if isinstance(part, Unknown) else None
        if found is not None and found[0].type == type_:
            return found[0]
    return None
