"""What a task definition names and nobody makes: JSON keys, images, log groups and environment files.

What cannot be there is VIOLATED; what nothing of the source makes, and no data source reads, is UNDETERMINED.

Sources: Amazon ECS Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables", "Send
Amazon ECS logs to CloudWatch", "Pass environment variables to an Amazon ECS container" and "Monitor Amazon ECS
containers with ECS Exec" (the agent of Systems Manager writes to the root file system); Docker reference, "Image
names". A repository is looked for where the plan makes some, a file where the plan makes its bucket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from infraspec.checks.access.access_decisions import Keys
from infraspec.core.finding import Finding
from infraspec.core.json_text import object_keys
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.unknown import Unknown, Value, parts_of, render
from infraspec.ecs.container import Container
from infraspec.ecs.references import EcrImage, ValueFrom, ecr_image
from infraspec.ecs.requirement import AccessContext
from infraspec.ecs.service_access import PlanServices
from infraspec.ecs.start import CURRENT
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.plan import Resource

RULE = RULES["secret-access"]

_NAME = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:(?:localhost|[\w-]+(?:\.[\w-]+)+(?::\d+)?|[\w-]+:\d+)/)?{_NAME}(?:/{_NAME})*"
    r"(?::\w[\w.-]{0,127})?(?:@(?:sha256:[0-9a-f]{64}|(?!sha256:)[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,}))?"
)
_NO_REGISTRY = ("arn:", "http://", "https://")
_WHOLE = re.compile(r"arn:(?:[^:]*:){5}[^:]*")
"""An ARN after which there is no JSON key."""
_READ_ONLY = "readonlyRootFilesystem"


class PutValue(Struct, frozen=True):
    """What a source puts into a secret: the names of its keys, None where these are not known."""

    source: Resource
    keys: frozenset[str] | None
    text: Value


class Existence:
    """What the task definitions of one plan name. `sessions` are the services that ECS Exec is enabled for."""

    def __init__(self, keys: Keys, sessions: PlanServices) -> None:
        self.keys, self.sessions, self.owners = keys, sessions, keys.owners
        self.attributes, self.plan = keys.owners.attributes, keys.owners.plan

    def findings(self, definition: TaskDefinition, context: AccessContext) -> Iterator[Finding]:
        """Yield what is wrong, or not known, of what a task definition names."""
        for container in definition.containers:
            for reference in container.secrets if self._values else ():
                value, place = context.narrow(reference.value_from), f"{reference.path}.valueFrom"
                subject = _about(definition, container, f'{reference.kind} "{reference.name}"', place)
                if not _WHOLE.fullmatch(render(value)):
                    yield from self._json_key(subject, ValueFrom.parse(value), definition)
            yield from self._image(definition, container, context)
            yield from self._log_group(definition, container, context)
            yield from self._files(definition, container, context)
            yield from self._file_system(definition, container)

    def _json_key(self, subject: Subject, parsed: ValueFrom, definition: TaskDefinition) -> Iterator[Finding]:
        secret, (key, stage, version) = self.owners.find(parsed.target), parsed.suffix
        values = self._values.get(secret.address, []) if secret and key and "${" not in key else []
        lacking = [one for one in values if one.keys is not None and key not in one.keys]
        if secret is None or not lacking or version or stage not in ("", CURRENT):
            return
        first = lacking[0]
        own = isinstance(first.text, Unknown) and first.text.address.startswith(first.source.address)
        left = {"secret_string", "secret_string_wo", "all"} & set(first.source.ignore_changes)
        replaced = len(values) > len(lacking) or left or secret.address in self._rotated
        certain = not replaced and self.plan.is_certain(first.source, definition.resource)
        yield (subject.violated if certain else subject.undetermined)(
            expected=f"the value of {secret.address} is a JSON object with the key {key}",
            found=f"{first.source.address} has the keys {', '.join(sorted(first.keys or ()))}"
            if own and first.keys
            else f"{first.source.address} has no such key",
            reason="ECS cannot start a task that references a JSON key missing from the value"
            + ("" if certain else "; another value may be there by then"),
            remedy=f"add the key {key} to the value ({first.source.location}), or reference another key",
        )

    @cached_property
    def _values(self) -> dict[str, list[PutValue]]:
        """What the source puts into a secret, by the address of that."""
        values: dict[str, list[PutValue]] = {}
        for version in self.plan.managed("aws_secretsmanager_secret_version"):
            named = self.attributes.narrow(version.stated("secret_id"))
            by_name = self.owners.secret_named(named) if isinstance(named, str) else None
            secret = self.owners.find(by_name or named)
            text = version.stated("secret_string") or version.stated("secret_string_wo")
            if secret and CURRENT in (version.stated("version_stages") or [CURRENT]):
                values.setdefault(secret.address, []).append(PutValue(version, object_keys(text), text))
        return values

    @cached_property
    def _rotated(self) -> set[str]:
        rotations = self.plan.managed("aws_secretsmanager_secret_rotation")
        found = (self.owners.find(self.attributes.narrow(one.stated("secret_id"))) for one in rotations)
        return {secret.address for secret in found if secret}

    def _image(self, definition: TaskDefinition, container: Container, context: AccessContext) -> Iterator[Finding]:
        image, in_terraform = context.narrow(container.image), definition.resource is not None
        head = parts_of(image)[0]
        no_name = isinstance(head, str) and head.startswith(_NO_REGISTRY)  # whatever follows
        if no_name or (isinstance(image, str) and not _IMAGE.fullmatch(image)):
            subject = _about(definition, container, "image")
            yield (subject.violated if in_terraform else subject.undetermined)(
                expected="an image: REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST, the name in lower case",
                found=render(image) or "none",
                reason="no registry has an image of such a name"
                + ("" if in_terraform else "; whether a deployment puts one in its place is unknown"),
                remedy="name an image that there is",
            )
        ecr = ecr_image(image)
        here = isinstance(ecr, EcrImage) and (ecr.account, ecr.region) == (context.account, context.region)
        if isinstance(ecr, EcrImage) and here and self.plan.managed("aws_ecr_repository"):
            repository = context.arn("ecr", "repository/", ecr.repository)
            if not (context.exists(repository) or context.is_cached(repository)):
                subject = _about(definition, container, "image")
                yield from self._unmade(subject, "aws_ecr_repository", ecr.repository)
        yield from self._tag(definition, container, render(image))

    def _tag(self, definition: TaskDefinition, container: Container, image: str) -> Iterator[Finding]:
        """Yield that the plan pushes images of the same repository, and none of this tag."""
        repository, tag = _repository_and_tag(image)
        pushed = [(_repository_and_tag(self._image_name(one)), one) for one in self.plan.managed(_PUSHED)]
        sources = {label: one for (name, label), one in pushed if name == repository}
        read = any(self._image_name(one) == image for one in self.plan.data(_PUSHED)) or tag in self._tags_read
        if not sources or tag in sources or read or not all(map(_TAG.fullmatch, (tag, *sources))):
            return
        source = next(iter(sources.values()))
        yield _about(definition, container, "image").undetermined(
            expected=f"the image {image} exists when the task starts",
            found=f"this source pushes {', '.join(sorted(sources))} to the repository ({source.address})",
            reason="a task does not start if the tag does not exist, and whether something else pushes it is unknown",
            remedy=f"name the tag that {source.location} pushes, or read this one with a data source, so that no plan "
            "goes on without it",
        )

    def _image_name(self, resource: Resource) -> str:
        return render(self.attributes.narrow(resource.stated("name")))

    @cached_property
    def _tags_read(self) -> set[Value]:
        """The tags that data sources read of ECR."""
        return {one.stated("image_tag") for one in self.plan.data("aws_ecr_image")}

    def _log_group(self, definition: TaskDefinition, container: Container, context: AccessContext) -> Iterator[Finding]:
        options = container.log_options
        group, region = context.narrow(options.get("awslogs-group")), context.narrow(options.get("awslogs-region"))
        by_driver = str(options.get("awslogs-create-group")).lower() not in ("none", "false")
        if container.log_driver == "awslogs" and not by_driver:
            path = "logConfiguration.options.awslogs-group"
            if not context.exists(context.arn("logs", "log-group:", group, region=region)):
                yield from self._unmade(_about(definition, container, "log group", path), _GROUP, group, region)

    def _files(self, definition: TaskDefinition, container: Container, context: AccessContext) -> Iterator[Finding]:
        for index, file in enumerate(container.environment_files):
            target, path = context.narrow(file), f"environmentFiles.{index}.value"
            subject = _about(definition, container, f"environment file {index}", path)
            if isinstance(target, str) and not target.endswith(".env"):
                yield subject.violated(
                    expected="an object of S3 whose name ends with .env",
                    found=target,
                    reason="ECS accepts no other file",
                    remedy="give the file a name that ends with .env",
                )
            elif self.owners.find(target) and self.keys.object_at(target) is None:
                yield from self._unmade(subject, "aws_s3_object", target)

    def _file_system(self, definition: TaskDefinition, container: Container) -> Iterator[Finding]:
        services = self.sessions.of(definition)
        if not services or container.definition.get(_READ_ONLY) is not True:
            return
        only = all(one.definition.get(_READ_ONLY) is True for one in definition.containers)
        subject = _about(definition, container, "root file system", _READ_ONLY)
        yield (subject.violated if only else subject.undetermined)(
            expected="a root file system that can be written, for ECS Exec",
            found=f"{_READ_ONLY} is true, and {services[0].address} has enable_execute_command",
            reason="the agent that opens the session writes to it, so none is opened in this container"
            + ("" if only else "; whether one is to be is unknown"),
            remedy=f"take {_READ_ONLY} out, or set enable_execute_command = false",
        )

    def _unmade(self, subject: Subject, type_: str, name: Value, region: Value = None) -> Iterator[Finding]:
        """Yield that nothing of the source makes what is named, if its name is known and no data source reads it."""
        read = (
            (self.attributes.name(one), self.attributes.narrow(one.reference("arn"))) for one in self.plan.data(type_)
        )
        if not isinstance(name, str) or any(name in names for names in read):
            return
        same = next((one for one in self.plan.managed(type_) if self.attributes.name(one) == name), None)
        where = self.plan.region_of(same) if same else None
        if same and not (isinstance(where, str) and isinstance(region, str)):
            return
        there = f"; {same.address} is in {where}" if same else ""
        yield subject.undetermined(
            expected=f"{name} exists when the task starts{f', in {render(region)}' if region else ''}",
            found=f"nothing in this source creates it{there}",
            reason="a task does not start without it, and whether it exists is unknown",
            remedy=f'make it here, read it with data "{type_}", so that no plan goes on without it, or waive the '
            "finding where it is made elsewhere",
        )


_GROUP = "aws_cloudwatch_log_group"
_TAG = re.compile(r"\w[\w.-]{0,127}")
_PUSHED = "docker_registry_image"
"""What pushes an image, in the provider kreuzwerker/docker; its data source reads one of any registry."""


def _repository_and_tag(image: str) -> tuple[str, str]:
    """Split an image at its tag; one without is `latest`, as Docker's reference says. A digest is no tag."""
    path, slash, last = image.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{path}{slash}{name}", "" if "@" in last else tag or "latest"


def _about(definition: TaskDefinition, container: Container, name: str, path: str = "") -> Subject:
    place = path if path.startswith(f"{container.path}.") else f"{container.path}.{path or name}"
    return RULE.about(definition, f'container "{container.name}", {name}: it is there', definition.locate(place))
