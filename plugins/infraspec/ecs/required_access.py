"""The permissions that the containers and volumes of a task definition ask of its roles, by `ecs.access_table`.

IAM sees the bare ARN of a secret: the agent strips JSON key, version stage and version id before it calls
GetSecretValue. Secrets Manager and Systems Manager ask for decryption in the name of the role.

Sources: Amazon ECS API Reference, "EFSVolumeConfiguration", "S3FilesVolumeConfiguration" and
"FSxWindowsFileServerVolumeConfiguration". The ECS agent describes the file system of FSx and reads its credentials with
the execution role; EFS and S3 Files are mounted as the task role, S3 Files always.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from infraspec.core.truth import Truth
from infraspec.core.unknown import (
    AFTER_APPLY,
    AtRunTime,
    Text,
    Unknown,
    UnreadFile,
    Value,
    computed_from,
    concatenate,
    parts_of,
    render,
    unknowns,
)
from infraspec.ecs.access_table import ROWS, Access
from infraspec.ecs.container import Container
from infraspec.ecs.references import EcrImage, ValueFrom, ValueStore, ecr_image
from infraspec.ecs.requirement import AccessContext, AccessDoubt, Need, Requirement
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.iam.policy.context import ContextEntry
from infraspec.terraform.aws_attributes import parameter_path
from infraspec.terraform.provider.known_data import dns_suffix

_REFERENCE = re.compile(r"^(?:arn:.*:parameter)?/aws/reference/secretsmanager/(?P<name>.+)$")


def value_access(need: Need, context: AccessContext, secret: Access, parameter: Access) -> Iterator[Requirement]:
    """List what reading a `valueFrom` takes; `secret` and `parameter` are the rows of the feature it belongs to."""
    parsed = ValueFrom.parse(context.narrow(need.named))
    match parsed.store:
        case ValueStore.SECRETS_MANAGER:
            yield from _secret_access(need, parsed, secret, context)
        case ValueStore.PARAMETER_STORE:
            yield from _parameter_access(need, parsed, parameter, context)
        case ValueStore.UNKNOWN:
            doubt = AccessDoubt.of(parsed.unknown or Unknown(f"what {need.path} names", computed_from(need.named)))
            yield Requirement(need, secret, secret.actions[0], parsed.target, doubt, undecidable=True)


def secret_access(need: Need, target: Value, row: Access, context: AccessContext) -> Iterator[Requirement]:
    """List what reading the secret of an ARN takes. A partial one may not be found, whatever IAM says."""
    yield from _secret_access(need, ValueFrom.parse(target), row, context)


def _secret_access(need: Need, parsed: ValueFrom, row: Access, context: AccessContext) -> Iterator[Requirement]:
    if parsed.partial:
        doubt = AccessDoubt(f"{parsed.problem}: AWS requires the whole ARN", remedy=parsed.remedy)
        yield Requirement(need, row, row.actions[0], parsed.target, doubt, undecidable=True)
        return
    yield Requirement(need, row, row.actions[0], parsed.target)
    yield from _decrypt(need, parsed.target, "secretsmanager", context)


def _parameter_access(need: Need, parsed: ValueFrom, row: Access, context: AccessContext) -> Iterator[Requirement]:
    name = parsed.target
    target = name if parsed.is_arn else context.arn("ssm", parameter_path(name))
    yield Requirement(need, row, row.actions[0], target)
    reference = _REFERENCE.match(name) if isinstance(name, str) else None
    misnamed = not parsed.is_arn and isinstance(name, str) and context.secret_named(name) is not None
    if misnamed and not context.exists(target):
        return
    if reference:
        yield from secret_access(need, context.secret(reference["name"]), ROWS["secret_by_parameter"], context)
    else:
        yield from _decrypt(need, target, "ssm", context)


def _decrypt(need: Need, target: Value, service: str, context: AccessContext) -> Iterator[Requirement]:
    key = context.key_of(service, target, need.named)
    if key is not None:
        row = ROWS[{"secretsmanager": "secret_key", "ssm": "parameter_key", "s3": "file_key"}[service]]
        own = Need(need.owner, f"KMS key of {need.purpose}", need.path, key.arn)
        keys: dict[str, Value] = {}
        suffix = dns_suffix(context.attributes.plan.partition)
        if service == "s3" and suffix:  # the ARNs of S3 name no region
            keys["kms:ViaService"] = context.attributes.join("s3.", context.region, f".{suffix}")
        via = None if service == "s3" else target
        yield Requirement(own, row, "kms:Decrypt", context.narrow(key.arn), key.doubt, via=via, keys=keys)


class _Block(Struct, frozen=True):
    """A part of a volume as ECS's JSON has it; `path` is its place."""

    value: Value
    path: str

    def part(self, name: str) -> _Block:
        value = self.value.get(name) if isinstance(self.value, Mapping) else None
        first = value[0] if isinstance(value, (list, tuple)) and value else value
        return _Block(first, f"{self.path}.{name}")


def volume_access(task_definition: TaskDefinition, context: AccessContext) -> Iterator[Requirement]:
    """List what the volumes need."""
    points = [point for container in task_definition.containers for point in container.mount_points]
    for name, volume in _volumes(task_definition):
        written = any(_may_write(point, name) for point in points)
        yield from _fsx(f'volume "{name}"', volume.part("fsxWindowsFileServerVolumeConfiguration"), context)
        yield from _efs(f'volume "{name}"', volume.part("efsVolumeConfiguration"), context, written=written)
        yield from _s3_files(f'volume "{name}"', volume.part("s3filesVolumeConfiguration"), context, written=written)


def unknown_volumes(task_definition: TaskDefinition) -> Iterator[tuple[str, Unknown]]:
    """Yield the places of the parts of volumes that are not known at all."""
    if isinstance(task_definition.volumes, Unknown):
        yield "volumes", task_definition.volumes
    for _, volume in _volumes(task_definition):
        systems = [
            volume.part("efsVolumeConfiguration"),
            volume.part("fsxWindowsFileServerVolumeConfiguration"),
            volume.part("s3filesVolumeConfiguration"),
        ]
        for block in (volume, *systems, *(system.part("authorizationConfig") for system in systems)):
            if isinstance(block.value, Unknown):
                yield block.path, block.value


def _volumes(task_definition: TaskDefinition) -> Iterator[tuple[str, _Block]]:
    volumes = task_definition.volumes
    for index, tree in enumerate(volumes if isinstance(volumes, (list, tuple)) else ()):
        name = render(tree.get("name")) if isinstance(tree, Mapping) else f"#{index}"
        yield name, _Block(tree, f"volumes.{index}")


def _fsx(owner: str, block: _Block, context: AccessContext) -> Iterator[Requirement]:
    if not isinstance(block.value, Mapping):
        return
    system = block.part("fileSystemId")
    need = Need(owner, "FSx for Windows file system", system.path, system.value)
    yield Requirement(need, ROWS["fsx"], ROWS["fsx"].actions[0], "*")
    credentials = block.part("authorizationConfig").part("credentialsParameter")
    if credentials.value is not None:
        need = Need(owner, "credentials of the file system", credentials.path, credentials.value)
        yield from value_access(need, context, ROWS["fsx_secret"], ROWS["fsx_parameter"])


def _efs(owner: str, block: _Block, context: AccessContext, *, written: bool) -> Iterator[Requirement]:
    authorization = block.part("authorizationConfig")
    enabled = authorization.part("iam").value
    doubt = AccessDoubt.of(next(unknowns(enabled), None))
    by_nobody = doubt is None and enabled != "ENABLED"
    system, point = block.part("fileSystemId"), authorization.part("accessPointId").value
    arn = _arn(system.value, "file-system/", context)
    keys: dict[str, Value] = {"elasticfilesystem:AccessedViaMountTarget": True}
    if point is not None:
        keys["elasticfilesystem:AccessPointArn"] = context.narrow(_arn(point, "access-point/", context))
    need, target = Need(owner, "EFS file system", system.path, arn), context.narrow(arn)
    if by_nobody:
        row, encrypted = ROWS["mount_anonymously"], block.part("transitEncryption").value
        keys["aws:SecureTransport"] = encrypted if isinstance(encrypted, Unknown) else encrypted == "ENABLED"
        if isinstance(block.value, Mapping) and context.has_policy(target):
            yield Requirement(need, row, row.actions[0], target, keys=keys, anonymous=True)
        return
    yield Requirement(need, ROWS["mount"], ROWS["mount"].actions[0], target, doubt, keys=keys)
    if written:
        yield Requirement(need, ROWS["write"], ROWS["write"].actions[0], target, _written(ROWS["write"]), keys=keys)


def _s3_files(owner: str, block: _Block, context: AccessContext, *, written: bool) -> Iterator[Requirement]:
    if not isinstance(block.value, Mapping):
        return
    system, point = block.part("fileSystemArn"), block.part("accessPointArn").value
    keys = {} if point is None else {"s3files:AccessPointArn": context.narrow(point)}
    need, target = Need(owner, "S3 file system", system.path, system.value), context.narrow(system.value)
    mount, write = ROWS["s3_files_mount"], ROWS["s3_files_write"]
    yield Requirement(need, mount, mount.actions[0], target, keys=keys)
    if written:
        yield Requirement(need, write, write.actions[0], target, _written(write), keys=keys)


def _written(row: Access) -> AccessDoubt:
    return AccessDoubt(f"it is {row.note}", remedy="set readOnly = true at its mount points, or allow it")


def _arn(id_: Value, kind: str, context: AccessContext) -> Value:
    """Return the ARN of what an id names: the attribute, where the id is one of a resource of the plan."""
    found = context.attributes.plan.find(id_) if isinstance(id_, Unknown) else None
    if found is not None and found[0].type.startswith("aws_efs_"):
        return found[0].reference("arn")
    return context.arn("elasticfilesystem", kind, context.narrow(id_))


def _may_write(point: Value, volume: str) -> bool:
    """Tell whether a container that mounts a volume for certain mounts it otherwise than read-only, or may."""
    if not isinstance(point, Mapping):
        return True
    mounted = point.get("sourceVolume")
    return (isinstance(mounted, (Unknown, Text)) or mounted == volume) and point.get("readOnly") is not True


_SPECIFICATION = re.compile(r"^(?P<scheme>credentialspec(?:domainless)?:)")


_NOT_OF_THE_TASK = ContextEntry(Truth.MAYBE, ("a network of AWS Fargate",))
_FROM_FARGATE = {"aws:SourceVpc": _NOT_OF_THE_TASK, "aws:SourceVpce": _NOT_OF_THE_TASK}
"""Fargate asks for the token through a network of its own: Amazon ECS Developer Guide, "Amazon ECS task execution IAM
role", on conditions with interface endpoints."""


def _of_group(option: str, created: Value, head: Value, context: AccessContext) -> AccessDoubt | None:
    """Return the doubt whether a log driver makes a log group that an `option` lets it make.

    Source: Docker's awslogs driver: CreateLogGroup follows a ResourceNotFoundException of CreateLogStream.
    """
    unknown = next(unknowns(created), None)
    if unknown or not context.exists(head):
        return AccessDoubt.of(unknown)
    return AccessDoubt(
        f"AWS requires it where {option} is true, but the log driver creates the group only if it does not exist, and "
        "this plan makes it",
        remedy=f"take {option} out of logConfiguration.options: the plan makes the log group",
    )


def required_access(task_definition: TaskDefinition, context: AccessContext) -> list[Requirement]:
    """List what the roles of a task definition need: its containers, its volumes, what own plugins add to these."""
    parts = (_image, _logs, _routed, _secrets, _credentials, _environment_files, _router, _credential_specifications)
    of_containers = (part(container, context) for container in task_definition.containers for part in parts)
    requirements = [*chain.from_iterable(of_containers), *volume_access(task_definition, context)]
    for further in context.attributes.plan.additions.access:
        requirements += cast("Iterable[Requirement]", further(task_definition, context))
    return requirements


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
    doubt = AccessDoubt.of(image) if isinstance(image, Unknown) else None
    if isinstance(image, EcrImage):
        repository = context.arn("ecr", "repository/", image.repository, region=image.region, account=image.account)
    else:
        repository = Unknown(f"the ECR repository of {image.address}", computed_from(image))
    need = _need(container, "image", "image", container.image)
    keys = _FROM_FARGATE if context.on_fargate else {}
    yield Requirement(need, ROWS["token"], ROWS["token"].actions[0], "*", doubt, keys=keys)
    for action in ROWS["layers"].actions:
        yield Requirement(need, ROWS["layers"], action, repository, doubt)
    if context.is_cached(repository):
        for row in (ROWS["import"],) if context.exists(repository) else (ROWS["import"], ROWS["create_repository"]):
            yield Requirement(need, row, row.actions[0], repository, AccessDoubt.in_row(row))


def _logs(container: Container, context: AccessContext) -> Iterator[Requirement]:
    options = container.log_options
    group, region = context.narrow(options.get("awslogs-group")), context.narrow(options.get("awslogs-region"))
    if container.log_driver != "awslogs" or group is None:
        return
    need = _need(container, "log group", "logConfiguration.options.awslogs-group", options["awslogs-group"])
    head = context.arn("logs", "log-group:", group, region=region)
    created = options.get("awslogs-create-group")
    if isinstance(created, (Unknown, Text)) or str(created).lower() == "true":
        streamless, row = context.attributes.join(head, ":log-stream:"), ROWS["log_group"]
        doubt = _of_group("awslogs-create-group", created, head, context)
        yield Requirement(need, row, row.actions[0], streamless, doubt, alternative=head)
    stream = context.attributes.join(head, ":log-stream:", *_stream(container, context))
    for action in ROWS["log_stream"].actions:
        yield Requirement(need, ROWS["log_stream"], action, stream)


def _stream(container: Container, context: AccessContext) -> tuple[Value, ...]:
    """Name the log stream: PREFIX/CONTAINER/TASK-ID, or the container's id where there is no prefix."""
    prefix = context.narrow(container.log_options.get("awslogs-stream-prefix"))
    task = Unknown(f"the task id of container {container.name}", AtRunTime("the task id"))
    name = Unknown(f"the name of {container.path}", AFTER_APPLY) if "${" in container.name else container.name
    return (task,) if prefix is None else (prefix, "/", name, "/", task)


_ON = ("true", "on", "yes")


def _routed(container: Container, context: AccessContext) -> Iterator[Requirement]:
    """List what an output of FireLens takes: it writes as the task, or as a role that it assumes first.

    Source: Fluent Bit manual, the pages of the outputs; the older ones that AWS wrote have the same options. A value
    with a $ is a template, which each record fills in.
    """
    options: dict[str, Value] = {}
    for key, value in container.log_options.items():
        is_template = isinstance(value, str) and "$" in value
        options[key.lower()] = Unknown(f"the {key} of a record", AtRunTime(f"the {key}")) if is_template else value
    options["role_arn"] = options.get("role_arn") or options.get("aws_role_arn")
    host = options.get("host")
    domain = context.attributes.plan.find(host) if isinstance(host, Unknown) else None
    options["domain"] = context.attributes.name(domain[0], "domain_name") if domain else None
    name = context.narrow(options.get("name"))
    if container.log_driver != "awsfirelens" or name is None:
        return
    hidden = AccessDoubt.of(next(unknowns(name), None))
    rows = [row for row in ROWS.values() if name in row.outputs or (hidden and row.outputs)]
    for row in [ROWS["firelens_role"]] if options["role_arn"] and rows else rows[: 1 if hidden else None]:
        on = options.get(row.beside) if row.beside else "on"
        if not isinstance(on, (Unknown, Text)) and str(on).lower() not in _ON:
            continue
        need = _need(container, f"log output {render(name)}", "logConfiguration.options", options["name"])
        target = context.fill(row.target, options.get)
        doubt = hidden or AccessDoubt.of(next(unknowns(on), None))
        if row.beside == "auto_create_group":
            head = context.fill(row.target.removesuffix(":log-stream:"), options.get)
            doubt = doubt or _of_group(row.beside, on, head, context)
        for action in row.actions:
            yield Requirement(need, row, action, target, doubt, undecidable=hidden is not None)


def _secrets(container: Container, context: AccessContext) -> Iterator[Requirement]:
    for reference in container.secrets:
        named = f'{reference.kind} "{reference.name}"'
        need = Need(f'container "{container.name}"', named, f"{reference.path}.valueFrom", reference.value_from)
        log = "" if reference.kind == "secret" else "log_"
        yield from value_access(need, context, ROWS[f"{log}secret"], ROWS[f"{log}parameter"])


def _credentials(container: Container, context: AccessContext) -> Iterator[Requirement]:
    if container.repository_credentials is None:
        return
    path = "repositoryCredentials.credentialsParameter"
    need = _need(container, "repository credentials", path, container.repository_credentials)
    target = context.narrow(container.repository_credentials)
    if isinstance(target, str) and not target.startswith("arn:"):
        target = context.secret(target)
    yield from secret_access(need, target, ROWS["registry"], context)


def _environment_files(container: Container, context: AccessContext) -> Iterator[Requirement]:
    for index, value in enumerate(container.environment_files):
        need = _need(container, f"environment file {index}", f"environmentFiles.{index}.value", value)
        yield from _object(need, context, ROWS["file"], ROWS["file_bucket"])
        yield from _decrypt(need, context.narrow(value), "s3", context)


def _router(container: Container, context: AccessContext) -> Iterator[Requirement]:
    options = container.firelens_options
    kind, value = options.get("config-file-type"), options.get("config-file-value")
    if value is None or (isinstance(kind, str) and kind != "s3"):
        return
    doubt = AccessDoubt.of(next(unknowns(kind), None))
    need = _need(container, "FireLens configuration", "firelensConfiguration.options.config-file-value", value)
    yield from _object(need, context, ROWS["router"], ROWS["router_bucket"], doubt)


def _credential_specifications(container: Container, context: AccessContext) -> Iterator[Requirement]:
    for path, value in container.credential_specifications:
        narrowed = context.narrow(value)
        found = _SPECIFICATION.match(render(narrowed))
        need = Need(f'container "{container.name}"', "credential spec", path, value)
        if found is None:
            doubt = AccessDoubt.of(next(unknowns(narrowed), None))
            if doubt is not None:
                yield _undecidable(need, narrowed, doubt)
            continue
        place = _after(narrowed, found["scheme"])
        yield from _specification(replace(need, named=place), place, context)
        if found["scheme"] == "credentialspecdomainless:":
            spec = f"the credential spec {render(place)}"
            named = Unknown(f"the secret that {spec} names", UnreadFile(spec))
            secret = context.some("secretsmanager", named)
            yield Requirement(need, ROWS["spec_secret"], ROWS["spec_secret"].actions[0], secret)


def _specification(need: Need, place: Value, context: AccessContext) -> Iterator[Requirement]:
    """List what reading a credential spec takes: a file on the instance takes nothing."""
    text = render(place)
    if text.startswith("file:"):
        return
    if ":s3:" in text:
        yield Requirement(need, ROWS["spec_object"], ROWS["spec_object"].actions[0], place)
    elif ":ssm:" in text:
        yield from value_access(need, context, ROWS["spec_secret"], ROWS["spec_parameter"])
    else:
        neither = AccessDoubt("a credential spec is a file, or the ARN of S3 or Parameter Store")
        yield _undecidable(need, place, AccessDoubt.of(next(unknowns(place), None)) or neither)


def _undecidable(need: Need, place: Value, doubt: AccessDoubt) -> Requirement:
    return Requirement(need, ROWS["spec_object"], ROWS["spec_object"].actions[0], place, doubt, undecidable=True)


def _object(
    need: Need, context: AccessContext, row: Access, bucket: Access, doubt: AccessDoubt | None = None
) -> Iterator[Requirement]:
    """List what fetching an object of S3 takes."""
    target = context.narrow(need.named)
    yield Requirement(need, row, row.actions[0], target, doubt)
    yield Requirement(need, bucket, bucket.actions[0], _bucket_of(target), doubt or AccessDoubt.in_row(bucket))


def _bucket_of(target: Value) -> Value:
    """Cut an object's ARN at the first slash of its known text."""
    kept: list[str | Unknown] = []
    for part in parts_of(target):
        if isinstance(part, str) and "/" in part:
            return concatenate([*kept, part.partition("/")[0]])
        kept.append(part)
    return Unknown(f"the bucket of {render(target)}", computed_from(target))


def _after(value: Value, prefix: str) -> Value:
    """Return what comes after a prefix that a text begins with."""
    first, *others = parts_of(value)
    rest = concatenate([str(first).removeprefix(prefix), *others])
    return rest.parts[0] if isinstance(rest, Text) and len(rest.parts) == 1 else rest
