"""Load balancers, target groups and listeners."""

from __future__ import annotations

from typing import Any

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import Attributes, Kind, Values, block, blocks, given, integers, name_of, tags


def _balancer(account: Account, values: Values) -> Attributes:
    elb = account.client("elbv2")
    names = {"security_groups": "SecurityGroups", "subnets": "Subnets", "load_balancer_type": "Type"}
    names |= {"ip_address_type": "IpAddressType"}
    scheme = "internal" if values.get("internal") else "internet-facing"
    made = elb.create_load_balancer(Name=name_of(values), Scheme=scheme, **given(values, names), Tags=tags(values))[
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
    arguments = given(values, {"vpc_id": "VpcId", "protocol": "Protocol", "target_type": "TargetType"})
    arguments |= given(
        health, {"path": "HealthCheckPath", "protocol": "HealthCheckProtocol", "port": "HealthCheckPort"}
    )
    arguments |= integers(values, {"port": "Port"})
    names = {"interval": "HealthCheckIntervalSeconds", "timeout": "HealthCheckTimeoutSeconds"}
    names |= {"healthy_threshold": "HealthyThresholdCount", "unhealthy_threshold": "UnhealthyThresholdCount"}
    arguments |= integers(health, names)
    if health.get("matcher"):
        arguments["Matcher"] = {"HttpCode": str(health["matcher"])}
    made = elb.create_target_group(Name=name_of(values), **arguments, Tags=tags(values))["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    settings = {"deregistration_delay.timeout_seconds": values.get("deregistration_delay")}
    _set(elb.modify_target_group_attributes, {"TargetGroupArn": arn}, settings)
    suffix = arn.rpartition(":")[2]
    return {"id": arn, "arn": arn, "arn_suffix": suffix, "name": made["TargetGroupName"], "port": made.get("Port")}


def _listener(account: Account, values: Values) -> Attributes:
    arguments = given(
        values, {"load_balancer_arn": "LoadBalancerArn", "protocol": "Protocol", "ssl_policy": "SslPolicy"}
    )
    arguments |= integers(values, {"port": "Port"})
    if values.get("certificate_arn"):
        arguments["Certificates"] = [{"CertificateArn": values["certificate_arn"]}]
    actions = [_action(action) for action in blocks(values, "default_action")]
    made = account.client("elbv2").create_listener(**arguments, DefaultActions=actions, Tags=tags(values))
    arn = made["Listeners"][0]["ListenerArn"]
    return {"id": arn, "arn": arn}


def _action(action: dict[str, Any]) -> dict[str, Any]:
    made = given(action, {"type": "Type", "target_group_arn": "TargetGroupArn"})
    if action.get("redirect"):
        names = {"protocol": "Protocol", "port": "Port", "status_code": "StatusCode", "host": "Host", "path": "Path"}
        made["RedirectConfig"] = given(block(action, "redirect"), names)
    if action.get("fixed_response"):
        names = {"content_type": "ContentType", "message_body": "MessageBody", "status_code": "StatusCode"}
        made["FixedResponseConfig"] = given(block(action, "fixed_response"), names)
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
    "aws_lb": Kind(_balancer),
    "aws_alb": Kind(_balancer),
    "aws_lb_target_group": Kind(_target_group),
    "aws_alb_target_group": Kind(_target_group),
    "aws_lb_listener": Kind(_listener),
    "aws_alb_listener": Kind(_listener),
    "aws_lb_listener_rule": Kind(_listener_rule),
}
