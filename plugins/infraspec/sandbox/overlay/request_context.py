"""What a request tells the evaluator beside who asks and for what: the condition keys that its parameters fill.

Sources: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Condition keys for …" of
each service. A key is there if the request has the parameter, and absent otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infraspec.sandbox.overlay.targets import Parameters, Place

_SOURCE = "127.0.0.1"
"""The address of whoever asks the sandbox: it listens to this machine alone."""
_KEYS: Mapping[str, Mapping[str, str]] = {
    "cloudwatch": {"cloudwatch:namespace": "Namespace"},
    "ecs": {
        "ecs:cluster": "cluster",
        "ecs:service": "service",
        "ecs:task-definition": "taskDefinition",
        "ecs:task": "task",
        "ecs:container-name": "container",
        "ecs:enable-execute-command": "enableExecuteCommand",
        "ecs:enable-ecs-managed-tags": "enableECSManagedTags",
        "ecs:propagate-tags": "propagateTags",
        "ecs:compute-compatibility": "requiresCompatibilities",
        "ecs:task-cpu": "cpu",
        "ecs:task-memory": "memory",
    },
    "events": {"events:EventBusArn": "EventBusName", "events:ScheduleExpression": "ScheduleExpression"},
    "iam": {"iam:PolicyARN": "PolicyArn", "iam:PermissionsBoundary": "PermissionsBoundary"},
    "kms": {
        "kms:KeySpec": "KeySpec",
        "kms:KeyUsage": "KeyUsage",
        "kms:EncryptionAlgorithm": "EncryptionAlgorithm",
        "kms:ScheduleKeyDeletionPendingWindowInDays": "PendingWindowInDays",
        "kms:GranteePrincipal": "GranteePrincipal",
        "kms:GrantOperations": "Operations",
    },
    "lambda": {"lambda:Principal": "Principal", "lambda:FunctionUrlAuthType": "FunctionUrlAuthType"},
    "secretsmanager": {
        "secretsmanager:Name": "Name",
        "secretsmanager:SecretId": "SecretId",
        "secretsmanager:VersionId": "VersionId",
        "secretsmanager:VersionStage": "VersionStage",
        "secretsmanager:KmsKeyId": "KmsKeyId",
        "secretsmanager:RotationLambdaARN": "RotationLambdaARN",
        "secretsmanager:BlockPublicPolicy": "BlockPublicPolicy",
        "secretsmanager:RecoveryWindowInDays": "RecoveryWindowInDays",
        "secretsmanager:ForceDeleteWithoutRecovery": "ForceDeleteWithoutRecovery",
    },
    "sns": {"sns:Protocol": "Protocol", "sns:Endpoint": "Endpoint"},
    "ssm": {"ssm:Overwrite": "Overwrite", "ssm:Recursive": "Recursive", "ssm:Policies": "Policies"},
    "sts": {
        "sts:ExternalId": "ExternalId",
        "sts:RoleSessionName": "RoleSessionName",
        "sts:SourceIdentity": "SourceIdentity",
        "sts:DurationSeconds": "DurationSeconds",
    },
}
"""By service, the parameter of a request that fills a condition key."""
_ARNS: Mapping[str, str] = {
    "ecs:cluster": "cluster/{name}",
    "ecs:service": "service/{cluster}/{name}",
    "ecs:task": "task/{cluster}/{name}",
    "ecs:task-definition": "task-definition/{name}",
    "events:EventBusArn": "event-bus/{name}",
}
"""Keys that are ARNs, also where a request says a name."""


def keys_of(service: str, parameters: Parameters, place: Place) -> dict[str, Any]:
    """Return the condition keys of a request of a service."""
    found: dict[str, Any] = {"aws:SourceIp": _SOURCE, **_tags(parameters)}
    if service == "kms":
        found["kms:CallerAccount"] = place.account
        context = parameters.get("EncryptionContext") or {}
        found |= {f"kms:EncryptionContext:{name}": str(value) for name, value in context.items()}
    for key, parameter in _KEYS.get(service, {}).items():
        value = parameters.get(parameter)
        if value is not None:
            found[key] = _arn(key, value, parameters, place) if key in _ARNS else _plain(value)
    return found


def _arn(key: str, value: Any, parameters: Parameters, place: Place) -> str:
    if str(value).startswith("arn:"):
        return str(value)
    cluster = str(parameters.get("cluster") or "default").rpartition("/")[2]
    return place.arn(key.partition(":")[0], _ARNS[key].format(cluster=cluster, name=value))


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return value if isinstance(value, bool) else str(value)


def _tags(parameters: Parameters) -> dict[str, Any]:
    """Return what a request says of tags, in each of the forms that services have for them."""
    given = next((parameters[name] for name in ("Tags", "tags", "TagList") if parameters.get(name)), ())
    pairs = dict(given) if isinstance(given, Mapping) else dict(_pairs(given))
    removed = parameters.get("TagKeys") or parameters.get("tagKeys") or ()
    names = [*pairs, *removed]
    told = {f"aws:RequestTag/{name}": str(value) for name, value in pairs.items()}
    return told | ({"aws:TagKeys": names} if names else {})


def _pairs(tags: Any) -> Iterator[tuple[str, str]]:
    for tag in tags:
        if isinstance(tag, Mapping):
            name = tag.get("Key") or tag.get("key") or tag.get("TagKey")
            value = tag.get("Value") or tag.get("value") or tag.get("TagValue") or ""
            if name:
                yield str(name), str(value)
