"""Whether ECS can start a task of a task definition, and what it says if it cannot.

ECS does four things before a container runs, with the execution role: it gets a token for ECR, reads the secrets and
parameters, pulls the image, and creates the log stream. Source: Amazon ECS Developer Guide, "Amazon ECS task execution
IAM role" and "Stopped tasks error messages".

Source: Amazon ECS API Reference, Task and Container; stopped tasks are told of for an hour in AWS, here until the
sandbox ends.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from infraspec.ecs.references import EcrImage, ValueFrom, ValueStore, ecr_image, values_from
from infraspec.sandbox.overlay import trail
from infraspec.sandbox.overlay.decisions import SandboxIdentity, allowed, ask, of_role, refusal
from infraspec.sandbox.overlay.secret_keys import PARAMETER_REFUSED, REFUSED, KeyUse, reading_of, use_of
from infraspec.sandbox.overlay.targets import Place, RegisteredTarget

SCALING = "ServiceSchedulerInitiated"


def new_id() -> str:
    """Return the id of a task."""
    return uuid.uuid4().hex


def make(service: Any, definition: Any, deployment: str, identifier: str, index: int) -> dict[str, Any]:
    """Return a task that runs."""
    now = datetime.now(UTC)
    cluster = service.cluster_arn
    prefix = cluster.partition(":cluster/")[0]
    network = (service.network_configuration or {}).get("awsvpcConfiguration") or {}
    subnets = network.get("subnets") or ["subnet-00000000"]
    address = f"10.0.{index // 250}.{index % 250 + 4}"
    details = {"subnetId": subnets[index % len(subnets)], "networkInterfaceId": f"eni-{identifier[:17]}"}
    details |= {"privateIPv4Address": address}
    arn = f"{prefix}:task/{service.cluster_name}/{identifier}"
    containers = [
        {
            "containerArn": f"{prefix}:container/{service.cluster_name}/{identifier}/{uuid.uuid4()}",
            "taskArn": arn,
            "name": container["name"],
            "image": container.get("image"),
            **digest_of(container.get("image"), prefix.split(":")[4]),
            "runtimeId": f"{identifier}-{position:010d}",
            "lastStatus": "RUNNING",
            "healthStatus": "HEALTHY" if container.get("healthCheck") else "UNKNOWN",
            "networkInterfaces": [{"attachmentId": str(uuid.uuid4()), "privateIpv4Address": address}],
            "cpu": str(container.get("cpu") or 0),
        }
        for position, container in enumerate(definition.container_definitions)
    ]
    return {
        "taskArn": arn,
        "clusterArn": cluster,
        "taskDefinitionArn": definition.arn,
        "group": f"service:{service.name}",
        "startedBy": deployment,
        "launchType": service.launch_type or "FARGATE",
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "connectivity": "CONNECTED",
        "healthStatus": "HEALTHY"
        if any(one.get("healthCheck") for one in definition.container_definitions)
        else "UNKNOWN",
        "createdAt": now,
        "connectivityAt": now,
        "pullStartedAt": now,
        "pullStoppedAt": now,
        "startedAt": now,
        "cpu": definition.cpu,
        "memory": definition.memory,
        "availabilityZone": f"{prefix.split(':')[3]}a",
        "platformVersion": service.platform_version or "1.4.0",
        "platformFamily": "Linux",
        "enableExecuteCommand": bool(getattr(service, "enable_execute_command", False)),
        "version": 3,
        "containers": containers,
        "attachments": [
            {
                "id": str(uuid.uuid4()),
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [{"name": name, "value": value} for name, value in details.items()],
            }
        ],
        "tags": _tags(service, definition),
    }


def digest_of(image: str | None, account: str) -> dict[str, str]:
    """Return the digest of an image of the account, or that it is named by; nothing where it is not known."""
    found = ecr_image(image)
    if isinstance(found, EcrImage) and found.account == account:
        repository = ecr_backends[account][str(found.region)].repositories.get(found.repository)
        images = repository.images if repository is not None else ()
        return next(({"imageDigest": one.get_image_digest()} for one in images if _is(one, str(image))), {})
    _, _, digest = str(image).partition("@")
    return {"imageDigest": digest} if digest else {}


def _tags(service: Any, definition: Any) -> list[dict[str, str]]:
    own = {"SERVICE": service.tags, "TASK_DEFINITION": definition.tags}.get(service.propagate_tags) or []
    managed = [
        {"key": "aws:ecs:clusterName", "value": service.cluster_name},
        {"key": "aws:ecs:serviceName", "value": service.name},
    ]
    return [*own, *(managed if getattr(service, "enable_ecs_managed_tags", False) else [])]


def failed(task: dict[str, Any], reason: str) -> dict[str, Any]:
    """Return a task as it is after it could not start."""
    for name in ("startedAt", "connectivityAt", "pullStartedAt", "pullStoppedAt"):
        task.pop(name)
    for container in task["containers"]:
        container |= {"lastStatus": "STOPPED", "networkInterfaces": []}
        for name in ("runtimeId", "imageDigest"):
            container.pop(name, None)
    task["attachments"][0]["status"] = "DELETED"
    return stopped(task, reason, "TaskFailedToStart")


def stopped(task: dict[str, Any], reason: str, code: str) -> dict[str, Any]:
    """Return a task as it is after it was stopped."""
    now = datetime.now(UTC)
    for container in task["containers"]:
        container["lastStatus"] = "STOPPED"
    return task | {
        "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED",
        "stoppingAt": now,
        "stoppedAt": now,
        "executionStoppedAt": now,
        "stoppedReason": reason,
        "stopCode": code,
    }


RETRIEVAL = "ResourceInitializationError: unable to pull secrets or registry auth: "
_EXECUTION = f"{RETRIEVAL}execution resource retrieval failed: "
_FROM_SECRETS = f"{_EXECUTION}unable to retrieve secret from asm: service call has been retried 1 time(s): "
_FROM_PARAMETERS = f"{_EXECUTION}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
_LOGGING = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
    "failed to create Cloudwatch log stream: "
)
_PULLING = "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
_ASSUMING = (
    "ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role being "
    "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)
_MALFORMED = (
    "unable to retrieve secret from asm: unexpected ARN format with parameters when trying to retrieve ASM secret"
)
_NO_WAY = (
    f"{_EXECUTION}unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets "
    "Manager. Check your task network configuration. RequestCanceled: request context canceled caused by: context "
    "deadline exceeded"
)
_HTTPS = 443
_ARN_FIELDS = 7


def _is_https(rule: Any) -> bool:
    first, last = rule.from_port, rule.to_port
    return str(rule.ip_protocol) == "-1" or (first is not None and int(first) <= _HTTPS <= int(last))


class TaskStart(Place, frozen=True):
    """One attempt to start a task, in an account and region."""

    task: str = ""

    def failure(
        self, task_definition: Any, groups: Sequence[str] = (), *, execution_role: str | None = None
    ) -> str | None:
        """Return the stopped reason of a task of a task definition, None if it starts; a role may override its own.

        It has the security groups of `groups`; without any, nothing keeps it from AWS.
        """
        needed = list(self._needs_role(task_definition))
        role_arn = execution_role or getattr(task_definition, "execution_role_arn", None)
        if not needed:
            return None
        if not role_arn:
            return f"{RETRIEVAL}the task definition has no execution role, which {needed[0]} needs"
        role = of_role(self.account, self.partition, role_arn, self.task)
        if role is None:
            return _ASSUMING.format(role=role_arn)
        containers = task_definition.container_definitions
        if any(one.get("secrets") for one in containers) and not self._has_way_out(groups):
            return _NO_WAY
        checks = (self._token, self._secrets, self._image, self._logs)
        return next((reason for check in checks for one in containers for reason in check(role, one)), None)

    def _has_way_out(self, groups: Sequence[str]) -> bool:
        """Tell whether one of the security groups lets HTTPS out."""
        backend = ec2_backends[self.account][self.region]
        found = [backend.get_security_group_from_id(one) for one in groups]
        rules = [rule for group in found if group is not None for rule in group.egress_rules]
        return not any(found) or any(_is_https(rule) for rule in rules)

    def _needs_role(self, task_definition: Any) -> Iterator[str]:
        for container in task_definition.container_definitions:
            if isinstance(ecr_image(container.get("image")), EcrImage):
                yield "an image in Amazon ECR"
            if container.get("secrets"):
                yield "a secret"
            if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
                yield "the awslogs driver"

    def _refused(self, role: SandboxIdentity, action: str, resource: str, **more: Any) -> str | None:
        decision = ask(role, action, resource, account=self.account, region=self.region, **more)
        return None if allowed(role, decision) else refusal(role, action, resource, decision)

    def _denied(self, message: str) -> str:
        return f"AccessDeniedException: {message} status code: 400, request id: {uuid.uuid4()}"

    def _token(self, role: SandboxIdentity, container: dict[str, Any]) -> Iterator[str]:
        if not isinstance(ecr_image(container.get("image")), EcrImage):
            return
        refused = self._refused(role, "ecr:GetAuthorizationToken", "*")
        if refused:
            yield (
                f"{_EXECUTION}unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
                + self._denied(refused)
            )

    def _image(self, role: SandboxIdentity, container: dict[str, Any]) -> Iterator[str]:
        image = ecr_image(container.get("image"))
        if not isinstance(image, EcrImage) or image.account != self.account:
            return
        name = str(container["image"])
        repository = ecr_backends[self.account][str(image.region)].repositories.get(image.repository)
        prefix = f"{_PULLING}failed to resolve ref {name}: "
        arn = f"arn:{self.partition}:ecr:{image.region}:{self.account}:repository/{image.repository}"
        for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
            if self._refused(role, action, arn):
                host = name.partition("/")[0]
                yield f"{prefix}pulling from host {host} failed with status code 403 Forbidden"
        if repository is None or not any(_is(one, name) for one in repository.images):
            yield f"{prefix}{name}: not found"

    def _logs(self, role: SandboxIdentity, container: dict[str, Any]) -> Iterator[str]:
        log = container.get("logConfiguration") or {}
        options = log.get("options") or {}
        group = options.get("awslogs-group")
        if log.get("logDriver") != "awslogs" or not group:
            return
        region = options.get("awslogs-region") or self.region
        prefix = options.get("awslogs-stream-prefix")
        stream = f"{prefix}/{container['name']}/{self.task}" if prefix else self.task
        head = f"arn:{self.partition}:logs:{region}:{self.account}:log-group:{group}"
        if group not in logs_backends[self.account][region].groups:
            if str(options.get("awslogs-create-group")).lower() != "true":
                yield f"{_LOGGING}ResourceNotFoundException: The specified log group does not exist. : exit status 1"
                return
            refused = self._refused(role, "logs:CreateLogGroup", f"{head}:log-stream:")
            if refused:
                yield f"{_LOGGING}{self._denied(refused)} : exit status 1"
        refused = self._refused(role, "logs:CreateLogStream", f"{head}:log-stream:{stream}")
        if refused:
            yield f"{_LOGGING}{self._denied(refused)} : exit status 1"

    def _secrets(self, role: SandboxIdentity, container: dict[str, Any]) -> Iterator[str]:
        for text in values_from(container):
            value = ValueFrom.parse(text)
            if value.problem and not value.partial:
                yield _EXECUTION + _MALFORMED
            elif value.store is ValueStore.SECRETS_MANAGER:
                yield from self._secret(role, text, value)
            else:
                yield from self._parameter(role, str(value.target))

    def _secret(self, role: SandboxIdentity, text: str, value: ValueFrom) -> Iterator[str]:
        arn, region = str(value.target), str(value.region)
        key, stage, version = (*text.split(":")[_ARN_FIELDS:], "", "", "")[:3]
        fetching = f"{_FROM_SECRETS}failed to fetch secret {arn} from secrets manager: "
        secret = next(
            (one for one in secretsmanager_backends[self.account][region].secrets.values() if one.arn == arn), None
        )
        about = RegisteredTarget.of(arn, getattr(secret, "policy", None), getattr(secret, "tags", ()))
        action = "secretsmanager:GetSecretValue"
        refused = self._refused(role, action, arn, resource_policies=about.policies, tags=about.tags)
        error = ("AccessDenied", refused) if refused else None
        trail.keep(self, "secretsmanager", role, "GetSecretValue", {"secretId": arn}, error=error)
        if refused:
            yield fetching + self._denied(refused)
        elif secret is None:
            yield f"{fetching}ResourceNotFoundException: Secrets Manager can't find the specified secret."
        elif secret.is_deleted():
            yield (
                f"{fetching}InvalidRequestException: You can't perform this operation on the secret because it was "
                "marked for deletion."
            )
        elif use_of(Place(self.account, region, self.partition), role, arn, secret.kms_key_id) is not KeyUse.USABLE:
            yield fetching + self._denied(REFUSED)
        else:
            yield from self._content(secret, key, stage or "AWSCURRENT", version, fetching)

    def _content(self, secret: Any, key: str, stage: str, version: str, fetching: str) -> Iterator[str]:
        held = [
            one
            for identifier, one in secret.versions.items()
            if (identifier == version if version else stage in one["version_stages"])
        ]
        if not held:
            sought = f"VersionId: {version}" if version else f"staging label: {stage}"
            missing = f"Secrets Manager can't find the specified secret value for {sought}"
            yield f"{fetching}ResourceNotFoundException: {missing}"
        elif key and key not in _json(held[0].get("secret_string")):
            yield f"{_FROM_SECRETS}retrieved secret from Secrets Manager did not contain json key {key}"

    def _parameter(self, role: SandboxIdentity, target: str) -> Iterator[str]:
        name = target.partition(":parameter")[2] if target.startswith("arn:") else target
        path = name if name.startswith("/") else f"/{name}"
        refused = self._refused(role, "ssm:GetParameters", self.arn("ssm", f"parameter{path}"))
        backend = ssm_backends[self.account][self.region]
        found = [
            one for text in (name, path, name.removeprefix("/")) for one in backend.get_parameters([text]).values()
        ]
        if refused:
            yield _FROM_PARAMETERS + self._denied(refused)
        elif not found:
            yield f"{_FROM_PARAMETERS}invalid parameters: {name}"
        elif reading_of(Place(self.account, self.region, self.partition), role, found[0]) is not KeyUse.USABLE:
            yield _FROM_PARAMETERS + self._denied(PARAMETER_REFUSED)


def _is(image: Any, name: str) -> bool:
    reference = name.partition("/")[2]
    if "@" in reference:
        return bool(image.get_image_digest() == reference.partition("@")[2])
    return (reference.partition(":")[2] or "latest") in image.image_tags


def _json(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
