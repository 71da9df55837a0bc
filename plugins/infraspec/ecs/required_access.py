"""The permissions a task definition's execution role needs: each with the resource, the purpose and its source.

Which feature needs which action on which resource is stated in the AWS documents named in each requirement. IAM sees
the bare ARN of a secret: the agent strips JSON key, version stage and version id before it calls GetSecretValue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infraspec.character import characters
from infraspec.ecs.container import Container
from infraspec.ecs.image import EcrImage, ecr_image
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.ecs.value_from import Store, ValueFrom
from infraspec.terraform.aws_attributes import SUFFIX_LENGTH, AwsAttributes, parameter_path
from infraspec.unknown import Text, Unknown, Value, concatenate, render, unknowns

EXECUTION = "execution"
_KEY_DOCUMENT = "Secret encryption and decryption in AWS Secrets Manager (permissions for the KMS key)"
_ECR_DOCUMENT = "Amazon ECS task execution IAM role"
_LOGS_DOCUMENT = "Send Amazon ECS logs to CloudWatch (awslogs)"
_VALUE_DOCUMENT = "Pass Secrets Manager secrets through Amazon ECS environment variables"
_PARAMETER_DOCUMENT = "Pass Systems Manager parameters through Amazon ECS environment variables"
_REGISTRY_DOCUMENT = "Using non-AWS container images in Amazon ECS (private registry authentication)"
_FILES_DOCUMENT = "Pass environment variables to an Amazon ECS container (environment files)"
_REFERENCE = "/aws/reference/secretsmanager/"
_IMAGE_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")


@dataclass(frozen=True, slots=True)
class Need:
    """What of a task definition needs access: a container, a purpose, its place, and what is written there."""

    container: Container
    purpose: str
    path: str
    named: Value

    def __str__(self) -> str:
        return f'container "{self.container.name}", {self.purpose}'


@dataclass(frozen=True, slots=True)
class Requirement:
    """One action on one resource that a role needs, with the AWS document that says so.

    `resource` is narrowed. `unknown` is set if it is not certain that this is needed: then a denial is no violation,
    and with `undecidable` an allow is no proof either. `alternative` is a second form of the resource's ARN that AWS
    may ask for instead, since its documents differ. `via` is the secret or parameter that a KMS key is used for.
    """

    need: Need
    action: str
    resource: Value
    source: str
    unknown: Unknown | None = None
    undecidable: bool = False
    alternative: Value = None
    via: Value = None
    role: str = EXECUTION


@dataclass(frozen=True, slots=True)
class AccessContext:
    """Where the task runs, and how to learn more of an unknown.

    `key_of` returns the ARN of a secret's or parameter's own KMS key, `secret_named` the ARN of a secret of that name.
    """

    attributes: AwsAttributes
    account: Value
    region: Value
    key_of: Callable[[Value], Value] = lambda _target: None
    secret_named: Callable[[str], Value] = lambda _name: None

    def narrow(self, value: Value) -> Value:
        """Narrow the unknown parts of a value."""
        return self.attributes.narrow(value)

    def arn(self, service: str, *parts: Value, region: Value = None, account: Value = None) -> Value:
        """Join an ARN in the task's region and account, or in those given."""
        where = (self.region if region is None else region, ":", self.account if account is None else account)
        return self.attributes.join("arn:", self.attributes.plan.partition, f":{service}:", *where, ":", *parts)

    def secret(self, name: str) -> Value:
        """Return the ARN of the secret of a name, its suffix unknown."""
        return self.narrow(self.secret_named(name)) or self.arn(
            "secretsmanager", "secret:", name, "-", characters(f"the secret {name}", SUFFIX_LENGTH)
        )


def required_access(task_definition: TaskDefinition, context: AccessContext) -> list[Requirement]:
    """List what the execution role needs, in the order of the containers."""
    return [
        requirement
        for container in task_definition.containers
        for part in (_image, _logs, _secrets, _credentials, _environment_files)
        for requirement in part(container, context)
    ]


def _image(container: Container, context: AccessContext) -> Iterator[Requirement]:
    image = ecr_image(context.narrow(container.image))
    if image is None or (isinstance(image, Unknown) and container.repository_credentials is not None):
        return
    unknown = image if isinstance(image, Unknown) else None
    if isinstance(image, EcrImage):
        repository = context.arn("ecr", "repository/", image.repository, region=image.region, account=image.account)
    else:
        repository = Unknown(f"the ECR repository of {image.address}")
    need = Need(container, "image", f"{container.path}.image", container.image)
    yield Requirement(need, "ecr:GetAuthorizationToken", "*", _ECR_DOCUMENT, unknown)
    for action in _IMAGE_ACTIONS:
        yield Requirement(need, action, repository, _ECR_DOCUMENT, unknown)


def _logs(container: Container, context: AccessContext) -> Iterator[Requirement]:
    options = container.log_options
    group, region = context.narrow(options.get("awslogs-group")), context.narrow(options.get("awslogs-region"))
    if container.log_driver != "awslogs" or group is None:
        return
    need = Need(
        container, "log group", f"{container.path}.logConfiguration.options.awslogs-group", options["awslogs-group"]
    )
    head = context.arn("logs", "log-group:", group, region=region)
    created, unknown = options.get("awslogs-create-group"), None
    if isinstance(created, Unknown | Text):
        unknown = next(unknowns(created))
    if unknown or str(created).lower() == "true":
        streamless = context.attributes.join(head, ":log-stream:")
        yield Requirement(need, "logs:CreateLogGroup", streamless, _LOGS_DOCUMENT, unknown, alternative=head)
    stream = context.attributes.join(head, ":log-stream:", *_stream(container, context))
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield Requirement(need, action, stream, _LOGS_DOCUMENT)


def _stream(container: Container, context: AccessContext) -> tuple[Value, ...]:
    """Name the log stream: PREFIX/CONTAINER/TASK-ID, or the container's id where there is no prefix."""
    prefix = context.narrow(container.log_options.get("awslogs-stream-prefix"))
    task = Unknown(f"the task id of container {container.name}")
    name = Unknown(f"the name of {container.path}") if "${" in container.name else container.name
    return (task,) if prefix is None else (prefix, "/", name, "/", task)


def _secrets(container: Container, context: AccessContext) -> Iterator[Requirement]:
    for reference in container.secrets:
        need = Need(
            container, f'{reference.kind} "{reference.name}"', f"{reference.path}.valueFrom", reference.value_from
        )
        yield from _value(need, context)


def _value(need: Need, context: AccessContext) -> Iterator[Requirement]:
    parsed = ValueFrom.parse(context.narrow(need.named))
    match parsed.store:
        case Store.SECRETS_MANAGER:
            yield from _secret(need, parsed.target, _VALUE_DOCUMENT, context)
        case Store.PARAMETER_STORE:
            yield from _parameter(need, parsed, context)
        case Store.UNKNOWN:
            unknown = parsed.unknown or Unknown(f"what {need.path} names")
            action = "secretsmanager:GetSecretValue"
            yield Requirement(need, action, parsed.target, _VALUE_DOCUMENT, unknown, undecidable=True)


def _parameter(need: Need, parsed: ValueFrom, context: AccessContext) -> Iterator[Requirement]:
    name = parsed.target
    target = name if parsed.is_arn else context.arn("ssm", parameter_path(name))
    yield Requirement(need, "ssm:GetParameters", target, _PARAMETER_DOCUMENT)
    if isinstance(name, str) and name.startswith(_REFERENCE):
        yield from _secret(need, context.secret(name.removeprefix(_REFERENCE)), _PARAMETER_DOCUMENT, context)
    yield from _decrypt(need, target, context)


def _credentials(container: Container, context: AccessContext) -> Iterator[Requirement]:
    if container.repository_credentials is None:
        return
    path = f"{container.path}.repositoryCredentials.credentialsParameter"
    need = Need(container, "repository credentials", path, container.repository_credentials)
    target = context.narrow(container.repository_credentials)
    if isinstance(target, str) and not target.startswith("arn:"):
        target = context.secret(target)
    yield from _secret(need, target, _REGISTRY_DOCUMENT, context)


def _secret(need: Need, target: Value, document: str, context: AccessContext) -> Iterator[Requirement]:
    yield Requirement(need, "secretsmanager:GetSecretValue", target, document)
    yield from _decrypt(need, target, context)


def _decrypt(need: Need, target: Value, context: AccessContext) -> Iterator[Requirement]:
    key = context.key_of(target)
    if key is not None:
        own = Need(need.container, f"KMS key of {need.purpose}", need.path, key)
        yield Requirement(own, "kms:Decrypt", context.narrow(key), _KEY_DOCUMENT, via=target)


def _environment_files(container: Container, context: AccessContext) -> Iterator[Requirement]:
    for index, value in enumerate(container.environment_files):
        need = Need(container, f"environment file {index}", f"{container.path}.environmentFiles.{index}.value", value)
        target = context.narrow(value)
        yield Requirement(need, "s3:GetObject", target, _FILES_DOCUMENT)
        yield Requirement(need, "s3:GetBucketLocation", _bucket_of(target), _FILES_DOCUMENT)


def _bucket_of(target: Value) -> Value:
    """Cut an object's ARN at the first slash of its known text."""
    parts = target.parts if isinstance(target, Text) else (target,)
    kept: list[str | Unknown] = []
    for part in parts:
        if isinstance(part, str) and "/" in part:
            return concatenate([*kept, part.partition("/")[0]])
        kept.append(part)
    return Unknown(f"the bucket of {render(target)}")
