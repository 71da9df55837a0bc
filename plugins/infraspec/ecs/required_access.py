"""The permissions that the containers and volumes of a task definition ask of its roles, by `ecs.access_table`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import cast

from msgspec.structs import replace

from infraspec.ecs import access_table as table
from infraspec.ecs.access_table import Access
from infraspec.ecs.container import Container
from infraspec.ecs.image import EcrImage, ecr_image
from infraspec.ecs.requirement import AccessContext, Doubt, Need, Requirement
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.ecs.value_access import secret_access, value_access
from infraspec.ecs.volume_access import volume_access
from infraspec.iam.answer import Answer
from infraspec.iam.context import Entry
from infraspec.unknown import (
    AFTER_APPLY,
    AtRunTime,
    Text,
    Unknown,
    UnreadFile,
    Value,
    computed_from,
    concatenate,
    render,
    unknowns,
)

_SPECIFICATION = re.compile(r"^(?P<scheme>credentialspec(?:domainless)?:)")


_NOT_OF_THE_TASK = Entry(Answer.MAYBE, ("a network of AWS Fargate",))
_FROM_FARGATE = {"aws:SourceVpc": _NOT_OF_THE_TASK, "aws:SourceVpce": _NOT_OF_THE_TASK}
"""Fargate asks for the token through a network of its own: Amazon ECS Developer Guide, "Amazon ECS task execution IAM
role", on conditions with interface endpoints."""


_MADE_BY_THE_PLAN = Doubt(
    "AWS asks for it where awslogs-create-group is true, but the log driver makes the group only if there is none, and "
    "this plan makes it",
    remedy="take awslogs-create-group out of logConfiguration.options: the plan makes the log group",
)
"""Source: Docker's awslogs driver: CreateLogGroup follows a ResourceNotFoundException of CreateLogStream."""


def required_access(task_definition: TaskDefinition, context: AccessContext) -> list[Requirement]:
    """List what the roles of a task definition need: its containers, its volumes, what own plugins add to these."""
    parts = (_image, _logs, _secrets, _credentials, _environment_files, _router, _credential_specifications)
    found = [
        requirement
        for container in task_definition.containers
        for part in parts
        for requirement in part(container, context)
    ]
    found += volume_access(task_definition, context)
    for further in context.attributes.plan.additions.access:
        found += cast("Iterable[Requirement]", further(task_definition, context))
    return found


def log_access(container: Container, context: AccessContext) -> Iterator[Requirement]:
    """List what the log of a container takes: the stream, and the secrets of its driver."""
    yield from _logs(container, context)
    yield from _secrets(container, context)


def _need(container: Container, purpose: str, path: str, named: Value) -> Need:
    return Need(f'container "{container.name}"', purpose, f"{container.path}.{path}", named)


def _image(container: Container, context: AccessContext) -> Iterator[Requirement]:
    image = ecr_image(context.narrow(container.image))
    if image is None or (isinstance(image, Unknown) and container.repository_credentials is not None):
        return
    doubt = Doubt.of(image) if isinstance(image, Unknown) else None
    if isinstance(image, EcrImage):
        repository = context.arn("ecr", "repository/", image.repository, region=image.region, account=image.account)
    else:
        repository = Unknown(f"the ECR repository of {image.address}", computed_from(image))
    need = _need(container, "image", "image", container.image)
    keys = _FROM_FARGATE if context.on_fargate else {}
    yield Requirement(need, table.TOKEN, table.TOKEN.actions[0], "*", doubt, keys=keys)
    for action in table.LAYERS.actions:
        yield Requirement(need, table.LAYERS, action, repository, doubt)
    if context.is_cached(repository):
        rows = (table.IMPORT,) if context.exists(repository) else (table.IMPORT, table.CREATE_REPOSITORY)
        for row in rows:
            yield Requirement(need, row, row.actions[0], repository, Doubt.in_row(row))


def _logs(container: Container, context: AccessContext) -> Iterator[Requirement]:
    options = container.log_options
    group, region = context.narrow(options.get("awslogs-group")), context.narrow(options.get("awslogs-region"))
    if container.log_driver != "awslogs" or group is None:
        return
    need = _need(container, "log group", "logConfiguration.options.awslogs-group", options["awslogs-group"])
    head = context.arn("logs", "log-group:", group, region=region)
    created, unknown = options.get("awslogs-create-group"), None
    if isinstance(created, Unknown | Text):
        unknown = next(unknowns(created))
    if unknown or str(created).lower() == "true":
        streamless = context.attributes.join(head, ":log-stream:")
        (action,) = table.LOG_GROUP.actions
        doubt = Doubt.of(unknown) or (_MADE_BY_THE_PLAN if context.exists(head) else None)
        yield Requirement(need, table.LOG_GROUP, action, streamless, doubt, alternative=head)
    stream = context.attributes.join(head, ":log-stream:", *_stream(container, context))
    for action in table.LOG_STREAM.actions:
        yield Requirement(need, table.LOG_STREAM, action, stream)


def _stream(container: Container, context: AccessContext) -> tuple[Value, ...]:
    """Name the log stream: PREFIX/CONTAINER/TASK-ID, or the container's id where there is no prefix."""
    prefix = context.narrow(container.log_options.get("awslogs-stream-prefix"))
    task = Unknown(f"the task id of container {container.name}", AtRunTime("the task id"))
    name = Unknown(f"the name of {container.path}", AFTER_APPLY) if "${" in container.name else container.name
    return (task,) if prefix is None else (prefix, "/", name, "/", task)


def _secrets(container: Container, context: AccessContext) -> Iterator[Requirement]:
    for reference in container.secrets:
        named = f'{reference.kind} "{reference.name}"'
        need = Need(f'container "{container.name}"', named, f"{reference.path}.valueFrom", reference.value_from)
        rows = (
            (table.SECRET, table.PARAMETER) if reference.kind == "secret" else (table.LOG_SECRET, table.LOG_PARAMETER)
        )
        yield from value_access(need, context, *rows)


def _credentials(container: Container, context: AccessContext) -> Iterator[Requirement]:
    if container.repository_credentials is None:
        return
    path = "repositoryCredentials.credentialsParameter"
    need = _need(container, "repository credentials", path, container.repository_credentials)
    target = context.narrow(container.repository_credentials)
    if isinstance(target, str) and not target.startswith("arn:"):
        target = context.secret(target)
    yield from secret_access(need, target, table.REGISTRY, context)


def _environment_files(container: Container, context: AccessContext) -> Iterator[Requirement]:
    for index, value in enumerate(container.environment_files):
        need = _need(container, f"environment file {index}", f"environmentFiles.{index}.value", value)
        yield from _object(need, context, table.FILE, table.FILE_BUCKET)


def _router(container: Container, context: AccessContext) -> Iterator[Requirement]:
    options = container.firelens_options
    kind, value = options.get("config-file-type"), options.get("config-file-value")
    if value is None or (isinstance(kind, str) and kind != "s3"):
        return
    doubt = Doubt.of(next(unknowns(kind), None))
    need = _need(container, "FireLens configuration", "firelensConfiguration.options.config-file-value", value)
    yield from _object(need, context, table.ROUTER, table.ROUTER_BUCKET, doubt)


def _credential_specifications(container: Container, context: AccessContext) -> Iterator[Requirement]:
    for path, value in container.credential_specifications:
        narrowed = context.narrow(value)
        found = _SPECIFICATION.match(render(narrowed))
        need = Need(f'container "{container.name}"', "credential spec", path, value)
        if found is None:
            unknown = next(unknowns(narrowed), None)
            if unknown is not None:
                yield _undecidable(need, narrowed, Doubt.of(unknown))
            continue
        place = _after(narrowed, found["scheme"])
        yield from _specification(replace(need, named=place), place, context)
        if found["scheme"] == "credentialspecdomainless:":
            spec = f"the credential spec {render(place)}"
            named = Unknown(f"the secret that {spec} names", UnreadFile(spec))
            secret = context.some("secretsmanager", named)
            yield Requirement(need, table.SPEC_SECRET, table.SPEC_SECRET.actions[0], secret)


def _specification(need: Need, place: Value, context: AccessContext) -> Iterator[Requirement]:
    """List what reading a credential spec takes: a file on the instance takes nothing."""
    text = render(place)
    if text.startswith("file:"):
        return
    if ":s3:" in text:
        yield Requirement(need, table.SPEC_OBJECT, table.SPEC_OBJECT.actions[0], place)
    elif ":ssm:" in text:
        yield from value_access(need, context, table.SPEC_SECRET, table.SPEC_PARAMETER)
    else:
        unknown = Doubt.of(next(unknowns(place), None))
        yield _undecidable(
            need, place, unknown or Doubt("a credential spec is a file, or the ARN of S3 or Parameter Store")
        )


def _undecidable(need: Need, place: Value, doubt: Doubt | None) -> Requirement:
    return Requirement(need, table.SPEC_OBJECT, table.SPEC_OBJECT.actions[0], place, doubt, undecidable=True)


def _object(
    need: Need, context: AccessContext, row: Access, bucket: Access, doubt: Doubt | None = None
) -> Iterator[Requirement]:
    """List what fetching an object of S3 takes."""
    target = context.narrow(need.named)
    yield Requirement(need, row, row.actions[0], target, doubt)
    yield Requirement(need, bucket, bucket.actions[0], _bucket_of(target), doubt or Doubt.in_row(bucket))


def _bucket_of(target: Value) -> Value:
    """Cut an object's ARN at the first slash of its known text."""
    parts = target.parts if isinstance(target, Text) else (target,)
    kept: list[str | Unknown] = []
    for part in parts:
        if isinstance(part, str) and "/" in part:
            return concatenate([*kept, part.partition("/")[0]])
        kept.append(part)
    return Unknown(f"the bucket of {render(target)}", computed_from(target))


def _after(value: Value, prefix: str) -> Value:
    """Return what comes after a prefix that a text begins with."""
    parts = value.parts if isinstance(value, Text) else (value,)
    rest = concatenate([str(parts[0]).removeprefix(prefix), *parts[1:]])
    return rest.parts[0] if isinstance(rest, Text) and len(rest.parts) == 1 else rest
