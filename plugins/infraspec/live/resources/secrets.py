"""The secrets, parameters and customer managed keys that exist, with their policies; never their values.

A key has no name: it is the source's if an alias of it is, or by its tag Name. Source: AWS Systems Manager API
Reference, DescribeParameters and ParameterStringFilter (50 values).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infraspec.aws.calls import Calls
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.unknown import Unknown, Value
from infraspec.live.resources.api_to_terraform import json_text, tag_map
from infraspec.live.resources.containers import parameter_names, referenced
from infraspec.live.resources.reading import LISTINGS, Entry, Peculiarity, Values, entries, shown_of, values_of
from infraspec.live.resources.scope import LiveScope, refused
from infraspec.live.resources.workloads import named_roles
from infraspec.resource_types.listing import ApiCall
from infraspec.terraform.plan import Resource

ROLE, POLICY = "aws_iam_role", "aws_iam_policy"
INLINE, ATTACHMENT = "aws_iam_role_policy", "aws_iam_role_policy_attachment"
_GONE = ("NoSuchEntity", "NoSuchEntityException")


def roles(scope: LiveScope) -> Iterator[Resource]:
    """Yield the roles of the environment and those that its workloads name, each with what is attached to it."""
    own = f":iam::{scope.calls.account}:role/"
    definitions = scope.managed("aws_ecs_task_definition")
    named = [one.stated(role) for one in definitions for role in ("execution_role_arn", "task_role_arn")]
    named += named_roles(scope)
    names = {arn.rpartition("/")[2]: arn for arn in named if isinstance(arn, str) and own in arn}
    listed = _listed(scope, ROLE, "list_roles", "Roles", "RoleName")
    names = {name: "" for name in listed if scope.belongs(ROLE, {"name": name})} | names
    details = _details(scope, "RoleDetailList", "RoleName")
    told = {name: {**listed[name], **details[name]} for name in names if listed.get(name) and name in details}
    each = [{"RoleName": name} for name in names if name not in told]
    scope.calls.ahead("iam", "get_role", each, absent=_GONE)
    scope.calls.ahead("iam", "list_role_policies", each, "PolicyNames")
    scope.calls.ahead("iam", "list_attached_role_policies", each, "AttachedPolicies")
    for name, arn in names.items():
        yield from _role(scope, name, arn, told.get(name, {}))


def policies(scope: LiveScope) -> Iterator[Resource]:
    """Yield the customer managed policies of the environment, and those that its roles have or are limited by."""
    attached = [one.stated("policy_arn") for one in scope.managed(ATTACHMENT)]
    named = (*(role.stated("permissions_boundary") for role in scope.managed(ROLE)), *attached)
    listed = _listed(scope, POLICY, "list_policies", "Policies", "Arn", Scope="Local")
    belonging = (arn for arn in listed if scope.belongs(POLICY, {"name": arn.rpartition("/")[2]}))
    own = f":iam::{scope.calls.account}:policy/"
    details = _details(scope, "Policies", "Arn")
    wanted = [arn for arn in dict.fromkeys((*named, *belonging)) if isinstance(arn, str) and own in arn]
    scope.calls.ahead("iam", "get_policy", [{"PolicyArn": arn} for arn in wanted], absent=_GONE)
    for arn in wanted:
        yield from _policy(scope, arn, details.get(arn, {}))


def _listed(
    scope: LiveScope, type_: str, operation: str, key: str, name: str, **chosen: str
) -> dict[str, Mapping[str, Any]]:
    """Return what IAM lists of a type by name; where it may not be listed, the names that the source has of it."""
    try:
        return {one[name]: one for one in scope.calls.pages("iam", operation, key, **chosen)}
    except RunnerPermissionError as error:
        scope.refused.setdefault(type_, error)
        return {identity[-1]: {} for identity in scope.sources.names(type_)}


def _details(scope: LiveScope, key: str, name: str) -> dict[str, Mapping[str, Any]]:
    """Return all that IAM says of its roles or policies in few calls, by name; nothing where that may not be asked.

    Each is asked for by itself then. Source: IAM API Reference, GetAccountAuthorizationDetails: of a role it says all
    but the description and the longest session, which ListRoles has.
    """
    try:
        found = scope.calls.pages("iam", "get_account_authorization_details", key, Filter=[DETAILS[key]])
    except RunnerPermissionError:
        return {}
    return {one[name]: one for one in found}


DETAILS = {
    "UserDetailList": "User",
    "GroupDetailList": "Group",
    "RoleDetailList": "Role",
    "Policies": "LocalManagedPolicy",
}
"""Where the answer has what, by the filter that asks for it alone."""


IDENTITY_READERS = {ROLE: roles, INLINE: roles, ATTACHMENT: roles, POLICY: policies}


def _role(scope: LiveScope, name: str, arn: str, detail: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield a role and what is attached to it; nothing if there is no such role, as a task definition may name one."""
    try:
        answer = {"Role": detail} if detail else scope.calls.ask("iam", "get_role", RoleName=name, absent=_GONE)
    except RunnerPermissionError as error:
        attributes = ("arn", "id", "assume_role_policy", *LISTINGS[ROLE].attributes)
        hidden = {one: refused(f"{one} of the role {name}", error) for one in attributes}
        values: Values = {**hidden, "name": name, **({"arn": arn} if arn else {})}
        tags: Mapping[str, str] | Unknown = refused(f"the tags of the role {name}", error)
    else:
        if answer is None:
            return
        values, tags = values_of(scope, ROLE, answer["Role"]), tag_map(answer["Role"].get("Tags"))
        values["assume_role_policy"] = json_text(answer["Role"].get("AssumeRolePolicyDocument"))
    inline = list(_inline(scope, name, detail))
    attached = list(_attached(scope, name, detail))
    source = scope.sources.find(ROLE, (name,))
    blocks, listed = (source.stated(one) if source and source.sets(one) else None for one in _OF_THE_ROLE)
    written = blocks if isinstance(blocks, list | tuple) else ()
    own = {str(one.get("name")) for one in written if isinstance(one, Mapping)}
    if own:
        unseen = next((named for named, _ in inline if isinstance(named, Unknown)), None)
        shown = [{"name": named, "policy": document} for named, document in inline if named in own]
        values["inline_policy"] = shown if unseen is None else unseen
    if listed is not None:
        unseen = next((policy for policy in attached if isinstance(policy, Unknown)), None)
        values["managed_policy_arns"] = attached if unseen is None else unseen
        attached = [policy for policy in attached if scope.sources.possible(ATTACHMENT, (name, str(policy)))]
    yield scope.resource(ROLE, values, tags=tags, address=str(values["arn"]))
    for named, document in inline:
        if named not in own:
            held = {"role": name, "name": named, "policy": document}
            yield scope.resource(INLINE, held, address=f"{values['arn']} inline policy {named}")
    for policy in attached:
        yield scope.resource(ATTACHMENT, {"role": name, "policy_arn": policy}, address=f"{values['arn']} with {policy}")


_OF_THE_ROLE = ("inline_policy", "managed_policy_arns")
"""What the source may write as arguments of a role, in place of resources."""


def _inline(scope: LiveScope, role: str, detail: Mapping[str, Any]) -> Iterator[tuple[Value, Value]]:
    """Yield the inline policies of a role, by name; where they may not be listed, one of which nothing is known."""
    if "RolePolicyList" in detail:
        yield from ((one["PolicyName"], json_text(one.get("PolicyDocument"))) for one in detail["RolePolicyList"])
        return
    try:
        names = scope.calls.pages("iam", "list_role_policies", "PolicyNames", RoleName=role)
    except RunnerPermissionError as error:
        scope.refused.setdefault(INLINE, error)
        yield refused(f"a policy name of the role {role}", error), refused(f"the inline policies of {role}", error)
        return
    for named in names:
        try:
            answer = scope.calls.ask("iam", "get_role_policy", RoleName=role, PolicyName=named) or {}
        except RunnerPermissionError as error:
            yield named, refused(f"the inline policy {named} of the role {role}", error)
        else:
            yield named, json_text(answer.get("PolicyDocument"))


def _attached(scope: LiveScope, role: str, detail: Mapping[str, Any]) -> Iterator[Value]:
    """Yield the ARNs of the policies that a role has; where they may not be listed, one that is not known."""
    if "AttachedManagedPolicies" in detail:
        yield from (policy["PolicyArn"] for policy in detail["AttachedManagedPolicies"])
        return
    try:
        found = scope.calls.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role)
    except RunnerPermissionError as error:
        scope.refused.setdefault(ATTACHMENT, error)
        yield refused(f"the policies attached to the role {role}", error)
    else:
        yield from (policy["PolicyArn"] for policy in found)


def _policy(scope: LiveScope, arn: str, detail: Mapping[str, Any]) -> Iterator[Resource]:
    try:
        answer = scope.calls.ask("iam", "get_policy", PolicyArn=arn, absent=_GONE)
    except RunnerPermissionError as error:
        hidden = {name: refused(f"{name} of {arn}", error) for name in (*LISTINGS[POLICY].attributes, "policy")}
        values: Values = {**hidden, "name": arn.rpartition("/")[2], "arn": arn, "id": arn}
        yield scope.resource(POLICY, values, tags=refused(f"the tags of {arn}", error))
        return
    if answer is None:
        return
    policy = answer["Policy"]
    values = {
        **values_of(scope, POLICY, policy),
        "arn": arn,
        "id": arn,
        "policy": _document(scope, arn, policy, detail),
    }
    yield scope.resource(POLICY, values, tags=tag_map(policy.get("Tags")))


def _document(scope: LiveScope, arn: str, policy: Mapping[str, Any], detail: Mapping[str, Any]) -> Value:
    """Return the document of the version that counts."""
    versions = {one.get("VersionId"): one.get("Document") for one in detail.get("PolicyVersionList", ())}
    if policy["DefaultVersionId"] in versions:
        return json_text(versions[policy["DefaultVersionId"]])
    named = {"PolicyArn": arn, "VersionId": policy["DefaultVersionId"]}
    try:
        version = scope.calls.ask("iam", "get_policy_version", **named) or {}
    except RunnerPermissionError as error:
        return refused(f"the policy {arn}", error)
    return json_text((version.get("PolicyVersion") or {}).get("Document"))


SECRET, SECRET_POLICY, PARAMETER = "aws_secretsmanager_secret", "aws_secretsmanager_secret_policy", "aws_ssm_parameter"
KEY, ALIAS, KEY_POLICY = "aws_kms_key", "aws_kms_alias", "aws_kms_key_policy"
_MOST_NAMES = 50
_USERS = (
    (SECRET, "kms_key_id"),
    (PARAMETER, "key_id"),
    ("aws_lambda_function", "kms_key_arn"),
    ("aws_sqs_queue", "kms_master_key_id"),
)
_OF_AWS = "alias/aws/"


def parameters(scope: LiveScope) -> Iterator[Resource]:
    """Yield the parameters that the source names, that are tagged for the environment, or that containers read."""
    names = {identity[0] for identity in scope.sources.names(PARAMETER)} | parameter_names(scope)
    names |= {
        arn.partition(":parameter")[2]
        for arn, tags in scope.tagged.items()
        if ":ssm:" in arn and ":parameter/" in arn and scope.membership.by_tags(tags)
    }
    wanted = names | {name.removeprefix("/") for name in names if name.count("/") == 1 and name[0] == "/"}
    for entry in parameters_of(scope.calls, wanted):
        name = entry["Name"]
        values = values_of(scope, PARAMETER, entry)
        values.setdefault("arn", _arn(scope, "ssm", f"parameter{'' if name[0] == '/' else '/'}{name}"))
        yield scope.resource(PARAMETER, values, tags=scope.tags_of(str(values["arn"])))


def parameters_of(calls: Calls, names: Iterable[str], region: str | None = None) -> Iterator[Mapping[str, Any]]:
    """Yield what AWS says of the parameters that exist of the given names; never their values."""
    ordered = sorted(names)
    for start in range(0, len(ordered), _MOST_NAMES):
        chosen = {"Key": "Name", "Option": "Equals", "Values": ordered[start : start + _MOST_NAMES]}
        yield from calls.pages("ssm", "describe_parameters", "Parameters", region=region, ParameterFilters=[chosen])


def keys(scope: LiveScope) -> Iterator[Resource]:
    """Yield the keys of the environment, and those that its secrets and parameters are under, with their aliases."""
    aliases: dict[str, list[str]] = {}
    for alias in scope.calls.pages("kms", "list_aliases", "Aliases"):
        if alias.get("TargetKeyId") and not alias["AliasName"].startswith(_OF_AWS):
            aliases.setdefault(alias["TargetKeyId"], []).append(alias["AliasName"])
    for key in _wanted(scope, aliases):
        names = aliases.get(key, [])
        metadata = _described(scope, key)
        if metadata.get("KeyManager", "CUSTOMER") != "CUSTOMER" or not metadata:
            continue
        yield from _key(scope, metadata, key, names)
        for name in names:
            values = {"name": name, "id": name, "target_key_id": key, "target_key_arn": metadata["Arn"]}
            yield scope.resource(ALIAS, {**values, "arn": _arn(scope, "kms", name)})


READERS = {PARAMETER: parameters, KEY: keys, ALIAS: keys, KEY_POLICY: keys}


def _secret(scope: LiveScope, entry: Entry, values: Values) -> Values | None:
    """Add the policy of a secret to which the source gives it as an argument, and attaches none.

    One that is deleted but for the days in which that can be taken back is none, unless the source makes it or a task
    reads it. Source: AWS Secrets Manager User Guide, "Delete an AWS Secrets Manager secret".
    """
    name = str(values["name"])
    is_wanted = scope.sources.possible(SECRET, (name,)) or values["arn"] in referenced(scope, ":secretsmanager:")
    if entry.get("DeletedDate") is not None and not is_wanted:
        return None
    source = scope.sources.find(SECRET, (name,))
    values = _replicated(scope, values, source)
    if source is None or not source.sets("policy") or scope.sources.find(SECRET_POLICY, (str(values["arn"]),)):
        return values
    return {**values, **next(iter(entries(scope, SECRET_POLICY, values)), {})}


def _replicated(scope: LiveScope, values: Values, source: Resource | None) -> Values:
    """Add the replicas of a secret to which the source gives some: a listing does not have them."""
    if source is None or not source.sets("replica"):
        return values
    shown = shown_of(scope, "secretsmanager", _REPLICAS, values, f"the replicas of {values['arn']}")
    if isinstance(shown, Unknown):
        return {**values, "replica": shown}
    return {
        **values,
        "replica": [{"region": one.get("Region"), "kms_key_id": one.get("KmsKeyId")} for one in shown or ()],
    }


def _attached_policy(scope: LiveScope, _entry: Entry, values: Values) -> Values | None:
    """Leave out a policy that the secret has as an argument."""
    secret = next(one for one in scope.managed(SECRET) if one.stated("arn") == values["secret_arn"])
    return None if "policy" in secret.values else values


PECULIARITIES = {
    SECRET: Peculiarity(_secret, used=lambda scope: referenced(scope, ":secretsmanager:")),
    SECRET_POLICY: Peculiarity(_attached_policy),
}


def _described(scope: LiveScope, key: str) -> Mapping[str, Any]:
    """Return what KMS says of a key, nothing if there is none; no more than its ARN if it keeps the runner out."""
    try:
        found = scope.calls.ask("kms", "describe_key", KeyId=key, absent=("NotFoundException",))
    except RunnerPermissionError as error:
        return {"Arn": _arn(scope, "kms", f"key/{key}"), "KeyState": refused(f"the state of key {key}", error)}
    return found["KeyMetadata"] if found else {}


_KEY_POLICY = ApiCall("GetKeyPolicy", "Policy", {"KeyId": "key_id"}, parameters={"PolicyName": "default"})
_ROTATION = ApiCall(
    "GetKeyRotationStatus",
    "KeyRotationEnabled",
    {"KeyId": "key_id"},
    absent=("KMSInvalidStateException", "NotFoundException", "UnsupportedOperationException"),
)
_REPLICAS = ApiCall("DescribeSecret", "ReplicationStatus", {"SecretId": "arn"}, absent=("ResourceNotFoundException",))


_GOING = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
"""States in which a key does nothing any more. Source: AWS KMS Developer Guide, "Key states of AWS KMS keys"."""


def _key(scope: LiveScope, metadata: Mapping[str, Any], key: str, names: list[str]) -> Iterator[Resource]:
    arn = str(metadata["Arn"])
    tags = scope.tags_of(arn)
    known = scope.sources.named(KEY, key)
    known = known or next((one for name in names if (one := scope.sources.key_of_alias(name)) is not None), None)
    known = known or scope.sources.find(KEY, (tags.get("Name", "") if isinstance(tags, Mapping) else "",))
    shown = shown_of(scope, "kms", _KEY_POLICY, {"key_id": key}, f"the policy of {arn}")
    policy = shown if isinstance(shown, Unknown) else json_text(shown)
    values: Values = {"arn": arn, "key_id": key, "id": key, "policy": policy, **_use(metadata)}
    if known is not None:
        values["enable_key_rotation"] = shown_of(scope, "kms", _ROTATION, values, f"the rotation of {arn}")
    policies = scope.sources.plan.managed(KEY_POLICY) if known else ()
    attached = next((one for one in policies if scope.sources.named(KEY, one.stated("key_id")) is known), None)
    if attached is not None:
        held = {"key_id": key, "policy": values.pop("policy")}
        yield scope.resource(KEY_POLICY, held, address=f"{arn} policy", source=attached)
    yield scope.resource(KEY, values, tags=tags, source=known, name=key)


def _use(metadata: Mapping[str, Any]) -> Values:
    """Return whether a key can be used, so far as AWS says it."""
    state = metadata.get("KeyState")
    if state is None or isinstance(state, Unknown):
        return {"is_enabled": state}
    return {"is_enabled": metadata.get("Enabled", True) and state not in _GOING}


def _wanted(scope: LiveScope, aliases: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the ids of the keys to look at, each once."""
    by_alias = {name: key for key, names in aliases.items() for name in names}
    belonging = (key for name, key in by_alias.items() if scope.belongs(ALIAS, {"name": name}))
    wanted = dict.fromkeys(belonging)
    for arn, tags in scope.tagged.items():
        if ":kms:" in arn and ":key/" in arn and scope.membership.by_tags(tags):
            wanted[_id(arn)] = None
    for type_, attribute in _USERS:
        for user in scope.managed(type_):
            named = user.stated(attribute)
            if isinstance(named, str) and _OF_AWS not in named:
                key = by_alias.get(named[named.index("alias/") :], "") if "alias/" in named else named
                if key and (not key.startswith("arn:") or f":{scope.calls.account}:" in key):
                    wanted[_id(key)] = None
    yield from wanted


def _id(key: str) -> str:
    return key.rpartition("/")[2]


def _arn(scope: LiveScope, service: str, resource: str) -> str:
    return f"arn:{scope.calls.partition}:{service}:{scope.calls.region}:{scope.calls.account}:{resource}"
