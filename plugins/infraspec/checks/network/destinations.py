"""What tasks have to reach over the network: services of AWS before they start, and what their environment names.

Sources: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints" (ecr.api, ecr.dkr, and S3 for the layers); AWS
Secrets Manager User Guide, "Using an AWS Secrets Manager VPC endpoint"; Amazon RDS User Guide, "DB instance port" and
"Scenarios for accessing a DB instance in a VPC". peers.json has the attributes that name what listens somewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from infraspec.core.unknown import Unknown, Value, render, unknowns
from infraspec.ecs.access_table import EXECUTION
from infraspec.ecs.container import Container
from infraspec.ecs.references import ecr_image
from infraspec.ecs.required_access import required_access
from infraspec.ecs.requirement import AccessContext
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.policy.partial_arn import arn_fields
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

HTTPS = 443
_OF_ACTION: Mapping[str, tuple[str, ...]] = {
    "ecr": ("ecr.api", "ecr.dkr", "s3"),
    "logs": ("logs",),
    "s3": ("s3",),
    "secretsmanager": ("secretsmanager",),
    "ssm": ("ssm",),
}
"""The endpoints that the agent asks, by the service of the action that it needs; KMS is asked by the services."""
_PORTS = {
    "aurora": 3306, "aurora-mysql": 3306, "aurora-postgresql": 5432, "db2": 50000, "mariadb": 3306, "memcached": 11211,
    "mysql": 3306, "oracle": 1521, "postgres": 5432, "postgresql": 5432, "redis": 6379, "sqlserver": 1433,
    "valkey": 6379,
}  # fmt: skip
"""The port that an engine listens on where no other is given."""


class Destination(Struct, frozen=True):
    """A service of AWS in a region, or a registry on the internet, if `service` is empty; `needs` says what for.

    With a `doubt` it is not certain that it is asked.
    """

    name: str
    service: str
    region: Value
    needs: tuple[str, ...]
    doubt: Unknown | None = None


class Listener(Struct, frozen=True):
    """What listens in the network that a container names in its environment."""

    resource: Resource
    port: Value
    groups: Value
    variable: str


class _PeerType(Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    attributes: tuple[str, ...]
    groups: str
    engine: str = "engine"
    usual: int | None = None


@cache
def _peer_types() -> Mapping[str, _PeerType]:
    text = Path(__file__).with_name("peers.json").read_bytes()
    return {one.type: one for one in msgspec.json.decode(text, type=tuple[_PeerType, ...])}


def destinations(definition: TaskDefinition, attributes: AwsAttributes) -> list[Destination]:
    """List what the agent of a task asks with the execution role before the task starts, and while it logs."""
    context = AccessContext.of(attributes, definition.resource)
    found: dict[tuple[str, str], Destination] = {}
    for requirement in required_access(definition, context):
        service = requirement.action.partition(":")[0]
        if requirement.access.role != EXECUTION or requirement.via is not None:
            continue
        region = arn_fields(requirement.resource).get("region") or context.region
        for endpoint in _OF_ACTION.get(service, ()):
            unknown = requirement.doubt.unknown if requirement.doubt is not None else None
            _add(found, Destination(endpoint, endpoint, region, (str(requirement.need),), unknown))
    for container in definition.containers:
        image = context.narrow(container.image)
        if ecr_image(image) is None and image:
            registry = _registry(render(image))
            _add(found, Destination(registry, "", context.region, (f'container "{container.name}", image',)))
    return list(found.values())


def _add(found: dict[tuple[str, str], Destination], one: Destination) -> None:
    key = one.name, render(one.region)
    known = found.get(key)
    if known is None:
        found[key] = one
        return
    needs = tuple(dict.fromkeys((*known.needs, *one.needs)))
    doubt = known.doubt if known.doubt is not None and one.doubt is not None else None
    found[key] = Destination(known.name, known.service, known.region, needs, doubt)


def _registry(image: str) -> str:
    """Return the host of an image; Docker Hub's where it names none."""
    host, slash, _ = image.partition("/")
    return host if slash and ("." in host or ":" in host or host == "localhost") else "docker.io"


def listeners(container: Container, plan: Plan) -> Iterator[Listener]:
    """Yield what the environment of a container names that listens in the plan."""
    for name, value in container.environment.items():
        for unknown in unknowns(value):
            found = plan.find(unknown)
            known = _peer_types().get(found[0].type) if found is not None else None
            if found is None or known is None or found[0].mode != "managed":
                continue
            resource, attribute = found
            if attribute.partition("[")[0].partition(".")[0] in known.attributes:
                yield Listener(resource, _port(resource, known), resource.stated(known.groups), name)


def _port(resource: Resource, known: _PeerType) -> Value:
    given = resource.stated("port")
    if given is not None and given != resource.reference("port"):
        return given
    engine = render(resource.stated(known.engine)).lower()
    usual = known.usual or next((port for name, port in _PORTS.items() if engine.split("-")[0] == name), None)
    return _PORTS.get(engine, usual) or resource.reference("port")
