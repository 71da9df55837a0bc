"""The load balancers that exist, their listeners, and the target groups.

Limit: Elastic Load Balancing API Reference, DescribeTags (20 resources).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infraspec.live.scope import Scope, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource

_BALANCER, _GROUP, _LISTENER = "aws_lb", "aws_lb_target_group", "aws_lb_listener"
_MOST = 20
_SERVICE = "elbv2"
_OF_BALANCER = {"LoadBalancerName": "name", "Type": "load_balancer_type", "SecurityGroups": "security_groups"}
_OF_GROUP = {
    "TargetGroupName": "name",
    "Protocol": "protocol",
    "Port": "port",
    "VpcId": "vpc_id",
    "TargetType": "target_type",
}
_OF_LISTENER = {
    "ListenerArn": "arn",
    "LoadBalancerArn": "load_balancer_arn",
    "Port": "port",
    "Protocol": "protocol",
    "SslPolicy": "ssl_policy",
}


def balancer_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the load balancers, each with its listeners, then the target groups."""
    balancers = scope.calls.pages(_SERVICE, "describe_load_balancers", "LoadBalancers")
    groups = scope.calls.pages(_SERVICE, "describe_target_groups", "TargetGroups")
    tags = _tags(scope, [*(one["LoadBalancerArn"] for one in balancers), *(one["TargetGroupArn"] for one in groups)])
    for balancer in balancers:
        name, arn = balancer["LoadBalancerName"], balancer["LoadBalancerArn"]
        if scope.belongs(_BALANCER, name, tags=tags[arn]):
            values = {**chosen(balancer, _OF_BALANCER), **_identified(arn, "loadbalancer/")}
            resource = scope.resource(_BALANCER, name, address=arn, values=values, tags=tags[arn])
            yield resource
            yield from _listeners(scope, arn, resource)
    for group in groups:
        name, arn = group["TargetGroupName"], group["TargetGroupArn"]
        if scope.belongs(_GROUP, name, tags=tags[arn]):
            values = {**chosen(group, _OF_GROUP), **_identified(arn, "")}
            yield scope.resource(_GROUP, name, address=arn, values=values, tags=tags[arn])


def _listeners(scope: Scope, balancer: str, owner: Resource) -> Iterator[Resource]:
    listeners = scope.calls.pages(_SERVICE, "describe_listeners", "Listeners", LoadBalancerArn=balancer)
    tags = _tags(scope, [one["ListenerArn"] for one in listeners])
    for listener in listeners:
        arn = listener["ListenerArn"]
        actions = [
            {"type": action["Type"].lower(), "target_group_arn": action.get("TargetGroupArn") or _first(action)}
            for action in listener.get("DefaultActions") or ()
        ]
        certificates = listener.get("Certificates") or [{}]
        values = {
            **chosen(listener, _OF_LISTENER),
            "id": arn,
            "default_action": actions,
            "certificate_arn": certificates[0].get("CertificateArn"),
        }
        source = _source(scope, owner, listener.get("Port"))
        name = arn.rpartition("/")[2]
        yield scope.resource(_LISTENER, name, address=arn, values=values, tags=tags[arn], source=source)


def _source(scope: Scope, owner: Resource, port: object) -> Resource | None:
    """Return the listener of the source on a port of a load balancer."""
    for listener in scope.sources.plan.managed(_LISTENER):
        balancer = scope.sources.named(owner.type, listener.get("load_balancer_arn"))
        if balancer is not None and balancer.address == owner.address and str(listener.get("port")) == str(port):
            return listener
    return None


def _first(action: Mapping[str, Any]) -> str | None:
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
    return groups[0]["TargetGroupArn"] if groups else None


def _identified(arn: str, prefix: str) -> dict[str, str]:
    return {"arn": arn, "id": arn, "arn_suffix": arn.rpartition(":")[2].removeprefix(prefix)}


def _tags(scope: Scope, arns: list[str]) -> dict[str, Mapping[str, str]]:
    found = scope.calls.batches(
        _SERVICE, "describe_tags", "TagDescriptions", argument="ResourceArns", values=arns, size=_MOST
    )
    tags = {one["ResourceArn"]: tag_map(one.get("Tags")) for one in found}
    return {arn: tags.get(arn, {}) for arn in arns}
