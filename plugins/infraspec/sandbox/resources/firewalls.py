"""Security groups and their rules."""

from __future__ import annotations

from typing import Any

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import Attributes, Kind, Values, blocks, name_of, tags
from infraspec.sandbox.resources.network import tagged


def _group(account: Account, values: Values) -> Attributes:
    ec2, name = account.client("ec2"), name_of(values)
    made = ec2.create_security_group(
        GroupName=name,
        Description=values.get("description") or "Managed by Terraform",
        VpcId=values["vpc_id"],
        **tagged("security-group", values),
    )
    _close(account, made["GroupId"])
    for permissions, authorize in (
        ("ingress", ec2.authorize_security_group_ingress),
        ("egress", ec2.authorize_security_group_egress),
    ):
        for rule in blocks(values, permissions):
            authorize(GroupId=made["GroupId"], IpPermissions=[_permission(rule, made["GroupId"])])
    return {"id": made["GroupId"], "name": name, "arn": _arn(account, made["GroupId"]), "vpc_id": values["vpc_id"]}


def _arn(account: Account, identifier: str) -> str:
    return f"arn:{account.partition}:ec2:{account.region}:{account.account}:security-group/{identifier}"


def _close(account: Account, identifier: str) -> None:
    """Take every rule away, as the provider does: a new group of AWS lets everything out."""
    ec2 = account.client("ec2")
    group = ec2.describe_security_groups(GroupIds=[identifier])["SecurityGroups"][0]
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=identifier, IpPermissions=group["IpPermissionsEgress"])
    if group["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=identifier, IpPermissions=group["IpPermissions"])


def _permission(rule: dict[str, Any], own: str) -> dict[str, Any]:
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


def _default_group(account: Account, values: Values) -> Attributes:
    ec2 = account.client("ec2")
    filters = [{"Name": "vpc-id", "Values": [values["vpc_id"]]}, {"Name": "group-name", "Values": ["default"]}]
    identifier = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    _close(account, identifier)
    if tags(values):
        ec2.create_tags(Resources=[identifier], Tags=tags(values))
    return {"id": identifier, "arn": _arn(account, identifier)}


def _rule(account: Account, values: Values, *, direction: str) -> Attributes:
    """Create one aws_vpc_security_group_(ingress|egress)_rule."""
    permission: dict[str, Any] = {"IpProtocol": str(values["ip_protocol"])}
    if permission["IpProtocol"] != "-1":
        permission |= {"FromPort": int(values["from_port"]), "ToPort": int(values["to_port"])}
    for name, ranges, field in (
        ("cidr_ipv4", "IpRanges", "CidrIp"),
        ("cidr_ipv6", "Ipv6Ranges", "CidrIpv6"),
        ("prefix_list_id", "PrefixListIds", "PrefixListId"),
        ("referenced_security_group_id", "UserIdGroupPairs", "GroupId"),
    ):
        if values.get(name):
            entry = {field: values[name], "Description": values.get("description")}
            permission[ranges] = [{key: value for key, value in entry.items() if value}]
    authorize = getattr(account.client("ec2"), f"authorize_security_group_{direction}")
    made = authorize(GroupId=values["security_group_id"], IpPermissions=[permission], **tagged(_RULE, values))
    rules = made.get("SecurityGroupRules") or [{}]
    return {"id": rules[0].get("SecurityGroupRuleId", "")}


_RULE = "security-group-rule"


def _ingress(account: Account, values: Values) -> Attributes:
    return _rule(account, values, direction="ingress")


def _egress(account: Account, values: Values) -> Attributes:
    return _rule(account, values, direction="egress")


def _old_rule(account: Account, values: Values) -> Attributes:
    """Create one aws_security_group_rule."""
    own = values["security_group_id"]
    source = values.get("source_security_group_id")
    rule = {**values, "security_groups": [source] if source else []}
    direction = "ingress" if values["type"] == "ingress" else "egress"
    authorize = getattr(account.client("ec2"), f"authorize_security_group_{direction}")
    authorize(GroupId=own, IpPermissions=[_permission(rule, own)])
    return {"id": f"sgrule-{own}"}


KINDS = {
    "aws_security_group": Kind(_group),
    "aws_default_security_group": Kind(_default_group),
    "aws_vpc_security_group_ingress_rule": Kind(_ingress),
    "aws_vpc_security_group_egress_rule": Kind(_egress),
    "aws_security_group_rule": Kind(_old_rule),
}
