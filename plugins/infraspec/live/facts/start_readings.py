"""Whether what the next task of a service needs is there: asked of ECR, Secrets Manager, SSM, IAM, Logs and EC2.

No value of a secret or parameter is read. What is of another account is for its owner to show, and so is a secret or a
repository whose policy keeps the runner out: that it may not look at one is no permission that it lacks in its own.

Limit: Amazon ECR API Reference, DescribeImages (100 images).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from infraspec.aws.calls import Calls
from infraspec.core.arn import Arn
from infraspec.core.errors import ResourceRefusalError, RunnerPermissionError
from infraspec.core.unknown import render
from infraspec.ecs.container import Container
from infraspec.ecs.fleet import DeployedService
from infraspec.ecs.references import EcrImage, ValueFrom, ValueStore, ecr_image
from infraspec.ecs.service import Service
from infraspec.ecs.start import (
    Network,
    Refusal,
    StartFacts,
    StartLogGroup,
    StoredImage,
    StoredRole,
    StoredValue,
    noting,
)
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.live.facts.databases import filtered
from infraspec.live.resources.secrets import parameters_of

_NO_IMAGE = ("ImageNotFoundException",)
_NO_REPOSITORY = ("RepositoryNotFoundException",)
_INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
_NO_SECRET = ("ResourceNotFoundException",)
_NO_ROLE = ("NoSuchEntity", "NoSuchEntityException")
_REFERENCE = re.compile(r"(?:@(?P<digest>sha256:[0-9a-f]+)|:(?P<tag>[\w.-]+))?$")


def start_facts(calls: Calls, one: DeployedService) -> StartFacts:
    """Ask for all that the revision that a service is set to needs; nothing if there is no service."""
    if one.live is None or one.running is None:
        return StartFacts()
    reader = _Reader(calls, one.live, one.running)
    return StartFacts(
        tuple(reader.images()),
        tuple(reader.values()),
        tuple(reader.roles()),
        tuple(reader.log_groups()),
        reader.network(),
    )


class _Reader(Struct):
    calls: Calls
    service: Service
    definition: TaskDefinition

    def images(self) -> Iterator[StoredImage]:
        for container in self.definition.containers:
            image, reference = ecr_image(container.image), render(container.image)
            if not isinstance(image, EcrImage):
                yield StoredImage(container.name, reference, in_ecr=False)
                continue
            try:
                yield self._image(container, image, reference)
            except RunnerPermissionError as error:
                refused = self._refused(error, is_own=image.account == self.calls.account)
                yield StoredImage(container.name, reference, is_seen=False, refused=refused)

    @staticmethod
    def _refused(error: RunnerPermissionError, *, is_own: bool) -> Refusal | None:
        """Return that a policy keeps the runner out, or that its own lets it in nowhere; None in another account."""
        if isinstance(error, ResourceRefusalError):
            return Refusal(error.found, error.remedy)
        return Refusal.of(error) if is_own else None

    def _image(self, container: Container, image: EcrImage, reference: str) -> StoredImage:
        running = frozenset(
            one.digest
            for task in self.service.tasks
            if task.is_running and task.task_definition == self.definition.address
            for one in task.containers
            if one.name == container.name and one.digest
        )
        where = {"registryId": str(image.account), "repositoryName": str(image.repository)}
        region = str(image.region)
        repositories = self.calls.pages(
            "ecr",
            "describe_repositories",
            "repositories",
            region=region,
            absent=_NO_REPOSITORY,
            registryId=where["registryId"],
            repositoryNames=[where["repositoryName"]],
        )
        if not repositories:
            return StoredImage(container.name, reference, has_repository=False, running=running)
        named = self._described_image(_image_id(reference), where, region)
        kept = frozenset(one for one in running if self._described_image({"imageDigest": one}, where, region))
        return StoredImage(
            container.name,
            reference,
            named=str(named.get("imageDigest", "")),
            running=running,
            kept=kept,
            is_index=named.get("imageManifestMediaType") in _INDEXES,
            is_pinned=container.definition.get("versionConsistency") != "disabled",
        )

    def _described_image(
        self, image: Mapping[str, str], where: Mapping[str, str], region: str | None
    ) -> Mapping[str, Any]:
        details = self.calls.pages(
            "ecr", "describe_images", "imageDetails", region=region, absent=_NO_IMAGE, imageIds=[image], **where
        )
        return details[0] if details else {}

    def values(self) -> Iterator[StoredValue]:
        readers: dict[tuple[ValueStore, str, str], list[str]] = defaultdict(list)
        for container in self.definition.containers:
            named = [(f'{one.kind} "{one.name}"', one.value_from) for one in container.secrets]
            if container.repository_credentials is not None:
                named.append(("repository credentials", container.repository_credentials))
            for what, value in named:
                parsed = ValueFrom.parse(value)
                key = (parsed.store, render(parsed.target), render(parsed.region))
                readers[key].append(f'container "{container.name}", {what}')
        refused: dict[str, Refusal] = {}
        parameters: Mapping[str, Mapping[str, Any]] = {}
        with noting(refused, "parameters"):
            parameters = self._parameters(
                [one for store, one, _ in readers if store is ValueStore.PARAMETER_STORE and self._is_own(one)]
            )
        hidden = refused.get("parameters")
        for (store, target, region), names in readers.items():
            if store is ValueStore.SECRETS_MANAGER:
                yield self._secret(target, region, tuple(names))
            elif store is ValueStore.PARAMETER_STORE:
                exists = target in parameters if self._is_own(target) and hidden is None else None
                changed = parameters.get(target, {}).get("LastModifiedDate")
                refusal = hidden if self._is_own(target) else None
                yield StoredValue("parameter", target, tuple(names), exists=exists, changed=changed, refused=refusal)

    def _secret(self, target: str, region: str, readers: tuple[str, ...]) -> StoredValue:
        where = region or self._region
        try:
            found = self.calls.ask(
                "secretsmanager", "describe_secret", region=where, absent=_NO_SECRET, SecretId=target
            )
        except RunnerPermissionError as error:
            is_own = not Arn.is_arn(target) or Arn.parse(target).account == self.calls.account
            return StoredValue("secret", target, readers, exists=None, refused=self._refused(error, is_own=is_own))
        if found is None:
            return StoredValue("secret", target, readers, exists=False)
        changed = found.get("LastChangedDate")
        return StoredValue("secret", target, readers, deleted=found.get("DeletedDate"), changed=changed)

    def _parameters(self, targets: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return what AWS says of the parameters that exist, by what names them."""
        names = {target: _parameter_name(target) for target in targets}
        found = {one["Name"]: one for one in parameters_of(self.calls, set(names.values()), self._region)}
        return {target: found[name] for target, name in names.items() if name in found}

    def _is_own(self, target: str) -> bool:
        """Tell whether a parameter is of the region and account of the service, as one that is named alone is."""
        fields = target.split(":")
        return len(fields) == 1 or fields[3:5] == [self._region, self.calls.account]

    def roles(self) -> Iterator[StoredRole]:
        definition = self.definition
        for kind, value in (("execution", definition.execution_role), ("task", definition.task_role)):
            if isinstance(value, str):
                try:
                    answer = self.calls.ask("iam", "get_role", absent=_NO_ROLE, RoleName=value.rpartition("/")[2])
                except RunnerPermissionError as error:
                    yield StoredRole(kind, value, None, Refusal.of(error))
                    continue
                found = answer["Role"] if answer else {}
                is_it = not value.startswith("arn:") or found.get("Arn", value) == value
                yield StoredRole(kind, value, found.get("AssumeRolePolicyDocument") if is_it else None)

    def log_groups(self) -> Iterator[StartLogGroup]:
        for container in self.definition.containers:
            name = container.log_options.get("awslogs-group")
            if container.log_driver != "awslogs" or not isinstance(name, str):
                continue
            region = container.log_options.get("awslogs-region")
            where = region if isinstance(region, str) else self._region
            try:
                found = self.calls.pages(
                    "logs", "describe_log_groups", "logGroups", region=where, logGroupNamePrefix=name
                )
            except RunnerPermissionError as error:
                yield StartLogGroup(container.name, name, exists=False, refused=Refusal.of(error))
                continue
            exists = any(group["logGroupName"] == name for group in found)
            creates = container.log_options.get("awslogs-create-group") == "true"
            yield StartLogGroup(container.name, name, exists, creates)

    def network(self) -> Network:
        subnets, groups = self.service.subnets, self.service.security_groups
        refused: dict[str, Refusal] = {}
        free: dict[str, int | None] = {}
        known: dict[str, bool] = {}
        with noting(refused, "subnets"):
            found = filtered(self.calls, "describe_subnets", "Subnets", "subnet-id", subnets, region=self._region)
            addresses = {one["SubnetId"]: one.get("AvailableIpAddressCount", 1) for one in found}
            free = {name: addresses.get(name) for name in subnets}
        with noting(refused, "security groups"):
            found = filtered(
                self.calls, "describe_security_groups", "SecurityGroups", "group-id", groups, region=self._region
            )
            there = {one["GroupId"] for one in found}
            known = {name: name in there for name in groups}
        return Network(free, known, refused)

    @property
    def _region(self) -> str:
        """The region of the service, which is that of what names none."""
        return self.service.arn.split(":")[3]


def _image_id(reference: str) -> dict[str, str]:
    """Return what ECR knows an image by: its digest if the reference has one, else its tag."""
    found = _REFERENCE.search(reference)
    if found and found["digest"]:
        return {"imageDigest": found["digest"]}
    return {"imageTag": found["tag"] if found and found["tag"] else "latest"}


def _parameter_name(target: str) -> str:
    """Return the name of a parameter; a name with a path begins with a slash, which an ARN does not double."""
    if not target.startswith("arn:"):
        return target
    name = target.partition(":parameter/")[2]
    return f"/{name}" if "/" in name else name
