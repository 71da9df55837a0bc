"""VPCs with subnets, gateways, routes and endpoints; security groups and their rules; load balancers."""

from __future__ import annotations

from functools import partial
from typing import Any

from infraspec.sandbox.resources.kind import (
    Attributes,
    Kind,
    Making,
    Values,
    block,
    blocks,
    given,
    integers,
    name_of,
    tagged,
    tags,
)
from infraspec.sandbox.server_process import Account


def _vpc(account: Account, values: Values) -> Attributes:
    ec2 = account.client("ec2")
    made = ec2.create_vpc(**given(values, "CidrBlock InstanceTenancy"), **tagged("vpc", values))["Vpc"]
    identifier = made["VpcId"]
    support = values.get("enable_dns_support") is not False
    ec2.modify_vpc_attribute(VpcId=identifier, EnableDnsSupport={"Value": support})
    ec2.modify_vpc_attribute(VpcId=identifier, EnableDnsHostnames={"Value": bool(values.get("enable_dns_hostnames"))})
    here = [{"Name": "vpc-id", "Values": [identifier]}]
    groups = ec2.describe_security_groups(Filters=[*here, {"Name": "group-name", "Values": ["default"]}])
    tables = ec2.describe_route_tables(Filters=here)["RouteTables"]
    return {
        "id": identifier,
        "arn": account.arn("ec2", f"vpc/{identifier}"),
        "cidr_block": made["CidrBlock"],
        "default_security_group_id": groups["SecurityGroups"][0]["GroupId"],
        "default_route_table_id": tables[0]["RouteTableId"],
        "main_route_table_id": tables[0]["RouteTableId"],
    }


def _subnet(account: Account, values: Values) -> Attributes:
    ec2 = account.client("ec2")
    made = ec2.create_subnet(**given(values, "VpcId CidrBlock AvailabilityZone"), **tagged("subnet", values))["Subnet"]
    if values.get("map_public_ip_on_launch"):
        ec2.modify_subnet_attribute(SubnetId=made["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    return {
        "id": made["SubnetId"],
        "arn": made["SubnetArn"],
        "availability_zone": made["AvailabilityZone"],
        "cidr_block": made["CidrBlock"],
    }


def _internet_gateway(account: Account, values: Values) -> Attributes:
    ec2 = account.client("ec2")
    made = ec2.create_internet_gateway(**tagged("internet-gateway", values))["InternetGateway"]
    identifier = made["InternetGatewayId"]
    if values.get("vpc_id"):
        ec2.attach_internet_gateway(InternetGatewayId=identifier, VpcId=values["vpc_id"])
    return {"id": identifier, "arn": account.arn("ec2", f"internet-gateway/{identifier}")}


def _route_table(account: Account, values: Values) -> Attributes:
    made = account.client("ec2").create_route_table(VpcId=values["vpc_id"], **tagged("route-table", values))
    identifier = made["RouteTable"]["RouteTableId"]
    for route in values.get("route") or ():
        destination = given(route, "cidr_block=DestinationCidrBlock")
        account.client("ec2").create_route(RouteTableId=identifier, **destination, **given(route, _TARGETS))
    return {"id": identifier, "arn": account.arn("ec2", f"route-table/{identifier}")}


_TARGETS = "GatewayId NatGatewayId TransitGatewayId VpcPeeringConnectionId NetworkInterfaceId"


def _route(account: Account, values: Values) -> Attributes:
    made = _ROUTE(account, values)
    return {"id": f"r-{made['id']}"}


_ROUTE = Making(
    "ec2.create_route",
    f"RouteTableId DestinationCidrBlock destination_ipv6_cidr_block=DestinationIpv6CidrBlock {_TARGETS}",
    kept="id=route_table_id",
)


def _endpoint(account: Account, values: Values) -> Attributes:
    made = _ENDPOINT(account, values)
    return {**made, "arn": account.arn("ec2", f"vpc-endpoint/{made['id']}")}


_ENDPOINT = Making(
    "ec2.create_vpc_endpoint",
    "VpcId ServiceName VpcEndpointType SubnetIds SecurityGroupIds RouteTableIds PrivateDnsEnabled "
    "policy=PolicyDocument",
    "VpcEndpoint: id=VpcEndpointId",
    spec="vpc-endpoint",
)


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
    return {
        "id": made["GroupId"],
        "name": name,
        "arn": _group_arn(account, made["GroupId"]),
        "vpc_id": values["vpc_id"],
    }


def _group_arn(account: Account, identifier: str) -> str:
    return account.arn("ec2", f"security-group/{identifier}")


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
    return {"id": identifier, "arn": _group_arn(account, identifier)}


def _firewall_rule(account: Account, values: Values, *, direction: str) -> Attributes:
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
    made = authorize(
        GroupId=values["security_group_id"], IpPermissions=[permission], **tagged("security-group-rule", values)
    )
    rules = made.get("SecurityGroupRules") or [{}]
    return {"id": rules[0].get("SecurityGroupRuleId", "")}


def _old_rule(account: Account, values: Values) -> Attributes:
    """Create one aws_security_group_rule."""
    own = values["security_group_id"]
    source = values.get("source_security_group_id")
    rule = {**values, "security_groups": [source] if source else []}
    direction = "ingress" if values["type"] == "ingress" else "egress"
    authorize = getattr(account.client("ec2"), f"authorize_security_group_{direction}")
    authorize(GroupId=own, IpPermissions=[_permission(rule, own)])
    return {"id": f"sgrule-{own}"}


def _balancer(account: Account, values: Values) -> Attributes:
    elb = account.client("elbv2")
    arguments = given(values, "SecurityGroups Subnets load_balancer_type=Type IpAddressType")
    scheme = "internal" if values.get("internal") else "internet-facing"
    made = elb.create_load_balancer(Name=name_of(values), Scheme=scheme, **arguments, Tags=tags(values))[
        "LoadBalancers"
    ][0]
    arn = made["LoadBalancerArn"]
    settings = {
        "deletion_protection.enabled": values.get("enable_deletion_protection"),
        "routing.http.drop_invalid_header_fields.enabled": values.get("drop_invalid_header_fields"),
        "idle_timeout.timeout_seconds": values.get("idle_timeout"),
    }
    _set(elb.modify_load_balancer_attributes, {"LoadBalancerArn": arn}, settings)
    suffix = arn.partition(":loadbalancer/")[2]
    return {"id": arn, "arn": arn, "arn_suffix": suffix, "dns_name": made["DNSName"], "name": made["LoadBalancerName"]}


def _set(modify: Any, target: dict[str, str], settings: dict[str, Any]) -> None:
    attributes = [
        {"Key": key, "Value": str(value).lower() if isinstance(value, bool) else str(value)}
        for key, value in settings.items()
        if value is not None
    ]
    if attributes:
        modify(**target, Attributes=attributes)


def _target_group(account: Account, values: Values) -> Attributes:
    elb, health = account.client("elbv2"), block(values, "health_check")
    arguments = given(values, "VpcId Protocol TargetType")
    arguments |= given(health, "path=HealthCheckPath protocol=HealthCheckProtocol port=HealthCheckPort")
    arguments |= integers(values, "Port")
    arguments |= integers(health, "interval=HealthCheckIntervalSeconds timeout=HealthCheckTimeoutSeconds")
    arguments |= integers(health, "healthy_threshold=HealthyThresholdCount unhealthy_threshold=UnhealthyThresholdCount")
    if health.get("matcher"):
        arguments["Matcher"] = {"HttpCode": str(health["matcher"])}
    made = elb.create_target_group(Name=name_of(values), **arguments, Tags=tags(values))["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    settings = {"deregistration_delay.timeout_seconds": values.get("deregistration_delay")}
    _set(elb.modify_target_group_attributes, {"TargetGroupArn": arn}, settings)
    suffix = arn.rpartition(":")[2]
    return {"id": arn, "arn": arn, "arn_suffix": suffix, "name": made["TargetGroupName"], "port": made.get("Port")}


def _listener(account: Account, values: Values) -> Attributes:
    arguments = {**given(values, "LoadBalancerArn Protocol SslPolicy"), **integers(values, "Port")}
    if values.get("certificate_arn"):
        arguments["Certificates"] = [{"CertificateArn": values["certificate_arn"]}]
    actions = [_action(action) for action in blocks(values, "default_action")]
    made = account.client("elbv2").create_listener(**arguments, DefaultActions=actions, Tags=tags(values))
    arn = made["Listeners"][0]["ListenerArn"]
    return {"id": arn, "arn": arn}


def _action(action: dict[str, Any]) -> dict[str, Any]:
    made = given(action, "Type TargetGroupArn")
    if action.get("redirect"):
        made["RedirectConfig"] = given(block(action, "redirect"), "Protocol Port StatusCode Host Path")
    if action.get("fixed_response"):
        made["FixedResponseConfig"] = given(block(action, "fixed_response"), "ContentType MessageBody StatusCode")
    if action.get("forward"):
        groups = [
            {"TargetGroupArn": group["arn"], "Weight": int(group.get("weight") or 1)}
            for group in blocks(block(action, "forward"), "target_group")
        ]
        made["ForwardConfig"] = {"TargetGroups": groups}
    return made


def _listener_rule(account: Account, values: Values) -> Attributes:
    conditions = []
    for condition in blocks(values, "condition"):
        for name, field in (("path_pattern", "path-pattern"), ("host_header", "host-header")):
            if condition.get(name):
                conditions.append({"Field": field, "Values": block(condition, name)["values"]})
    made = account.client("elbv2").create_rule(
        ListenerArn=values["listener_arn"],
        Priority=int(values.get("priority") or 1),
        Conditions=conditions,
        Actions=[_action(action) for action in blocks(values, "action")],
        Tags=tags(values),
    )
    arn = made["Rules"][0]["RuleArn"]
    return {"id": arn, "arn": arn}


KINDS = {
    "aws_vpc": Kind(_vpc),
    "aws_internet_gateway": Kind(_internet_gateway),
    "aws_subnet": Kind(_subnet),
    "aws_eip": Kind(
        Making(
            "ec2.allocate_address",
            "",
            "id=AllocationId AllocationId PublicIp",
            spec="elastic-ip",
            fixed={"Domain": "vpc"},
        )
    ),
    "aws_nat_gateway": Kind(
        Making(
            "ec2.create_nat_gateway",
            "AllocationId SubnetId ConnectivityType",
            "NatGateway: id=NatGatewayId",
            spec="natgateway",
        )
    ),
    "aws_route_table": Kind(_route_table),
    "aws_route": Kind(_route),
    "aws_route_table_association": Kind(
        Making("ec2.associate_route_table", "RouteTableId SubnetId GatewayId", "id=AssociationId")
    ),
    "aws_vpc_endpoint": Kind(_endpoint),
    "aws_security_group": Kind(_group),
    "aws_default_security_group": Kind(_default_group),
    "aws_vpc_security_group_ingress_rule": Kind(partial(_firewall_rule, direction="ingress")),
    "aws_vpc_security_group_egress_rule": Kind(partial(_firewall_rule, direction="egress")),
    "aws_security_group_rule": Kind(_old_rule),
    "aws_lb": Kind(_balancer),
    "aws_alb": Kind(_balancer),
    "aws_lb_target_group": Kind(_target_group),
    "aws_alb_target_group": Kind(_target_group),
    "aws_lb_listener": Kind(_listener),
    "aws_alb_listener": Kind(_listener),
    "aws_lb_listener_rule": Kind(_listener_rule),
}
"""Endpoints name security groups: their type comes after those by their references."""
