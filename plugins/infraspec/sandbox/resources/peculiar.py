"""What the tables do not say of a type: what is decided first, or done beside its calls."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from infraspec.sandbox.images_and_values import deliver
from infraspec.sandbox.local_providers import RESOURCES
from infraspec.sandbox.resources.making import MAKINGS, Attributes, Kind, Values, blocks, name_of
from infraspec.sandbox.server_process import Account

_MOST_VERSIONS = 5
"""How many versions of a policy IAM keeps."""


def _bucket(account: Account, values: Values) -> Attributes:
    place = None if account.region == "us-east-1" else account.region
    named = {**values, "bucket": name_of(values, "bucket"), "place": place}
    return MAKINGS["aws_s3_bucket"].made(account, named)


def _instance(account: Account, values: Values) -> Attributes:
    """Make an instance, with a password that nobody knows if there is none."""
    given = values.get("password") or values.get("password_wo") or values.get("manage_master_user_password")
    named = {**values, "identifier": name_of(values, "identifier")}
    made = MAKINGS["aws_db_instance"].made(account, named if given else {**named, "password": "not-known-to-anybody"})
    made |= {"address": made["address"] or "", "port": made["port"] or 0}
    secret = made.pop("secret", None)
    own = {"master_user_secret": [{"secret_arn": secret}]} if secret else {}
    return {**made, "endpoint": f"{made['address']}:{made['port']}", **own}


def _task_definition(account: Account, values: Values) -> Attributes:
    containers = json.loads(values["container_definitions"])
    deliver(account, containers)
    return MAKINGS["aws_ecs_task_definition"].made(account, {**values, "containers": containers})


def _rolled_back(account: Account, values: Values, attributes: Attributes) -> bool:
    """Tell whether the service has another task definition than the plan: its circuit breaker went back."""
    cluster, name = attributes["cluster"], attributes["name"]
    (found,) = account.client("ecs").describe_services(cluster=cluster, services=[name])["services"]
    return bool(found["taskDefinition"] != values.get("task_definition"))


def _change_policy(account: Account, values: Values, attributes: Attributes) -> Attributes:
    iam, arn = account.client("iam"), attributes["arn"]
    older = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    if len(older) >= _MOST_VERSIONS:
        replaced = (version for version in older if not version["IsDefaultVersion"])
        oldest = min(replaced, key=lambda one: one["CreateDate"])
        iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=values["policy"], SetAsDefault=True)
    return attributes


def _delete_secret(account: Account, values: Values, attributes: Attributes) -> None:
    days = values.get("recovery_window_in_days")
    window = {"ForceDeleteWithoutRecovery": True} if days == 0 else {"RecoveryWindowInDays": int(days or 30)}
    account.client("secretsmanager").delete_secret(SecretId=attributes["arn"], **window)


def _version(account: Account, values: Values) -> Attributes:
    binary = base64.b64decode(values.get("secret_binary") or "")
    return MAKINGS["aws_secretsmanager_secret_version"].made(account, {**values, "secret_binary": binary or None})


def _group(account: Account, values: Values) -> Attributes:
    made, ec2 = MAKINGS["aws_security_group"].made(account, values), account.client("ec2")
    _close(account, made["id"])
    for rule in blocks(values, "ingress"):
        ec2.authorize_security_group_ingress(GroupId=made["id"], IpPermissions=[_permission(rule, made["id"])])
    for rule in blocks(values, "egress"):
        ec2.authorize_security_group_egress(GroupId=made["id"], IpPermissions=[_permission(rule, made["id"])])
    return made


def _default_group(account: Account, values: Values) -> Attributes:
    made = MAKINGS["aws_default_security_group"].made(account, values)
    _close(account, made["id"])
    return made


def _close(account: Account, identifier: str) -> None:
    """Take every rule away, as the provider does: a new group of AWS lets everything out."""
    ec2 = account.client("ec2")
    group = ec2.describe_security_groups(GroupIds=[identifier])["SecurityGroups"][0]
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=identifier, IpPermissions=group["IpPermissionsEgress"])
    if group["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=identifier, IpPermissions=group["IpPermissions"])


def _permission(rule: Values, own: str) -> dict[str, Any]:
    """Read a nested ingress or egress block."""
    protocol = str(rule.get("protocol") or "-1")
    made: dict[str, Any] = {"IpProtocol": "-1" if protocol == "all" else protocol}
    if made["IpProtocol"] != "-1":
        made |= {"FromPort": int(rule["from_port"]), "ToPort": int(rule["to_port"])}
    groups = [*(rule.get("security_groups") or []), *([own] if rule.get("self") else [])]
    made["IpRanges"] = [{"CidrIp": cidr} for cidr in rule.get("cidr_blocks") or []]
    made["Ipv6Ranges"] = [{"CidrIpv6": cidr} for cidr in rule.get("ipv6_cidr_blocks") or []]
    made["UserIdGroupPairs"] = [{"GroupId": group} for group in groups]
    return {name: value for name, value in made.items() if value != []}


def _old_rule(account: Account, values: Values) -> Attributes:
    """Create one aws_security_group_rule."""
    own, source = values["security_group_id"], values.get("source_security_group_id")
    permission = _permission({**values, "security_groups": [source] if source else []}, own)
    direction = "ingress" if values["type"] == "ingress" else "egress"
    getattr(account.client("ec2"), f"authorize_security_group_{direction}")(GroupId=own, IpPermissions=[permission])
    return {"id": f"sgrule-{own}"}


def _egress_rule(account: Account, values: Values) -> Attributes:
    """Create what an ingress rule is, in the other direction."""
    ingress = MAKINGS["aws_vpc_security_group_ingress_rule"]
    (call,) = ingress.create
    egress = replace(call, call="ec2.authorize_security_group_egress")
    return replace(ingress, create=(egress,)).made(account, values)


_CREATE = {
    "aws_db_instance": _instance,
    "aws_default_security_group": _default_group,
    "aws_ecs_task_definition": _task_definition,
    "aws_s3_bucket": _bucket,
    "aws_secretsmanager_secret_version": _version,
    "aws_security_group": _group,
    "aws_security_group_rule": _old_rule,
    "aws_vpc_security_group_egress_rule": _egress_rule,
}


def _local(make: Callable[[Values], Attributes]) -> Kind:
    """Return the kind of what is in no account: a change makes it anew, and its end leaves nothing."""
    return Kind(
        lambda _, values: make(values),
        lambda _, values, __: make(values),
        lambda _, __, ___: None,
    )


_KINDS = {type_: making.kind(_CREATE.get(type_, making.made)) for type_, making in MAKINGS.items()}
KINDS = {
    **{type_: _local(make) for type_, make in RESOURCES.items()},
    **_KINDS,
    "aws_alb": _KINDS["aws_lb"],
    "aws_alb_listener": _KINDS["aws_lb_listener"],
    "aws_alb_target_group": _KINDS["aws_lb_target_group"],
    "aws_ecs_service": replace(_KINDS["aws_ecs_service"], drifted=_rolled_back),
    "aws_iam_policy": replace(_KINDS["aws_iam_policy"], update=_change_policy),
    "aws_secretsmanager_secret": replace(_KINDS["aws_secretsmanager_secret"], delete=_delete_secret),
}
"""The kinds by resource type, in the order in which they are created where no reference says otherwise."""
