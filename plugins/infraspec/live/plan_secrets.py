"""The secrets that exist, with their resource policies; never their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infraspec.errors import ResourceRefusalError
from infraspec.live.references import referenced
from infraspec.live.scope import Scope, json_text, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource
from infraspec.unknown import RefusedRead, Unknown, Value

_SECRET, _POLICY = "aws_secretsmanager_secret", "aws_secretsmanager_secret_policy"
_ATTRIBUTES = {"ARN": "arn", "Name": "name", "KmsKeyId": "kms_key_id", "Description": "description"}


def listed_secrets(scope: Scope) -> tuple[Mapping[str, Any], ...]:
    """Return what is said of every secret of the account, those whose deletion is scheduled among them."""
    return scope.calls.pages("secretsmanager", "list_secrets", "SecretList", IncludePlannedDeletion=True)


def secret_resources(scope: Scope, managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the secrets and their policies."""
    used = referenced(managed("aws_ecs_task_definition"), ":secretsmanager:")
    for secret in listed_secrets(scope):
        arn, name, tags = secret["ARN"], secret["Name"], tag_map(secret.get("Tags"))
        if arn not in used and not scope.belongs(_SECRET, name, tags=tags):
            continue
        values = {**chosen(secret, _ATTRIBUTES), "id": arn}
        resource = scope.resource(_SECRET, name, address=arn, values=values, tags=tags)
        policy = _policy_text(scope, arn)
        if policy is None:
            yield resource
            continue
        source = _policy_of(scope, arn)
        if source is None and _is_argument(scope, name):
            yield scope.resource(_SECRET, name, address=arn, values={**values, "policy": policy}, tags=tags)
            continue
        yield resource
        held = {"secret_arn": arn, "policy": policy}
        yield scope.resource(_POLICY, arn, address=f"{arn} policy", values=held, source=source)


def _policy_text(scope: Scope, arn: str) -> Value:
    """Return the policy of a secret, None if it has none, Unknown if it keeps the runner out."""
    try:
        answer = scope.calls.ask("secretsmanager", "get_resource_policy", SecretId=arn, absent=_ABSENT) or {}
    except ResourceRefusalError as error:
        return Unknown(f"the policy of {arn}, which keeps the runner out,", RefusedRead(error.remedy))
    return json_text(answer.get("ResourcePolicy"))


_ABSENT = ("ResourceNotFoundException",)


def _is_argument(scope: Scope, name: str) -> bool:
    """Tell whether the source gives a secret its policy as an argument."""
    found = scope.sources.find(_SECRET, (name,))
    return found is not None and found.sets("policy")


def _policy_of(scope: Scope, arn: str) -> Resource | None:
    """Return the policy of the source that is attached to a secret."""
    return scope.sources.find(_POLICY, (arn,))
