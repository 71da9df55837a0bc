"""What AWS refuses whoever asks, and moto takes: states, sizes and limits of the services, in one table by operation.

Sources: AWS Secrets Manager API Reference, PutSecretValue and "Quotas"; AWS KMS Developer Guide, "Key states of AWS KMS
keys"; AWS Systems Manager API Reference, PutParameter; IAM User Guide, "IAM and AWS STS quotas"; Amazon SNS API
Reference, Publish; Amazon ECS Developer Guide, "Amazon ECS task definition parameters for Fargate", "Task size";
Amazon ECS API Reference, ContainerDefinition (environmentFiles), DeleteCluster, RunTask, CreateService and
UpdateService; Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of public".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from moto.ecs.models import ecs_backends
from moto.iam.models import iam_backends
from msgspec import Struct

from infraspec.sandbox.overlay.targets import Parameters, Place, key_of, secret_of


class Refused(Struct, frozen=True):
    """An error that AWS answers."""

    code: str
    message: str
    status: int = 400


_Check: TypeAlias = Callable[[Parameters, Place], Refused | None]
_KEY_ID = 36
_SECRET, _MESSAGE = 65536, 262144
_PARAMETER = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}


def refused(service: str, action: str, parameters: Parameters, place: Place) -> Refused | None:
    """Return what AWS answers to a request that it does not take, None if it does."""
    checks = _CHECKS.get((service, action), ())
    return next((error for check in checks if (error := check(parameters, place)) is not None), None)


def _deleted_secret(parameters: Parameters, place: Place) -> Refused | None:
    secret = secret_of(place, str(parameters.get("SecretId")))
    if secret is None or not secret.is_deleted():
        return None
    message = "You can't perform this operation on the secret because it was marked for deletion."
    return Refused("InvalidRequestException", message)


def _big_secret(parameters: Parameters, _: Place) -> Refused | None:
    for name in ("SecretString", "SecretBinary"):
        if _size(parameters.get(name)) > _SECRET:
            return _too_long(f"{name[0].lower()}{name[1:]}", _SECRET)
    return None


def _too_long(name: str, most: int) -> Refused:
    constraint = f"Member must have length less than or equal to {most}"
    message = f"1 validation error detected: Value at '{name}' failed to satisfy constraint: {constraint}"
    return Refused("ValidationException", message)


def _size(value: Any) -> int:
    if value is None:
        return 0
    return len(value if isinstance(value, bytes) else str(value).encode())


def _big_parameter(parameters: Parameters, _: Place) -> Refused | None:
    tier = str(parameters.get("Tier") or "Standard")
    most = _PARAMETER.get(tier, _PARAMETER["Standard"])
    if _size(parameters.get("Value")) <= most:
        return None
    kind = "Standard" if tier == "Standard" else "Advanced"
    message = f"{kind} tier parameters support a maximum parameter value of {most} characters."
    return Refused("ValidationException", message)


def _big_message(parameters: Parameters, _: Place) -> Refused | None:
    attributes = parameters.get("MessageAttributes") or {}
    texts = [part for name, value in attributes.items() for part in (name, *map(str, value.values()))]
    if _size(parameters.get("Message")) + sum(map(_size, texts)) <= _MESSAGE:
        return None
    return Refused("InvalidParameter", "Invalid parameter: Message too long")


def _unusable_key(parameters: Parameters, place: Place) -> Refused | None:
    """Refuse a key that is disabled or to be deleted; a ciphertext begins with the key that it is under."""
    for name in (parameters.get("KeyId"), parameters.get("SourceKeyId"), parameters.get("DestinationKeyId")):
        if name and (error := _key_state(key_of(place, str(name)))):
            return error
    sealed = parameters.get("CiphertextBlob")
    return _key_state(key_of(place, _key_within(sealed))) if sealed else None


def _key_within(sealed: Any) -> str:
    try:
        data = sealed if isinstance(sealed, bytes) else base64.b64decode(sealed)
    except (binascii.Error, ValueError):
        return ""
    opened = data[:_KEY_ID]
    return opened.decode(errors="replace")


def _key_state(key: Any) -> Refused | None:
    state = getattr(key, "key_state", "Enabled")
    if state == "Disabled":
        return Refused("DisabledException", f"{key.arn} is disabled.")
    return (
        Refused("KMSInvalidStateException", f"{key.arn} is pending deletion.") if state == "PendingDeletion" else None
    )


def _inline(kind: str, most: int) -> _Check:
    def check(parameters: Parameters, place: Place) -> Refused | None:
        name = str(parameters.get(f"{kind.title()}Name"))
        backend = iam_backends[place.account][place.partition]
        known = {"role": backend.roles, "user": backend.users, "group": backend.groups}[kind]
        entity = next((one for one in known.values() if one.name == name), None)
        others = [text for own, text in getattr(entity, "policies", {}).items() if own != parameters.get("PolicyName")]
        if sum(map(_letters, [*others, parameters.get("PolicyDocument")])) <= most:
            return None
        return Refused("LimitExceeded", f"Maximum policy size of {most} bytes exceeded for {kind} {name}", 409)

    return check


def _document(parameter: str, quota: str, most: int) -> _Check:
    def check(parameters: Parameters, _: Place) -> Refused | None:
        if _letters(parameters.get(parameter)) <= most:
            return None
        return Refused("LimitExceeded", f"Cannot exceed quota for {quota}: {most}", 409)

    return check


def _letters(text: Any) -> int:
    """Return the size of a policy; IAM does not count white space."""
    return len(re.sub(r"\s", "", text if isinstance(text, str) else json.dumps(text))) if text else 0


def _inactive(parameters: Parameters, place: Place) -> Refused | None:
    name = str(parameters.get("taskDefinition") or "").rpartition("/")[2]
    family, _, revision = name.partition(":")
    known = ecs_backends[place.account][place.region].task_definitions.get(family, {})
    found = known.get(int(revision)) if revision.isdigit() else None
    if found is None or found.status == "ACTIVE":
        return None
    return Refused("ClientException", "TaskDefinition is inactive")


def _occupied_cluster(parameters: Parameters, place: Place) -> Refused | None:
    name = str(parameters.get("cluster")).rpartition("/")[2]
    backend = ecs_backends[place.account][place.region]
    cluster = backend.clusters.get(name)
    if cluster is None:
        return None
    if any(one.cluster_arn == cluster.arn and one.status == "ACTIVE" for one in backend.services.values()):
        return Refused("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
    if cluster.running_tasks_count:
        return Refused("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    return None


def _steps(first: int, last: int, step: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1, step))


_GIGABYTE = 1024
_SIZES: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: _steps(1024, 4096, _GIGABYTE),
    1024: _steps(2048, 8192, _GIGABYTE),
    2048: _steps(4096, 16384, _GIGABYTE),
    4096: _steps(8192, 30720, _GIGABYTE),
    8192: _steps(16384, 61440, 4 * _GIGABYTE),
    16384: _steps(32768, 122880, 8 * _GIGABYTE),
}
"""The memory, in MiB, that a task on Fargate may have with so many CPU units. Larger sizes are not known, and pass."""


def _fargate_size(parameters: Parameters, _: Place) -> Refused | None:
    if "FARGATE" not in (parameters.get("requiresCompatibilities") or ()):
        return None
    for name in ("cpu", "memory"):
        if not parameters.get(name):
            return Refused("ClientException", f"Fargate requires that '{name}' be defined at the task level.")
    cpu, memory = _amount(parameters["cpu"], "vcpu"), _amount(parameters["memory"], "gb")
    if cpu is None or memory is None:
        return Refused("ClientException", "Invalid setting for cpu or memory of the task.")
    if cpu > max(_SIZES) or memory in _SIZES.get(cpu, ()):
        return None
    return Refused("ClientException", f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.")


def _amount(value: Any, unit: str) -> int | None:
    """Return an amount such as 512, "0.5 vCPU" or "2 GB" in units of 1/1024."""
    match = re.fullmatch(r"\s*(\d*\.?\d+)\s*([A-Za-z]*)\s*", str(value))
    if match is None or match[2].lower() not in {"", unit}:
        return None
    return round(float(match[1]) * (_GIGABYTE if match[2] else 1))


_MOST_FILES = 10


def _many_files(parameters: Parameters, _: Place) -> Refused | None:
    for container in parameters.get("containerDefinitions") or ():
        if len(container.get("environmentFiles") or ()) > _MOST_FILES:
            return Refused("ClientException", f"Too many environment files. The limit is {_MOST_FILES}.")
    return None


_LIMITING = {
    "aws:principalorgid", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount",
    "aws:sourceip", "aws:userid", "aws:principalarn", "aws:principalaccount", "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id",
}  # fmt: skip
"""Keys that a policy of a bucket is not public with, if they have fixed values."""


def is_public(policy: str | bytes) -> bool:
    """Tell whether S3 takes the policy of a bucket for public."""
    statements = json.loads(policy).get("Statement", ())
    return any(map(_lets_everybody, [statements] if isinstance(statements, Mapping) else statements))


def _lets_everybody(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, Mapping) else principal
    everybody = "*" in (named if isinstance(named, list) else [named])
    return statement.get("Effect") == "Allow" and everybody and not _is_limited(statement.get("Condition") or {})


def _is_limited(condition: Mapping[str, Any]) -> bool:
    for operator, tests in condition.items():
        if operator.lower().endswith("ifexists") or "not" in operator.lower():
            continue
        for key, values in tests.items():
            given = values if isinstance(values, list) else [values]
            if key.lower() in _LIMITING and not any(map(_is_open, given)):
                return True
    return False


def _is_open(value: Any) -> bool:
    return bool(set("*?$") & set(str(value))) or str(value).endswith("/0")


def _each(service: str, actions: str, *checks: _Check) -> Iterable[tuple[tuple[str, str], tuple[_Check, ...]]]:
    return (((service, action), checks) for action in actions.split())


_CHECKS: Mapping[tuple[str, str], tuple[_Check, ...]] = dict(
    [
        *_each("secretsmanager", "CreateSecret", _big_secret),
        *_each("secretsmanager", "PutSecretValue UpdateSecret", _deleted_secret, _big_secret),
        *_each("secretsmanager", "GetSecretValue RotateSecret UpdateSecretVersionStage", _deleted_secret),
        *_each(
            "kms",
            "Encrypt Decrypt ReEncrypt GenerateDataKey GenerateDataKeyWithoutPlaintext Sign Verify GenerateMac "
            "VerifyMac CreateGrant",
            _unusable_key,
        ),
        *_each("ssm", "PutParameter", _big_parameter),
        *_each("sns", "Publish", _big_message),
        *_each("iam", "PutRolePolicy", _inline("role", 10240)),
        *_each("iam", "PutUserPolicy", _inline("user", 2048)),
        *_each("iam", "PutGroupPolicy", _inline("group", 5120)),
        *_each("iam", "CreatePolicy CreatePolicyVersion", _document("PolicyDocument", "PolicySize", 6144)),
        *_each("iam", "CreateRole", _document("AssumeRolePolicyDocument", "ACLSizePerRole", 2048)),
        *_each("iam", "UpdateAssumeRolePolicy", _document("PolicyDocument", "ACLSizePerRole", 2048)),
        *_each("ecs", "RegisterTaskDefinition", _fargate_size, _many_files),
        *_each("ecs", "RunTask CreateService UpdateService", _inactive),
        *_each("ecs", "DeleteCluster", _occupied_cluster),
    ]
)
"""By service and operation, what is looked at, in this order."""
