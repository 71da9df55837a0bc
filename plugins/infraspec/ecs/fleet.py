"""What is declared and what runs, side by side.

Sources: Terraform AWS provider, "aws_ecs_service" and "aws_appautoscaling_target"; Terraform Language Documentation,
"lifecycle", ignore_changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from infraspec.core.errors import RequestError
from infraspec.core.unknown import AFTER_APPLY, AtRunTime, Unknown, Value, is_known, render
from infraspec.ecs.service import Service, Task, revision_of
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource, Uncertain

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
    attributes = plan.derived(AwsAttributes)
    return tuple(_declared(resource, attributes) for resource in plan.managed(_SERVICE))


def declared_families(plan: Plan) -> frozenset[str]:
    """Return the families of the task definitions of a plan, so far as they are known."""
    attributes = plan.derived(AwsAttributes)
    names = (attributes.name(resource, "family") for resource in plan.managed(_TASK_DEFINITION))
    return frozenset(name for name in names if isinstance(name, str))


def _declared(resource: Resource, attributes: AwsAttributes) -> DeclaredService:
    family, revision = _definition(resource.attribute("task_definition"), attributes)
    name, cluster = attributes.name(resource), _cluster(resource.stated("cluster"), attributes)
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
    cluster, name = _cluster(resource.stated("cluster"), attributes), attributes.name(resource)
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
            else target.stated("min_capacity")
        )
    ignored = {"desired_count", _ALL} & set(resource.ignore_changes)
    return 0 if ignored else resource.stated("desired_count")


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
        family, revision = attributes.name(resource, "family"), resource.stated("revision")
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


_REVISION = re.compile(r"^(?:(?:arn:.*:task-definition/)?(?P<family>[\w-]+):)?(?P<number>\d+)$")
_ENTRY = re.compile(r"^(?:(?P<service>[\w-]+)=)?(?P<text>[^\s=]+)$")


class ExpectedRevision(Struct, frozen=True):
    """One expectation: a revision if `text` has the form of one, and else an image."""

    text: str

    def is_met_by(self, task_definition: str, definition: TaskDefinition | None) -> bool:
        """Tell whether a running task definition, given by its ARN and with what it says, is the expected one."""
        running = revision_of(task_definition)
        found = _REVISION.match(self.text)
        if found and found["family"] in (None, running.partition(":")[0]):
            return found["number"] == running.partition(":")[2]
        ends = (f":{self.text}", f"@{self.text}")
        return any(image == self.text or image.endswith(ends) for image in images_of(definition))


def images_of(definition: TaskDefinition | None) -> list[str]:
    """Return the images of a task definition's containers."""
    return [render(container.image) for container in definition.containers] if definition else []


def expected_revisions(text: str, services: Iterable[str]) -> Mapping[str, ExpectedRevision]:
    """Read `REVISION` for every service, or `SERVICE=REVISION` for one, several with commas: by the service's name.

    Raises RequestError for what is neither, and for a service that does not exist.
    """
    names = list(services)
    found: dict[str, ExpectedRevision] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        match = _ENTRY.match(entry)
        if match is None or match["service"] not in (None, *names):
            raise RequestError(
                "the expected revision is not understood" if match is None else "there is no such service",
                place="--infraspec-revision",
                expected="REVISION, or SERVICE=REVISION with a service of " + (", ".join(names) or "the source"),
                found=entry,
                remedy=f"--infraspec-revision {names[0] if names else 'SERVICE'}=16",
            )
        for name in [match["service"]] if match["service"] else names:
            found[name] = ExpectedRevision(match["text"])
    return found


class DeployedService(Struct, frozen=True):
    """A declared service and the live one, None if there is none.

    `running` is the task definition of the live service, `newest` the ARN of the newest active revision of the
    declared family; empty if there is none, or if the family is not known. `elsewhere` is the other account that it is
    in, which was not asked.
    """

    declared: DeclaredService
    live: Service | None = None
    cluster_exists: bool = False
    running: TaskDefinition | None = None
    newest: str = ""
    elsewhere: str = ""


class Fleet(Struct, frozen=True):
    """The services of an environment. `others` run in the same clusters and are not in the source.

    `tasks` are all of these clusters, tasks without a service among them; `read` is when AWS was asked, `waited` for
    how many seconds deployments that are under way have been watched.
    """

    services: tuple[DeployedService, ...]
    others: tuple[Service, ...]
    tasks: tuple[Task, ...]
    read: datetime
    waited: int = 0
