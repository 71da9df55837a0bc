"""The customer managed KMS keys that exist, with their aliases and policies.

A key has no name: it is the source's if an alias of it is, or by its tag Name. What a key does not show the
runner is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infraspec.errors import ResourceRefusalError
from infraspec.live.scope import Scope, json_text
from infraspec.terraform.plan import Resource
from infraspec.unknown import RefusedRead, Unknown, Value

_KEY, _ALIAS, _POLICY = "aws_kms_key", "aws_kms_alias", "aws_kms_key_policy"
_USERS = (("aws_secretsmanager_secret", "kms_key_id"), ("aws_ssm_parameter", "key_id"))
_OF_AWS = "alias/aws/"
_ABSENT = ("NotFoundException",)


def key_resources(scope: Scope, managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the keys of the environment, and those that its secrets and parameters are under."""
    aliases: dict[str, list[str]] = {}
    for alias in scope.calls.pages("kms", "list_aliases", "Aliases"):
        if alias.get("TargetKeyId") and not alias["AliasName"].startswith(_OF_AWS):
            aliases.setdefault(alias["TargetKeyId"], []).append(alias["AliasName"])
    for key in _wanted(scope, managed, aliases):
        names = aliases.get(key, [])
        metadata = _described(scope, key)
        if metadata.get("KeyManager", "CUSTOMER") != "CUSTOMER" or not metadata:
            continue
        yield from _of_key(scope, metadata["Arn"], key, names)
        for name in names:
            arn = scope.arn("kms", name)
            values = {"name": name, "arn": arn, "id": name, "target_key_id": key, "target_key_arn": metadata["Arn"]}
            yield scope.resource(_ALIAS, name, address=arn, values=values)


def _described(scope: Scope, key: str) -> Mapping[str, Any]:
    """Return what KMS says of a key, nothing if there is none; no more than its ARN if it keeps the runner out."""
    try:
        found = scope.calls.ask("kms", "describe_key", KeyId=key, absent=_ABSENT)
    except ResourceRefusalError:
        return {"Arn": scope.arn("kms", f"key/{key}")}
    return found["KeyMetadata"] if found else {}


def _policy_text(scope: Scope, key: str, arn: str) -> Value:
    """Return the policy of a key, Unknown if it keeps the runner out: without one, the account's own would count."""
    try:
        answer = scope.calls.ask("kms", "get_key_policy", KeyId=key, PolicyName="default") or {}
    except ResourceRefusalError as error:
        return Unknown(f"the policy of {arn}, which keeps the runner out,", RefusedRead(error.remedy))
    return json_text(answer.get("Policy"))


def _of_key(scope: Scope, arn: str, key: str, names: list[str]) -> Iterator[Resource]:
    tags = scope.tags_of(arn)
    known = scope.sources.named(_KEY, key)
    known = known or next((one for name in names if (one := scope.sources.key_of_alias(name)) is not None), None)
    source = known or scope.sources.keys_by_name.get(tags.get("Name", ""))
    values: dict[str, Value] = {"arn": arn, "key_id": key, "id": key, "policy": _policy_text(scope, key, arn)}
    attached = _policy_of(scope, source)
    if attached is not None:
        held = {"key_id": key, "policy": values.pop("policy")}
        yield scope.resource(_POLICY, key, address=f"{arn} policy", values=held, source=attached)
    yield scope.resource(_KEY, key, address=arn, values=values, tags=tags, source=source)


def _policy_of(scope: Scope, key: Resource | None) -> Resource | None:
    """Return the aws_kms_key_policy of the source that is about a key of it."""
    if key is None:
        return None
    policies = scope.sources.plan.managed(_POLICY)
    return next((one for one in policies if scope.sources.named(_KEY, one.get("key_id")) is key), None)


def _wanted(scope: Scope, managed: Callable[..., tuple[Resource, ...]], aliases: dict[str, list[str]]) -> Iterator[str]:
    """Yield the ids of the keys to look at, each once."""
    by_alias = {name: key for key, names in aliases.items() for name in names}
    wanted = {key: None for key, names in aliases.items() if any(scope.belongs(_ALIAS, name) for name in names)}
    for arn, tags in scope.tagged.items():
        if ":kms:" in arn and ":key/" in arn and scope.membership.by_tags(tags):
            wanted[_id(arn)] = None
    for type_, attribute in _USERS:
        for user in managed(type_):
            named = user.get(attribute)
            if isinstance(named, str) and _OF_AWS not in named:
                key = by_alias.get(named[named.index("alias/") :], "") if "alias/" in named else named
                if key and (not key.startswith("arn:") or f":{scope.calls.account}:" in key):
                    wanted[_id(key)] = None
    yield from wanted


def _id(key: str) -> str:
    return key.rpartition("/")[2]
